"""What students handed in: their files, the code of their cells with the exercise of each, their open answers.

Nothing is run or imported here, and no code is parsed: a notebook is read as JSON, up to a size, whatever its form.
"""

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_BYTES = 32 * 2**20
MOST_FILES = 100
YOUR_TEXT = "*Your answer here.*"
CHECK = re.compile(r"""\bcheck\(\s*["']([a-z]+\.\w+)["']""")


@dataclass(frozen=True)
class Submission:
    """One student's files, by the place they lie at in the folder; `refused` says which were not read, and why."""

    student: str
    files: tuple[Path, ...]
    refused: tuple[str, ...] = ()


@dataclass
class Content:
    """What the notebooks of one student hold: cells (source, exercise or ""), open answers by id, and what is amiss."""

    cells: list[tuple[str, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    amiss: list[str] = field(default_factory=list)


def safe(id: str) -> str:
    """An id in the letters that nbgrader and files allow: gan.share_at is gan-share_at."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", id)


def submissions(folder: Path) -> list[Submission]:
    """One for each student: STUDENT.ipynb, or all notebooks below STUDENT/. Links are not followed.

    Raises ValueError where there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise ValueError(f"submissions: got {folder}, expected a folder of notebooks, or of one folder a student")
    files: dict[str, list[Path]] = {}
    refused: dict[str, list[str]] = {}
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        student = entry.name if entry.is_dir(follow_symlinks=False) else entry.name.removesuffix(".ipynb")
        if entry.name.startswith(".") or not (entry.name.endswith(".ipynb") or entry.is_dir(follow_symlinks=False)):
            continue
        for path in _notebooks(entry):
            kept = path.is_file() and not path.is_symlink() and len(files.get(student, ())) < MOST_FILES
            said = f"{path.relative_to(folder)}: a link, or one file too many: not read"
            (files if kept else refused).setdefault(student, []).append(path if kept else said)  # type: ignore[arg-type]
        files.setdefault(student, [])
    if not files:
        raise ValueError(f"submissions: got {folder}, which holds no notebook and no folder, expected one a student")
    return [Submission(name, tuple(files[name]), tuple(refused.get(name, ()))) for name in sorted(files)]


def _notebooks(entry: os.DirEntry) -> Iterator[Path]:
    if not entry.is_dir(follow_symlinks=False):
        yield Path(entry.path)
        return
    for here, folders, names in os.walk(entry.path, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here) / name for name in sorted(names) if name.endswith(".ipynb") and name[:1] != ".")


def read_bytes(path: Path) -> bytes:
    """A notebook's bytes. Raises ValueError where it is no plain file, or over 32 MB."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(number, "rb") as file:
        state = os.fstat(number)
        if not stat.S_ISREG(state.st_mode):
            raise ValueError("not a plain file")
        if state.st_size > MOST_BYTES:
            raise ValueError(f"{state.st_size / 2**20:,.0f} MB, at most {MOST_BYTES // 2**20}: clear its outputs")
        return file.read(MOST_BYTES + 1)


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
        found.ids |= ({id} if id else set()) | {name for name in CHECK.findall(source) if name in ids}
        found.cells.append((source.replace("\r\n", "\n"), "" if role in ("prompt", "check") else id))
    elif id.startswith("open.") and role != "prompt":
        if (text := source.strip()) not in ("", YOUR_TEXT):
            found.texts[id] = text[:20_000]
        found.texts.setdefault(id, "")


def _exercise(cell: Mapping[str, Any], ids: Mapping[str, str]) -> tuple[str, str]:
    """The exercise that a cell says it belongs to, by the course's metadata or nbgrader's, and its role there."""
    metadata = cell.get("metadata")
    own, other = ((metadata.get(k) if isinstance(metadata, dict) else None) for k in ("gmcourse", "nbgrader"))
    id, role = (own.get("exercise"), own.get("role")) if isinstance(own, dict) else (None, None)
    if isinstance(id, str) and (id in ids or id.startswith("open.")):
        return id[:200], role if isinstance(role, str) else ""
    grade = other.get("grade_id") if isinstance(other, dict) else None
    return (ids.get(grade, ""), "") if isinstance(grade, str) else ("", "")
