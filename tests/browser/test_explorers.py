"""The lesson's explorers, moved by mouse and by keyboard: in the page from disk, and live in JupyterLab."""

import base64
import re

import nbformat
import numpy as np
import pytest
import torch
from torch import nn

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

STAND_IN = """
import torch
from torch import nn
from gmcourse import show
decoder = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 64), nn.Sigmoid())
latent_map = show.LatentMap(decoder, torch.randn(50, 2), torch.arange(50) % 3, (8, 8))
display(latent_map, show.frames(list(torch.rand(5, 8, 8)), range(5), "frame", "Five random pictures."))
"""


def picture(page, selector):
    """What is seen of the one visible element, pixel by pixel."""
    return page.locator(selector).locator("visible=true").first.screenshot()


def wait_until(page, condition, what, seconds=10):
    for _ in range(20 * seconds):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError(what)


def moves(page, selector, act, what):
    """Does `act` and waits until the pixels of the element have changed."""
    before = picture(page, selector)
    act()
    wait_until(page, lambda: picture(page, selector) != before, f"{what} did not change {selector}")


def place(page):
    return [float(number) for number in page.locator(".gm-latent-map").first.get_attribute("data-z").split(",")]


def drag(page, selector, right, up):
    page.locator(selector).first.scroll_into_view_if_needed()
    box = page.locator(selector).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y - up, steps=4)
    page.mouse.up()


def drive_latent_map(page):
    """Mouse and keyboard move the point, and the decoded picture with it; returns nothing, asserts all."""
    canvas, knob = ".gm-latent-map .gm-decoded canvas", ".gm-latent-map .gm-knob"
    page.locator(".gm-latent-map").first.scroll_into_view_if_needed()
    moves(page, canvas, lambda: drag(page, knob, 70, 50), "dragging")
    assert place(page)[0] > 0.3
    assert place(page)[1] > 0.2
    page.keyboard.press("Home")
    wait_until(page, lambda: place(page) == [0, 0], "Home did not lead to the centre")
    moves(page, canvas, lambda: [page.keyboard.press("ArrowLeft") for _ in range(6)], "arrow keys")
    assert place(page) == pytest.approx([-0.6, 0])
    page.keyboard.press("Shift+ArrowDown")
    wait_until(page, lambda: place(page) == pytest.approx([-0.6, -0.5]), "Shift and an arrow did not step by a half")


def drive_frames(page):
    """Mouse and keyboard move the slider, and the picture with it."""
    image, slider = ".gm-frames img", ".gm-frames .gm-range"
    page.locator(slider).first.scroll_into_view_if_needed()
    moves(page, image, lambda: drag(page, slider, 180, 0), "dragging")
    page.locator(slider).first.focus()
    page.keyboard.press("Home")
    wait_until(page, lambda: page.locator(slider).first.input_value() == "0", "Home did not lead back")
    moves(page, image, lambda: [page.keyboard.press("ArrowRight") for _ in range(2)], "arrow keys")
    moves(page, image, lambda: page.keyboard.press("ArrowLeft"), "an arrow key")


def decoded_by_torch(state, z):
    """The saved weights run in torch: what the page must show at z."""
    weights = torch.tensor(np.frombuffer(base64.b64decode(state["weights"]), "<f4"))
    hidden, start = torch.tensor([z]), 0
    for layer in state["layers"]:
        if isinstance(layer, str):
            hidden = getattr(torch, layer)(hidden)
        else:
            inputs, outputs = layer
            weight, bias = weights[start : start + (inputs + 1) * outputs].split([inputs * outputs, outputs])
            hidden, start = (
                nn.functional.linear(hidden, weight.view(outputs, inputs), bias),
                start + (inputs + 1) * outputs,
            )
    return hidden[0].numpy()


def drive_phone(page):
    """A tap moves the point; the picture stands under the plane, and nothing is wider than the screen."""
    for selector in (".gm-latent-map", ".gm-frames"):
        assert page.locator(selector).first.bounding_box()["width"] <= 390
    plane, decoded = (page.locator(f".gm-latent-map {part}").first.bounding_box() for part in ("svg", ".gm-decoded"))
    assert decoded["y"] >= plane["y"] + plane["height"]
    page.locator(".gm-latent-map svg").first.tap(position={"x": 100, "y": 100})
    wait_until(page, lambda: place(page)[0] < -0.5 and place(page)[1] > 0.5, "a tap did not move the point")


def test_from_disk_without_network(chromium, lesson_page, decoder_state):
    """One test, since two would build the book twice at once where tests run in parallel."""
    asked = []

    def opened(**screen):
        context = chromium.new_context(**screen)
        context.route(re.compile("^(https?|wss?):"), lambda route: (asked.append(route.request.url), route.abort()))
        page = context.new_page()
        page.goto(lesson_page.as_uri())
        page.wait_for_selector(".gm-latent-map canvas")
        page.wait_for_selector(".gm-frames img")
        return page

    page = opened(viewport={"width": 1280, "height": 900})
    drive_latent_map(page)
    decoded = page.evaluate("Array.from(document.querySelector('.gm-latent-map').decoded)")
    assert np.abs(np.array(decoded) - decoded_by_torch(decoder_state, place(page))).max() < 1e-3
    drive_frames(page)
    drive_phone(opened(viewport={"width": 390, "height": 800}, has_touch=True))
    assert asked == []


def test_the_lesson_opened_in_jupyterlab(chromium, jupyterlab, lesson_notebook, open_notebook):
    """The explorers stand in the executed lesson as it is opened, beside a kernel that has run nothing yet."""
    notebook = nbformat.read(lesson_notebook, 4)
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    open_notebook(page, jupyterlab("lesson.ipynb", notebook))
    page.wait_for_selector(".gm-latent-map canvas", timeout=60_000)
    drive_latent_map(page)
    drive_frames(page)
    assert page.locator(".jp-Notebook .jp-Cell").count() == len(notebook.cells)
    page.close()


def test_live_with_a_running_kernel(live_notebook, run_cell):
    """Cells that are run show both explorers, and the kernel sees where the point has gone."""
    page = live_notebook("live.ipynb", STAND_IN, "print('kernel sees', latent_map.z)")
    page.wait_for_selector(".gm-latent-map canvas")
    drive_latent_map(page)
    for key in "ddx":  # JupyterLab's own shortcuts would delete the cell
        page.keyboard.press(key)
    drive_frames(page)
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
    run_cell(page, 1)
    page.get_by_text("kernel sees [-0.6, -0.5]").wait_for(timeout=20_000)
