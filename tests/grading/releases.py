"""What no file that students get may hold, and notebooks filled in, run and read: for the tests of assignments."""

import json
import os
import re
from pathlib import Path

from gmcourse.exercises import EXERCISES
from gmcourse.grading.solutions import BEGIN, END, solved

MARKS = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "passes_hidden", "seed_of", "key.txt", ".reference")


def cells(path):
    """(type, text, metadata) of every cell of a notebook."""
    notebook = json.loads(Path(path).read_text("utf-8"))
    return [(cell["cell_type"], "".join(cell["source"]), cell["metadata"]) for cell in notebook["cells"]]


def solution_lines(task):
    """The lines of a solution that say something, but those that the lesson itself shows the student."""
    body = solved(EXERCISES[task.id], task.stub, task.name).partition(BEGIN)[2].partition(END)[0]
    lines = {line.strip() for line in body.splitlines()}
    said = f"{task.text}\n{task.stub}"
    free = re.compile(r"(import|from) (?!gmcourse)|import torch")  # what anybody imports is no solution
    return {line for line in lines if len(line) >= 12 and line not in said and not free.match(line)}


def leaks(path, tasks, key=""):
    """What a file that students get holds and must not: marks of solutions and hidden tests, their text, the key."""
    text = Path(path).read_text("utf-8")
    found = [mark for mark in MARKS if mark in text]
    found += ["the key"] if key and key in text else []
    code = {line.strip() for kind, source, _ in cells(path) if kind == "code" for line in source.splitlines()}
    prose = "\n".join(source for kind, source, _ in cells(path) if kind == "markdown")
    for task in (task for task in tasks if not task.is_open):
        found += [f"{task.id}: {line}" for line in sorted(solution_lines(task)) if line in code or line in prose]
    return found


def run_cells(path, seen=None, folder=None):
    """Run the code cells of a notebook here, in one namespace; {exercise: the last line of its check's cell}."""
    names, verdicts, here = {"__name__": "__main__"}, {}, Path.cwd()
    os.chdir(folder or here)
    try:
        for kind, text, metadata in cells(path):
            if kind != "code":
                continue
            told = metadata.get("gmcourse", {})
            if told.get("role") == "check" and re.match(r"check\(", text):
                verdicts[told["exercise"]] = eval(text, names).status
            else:
                exec(compile(text, "<cell>", "exec"), names)
    finally:
        os.chdir(here)
    return verdicts
