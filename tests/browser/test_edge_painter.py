"""The edge painter, drawn on by mouse and by keyboard in a page from disk."""

import pytest
import torch

from gmcourse import show
from gmcourse.gan.pix2pix import PictureGenerator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ROOT = ".gm-edge-painter"


@pytest.fixture
def painters():
    torch.manual_seed(0)
    return {name: PictureGenerator(1, 3, 4, 1).eval() for name in ("first", "second")}


@pytest.fixture
def page(chromium, page_with, painters):
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    page.goto(page_with(show.EdgePainter(painters, torch.stack([torch.zeros(8, 8), torch.full((8, 8), 0.5)]))))
    page.locator(f"{ROOT} .gm-board svg").wait_for()
    yield page
    context.close()


def shown(page):
    """The outline, z, and what is painted."""
    script = f"""() => {{
      const {{ image, z, painted }} = document.querySelector("{ROOT}").shown;
      return [Array.from(image), z, painted.map((colours) => Array.from(colours))];
    }}"""
    return map(torch.tensor, page.evaluate(script))


def agrees(page, painters):
    image, z, painted = shown(page)
    with torch.no_grad():
        expected = [net(image.view(1, 1, 8, 8), z[None]) for net in painters.values()]
    return torch.allclose(painted.view(2, 3, 8, 8), torch.cat(expected), atol=1e-4)


def test_a_stroke_is_painted_at_once_and_new_noise_paints_anew(page, painters):
    box = page.locator(f"{ROOT} .gm-board svg").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 20, middle[1])
    page.mouse.up()
    image, z, _ = shown(page)
    assert image.max() > 0.5
    assert agrees(page, painters)
    page.get_by_role("button", name="New noise z").click()
    _, again, _ = shown(page)
    assert not torch.equal(z, again)
    assert agrees(page, painters)
    assert "k = " in page.locator(f"{ROOT} .gm-painted .gm-caption").first.inner_text()


def test_keyboard_and_buttons(page, painters):
    page.locator(f"{ROOT} .gm-board svg").focus()
    for key in ("ArrowDown", "ArrowRight", "Space"):
        page.keyboard.press(key)
    image, _, _ = shown(page)
    assert image.nonzero().flatten().tolist() == [9]
    page.get_by_role("button", name="Next digit").press("Enter")
    image, _, _ = shown(page)
    assert image.min() == 0.5
    assert agrees(page, painters)


def test_on_a_phone_nothing_is_wider_than_the_screen(chromium, page_with, painters):
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(page_with(show.EdgePainter(painters, torch.zeros(1, 8, 8)), dark=True))
    page.locator(f"{ROOT} .gm-board svg").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
