"""The player by mouse, keyboard and finger in a page from disk."""

import math

import axe
import pytest
import torch

from gmcourse import show

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
NAMES = ["low", "middle", "high"]


def player():
    time = torch.arange(2400) / 4000
    return show.Player([0.5 * torch.sin(2 * math.pi * f * time) for f in (220, 330, 440)], 4000, NAMES)


@pytest.fixture
def opened(screen, page_with):
    """A page from disk with the player."""

    def open_page(width=900, dark=False, **options):
        page = screen(page_with(player(), dark=dark), width, **options)
        page.locator(".gm-player").wait_for()
        return page

    return open_page


def state(page):
    root = page.locator(".gm-player")
    return root.get_attribute("data-chosen"), root.get_attribute("data-playing")


def waits(page, chosen, playing):
    page.wait_for_selector(f'.gm-player[data-chosen="{chosen}"][data-playing="{playing}"]')


def wave(page):
    return page.locator(".gm-panel").first.locator(".gm-line").get_attribute("d")


def test_a_press_plays_and_a_second_one_stops(opened):
    page = opened()
    assert state(page) == ("0", "")
    before = wave(page)
    page.get_by_role("button", name="middle").click()
    waits(page, 1, 1)
    assert wave(page) != before
    assert page.get_by_role("button", name="middle").get_attribute("aria-pressed") == "true"
    page.wait_for_function("Number(document.querySelector('.gm-cursor').getAttribute('x1')) > 20")
    page.get_by_role("button", name="middle").click()
    waits(page, 1, "")
    page.get_by_role("button", name="low").click()
    page.get_by_role("button", name="high").click()
    waits(page, 2, 2)
    assert page.locator('[aria-pressed="true"]').count() == 1
    waits(page, 2, "")  # it ends by itself
    assert page.locator(".gm-cursor").get_attribute("visibility") == "hidden"


def test_keyboard(opened):
    page = opened()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    waits(page, 1, "")
    assert "middle: 0.60 s, 2,400 samples, strongest at 330 Hz" in page.get_by_role("status").inner_text()
    page.keyboard.press("Space")
    waits(page, 1, 1)
    page.keyboard.press("End")
    waits(page, 2, 1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    waits(page, 2, 2)
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.textContent") == "low"
    assert page.locator('.gm-player button[tabindex="0"]').count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.gm-player')") is None


def test_names_for_those_who_do_not_see_it(opened):
    page = opened()
    assert page.get_by_role("toolbar", name="Sounds").count() == 1
    assert [page.get_by_role("button", name=name).count() for name in NAMES] == [1, 1, 1]
    assert page.get_by_role("img").count() == 2


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
    page.get_by_role("button", name="high").tap()
    waits(page, 2, 2)
    assert min(button.bounding_box()["height"] for button in page.locator(".gm-player button").all()) >= 24
