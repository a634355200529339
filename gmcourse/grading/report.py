"""What grading writes: tables, a page of feedback for each student, a summary for the instructor. All text is escaped.

Nothing in these files depends on the day or the time that it took: graded again, they are the same to the byte.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from gmcourse.exercises.record import COLOURS, counted, with_code
from gmcourse.grading.batch import file_name
from gmcourse.grading.marks import Marks, Row, joined, number, read_marks, written
from gmcourse.grading.tables import table
from gmcourse.lab.files import write

COLUMNS = ("student", "exercise", "status", "points", "of", "cause", "law", "case", "observed", "expected", "hint")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 52em; margin: 2em auto; padding: 0 1em; }}
body {{ color: #1a202c; background: #fff; }}
section {{ border-left: 4px solid #718096; padding: .2em .8em; margin: 1em 0; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .2em 0; }}
table {{ border-collapse: collapse; }}
td, th {{ padding: .2em .8em; border-bottom: 1px solid #cbd5e0; text-align: left; }}
td.n, th.n {{ text-align: right; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def report(
    results: Sequence[dict[str, Any]], out: Path, marks: Marks | None = None, *, told: Sequence[str] = ()
) -> dict[str, float]:
    """Write grades.csv, gradebook.csv, grades.json, marks.csv, summary.html and feedback/ into `out`.

    `marks` are those of `read_marks`, by default read from `out`; `told` is for the instructor, at the head of the
    summary. Pages of students who are gone are removed from feedback/. Returns the counts of students, points given
    and points in all. Raises ValueError as `read_marks` does.
    """
    results = sorted(map(_named, results), key=lambda result: result["student"])
    here, gone = joined(results, read_marks(out / "marks.csv") if marks is None else marks)
    given = [[result["student"], *(row[name] for name in COLUMNS[1:])] for result in results for row in result["rows"]]
    write(out / "grades.csv", table(COLUMNS, given))
    write(out / "gradebook.csv", _gradebook(results, here))
    plain = [{name: result[name] for name in ("student", "rows", "texts", "amiss")} for result in results]
    write(out / "grades.json", json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    if here or gone:
        write(out / "marks.csv", written([*here, *gone]))
    pages = {f"{file_name(result['student'])}.html": result for result in results}
    _write_feedback(out / "feedback", pages, here)
    body = _summary(results, here, gone, told)
    write(out / "summary.html", PAGE.format(title="Summary", body=body))
    return {"students": len(results), **{name: _sum(results, name) for name in ("points", "of")}}


def _named(result: dict[str, Any]) -> dict[str, Any]:
    """The result, under a name that can stand in a file: bytes of the name that are no text are spelled out."""
    return result | {"student": result["student"].encode("utf-8", "backslashreplace").decode()}


def _write_feedback(folder: Path, pages: Mapping[str, dict[str, Any]], marks: Sequence[Row]) -> None:
    folder.mkdir(exist_ok=True)
    for name, result in pages.items():
        title = escape(f"Feedback for {result['student']}")
        write(folder / name, PAGE.format(title=title, body=_feedback(result, _own(result, marks))))
    for path in folder.glob("*.html"):
        if path.name not in pages and not path.is_dir():
            path.unlink()


def _own(result: dict[str, Any], marks: Sequence[Row]) -> list[Row]:
    return [row for row in marks if row["student"] == result["student"]]


def _sum(results: Iterable[dict[str, Any]], name: str) -> float:
    return sum(row[name] for result in results for row in result["rows"])


def _marked(marks: Iterable[Row]) -> float:
    return sum(float(row["mark"] or 0) for row in marks)


def _waiting(marks: Iterable[Row]) -> list[Row]:
    """The answers that a person has still to mark: those with a text."""
    return [row for row in marks if row["text"] and not row["mark"]]


def _gradebook(results: Sequence[dict[str, Any]], marks: Sequence[Row]) -> str:
    """One row a student: the points of each exercise, the marks of open questions, and the sum."""
    exercises = [row["exercise"] for row in results[0]["rows"]] if results else []
    questions = sorted({row["question"] for row in marks})
    rows = []
    for result in results:
        points = {row["exercise"]: row["points"] for row in result["rows"]}
        own = {row["question"]: row["mark"] for row in _own(result, marks)}
        total = number(_sum([result], "points") + _marked(_own(result, marks)))
        each = [*(points[id] for id in exercises), *(own.get(question, "") for question in questions)]
        rows.append([result["student"], total, *each])
    return table(["student", "total", *exercises, *questions], rows)


def _feedback(result: dict[str, Any], marks: Sequence[Row]) -> str:
    parts = [f"<h1>Feedback for {escape(result['student'])}</h1>", f"<p>{_total(result, marks)}.</p>"]
    parts += [f"<p>{escape(said)}</p>" for said in result["amiss"]]
    for row in result["rows"]:
        told = [f"<b>{escape(row['exercise'])}: {row['status']}, {row['points']} of {row['of']}</b>"]
        told += [f"<pre>{name}: {with_code(row[key])}</pre>" for name, key in SAID if row[key]]
        told += [f"<p>{with_code(row['hint'])}</p>"] if row["hint"] else []
        parts.append(f'<section style="border-color:{COLOURS[row["status"]]}">{"".join(told)}</section>')
    for row in marks:
        mark = row["mark"] or ("not marked yet" if row["text"] else "not answered")
        told = [f"<b>{escape(row['question'])}: {mark}</b>"]
        told += [f"<pre>{escape(row[name])}</pre>" for name in ("text", "comment") if row[name]]
        parts.append(f"<section>{''.join(told)}</section>")
    return "\n".join(parts)


SAID = (("The law", "law"), ("The case", "case"), ("Seen", "observed"), ("Expected", "expected"))


def _total(result: dict[str, Any], marks: Sequence[Row]) -> str:
    """The points, and what the gradebook adds to them."""
    told = f"{_sum([result], 'points')} of {counted(_sum([result], 'of'), 'point')}"
    if any(row["mark"] for row in marks):
        told += f", and {number(_marked(marks))} for the open questions"
    if waiting := len(_waiting(marks)):
        told += f"; {counted(waiting, 'open question')} {'is' if waiting == 1 else 'are'} not marked yet"
    return told


def _summary(results: Sequence[dict[str, Any]], marks: Sequence[Row], gone: Sequence[Row], told: Sequence[str]) -> str:
    """What the instructor is told; which exercise, which outcome, which cause, how many; who; what waits for a mark."""
    parts = [f"<p>{escape(said)}</p>" for said in told]
    parts += [f"<p>{counted(len(results), 'student')}.</p>", _exercises(results)]
    parts += [f"<p>{escape(said)}</p>" for said in _of_marks(marks, gone)]
    parts.append(_students(results, marks))
    for result in results:
        parts += [f"<p>{escape(result['student'])}: {escape(said)}</p>" for said in result["amiss"]]
    return "\n".join(["<h1>Summary</h1>", *parts])


def _exercises(results: Sequence[dict[str, Any]]) -> str:
    lines = [_row("th", ["Exercise", *COLOURS, "Mean points", "Causes"], len(COLOURS) + 1)]
    for k, first in enumerate(results[0]["rows"] if results else []):
        rows = [result["rows"][k] for result in results]
        counts = Counter(row["status"] for row in rows)
        causes = Counter(row["cause"] or "no cause named" for row in rows if row["status"] == "wrong").most_common()
        told = ", ".join(f"{cause} {count}" for cause, count in sorted(causes, key=lambda c: (-c[1], c[0])))
        mean = f"{round(sum(row['points'] for row in rows) / len(rows), 2):g} of {first['of']}"
        cells = [first["exercise"], *(str(counts[status]) for status in COLOURS), mean, told]
        lines.append(_row("td", map(escape, cells), len(COLOURS) + 1))
    return f"<table>{''.join(lines)}</table>"


def _students(results: Sequence[dict[str, Any]], marks: Sequence[Row]) -> str:
    """Each student's points and marks, and the way to her page."""
    lines = [_row("th", ["Student", "Points", "Of", "Open marks"], 3)]
    for result in results:
        own = _own(result, marks)
        link = f'<a href="feedback/{escape(file_name(result["student"]))}.html">{escape(result["student"])}</a>'
        entered = [number(_marked(own))] if any(row["mark"] for row in own) else []
        entered += [f"{len(_waiting(own))} not marked yet"] if _waiting(own) else []
        points = [str(_sum([result], name)) for name in ("points", "of")]
        lines.append(_row("td", [link, *points, ", ".join(entered)], 3))
    return f"<table>{''.join(lines)}</table>"


