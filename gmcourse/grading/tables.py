"""Tables that a spreadsheet and a learning platform read: no cell of them is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

RUNS = re.compile(r"'*[=+\-@\t\r]")


def cell(value: object) -> object:
    """Text that a spreadsheet would run gets a ' before it, so does text that looks as if it had; the rest stays."""
    return f"'{value}" if isinstance(value, str) and RUNS.match(value) else value


def bare(text: str) -> str:
    """The text that `cell` was given."""
    return text[1:] if text.startswith("'") and RUNS.match(text) else text


def edited(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """The rows of a table that a person may have edited, its names first, empty rows left out.

    Cells are separated by , or ;, by whichever gives more of the columns. Raises ValueError for a file that is not
    UTF-8, or no table.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name}: got text that is not UTF-8: save it as UTF-8, in Excel as CSV UTF-8") from error
    csv.field_size_limit(2**24)
    try:
        heads = {separator: next(_reader(text, separator, strict=False), []) for separator in ",;"}
        separator = max(heads, key=lambda s: len(set(columns) & set(heads[s])))
        # strict: a quote that is never closed would swallow the rows below it
        return [row for row in _reader(text, separator, strict=True) if any(value.strip() for value in row)]
    except csv.Error as error:
        raise ValueError(f"{path.name}: got no table that can be read ({error}), expected CSV") from error


def _reader(text: str, separator: str, *, strict: bool) -> Iterator[list[str]]:
    told = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    return ([bare(value) for value in row] for row in told)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with a first row of names."""
    return "".join(_line(row) for row in (columns, *rows))


def _line(row: Sequence[object]) -> str:
    text = io.StringIO()
    # only what ends a row is quoted, in older versions of Python: a lone \r would end one in a spreadsheet
    csv.writer(text, lineterminator="\r\n").writerow([cell(value) for value in row])
    return text.getvalue().removesuffix("\r\n") + "\n"
