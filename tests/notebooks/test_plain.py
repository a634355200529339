"""A lesson's text in plain Markdown: every construct has its form, and what has none is an error."""

import re
from dataclasses import replace

import pytest
from notebooks.plain import plain
from notebooks.references import Paper, References
from sphinx.util.nodes import _make_id

HERE, THERE = "05_gan/02_dynamics", "06_flows/01_change"
PAPERS = {
    "one": Paper("Kingma and Welling", "2014", "https://one.org"),
    "two": Paper("Burda et al.", "2016", ""),
}
KNOWN = References(
    {"gan-value": ("5.2.1", HERE), "flows-change": ("6.1.4", THERE)},
    {"gan-nash": ("Theorem 5.2.1", HERE), "flows-sum": ("Lemma 6.1.2", THERE)},
    PAPERS,
    {"KL divergence": "KL divergence", "ELBO": "evidence lower bound", "Fréchet distance": "Fréchet distance"},
    {"gmcourse.gan": "api/gan.html", "gmcourse.gan.dirac": "api/gan_dirac.html"},
)
ONLINE = replace(KNOWN, repository="https://example.org/c", book="https://example.org/b")


@pytest.mark.parametrize(
    ("myst", "wanted"),
    [
        ("$$x = 1$$ (gan-value)", r"$$x = 1 \tag{5.2.1}$$"),
        ("$$\nx = 1 .\n$$ (gan-value)", "$$\nx = 1 . \\tag{5.2.1}\n$$"),
        ("$$\ny\n$$\n\n$$\nx\n$$ (gan-value)", "$$\ny\n$$\n\n$$\nx \\tag{5.2.1}\n$$"),
        ("By {eq}`gan-value` and {eq}`flows-change`.", "By (5.2.1) and [(6.1.4)](../06_flows/01_change.ipynb)."),
        ("{cite:t}`one` and {cite:t}`two`", "[Kingma and Welling (2014)](https://one.org) and Burda et al. (2016)"),
        ("{cite:p}`one, two`", "([Kingma and Welling, 2014](https://one.org), Burda et al., 2016)"),
        ("{py:func}`gmcourse.gan.dirac.orbit`, {py:mod}`~gmcourse.gan`", "`gmcourse.gan.dirac.orbit`, `gan`"),
        ("two {term}`KL\ndivergences <KL divergence>`, {term}`ELBO`", "two KL divergences, ELBO"),
        (
            "[before](01_game.md), [from the top](/05_gan/01_game.md)",
            "[before](01_game.ipynb), [from the top](01_game.ipynb)",
        ),
        ("[far](../06_flows/01_change.md)", "[far](../06_flows/01_change.ipynb)"),
        (
            "[signs](../notation.md) and [a site](https://example.org/x.md)",
            "signs and [a site](https://example.org/x.md)",
        ),
        (
            ":::{admonition} Exercise 5.2.1. Count\n:class: exercise\n:name: gan.modes\n\n"
            "Both $a +\nb$ and\n\n- one\n  line\n- two\n:::",
            "> ### Exercise 5.2.1. Count\n>\n> Both $a + b$ and\n>\n> - one line\n> - two",
        ),
        (":::{note}\nShort.\n:::", "> ### Note\n>\n> Short."),
        ("{ref}`Theorem 5.2.1 <gan-nash>`, {ref}`it <flows-sum>`", "Theorem 5.2.1, [it](../06_flows/01_change.ipynb)"),
        (
            ":::{admonition} Theorem 5.2.1\nThat\n\n$$\nx = 1 ,\n$$ (gan-value)\n\n$$y$$\n\nand\n$$\nz\n$$\n:::",
            "> ### Theorem 5.2.1\n>\n> That\n>\n> $$ x = 1 , \\tag{5.2.1} $$\n>\n> $$y$$\n>\n> and $$ z $$",
        ),
        ("`{{ x }}` $\\tilde{x}){n}$ `[^a]`", "`{{ x }}` $\\tilde{x}){n}$ `[^a]`"),
        ("```python\n% :::{x}\n```", "```python\n% :::{x}\n```"),
    ],
)
def test_each_construct_has_its_plain_form(myst, wanted):
    assert plain(myst, HERE, KNOWN) == wanted


