"""Open questions, which a person marks: listed with the student's text in marks.csv; a mark that is entered is kept."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from gmcourse.grading.tables import edited, table

COLUMNS = ("student", "question", "mark", "comment", "changed", "text")
GIVEN = {"student", "question", "changed", "text"}
NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
Row = dict[str, str]
Marks = Mapping[tuple[str, str], Row]


def read_marks(path: Path) -> dict[tuple[str, str], Row]:
    """The rows of marks.csv by (student, question), with columns that were added; none where there is no such file.

    Cells are separated by , or ;. A mark becomes a plain number, "2,5" and "+2.5" alike. Raises ValueError for a file
    that is not UTF-8, or no table with these columns, for an answer listed twice, and for a mark that is no number
    from 0 on.
    """
    if not path.exists():
        return {}
    names, *lines = _cells(path)
    rows: dict[tuple[str, str], Row] = {}
    for line in lines:
        if len(line) > len(names):
            said = f"{path.name}: got {len(line)} cells in the row of {', '.join(line[:2])}, expected {len(names)}"
            raise ValueError(f"{said}: an added column needs a name, and 2,5 quotes where commas separate the cells")
        row = {name: value for name, value in zip_longest(names, line, fillvalue="") if name}
        of = row["student"], row["question"]
        if of in rows:
            raise ValueError(f"{path.name}: got two rows of {', '.join(of)}, expected one")
        rows[of] = row | {"mark": _mark(row["mark"], path.name, of)}
    return rows


def _cells(path: Path) -> list[list[str]]:
    """The table in the file, its names first, empty rows left out."""
    rows = edited(path, COLUMNS)
    names = _names(rows)
    if not set(COLUMNS) <= set(names):
        raise ValueError(f"{path.name}: got the columns {', '.join(names)}, expected {', '.join(COLUMNS)}")
    if len(twice := [name for name in names if name]) > len(set(twice)):
        raise ValueError(f"{path.name}: got the columns {', '.join(twice)}, expected each name once")
    return [names, *rows[1:]]


def _names(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first row; a column that has no name is given one if it holds something."""
    names = [name.strip() for name in rows[0]] if rows else []
    filled = {k for row in rows for k, value in enumerate(row) if value.strip()}
    return [name or (f"column {k + 1}" if k in filled else "") for k, name in enumerate(names)]


def _mark(text: str, name: str, of: tuple[str, str]) -> str:
    text = text.strip()
    value = float(text.replace(",", ".")) if NUMBER.fullmatch(text) else -1.0
    if text and not 0 <= value < float("inf"):
        raise ValueError(f"{name}: got the mark {text!r} of {', '.join(of)}, expected a number from 0 on")
    return number(value) if text else ""


def number(value: float) -> str:
    """The number in figures: 3, 2.5."""
    return f"{value + 0.0:.10g}"  # + 0.0: no -0


def joined(results: Iterable[dict[str, Any]], marks: Marks) -> tuple[list[Row], list[Row]]:
    """A row for each open answer of today, with the mark and the comment entered for it; and those of answers gone.

    `changed` is "yes" where the text is another than the one that was marked, until that is deleted.
    """
    here, left = [], dict(marks)
    for result in results:
        for question, text in sorted(result["texts"].items()):
            old = dict.fromkeys(COLUMNS, "") | left.pop((result["student"], question), {})
            changed = "yes" if _lines(old["text"]) != _lines(text) else old["changed"]
            new = {"student": result["student"], "question": question, "text": text}
            here.append(old | new | {"changed": changed if old["mark"] or old["comment"] else ""})
    filled = [left[of] for of in sorted(left) if any(left[of][name] for name in left[of] if name not in GIVEN)]
    return here, filled


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def written(rows: Sequence[Row]) -> str:
    """marks.csv, with the mark by which Excel knows UTF-8, and the added columns after its own."""
    columns = list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))
    return "\ufeff" + table(columns, ([row.get(name, "") for name in columns] for row in rows))
