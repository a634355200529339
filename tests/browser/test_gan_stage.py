"""The GAN stage, trained and drawn upon by mouse, finger and keyboard: in a page from disk, and live in JupyterLab."""

import json

import pytest
import torch

from gmcourse import show
from gmcourse.data import load
from gmcourse.nets import mlp

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LIVE = """
import torch
from gmcourse import show
from gmcourse.data import load
from gmcourse.nets import mlp
torch.manual_seed(0)
show.GANStage(mlp([2, 32, 32, 2]), mlp([2, 32, 32, 1]), load("ring-of-8").train)
"""


def keep_end(state):
    """Keeps what ends the stage: JupyterLab calls it when an output is cleared, and the page never does."""
    for item in state.values():
        if "_esm" in item["state"]:
            kept = "export default { render: (given) => (window.end = render(given)) };"
            item["state"]["_esm"] = item["state"]["_esm"].replace("export default { render };", kept)


@pytest.fixture
def opened(screen, page_with):
    """Opens a stage from disk on a screen of the given width."""

    def open_page(width=900, on=None, shift=0.0, **options):
        torch.manual_seed(0)
        players = mlp([2, 32, 32, 2]), mlp([2, 32, 32, 1])
        stage = show.GANStage(*players, load("ring-of-8").train + shift, **options)
        page = screen(page_with(stage, change=keep_end), width, 1100, **(on or {}))
        page.locator(".gm-gan-stage canvas").wait_for()
        return page

    return open_page


def data(page, name):
    return json.loads(page.locator(".gm-gan-stage").evaluate(f"(root) => JSON.stringify(root.dataset.{name})"))


def steps(page):
    return int(data(page, "critic")), int(data(page, "generator"))


def wait(page, condition):
    page.wait_for_function(
        f"(() => {{ const d = document.querySelector('.gm-gan-stage').dataset; return {condition} }})()"
    )


def said(page):
    return page.locator(".gm-gan-stage .gm-status").inner_text()


def tab_to(page, name):
    """Tabs on until the element with this accessible name, or its beginning, has the focus."""
    script = "(({ ariaLabel, labels, textContent }) => ariaLabel || (labels?.[0]?.textContent ?? textContent))"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate(f"{script}(document.activeElement)").strip().startswith(name):
            return
    raise AssertionError(f"Tab does not lead to {name!r}")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_it_trains_in_the_page_when_asked_and_only_then(opened):
    page = opened()
    canvas = page.locator(".gm-gan-stage canvas")
    before = canvas.screenshot()
    page.wait_for_timeout(300)
    assert steps(page) == (0, 0)
    page.get_by_role("button", name="Play").click()
    wait(page, "d.critic > 40 && d.generator > 40")
    assert data(page, "playing") == "true"
    page.evaluate("document.querySelector('main').style.marginTop = '5000px'")
    page.wait_for_timeout(300)
    away = page.evaluate("document.querySelector('.gm-gan-stage').stage.run.critic.moments.count")
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('.gm-gan-stage').stage.run.critic.moments.count") == away
    page.evaluate("document.querySelector('main').style.marginTop = '0'")
    wait(page, f"d.critic > {away}")
    page.get_by_role("button", name="Pause").click()
    assert canvas.screenshot() != before
    assert said(page).startswith("Paused after")
    counts = [page.locator(f".gm-card-{name} .gm-count").inner_text() for name in ("critic", "generator")]
    assert tuple(int(count.replace(",", "")) for count in counts) == steps(page)


def test_it_stops_when_it_is_taken_away(opened):
    page = opened()
    page.get_by_role("button", name="Play").click()
    wait(page, "d.critic > 5")
    page.evaluate("window.kept = document.querySelector('.gm-gan-stage'); window.end(); window.kept.remove()")
    count = page.evaluate("window.kept.stage.run.critic.moments.count")
    page.wait_for_timeout(300)
    assert page.evaluate("window.kept.stage.run.critic.moments.count") == count


def test_by_keyboard_alone(opened):
    page = opened()
    tab_to(page, "▶ Play")
    press(page, "Space")
    wait(page, "d.playing === 'true' && d.critic > 10")
    press(page, "Space")
    wait(page, "d.playing === 'false'")
    critic, generator = steps(page)
    tab_to(page, "Step both")
    press(page, "Enter")
    assert steps(page) == (critic + 1, generator + 1)
    tab_to(page, "The stage")
    press(page, "c", "c", "g", "b")
    assert steps(page) == (critic + 4, generator + 3)
    press(page, "ArrowLeft", "ArrowLeft")
    assert steps(page) == (critic + 3, generator + 1)
    assert "Play goes on from here" in said(page)
    press(page, "ArrowRight")
    assert steps(page) == (critic + 3, generator + 2)
    tab_to(page, "go back")
    press(page, "Home")
    wait(page, "d.critic === '0' && d.moment === '0'")
    press(page, "End")
    wait(page, f"d.critic === '{critic + 4}'")


