"""The noisy drawing, drawn on by mouse and by keyboard in a page from disk."""

import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.nets import mlp

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ROOT = ".gm-noisy-drawing"


@pytest.fixture
def networks():
    torch.manual_seed(0)
    return {"first": mlp([64, 8, 64], nn.SiLU), "second": mlp([64, 64])}


@pytest.fixture
def page(chromium, page_with, networks):
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    page.goto(page_with(show.NoisyDrawing(networks, torch.stack([torch.zeros(8, 8), torch.full((8, 8), 0.5)]))))
    page.locator(f"{ROOT} .gm-board svg").wait_for()
    yield page
    context.close()


def shown(page):
    """The picture, what is made of it, and the three lengths: as torch tensors and numbers."""
    script = f"""() => Object.fromEntries(Object.entries(document.querySelector("{ROOT}").shown)
        .map(([name, value]) => [name, value.length ? Array.from(value) : value]))"""
    return {name: torch.tensor(value) for name, value in page.evaluate(script).items()}


def place(page, row, column):
    box = page.locator(f"{ROOT} .gm-board svg").bounding_box()
    pixel = box["width"] / 8.2
    return box["x"] + (column + 0.6) * pixel, box["y"] + (row + 0.6) * pixel


def draw_line(page):
    page.mouse.move(*place(page, 3, 1))
    page.mouse.down()
    page.mouse.move(*place(page, 3, 5))
    page.mouse.up()


def test_a_stroke_of_the_mouse_is_drawn_and_denoised_at_once(page, networks):
    draw_line(page)
    now = shown(page)
    assert now["image"].view(8, 8)[3, 1:6].min() > 0.9
    assert now["image"].view(8, 8)[5:].max() == 0
    with torch.no_grad():
        assert torch.allclose(networks["first"](now["noisy"]), now["denoised"], atol=1e-4)
    page.get_by_role("button", name="Erase").click()
    draw_line(page)
    assert shown(page)["image"].view(8, 8)[3, 1:6].max() < 0.1


def test_the_keyboard_moves_the_cursor_and_draws(page):
    board = page.locator(f"{ROOT} .gm-board svg")
    board.focus()
    for key in ("ArrowDown", "ArrowRight", "Space", "ArrowRight", "Space", "Enter"):
        page.keyboard.press(key)
    assert shown(page)["image"].nonzero().flatten().tolist() == [9, 10]
    assert shown(page)["image"][9:11].tolist() == [0.5, 1]
    assert board.get_attribute("aria-label") == "Row 2, column 3: ink 1.00"
    page.keyboard.press("Space")
    assert shown(page)["image"][10] == 0


def test_level_noise_network_and_digit_are_chosen_by_keyboard(page, networks):
    page.get_by_role("button", name="Next digit").press("Enter")
    slider = page.get_by_role("slider", name="Level of the noise")
    before = shown(page)["noise"]
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "σ = 0.55"
    assert shown(page)["noise"] / before == pytest.approx(1.1, abs=1e-4)
    page.get_by_role("radio", name="Gaussian").press("ArrowRight")
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "ν = 1.00"
    now = shown(page)
    assert now["noisy"].abs().max() == 0
    assert now["noise"] == pytest.approx(4)
    assert now["residual"] == pytest.approx(now["denoised"].norm().item(), abs=1e-4)
    assert page.get_by_role("status").inner_text() == (
        f"The residual r(x̃) − x̃ has length {now['residual']:.2f}. "
        f"It brings the noisy picture from 4.00 to {now['left']:.2f} away from yours."
    )
    page.get_by_role("radio", name="first").press("ArrowRight")
    with torch.no_grad():
        assert torch.allclose(networks["second"](torch.zeros(64)), shown(page)["denoised"], atol=1e-4)
    slider.press("ArrowLeft")
    slider.press("PageDown")
    before = shown(page)["noisy"]
    page.get_by_role("button", name="New noise").click()
    assert not torch.equal(shown(page)["noisy"], before)
    page.get_by_role("button", name="Clear").click()
    assert shown(page)["image"].abs().max() == 0


def test_on_a_phone_nothing_is_wider_than_the_screen_and_a_tap_draws(chromium, page_with, networks):
    context = chromium.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(page_with(show.NoisyDrawing(networks["first"], torch.zeros(1, 8, 8)), dark=True))
    page.locator(f"{ROOT} .gm-board svg").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_role("radio").count() == 2
    page.touchscreen.tap(*place(page, 4, 4))
    assert shown(page)["image"].argmax() == 36
    context.close()
