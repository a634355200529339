"""Assignments: what is chosen, what is written, that nothing leaks, and that every exercise can be handed out."""

import json
import re
import stat
from pathlib import Path

import pytest

from gmcourse.cli import main
from gmcourse.exercises import EXERCISES, Exercise, Variant
from gmcourse.grading import notebooks
from gmcourse.grading.answers import safe
from gmcourse.grading.assignment import chosen, make, make_key
from gmcourse.grading.lessons import Task, read_told
from gmcourse.grading.notebooks import Makings, imports, notebook
from gmcourse.grading.solutions import literal, solved
from gmcourse.laws.broken import require_value
from tests.grading.releases import cells, leaks, run_cells

ROOT = Path(__file__).resolve().parents[2]
TOLD = read_told(ROOT)
TASKS = {task.id: task for told in TOLD.values() for task in told.tasks}
LESSONS = [told.lesson.file for told in TOLD.values()]
FAMILIES = sorted({id.partition(".")[0] for id in EXERCISES})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The assignment of every family, as written."""
    return make(ROOT, FAMILIES, tmp_path_factory.mktemp("course"), name="all")


@pytest.fixture
def drawn(monkeypatch):
    """A task whose numbers a seed draws; its record is gone afterwards."""

    def laws(right):
        return (lambda answer: require_value("n and n", answer, float(right), 0.1, {}),)

    def variant(seed):
        n = seed % 1000
        return Variant(prompt=f"What is {n} + {n}?", laws=laws(2 * n), reference=2 * n, wrong=())

    record = Exercise("mine.sum", "total = ...", 1, laws(6), 6, ("n + n",), (), variant=variant)
    monkeypatch.setitem(EXERCISES, "mine.sum", record)
    told = "What is 3 + 3? See (5.7.1)."
    lesson = TOLD["5.7"].lesson
    return Task(id="mine.sum", lesson=lesson, title="A sum", text=told, stub="total = ...", name="total")


# What is chosen


@pytest.mark.parametrize(
    "what, ids",
    [
        (["gan.share_at"], ["gan.share_at"]),
        (["gan.share_at", "gan.share_at"], ["gan.share_at"]),
        (["vae.gaussian_kl", "taxonomy.lda_logit"], ["taxonomy.lda_logit", "vae.gaussian_kl"]),
        (["open.05_gan/07_translation"], ["open.05_gan/07_translation"]),
        *[([word], [t.id for t in TOLD["5.7"].tasks]) for word in ("5.7", "05_gan/07_translation", "07_translation")],
        (["5.7.3", "4.1.1"], ["vae.gaussian_kl", "gan.share_at"]),
        (["chapters/05_gan/07_translation.md"], [t.id for t in TOLD["5.7"].tasks]),
        (["gan"], [t.id for told in TOLD.values() for t in told.tasks if told.lesson.file.startswith("05_gan")]),
    ],
)
def test_words_choose_families_lessons_and_exercises(what, ids):
    assert [task.id for task in chosen(what, TOLD)] == ids


def test_without_questions_only_a_question_named_by_its_id_is_there():
    ids = [task.id for task in chosen(["5.7", "open.05_gan/02_dynamics"], TOLD, questions=False)]
    assert [id for id in ids if id.startswith("open.")] == ["open.05_gan/02_dynamics"]
    assert len(ids) == 1 + sum(not task.is_open for task in TOLD["5.7"].tasks)


def test_a_word_that_names_nothing_is_refused_with_what_is_near():
    with pytest.raises(ValueError, match=r"got 'gan.share_it', expected .* as gan.share_at"):
        chosen(["vae", "gan.share_it"], TOLD)
    with pytest.raises(ValueError, match="got nothing"):
        chosen([], TOLD)


# What is written


def test_the_folder_holds_a_handout_the_sources_a_secret_key_and_settings(tmp_path):
    made = make(ROOT, ["5.7", "taxonomy.lda_logit"], tmp_path / "course", name="week 1")
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == [
        "course/handout/week-1.ipynb",
        "course/key.txt",
        "course/nbgrader_config.py",
        "course/source/week-1/01_taxonomy-01_what_is_a_generative_model.ipynb",
        "course/source/week-1/05_gan-07_translation.ipynb",
    ]
    assert (made.exercises, made.questions, made.points) == (7, 1, 11)
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600


def test_a_second_time_the_same_bytes_and_the_same_key(tmp_path):
    first = make(ROOT, ["gan"], tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    make(ROOT, ["gan"], tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    other = make(ROOT, ["gan"], tmp_path / "other")
    assert other.key.read_bytes() != first.key.read_bytes()
    assert other.handout.read_bytes() == first.handout.read_bytes()


def test_what_an_instructor_changed_is_not_written_over_unless_asked(tmp_path):
    made = make(ROOT, ["5.7"], tmp_path)
    made.sources[0].write_text("mine", "utf-8")
    (tmp_path / "nbgrader_config.py").write_text("mine", "utf-8")
    made.handout.unlink()
    with pytest.raises(ValueError, match=r"05_gan-07_translation.ipynb is there and differs: .*--replace"):
        make(ROOT, ["5.7"], tmp_path)
    assert made.sources[0].read_text("utf-8") == "mine"
    assert not made.handout.exists()
    make(ROOT, ["5.7"], tmp_path, replace=True)
    assert made.sources[0].read_text("utf-8") != "mine"
    assert (tmp_path / "nbgrader_config.py").read_text("utf-8") == "mine"


def test_a_notebook_that_is_not_asked_for_now_is_refused_or_removed(tmp_path):
    first = make(ROOT, ["5.7", "gan.r1_penalty"], tmp_path, name="week")
    (first.sources[0].parent / "data.csv").write_text("mine", "utf-8")
    first.handout.unlink()
    with pytest.raises(ValueError, match=r"source/week holds 05_gan-02_dynamics.ipynb, too: .*--replace"):
        make(ROOT, ["5.7"], tmp_path, name="week")
    assert not first.handout.exists()
    second = make(ROOT, ["5.7"], tmp_path, name="week", replace=True)
    assert sorted(path.name for path in second.sources[0].parent.iterdir()) == [
        "05_gan-07_translation.ipynb",
        "data.csv",
    ]


@pytest.mark.parametrize(
    "name, spelled", [("Ümläut Übung 1", "Umlaut-Ubung-1"), ("week 1", "week-1"), ("-a/b-", "a-b")]
)
def test_a_name_is_spelled_in_plain_letters(tmp_path, name, spelled):
    made = make(ROOT, ["gan.share_at"], tmp_path, name=name)
    assert made.name == made.handout.stem == spelled


@pytest.mark.parametrize("name", ["作业", "Straße", "!!", " "])
def test_a_name_that_would_lose_letters_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"name: got .*, expected one in the letters A to Z"):
        make(ROOT, ["gan.share_at"], tmp_path, name=name)
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_hard_to_guess_and_never_made_anew(tmp_path):
    keys = {make_key(tmp_path / str(number)).read_text("utf-8").strip() for number in range(20)}
    assert len(keys) == 20
    assert all(re.fullmatch(r"[0-9a-f]{32}", key) for key in keys)
    (tmp_path / "mine").write_text("my own secret\n", "utf-8")
    assert make_key(tmp_path / "mine").read_text("utf-8") == "my own secret\n"


def test_the_first_code_cell_asks_for_the_student_and_each_exercise_has_its_roles(whole):
    handout = cells(whole.handout)
    assert next(text for kind, text, _ in handout if kind == "code").startswith('student = ""  # your name or number')
    roles: dict[str, list[str]] = {}
    for _, _, metadata in handout:
        if told := metadata.get("gmcourse"):
            roles.setdefault(told["exercise"], []).append(told["role"])
    assert set(roles) == set(TASKS)
    for id, found in roles.items():
        drawn = not TASKS[id].is_open and EXERCISES[id].variant is not None
        prompts = ["prompt"] * (2 if drawn else 1)
        assert found == [*prompts, *(["open"] if TASKS[id].is_open else ["answer", "check"])]


def test_ids_fit_nbgrader_and_are_named_once_and_the_points_are_those_of_the_records(whole):
    found, total = [], 0
    for source in whole.sources:
        for _, _, metadata in cells(source):
            if told := metadata.get("nbgrader"):
                found.append(told["grade_id"])
                total += told["points"] if told["grade"] and not told["solution"] else 0
        ids = [cell["id"] for cell in json.loads(source.read_text("utf-8"))["cells"]]
        assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_\-]+", id) for id in found)
    assert len(set(found)) == len(found)
    assert {safe(id) for id in TASKS} <= set(found)
    assert total == whole.points == sum(record.points for record in EXERCISES.values())


def test_a_students_own_numbers_take_the_place_of_the_lessons(drawn):
    for nbgrader in (False, True):
        made = notebook("x", [drawn], Makings(TOLD, nbgrader=nbgrader))
        texts = [cell.source for cell in made.cells if cell.metadata.get("gmcourse", {}).get("exercise") == "mine.sum"]
        assert "3 + 3" not in texts[0]
        assert "\\tag{5.7.1}" in texts[0]
        assert texts[1] == 'numbers("mine.sum", student)'
        assert all("total, student=student)" in text for text in texts[3:])


def test_only_what_a_task_needs_is_imported_and_never_an_answer():
    assert imports(TOLD["5.2"].tasks, TOLD["5.2"]) == ["from gmcourse.gan.dirac import orbit"]
    every = [line for told in TOLD.values() for line in imports(told.tasks, told)]
    answers = {task.name for task in TASKS.values()}
    assert not [line for line in every if line.rpartition(" ")[2] in answers]


def test_what_a_students_own_prompt_names_is_imported():
    tasks = [TASKS["vae.latents_used"]]
    assert "from gmcourse.data import load" in imports(tasks, TOLD["4.1"])


def test_the_handout_says_whose_name_counts_what_above_means_and_what_to_hand_in(whole):
    welcome, *rest = (text for kind, text, _ in cells(whole.handout) if kind == "markdown")
    assert "the same word as the name of the file that you hand in" in " ".join(welcome.split())
    assert "Hand in this notebook" in welcome
    heads = [text for text in rest if text.startswith("## ")]
    assert len(heads) == len(LESSONS)
    assert all(text.endswith(notebooks.ABOVE) for text in heads)
    made = notebook("x", [TASKS["gan.share_at"]], Makings(TOLD, repository="https://example.org/course"))
    assert made.cells[0].source.endswith(", from https://example.org/course.")


def test_no_answer_is_called_like_what_a_notebook_needs():
    setup = {name for name in re.findall(r"\w+", notebooks.SETUP + notebooks.PASSES) if name not in ("import", "from")}
    assert not setup - {"passes"} & {task.name for task in TASKS.values()}
    assert "passes" in {task.name for task in TASKS.values()}  # as held.passes it is in nobody's way


# Nothing leaks


def test_no_handout_holds_a_solution_or_a_hidden_test(whole):
    key = whole.key.read_text("utf-8").strip()
    assert leaks(whole.handout, TASKS.values(), key) == []
    assert all(key not in source.read_text("utf-8") for source in whole.sources)


def test_a_leak_is_found(whole, tmp_path):
    task = TASKS["gan.share_at"]
    plants = [solved(EXERCISES[task.id], task.stub, task.name), "### BEGIN HIDDEN TESTS", "key = 'abc123'"]
    plants += [line for line in plants[0].splitlines() if "rho" in line or "return" in line][:2]
    for at, plant in enumerate(plants):
        made = json.loads(whole.handout.read_text("utf-8"))
        made["cells"][7]["source"] = [plant]
        made["cells"][7]["cell_type"] = "code"
        path = tmp_path / f"{at}.ipynb"
        path.write_text(json.dumps(made), "utf-8")
        assert leaks(path, [task], "abc123"), plant
    assert all(leaks(source, TASKS.values()) for source in whole.sources)


# Every exercise runs


def test_an_untouched_handout_runs_from_top_to_bottom_and_nothing_is_attempted(whole):
    verdicts = run_cells(whole.handout)
    assert set(verdicts) == set(EXERCISES)
    assert set(verdicts.values()) == {"not attempted"}


@pytest.mark.parametrize("file", LESSONS)
def test_every_solution_passes_the_visible_and_the_hidden_tests(file, whole):
    source = next(path for path in whole.sources if path.stem == safe(file))
    verdicts = run_cells(source, folder=source.parent)  # a test that fails raises
    asked = {task.id for told in TOLD.values() for task in told.tasks if told.lesson.file == file and not task.is_open}
    assert verdicts == dict.fromkeys(asked, "correct")


@pytest.mark.parametrize("id", EXERCISES)
def test_a_solution_needs_nothing_of_the_exercises_or_the_laws(id):
    """A sandbox does not hold them, and a student who hands in the course's own answer is to be graded as right."""
    source = solved(EXERCISES[id], TASKS[id].stub, TASKS[id].name)
    assert not re.search(r"gmcourse\.(exercises|laws)", source)