def test_reset_gives_the_same_run_again(opened):
    page = opened(steps=(2, 1))
    stage = page.locator(".gm-gan-stage .gm-stage")
    weights = "document.querySelector('.gm-gan-stage').stage.run.generator.net.weights.join()"
    stage.focus()
    press(page, "b", "b", "c", "g")
    assert steps(page) == (5, 3)
    first = page.evaluate(weights)
    press(page, "r")
    assert steps(page) == (0, 0)
    press(page, "b", "b", "c", "g")
    assert page.evaluate(weights) == first
    press(page, "ArrowLeft", "g")  # another future from a moment of the past
    assert steps(page) == (5, 3)
    assert page.evaluate(weights) == first
    press(page, "ArrowLeft", "ArrowLeft", "g")
    assert steps(page) == (4, 3)
    assert page.evaluate(weights) != first


def test_it_trains_on_what_is_drawn(opened):
    page = opened()
    tab_to(page, "Draw your own")
    press(page, "Space")
    assert (data(page, "set"), data(page, "points")) == ("drawn", "0")
    press(page, "ArrowRight", "Shift+ArrowUp", " ", " ")  # the plane has the focus
    assert data(page, "points") == "24"
    page.get_by_role("button", name="Play").click()
    wait(page, "d.critic > 5")
    page.get_by_role("button", name="Pause").click()
    seen = torch.tensor(page.evaluate("Array.from(document.querySelector('.gm-gan-stage').stage.run.real)"))
    extent = page.evaluate("document.querySelector('.gm-gan-stage').stage.given.extent")
    assert (seen.view(-1, 2) - torch.tensor([extent / 20, extent / 4])).norm(dim=1).max() < 0.2 * extent
    box = page.locator(".gm-gan-stage .gm-stage svg").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.7 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=10)
    page.mouse.up()
    assert int(data(page, "points")) >= 24 + 4 * 8
    page.locator(".gm-gan-stage .gm-stage").focus()
    press(page, "Escape", "c")  # drawing has ended, and C steps the critic on
    assert data(page, "drawing") == "false"
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Play").click()
    assert (data(page, "playing"), said(page)) == ("false", "There are no points yet: draw some first.")
    page.get_by_label("data").select_option("two moons")
    assert (data(page, "set"), data(page, "points"), steps(page)) == ("moons", "600", (0, 0))


def test_data_far_from_the_origin_fill_the_window(opened):
    page = opened(shift=50.0)
    texts = page.locator(".gm-gan-stage .gm-stage svg text").all_text_contents()
    assert {"48", "50", "52"} <= set(texts)
    assert "0" not in texts
    canvas = page.locator(".gm-gan-stage canvas")
    before = canvas.screenshot()
    page.get_by_role("button", name="real points").click()
    assert canvas.screenshot() != before
    page.locator(".gm-gan-stage .gm-stage").focus()
    page.get_by_role("button", name="Draw").click()
    press(page, "Home", " ")
    assert said(page) == "12 points drawn."
    box = page.locator(".gm-gan-stage .gm-stage svg").bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"])
    drawn = torch.tensor(page.evaluate("Array.from(document.querySelector('.gm-gan-stage').stage.drawn)")).view(-1, 2)
    assert (drawn[:12] - 50).norm(dim=1).max() < 0.6
    assert (drawn[12:] - torch.tensor([51.7, 51.7])).norm(dim=1).max() < 0.8


def test_layers_losses_and_rounds_can_be_chosen(opened):
    page = opened()
    canvas = page.locator(".gm-gan-stage canvas")
    for name in ("heat map", "warped latent grid", "real points", "fakes", "told to move"):
        before = canvas.screenshot()
        page.get_by_role("button", name=name).click()
        assert canvas.screenshot() != before, name
    page.get_by_label("steps a round").select_option("5 critic : 1 generator")
    for loss in ("saturating", "least squares", "Wasserstein, weights clipped to ±0.1"):
        page.get_by_role("combobox", name="loss").select_option(loss)
        page.get_by_role("button", name="Step both").click()
    assert steps(page) == (15, 3)


def test_a_run_that_diverges_says_so_and_stops(opened):
    page = opened(lr=1e30)
    page.get_by_role("button", name="Play").click()
    wait(page, "d.playing === 'false'")
    assert said(page).startswith("Diverged after")
    assert steps(page) == (0, 0)
    page.get_by_label("learning rate").first.select_option("0.001")
    page.get_by_role("button", name="Step of the critic").click()
    assert steps(page) == (1, 0)


def test_phone(opened):
    page = opened(390, {"has_touch": True, "reduced_motion": "reduce"})  # calm: two pictures a second
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Draw").tap()
    page.locator(".gm-gan-stage .gm-stage svg").tap(position={"x": 120, "y": 120})
    assert int(data(page, "points")) == 4
    page.get_by_role("button", name="Play").tap()
    wait(page, "d.generator > 3")


def test_live_in_jupyterlab(live_notebook):
    """In a cell that is run: it trains, and its keys are not JupyterLab's."""
    page = live_notebook("stage.ipynb", LIVE, "print('untouched')")
    page.locator(".gm-gan-stage canvas").wait_for()
    page.locator(".gm-gan-stage .gm-stage").focus()
    press(page, " ")
    wait(page, "d.critic > 10")
    press(page, " ", "d", "d", "x", "c")  # JupyterLab's own shortcuts would delete the cell
    wait(page, "d.playing === 'false'")
    at = int(data(page, "moment"))
    press(page, "ArrowLeft")
    assert int(data(page, "moment")) == at - 1
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
