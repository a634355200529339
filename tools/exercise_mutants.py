"""Give every exercise one-line mutants of its own reference and count which are refused: `make exercise-mutants`.

The reference and what it calls within its family are mutated line by line with the rules of mutations.py; checks of
bad input are left alone. Whole-answer slips come on top: the first row for all rows, parameters swapped, a gradient
cut, the batch averaged; of an answer that is a number, its double, its negative and the like. A mutant that passes is
called the same where it gives the reference's values on inputs near those of the laws, too. Where it does not it is a
survivor: a law is too weak, or the mutant is right in another way and stands, with the reason, in
tools/exercise_mutants_equivalent.txt. What was named of each goes to _build/exercise_mutants.json.
"""

import argparse
import json
import multiprocessing
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from answer_mutants import mutants
from calls import Calls

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = ROOT / "tools" / "exercise_mutants_equivalent.txt"
FOUND = ROOT / "_build" / "exercise_mutants.json"
SECONDS = 10.0


def verdict(exercise: Any, answer: Any) -> tuple[str, str]:
    """("passed" | "refused", the cause that was named, or what else stopped it)."""
    from gmcourse.exercises.guard import OutOfTime, hold
    from gmcourse.laws import LawBroken

    try:
        hold(exercise.laws, answer, SECONDS)
    except LawBroken as broken:
        return "refused", broken.cause
    except OutOfTime:
        return "refused", "out of time"
    except Exception as error:
        return "refused", f"{type(error).__name__}"
    return "passed", ""


def trial(id: str) -> list[dict[str, str]]:
    """Every mutant of one exercise, tried."""
    import torch

    from gmcourse.exercises import EXERCISES

    torch.set_num_threads(1)
    exercise, rows = EXERCISES[id], {}
    calls = Calls(exercise.reference) if callable(exercise.reference) else None
    if verdict(exercise, calls or exercise.reference) != ("passed", ""):
        raise SystemExit(f"{id}: its own reference is refused")
    for mutant in mutants(exercise):
        status, cause = verdict(exercise, mutant.answer)
        if status == "passed" and calls and not calls.tell_apart(mutant.answer):
            status = "the same"
        name = str(mutant)
        rows[name] = {"mutant": name, "exercise": id, "rule": mutant.rule, "status": status, "cause": cause}
    return list(rows.values())


def equivalent() -> dict[str, str]:
    """mutant → why it is a right answer."""
    lines = EQUIVALENT.read_text("utf-8").splitlines() if EQUIVALENT.exists() else []
    entries = [line for line in lines if line and not line.startswith("#")]
    return dict(zip(entries[::2], (reason.strip() for reason in entries[1::2]), strict=True))


def report(rows: list[dict[str, str]], known: dict[str, str]) -> int:
    """A line for each exercise, the survivors and the sums; 1 where fewer than 98 in 100 are refused."""
    print(f"{'exercise':34} mutants  same  right  refused  named  survivors")
    for id in dict.fromkeys(row["exercise"] for row in rows):
        print(f"{id:34} " + _counts([row for row in rows if row["exercise"] == id], known))
    print(f"{'all':34} " + _counts(rows, known))
    survivors = [row for row in rows if row["status"] == "passed" and row["mutant"] not in known]
    print(*(f"survivor ({row['rule']}): {row['mutant']}" for row in survivors), sep="\n")
    idle = {row["mutant"] for row in rows if row["status"] == "passed"}
    asked = {row["exercise"] for row in rows}
    print(
        *(f"called equivalent, and refused or gone: {m}" for m in known if m.split(": ")[0] in asked and m not in idle)
    )
    refused = sum(row["status"] == "refused" for row in rows)
    share = 100 * refused / max(1, refused + len(survivors))
    causes = Counter(row["cause"] or "neutral" for row in rows if row["status"] == "refused")
    print(f"{share:.1f} % of those that differ are refused;", ", ".join(f"{c} {n}" for c, n in causes.most_common()))
    return share < 98


def _counts(rows: list[dict[str, str]], known: dict[str, str]) -> str:
    from gmcourse.exercises.hints import QUESTIONS

    refused = [row for row in rows if row["status"] == "refused"]
    named = [row for row in refused if row["cause"] in QUESTIONS and row["cause"]]
    same = sum(row["status"] == "the same" for row in rows)
    right = sum(row["mutant"] in known and row["status"] == "passed" for row in rows)
    survivors = len(rows) - len(refused) - same - right
    return f"{len(rows):7} {same:5} {right:6} {len(refused):8} {len(named):6} {survivors:10}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", metavar="ID", help="an exercise, or the beginning of several")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    from gmcourse.exercises import EXERCISES

    ids = [id for id in EXERCISES if id.startswith(options.only)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        rows = [row for found in pool.imap(trial, ids) for row in found]
    FOUND.parent.mkdir(exist_ok=True)
    FOUND.write_text(json.dumps(rows, indent=1, ensure_ascii=False), "utf-8")
    return report(rows, equivalent())


if __name__ == "__main__":
    sys.exit(main())
