"""Open questions, which a person marks: listed with the student's text in marks.csv; a mark that is entered is kept."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gmcourse.grading.tables import cell, table

COLUMNS = ("student", "question", "mark", "comment", "changed", "text")


def read_marks(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The rows of marks.csv by (student, question), as they are written there; none where there is no such file.

    Raises ValueError for a file without these columns, and for a mark that is no number from 0 on.
    """
    if not path.exists():
        return {}
    csv.field_size_limit(2**24)
    reader = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise ValueError(f"{path.name}: got the columns {reader.fieldnames}, expected {', '.join(COLUMNS)}")
    rows = {(row["student"], row["question"]): {name: row[name] or "" for name in COLUMNS} for row in reader}
    for (student, question), row in rows.items():
        try:
            right = not row["mark"].strip() or 0 <= float(row["mark"]) < float("inf")
        except ValueError:
            right = False
        if not right:
            raise ValueError(f"{path.name}: got the mark {row['mark']!r} of {student}, {question}, expected a number")
    return rows


def joined(results: Iterable[dict[str, Any]], marks: dict[tuple[str, str], dict[str, str]]) -> list[dict[str, str]]:
    """A row for each open answer of today, with the mark and the comment entered for it, and those of answers gone.

    `changed` is "yes" where the text is another than the one that was marked, until that is deleted.
    """
    rows, left = [], dict(marks)
    for result in results:
        for question, text in result["texts"].items():
            texts = {"student": result["student"], "question": question, "text": text}
            new = dict.fromkeys(COLUMNS, "") | {name: str(cell(value)) for name, value in texts.items()}
            old = left.pop((new["student"], new["question"]), None)
            if old is not None and (old["mark"] or old["comment"]):
                moved = old["text"].replace("\r\n", "\n") != new["text"]
                new |= {"mark": old["mark"], "comment": old["comment"], "changed": "yes" if moved else old["changed"]}
            rows.append(new)
    return [*rows, *(row for row in left.values() if row["mark"] or row["comment"])]


def written(rows: list[dict[str, str]]) -> str:
    """marks.csv."""
    return table(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))
