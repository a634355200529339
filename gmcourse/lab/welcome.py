"""The page that the lab opens with: where you are in the course, what comes next, and how your work is kept."""

from collections.abc import Sequence
from pathlib import Path

from gmcourse.lab.course import Chapter, Lesson
from gmcourse.lab.files import write
from gmcourse.lab.progress import Progress, next_lesson, overview

NAME = "welcome.md"

PAGE = """\
<!-- Written by `gmcourse lab`, and anew whenever you save a lesson: what you write here is not kept. -->

# Deep generative models

Welcome. Open a lesson below: predict, run, break it. The notebooks are your own copies, so write in them what you like.

{next}

{total}

## The lessons

{table}

The core path is ten weeks long. A square is an exercise, and a full one is solved.

## When you are stuck

An exercise is a cell for you to fill in. The cell below it checks your answer, and says why it is wrong. For more, run
this in a cell of your own, with the name that the check shows:

```python
from gmcourse.exercises import hint, solution

hint("{example}")  # says more each time you run it
```

`solution("{example}")` shows how the package does it. Try `hint` first.

## How your work is kept

- Your notebooks are saved in this folder alone, `{folder}`. The course itself is not changed by what you do.
- Each start of the lab brings the lessons up to date. What you wrote, added or deleted stays as you left it; a notebook
  that you only ran is replaced by the lesson of today.
- To begin a lesson anew, delete or rename your notebook and start the lab again.
- This page counts an exercise as solved when your saved notebook shows its check as correct. To see what is new, close
  the page and open it again.

{planned}"""


def write_welcome(root: Path, work: Path, course: Sequence[Chapter]) -> None:
    """Write the welcome page into the folder of copies."""
    write(work / NAME, welcome(root, work, course))


def welcome(root: Path, work: Path, course: Sequence[Chapter]) -> str:
    """The welcome page, in Markdown that every editor renders."""
    done = overview(root, work, course)
    return PAGE.format(
        next=_next(next_lesson(course, done), done),
        total=standing(done),
        table=_table(course, done),
        example=next((name for one in done.values() for name in one.names), "vae.gaussian_kl"),
        folder=work.name,
        planned=_planned(course),
    )


def standing(done: dict[str, Progress]) -> str:
    """How far a student is in all open lessons together, in one sentence."""
    solved, exercises = (sum(getattr(one, what) for one in done.values()) for what in ("solved", "exercises"))
    return f"You have solved {solved} of {exercises} exercises in the {len(done)} lessons that are open."


def _next(lesson: Lesson | None, done: dict[str, Progress]) -> str:
    if lesson is None:
        return "**You have solved every exercise of the lessons that are open.**"
    one = done[lesson.file]
    word = "Go on with" if one.solved else "Next"
    times = zip(_minutes(one), ("to read", "for the exercises"))
    time = ", ".join(f"{minutes} {what}" for minutes, what in times if minutes)
    return f"**{word}: {_link(lesson)}**" + (f" ({time})" if time else "")


def _table(course: Sequence[Chapter], done: dict[str, Progress]) -> str:
    """Every open lesson below its chapter's question; the minutes only where some lesson tells them."""
    timed = any(one.reading for one in done.values())
    head = ["lesson", "core path", *(["reading", "exercises"] if timed else []), "solved"]
    rows = [head, [":---"] * len(head)]
    for chapter in (chapter for chapter in course if chapter.open_lessons):
        title = f"**{int(chapter.number)} {chapter.title}**<br>*{chapter.question}*"
        rows += [[title, *[""] * (len(head) - 1)]]
        rows += [_row(lesson, done[lesson.file], timed) for lesson in chapter.open_lessons]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(lesson: Lesson, one: Progress, timed: bool) -> list[str]:
    return [_link(lesson), "●" if lesson.core else "", *(_minutes(one) if timed else []), _squares(one)]


def _link(lesson: Lesson) -> str:
    return f"[{lesson.number} {lesson.title}]({lesson.file}.ipynb)"


def _minutes(one: Progress) -> list[str]:
    return [f"{minutes} min" if minutes else "" for minutes in (one.reading, one.solving)]


def _squares(one: Progress) -> str:
    """The numbers, and a square for each exercise."""
    left = one.exercises - one.solved
    return f"{one.solved} of {one.exercises} {'■' * one.solved}{'□' * left}" if one.exercises else ""


def _planned(course: Sequence[Chapter]) -> str:
    coming = [(chapter, [lesson for lesson in chapter.lessons if not lesson.is_open]) for chapter in course]
    lines = [
        f"- **{int(chapter.number)} {chapter.title}**: {_titles(lessons)}" for chapter, lessons in coming if lessons
    ]
    return "\n".join(["## What is planned", "", *lines, ""]) if lines else ""


def _titles(lessons: Sequence[Lesson]) -> str:
    return ", ".join(f"{lesson.number} {lesson.title}" for lesson in lessons)
