"""Class and style in a page from disk: each is turned alone, by pointer and by keys, and what is drawn is torch's."""

import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.nets import mlp

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def test_class_and_style_are_turned_alone(chromium, page_with):
    torch.manual_seed(0)
    decoder = nn.Sequential(mlp([5, 16, 16]), nn.Sigmoid())
    explorer = show.ClassStyle(decoder, torch.randn(40, 2), torch.arange(40) % 3, chosen=1, classes=list("abc"))
    page = chromium.new_page(viewport={"width": 900, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_with(explorer))
    root, knob = page.locator(".gm-class-style"), page.locator(".gm-class-style .gm-handle")
    rows = page.locator(".gm-class-style .gm-row button")

    def drawn_is_torch_s():
        z = [float(value) for value in root.get_attribute("data-z").split(",")]
        one = [float(int(root.get_attribute("data-chosen")) == k) for k in range(3)]
        with torch.no_grad():
            expected = decoder(torch.tensor([[*z, *one]]))[0].tolist()
        assert page.evaluate("Array.from(document.querySelector('.gm-class-style').decoded)") == pytest.approx(
            expected, abs=1e-5
        )

    assert rows.count() == 3
    assert root.get_attribute("data-chosen") == "1"
    drawn_is_torch_s()
    rows.nth(2).click()
    assert (root.get_attribute("data-chosen"), root.get_attribute("data-z")) == ("2", "0,0")
    assert [rows.nth(k).get_attribute("aria-pressed") for k in range(3)] == ["false", "false", "true"]
    assert page.locator(".gm-class-style .gm-dot:not(.gm-faded)").count() == 13
    drawn_is_torch_s()
    knob.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert (root.get_attribute("data-chosen"), root.get_attribute("data-z")) == ("2", "0.1,-0.5")
    assert knob.get_attribute("aria-valuetext") == "z = (0.10, −0.50)"
    drawn_is_torch_s()
    page.keyboard.press("Home")
    assert root.get_attribute("data-z") == "0,0"
    page.locator(".gm-class-style .gm-plane").click(position={"x": 60, "y": 60})
    x, y = (float(value) for value in root.get_attribute("data-z").split(","))
    assert x < -1
    assert y > 1
    drawn_is_torch_s()
    assert errors == []
    page.close()
