"""Pair and execute the lessons: NN_subject.md is written by hand, NN_subject.ipynb is made of it, plain and executed.

The direction is fixed, .md to .ipynb. A notebook whose code cells are those it was executed with keeps its outputs;
any other is executed anew, and replaces the old one only when every cell has run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from notebooks.minutes import LIMIT
from notebooks.pairing import is_stale, keep_outputs, publish, read
from notebooks.references import References, lessons, name_of, read_references
from notebooks.running import WIDGETS, LessonError, execute, number_widgets

from gmcourse.lab.files import write

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
SECONDS, KILOBYTES, KILOBYTES_WITH_WIDGETS = 60, 400, 1000


def budget(text: str) -> int:
    """The kilobytes that a notebook may take: more where an explorer keeps its frames."""
    return KILOBYTES_WITH_WIDGETS if WIDGETS in text else KILOBYTES


def require_budget(done: str, seconds: float, text: str) -> str:
    """What was done, with the notebook's size; LessonError over 60 CPU seconds or the kilobytes allowed."""
    size = len(text.encode()) / 1000
    if seconds > SECONDS or size > budget(text):
        raise LessonError(f"{done}, {size:.0f} kB: at most {SECONDS} CPU s and {budget(text)} kB")
    return f"{done}, {size:.0f} kB"


def update(path: Path, references: References, *, always: bool = False, check: bool = False) -> tuple[str, float]:
    """Bring one lesson's .ipynb up to its .md: what was done, in words, and the CPU seconds of the kernel.

    LessonError where it is stale and only to be checked, fails, or is over budget.
    """
    target, source = path.with_suffix(".ipynb"), read(path)
    old = target.read_text("utf-8") if target.exists() else ""
    executed = nbformat.reads(old, as_version=4) if old else nbformat.v4.new_notebook()
    stale, seconds = always or is_stale(source, executed), 0.0
    if check and stale:
        raise LessonError("the notebook was not executed with this text's code: run make lessons")
    if stale:
        seconds = execute(source, path.parent)
        source = number_widgets(source, name_of(path))
    else:
        keep_outputs(source, executed)
    published = publish(source, name_of(path), references)
    text = nbformat.writes(published) + "\n"
    if check and text != old:
        raise LessonError("the notebook differs from the text: run make lessons")
    if text != old:
        write(target, text)
    kept = "unchanged" if text == old else "paired, outputs kept"
    done = require_budget(f"executed in {seconds:.1f} CPU s" if stale else kept, seconds, text)
    return done + too_long(published.metadata.gmcourse.minutes.reading), seconds


def too_long(reading: int) -> str:
    """A note for a lesson that takes more than one sitting to read."""
    return f"; {reading} minutes to read, over {LIMIT}: split it at a seam" if reading > LIMIT else ""


def measure(path: Path) -> tuple[str, float]:
    """Execute one lesson and write nothing: its CPU seconds, in words and as a number."""
    notebook = read(path)
    seconds = execute(notebook, path.parent)
    return require_budget(f"{seconds:.1f} CPU s", seconds, nbformat.writes(notebook)), seconds


def main(arguments: list[str] | None = None) -> int:
    """Every lesson, or those named; 1 if any failed, after the others were done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path, help="the lessons' .md files (default: all)")
    parser.add_argument("--all", action="store_true", help="execute what is not stale too")
    parser.add_argument("--check", action="store_true", help="write and execute nothing; fail where it is needed")
    parser.add_argument("--measure", action="store_true", help="execute all, write nothing; CPU seconds of each lesson")
    options = parser.parse_args(arguments)
    failed, total, references = 0, 0.0, read_references(CHAPTERS)
    paths = [path.resolve().with_suffix(".md") for path in options.paths or lessons(CHAPTERS)]
    for path in paths:
        try:
            if not path.exists():
                raise LessonError("no such .md file")
            if options.measure:
                done, seconds = measure(path)
            else:
                done, seconds = update(path, references, always=options.all, check=options.check)
            print(f"{name_of(path):40} {done}", flush=True)
            total += seconds
        except (LessonError, ValueError) as error:
            failed = 1
            print(f"{name_of(path)}: {error}", file=sys.stderr, flush=True)
    if total and len(paths) > 1:
        print(f"{'together':40} {total:.1f} CPU s")
    return failed


if __name__ == "__main__":
    sys.exit(main())
