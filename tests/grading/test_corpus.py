"""Notebooks as they come back, of a lesson and of an assignment, mangled as students do: graded as they are."""

import copy
import json
import random
from pathlib import Path

import pytest

from gmcourse.grading.batch import file_name
from gmcourse.grading.grading import run
from tests.grading.made import DRAW, KL, RIGHT, USED, code, handed_out, notebook

pytestmark = pytest.mark.timeout(900)
ROOT = Path(__file__).resolve().parents[2]
LESSON = json.loads((ROOT / "chapters/04_vae/01_evidence_lower_bound.ipynb").read_text("utf-8"))
IDS = tuple(RIGHT)
STUBS = {
    "vae.gaussian_kl": "def gaussian_kl(",
    "vae.reparameterize": "def reparameterize(",
    "vae.latents_used": "latents_used = ...",
}
CORPUS = {}


def text(cell):
    return "".join(cell["source"])


def place(cells, id):
    """Where the cell of an exercise stands: the one above its check."""
    return next(k for k, cell in enumerate(cells) if f'check("{id}"' in text(cell)) - 1


def lesson():
    """The lesson's notebook with right answers to three exercises."""
    told = copy.deepcopy(LESSON)
    for id, answer in RIGHT.items():
        told["cells"][place(told["cells"], id)]["source"] = answer.removeprefix("import torch\n\n")
    return told


def case(expected=("correct",) * 3):
    """Registers a mangling: from the cells of the lesson, and those of an assignment, to text or to cells."""

    def keep(mangle):
        CORPUS[f"{mangle.__name__}"] = (mangle, dict(zip(IDS, expected, strict=True)))
        return mangle

    return keep


def cells_of(answers=RIGHT):
    return json.loads(handed_out(answers))["cells"]


def markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


@case()
def as_it_is():
    return lesson()


@case()
def assignment_as_it_is():
    return cells_of()


@case(("not attempted",) * 3)
def untouched():
    return copy.deepcopy(LESSON)


@case()
def reversed_order():
    return cells_of()[::-1]


@case()
def shuffled():
    told = lesson()["cells"]
    random.Random(0).shuffle(told)
    # in a lesson only the checks tell what is whose: the names are still there
    return told


@case()
def every_cell_twice():
    return [cell for cell in lesson()["cells"] for _ in range(2)]


@case()
def stub_left_below():
    return [*cells_of(), *cells_of({id: stub_of(id) for id in IDS})]


@case()
def stub_left_above():
    return [*cells_of({id: stub_of(id) for id in IDS}), *(code(source) for source in RIGHT.values())]


@case()
def first_try_above():
    told = cells_of()
    told.insert(0, code("def gaussian_kl(mean, log_std):\n    return mean", "vae.gaussian_kl"))
    return told


@case(("wrong", "correct", "correct"))
def last_try_is_wrong():
    return [*cells_of(), code("def gaussian_kl(mean, log_std):\n    return mean.sum(1)", "vae.gaussian_kl")]


@case()
def all_in_one_cell():
    return [code("\n\n".join(text(cell) for cell in cells_of()))]


@case()
def merged_under_the_first():
    told = cells_of()
    merged = "\n\n".join(text(cell) for cell in told)
    return [code(merged, "vae.gaussian_kl")]


@case()
def split_in_helpers():
    told = cells_of(
        {**RIGHT, "vae.gaussian_kl": "def gaussian_kl(mean, log_std):\n    return one(mean, log_std).sum(1)"}
    )
    return [
        code("def square(x):\n    return x ** 2"),
        code("def one(m, s):\n    return HALF * (square(m) + (2 * s).exp() - 1 - 2 * s)"),
        code("HALF = 1 / 2"),
        *told,
    ]


@case()
def helpers_below():
    told = cells_of(
        {**RIGHT, "vae.gaussian_kl": "def gaussian_kl(mean, log_std):\n    return one(mean, log_std).sum(1)"}
    )
    return [*told, code("def one(m, s):\n    return 0.5 * (m ** 2 + (2 * s).exp() - 1 - 2 * s)")]


@case()
def value_computed_before_its_parts():
    return [
        *cells_of({**RIGHT, "vae.latents_used": "latents_used = count(parts)"}),
        code("parts = [1, 2]"),
        code("parts.append(3)"),
        code("def count(xs):\n    return len(xs)"),
    ]


@case()
def renamed_function():
    told = cells_of({**RIGHT, "vae.gaussian_kl": KL.replace("gaussian_kl", "my_kl")})
    return [code(text(c).replace("gaussian_kl)", "my_kl)")) if "check" in text(c) else c for c in told]


