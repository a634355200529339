"""The spline editor, moved by mouse, finger and keyboard in a page from disk."""

import json
import re

import pytest

from gmcourse import show

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
def opened(screen, page_with):
    """Opens the editor in a page from disk, on a screen of the given size."""

    def open_page(width, **options):
        editor = show.SplineEditor([-3, -1.6, 0, 1.4, 3], [-3, -0.7, 0, 0.8, 3], [1, 1.6, 0.15, 1.6, 1])
        page = screen(page_with(editor), width, 900, **options)
        page.locator(".gm-spline-editor .gm-knot").first.wait_for()
        return page

    return open_page


def knots(page):
    return json.loads(page.locator(".gm-spline-editor").get_attribute("data-knots"))


def drag(page, selector, right, up):
    box = page.locator(f"{selector} .gm-knob").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y - up, steps=3)
    page.mouse.up()


def curves(page):
    return [path.get_attribute("d") for path in page.locator(".gm-spline-editor .gm-line").all()]


def test_mouse_and_keyboard(opened):
    page = opened(900)
    before, drawn = knots(page), curves(page)
    drag(page, ".gm-knot", 15, 25)
    after = knots(page)
    assert after[1][0] > before[1][0]
    assert after[1][1] > before[1][1]
    assert after[2:] == before[2:]
    assert all(new != old for new, old in zip(curves(page), drawn, strict=True))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    x, z, slope = knots(page)[1]
    assert [x, z] == pytest.approx([after[1][0] - 0.1, after[1][1] - 0.1], abs=1e-3)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    assert knots(page)[1] == pytest.approx([x, z, slope * 2**0.25], abs=1e-3)
    page.keyboard.press("Home")
    assert knots(page)[1][2] == 1
    drag(page, ".gm-slope", -10, 30)
    assert knots(page)[1][2] > 1
    assert "area under the density 1.00" in page.locator(".gm-status").inner_text()
    page.get_by_role("button", name="Straight").click()
    assert all(z == x and slope == 1 for x, z, slope in knots(page))
    page.get_by_role("button", name="As it was").click()
    assert knots(page) == before


def test_a_knot_pulled_too_far_stays_below_the_next(opened):
    page = opened(900)
    drag(page, ".gm-knot", 500, 500)
    x, z, _ = zip(*knots(page), strict=True)
    assert list(x) == sorted(set(x))
    assert list(z) == sorted(set(z))


def test_phone(opened):
    page = opened(390, has_touch=True)
    assert page.locator(".gm-spline-editor").bounding_box()["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("Knot 1 of", "Slope at knot 1 of"):
        assert page.get_by_role("slider", name=re.compile(f"^{name}")).count() == 1
