"""What grading writes, from results made by hand: marks that are kept, pages, the summary, tables without formulas."""

import csv
import html
import io
import random

import pytest

from gmcourse.grading.marks import read_marks
from gmcourse.grading.report import report
from gmcourse.grading.tables import bare, cell, table

WHY, HOW = "open.vae.why", "open.vae.how"
RIGHT = {"status": "correct", "points": 2, "of": 2, "cause": "", "law": "", "case": ""}
RIGHT |= {"observed": "", "expected": "", "hint": ""}
WRONG = RIGHT | {"status": "wrong", "points": 0, "cause": "sign", "law": "`kl` < 0?", "case": "`mean` = 0"}
WRONG |= {"observed": "`a<b`", "expected": "`1`", "hint": "What does `log_std` hold?"}


def result(student, texts=(), **rows):
    rows = rows or {"kl": RIGHT}
    rows = [{"exercise": f"vae.{name}"} | row for name, row in rows.items()]
    return {"student": student, "identity": "", "rows": rows, "texts": dict(texts), "amiss": []}


def enter(out, mark, of=("ada", WHY), comment="", separator=",", encoding="utf-8-sig", ends="\r\n", **more):
    """What a spreadsheet saves after an entry in the row of a student and a question, as it is shown there."""
    rows = cells(out / "marks.csv")
    for row in rows:
        if (row["student"], row["question"]) == of:
            row |= {"mark": mark, "comment": comment}
    columns = list(rows[0] | more)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=separator, lineterminator=ends)
    writer.writeheader()
    writer.writerows(row | more for row in rows)
    (out / "marks.csv").write_bytes(text.getvalue().encode(encoding))


