"""Tables that a spreadsheet and a learning platform read: no cell of them is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

RUNS = re.compile(r"'*[=+\-@\t\r]")


def cell(value: object) -> object:
    """Text that a spreadsheet would run gets a ' before it, so does text that looks as if it had; the rest stays."""
    return f"'{value}" if isinstance(value, str) and RUNS.match(value) else value


def bare(text: str) -> str:
    """The text that `cell` was given."""
    return text[1:] if text.startswith("'") and RUNS.match(text) else text


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with a first row of names."""
    return "".join(_line(row) for row in (columns, *rows))


def _line(row: Sequence[object]) -> str:
    text = io.StringIO()
    # only what ends a row is quoted, in older versions of Python: a lone \r would end one in a spreadsheet
    csv.writer(text, lineterminator="\r\n").writerow([cell(value) for value in row])
    return text.getvalue().removesuffix("\r\n") + "\n"
