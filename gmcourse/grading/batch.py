"""A folder of submissions graded: each student apart, in a sandbox, over several processes, resumed where it was."""

import faulthandler
import hashlib
import json
import os
import re
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

import gmcourse
from gmcourse.exercises import EXERCISES, Verdict
from gmcourse.exercises.checking import judge
from gmcourse.exercises.guard import OutOfTime
from gmcourse.exercises.variants import posed, seed_of, spelt
from gmcourse.grading.answers import Content, content
from gmcourse.grading.boundary import Peer
from gmcourse.grading.calling import verdict
from gmcourse.grading.sandbox import Limits, started
from gmcourse.grading.submissions import NOTHING, Submission, read
from gmcourse.grading.wire import Gone, Greedy, Late, Stopped, patience
from gmcourse.lab.files import write

SAID = {
    Late: "Stopped: no answer after {seconds:g} seconds.",
    Greedy: "Stopped: more memory in use than an answer may have.",
    Gone: "The process of the answers ended: it was out of memory or time, or the answer ended it.",
    OutOfTime: "Stopped: no verdict after {seconds:g} seconds.",
}
NO_DATA = "Stopped: what came from the process of the answers is no answer."


@dataclass(frozen=True)
class Rules:
    """How a batch is graded: which exercises and questions, the instructor's key, the sandbox, seconds an exercise.

    `budget` is the seconds that one student's stopped answers may take together; `same` poses the numbers of the
    lessons in place of each student's own.
    """

    exercises: tuple[str, ...]
    questions: tuple[str, ...] = ()
    key: str = ""
    sandbox: str = "bwrap"
    seconds: float = 60.0
    budget: float = 600.0
    same: bool = False
    limits: Limits = Limits()


def version() -> str:
    """A digest of the package's code and of torch's version: what a grade depends on beside the submission."""
    root = Path(gmcourse.__file__).parent
    digest = hashlib.sha256(f"{gmcourse.__version__} {torch.__version__}".encode())
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def grade(
    found: Sequence[Submission], rules: Rules, out: Path, *, jobs: int = 1, fresh: bool = False
) -> Iterator[dict[str, Any]]:
    """The result of each student, as soon as it is there; kept in `out`, and read there the next time."""
    kept, today = out / ".kept", version()
    kept.mkdir(parents=True, exist_ok=True)
    waiting = []
    for submission in found:
        path = kept / f"{file_name(submission.student)}.json"
        raw = read(submission)
        mark = identity(submission, raw, rules, today)
        told = None if fresh else _kept(path, mark)
        if told is not None:
            yield told
        else:
            waiting.append((submission, rules, mark, path))
    yield from _graded(waiting, jobs)


Task = tuple[Submission, Rules, str, Path]


def _graded(waiting: list[Task], jobs: int) -> Iterator[dict[str, Any]]:
    """Over `jobs` processes; one whose submission was under way as a process ended is tried once more, alone."""
    while waiting:
        left: dict[str, Task] = {task[0].student: task for task in waiting}
        for result in _pooled(waiting, jobs):
            left.pop(result["student"])
            yield result
        waiting = list(left.values())
        for task in waiting[: jobs + 1]:  # a pool hands out one more than it has processes
            yield from [*_pooled([task], 1)] or [_given_up(*task)]
        waiting = waiting[jobs + 1 :]


def _pooled(tasks: list[Task], jobs: int) -> Iterator[dict[str, Any]]:
    """The results of a pool of processes, up to the end of one of them."""
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_bounded)
    try:
        futures = {pool.submit(grade_one, *task): task for task in tasks}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                return
            except Exception as error:  # whatever one student's files make of the grader, the others are graded
                yield _given_up(*futures[future], said=f"{type(error).__name__}: {error}")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _bounded() -> None:
    """The laws are handed what students send: no more memory than that takes. Ctrl-C is for the first process."""
    resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _given_up(
    submission: Submission, rules: Rules, mark: str, path: Path, said: str = "Grading this submission ended the grader."
) -> dict[str, Any]:
    rows = [_row(Verdict(id, "could not run", observed=said)) for id in rules.exercises]
    return {"student": submission.student, "identity": mark, "rows": rows, "texts": {}, "amiss": []}


def identity(submission: Submission, raw: list[tuple[str, bytes | str]], rules: Rules, today: str) -> str:
    """A digest of all that the result depends on."""
    digest = hashlib.sha256(repr((submission.student, submission.refused, rules, today)).encode("utf-8", "replace"))
    for name, data in raw:
        digest.update(repr((name, hashlib.sha256(data).digest() if isinstance(data, bytes) else data)).encode())
    return digest.hexdigest()


def _kept(path: Path, mark: str) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        told = json.loads(path.read_text("utf-8"))
        if isinstance(told, dict) and told.get("identity") == mark:
            return told
    return None


