"""A chapter handed in by so many students, and graded on two cores: right answers, slips and stubs, mixed by chance.

    OMP_NUM_THREADS=1 python -m benchmarks.grading.batch

One answer in six is a stub and one in six a slip: its last value plus a thousandth, or the value of a variant plus one.
The minutes are those of the clock, from the folder to the last page of feedback.
"""

import json
import random
import tempfile
import time
from pathlib import Path

from benchmarks import evidence
from gmcourse.exercises import EXERCISES
from gmcourse.exercises.variants import posed, seed_of
from gmcourse.grading.assignment import make
from gmcourse.grading.grading import run
from gmcourse.grading.solutions import literal, solved
from gmcourse.lab.files import find_course

CHAPTERS = {"gan": 200}
SLIP = """

_right = {name}

def {name}(*given, **named):
    value = _right(*given, **named)
    return value + 0.001 if isinstance(value, (float, torch.Tensor)) else value"""


def answer(id: str, stub: str, student: str, draw: random.Random) -> str:
    """The source of one cell: what this student wrote."""
    exercise, chance = EXERCISES[id], draw.random()
    if chance < 1 / 6:
        return stub
    name = exercise.name
    if exercise.variant is not None:
        exercise = posed(exercise, seed_of(student, id))
    if callable(exercise.reference):
        return solved(exercise, stub, name) + (SLIP.format(name=name) if chance < 1 / 3 else "")
    slip = " + 1" if chance < 1 / 3 and isinstance(exercise.reference, (int, float)) else ""
    return f"{name} = {literal(exercise.reference)}{slip}"


def hand_in(handout: Path, student: str, seed: int) -> str:
    """The notebook of one student, filled in."""
    told, draw = json.loads(handout.read_text("utf-8")), random.Random(f"{student} {seed}")
    for cell in told["cells"]:
        about = cell["metadata"].get("gmcourse", {})
        source = "".join(cell["source"])
        if about.get("role") == "answer":
            source = answer(about["exercise"], source, student, draw)
        elif about.get("role") == "open":
            source = "It depends on what is asked."
        elif source.startswith("student ="):
            source = f'student = "{student}"'
        cell["source"] = source
    return json.dumps(told)


def graded(family: str, submissions: int, seed: int) -> dict:
    """Minutes on the clock for all of them, on two cores."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = make(find_course(), [family], root / "course")
        (root / "in").mkdir()
        for k in range(submissions):
            student = f"s{k:03}"
            (root / "in" / f"{student}.ipynb").write_text(hand_in(made.handout, student, seed), "utf-8")
        start = time.monotonic()
        told = run(root / "in", root / "out", key=made.key, jobs=2)
        minutes = (time.monotonic() - start) / 60
        rows = [
            row for result in json.loads((root / "out" / "grades.json").read_text("utf-8")) for row in result["rows"]
        ]
    shares = {word: sum(row["status"] == word for row in rows) / len(rows) for word in ("correct", "not attempted")}
    return {
        "exercises": made.exercises,
        "minutes": round(minutes, 1),
        "correct": round(shares["correct"], 3),
        "not attempted": round(shares["not attempted"], 3),
        "points": told["points"],
    }


def main() -> None:
    plan = [{"family": family, "submissions": count, "seed": 0} for family, count in CHAPTERS.items()]
    evidence.rows("grading/batch", plan, graded, evidence.parser(__doc__).parse_args())


if __name__ == "__main__":
    main()