@case()
def renamed_without_its_check():
    told = cells_of({**RIGHT, "vae.gaussian_kl": KL.replace("gaussian_kl", "my_kl")})
    return [cell for cell in told if "check(" not in text(cell)]


@case()
def metadata_lost():
    return [{**cell, "metadata": {}} for cell in cells_of()]


@case()
def metadata_of_the_wrong_kind():
    return [{**cell, "metadata": [cell["metadata"]]} for cell in cells_of()]


@case()
def metadata_exchanged():
    told = cells_of()
    told[0]["metadata"], told[2]["metadata"] = told[2]["metadata"], told[0]["metadata"]
    return told


@case()
def checks_deleted():
    return [cell for cell in cells_of() if "check(" not in text(cell)]


@case()
def only_nbgrader_knows():
    told = cells_of()
    for cell in told:
        own = cell["metadata"]["gmcourse"]
        cell["metadata"] = (
            {"nbgrader": {"grade_id": own["exercise"].replace(".", "-")}} if own["role"] == "answer" else {}
        )
    return told


@case()
def answer_in_the_check():
    told = [cell for cell in cells_of() if cell["metadata"]["gmcourse"]["exercise"] != "vae.latents_used"]
    return [*told, code('check("vae.latents_used", 1 + 2)')]


@case()
def lambda_for_def():
    return cells_of({**RIGHT, "vae.reparameterize": "reparameterize = lambda m, s, e: m + s.exp() * e"})


@case()
def magics():
    return [
        code("%matplotlib inline\n!pip install torch\nimport torch\n?torch\nfiles = !ls\n%timeit 1 + 1"),
        *[{**cell, "source": "%%time\n" + text(cell)} for cell in cells_of()],
        code("%%bash\nrm -rf ."),
        code("%%html\n<b>"),
    ]


@case()
def syntax_error_elsewhere():
    return [code("def broken(:\n    return"), *cells_of(), code("print 'python 2'"), code("x = = 3")]


@case()
def syntax_error_in_the_same_cell():
    told = cells_of()
    told[0]["source"] = "this is my answer, I hope\n\n" + text(told[0]) + "\n\nnow the next one\n"
    return told


@case(("could not run", "correct", "correct"))
def syntax_error_in_the_answer():
    told = cells_of()
    told[0]["source"] = text(told[0]).replace("):", ")", 1)
    return told


@case(("could not run", "correct", "correct"))
def tabs_and_spaces():
    told = cells_of()
    told[0]["source"] = "def gaussian_kl(mean, log_std):\n        x = 1\n\treturn x"
    return told


@case()
def error_at_the_top():
    return [
        code("1 / 0"),
        code("import no_such_module"),
        code("raise SystemExit"),
        code("while True: pass"),
        *cells_of(),
    ]


@case()
def training_at_the_top():
    return [code("import time\nfor step in range(10**9):\n    time.sleep(1)\n    loss = step"), *cells_of()]


@case()
def sources_as_lines():
    return [{**cell, "source": text(cell).splitlines(keepends=True)} for cell in cells_of()]


@case()
def windows_lines():
    return [{**cell, "source": text(cell).replace("\n", "\r\n")} for cell in cells_of()]


@case()
def old_format():
    cells = [{"cell_type": "code", "input": text(cell), "language": "python", "metadata": {}} for cell in cells_of()]
    return json.dumps({"worksheets": [{"cells": cells}], "metadata": {}, "nbformat": 3, "nbformat_minor": 0})


@case()
def byte_order_mark():
    return b"\xef\xbb\xbf" + notebook(*cells_of()).encode()


@case()
def utf_16():
    return notebook(*cells_of()).encode("utf-16")


@case()
def rubbish_among_the_cells():
    return [
        None,
        3,
        "text",
        {},
        {"cell_type": "code"},
        {"cell_type": "code", "source": 5},
        {"source": [1, None]},
        *cells_of(),
        {"cell_type": "raw", "source": "def gaussian_kl(m, s):\n    return m"},
        markdown("def gaussian_kl(m, s): return m"),
    ]


@case()
def imports_in_a_cell_of_their_own():
    told = cells_of(
        {
            **RIGHT,
            "vae.gaussian_kl": KL.removeprefix("import torch\n\n").replace("(2 * log_std).exp()", "exp(2 * log_std)"),
        }
    )
    return [code("import torch, no_such_library\nfrom torch import exp"), code("from torch import exp"), *told]


