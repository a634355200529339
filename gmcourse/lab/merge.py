"""A student's copy of a lesson and the lesson of today made one, cell by cell.

A published cell is named by the hash of its text, and JupyterLab keeps the names: a cell that no longer fits its name
is the student's work. No third version is stored, the list of names that the copy was made from is enough.
"""

import copy
import difflib
import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

WIDGETS = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


def digest(cell: Any) -> str:
    """What a published cell is called: twelve hexadecimal digits of the hash of its type and text, on Windows, too."""
    text = cell.source.replace("\r\n", "\n")
    return hashlib.sha256(f"{cell.cell_type}\n{text}".encode()).hexdigest()[:12]


def touched(cell: Any) -> bool:
    """Whether a cell is the student's own, or was changed: its text is not what its name says. Outputs do not count."""
    return cell.id.partition("-")[0] != digest(cell)


def name_cells(notebook: Any) -> Any:
    """`notebook`, each cell named by its text; where cells are alike, the second one is called "…-2"."""
    seen = Counter()
    for cell in notebook.cells:
        name = digest(cell)
        seen[name] += 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def adopt(mine: Any, known: Iterable[str]) -> Any:
    """`mine` with a name for every cell: one of `known` where the text fits it and no other cell bears it already.

    So a cell that was cut and pasted is found again, and so is every cell after an editor that drops the names. Empty
    cells of the student's own, which running the last cell leaves behind, are left out.
    """
    known = set(known)
    mine.cells = [cell for cell in mine.cells if cell.source.strip() or cell.get("id") in known]
    for cell in mine.cells:
        cell.setdefault("id", uuid.uuid4().hex[:8])
    free = known - names(mine)
    for cell in mine.cells:
        fitting = [name for name in free if name.partition("-")[0] == digest(cell)]
        if fitting and (cell.id not in known or touched(cell)):
            cell.id = min(fitting, key=lambda name: (len(name), name))
            free.remove(cell.id)
    mine.nbformat, mine.nbformat_minor = 4, 5
    return mine


def has_dead_explorer(notebook: Any) -> bool:
    """Whether an output shows a widget whose state was not saved: JupyterLab keeps that of the lesson, not of a run."""
    return not set[str]().union(*map(_views, notebook.cells)) <= _states(notebook).keys()


def is_untouched(mine: Any, made_from: Sequence[str]) -> bool:
    """Whether the copy is the lesson that it was made from: every cell, in order, and none besides."""
    return [cell.id for cell in mine.cells] == list(made_from) and not any(map(touched, mine.cells))


def merge(mine: Any, new: Any, made_from: Sequence[str]) -> int:
    """Put the student's cells into their places in `new`; how many of them stand below a changed cell of the lesson.

    What was changed stands for the lesson's cell, or below it where that one changed too; what was added follows the
    cell that it followed; what was deleted stays away; what was moved stays where it was put. Untouched cells are
    today's, with the outputs of the copy. Both notebooks' cells are named (`adopt`, `name_cells`).
    """
    fresh = [cell.id for cell in new.cells if cell.id not in made_from and cell.id not in names(mine)]
    heirs = _heirs(mine, new, made_from, fresh)
    place = {cell.id: number for number, cell in enumerate(new.cells)}
    alive = _states(mine)
    parts: list[tuple[int, list]] = [(-1, [])]
    for cell in mine.cells:
        at = place.get(heirs.get(cell.id, cell.id))
        if at is not None:
            parts.append((at, _together(cell, new.cells[at], alive)))
        elif cell.id not in made_from or touched(cell):
            parts[-1][1].append(cell)
    if _in_order(mine, made_from):
        parts.sort(key=lambda part: part[0])
    placed = {at for at, _ in parts}
    for at in sorted({place[name] for name in fresh} - placed):
        nearest = max((number for number, _ in parts if number < at))
        before = next(k for k, (number, _) in enumerate(parts) if number == nearest)
        parts.insert(before + 1, (at, [new.cells[at]]))
    new.cells = [cell for _, cells in parts for cell in cells]
    if alive:
        state = new.metadata.setdefault("widgets", copy.deepcopy(mine.metadata.widgets))[WIDGETS]["state"]
        state.update({model: value for model, value in alive.items() if model not in state})
    return len(names(new) & heirs.keys())


def names(notebook: Any) -> set[str]:
    """The names of the cells of a notebook."""
    return {cell.id for cell in notebook.cells}


def _heirs(mine: Any, new: Any, made_from: Sequence[str], fresh: list[str]) -> dict[str, str]:
    """For cells of the copy that left the lesson, the new cell that took their place: alike, else next in order."""
    today = {cell.id: cell for cell in new.cells}
    left = {cell.id: cell for cell in mine.cells if cell.id not in today}
    heirs: dict[str, str] = {}
    changes = difflib.SequenceMatcher(None, list(made_from), list(today), autojunk=False).get_opcodes()
    for _, start, stop, first, last in changes:
        for kind in ("markdown", "code", "raw"):
            old = {name: left[name] for name in made_from[start:stop] if name in left}
            now = {name: today[name] for name in list(today)[first:last] if name in fresh}
            heirs |= _paired(*({n: c.source for n, c in cells.items() if c.cell_type == kind} for cells in (old, now)))
    return heirs


def _paired(old: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for name, text in old.items():
        free = {source: key for key, source in now.items() if key not in pairs.values()}
        if alike := difflib.get_close_matches(text, free, n=1):
            pairs[name] = free[alike[0]]
    rest = [name for name in now if name not in pairs.values()]
    return pairs | dict(zip((name for name in old if name not in pairs), rest))


def _together(cell: Any, now: Any, alive: dict) -> list:
    """The student's cell and the lesson's of today, in one place."""
    if cell.id != now.id:
        return [now, cell] if touched(cell) else [now]
    if touched(cell):
        return [cell]
    if cell.cell_type == "code" and _views(cell) <= alive.keys():
        now.outputs, now.execution_count = cell.outputs, cell.execution_count
    return [now]


def _views(cell: Any) -> set[str]:
    return {output.data[VIEW]["model_id"] for output in cell.get("outputs", ()) if VIEW in output.get("data", {})}


def _states(notebook: Any) -> dict:
    """The saved state of the notebook's widgets: an output that shows any other would be dead."""
    return notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})


def _in_order(mine: Any, made_from: Sequence[str]) -> bool:
    """Whether the student has moved none of the lesson's cells."""
    order = {name: number for number, name in enumerate(made_from)}
    kept = [order[cell.id] for cell in mine.cells if cell.id in order]
    return kept == sorted(kept)
