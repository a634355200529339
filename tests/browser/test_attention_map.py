"""The attention map, by mouse and by keyboard in a page from disk."""

import json

import pytest
import torch

from gmcourse import show
from gmcourse.autoregressive.translator import Translator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROOT = ".gm-attention-map"


@pytest.fixture
def page(chromium, page_with):
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    torch.manual_seed(0)
    model = Translator(61, 8, 6, width=8, heads=2)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    page.goto(page_with(show.AttentionMap(model)))
    page.locator(f"{ROOT} .gm-word").first.wait_for()
    yield page
    context.close()


def state(page):
    return json.loads(page.locator(ROOT).get_attribute("data-state"))


def numbers(page):
    return [float(text) for text in page.locator(f"{ROOT} .gm-number").all_inner_texts()]


def test_pointing_and_arrow_keys_choose_a_word_and_show_its_weights(page):
    words = page.locator(f"{ROOT} .gm-word")
    words.first.hover()
    assert state(page)["at"] == 0
    assert numbers(page) == pytest.approx(state(page)["weights"], abs=0.006)
    words.first.focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["at"] == 1
    assert words.nth(1).get_attribute("aria-pressed") == "true"
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert state(page)["at"] == words.count() - 1
    assert " looks at " in words.last.get_attribute("aria-label")
    assert sum(state(page)["weights"]) == pytest.approx(1)


def test_a_number_is_typed_or_stepped_to_and_a_head_chosen(page):
    field = page.get_by_role("spinbutton", name="Number")
    assert page.locator(f"{ROOT} .gm-name").all_inner_texts() == ["three", "hundred", "forty", "seven"]
    mean = state(page)["weights"]
    page.get_by_label("Weights of").select_option("head 2")
    assert state(page)["weights"] != mean
    page.get_by_role("button", name="The next number").click()
    assert state(page)["number"] == 348
    field.fill("20")
    assert page.locator(f"{ROOT} .gm-name").all_inner_texts() == ["twenty"]
    field.fill("10000")
    assert field.get_attribute("aria-invalid") == "true"
    assert state(page)["number"] == 20
    assert page.get_by_role("status").inner_text().startswith("twenty → ")
