"""The score field: walked, annealed and drawn upon by mouse, finger and keyboard, in a page from disk."""

import pytest
import torch

from gmcourse import show
from gmcourse.scores.mixture import NoisedMixture

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ROOT = ".gm-score-field"
MODES = NoisedMixture(torch.tensor([[-5.0, -5.0], [5.0, 5.0]]), 1.0, torch.tensor([0.2, 0.8]))


@pytest.fixture
def opened(screen, page_with):
    """Opens a field from disk on a screen of the given width."""

    def open_page(width=900, on=None, dark=False, **options):
        field = show.ScoreField(**{"mixture": MODES, "levels": (20, 1, 10)} | options)
        page = screen(page_with(field, dark=dark), width, 1000, **(on or {}))
        page.locator(f"{ROOT} canvas").wait_for()
        return page

    return open_page


def told(page, name):
    return page.locator(ROOT).evaluate(f"(root) => root.dataset.{name}")


def shares(page):
    return [float(share) for share in told(page, "shares").split(",")]


def wait(page, condition):
    page.wait_for_function(f"(() => {{ const d = document.querySelector('{ROOT}').dataset; return {condition}; }})()")


def status(page):
    return page.locator(f"{ROOT} .gm-status").inner_text()


def test_it_opens_on_wrong_shares_and_annealing_mends_them(opened):
    page = opened()
    assert int(told(page, "steps")) == 200
    assert 0.4 < shares(page)[1] < 0.6
    assert status(page).startswith("The walkers after 200 steps. Shares of the walkers: ")
    page.get_by_role("slider", name="steps a frame").press("End")
    page.get_by_role("button", name="Anneal").click()
    wait(page, "d.mode === 'still' && d.steps === '1000'")
    assert 0.7 < shares(page)[1] < 0.9
    assert float(told(page, "sigma")) == pytest.approx(1)
    assert "Down all levels, after 1,000 steps." in status(page)


def test_it_walks_and_pauses_and_its_level_is_slid(opened):
    page = opened()
    page.locator(f"{ROOT} .gm-play").click()
    wait(page, "d.steps > 250 && d.frames > 10")
    slider = page.get_by_role("slider", name="noise level σ")
    slider.press("End")
    assert float(told(page, "sigma")) == pytest.approx(20)
    assert slider.get_attribute("aria-valuetext") == "σ = 20"
    assert told(page, "mode") == "walk"
    page.locator(f"{ROOT} .gm-play").click()
    assert told(page, "mode") == "still"
    assert status(page).startswith("Paused after ")
    assert page.locator(f"{ROOT} .gm-shares tbody tr:visible").count() == 2


def test_keys(opened):
    page = opened()
    page.locator(f"{ROOT} .gm-stage").focus()
    for key, mode in ((" ", "walk"), (" ", "still"), ("a", "anneal"), ("a", "still")):
        page.keyboard.press(key)
        wait(page, f"d.mode === '{mode}'")
    page.keyboard.press("r")
    wait(page, "d.steps === '0'")
    before = float(told(page, "sigma"))
    page.keyboard.press("ArrowLeft")
    assert float(told(page, "sigma")) < before


def test_points_that_are_drawn_are_walked_on(opened):
    page = opened()
    page.get_by_role("button", name="Draw your own").click()
    assert told(page, "points") == "0"
    page.locator(f"{ROOT} .gm-play").click()
    assert status(page) == "There are no points yet: draw some first."
    box = page.locator(f"{ROOT} .gm-stage svg").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 100, steps=6)
    page.mouse.up()
    drawn = int(told(page, "points"))
    assert drawn >= 9
    page.locator(f"{ROOT} .gm-stage").focus()
    for key in ("Home", "Shift+ArrowRight", "Shift+ArrowDown", " ", "Escape"):
        page.keyboard.press(key)
    assert int(told(page, "points")) == drawn + 12
    assert told(page, "drawing") == "false"
    assert page.locator(f"{ROOT} .gm-shares tbody tr:visible").count() == 2
    page.locator(f"{ROOT} .gm-play").click()
    wait(page, "d.steps > 20")
    assert sum(shares(page)) == pytest.approx(1)
    page.get_by_role("button", name="Back").click()
    assert told(page, "set") == "given"


def test_phone_in_the_dark_with_little_motion(opened):
    page = opened(390, {"has_touch": True, "reduced_motion": "reduce"}, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Draw your own").tap()
    page.locator(f"{ROOT} .gm-stage svg").tap(position={"x": 120, "y": 120})
    assert int(told(page, "points")) == 3
    page.get_by_role("button", name="Done drawing").tap()
    page.locator(f"{ROOT} .gm-play").tap()
    wait(page, "d.steps > 10")


def test_many_components_have_no_table(opened):
    page = opened(mixture=NoisedMixture(torch.randn(50, 2), 0.2), levels=None)
    assert page.locator(f"{ROOT} .gm-shares").is_hidden()


def test_a_network_is_trained_and_followed(opened):
    page = opened()
    page.get_by_role("button", name="Train a network here").click()
    assert told(page, "source") == "network"
    wait(page, "d.trained > 50")
    page.locator(f"{ROOT} .gm-play").click()
    wait(page, "d.steps > 205")
    page.get_by_role("button", name="Stop training").click()
    trained = told(page, "trained")
    page.get_by_role("radio", name="exact").check()
    assert told(page, "source") == "exact"
    page.get_by_role("button", name="Draw your own").click()
    assert told(page, "trained") == "0" != trained
