"""The tool executes what is stale, keeps what is not, and leaves the old notebook where a cell fails."""

import re

import lessons as tool

HEADER = "---\nkernelspec:\n  display_name: Python 3\n  name: python3\n---\n\n"


def test_a_lesson_is_executed_once_and_a_failing_one_replaces_nothing(tmp_path, capsys):
    path = tmp_path / "01_lesson.md"
    path.write_text(HEADER + "# A lesson\n\n```{code-cell} ipython3\nprint(6 * 7)\n```\n", encoding="utf-8")
    assert tool.main([str(path)]) == 0
    assert "executed in" in capsys.readouterr().out
    text = path.with_suffix(".ipynb").read_text("utf-8")
    assert "42" in text
    assert tool.main([str(path)]) == tool.main(["--check", str(path)]) == 0
    assert "unchanged" in capsys.readouterr().out

    path.write_text(path.read_text("utf-8").replace("6 * 7", "6 / 0"), encoding="utf-8")
    assert tool.main(["--check", str(path)]) == 1
    assert "make lessons" in capsys.readouterr().err
    assert tool.main([str(path)]) == 1
    said = capsys.readouterr().err
    assert "01_lesson" in said
    assert "cell 1 ('print(6 / 0)')" in said
    assert "ZeroDivisionError" in said
    assert path.with_suffix(".ipynb").read_text("utf-8") == text
    assert {file.name for file in tmp_path.iterdir()} == {"01_lesson.md", "01_lesson.ipynb"}


def test_the_tool_says_what_is_missing(tmp_path, capsys):
    assert tool.main([str(tmp_path / "02_none.md")]) == 1
    assert "no such .md file" in capsys.readouterr().err


def test_the_budget_is_of_cpu_seconds_and_not_of_the_clock(tmp_path, capsys, monkeypatch):
    cell = "import time\nbegin = time.process_time()\n%s\n"
    wait, work = cell % "time.sleep(4)", cell % "while time.process_time() < begin + 4:\n    pass"
    monkeypatch.setattr(tool, "SECONDS", 4)
    for name, code in (("01_wait", wait), ("02_work", work)):
        (tmp_path / f"{name}.md").write_text(f"{HEADER}# A lesson\n\n```{{code-cell}} ipython3\n{code}```\n", "utf-8")
    assert tool.main(["--measure", str(tmp_path / "01_wait.md"), str(tmp_path / "02_work.md")]) == 1
    said = capsys.readouterr()
    spent, together = re.findall(r" (\d+\.\d) CPU s", said.out)
    assert 0.1 < float(spent) < 4
    assert together == spent
    assert re.match(r".*/02_work: [4-9]\.\d CPU s, \d kB: at most 4 CPU s", said.err)
    assert {file.suffix for file in tmp_path.iterdir()} == {".md"}


def test_what_is_printed_in_pieces_is_one_output(tmp_path):
    path = tmp_path / "01_lesson.md"
    code = "import time\nfor word in 'ab':\n    print(word, flush=True)\n    time.sleep(0.5)\n"
    path.write_text(f"{HEADER}# A lesson\n\n```{{code-cell}} ipython3\n{code}```\n", "utf-8")
    assert tool.main([str(path)]) == 0
    [cell] = [cell for cell in tool.nbformat.read(path.with_suffix(".ipynb"), 4).cells if cell.cell_type == "code"]
    assert [output.text for output in cell.outputs] == ["a\nb\n"]