def cells(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def page(out, name):
    return (out / "feedback" / name).read_text("utf-8")


def summary(out):
    return (out / "summary.html").read_text("utf-8")


def files(out):
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


# Marks


@pytest.mark.parametrize("student", ["-ada", "=ada", "'-ada", "@ada", "ada", "'ada", "a\rb", "a;b", 'a"b'])
def test_a_mark_reaches_the_student_whatever_her_name(student, tmp_path):
    results = [result(student, {WHY: "- because"}), result("zoe")]
    report(results, tmp_path)
    enter(tmp_path, "3", of=(str(cell(student)), WHY))
    report(results, tmp_path)
    row = next(row for row in cells(tmp_path / "gradebook.csv") if bare(row["student"]) == student)
    assert (row["total"], row[WHY]) == ("5", "3")
    told = next(
        path.read_text("utf-8") for path in (tmp_path / "feedback").iterdir() if "because" in path.read_text("utf-8")
    )
    assert "<pre>- because</pre>" in told
    assert f"{WHY}: 3<" in told
    assert "belong" not in summary(tmp_path)
    assert "changed after" not in summary(tmp_path)


@pytest.mark.parametrize("text", ["=1", "'=1", "''-1", "'", "''", "'a", "", "a", "\t", "'\r", "1=2"])
def test_the_guard_is_undone(text):
    assert bare(str(cell(text))) == text
    assert str(cell(text))[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_no_cell_ends_its_row_early():
    assert table(["a"], [["x\r=1"]]) == 'a\n"x\r=1"\n'


@pytest.mark.parametrize(
    ("entered", "kept"),
    [("+1", "1"), ("-0", "0"), ("2,5", "2.5"), (" 2.50 ", "2.5"), ("'+1", "1"), ("", ""), (".5", "0.5")],
)
def test_a_mark_is_kept_as_a_plain_number(entered, kept, tmp_path):
    results = [result("ada", {WHY: "so"})]
    report(results, tmp_path)
    enter(tmp_path, entered)
    for _ in range(3):
        report(results, tmp_path)
        assert cells(tmp_path / "marks.csv")[0]["mark"] == kept
    assert cells(tmp_path / "gradebook.csv")[0] == {
        "student": "ada",
        "total": f"{2 + float(kept or 0):g}",
        "vae.kl": "2",
        WHY: kept,
    }


@pytest.mark.parametrize("entered", ["-1", "three", "nan", "inf", "1e999", "1_0", "1.000,5"])
def test_what_is_no_mark_is_refused(entered, tmp_path):
    report([result("ada", {WHY: "so"})], tmp_path)
    enter(tmp_path, entered)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=r"marks\.csv: got the mark .* of ada, open\.vae\.why"):
        report([result("ada", {WHY: "so"})], tmp_path)
    assert files(tmp_path) == before


def test_a_comment_gains_nothing_from_run_to_run(tmp_path):
    results = [result("ada", {WHY: "so"})]
    report(results, tmp_path)
    enter(tmp_path, "1", comment="- good")
    report(results, tmp_path)
    before = files(tmp_path)
    report(results, tmp_path)
    assert files(tmp_path) == before
    assert read_marks(tmp_path / "marks.csv")["ada", WHY]["comment"] == "- good"
    assert "<pre>- good</pre>" in page(tmp_path, "ada.html")


def test_added_columns_are_kept(tmp_path):
    results = [result("ada", {WHY: "so"}), result("bob", {WHY: "for"})]
    report(results, tmp_path)
    enter(tmp_path, "", tutor="=Grace")
    report(results, tmp_path)
    report([result("ada", {WHY: "other"})], tmp_path)
    rows = cells(tmp_path / "marks.csv")
    assert [(row["student"], row["tutor"]) for row in rows] == [("ada", "'=Grace"), ("bob", "'=Grace")]
    assert "belong" not in summary(tmp_path)


def test_a_column_without_a_name_is_kept(tmp_path):
    report([result("ada", {WHY: "so"})], tmp_path)
    path = tmp_path / "marks.csv"
    path.write_text(f"student,question,mark,comment,changed,text,,,\r\nada,{WHY},1,,,so,,see me,\r\n,,,,,,,,\r\n")
    report([result("ada", {WHY: "so"})], tmp_path)
    assert cells(path)[0]["column 8"] == "see me"
    assert len(cells(path)[0]) == 7


# Files as spreadsheets save them


def test_excel_is_told_that_marks_are_utf8(tmp_path):
    report([result("Zoë", {WHY: "weiß"})], tmp_path)
    assert (tmp_path / "marks.csv").read_bytes().startswith(b"\xef\xbb\xbfstudent,")
    assert not (tmp_path / "gradebook.csv").read_bytes().startswith(b"\xef")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_what_a_spreadsheet_saves_is_read(encoding, separator, ends, tmp_path):
    results = [result("Zoë", {WHY: 'one;\n"two", ,"x"y'})]
    report(results, tmp_path)
    enter(tmp_path, "2,5", ("Zoë", WHY), "gut; schön", separator, encoding, ends)
    report(results, tmp_path)
    row = read_marks(tmp_path / "marks.csv")["Zoë", WHY]
    assert (row["mark"], row["comment"], row["changed"]) == ("2.5", "gut; schön", "")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_is_refused(encoding, tmp_path):
    report([result("Zoë", {WHY: "so"})], tmp_path)
    enter(tmp_path, "2", ("Zoë", WHY), encoding=encoding)
    with pytest.raises(ValueError, match=r"marks\.csv: .*save it as UTF-8"):
        read_marks(tmp_path / "marks.csv")


HEAD = "student,question,mark,comment,changed,text"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected student"),
        ("student,mark\nada,1\n", "expected student"),
        (f"{HEAD},tutor,tutor\n", "each name once"),
        (f"{HEAD}\nada,q,1,,,so\nada,q,2,,,so\n", "two rows of ada, q"),
        (f"{HEAD}\nada,q,2,5,,,so\n", "7 cells in the row of ada, q"),
        (f'{HEAD}\nada,q,1,"never closed,,so\nbob,q,2,,,so\n', "no table"),
    ],
)
def test_a_table_that_would_lose_marks_is_refused(text, said, tmp_path):
    (tmp_path / "marks.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"marks\.csv: .*{said}"):
        read_marks(tmp_path / "marks.csv")


# Marks of answers that are gone or changed


def test_marks_of_no_answer_are_kept_and_told(tmp_path):
    results = [result("ada", {WHY: "so", HOW: "thus"}), result("b<b", {WHY: "for"})]
    report(results, tmp_path)
    enter(tmp_path, "3", ("ada", HOW))
    enter(tmp_path, "1", ("b<b", WHY))
    report([result("ada", {WHY: "so"})], tmp_path)
    report([result("ada", {WHY: "so"})], tmp_path)
    told = f"2 marks belong to no answer of these submissions: ada, {HOW}; b&lt;b, {WHY}"
    assert told in summary(tmp_path)
    assert cells(tmp_path / "gradebook.csv") == [{"student": "ada", "total": "2", "vae.kl": "2", WHY: ""}]
    assert HOW not in page(tmp_path, "ada.html")
    report(results, tmp_path)
    assert [row["total"] for row in cells(tmp_path / "gradebook.csv")] == ["5", "3"]
    assert "belong" not in summary(tmp_path)


def test_one_mark_belongs(tmp_path):
    report([result("ada", {WHY: "so"})], tmp_path)
    enter(tmp_path, "3")
    report([result("bob", {WHY: "so"})], tmp_path)
    assert f"1 mark belongs to no answer of these submissions: ada, {WHY}" in summary(tmp_path)


def test_a_text_that_changed_is_told_until_the_word_is_deleted(tmp_path):
    report([result("ada", {WHY: "so"})], tmp_path)
    enter(tmp_path, "3")
    for _ in range(2):
        report([result("ada", {WHY: "other"})], tmp_path)
        assert f"1 open answer changed after the mark was entered: ada, {WHY}" in summary(tmp_path)
    text = (tmp_path / "marks.csv").read_text("utf-8")
    (tmp_path / "marks.csv").write_text(text.replace(",yes,", ",,"), "utf-8")
    report([result("ada", {WHY: "other"})], tmp_path)
    assert "changed after" not in summary(tmp_path)
    assert cells(tmp_path / "marks.csv")[0]["mark"] == "3"


def test_marks_that_are_given_take_the_place_of_the_file(tmp_path):
    results = [result("ada", {WHY: "so"})]
    report(results, tmp_path)
    enter(tmp_path, "3")
    marks = read_marks(tmp_path / "marks.csv")
    (tmp_path / "marks.csv").unlink()
    report(results, tmp_path, marks)
    assert cells(tmp_path / "gradebook.csv")[0]["total"] == "5"
    report(results, tmp_path, {})
    assert cells(tmp_path / "gradebook.csv")[0]["total"] == "2"


# Pages


@pytest.mark.parametrize(
    ("texts", "marks", "told"),
    [
        ({}, {}, "2 of 2 points."),
        ({WHY: "so"}, {WHY: "3"}, "2 of 2 points, and 3 for the open questions."),
        ({WHY: "so"}, {}, "2 of 2 points; 1 open question is not marked yet."),
        ({WHY: "so", HOW: "by"}, {}, "2 of 2 points; 2 open questions are not marked yet."),
        ({WHY: "so", HOW: "by"}, {WHY: "0,5"}, ", and 0.5 for the open questions; 1 open question is not marked yet."),
        ({WHY: ""}, {}, "2 of 2 points."),
    ],
)
def test_the_page_says_what_the_gradebook_adds_up(texts, marks, told, tmp_path):
    report([result("ada", texts)], tmp_path)
    for question, mark in marks.items():
        enter(tmp_path, mark, ("ada", question))
    report([result("ada", texts)], tmp_path)
    assert f"{told}</p>" in page(tmp_path, "ada.html")
    total = 2 + sum(float(mark.replace(",", ".")) for mark in marks.values())
    assert float(cells(tmp_path / "gradebook.csv")[0]["total"]) == total


def test_backticks_are_code_in_what_the_laws_say_alone(tmp_path):
    report([result("ada", {WHY: "`mine` <b>"}, kl=WRONG)], tmp_path)
    told = page(tmp_path, "ada.html")
    for line in (
        "The law: <code>kl</code> &lt; 0?",
        "The case: <code>mean</code> = 0",
        "Seen: <code>a&lt;b</code>",
        "Expected: <code>1</code>",
        "What does <code>log_std</code> hold?",
        "<pre>`mine` &lt;b&gt;</pre>",
    ):
        assert line in told


def test_pages_of_students_who_are_gone_are_removed(tmp_path):
    report([result("ada"), result("bob")], tmp_path)
    (tmp_path / "feedback" / "notes.txt").write_text("mine")
    report([result("ada"), result("zoe")], tmp_path)
    assert sorted(path.name for path in (tmp_path / "feedback").iterdir()) == ["ada.html", "notes.txt", "zoe.html"]


def test_a_name_that_is_no_text_is_spelled_out(tmp_path):
    name = b"Jos\xe9".decode("utf-8", "surrogateescape")
    report([result(name, {WHY: "so"})], tmp_path)
    enter(tmp_path, "3", of=("Jos\\udce9", WHY))
    report([result(name, {WHY: "so"})], tmp_path)
    assert cells(tmp_path / "gradebook.csv")[0]["total"] == "5"


# The summary


def test_the_summary_shows_means_and_students(tmp_path):
    results = [result("ada", {WHY: "so"}, kl=RIGHT, elbo=WRONG), result("b<b", {WHY: "no"}, kl=WRONG, elbo=WRONG)]
    report(results, tmp_path)
    enter(tmp_path, "1.5")
    counts = report(results, tmp_path)
    told = summary(tmp_path)
    assert counts == {"students": 2, "points": 2, "of": 8}
    assert "2 students." in told
    assert '<th class="n">Mean points</th>' in told
    assert '<td class="n">1 of 2</td><td>sign 1</td>' in told
    assert '<td class="n">0 of 2</td><td>sign 2</td>' in told
    ada = '<td><a href="feedback/ada.html">ada</a></td><td class="n">2</td><td class="n">4</td><td class="n">1.5</td>'
    assert ada in told
    assert '">b&lt;b</a></td><td class="n">0</td><td class="n">4</td><td class="n">1 not marked yet</td>' in told
    assert "b<b" not in told
    assert "1 of 2 open answers waits for a mark" in told
    for link in told.split('href="')[1:]:
        assert (tmp_path / html.unescape(link.partition('"')[0])).is_file()


def test_one_is_one(tmp_path):
    report([result("ada", {WHY: "so"}, kl=RIGHT | {"points": 0, "of": 1})], tmp_path)
    assert "<p>1 student.</p>" in summary(tmp_path)
    assert "1 of 1 open answer waits for a mark" in summary(tmp_path)
    assert "<p>0 of 1 point; 1 open question is not marked yet.</p>" in page(tmp_path, "ada.html")


def test_what_the_instructor_is_told_stands_at_the_head(tmp_path):
    report([result("ada")], tmp_path, told=["notes.pdf: not read", "no <key> given"])
    head = summary(tmp_path).partition("1 student.")[0]
    assert "<p>notes.pdf: not read</p>\n<p>no &lt;key&gt; given</p>" in head


def test_nobody(tmp_path):
    assert report([], tmp_path) == {"students": 0, "points": 0, "of": 0}
    assert "0 students." in summary(tmp_path)


def test_the_order_of_results_and_of_rows_changes_nothing(tmp_path):
    results = [result(name, {WHY: name, HOW: "by"}, kl=RIGHT, elbo=WRONG) for name in ("ada", "-bob", "zoe")]
    gone = [result(name, {WHY: "so"}, kl=RIGHT, elbo=WRONG) for name in ("xia", "yan")]
    report([*results, *gone], tmp_path)
    for row in cells(tmp_path / "marks.csv"):
        enter(tmp_path, "1", (row["student"], row["question"]), tutor="Grace")
    report(results, tmp_path)
    before = files(tmp_path)
    for seed in range(3):
        draw = random.Random(seed)
        head, *rows = (tmp_path / "marks.csv").read_text("utf-8-sig").splitlines()
        (tmp_path / "marks.csv").write_text("\n".join([head, *draw.sample(rows, len(rows))]), "utf-8")
        shuffled = draw.sample(results, len(results))
        report([r | {"texts": dict(reversed(r["texts"].items()))} for r in shuffled], tmp_path)
        assert files(tmp_path) == before