@pytest.mark.parametrize(
    ("myst", "wanted"),
    [
        ("{py:func}`~gmcourse.gan.dirac.orbit`", "[`orbit`](B/api/gan_dirac.html#gmcourse.gan.dirac.orbit)"),
        ("{py:class}`~gmcourse.gan.GAN`", "[`GAN`](B/api/gan.html#gmcourse.gan.GAN)"),
        ("{py:func}`torch.autograd.grad`", "`torch.autograd.grad`"),
        ("the {term}`ELBO`", "the [ELBO](B/notation.html#term-evidence-lower-bound)"),
        ("[signs](../notation.md#colours)", "[signs](B/notation.html#colours)"),
    ],
)
def test_where_the_book_has_an_address_links_lead_there(myst, wanted):
    assert plain(myst, HERE, ONLINE) == wanted.replace("B/", "https://example.org/b/")


@pytest.mark.parametrize(
    ("myst", "construct"),
    [
        ("{eq}`gan-nothing`", "'gan-nothing'"),
        ("$$x$$ (gan-nothing)", "'gan-nothing'"),
        ("{cite:t}`nobody`", "'nobody'"),
        ("{ref}`there`", "{ref}`there`"),
        ("{math}`x`", "{math}`x`"),
        (":::{figure} a.png\nA caption.\n:::", "{figure}"),
        (":::{note} Title\nShort.\n:::", "'Title', expected none"),
        ("- One\n\n  :::{note}\n  Two.\n  :::", ":::{note}"),
        ("::::{note}\n:::{tip}\nTwo.\n:::\n::::", ":::{tip}"),
        ("> ```{note}\n> This.\n> ```", "```{note}"),
        ("![a plot](plot.png)", "a cell that draws the figure"),
        ("A note.[^one]", "[^one]"),
        ("[a][b]\n\n[b]: https://example.org", "[b]: https://example.org"),
        ('[a](01_game.md "title")', '](01_game.md "title")'),
        ("[there](01_game.md#end)", "](01_game.ipynb#end)"),
        ("[there](#end)", "](#end)"),
        ("- one\n\n  $$\n  x\n  $$ (gan-value)", "$$ (gan-value)"),
        ("> $$x$$ (gan-value)", "$$ (gan-value)"),
        ("\\begin{align}\nx\n\\end{align}", "\\begin{align}"),
        ("$$\nx \\label{gan-value}\n$$", "\\label{gan-value}"),
        ("by \\eqref{gan-value}", "\\eqref{gan-value}"),
        ("word\n: what it means", ": what it means"),
        ("% for authors", "% for authors"),
        ("{.lead}\nText.", "{.lead}"),
        ("{{ name }}", "{{ name }}"),
        (":::{note}\nNever closed.", ":::{note}"),
        ("```{note}\nThis.\n```", "```{note}"),
        ("(a-target)=\n\n# Title", "(a-target)="),
        ("[blue]{.tag-data}", "]{.tag-data}"),
        (":::{note}\n```\ncode\n```\n:::", "expected it in a cell"),
    ],
)
def test_what_has_no_plain_form_is_an_error(myst, construct):
    with pytest.raises(ValueError, match=re.escape(construct)):
        plain(myst, HERE, KNOWN)


@pytest.mark.parametrize("term", ["KL divergence", "Fréchet distance", "ELBO", "score-function gradient"])
def test_a_terms_address_is_the_one_that_sphinx_gives_it(term):
    shown = plain(f"{{term}}`{term}`", HERE, replace(ONLINE, terms={term: term}))
    assert shown == f"[{term}](https://example.org/b/notation.html#term-{_make_id(term)})"
