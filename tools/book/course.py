"""A Sphinx extension for the pages that tell what the course holds, computed when they are built.

`<!-- course: map -->` stands for every lesson by chapter, `<!-- course: weeks -->` for the plan of the core path,
`short` for that of four weeks, `assigned` for the exercises of both, `exercises` and `points` for the sums of all,
`graded` for what a batch of submissions took,
`<!-- course: lessons -->`, `core` and `open` for their counts, `<!-- course: first -->` for the first open lesson of
the core path. In a chapter's index, `<!-- lessons -->` stands for the map of its lessons and `<!-- models -->` for the
table of its models. A lesson is linked where its text is there, and named where it is forthcoming.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from book.models import models_of
from book.plans import Course, assigned, graded, link, minutes, plan, short, weeks
from gmcourse.exercises import EXERCISES
from gmcourse.lab.course import Chapter, Lesson, read_course

MARK = re.compile(r"<!-- (course: \w+|lessons|models) -->")
CORE = "[●]{.core-mark}[core path]{.visually-hidden}"


def course_map(course: Course) -> str:
    """Every lesson in the column of its chapter: number, title, core path, what it needs outside its chapter."""
    return f"::::::{{div}} course-map\n{''.join(_column(chapter, course) for chapter in course)}::::::\n"


def _column(chapter: Chapter, course: Course) -> str:
    title = f"[{chapter.title}](/{chapter.folder}/index.md)" if chapter.open_lessons else chapter.title
    rows = [_cell(lesson, course) for lesson in chapter.lessons]
    return f":::::{{div}} chapter\n[{chapter.number}]{{.number}} {title}\n\n{''.join(rows)}:::::\n"


def _cell(lesson: Lesson, course: Course) -> str:
    elsewhere = [number for number in lesson.needs if number.partition(".")[0] != lesson.number.partition(".")[0]]
    needs = f" [needs {_needed(elsewhere, course)}]{{.needs}}" if elsewhere else ""
    core = f"{CORE} " if lesson.core else ""
    kind = "is-open" if lesson.is_open else "is-forthcoming"
    return f"- [{core}[{lesson.number}]{{.number}} {link(lesson)}{needs}]{{.{kind}}}\n"


def _needed(numbers: Sequence[str], course: Course, told: bool = False) -> str:
    """Lessons by number, linked where they are open; `told` says of the others that they are forthcoming."""
    lessons = {lesson.number: lesson for chapter in course for lesson in chapter.lessons}
    later = " (forthcoming)" if told else ""
    return ", ".join(link(lessons[number], number) + ("" if lessons[number].is_open else later) for number in numbers)


def lessons_of(chapter: Chapter, course: Course, chapters: Path) -> str:
    """The map of one chapter: each lesson with its question, its minutes and what comes before it."""
    rows = []
    for lesson in chapter.lessons:
        about = _about(lesson, minutes(lesson, chapters), course)
        core = f" {CORE}" if lesson.core else ""
        asked = f"\n  {question(lesson, chapters)}\n" if lesson.is_open else ""
        kind = "is-open" if lesson.is_open else "is-forthcoming"
        title = f"[[{lesson.number}]{{.number}} {link(lesson)}{core}]{{.{kind} .title}}"
        rows.append(f"- {title}\n{asked}\n  [{about}]{{.about}}\n\n")
    count = f"{len(chapter.open_lessons)} of {len(chapter.lessons)} lessons are open. [●]{{.core-mark}} marks the "
    return f"{count}[core path](/instructors.md).\n\n::::{{div}} lesson-map\n{''.join(rows)}::::\n"


def _about(lesson: Lesson, time: dict[str, int], course: Course) -> str:
    parts = [] if lesson.is_open else ["forthcoming"]
    if time:
        work = f", {time['exercises']} of exercises" if time["exercises"] else ""
        parts.append(f"{time['reading']} minutes of reading{work}")
    if lesson.needs:
        parts.append(f"needs {_needed(lesson.needs, course, told=lesson.is_open)}")
    return " · ".join(parts) or "needs nothing before it"


def question(lesson: Lesson, chapters: Path) -> str:
    """What an open lesson asks: the first words that stand in bold in it, if they end in a question mark."""
    text = (chapters / f"{lesson.file}.md").read_text("utf-8").partition("\n# ")[2]
    bold = re.search(r"\*\*(.+?)\*\*", text, re.S)
    return " ".join(bold[1].split()) if bold and bold[1].endswith("?") else ""


def told(mark: str, docname: str, course: Course, chapters: Path) -> str:
    """What stands in the place of one mark of a page."""
    lessons = [lesson for chapter in course for lesson in chapter.lessons]
    if mark in ("lessons", "models"):
        chapter = next(chapter for chapter in course if docname == f"{chapter.folder}/index")
        return lessons_of(chapter, course, chapters) if mark == "lessons" else models_of(chapter.folder[3:], lessons)
    return {
        "map": lambda: course_map(course),
        "weeks": lambda: plan(weeks(course), chapters),
        "short": lambda: plan(short(course, chapters), chapters),
        "assigned": lambda: assigned(course, chapters),
        "graded": lambda: graded(chapters.parent),
        "exercises": lambda: str(len(EXERCISES)),
        "points": lambda: str(sum(exercise.points for exercise in EXERCISES.values())),
        "lessons": lambda: str(len(lessons)),
        "core": lambda: str(sum(lesson.core for lesson in lessons)),
        "open": lambda: str(sum(lesson.is_open for lesson in lessons)),
        "first": lambda: min((lesson for lesson in lessons if lesson.is_open), key=lambda lesson: not lesson.core).file,
    }[mark.partition(": ")[2]]()


def expand_course(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put what the course holds in the place of each mark of a page."""
    chapters = Path(app.srcdir)
    if MARK.search(source[0]):
        course = read_course(chapters.parent)
        source[0] = MARK.sub(lambda mark: told(mark[1], docname, course, chapters), source[0])


def always_anew(app: Sphinx, env: BuildEnvironment, added: set, changed: set, removed: set) -> list[str]:
    """The pages with marks, which change when a lesson does."""
    return [name for name in env.found_docs if MARK.search(Path(env.doc2path(name)).read_text("utf-8"))]


def setup(app: Sphinx) -> dict:
    """Connect them all to Sphinx."""
    app.connect("source-read", expand_course)
    app.connect("env-get-outdated", always_anew)
    return {"parallel_read_safe": True}
