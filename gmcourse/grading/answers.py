"""What a notebook holds: the code of its cells with the exercise of each, its open answers, the name in its first cell.

Nothing is run or imported here, and no code is parsed: a notebook is read as JSON, up to a size, whatever its form.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_QUESTIONS = 50
OPEN = re.compile(r"open\.\d\d_[a-z_]+/\d\d_[a-z_]+(\.\d)?")
NAME = re.compile(r"""^student *= *(["'])(.*)\1""", re.M)
YOUR_TEXT = "*Your answer here.*"
CHECK = re.compile(r"""\bcheck\(\s*["']([a-z]+\.\w+)["']""")


@dataclass
class Content:
    """What the notebooks of one student hold: cells (source, exercise or ""), open answers by id, and what is amiss.

    `names` are those that `student` is set to.
    """

    cells: list[tuple[str, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    amiss: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def safe(id: str) -> str:
    """An id in the letters that nbgrader and files allow: gan.share_at is gan-share_at."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", id)


def content(notebooks: Iterable[tuple[str, bytes]], known: Iterable[str]) -> Content:
    """What notebooks (name, bytes) hold, in order. `known` are the ids that a cell may carry."""
    found, ids = Content(), {id: id for id in known}
    ids |= {safe(id): id for id in ids.values()}
    for name, raw in notebooks:
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError, MemoryError):
            found.amiss.append(f"{name}: not a notebook: its JSON cannot be read")
            continue
        cells = list(_cells(told))
        if not cells:
            found.amiss.append(f"{name}: a notebook without cells")
        for cell in cells:
            _read(cell, ids, found)
    return found


def _cells(told: Any) -> Iterator[Mapping[str, Any]]:
    """The cells of a notebook of today's form, or of the older one with worksheets."""
    if isinstance(told, dict):
        sheets = told.get("worksheets")
        for holder in (told, *(sheets if isinstance(sheets, list) else ())):
            cells = holder.get("cells") if isinstance(holder, dict) else None
            yield from (cell for cell in (cells if isinstance(cells, list) else ()) if isinstance(cell, dict))


def _read(cell: Mapping[str, Any], ids: Mapping[str, str], found: Content) -> None:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return
    id, role = _exercise(cell, ids)
    if cell.get("cell_type") == "code":
        found.names += [name for _, name in NAME.findall(source)]
        found.ids |= ({id} if id else set()) | {name for name in CHECK.findall(source) if name in ids}
        found.cells.append((source.replace("\r\n", "\n"), "" if role in ("prompt", "check") else id))
    elif id.startswith("open.") and role != "prompt" and (id in found.texts or len(found.texts) < MOST_QUESTIONS):
        if (text := source.strip()) not in ("", YOUR_TEXT):
            found.texts[id] = text[:20_000]
        found.texts.setdefault(id, "")


def _exercise(cell: Mapping[str, Any], ids: Mapping[str, str]) -> tuple[str, str]:
    """The exercise that a cell says it belongs to, by the course's metadata or nbgrader's, and its role there."""
    metadata = cell.get("metadata")
    own, other = ((metadata.get(k) if isinstance(metadata, dict) else None) for k in ("gmcourse", "nbgrader"))
    id, role = (own.get("exercise"), own.get("role")) if isinstance(own, dict) else (None, None)
    if isinstance(id, str) and (id in ids or OPEN.fullmatch(id)):
        return id, role if isinstance(role, str) else ""
    grade = other.get("grade_id") if isinstance(other, dict) else None
    return (ids.get(grade, ""), "") if isinstance(grade, str) else ("", "")
