"""A folder of what students handed in: whose each file is, read up to a size. Links are not followed."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from gmcourse.grading.tables import edited

MOST_BYTES = 32 * 2**20
MOST_FILES = 100
NOTHING = "No notebook was handed in."


@dataclass(frozen=True)
class Submission:
    """One student's files, by the place they lie at in the folder; `refused` says which were not read, and why."""

    student: str
    files: tuple[Path, ...]
    refused: tuple[str, ...] = ()


def submissions(
    folder: Path, names: Mapping[str, str] | None = None, skip: Path | None = None
) -> tuple[list[Submission], list[str]]:
    """One for each student, STUDENT.ipynb or all notebooks below STUDENT/; and what lies there and is not read.

    `names` says whose a file or folder of the platform's own naming is; who has none there has handed in nothing.
    `skip` is a folder that is none of a student's. Raises ValueError where there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise ValueError(f"submissions: got {folder}, expected a folder of notebooks, or of one folder a student")
    files: dict[str, list[Path]] = {student: [] for student in (names or {}).values()}
    refused: dict[str, list[str]] = {}
    told = []
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.name.startswith(".") or (skip is not None and Path(entry.path).resolve() == skip.resolve()):
            continue
        if not (_is_notebook(entry.name) or entry.is_dir(follow_symlinks=False)) or not _stem(entry).strip():
            told.append(f"{shown(entry.name)}: neither a notebook nor a folder of notebooks: not read")
            continue
        student = _whose(entry, names or {})
        told += [f"{shown(entry.name)}: not in the table of names"] if names and student not in names.values() else []
        kept, not_kept = _sorted(entry, folder)
        files.setdefault(student, []).extend(kept)
        refused.setdefault(student, []).extend(not_kept)
    if not files:
        raise ValueError(f"submissions: got {folder}, which holds no notebook and no folder, expected one a student")
    return [_submission(student, files[student], refused.get(student, [])) for student in sorted(files)], told


def read_names(path: Path) -> dict[str, str]:
    """File or folder → student, from a table with these two columns. Raises ValueError for another."""
    if not path.is_file():
        raise ValueError(f"names: got {path}, which is not there, expected a table of file,student")
    head, *lines = edited(path, ("file", "student")) or [[]]
    rows = [dict(zip_longest(head, line, fillvalue="")) for line in lines]
    if not rows or not {"file", "student"} <= set(head):
        raise ValueError(f"names: got {path.name} with {head if rows else 'no rows'}, expected file,student")
    if unnamed := [row["file"] for row in rows if not row["student"].strip()]:
        raise ValueError(f"names: got no student for {', '.join(unnamed)}")
    return {row["file"].strip(): row["student"].strip() for row in rows}


def read(submission: Submission) -> list[tuple[str, bytes | str]]:
    """Each file's name with its bytes, or why it cannot be read."""
    found: list[tuple[str, bytes | str]] = []
    left = 2 * MOST_BYTES
    for path in submission.files:
        try:
            data = read_bytes(path)
            left -= len(data)
            found.append((shown(path.name), data if left >= 0 else "more than one student's notebooks may hold"))
        except (OSError, ValueError) as error:
            found.append((shown(path.name), str(error) if isinstance(error, ValueError) else "cannot be read"))
    return found


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


def shown(name: str) -> str:
    """A file's name as text; one that is no UTF-8 gets a digest, so that two stay two."""
    raw = os.fsencode(name)
    text = "".join(c if c.isprintable() else "\ufffd" for c in raw.decode("utf-8", "replace"))
    return text if text == name else f"{text}-{hashlib.sha256(raw).hexdigest()[:8]}"


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb") and not name.startswith(".")


def _stem(entry: os.DirEntry) -> str:
    return entry.name if entry.is_dir(follow_symlinks=False) else entry.name[: -len(".ipynb")]


def _whose(entry: os.DirEntry, names: Mapping[str, str]) -> str:
    return names.get(entry.name) or names.get(_stem(entry)) or shown(_stem(entry))


def _sorted(entry: os.DirEntry, folder: Path) -> tuple[list[Path], list[str]]:
    """The notebooks of one entry, and why others of it are not read."""
    kept: list[Path] = []
    refused: list[str] = []
    for path in _notebooks(entry):
        if path.is_file() and not path.is_symlink() and len(kept) < MOST_FILES:
            kept.append(path)
        else:
            refused.append(f"{shown(str(path.relative_to(folder)))}: a link, or one file too many: not read")
    return kept, refused


def _notebooks(entry: os.DirEntry) -> Iterator[Path]:
    if not entry.is_dir(follow_symlinks=False):
        yield Path(entry.path)
        return
    for here, folders, names in os.walk(entry.path, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here) / name for name in sorted(names) if _is_notebook(name))


def _submission(student: str, files: list[Path], refused: list[str]) -> Submission:
    return Submission(student, tuple(files), tuple(refused or ([] if files else [NOTHING])))