def file_name(student: str) -> str:
    """A name for a student's files: small letters and digits; with a digest where that is not how it is written."""
    plain = re.sub(r"[^a-z0-9_-]+", "_", student.lower())[:60]
    if plain == student and plain[:1].isalnum() and not re.search(r"-[0-9a-f]{8}$", plain):
        return plain
    return f"{plain.strip('_-') or 'student'}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"


def grade_one(submission: Submission, rules: Rules, mark: str, path: Path) -> dict[str, Any]:
    """Grade one student, and keep the result at `path`."""
    raw = read(submission)
    held = content([(name, data) for name, data in raw if isinstance(data, bytes)], EXERCISES)
    amiss = [*submission.refused, *(f"{name}: {why}" for name, why in raw if isinstance(why, str)), *held.amiss]
    amiss += _misnamed(submission.student, held, rules)
    rows = [_row(*verdicts) for verdicts in judged(submission.student, held, rules, amiss)]
    texts = {id: _clean(held.texts[id]) for id in rules.questions if id in held.texts}
    result = {"student": submission.student, "identity": mark, "rows": rows, "texts": texts}
    result["amiss"] = [_clean(said) for said in amiss]
    write(path, json.dumps(result, indent=1, sort_keys=True))
    return result


def _misnamed(student: str, held: Content, rules: Rules) -> list[str]:
    """What to say where the notebook asks for another student's numbers than it is graded by."""
    own = any(EXERCISES[id].variant is not None for id in rules.exercises) and not rules.same
    others = sorted({_clean(name)[:100] for name in held.names if spelt(name) != spelt(student)})
    said = f"The first cell says {' and '.join(map(repr, others))}, and this is graded with the numbers of {student!r}."
    return [said] if own and others else []


def judged(student: str, held: Content, rules: Rules, amiss: list[str]) -> Iterator[tuple[Verdict, str]]:
    """A verdict with its cause for each exercise; a process that had to be ended is started again for those left.

    An exercise in which a process is ended, after others in the same process, is given a process of its own: what it
    met may be what another answer left behind.
    """
    if not held.cells:
        status = "not attempted" if amiss in ([], [NOTHING]) else "could not run"
        yield from ((Verdict(id, status, observed="\n".join(amiss)), "") for id in rules.exercises)
        return
    done, spent = 0, 0.0
    while done < len(rules.exercises):
        first, start = done, time.monotonic()
        try:
            with started(rules.sandbox, rules.limits) as peer:
                peer.wait = patience(start + max(rules.seconds, 60), peer.look)
                peer.ask({"do": "begin", "cells": held.cells})
                for id in rules.exercises[done:]:
                    start = time.monotonic()
                    yield _judged(peer, student, id, rules)
                    done += 1
            return
        except (Stopped, OutOfTime) as stopped:
            spent += time.monotonic() - start
            if done == first:
                said = SAID.get(type(stopped), NO_DATA).format(seconds=rules.seconds)
                yield Verdict(rules.exercises[done], "could not run", observed=said), ""
                done += 1
        if spent > rules.budget:
            said = "Not run: answers of this notebook had to be stopped too often."
            yield from ((Verdict(id, "could not run", observed=said), "") for id in rules.exercises[done:])
            return


def _judged(peer: Peer, student: str, id: str, rules: Rules) -> tuple[Verdict, str]:
    """The verdict by what the notebook shows; where that is right, by the points that the key draws.

    Where the reference itself does not pass at those, what was seen at the open ones counts.
    """
    peer.wait = patience(time.monotonic() + rules.seconds, peer.look)
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(4 * rules.seconds + 30, exit=True, file=nowhere)  # a law that hangs in C
        try:
            return _held_to(peer, student, id, rules)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _held_to(peer: Peer, student: str, id: str, rules: Rules) -> tuple[Verdict, str]:
    exercise = EXERCISES[id]
    own = exercise.variant is not None and not rules.same
    shown = posed(exercise, seed_of(student, id)) if own else exercise
    begin = {"exercise": id, "name": exercise.name}
    found = verdict(peer, shown, begin, rules.seconds)
    if found[0].status != "correct" or exercise.variant is not None or not rules.key:
        return found
    hidden = posed(exercise, seed_of(student, id, rules.key))
    if hidden is exercise:
        return found
    drawn = verdict(peer, hidden, begin, rules.seconds)
    fair = drawn[0].status == "correct" or judge(hidden, hidden.reference).status == "correct"
    return drawn if fair else found


def _row(verdict: Verdict, cause: str = "") -> dict[str, Any]:
    told = {"law": verdict.law, "case": verdict.case, "observed": verdict.observed, "expected": verdict.expected}
    return {
        "exercise": verdict.id,
        "status": verdict.status,
        "points": verdict.points,
        "of": EXERCISES[verdict.id].points,
        "cause": cause,
        **{name: _clean(text) for name, text in told.items()},
        "hint": verdict.hint,
    }


def _clean(text: str) -> str:
    """Text as it may stand in a file: no addresses of memory, which differ from run to run, no control characters."""
    text = re.sub(r"\b0x[0-9a-fA-F]{6,}\b", "0x…", text[:20_000]).encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
