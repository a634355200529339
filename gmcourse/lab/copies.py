"""The folder of one's own copies: made from chapters/, and brought up to today's lessons without losing an answer."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat.sign import NotebookNotary

from gmcourse.lab.course import Chapter, Lesson
from gmcourse.lab.files import write
from gmcourse.lab.merge import adopt, has_dead_explorer, is_untouched, merge, name_cells, names, touched

STAMP = "work"
State = Literal["new", "refreshed", "kept", "up to date", "left alone"]


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of one copy; `remark` is what the student should know of it."""

    lesson: Lesson
    state: State
    remark: str = ""


def refresh(root: Path, work: Path, course: Sequence[Chapter]) -> list[Done]:
    """Bring the copies in `work` up to the open lessons of the course in `root`: new, refreshed, or merged by cell.

    A copy that nobody changed is replaced, also if it was run. One that cannot be read is left alone, and one whose
    lesson left the course is not looked at. Each copy is written whole or not at all; a second call changes nothing.
    """
    notary = NotebookNotary()
    lessons = (lesson for chapter in course for lesson in chapter.open_lessons)
    files = ((lesson, *(folder / f"{lesson.file}.ipynb" for folder in (root / "chapters", work))) for lesson in lessons)
    return [_refresh(lesson, source, path, notary) for lesson, source, path in files if source.exists()]


def departed(work: Path, course: Sequence[Chapter]) -> list[str]:
    """The copies whose lessons are no longer in the course, by their place under `work`."""
    here = {lesson.file for chapter in course for lesson in chapter.open_lessons}
    found = sorted(path.relative_to(work) for path in work.glob("[0-9][0-9]_*/[0-9][0-9]_*.ipynb"))
    others = (path for path in found if path.with_suffix("").as_posix() not in here)
    return [path.as_posix() for path in others if _lesson(work / path) not in {None, *here}]


def _refresh(lesson: Lesson, source: Path, path: Path, notary: NotebookNotary) -> Done:
    try:
        new = _published(lesson, source.read_text("utf-8"))
        if path.exists():
            return _brought_up(lesson, path, new, notary)
        _write(path, new, notary)
        return Done(lesson=lesson, state="new")
    except Exception as error:  # whatever a file holds, nothing of it may be lost, and the other lessons are looked at
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        remark = f"it, or the course's own file, cannot be read or written ({reason[:120]})"
        return Done(lesson=lesson, state="left alone", remark=remark)


def _brought_up(lesson: Lesson, path: Path, new: Any, notary: NotebookNotary) -> Done:
    """Replace a copy of an older lesson where nobody changed it, else merge; a stranger's outputs stay untrusted.

    A copy of today's is merged, too: so an explorer that was run, and whose kernel is gone, is the lesson's again.
    """
    text = path.read_text("utf-8")
    mine = _read(text)
    is_old, trusted = _stamp(mine).get("sha256") != _stamp(new)["sha256"], notary.check_signature(mine)
    if not is_old and not has_dead_explorer(mine):
        if not trusted and text == _text(new):
            notary.sign(mine)  # it was signed on another machine
        return Done(lesson=lesson, state="up to date")
    made_from = _stamp(mine).get("made_from") or [cell.id for cell in mine.cells if not touched(cell)]
    adopt(mine, {*made_from, *names(new)})
    if "kernelspec" in mine.metadata:
        new.metadata.kernelspec = mine.metadata.kernelspec
    if is_old and is_untouched(mine, made_from):
        _write(path, new, notary)
        return Done(lesson=lesson, state="refreshed")
    doubled = merge(mine, new, made_from)
    if _text(new) != text:
        _write(path, new, notary if trusted else None)
    said = f"changed in {doubled} of your cells, too: there the lesson's stands above yours" if doubled else ""
    return Done(lesson=lesson, state="kept" if is_old else "up to date", remark=said)


def _published(lesson: Lesson, text: str) -> Any:
    """The copy that a published lesson makes, told what it was made from and paired with nothing."""
    new = name_cells(_read(text))
    new.metadata.pop("jupytext", None)
    stamp = {"lesson": lesson.file, "sha256": _sha256(text), "made_from": [cell.id for cell in new.cells]}
    new.metadata["gmcourse"] = {**new.metadata.get("gmcourse", {}), STAMP: stamp}
    return new


def _read(text: str) -> Any:
    """A notebook that is whole; ValueError or ValidationError otherwise, for nothing of it may be lost."""
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    return notebook


def _text(notebook: Any) -> str:
    return nbformat.writes(notebook) + "\n"


def _write(path: Path, notebook: Any, notary: NotebookNotary | None) -> None:
    """Write a copy; signed, its explorers live before a cell is run."""
    nbformat.validate(notebook)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, _text(notebook))
    if notary is not None:
        notary.sign(nbformat.reads(_text(notebook), as_version=4))


def _stamp(notebook: Any) -> dict:
    """What a copy keeps of the lesson that it was made from; empty in any other notebook."""
    return notebook.metadata.get("gmcourse", {}).get(STAMP, {})


def _lesson(path: Path) -> str | None:
    """The lesson that a notebook is a copy of, if it is one."""
    try:
        return _stamp(_read(path.read_text("utf-8"))).get("lesson")
    except Exception:  # as above: it is left alone
        return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
