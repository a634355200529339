"""Tables that a spreadsheet and a learning platform read: no cell of them is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence


def cell(value: object) -> object:
    """Text that a spreadsheet would run gets a ' before it; anything else stays."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with a first row of names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()
