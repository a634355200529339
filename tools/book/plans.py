"""What a course of so many weeks reads and works at: lessons, minutes and exercises, from the lessons themselves."""

import json
from collections.abc import Sequence
from pathlib import Path

import yaml
from notebooks.boxes import BOX, Box

from gmcourse.exercises import EXERCISES
from gmcourse.lab.course import Chapter, Lesson

WEEKS = 10
POINTS = 6  # of a lesson where time is short: half an hour
Course = tuple[Chapter, ...]
Weeks = Sequence[Sequence[Lesson]]


def minutes(lesson: Lesson, chapters: Path) -> dict[str, int]:
    """The minutes of reading and of exercises, from the executed lesson; nothing where it says none."""
    notebook = chapters / f"{lesson.file}.ipynb"
    metadata = json.loads(notebook.read_text("utf-8"))["metadata"] if notebook.exists() else {}
    return metadata.get("gmcourse", {}).get("minutes", {})


def link(lesson: Lesson, text: str = "") -> str:
    """The lesson's title, or another text, linked where the lesson is open."""
    text = text or lesson.title
    return f"[{text}](/{lesson.file}.md)" if lesson.is_open else text


def weeks(course: Course, count: int = WEEKS) -> list[list[Lesson]]:
    """The core path cut into so many weeks, in order, as evenly as it goes."""
    core = [lesson for chapter in course for lesson in chapter.lessons if lesson.core]
    cuts = [round(len(core) * week / count) for week in range(count + 1)]
    return [core[start:end] for start, end in zip(cuts, cuts[1:])]


def short(course: Course, chapters: Path) -> list[list[Lesson]]:
    """The lessons of four weeks, as book.yml names them; ValueError for one that comes before what it needs."""
    lessons = {lesson.number: lesson for chapter in course for lesson in chapter.lessons}
    numbers = yaml.safe_load((chapters.parent / "book.yml").read_text("utf-8"))["four_weeks"]
    seen: set[str] = set()
    for number in (number for week in numbers for number in week):
        if number not in lessons or (missing := set(lessons[number].needs) - seen):
            wanted = f"after {', '.join(sorted(missing))}" if number in lessons else "a lesson of the course"
            raise ValueError(f"four_weeks: got {number}, expected {wanted}")
        seen.add(number)
    return [[lessons[number] for number in week] for week in numbers]


def plan(planned: Weeks, chapters: Path) -> str:
    """The weeks as a table, with the minutes of the lessons that are open and the hours of the week."""
    rows, total = [], 0
    for number, lessons in enumerate(planned, start=1):
        named = [f"    - {_planned(lesson, minutes(lesson, chapters))}\n" for lesson in lessons]
        spent = sum(sum(minutes(lesson, chapters).values()) for lesson in lessons)
        total += spent
        rows.append(f"* - {number}\n  -\n{''.join(named)}  - {_hours(spent)}\n")
    rows.append(f"* -\n  - all weeks together\n  - {_hours(total)}\n")
    head = ":::{list-table}\n:header-rows: 1\n:widths: 10 72 18\n:class: weeks\n\n* - Week\n  - Lessons\n  - Hours\n"
    return f"{head}{''.join(rows)}:::\n"


def _hours(spent: int) -> str:
    return f"{spent / 60:.1f}" if spent else ""


def _planned(lesson: Lesson, time: dict[str, int]) -> str:
    spent = f" [{time['reading']} + {time['exercises']} min]{{.about}}" if time else ""
    tag = "" if lesson.is_open else " [forthcoming]{.tag-forthcoming}"
    return f"{lesson.number} {link(lesson)}{tag}{spent}"


def exercises(lesson: Lesson, chapters: Path) -> dict[str, str]:
    """The ids of a lesson's exercises in their order, each with its title."""
    path = chapters / f"{lesson.file}.md"
    found = map(Box.of, BOX.finditer(path.read_text("utf-8"))) if path.exists() else ()
    return {box.label: box.title for box in found if box.kind == "exercise"}


def chosen(ids: Sequence[str], points: int = POINTS) -> list[str]:
    """Of a lesson's exercises those to keep where time is short: the weightiest first, at most so many points."""
    kept, left = [], points
    for name in sorted(ids, key=lambda name: -EXERCISES[name].points):
        if EXERCISES[name].points <= left:
            kept.append(name)
            left -= EXERCISES[name].points
    return [name for name in ids if name in kept]


def assigned(course: Course, chapters: Path) -> str:
    """The exercises of both paths with their points, by lesson; those of the four weeks are marked."""
    few = {lesson for week in short(course, chapters) for lesson in week}
    lessons = [lesson for chapter in course for lesson in chapter.open_lessons if lesson.core or lesson in few]
    head = ":::{list-table}\n:header-rows: 1\n:widths: 28 72\n:class: weeks\n\n* - Lesson\n  - Exercises and points\n"
    rows = (f"* - {one.number} {link(one)}\n  - {_listed(one, one in few, chapters)}\n" for one in lessons)
    return f"{head}{''.join(rows)}:::\n"


def _listed(lesson: Lesson, marked: bool, chapters: Path) -> str:
    ids = list(exercises(lesson, chapters))
    kept = chosen(ids) if marked else []
    return ", ".join(f"{'● ' if name in kept else ''}`{name}` {EXERCISES[name].points}" for name in ids)


def graded(root: Path) -> str:
    """How long so many submissions took, as benchmarks/grading/batch.py has measured it."""
    row = json.loads((root / "gmcourse" / "results" / "grading" / "batch.json").read_text("utf-8"))["rows"][0]
    handed_in = f"{row['submissions']} submissions of {row['exercises']} exercises"
    return f"{handed_in} took {row['minutes']:.0f} minutes on two cores"