def test_a_solution_needs_a_stub_that_it_knows():
    task = TASKS["gan.share_at"]
    with pytest.raises(ValueError, match="expected one function that ends in raise NotImplementedError"):
        solved(EXERCISES[task.id], "share_at = ...", "share_at")
    with pytest.raises(ValueError, match=r"expected price = \.\.\."):
        solved(EXERCISES["gan.price_of_a_draw"], "price = 3", "price")
    assert literal(frozenset({"b", "a"})) == "{'a', 'b'}"
    assert literal(frozenset()) == "set()"


# The command


def test_the_command_writes_and_says_what_to_do_next(tmp_path, capsys):
    assert main(["assignment", "5.7", "gan.r1_penalty", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "7 exercises, 11 points, and 1 open question\n" in said
    assert "the same for everyone, functions without hidden points: " in said
    assert "the same for everyone, values" not in said
    assert "nbgrader generate_assignment 5-7-gan-r1_penalty" in said
    assert main(["assignment", "5.7", "--out", str(tmp_path), "--no-questions", "--name", "short"]) == 0
    assert "0 open questions" in capsys.readouterr().out
    words = ["assignment", "taxonomy.overtaking", "--out", str(tmp_path), "--name", "Übung 1"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "1 exercise, " in said
    assert "the same for everyone, values without numbers of one's own: taxonomy.overtaking\n" in said
    assert "called Ubung-1\n" in said


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    assert main(["assignment", "gna", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("gmcourse: what: got 'gna', expected a family")
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_is_shortened(tmp_path):
    made = make(ROOT, [f"5.{number}" for number in range(1, 10)] + ["autoregressive"], tmp_path)
    assert made.name == "5-1-and-9-more"


def test_open_questions_have_points():
    assert notebooks.points(TASKS["open.05_gan/07_translation"]) == notebooks.OPEN_POINTS == 2
