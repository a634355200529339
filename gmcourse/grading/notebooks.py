"""The notebooks of an assignment: the one to hand out, and those that nbgrader makes its own from."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from gmcourse import __version__
from gmcourse.exercises import EXERCISES
from gmcourse.exercises.record import counted
from gmcourse.grading.answers import YOUR_TEXT, safe
from gmcourse.grading.lessons import Task, Told
from gmcourse.grading.prompts import leaned_on, told_again, unanswered, whereabouts
from gmcourse.grading.solutions import solved

STUDENT = 'student = ""  # your name or number, as your instructor knows it'
SETUP = "import math\n\nimport torch\nfrom torch import Tensor\n\nfrom gmcourse.exercises import check, numbers"
PASSES = "from gmcourse.grading import held\n\nheld.passes({called})\n"
HIDDEN = """\
### BEGIN HIDDEN TESTS
from gmcourse.grading import held

held.passes_hidden({called})
### END HIDDEN TESTS"""
OPEN_POINTS = 2
ABOVE = '"Above" in a prompt means in this lesson; code that a prompt names and no cell here imports is there, too.'
OWN_NUMBERS = "The numbers are your own, drawn from the name in the first cell. Run the next cell to see them."
WELCOME = """\
# {name}

{exercises}, {points} in all.{discussion}

1. Put your name or number, as your instructor knows it, between the quotes of the next cell, and run it. It must be the
   same word as the name of the file that you hand in: your numbers are drawn from it. Capitals and blanks around it do
   not count, but ü is not u.
2. In each exercise replace the line that raises `NotImplementedError`, or the dots, and run the cell below it. `check`
   tells you which law your answer breaks, the value it saw, and one question. For more,
   `from gmcourse.exercises import hint` and call `hint("{example}")`, again and again.
3. Each answer is graded by itself: what its function uses, an import or a helper of yours, may stand in any cell.
{open_line}
Hand in this notebook, saved, named as your instructor says.

It needs the course's package, `gmcourse` {version}{source}."""


@dataclass(frozen=True)
class Makings:
    """What every notebook is made from: what the lessons tell, the addresses of the book and of the course's code.

    `nbgrader` says whether nbgrader reads it.
    """

    course: Mapping[str, Told]
    address: str = ""
    repository: str = ""
    nbgrader: bool = False


def notebook(name: str, tasks: Sequence[Task], makings: Makings) -> Any:
    """The notebook that poses `tasks`, lesson by lesson; for nbgrader, with solutions and tests in its cells."""
    cells = [
        new_markdown_cell(_welcome(name, tasks, makings.repository), id="welcome"),
        new_code_cell(STUDENT, id="student"),
        new_code_cell(SETUP, id="setup"),
    ]
    for lesson, group in groupby(tasks, key=lambda task: task.lesson):
        own = list(group)
        head = f"## {lesson.number} {lesson.title}\n\nFrom {whereabouts(lesson, makings.address)} {ABOVE}"
        cells.append(new_markdown_cell(head, id=f"lesson-{safe(lesson.number)}"))
        if needed := imports(own, makings.course[lesson.number]):
            cells.append(new_code_cell("\n".join(needed), id=f"imports-{safe(lesson.number)}"))
        for task in own:
            cells += _open(task, makings) if task.is_open else _exercise(task, makings)
    metadata = {
        "gmcourse": {"assignment": name, "version": __version__},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    made = new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(made)
    return made


def points(task: Task) -> int:
    """What a task is worth; an open question, which has no record, is worth 2."""
    return OPEN_POINTS if task.is_open else EXERCISES[task.id].points


def imports(tasks: Iterable[Task], told: Told) -> list[str]:
    """The lesson's imports that its tasks need: what a prompt names as code, and what a hint counts on.

    Of the course itself only what a prompt names, and never an answer.
    """
    answers = {task.name for task in told.tasks}
    found: dict[str, None] = {}
    for task in (task for task in tasks if not task.is_open):
        record = EXERCISES[task.id]
        asked = f"{task.text}\n{record.variant(0).prompt if record.variant else ''}"
        named = set(re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"`([^`]+)`", asked))))
        hinted = set(re.findall(r"\b([A-Za-z_]\w*)\.", " ".join(record.hints)))
        for name in sorted((named | hinted) & told.imports.keys() - answers):
            statement = told.imports[name]
            if statement not in SETUP and (name in named or "gmcourse" not in statement):
                found[statement] = None
    return list(found)


