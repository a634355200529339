"""What both readers of a lesson get: numbers within the lesson, minutes by one rule, the first use of a term linked."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from notebooks.minutes import minutes
from notebooks.prepare import number_figures, prepared
from notebooks.references import References, boxes, equations, read_references, terms

from gmcourse.exercises import EXERCISES

NAME = "05_gan/02_dynamics"
TERMS = {"prior": "prior", "law": "law", "evidence lower bound": "evidence lower bound", "ELBO": "evidence lower bound"}
BOXES = {"gan-sum": ("Theorem 5.2.1", NAME), "gan.modes": ("Exercise 5.2.1", NAME)}
KNOWN = References(
    {}, BOXES, {}, TERMS | {"KL divergence": "KL divergence", "explicit density": "explicit density"}, {}
)


def notebook(*texts, code=()):
    cells = [*map(new_markdown_cell, texts), *map(new_code_cell, code)]
    return nbformat.v4.new_notebook(cells=cells)


def text(*sources, name=NAME):
    return "\n\n".join(cell.source for cell in prepared(notebook(*sources), name, KNOWN).cells)


@pytest.mark.parametrize(
    ("written", "numbered"),
    [
        ("*Figure 3. A line.*", "*Figure 5.2.3. A line.*"),
        ("*Figures 5 and 6. Two.*", "*Figures 5.2.5 and 5.2.6. Two.*"),
        ("Figures 1, 2 and 3; Figure\n9.", "Figures 5.2.1, 5.2.2 and 5.2.3; Figure\n5.2.9."),
        ("Figures 7–8", "Figures 5.2.7–5.2.8"),
        ("See Figure 6.1.2, and figure 2 of the paper.", "See Figure 6.1.2, and figure 2 of the paper."),
    ],
)
def test_figures_are_numbered_within_the_lesson(written, numbered):
    assert number_figures(written, NAME) == numbered


def test_titles_and_exercises_are_numbered_and_lines_stay_where_they_are():
    first, second = (f":::{{exercise}} {title}\n:label: gan.modes\n\nTry.\n:::" for title in ("One", "Two"))
    shown = text("# Dynamics\n\nFigure 1", first, "A text.", second)
    assert shown.startswith("# 5.2 Dynamics\n\nFigure 5.2.1\n\n:::{admonition} Exercise 5.2.1. One\n:class: exercise\n")
    assert ":::{admonition} Exercise 5.2.2. Two\n:class: exercise\n:name: gan.modes\n\nTry.\n:::" in shown
    assert text("# A page", "Figure 1", name="own_data") == "# A page\n\nFigure 1"


def test_theorems_are_numbered_together_and_proofs_not():
    first = ":::{prf:theorem} Sum\n:label: gan-sum\n:class: wide\n\nIt is.\n:::"
    rest = ":::{prf:proof}\nSo.\n:::\n\n::::{prf:lemma}\nAnd.\n::::"
    shown = text(first, f"By {{prf:ref}}`gan-sum`, {{ref}}`gan.modes`, {{ref}}`the\nsum <gan-sum>`.\n\n{rest}")
    assert shown.split("\n\n", 2)[0] == (":::{admonition} Theorem 5.2.1. Sum\n:class: theorem wide\n:name: gan-sum")
    assert "{ref}`Theorem 5.2.1 <gan-sum>`, {ref}`Exercise 5.2.1 <gan.modes>`, {ref}`the\nsum <gan-sum>`." in shown
    assert ":::{admonition} Proof\n:class: proof\nSo.\n:::" in shown
    assert ":::{admonition} Lemma 5.2.2\n:class: lemma\nAnd.\n:::" in shown


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (":::{exercise} Count\n\nTry.\n:::", "the exercise 'Count': got no :label:"),
        (":::{prf:lemma}\n:nonumber: yes\n:::", "the lemma '': got :nonumber:"),
        ("By {prf:ref}`gan-none`.", "'gan-none'"),
    ],
)
def test_a_box_that_cannot_be_numbered_or_found_is_an_error(source, said):
    with pytest.raises(ValueError, match=said):
        text(source)


def test_boxes_are_counted_as_they_are_titled_and_code_has_none(tmp_path):
    path = tmp_path / "05_gan" / "10_tenth.md"
    path.parent.mkdir()
    code = "```{code-cell} ipython3\ntext = '''\n:::{exercise}\n:label: gan.no\n:::\n'''\n```"
    box = ":::{%s}\n:label: %s\n\nText.\n:::\n\n"
    kinds = {"prf:lemma": "gan-one", "exercise": "gan.modes", "prf:theorem": "gan-two"}
    written = "".join(box % pair for pair in kinds.items())
    path.write_text(f"{code}\n\n:::{{prf:remark}}\nFirst.\n:::\n\n{written}", "utf-8")
    called = {"gan-one": "Lemma 5.10.2", "gan.modes": "Exercise 5.10.1", "gan-two": "Theorem 5.10.3"}
    assert {label: title for label, (title, _) in boxes(path).items()} == called
    assert read_references(tmp_path).boxes == boxes(path)


def test_equations_are_numbered_within_their_lesson_and_code_has_none(tmp_path):
    path = tmp_path / "05_gan" / "02_dynamics.md"
    path.parent.mkdir()
    code = "```{code-cell} ipython3\ntext = '''\n$$z$$ (gan-three)\n'''\n```"
    path.write_text(f"$$x$$ (gan-one)\n\n{code}\n\n$$\nno\n$$\n\n$$\ny\n$$ (gan-two)\n", "utf-8")
    assert equations(path) == {"gan-one": ("5.2.1", NAME), "gan-two": ("5.2.2", NAME)}
    assert read_references(tmp_path).equations == equations(path)


@pytest.mark.parametrize(
    ("written", "linked"),
    [
        ("A prior, the prior.", "A {term}`prior`, the prior."),
        ("Priors first.", "{term}`Priors <prior>` first."),
        ("the **prior**", "the **{term}`prior`**"),
        ("evidence\nlower bounds, an ELBO", "{term}`evidence\nlower bounds <evidence lower bound>`, an ELBO"),
        ("explicit densities", "{term}`explicit densities <explicit density>`"),
        ("# The prior\n\nA prior.", "# 5.2 The prior\n\nA {term}`prior`."),
    ],
)
def test_the_first_use_of_a_term_is_a_link(written, linked):
    assert text(written) == linked


@pytest.mark.parametrize(
    "written",
    [
        "kl divergence, prioritise, prior-free",
        "`prior` $prior$ [prior](x.md) $$\nprior\n$$ {cite:t}`prior`",
        "| prior |\n|---|\n",
        "The prior, and by hand {term}`priors <prior>`.",
        "The law.",
    ],
)
def test_other_words_formulas_code_links_and_tables_stay_as_they_are(written):
    assert text(written) == written


def test_a_term_is_linked_once_in_a_lesson_and_not_once_in_a_cell():
    linked = "A {term}`prior`.\n\nA prior, an {term}`ELBO <evidence lower bound>`."
    assert text("A prior.", "A prior, an ELBO.") == linked


def test_the_glossary_is_read_with_all_names_of_an_entry():
    entries = "prior\n  What stands\n  before.\n\ncritic\ndiscriminator\n  A network.\n"
    page = f"# Glossary\n\n:::{{glossary}}\n:sorted:\n\n{entries}:::\n"
    assert terms(page) == {"prior": "prior", "critic": "critic", "discriminator": "critic"}


@pytest.fixture
def seconds(monkeypatch):
    """The seconds of reading before they are rounded."""
    monkeypatch.setattr("notebooks.minutes._fives", lambda seconds: seconds)
    return lambda *sources, code=(): minutes(notebook(*sources, code=code))["reading"]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("word " * 180, 60),
        ("$a + b + c$ " * 180, 60),
        ("$$\na b c d\n$$ (gan-one)", 36),
        ("$$x$$ — $$y$$", 72),
        ("*Figure 1. A.*\n\n*Figure 2. B.*", 2 * 24 + 2),
        ("*Figures 1 and 2. A.*", 2 * 24 + 5 / 3),
        ("*Figure 1. Explorer.*", 60 + 1),
    ],
)
def test_the_minutes_of_reading_follow_the_rule(source, wanted, seconds):
    assert seconds(source) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("code", "tags", "lines"),
    [
        ("a = 1\n\nb = 2", [], 2),
        ("a = 1", ["hide-input"], 0),
        ("a = 1", ["remove-cell"], 0),
        ("def f(x):\n    ...", ["exercise"], 0),
        ('check("gan.modes", modes)', [], 0),
        ("import torch\nfrom gmcourse import show\n\nshow.use_style()", [], 0),
        ("import torch\ntorch.manual_seed(0)", [], 2),
        ("%pip install x", [], 1),
    ],
)
def test_visible_lines_of_code_are_read_and_hidden_ones_are_not(code, tags, lines, seconds):
    found = notebook("")
    found.cells.append(new_code_cell(code, metadata={"tags": tags}))
    assert minutes(found)["reading"] == 4 * lines


@pytest.mark.parametrize(("words", "wanted"), [(0, 0), (1, 5), (900, 5), (901, 10)])
def test_minutes_are_rounded_up_to_fives(words, wanted):
    assert minutes(notebook("word " * words))["reading"] == wanted


def test_exercises_take_five_minutes_a_point_and_their_prompts():
    prompt = ":::{exercise} Count\n:label: gan.modes\n\n%s\n:::"
    points = EXERCISES["gan.modes"].points
    assert minutes(notebook(prompt % "")) == {"reading": 0, "exercises": 5 * points + 5}
    assert minutes(notebook(prompt % ("word " * 1000)))["exercises"] == 5 * points + 10
    with pytest.raises(ValueError, match="'gan.none'"):
        minutes(notebook(prompt.replace("modes", "none") % ""))


def test_the_line_of_what_it_takes_gets_its_numbers():
    assert text("|reading| and |exercises| minutes", "word " * 1000) == "10 and 0 minutes\n\n" + "word " * 1000