def _row(tag: str, cells: Iterable[str], numbers: int) -> str:
    """A row of a table, of HTML; the cells after the first, as many as `numbers`, stand to the right."""
    right = range(1, numbers + 1)
    return f"<tr>{''.join(f'<{tag}{RIGHT if k in right else str()}>{c}</{tag}>' for k, c in enumerate(cells))}</tr>"


RIGHT = ' class="n"'


def _of_marks(marks: Sequence[Row], gone: Sequence[Row]) -> Iterator[str]:
    """What waits for a mark, what changed after it was marked, and which marks belong to nothing."""
    waiting, answers = len(_waiting(marks)), sum(1 for row in marks if row["text"])
    if answers:
        verb = "waits" if waiting == 1 else "wait"
        yield f"{waiting} of {counted(answers, 'open answer')} {verb} for a mark in marks.csv."
    if changed := [row for row in marks if row["changed"].strip()]:
        yield f"{counted(len(changed), 'open answer')} changed after the mark was entered: {_listed(changed)}"
    if lost := [row for row in gone if row["mark"] or row["comment"]]:
        verb = "belongs" if len(lost) == 1 else "belong"
        yield f"{counted(len(lost), 'mark')} {verb} to no answer of these submissions: {_listed(lost)}"


def _listed(rows: Iterable[Row]) -> str:
    return "; ".join(f"{row['student']}, {row['question']}" for row in rows)
