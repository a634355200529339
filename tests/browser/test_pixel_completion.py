"""Pixel completion, painted by mouse and by keyboard in a page from disk."""

import json

import pytest
import torch

from gmcourse import show
from gmcourse.autoregressive.pixelcnn import PixelCNN

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ROOT = ".gm-pixel-completion"


@pytest.fixture
def page(chromium, page_with):
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    torch.manual_seed(0)
    model = PixelCNN((1, 6, 6), width=8, blocks=1)
    page.goto(page_with(show.PixelCompletion(model, torch.stack([torch.zeros(1, 6, 6), torch.ones(1, 6, 6)]), rows=3)))
    page.locator(f"{ROOT} .gm-board svg").wait_for()
    yield page
    context.close()


def state(page):
    return json.loads(page.locator(ROOT).get_attribute("data-state"))


def inked(page):
    return [place for place, ink in enumerate(state(page)["image"]) if ink]


def place(page, row, column):
    box = page.locator(f"{ROOT} .gm-board svg").bounding_box()
    cell = box["width"] / 6.2
    return box["x"] + (column + 0.6) * cell, box["y"] + (row + 0.6) * cell


def test_a_stroke_of_the_mouse_paints_and_a_second_takes_away(page):
    for expected in ([7, 8, 9], []):
        page.mouse.move(*place(page, 1, 1))
        page.mouse.down()
        page.mouse.move(*place(page, 1, 3), steps=6)
        page.mouse.up()
        assert inked(page) == expected


def test_below_the_line_nothing_is_painted(page):
    page.mouse.click(*place(page, 4, 2))
    assert inked(page) == []


def test_the_keyboard_moves_the_cursor_and_paints(page):
    page.locator(f"{ROOT} .gm-board svg").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Space", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert inked(page) == [8, 14]
    assert page.locator(f"{ROOT} .gm-board svg").get_attribute("aria-label") == "Row 3, column 3: ink"


def test_other_ways_the_next_digit_and_clear(page):
    first = state(page)
    page.get_by_role("button", name="Other ways").click()
    assert state(page)["drawn"] != first["drawn"]
    assert state(page)["given"] == first["given"]
    page.get_by_role("button", name="Next digit").click()
    assert len(inked(page)) == 36
    page.get_by_role("button", name="Clear").click()
    assert inked(page) == []


def test_the_slider_says_how_many_rows_are_given(page):
    page.get_by_role("slider", name="Rows that you draw").focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["rows"] == 4
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "4 rows"
    assert page.get_by_role("status").inner_text().startswith("ln p(your 4 rows) = −")
