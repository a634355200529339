"""The family tree, asked by mouse, keyboard and finger in a page from disk, and live in JupyterLab."""

import re

import axe
import pytest

from gmcourse import show
from gmcourse.catalogue import CATALOGUE
from gmcourse.family_tree import family_tree

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
LIVE = """
from gmcourse import show
from gmcourse.catalogue import find
from gmcourse.family_tree import family_tree
tree = show.FamilyTree(tree=family_tree([find("planar-flow"), find("gan")]))
display(tree)
"""


@pytest.fixture(scope="module")
def tree():
    return family_tree()


@pytest.fixture
def opened(chromium, page_with, tree):
    """Opens the tree in a page from disk, on a screen of the given size; every page of the book lies beside it."""
    contexts = []

    def open_page(width, dark=False, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: message.type in ("error", "warning") and page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(page_with(show.FamilyTree(tree=tree), dark=dark))
        page.evaluate("document.documentElement.dataset.content_root = '../'")
        page.locator(".gm-family-tree .gm-model").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert page.said == []
        context.close()


def leaves(branches):
    return [leaf for branch in branches for leaf in (leaves(branch["branches"]) if "branches" in branch else [branch])]


def answering(tree, question):
    return [m["name"] for leaf in leaves(tree["branches"]) for m in leaf["models"] if question in m["answers"]]


def lit(page):
    return page.locator(".gm-model.gm-lit .gm-model-name").all_inner_texts()


def model(page, name):
    return page.get_by_role("button", name=re.compile(f"^{name}(:| .*:) (yes|no)$"))


def focused(page):
    return page.evaluate("document.activeElement.innerText || document.activeElement.value")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_question_lights_the_models_that_can_answer_it_and_says_so(opened, tree, width):
    page = opened(width)
    status = page.locator(".gm-status")
    assert status.get_attribute("aria-live") == "polite"
    for question in tree["questions"]:
        page.locator(".gm-question").filter(has_text=re.compile(f"^{re.escape(question['words'])}$")).click()
        names = answering(tree, question["key"])
        assert lit(page) == names
        assert status.inner_text() == (f"{len(names)} of {len(CATALOGUE)} models can give {question['words']}.")
        assert page.locator(".gm-note").inner_text() == question["note"]
        marks = page.locator(".gm-model").evaluate_all(
            "(all) => all.map((one) => getComputedStyle(one.querySelector('.gm-mark'), '::before').content)"
        )
        assert marks.count('"✓"') == len(names)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_an_answer_costs_stands_beside_the_model_and_in_its_name(opened):
    page = opened(1280)
    assert page.get_by_role("button", name="MAF 1 pass: yes", exact=True).count() == 1
    assert page.get_by_role("button", name="IAF D passes: yes", exact=True).inner_text().split() == [
        "IAF",
        "D",
        "passes",
    ]
    assert page.get_by_role("button", name="GAN: no", exact=True).inner_text() == "GAN"
    page.get_by_role("radio", name="a sample", exact=True).check()
    assert page.get_by_role("button", name="MAF D passes: yes", exact=True).count() == 1


def test_mouse_opens_a_model_with_its_links_and_closes_it(opened, tree):
    page = opened(1280)
    card = page.locator(".gm-card")
    assert not card.is_visible()
    model(page, "IAF").click()
    assert card.get_attribute("aria-label") == "IAF"
    assert "2016 · log p(x) is exact" in card.inner_text()
    assert "log_prob: D passes" in card.inner_text()
    assert page.locator(".gm-verdicts .gm-can").count() == 7
    addresses = {link.inner_text(): link.get_attribute("href") for link in card.get_by_role("link").all()}
    assert addresses == {
        "6.5": "../06_flows/05_autoregressive_flows.html",
        "arXiv:1606.04934": "https://arxiv.org/abs/1606.04934",
        "gmcourse.flows.autoregressive": "../api/flows_splines.html#module-gmcourse.flows.autoregressive",
    }
    assert page.locator(".gm-said").inner_text().startswith("IAF, 2016, log p(x) is exact. It gives a sample (1 pass)")
    model(page, "GAN").click()
    assert card.get_attribute("aria-label") == "GAN"
    assert page.locator(".gm-verdicts .gm-cannot").count() == 5
    page.get_by_role("button", name="Close").click()
    assert not card.is_visible()
    assert focused(page).startswith("GAN")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_does_all_that_the_mouse_does(opened, tree, width):
    page = opened(width)
    page.evaluate("addEventListener('keydown', ({ key }) => key !== 'Tab' && (window.bubbled = key))")
    page.keyboard.press("Tab")
    assert focused(page) == "exact"
    page.keyboard.press("ArrowLeft")
    assert focused(page) == "one-pass"
    assert lit(page) == answering(tree, "one-pass")
    page.keyboard.press("Tab")
    models = [model["name"] for leaf in leaves(tree["branches"]) for model in leaf["models"]]
    assert focused(page).startswith(models[0])
    for key, place in (
        ("ArrowRight", 1),
        ("ArrowDown", 2),
        ("ArrowUp", 1),
        ("End", -1),
        ("ArrowDown", -1),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        assert focused(page).startswith(models[place]), key
    page.keyboard.press("Enter")
    assert page.locator(".gm-card").get_attribute("aria-label") == models[0]
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.keyboard.press("Tab")
    assert focused(page) == "×"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "A"
    page.keyboard.press("Escape")
    assert not page.locator(".gm-card").is_visible()
    assert focused(page).startswith(models[0])
    for key in "ddx":  # JupyterLab's own shortcuts
        page.keyboard.press(key)
    assert page.evaluate("window.bubbled ?? 'none'") == "none"


@pytest.mark.parametrize("dark", [False, True])
def test_a_finger_finds_every_target(opened, tree, dark):
    page = opened(390, dark=dark, has_touch=True)
    assert page.locator(".gm-family-tree").bounding_box()["width"] <= 390
    page.locator(".gm-question").filter(has_text="in one pass").tap()
    assert lit(page) == answering(tree, "one-pass")
    model(page, "Glow").tap()
    assert page.locator(".gm-card").get_attribute("aria-label") == "Glow"
    for target in page.locator(".gm-family-tree button, .gm-family-tree .gm-question").all():
        assert target.bounding_box()["height"] >= 24
    model(page, "Glow").tap()
    assert not page.locator(".gm-card").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(opened, dark):
    if not axe.AXE.exists():
        pytest.skip("axe-core is not under node_modules: npm ci")
    page = opened(1280, dark=dark)
    model(page, "MAF").click()
    page.add_script_tag(path=axe.AXE)
    place = "{include: ['.gm-family-tree'], exclude: ['.gm-links a']}"  # whose colours are those of the book
    found = page.evaluate(f"(tags) => axe.run({place}, {{runOnly: tags}}).then((all) => all.violations)", axe.TAGS)
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_live_with_a_running_kernel(live_notebook, run_cell):
    """The kernel hears what is asked and chosen, keys stay in the explorer, and a link leads to the notebook."""
    page = live_notebook(
        "tree.ipynb", LIVE, "print('kernel sees', tree.question, tree.chosen)\ntree.question = 'latent'"
    )
    page.locator(".gm-family-tree .gm-model").first.wait_for(timeout=60_000)
    page.get_by_role("radio", name="a sample in one pass").check()
    model(page, "Planar flow").click()
    lesson = page.locator(".gm-card a").first
    assert lesson.get_attribute("href") == "../06_flows/01_change_of_variables.ipynb"
    assert lesson.evaluate("(link) => link.href").endswith("/06_flows/01_change_of_variables.ipynb")
    model(page, "Planar flow").focus()
    for key in "ddx":
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
    run_cell(page, 1)
    page.get_by_text("kernel sees one-pass planar-flow").wait_for(timeout=20_000)
    page.get_by_text("1 of 2 models can give the one latent z of a point x.").wait_for(timeout=20_000)
