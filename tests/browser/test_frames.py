"""The frames slider in a page that our host runs: by mouse, finger and keyboard, in words, in both themes."""

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from gmcourse import show
from gmcourse.show.frame_slider import FrameSlider

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
CENTRES = [-0.5, 0.0, 0.5, 1.0]


def lines() -> list[Figure]:
    figures = []
    for centre in CENTRES:
        figure = Figure(figsize=(4, 2))
        figure.subplots().plot([centre, 2], color="#dd6b20")
        figures.append(figure)
    return figures


def shades() -> list[np.ndarray]:
    return [np.linspace(0, 1, 64).reshape(8, 8) ** (1 + centre**2) for centre in CENTRES]


@pytest.fixture
def opened(screen, page_with):
    """A page with these pictures."""

    def open_page(pictures, width=900, dark=False, pace=0.0, **options):
        made = isinstance(pictures, FrameSlider)
        slider = pictures if made else show.frames(pictures, CENTRES, "centre of q", "Two hills.", start=0.5, pace=pace)
        page = screen(page_with(slider, dark=dark), width, **options)
        page.wait_for_function("document.querySelector('.gm-frames img')?.complete")
        return page

    return open_page


def seen(page) -> list[str]:
    """What is spoken and shown: the slider's words, the value beside it, the picture's words."""
    slider, image = page.get_by_role("slider"), page.locator(".gm-frames img")
    return [slider.get_attribute("aria-valuetext"), page.locator(".gm-value").inner_text(), image.get_attribute("alt")]


def told(value: str) -> list[str]:
    return [f"centre of q {value}", value, f"Two hills; centre of q: {value}."]


def test_by_keyboard(opened):
    page = opened(lines())
    assert seen(page) == told("0.5")
    before = page.locator("img").screenshot()
    page.evaluate("addEventListener('keydown', ({ key }) => (window.heard = (window.heard ?? '') + key))")
    page.get_by_role("slider", name="centre of q").focus()
    page.keyboard.press("ArrowLeft")
    assert seen(page) == told("0")
    assert page.locator("img").screenshot() != before
    page.keyboard.press("Home")
    assert seen(page) == told("−0.5")
    page.keyboard.press("End")
    assert seen(page) == told("1")
    assert page.evaluate("window.heard") is None  # JupyterLab would take the arrows
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert seen(page) == told("0.5")


def test_by_mouse_and_button(opened):
    page = opened(shades())
    box = page.get_by_role("slider").bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + box["height"] / 2)
    assert seen(page) == told("−0.5")
    page.get_by_role("button", name="Previous frame").click(force=True)  # there is none
    assert seen(page) == told("−0.5")
    page.get_by_role("button", name="Next frame").click()
    assert seen(page) == told("0")


def test_what_is_touched_is_large_enough_and_nothing_is_wider_than_a_phone(opened):
    page = opened(lines(), width=390, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in page.locator(".gm-frames :is(button, input)").all():
        box = part.bounding_box()
        assert min(box["width"], box["height"]) >= 24
    thumb = "(root) => parseFloat(getComputedStyle(root, '::-webkit-slider-thumb').width)"
    assert page.get_by_role("slider").evaluate(thumb) >= 24
    page.get_by_role("button", name="Next frame").tap()
    assert seen(page) == told("1")


def corner(page) -> tuple[int, ...]:
    """The colour of the picture's top left corner, where nothing is drawn, as it is seen."""
    return Image.open(io.BytesIO(page.locator("img").screenshot())).convert("RGB").getpixel((12, 8))


def test_in_the_dark_lines_stand_on_the_page_and_shades_on_a_light_card(opened):
    page = opened(lines(), dark=True)
    assert corner(page) == (20, 24, 29)
    assert corner(opened(shades(), dark=True)) == (255, 255, 255)
    assert corner(opened(lines())) == (255, 255, 255)
    page.emulate_media(media="print")
    assert corner(page) == (255, 255, 255)


def test_it_plays_to_the_end_and_again_from_the_start(opened):
    page = opened(shades(), pace=4.0)
    play = page.locator(".gm-play")
    assert play.inner_text() == "▶ Play"
    play.focus()
    page.keyboard.press("Enter")
    assert play.inner_text() == "❚❚ Pause"
    page.wait_for_function("document.querySelector('.gm-play').textContent.includes('Play')")
    assert seen(page) == told("1")
    play.click()
    assert seen(page) == told("−0.5")
    page.get_by_role("button", name="Next frame").click()  # a hand on it stops it
    assert play.inner_text() == "▶ Play"
    assert opened(shades()).locator(".gm-play").count() == 0


# Films


def film(pace: float = 4.0) -> FrameSlider:
    clips = torch.rand(2, 1, 5, 8, 8, generator=torch.Generator().manual_seed(0))
    return show.film({"data": clips, "dreamt": clips.flip(0)}, "Two clips.", given=2, pace=pace)


PIXELS = """async () => {
    const image = document.querySelector(".gm-frames img");
    return [image.alt, Array.from(new Uint8Array(await (await fetch(image.src)).arrayBuffer()))];
}"""
NOTED = """() => {
    const value = document.querySelector(".gm-value");
    window.played = [];
    new MutationObserver(() => window.played.push(value.textContent)).observe(value, { childList: true });
}"""


def frame(page, made: FrameSlider) -> int:
    """The number of the frame that is seen: the picture, its words, the value and the slider all say the same."""
    alt, file = page.evaluate(PIXELS)
    number = made.pictures.index(bytes(file))
    said = f"{number + 1} of 5" + (", given" if number < 2 else "")
    assert seen(page) == [f"frame {said}", said, f"Two clips; frame: {said}."]
    assert alt == f"Two clips; frame: {said}."
    return number


def test_a_film_plays_frame_by_frame_without_a_kernel(opened):
    made = film()
    page = opened(made)
    assert frame(page, made) == 0
    page.evaluate(NOTED)
    page.locator(".gm-play").click()
    page.wait_for_function("document.querySelector('.gm-play').textContent.includes('Play')", timeout=10_000)
    assert page.evaluate("window.played") == ["2 of 5, given", "3 of 5", "4 of 5", "5 of 5"]
    assert frame(page, made) == 4


def test_a_film_is_paused_and_goes_on_from_there(opened):
    made = film(pace=2.0)
    page = opened(made)
    play = page.locator(".gm-play")
    play.click()
    page.wait_for_function("document.querySelector('.gm-value').textContent.startsWith('3')")
    play.click()
    assert play.inner_text() == "▶ Play"
    paused = frame(page, made)
    page.wait_for_timeout(1200)
    assert frame(page, made) == paused < 4
    play.click()
    assert frame(page, made) == paused  # the first step comes after a beat
    page.wait_for_function(f"document.querySelector('.gm-value').textContent.startsWith('{paused + 2}')")


def test_a_film_by_keyboard(opened):
    made = film(pace=2.0)
    page = opened(made)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator(".gm-play").inner_text() == "❚❚ Pause"
    page.keyboard.press("Space")
    assert page.locator(".gm-play").inner_text() == "▶ Play"
    page.get_by_role("slider", name="frame").focus()
    page.keyboard.press("End")
    assert frame(page, made) == 4
    page.keyboard.press("ArrowLeft")
    assert frame(page, made) == 3
    page.keyboard.press("Home")
    assert frame(page, made) == 0
