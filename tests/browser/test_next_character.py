"""The next character, typed and drawn in a page from disk."""

import json

import pytest
import torch

from gmcourse import show
from gmcourse.autoregressive.lstm import LSTMLanguageModel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ROOT = ".gm-next-character"
ALPHABET = "\n abcdefghijklmno"
LIVE = f"""
from gmcourse import show
from gmcourse.autoregressive.lstm import LSTMLanguageModel
show.NextCharacter(LSTMLanguageModel({len(ALPHABET)}, embedding=8, hidden=16), {ALPHABET!r}, context="")
"""


@pytest.fixture
def page(chromium, page_with):
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    page = context.new_page()
    torch.manual_seed(0)
    model = LSTMLanguageModel(len(ALPHABET), embedding=8, hidden=16)
    page.goto(page_with(show.NextCharacter(model, ALPHABET, context="abc ")))
    page.locator(f"{ROOT} table").wait_for()
    yield page
    context.close()


def state(page):
    return json.loads(page.locator(ROOT).get_attribute("data-state"))


def press(page, name):
    page.get_by_role("button", name=name).click()


def test_what_is_typed_is_read_and_no_key_leaves_the_field(page):
    page.evaluate("document.addEventListener('keydown', (event) => (window.heard ??= []).push(event.key))")
    field = page.get_by_role("textbox")
    field.focus()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("bac?\n")
    assert [ALPHABET[code] for code in state(page)["context"]] == list("abc bac\n")
    assert "Left out, since the model does not know them: ?" in page.get_by_role("status").inner_text()
    assert not set(page.evaluate("window.heard ?? []")) & set("bac?")
    assert page.locator(f"{ROOT} .gm-left .gm-title").inner_text() == "After “abc␣bac↵”"
    assert len(page.locator(f"{ROOT} tbody tr").all_inner_texts()) == 11


def test_equal_seeds_draw_equal_texts_and_the_start_comes_back(page):
    drawn = []
    for name in ("Back to the start", "Back to the start", "New seed"):
        press(page, name)
        assert state(page)["drawn"] == ""
        press(page, "Draw one")
        press(page, "Draw 40")
        drawn.append(state(page)["drawn"])
    assert len(drawn[0]) == 41
    assert drawn[0] == drawn[1] != drawn[2]
    assert page.locator(f"{ROOT} .gm-text").inner_text() == "abc " + drawn[2]
    assert "of 38 4-grams distinct" in page.get_by_role("status").inner_text()


def test_greedy_takes_the_likeliest_and_top_1_draws_the_same(page):
    press(page, "Greedy 40")
    greedy = state(page)["drawn"]
    press(page, "Back to the start")
    page.get_by_role("slider", name="Top k").focus()
    page.keyboard.press("Home")
    assert page.get_by_role("slider", name="Top k").get_attribute("aria-valuetext") == "1"
    press(page, "Draw 40")
    assert state(page)["drawn"] == greedy
    assert state(page)["entropy"][1] == pytest.approx(0, abs=1e-12)


def test_the_sliders_sharpen_and_cut(page):
    first = state(page)
    page.get_by_role("slider", name="Nucleus mass a").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    cut = state(page)
    assert cut["choice"]["mass"] == 0.7
    assert 0.7 <= cut["mass"] < first["mass"]
    page.get_by_role("slider", name="Temperature T").focus()
    page.keyboard.press("ArrowLeft")
    assert state(page)["choice"]["t"] == 0.95
    assert state(page)["entropy"][1] < cut["entropy"][1]


def test_what_is_typed_in_jupyterlab_is_no_command_of_the_notebook(live_notebook):
    """d d deletes a cell in command mode, a adds one, Enter edits one, m makes it prose."""
    page = live_notebook("next.ipynb", LIVE, "print('untouched')")
    page.get_by_role("textbox", name="Your text").click()
    page.keyboard.type("dd am\nmab")
    assert "".join(ALPHABET[code] for code in state(page)["context"]) == "dd am\nmab"
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
    page.locator(f"{ROOT} .gm-text").focus()
    page.keyboard.type("dda")
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
