"""The mask painter, pressed by mouse and by keyboard in a page from disk."""

import json

import pytest

from gmcourse import show

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ROOT = ".gm-mask-painter"
BUTTONS = """(buttons) => buttons.map((button) => {
  const { width, height } = button.getBoundingClientRect();
  return [button.getAttribute("aria-label") || button.innerText, [width, height]];
})"""


@pytest.fixture
def opened(chromium, page_with):
    """Opens a painter of a kind: its page."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900})

    def open_page(kind):
        page = context.new_page()
        page.goto(page_with(show.MaskPainter(kind)))
        page.locator(f"{ROOT} .gm-status").wait_for()
        return page

    yield open_page
    context.close()


def state(page):
    return json.loads(page.locator(ROOT).get_attribute("data-state"))


def said(page):
    return page.get_by_role("status").inner_text()


def press(page, group, name, exact=True):
    page.get_by_role("group", name=group, exact=True).get_by_role("button", name=name, exact=exact).click()


def test_the_kernels_open_on_the_blind_wedge_and_depth_does_not_close_it(opened):
    page = opened("kernels")
    assert "sees 21 of 40 pixels before it, misses 19, leaks 0. 6 of the missed cannot be seen at any depth." in said(
        page
    )
    page.get_by_role("slider", name="Layers").focus()
    page.keyboard.press("End")
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "6 layers"
    assert state(page)["count"] == {"seen": 34, "blind": 6, "missed": 6, "leaked": 0, "leaking": 0}
    press(page, "First layer: size of the kernel", "7 × 7")
    assert state(page)["count"]["blind"] == 1


def test_a_tap_of_the_future_leaks_and_is_closed_again(opened):
    page = opened("kernels")
    taps = page.get_by_role("group", name="First layer: taps of the kernel")
    taps.get_by_role("button", name="row 2, column 2, the middle: closed").click()
    assert "leaks 1." in said(page)
    assert "81 of the 81 pixels leak." in said(page)
    assert state(page)["kinds"][40] == "leak"
    taps.get_by_role("button", name="row 2, column 2, the middle: open").click()
    assert "no pixel leaks." in said(page)
    taps.get_by_role("button", name="row 1, column 1: open").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    assert state(page)["first"][8] is True
    assert state(page)["count"]["leaked"] > 0


def test_kinds_of_mask_and_another_pixel(opened):
    page = opened("kernels")
    page.get_by_role("button", name="Masks: B in all layers").click()
    assert state(page)["count"]["leaked"] == 1
    page.get_by_role("button", name="Masks: A in all layers").click()
    assert state(page)["kinds"][39] == "missed"
    page.get_by_role("button", name="Masks: A, then B").click()
    image = page.get_by_role("group", name="Pixels of the image")
    image.get_by_role("button", name="row 5, column 5: the pixel itself, not seen").focus()
    for key in ("ArrowUp", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert state(page)["pixel"] == 30
    assert said(page).startswith("Row 4, column 4, 3 layers: sees 21 of 30 pixels before it")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    assert said(page).startswith("Row 1, column 1, 3 layers: sees 0 of 0 pixels")


def test_two_pixels_swap_their_places_and_the_triangle_stays(opened):
    page = opened("orders")
    before = state(page)
    image = page.get_by_role("group", name="Pixels of the image, with their places")
    image.get_by_role("button", name="row 1, column 1: place 4").click()
    assert said(page).startswith("The pixel at place 4 is held: press another to swap their places.")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert state(page)["places"] == [4, 7, 0, 5, 1, 8, 6, 3, 2]
    assert state(page)["totals"] == before["totals"]
    assert state(page)["held"] is None
    for name, places in (("Raster", list(range(9))), ("Snake", [0, 1, 2, 5, 4, 3, 6, 7, 8])):
        page.get_by_role("button", name=name, exact=True).click()
        assert state(page)["places"] == places
        assert state(page)["totals"] == before["totals"]
    page.get_by_role("button", name="Shuffled", exact=True).click()
    assert sorted(state(page)["places"]) == list(range(9)) != state(page)["places"]


def test_an_output_shows_what_reaches_it_and_the_other_sign_what_leaks(opened):
    page = opened("orders")
    assert (
        "The output at place 6 (row 2, column 1) sees 5 of 5 pixels before it, misses 0, leaks 0; 12 open paths."
        in said(page)
    )
    assert page.locator(f"{ROOT} .gm-line.gm-seen").count() == 12 + 5
    press(page, "Outputs", "Output of row 1, column 3: place 1")
    assert "no open path: a bias alone" in said(page)
    press(page, "Outputs", "Output of row 2, column 1: place 6")
    press(page, "Sign in the last mask", "Last mask: place at least degree")
    assert said(page).endswith("36 of 36 seen, 6 illegal: 6 outputs see their own pixel.")
    assert state(page)["kinds"].count("leak") == 1
    assert page.locator(f"{ROOT} .gm-line.gm-leak").count() == 4
    degrees = state(page)["degrees"]
    page.get_by_role("button", name="Draw other degrees of the hidden units").click()
    after = state(page)
    assert after["degrees"] != degrees
    assert after["degrees"] == sorted(after["degrees"])
    assert after["totals"]["leak"] == len(set(after["degrees"]))


@pytest.mark.parametrize("kind", ["orders", "kernels"])
def test_a_phone_is_wide_enough(opened, kind):
    page = opened(kind)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    buttons = page.locator(f"{ROOT} button").evaluate_all(BUTTONS)
    assert len(buttons) > 20
    assert all(name and min(size) >= 22 for name, size in buttons), buttons
