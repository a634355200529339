"""The three fits, moved by mouse, finger and keyboard in a page from disk."""

import json

import pytest

from gmcourse import show

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ROOT = ".gm-three-fits"


@pytest.fixture
def opened(screen, page_with):
    """Opens the explorer in a page from disk, on a screen of the given size."""

    def open_page(width, dark=False, **options):
        page = screen(page_with(show.ThreeFits(3, 0.7, start=(2.5, 1)), dark=dark), width, 900, **options)
        page.locator(f"{ROOT} .gm-knob").first.wait_for()
        return page

    return open_page


def state(page):
    return json.loads(page.locator(ROOT).get_attribute("data-state"))


def drag(page, selector, right, up):
    box = page.locator(f"{ROOT} {selector}").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y - up, steps=3)
    page.mouse.up()


def wait_for_end(page):
    page.wait_for_function(f"JSON.parse(document.querySelector('{ROOT}').dataset.state).mode === 'ended'")


def test_play_pause_step_and_back(opened):
    page = opened(1000)
    assert state(page)["mode"] == "best"
    page.get_by_role("button", name="Play").click()
    assert "Descending from m = 2.50, σ = 1.00." in page.get_by_role("status").inner_text()
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Pause").click()
    paused = state(page)
    assert paused["mode"] == "under way"
    page.get_by_role("button", name="Step").click()
    assert state(page)["steps"] == paused["steps"] + 1
    page.get_by_role("button", name="Play").click()
    wait_for_end(page)
    assert state(page)["places"][1] == pytest.approx([2.973, 0.0372], abs=1e-3)
    assert "at 1.197 where 0.354 is possible" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="To the start").click()
    assert state(page)["places"] == [[2.5, 0]] * 3
    page.get_by_role("button", name="Best fits").click()
    assert state(page)["places"][1] == pytest.approx([-2.9905, 0.01456], abs=1e-3)


def test_the_picture_is_dragged(opened):
    page = opened(1000)
    before = state(page)
    drag(page, ".gm-hill .gm-knob >> nth=1", -30, 0)
    assert state(page)["a"] < before["a"]
    drag(page, ".gm-hill .gm-knob >> nth=0", 0, -40)
    assert state(page)["w"] < before["w"]
    drag(page, ".gm-start .gm-knob", -140, 0)
    after = state(page)
    assert after["start"][0] < 0
    assert after["mode"] == "start"
    assert after["places"] == [[after["start"][0], 0]] * 3


def test_the_sliders_speak_and_obey_the_keyboard(opened):
    page = opened(1000)
    slider = page.get_by_role("slider", name="half distance a")
    assert slider.get_attribute("aria-valuetext") == "a = 3.00"
    slider.focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "a = 2.60"
    row = page.locator(f"{ROOT} tr.gm-js td").last
    assert row.inner_text() == "both hills"
    assert "Jensen–Shannon on both hills" in page.get_by_role("status").inner_text()
    page.get_by_role("slider", name="left hill’s share w").focus()
    page.keyboard.press("Home")
    assert state(page)["w"] == 0.05
    page.keyboard.press("End")
    assert state(page)["w"] == 0.95
    page.wait_for_function("document.querySelector('.gm-switches').textContent.startsWith('At w = 95 %')")
    for name in ("start: m", "start: σ"):
        page.get_by_role("slider", name=name).focus()
        page.keyboard.press("ArrowRight")
    assert state(page)["start"] == [2.6, 1.1]


def test_calm_readers_see_the_end_at_once(opened):
    page = opened(1000, reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(300)
    assert state(page)["mode"] == "ended"


@pytest.mark.parametrize("dark", [False, True])
def test_phone(opened, dark):
    page = opened(390, dark, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Step").tap()
    assert state(page)["steps"] == 1
    for button in page.locator(f"{ROOT} button").all():
        assert button.bounding_box()["height"] >= 24