@case()
def shadowed_by_the_lesson():
    """The lesson trains a model of the same names further down."""
    return [*cells_of(), code("mean = log_std = noise = 3\nfor mean in range(3):\n    loss = mean")]


@case(("correct", "correct", "not attempted"))
def one_deleted():
    return [cell for cell in cells_of() if cell["metadata"]["gmcourse"]["exercise"] != "vae.latents_used"]


@case(("not attempted",) * 3)
def empty():
    return [code("")]


@case(("not attempted",) * 3)
def imported_and_not_written():
    return [
        code("from gmcourse.probability import gaussian_kl\nfrom gmcourse.vae.gaussian import reparameterize"),
        *cells_of({id: stub_of(id) for id in IDS}),
    ]


@case()
def annotated_and_decorated():
    answer = "import functools\nimport torch\n\n@functools.cache\ndef half() -> float:\n    return 0.5\n\n"
    answer += "@torch.enable_grad()\n"
    answer += "def gaussian_kl(mean: 'torch.Tensor', log_std) -> torch.Tensor:\n"
    answer += "    return half() * (mean**2 + (2 * log_std).exp() - 1 - 2 * log_std).sum(1)"
    return cells_of({**RIGHT, "vae.gaussian_kl": answer, "vae.latents_used": "latents_used: int = 3"})


@case()
def in_a_class():
    answer = "class Own:\n    half = 0.5\n\n    def __call__(self, m, s):\n"
    answer += "        return self.half * (m**2 + (2 * s).exp() - 1 - 2 * s).sum(1)\n\n"
    return cells_of({**RIGHT, "vae.gaussian_kl": answer + "gaussian_kl = Own()"})


@case()
def under_a_condition():
    return cells_of(
        {
            **RIGHT,
            "vae.latents_used": "if True:\n    latents_used = 2\n    latents_used += 1\nelse:\n    latents_used = 5",
        }
    )


def stub_of(id):
    from gmcourse.exercises import EXERCISES

    return EXERCISES[id].stub


@pytest.fixture(scope="module")
def graded(sandbox, once):
    root = once("corpus", handed_in)
    return root, {r["student"]: r for r in json.loads((root / "out" / "grades.json").read_text("utf-8"))}


def handed_in(root):
    (root / "in").mkdir()
    for name, (mangle, _) in CORPUS.items():
        made = mangle()
        made = notebook(*made) if isinstance(made, list) else json.dumps(made) if isinstance(made, dict) else made
        (root / "in" / f"{name}.ipynb").write_bytes(made if isinstance(made, bytes) else made.encode())
    folder = root / "in" / "in_two_files" / "homework"  # as nbgrader lays them out
    folder.mkdir(parents=True)
    (folder / "a.ipynb").write_text(notebook(*cells_of()[:2]))
    (folder / "b.ipynb").write_text(notebook(*cells_of()[2:]))
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "a-checkpoint.ipynb").write_text(notebook(code(stub_of("vae.gaussian_kl"))))
    run(root / "in", root / "out", of=IDS, jobs=2, same=True)


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 30
    assert {KL, DRAW, USED} == set(RIGHT.values())


@pytest.mark.parametrize("name", [*CORPUS, "in_two_files"])
def test_a_mangled_notebook_is_graded(graded, name):
    expected = CORPUS[name][1] if name in CORPUS else dict.fromkeys(IDS, "correct")
    rows = {row["exercise"]: row for row in graded[1][name]["rows"]}
    assert {id: row["status"] for id, row in rows.items()} == expected, rows


def test_graded_again_nothing_differs(graded):
    root, _ = graded
    before = {path: path.read_bytes() for path in (root / "out").rglob("*") if path.is_file()}
    run(root / "in", root / "out", of=IDS, jobs=1, same=True)
    assert {path: path.read_bytes() for path in (root / "out").rglob("*") if path.is_file()} == before


def test_graded_afresh_nothing_differs(graded, tmp_path):
    root, _ = graded
    (tmp_path / "in").mkdir()
    few = ("as_it_is", "rubbish_among_the_cells", "in_a_class")
    for name in few:
        (tmp_path / "in" / f"{name}.ipynb").write_bytes((root / "in" / f"{name}.ipynb").read_bytes())
    run(tmp_path / "in", tmp_path / "out", of=IDS, jobs=1, same=True)
    for name in few:
        page = Path("out", "feedback", f"{file_name(name)}.html")
        assert (tmp_path / page).read_bytes() == (root / page).read_bytes()
