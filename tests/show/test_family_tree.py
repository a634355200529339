"""The family tree: what it hands to the page, what it refuses, its words in Node, and its figure."""

import json
import shutil

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gmcourse import show
from gmcourse.catalogue import find
from gmcourse.family_tree import QUESTIONS, family_tree
from gmcourse.show.style import COLOURS

TREE = family_tree([find(key) for key in ("planar-flow", "maf", "gaussian-vae", "gan")])
KEYS = [question.key for question in QUESTIONS]
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


@pytest.fixture
def page(node):
    """The value of an expression in the functions of `tree.js`, given the tree as `given.tree`."""
    names = "leavesOf, links, modelsOf, sentence, stepped, tally, told, verdicts"

    def value(expression: str, **given: object):
        script = f'import {{ {names} }} from "./family_tree/tree.js";\nconsole.log(JSON.stringify({expression}));'
        return node(script, {"tree": TREE} | given)

    return value


def test_the_state_is_small_and_whole():
    explorer = show.FamilyTree("one-pass", chosen="MAF", tree=TREE)
    assert (explorer.question, explorer.chosen) == ("one-pass", "maf")
    assert json.loads(json.dumps(explorer.tree)) == TREE
    whole = show.FamilyTree()
    assert whole.question == "exact"
    assert len(json.dumps(whole.get_state(), default=str)) < 60_000


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"question": "entropy"}, "question: got 'entropy', expected one of sample, one-pass, exact"),
        ({"chosen": "mafs"}, "key: got 'mafs'.*did you mean maf"),
    ],
)
def test_refuses(asked, message):
    with pytest.raises(ValueError, match=message):
        show.FamilyTree(tree=TREE, **asked)


# Its words, in Node


@needs_node
@pytest.mark.parametrize("key", KEYS)
def test_the_page_counts_those_that_can_answer(page, key):
    models = page("modelsOf(given.tree.branches)")
    assert [model["key"] for model in models] == ["planar-flow", "maf", "gaussian-vae", "gan"]
    can = sum(key in model["answers"] for model in models)
    assert page("tally(given.tree.branches, given.key)", key=key) == [can, 4]
    words = next(question.words for question in QUESTIONS if question.key == key)
    assert page("sentence(given.tree, given.key)", key=key) == f"{can} of 4 models can give {words}."


@needs_node
def test_a_model_says_yes_and_no_in_words(page):
    maf = page("modelsOf(given.tree.branches)[1]")
    said = page("verdicts(given.tree.questions, given.model)", model=maf)
    assert [verdict["can"] for verdict in said] == [True, False, True, True, True, True, True]
    assert said[0] == {"words": "a sample", "can": True, "by": "sample", "cost": "D passes"}
    told = page("told(given.tree.questions, given.model)", model=maf)
    assert told.startswith("MAF, 2017, log p(x) is exact. It gives a sample (D passes); log p(x), exactly (1 pass); ")
    assert told.endswith(". Not a sample in one pass.")
    nothing = maf | {"answers": {}}
    assert "It gives nothing that is asked here. Not a sample; " in page(
        "told(given.tree.questions, given.model)", model=nothing
    )


@needs_node
def test_links_lead_to_the_pages_that_there_are(page):
    maf = page("modelsOf(given.tree.branches)[1]")
    ask = "links(given.model, given.around).map(([kind, text, address]) => [kind, address])"
    paper = ["Paper", "https://arxiv.org/abs/1705.07057"]
    lesson, module = "06_flows/05_autoregressive_flows", "gmcourse.flows.autoregressive"
    assert page(ask, model=maf, around={"root": "../", "suffix": "html"}) == [
        ["Lesson", f"../{lesson}.html"],
        paper,
        ["Model", f"../api/flows_splines.html#module-{module}"],
    ]
    assert page(ask, model=maf, around={"root": "../", "suffix": "ipynb"}) == [
        ["Lesson", f"../{lesson}.ipynb"],
        paper,
        ["Model", ""],
    ]
    assert page(ask, model=maf | {"arxiv": ""}, around={"root": "", "suffix": ""}) == [["Lesson", ""], ["Model", ""]]


@needs_node
@pytest.mark.parametrize(
    ("key", "start", "end"),
    [
        *[("ArrowRight", 1, 2), ("ArrowDown", 3, 3), ("ArrowLeft", 1, 0), ("ArrowUp", 0, 0)],
        *[("Home", 2, 0), ("End", 0, 3), ("Enter", 1, None), ("x", 1, None)],
    ],
)
def test_keys_lead_from_model_to_model(page, key, start, end):
    assert page("stepped(given.key, given.start, 4)", key=key, start=start) == end


# Its figure


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_figure_names_every_model_and_marks_those_that_can_answer():
    plain, asked = words(show.tree_figure(tree=TREE)), words(show.tree_figure("exact", TREE))
    assert {"Planar flow", "MAF", "Gaussian VAE", "GAN"} <= set(plain)
    assert {"✓ Planar flow: a formula", "✓ MAF: 1 pass", "Gaussian VAE", "GAN"} <= set(asked)
    assert {"explicit density", "normalising flow", "a lower bound on log p(x)"} <= set(plain)
    assert not [text for text in plain if "✓" in text]


def test_lines_are_thick_as_far_as_the_models_that_can_answer():
    def lit(question):
        lines = show.tree_figure(question, TREE).axes[0].lines
        return sum(line.get_color() == COLOURS["model"] for line in lines)

    assert lit(None) == 0
    assert lit("exact") == 2  # tractable, normalising flow
    assert lit("sample") == 5  # and approximate, variational, adversarial


@pytest.mark.parametrize("question", [None, *KEYS])
def test_nothing_leaves_the_figure_and_no_two_words_meet(question):
    figure = show.tree_figure(question)
    assert figure.get_figwidth() == 7
    assert figure.get_figheight() < 11  # a page of A4 less its margins
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            apart = one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
            assert apart, (words(figure)[number], words(figure)[boxes.index(other)])


def test_the_figure_refuses_another_question():
    with pytest.raises(ValueError, match="question: got 'likelihood', expected one of sample, .*, or None"):
        show.tree_figure("likelihood", TREE)
