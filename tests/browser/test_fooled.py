"""The fooled metrics, fooled by mouse and by keyboard in a page from disk."""

import json

import pytest
import torch

from gmcourse import show
from gmcourse.data import load

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ROOT = ".gm-fooled"
MOONS = load("two-moons").density.sample(1500, rng=torch.Generator().manual_seed(0))


@pytest.fixture
def opened(screen, page_with):
    def open_page(width=900, dark=False, **options):
        explorer = show.FooledMetrics(MOONS[:150], MOONS[150:300], MOONS[300:])
        page = screen(page_with(explorer, dark=dark), width, 1000, **options)
        page.locator(f"{ROOT} .gm-stage").wait_for()
        return page

    return open_page


def told(page, name):
    return page.locator(ROOT).get_attribute(f"data-{name}")


def values(page):
    return json.loads(told(page, "values"))


def test_the_keyboard_alone_fools_all_four(opened):
    page = opened()
    assert told(page, "met") == ""
    page.get_by_role("radio", name="a Gaussian of the data’s moments").check()
    assert told(page, "met") == "shape"
    page.get_by_role("radio", name="the training points").press("Space")
    assert told(page, "met") == "shape copies"
    assert values(page)["nearer"] == 1
    assert "Fooled: learned by heart. 2 of 4 done." in page.locator(f"{ROOT} .gm-status").inner_text()
    page.get_by_role("button", name="As it was").press("Enter")
    width, strewn = (page.get_by_role("slider", name=name) for name in ("width", "strewn anywhere"))
    for slider, keys in ((width, ["Home", "ArrowRight", "ArrowRight"]), (strewn, ["ArrowRight"] * 3)):
        for key in keys:
            slider.press(key)
    assert strewn.get_attribute("aria-valuetext") == "5 % of the fakes"
    assert "strewn" in told(page, "met")
    strewn.press("Home")
    width.press("Home")
    page.get_by_role("button", name="One real point far out").press("Enter")
    page.locator(f"{ROOT} .gm-stage").focus()
    for key in ["ArrowRight", "ArrowUp"] * 30:
        page.keyboard.press(key)
        if "outlier" in told(page, "met"):
            break
    assert "outlier" in told(page, "met")
    assert page.locator(f"{ROOT} .gm-mark", has_text="✓").count() == 4
    page.keyboard.press("Home")
    assert told(page, "at") == "0,0"


def test_the_mouse_moves_the_fakes(opened):
    page = opened()
    box = page.locator(f"{ROOT} .gm-stage svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.1 * box["height"], steps=3)
    page.mouse.up()
    right, up = map(float, told(page, "at").split(","))
    assert right > 0.3
    assert up > 0.3
    assert values(page)["frechet"] > 1
    assert page.locator(f"{ROOT} .gm-now").first.inner_text() == f"{values(page)['frechet']:.2f}"


def test_phone_in_the_dark(opened):
    page = opened(390, dark=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="One real point far out").tap()
    assert page.get_by_role("button", name="One real point far out").get_attribute("aria-pressed") == "true"
