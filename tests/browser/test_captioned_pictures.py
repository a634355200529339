"""Captioned pictures in a page from disk: a caption is typed or picked, and what is drawn is the notebook's tensor."""

import io

import axe
import numpy as np
import pytest
import torch
from PIL import Image

from gmcourse import show

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
GROUPS = [["one", "two", "three"], ["upper left", "lower right"]]
CAPTIONS = [f"a {digit}, {place}" for digit in GROUPS[0] for place in GROUPS[1]]
PICTURES = torch.rand(6, 2, 3, 5, 4, generator=torch.Generator().manual_seed(0)).round()
FIELD = ".gm-captioned .gm-field"


@pytest.fixture
def opened(screen, page_with):
    """A page from disk with the six captions, the fifth marked."""

    def open_page(width=900, dark=False, **options):
        marked = torch.arange(6) == 4
        widget = show.CaptionedPictures(PICTURES, GROUPS, CAPTIONS, marked=marked, mark="never shown", index=1)
        page = screen(page_with(widget, dark=dark), width, **options)
        page.locator(".gm-captioned").wait_for()
        return page

    return open_page


def drawn(page) -> list[list]:
    """The pictures as they are seen, the middle of each of their 4 × 5 pixels, as (3, 5, 4) of 0 and 1."""
    pictures = []
    for tile in page.locator(".gm-tile").all():
        seen = np.asarray(Image.open(io.BytesIO(tile.screenshot())).convert("RGB"))
        across, down = seen.shape[1] // 4, seen.shape[0] // 5
        middles = seen[down // 2 :: down, across // 2 :: across][:5, :4] / 255
        pictures.append(middles.transpose(2, 0, 1).round().tolist())
    return pictures


def shows(page, index: int, told: str | None = None):
    """Number, field, choices, words and pixels are those of one caption."""
    assert page.locator(".gm-captioned").get_attribute("data-index") == str(index)
    assert page.locator(FIELD).input_value() == CAPTIONS[index]
    chosen = [int(select.input_value()) for select in page.locator(".gm-captioned select").all()]
    assert chosen == [index // 2, index % 2]
    assert page.get_by_role("status").inner_text() == (told or CAPTIONS[index])
    assert page.get_by_role("img").get_attribute("aria-label") == f"2 pictures drawn for “{CAPTIONS[index]}”"
    assert drawn(page) == PICTURES[index].tolist()


def typed(page, text: str):
    page.locator(FIELD).fill(text)
    page.keyboard.press("Enter")


def test_a_typed_caption_draws_its_pictures(opened):
    page = opened()
    shows(page, 1)
    typed(page, "RIGHT lower, please: a Three")
    shows(page, 5)
    typed(page, "a three, upper left")
    shows(page, 4, "a three, upper left: never shown")
    page.locator(FIELD).fill("one, upper left")
    page.locator(".gm-hint").click()  # the field is left without Enter
    shows(page, 0)


def test_unknown_words_are_answered_and_draw_nothing(opened):
    page = opened()
    for text, missing in (("a nine, upper left", "one, two, three"), ("two", "upper left, lower right")):
        typed(page, text)
        assert page.get_by_role("status").inner_text() == f"No such words; one of these is missing: {missing}."
        assert page.locator(FIELD).input_value() == text  # to be mended
        assert page.locator(".gm-captioned").get_attribute("data-index") == "1"
        assert drawn(page) == PICTURES[1].tolist()
    typed(page, "two, lower right")
    shows(page, 3)


def test_by_keyboard(opened):
    page = opened()
    page.evaluate("addEventListener('keydown', (e) => e.key !== 'Tab' && !e.ctrlKey && (window.heard = e.key))")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("a two, lower right")
    page.keyboard.press("Enter")
    shows(page, 3)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    shows(page, 5)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    shows(page, 4, "a three, upper left: never shown")
    assert page.evaluate("window.heard") is None  # letters would be JupyterLab's commands


def test_words_are_picked(opened):
    page = opened()
    page.get_by_label("Words 1 of 2").select_option("three")
    shows(page, 5)
    page.get_by_label("Words 2 of 2").select_option("upper left")
    shows(page, 4, "a three, upper left: never shown")


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(opened, dark):
    if not axe.AXE.exists():
        pytest.skip("axe-core is not under node_modules: npm ci")
    page = opened(dark=dark)
    page.add_script_tag(path=str(axe.AXE))
    assert page.evaluate(axe.ASK, axe.TAGS) == []


def test_phone(opened):
    page = opened(390, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in page.locator(".gm-captioned :is(input, select)").all():
        assert part.bounding_box()["height"] >= 24