def _welcome(name: str, tasks: Sequence[Task], repository: str) -> str:
    exercises = [task for task in tasks if not task.is_open]
    questions = len(tasks) - len(exercises)
    said = f"{counted(questions, 'question')} for discussion"
    return WELCOME.format(
        name=name,
        exercises=counted(len(exercises), "exercise"),
        points=counted(sum(map(points, exercises)), "point"),
        discussion=f" And {said}, read by a person." if questions else "",
        example=exercises[0].id if exercises else "vae.gaussian_kl",
        open_line="4. Write what you think of a question for discussion into the cell below it.\n" if questions else "",
        version=__version__,
        source=f", from {repository}" if repository else "",
    )


def _exercise(task: Task, makings: Makings) -> Iterator[Any]:
    """Prompt, the student's own numbers where there are any, answer, check."""
    record, many = EXERCISES[task.id], points(task)
    said = OWN_NUMBERS if record.variant else told_again(unanswered(task.text, task), task.lesson, makings.address)
    worth = f"*{counted(many, 'point')}, `{task.id}`*"
    parts = [f"### {task.title}", said, leaned_on(task, makings.course, makings.address), worth]
    yield _markdown(task, "prompt", "\n\n".join(filter(None, parts)), makings)
    called = f'"{task.id}", {task.name}'
    if record.variant:
        yield _code(task, "prompt", f'numbers("{task.id}", student)', "numbers")
        called += ", student=student"
    if not makings.nbgrader:
        yield _code(task, "answer", task.stub, "answer")
        yield _code(task, "check", f"check({called})", "check")
        return
    yield _marked(_code(task, "answer", solved(record, task.stub, task.name), "answer"), safe(task.id), solution=True)
    yield _code(task, "check", f"check({called})", "check")
    test = _code(task, "check", (PASSES + HIDDEN).format(called=called), "test")
    yield _marked(test, f"{safe(task.id)}-test", grade=True, locked=True, points=many)


def _open(task: Task, makings: Makings) -> Iterator[Any]:
    """The question, and the cell for the text, which a person marks."""
    said = told_again(task.text, task.lesson, makings.address)
    parts = [f"### {task.title}", said, leaned_on(task, makings.course, makings.address)]
    yield _markdown(task, "prompt", "\n\n".join(filter(None, parts)), makings)
    cell = new_markdown_cell(YOUR_TEXT, id=_cell_id(task, "open"), metadata=_metadata(task, "open"))
    yield _marked(cell, safe(task.id), grade=True, solution=True, points=points(task)) if makings.nbgrader else cell


def _markdown(task: Task, role: str, text: str, makings: Makings) -> Any:
    cell = new_markdown_cell(text, id=_cell_id(task, role), metadata=_metadata(task, role))
    return _marked(cell, f"{safe(task.id)}-{role}", locked=True) if makings.nbgrader else cell


def _code(task: Task, role: str, text: str, part: str) -> Any:
    return new_code_cell(text, id=_cell_id(task, part), metadata=_metadata(task, role))


def _metadata(task: Task, role: str) -> dict[str, Any]:
    return {"gmcourse": {"exercise": task.id, "role": role}}


def _cell_id(task: Task, part: str) -> str:
    """At most 64 letters, as notebooks ask."""
    return f"{safe(task.id)[: 63 - len(part)]}-{part}"


def _marked(cell: Any, grade_id: str, **told: Any) -> Any:
    """The cell as nbgrader knows it."""
    plain = {"grade": False, "locked": False, "solution": False, "task": False}
    cell.metadata["nbgrader"] = {**plain, "grade_id": grade_id, "schema_version": 3, **told}
    return cell
