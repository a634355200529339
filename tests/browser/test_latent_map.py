"""A latent map without a prior, in a page from disk: how far the nearest code is."""

import re

import pytest
import torch
from torch import nn

from gmcourse import show

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

CODES = torch.tensor([[10.0, -3.0], [14.0, -3.0], [14.0, -2.5], [10.0, -1.0]])


def test_the_distance_to_the_nearest_code_is_told(chromium, page_with):
    decoder = nn.Sequential(nn.Linear(2, 8), nn.SiLU(), nn.Linear(8, 16), nn.Hardtanh(0, 1))
    page = chromium.new_page(viewport={"width": 900, "height": 800})
    page.goto(page_with(show.LatentMap(decoder, CODES, torch.tensor([0, 1, 1, 0]), prior=False, z=(13, -3))))
    words, knob = page.locator(".gm-distance"), page.locator(".gm-latent-map .gm-handle")
    told = "The nearest code of data is {} away: {} times the median distance of a code to its nearest, 0.50."
    assert words.inner_text() == told.format("1.000", "2.0")
    assert page.locator(".gm-ring").count() == 0
    knob.focus()
    page.keyboard.press("Home")
    assert page.locator(".gm-latent-map").get_attribute("data-z") == "12,-2"
    assert words.inner_text() == told.format("2.062", "4.1")  # to (14, −2.5)
    assert "nearest data: 1. The nearest code of data is 2.062 away" in knob.get_attribute("aria-valuetext")
    for _ in range(60):
        page.keyboard.press("Shift+ArrowLeft")
    assert page.locator(".gm-latent-map").get_attribute("data-z") == "9.5,-2"  # the window ends there
    assert float(re.findall(r"is ([\d.]+) away", words.inner_text())[0]) == pytest.approx(1.25**0.5, abs=1e-3)
    page.close()
