"""The self-test by mouse, keyboard and finger in a page from disk, in words, and live in JupyterLab."""

import axe
import pytest

from gmcourse import show
from gmcourse.show.self_test.questions import QUESTIONS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
LINKED = "Log-sum-exp (question 2); KL and Jensen (questions 3 and 4)"
LIVE = """
from IPython.display import Markdown
from gmcourse import show
show.SelfTest()
"""


@pytest.fixture
def opened(screen, page_with):
    """A page from disk with the self-test."""

    def open_page(width=900, dark=False, **options):
        page = screen(page_with(show.SelfTest(), dark=dark), width, **options)
        page.locator(".gm-self-test").wait_for()
        return page

    return open_page


def field(page, number):
    return page.locator(".gm-field").nth(number - 1)


def remark(page, number):
    return page.locator(".gm-remark").nth(number - 1).inner_text()


def answer_all(page, **wrong):
    """The right answer everywhere but in the fields q1=…, q2=…."""
    for number, question in enumerate(QUESTIONS, 1):
        field(page, number).fill(wrong.get(f"q{number}", f"{question.answer:g}"))


def verdict(page):
    return page.locator(".gm-verdict").inner_text()


def spoken(page):
    return page.get_by_role("status").inner_text()


def test_by_mouse(opened):
    page = opened()
    field(page, 1).fill("400")
    page.get_by_role("button", name="Mark question 1", exact=True).click()
    assert remark(page, 1) == "Right."
    assert verdict(page) == "1 of 10 so far."
    answer_all(page, q2="", q3="0,3681", q4="abc")
    page.get_by_role("button", name="Mark all").click()  # the last field still has the focus
    assert remark(page, 2) == "No answer yet. Read: Log-sum-exp."
    assert remark(page, 3) == "Not yet. Under which of the two coins is the mean taken? Read: KL and Jensen."
    assert remark(page, 4).startswith("This is not a number that can be read here.")
    assert verdict(page) == f"7 of 10. Read: {LINKED}."
    assert spoken(page) == verdict(page)
    answer_all(page)
    page.get_by_role("button", name="Mark all").click()
    assert verdict(page) == "10 of 10: you can skip this lesson."
    page.get_by_role("button", name="Start again").click()
    assert verdict(page) == ""
    assert {field(page, number).input_value() for number in range(1, 11)} == {""}
    assert page.locator(".gm-remark a").count() == 0
    field(page, 10).fill("0.1625")  # as it was before
    page.locator("h1").click()
    assert remark(page, 10) == "Right."


def test_by_keyboard(opened):
    page = opened()
    page.evaluate("addEventListener('keydown', ({ key }) => (window.heard = (window.heard ?? '') + key))")
    field(page, 1).focus()
    page.keyboard.type("20")
    page.keyboard.press("Enter")
    assert remark(page, 1).startswith("Not yet. Is the standard deviation divided by n")
    assert spoken(page).startswith("Question 1: Not yet.")
    assert field(page, 1).get_attribute("aria-invalid") == "true"
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("400")
    page.keyboard.press("Tab")  # leaving a field marks it
    assert remark(page, 1) == "Right."
    assert field(page, 1).get_attribute("aria-invalid") == "false"
    page.keyboard.press("Enter")  # on "Mark"
    page.keyboard.press("Tab")
    assert field(page, 2).evaluate("(element) => element === document.activeElement")
    assert set(page.evaluate("window.heard").replace("Tab", "").replace("Control", "").replace("Meta", "")) <= {"a"}
    page.get_by_role("button", name="Mark all").press(" ")
    assert verdict(page).startswith("1 of 10. Read: Log-sum-exp (question 2)")


def test_every_field_is_named_and_described(opened):
    page = opened()
    answer_all(page, q5="4")
    page.get_by_role("button", name="Mark all").click()
    for number, question in enumerate(QUESTIONS, 1):
        name = f"{number}. {question.text}".replace("\N{NO-BREAK SPACE}", " ")
        described = page.get_by_role("textbox", name=name, exact=True).get_attribute("aria-describedby").split()
        assert [page.locator(f"#{one}").inner_text() for one in described] == [question.wanted, remark(page, number)]
    assert "Did you learn anything" in remark(page, 5)


def test_phone(opened):
    page = opened(390, has_touch=True)
    answer_all(page, q1="20", q2="-inf", q6="nothing", q10="")
    page.get_by_role("button", name="Mark all").tap()
    assert verdict(page).startswith("6 of 10. Read: Monte Carlo and its error (question 1)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in page.locator(".gm-self-test :is(button, input)").all():
        box = part.bounding_box()
        assert min(box["width"], box["height"]) >= 24


@pytest.mark.parametrize("theme, width", axe.SCREENS)
def test_axe_finds_nothing(opened, theme, width):
    if not axe.AXE.exists():
        pytest.skip("axe-core is not under node_modules: npm ci")
    page = opened(width, dark=theme == "dark")
    answer_all(page, q1="20", q4="abc", q7="")
    page.get_by_role("button", name="Mark all").click()
    page.add_script_tag(path=axe.AXE)
    assert page.evaluate(axe.ASK, axe.TAGS) == []


def test_a_link_leads_to_the_anchor_or_else_to_the_heading(opened):
    page = opened()
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend", `<div style="height: 3000px"></div>
        <section id="log-sum-exp"><h2>1.2 Log-sum-exp</h2></section><div style="height: 3000px"></div>
        <h2 data-jupyter-id="KL-and-Jensen">KL and Jensen<a href="#KL-and-Jensen">¶</a></h2>`)"""
    )
    page.get_by_role("button", name="Mark all").click()
    page.locator(".gm-verdict").get_by_text("Log-sum-exp").click()
    assert page.url.endswith("#log-sum-exp")
    page.wait_for_function("Math.abs(document.querySelector('section').getBoundingClientRect().top) < 5")
    field(page, 1).fill("400")  # marked when it is left, which writes the verdict anew under the mouse
    page.locator(".gm-verdict").get_by_text("KL and Jensen").click()
    page.wait_for_function("document.activeElement.matches('[data-jupyter-id]')")
    assert page.locator("[data-jupyter-id]").evaluate("(heading) => heading.getBoundingClientRect().top < innerHeight")
    page.locator(".gm-verdict").get_by_text("Nats and bits").click()  # none in this page: its address changes alone
    assert page.url.endswith("#nats-and-bits")


def test_in_jupyterlab(live_notebook, run_cell):
    page = live_notebook("selftest.ipynb", LIVE, "Markdown('# Tall\\n' + 60 * 'line\\n\\n' + '## KL and Jensen')")
    run_cell(page, 1)
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    page.locator(".gm-field").nth(2).click()
    page.keyboard.type("0.3681")  # as shortcuts, digits would do other things to the cell
    page.keyboard.press("Enter")
    assert remark(page, 3) == "Not yet. Under which of the two coins is the mean taken? Read: KL and Jensen."
    page.locator(".gm-remark a").click()
    page.wait_for_function("document.activeElement.matches('h2')")
    heading = page.locator(".jp-Notebook h2")
    assert heading.evaluate("(one) => one.getBoundingClientRect().top") < 1000
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
