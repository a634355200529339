"""The denoising strip, scrubbed by mouse, finger and keyboard in a page from disk."""

import pytest
import torch

from gmcourse import show
from gmcourse.nets import UNet
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.samplers import cosine_levels, spaced
from gmcourse.show.denoising_strip import walk_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ROOT = ".gm-denoising-strip"
SIGMAS = 0.4 * cosine_levels(80.0, 0.06, 200).float()


@pytest.fixture
def denoiser():
    torch.manual_seed(0)
    made = Denoiser(UNet(1, (4, 8)), spread=0.4, centre=0.3)
    with torch.no_grad():
        for part in made.net.parameters():
            part.add_(0.1 * torch.randn_like(part))
    return made.eval()


@pytest.fixture
def opened(screen, page_with, denoiser):
    def open_page(width=900, on=None, dark=False, **options):
        strip = show.DenoisingStrip(denoiser, SIGMAS, **options)
        page = screen(page_with(strip, dark=dark), width, 900, **(on or {}))
        page.locator(f"{ROOT} .gm-strip svg").first.wait_for()
        return page

    return open_page


def moments(page):
    script = "(root) => root.moments.map(({ noised, clean }) => [Array.from(noised), Array.from(clean)])"
    return torch.tensor(page.locator(ROOT).evaluate(script))


def at(page):
    return int(page.locator(ROOT).get_attribute("data-at"))


def test_the_page_walks_as_torch_does_and_is_scrubbed_by_keyboard(opened, denoiser):
    page = opened(calls=16, along=0.5, seed=3)
    noise = torch.randn(8, 8, generator=torch.Generator().manual_seed(3))
    expected = walk_of(denoiser, noise, spaced(SIGMAS, 16), (0.0, 1.0))
    told = torch.stack([torch.stack([x.flatten(), clean.flatten()]) for _, x, clean in expected])
    assert torch.allclose(moments(page), told, atol=1e-3)
    assert at(page) == 8
    slider = page.get_by_role("slider", name="steps taken")
    slider.press("ArrowRight")
    assert at(page) == 9
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "16 of 16, σ = 0"
    assert page.get_by_role("status").inner_text() == "The end: a sample, after 16 network calls."
    slider.press("Home")
    assert page.get_by_role("status").inner_text().startswith("At σ = 32, x* is ")


def test_calls_steps_and_noise_are_chosen(opened):
    page = opened(calls=8)
    before = moments(page)
    page.get_by_role("button", name="New noise").click()
    assert (moments(page)[0] - before[0]).abs().max() > 1
    before = moments(page)
    page.get_by_role("radio", name="DDPM").check()
    now = moments(page)
    assert torch.equal(now[0], before[0])
    assert not torch.allclose(now[1], before[1])
    page.get_by_role("slider", name="network calls").press("Home")
    assert moments(page).shape == (2, 2, 64)
    page.get_by_role("button", name="x* after 1 of 1 steps").first.click()
    assert at(page) == 1
    assert page.get_by_role("status").inner_text() == "The end: a sample, after 1 network call."


def test_on_a_phone_in_the_dark_a_tap_leads_to_a_step(opened):
    page = opened(390, {"has_touch": True}, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="x* after 50 of 50 steps").tap()
    assert at(page) == 50
