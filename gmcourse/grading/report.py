"""What grading writes: tables, a page of feedback for each student, a summary for the instructor. All text is escaped.

Nothing in these files depends on the day or the time that it took: graded again, they are the same to the byte.
"""

import json
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from gmcourse.exercises.record import COLOURS
from gmcourse.grading.batch import file_name
from gmcourse.grading.marks import joined, read_marks, written
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


def report(results: Sequence[dict[str, Any]], out: Path) -> dict[str, float]:
    """Write grades.csv, gradebook.csv, grades.json, marks.csv, summary.html and feedback/ into `out`.

    Returns the counts of students, points given and points in all. Raises ValueError for marks that are none.
    """
    results = sorted(results, key=lambda result: result["student"])
    marks = joined(results, read_marks(out / "marks.csv"))
    given = [[result["student"], *(row[name] for name in COLUMNS[1:])] for result in results for row in result["rows"]]
    write(out / "grades.csv", table(COLUMNS, given))
    write(out / "gradebook.csv", _gradebook(results, marks))
    plain = [{name: result[name] for name in ("student", "rows", "texts", "amiss")} for result in results]
    write(out / "grades.json", json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    if marks:
        write(out / "marks.csv", written(marks))
    write(out / "summary.html", PAGE.format(title="Summary", body=_summary(results, marks)))
    pages = out / "feedback"
    pages.mkdir(exist_ok=True)
    for result in results:
        own = [row for row in marks if row["student"] == result["student"]]
        title = escape(f"Feedback for {result['student']}")
        page = PAGE.format(title=title, body=_feedback(result, own))
        write(pages / f"{file_name(result['student'])}.html", page)
    points = sum(row["points"] for result in results for row in result["rows"])
    of = sum(row["of"] for result in results for row in result["rows"])
    return {"students": len(results), "points": points, "of": of}


def _number(mark: str) -> float:
    return float(mark) if mark.strip() else 0.0


def _gradebook(results: Sequence[dict[str, Any]], marks: list[dict[str, str]]) -> str:
    """One row a student: the points of each exercise, the marks of open questions, and the sum."""
    exercises = [row["exercise"] for row in results[0]["rows"]] if results else []
    questions = sorted({row["question"] for row in marks})
    entered = {(row["student"], row["question"]): row["mark"] for row in marks}
    rows = []
    for result in results:
        points = {row["exercise"]: row["points"] for row in result["rows"]}
        own = [entered.get((result["student"], question), "") for question in questions]
        total = sum(points.values()) + sum(map(_number, own))
        rows.append([result["student"], f"{total:g}", *(points[id] for id in exercises), *own])
    return table(["student", "total", *exercises, *questions], rows)


def _feedback(result: dict[str, Any], marks: list[dict[str, str]]) -> str:
    rows = result["rows"]
    total, of = (sum(row[name] for row in rows) for name in ("points", "of"))
    parts = [f"<h1>Feedback for {escape(result['student'])}</h1>", f"<p>{total} of {of} points.</p>"]
    parts += [f"<p>{escape(said)}</p>" for said in result["amiss"]]
    for row in rows:
        told = [f"<b>{escape(row['exercise'])}: {row['status']}, {row['points']} of {row['of']}</b>"]
        told += [f"<pre>{name}: {escape(row[key])}</pre>" for name, key in SAID if row[key]]
        told += [f"<p>{escape(row['hint'])}</p>"] if row["hint"] else []
        parts.append(f'<section style="border-color:{COLOURS[row["status"]]}">{"".join(told)}</section>')
    for row in marks:
        mark = escape(row["mark"]) if row["mark"] else "not marked yet"
        told = f"<b>{escape(row['question'])}: {mark}</b><pre>{escape(row['text'])}</pre>"
        parts.append(f"<section>{told}<p>{escape(row['comment'])}</p></section>")
    return "\n".join(parts)


SAID = (("The law", "law"), ("The case", "case"), ("Seen", "observed"), ("Expected", "expected"))


def _summary(results: Sequence[dict[str, Any]], marks: list[dict[str, str]]) -> str:
    """Which exercise, which outcome, which cause, how many; what could not be read; what waits for a mark."""
    parts = [f"<h1>Summary</h1><p>{len(results)} students.</p>"]
    head = (
        "<tr><th>Exercise</th>" + "".join(f'<th class="n">{status}</th>' for status in COLOURS) + "<th>Causes</th></tr>"
    )
    lines = []
    for k, first in enumerate(results[0]["rows"] if results else []):
        rows = [result["rows"][k] for result in results]
        counts = Counter(row["status"] for row in rows)
        causes = Counter(row["cause"] or "no cause named" for row in rows if row["status"] == "wrong").most_common()
        told = ", ".join(f"{escape(cause)} {count}" for cause, count in sorted(causes, key=lambda c: (-c[1], c[0])))
        cells = "".join(f'<td class="n">{counts[status]}</td>' for status in COLOURS)
        lines.append(f"<tr><td>{escape(first['exercise'])}</td>{cells}<td>{told}</td></tr>")
    parts.append(f"<table>{head}{''.join(lines)}</table>")
    waiting = [row for row in marks if not row["mark"].strip() and row["text"]]
    if marks:
        parts.append(f"<p>{len(waiting)} of {len(marks)} open answers wait for a mark in marks.csv.</p>")
    for result in results:
        parts += [f"<p>{escape(result['student'])}: {escape(said)}</p>" for said in result["amiss"]]
    return "\n".join(parts)
