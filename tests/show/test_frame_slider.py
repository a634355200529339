"""Frames and their slider: what is handed to the page, what it looks like, and what is refused."""

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from gmcourse import show

PICTURES, VALUES = [np.zeros((4, 4)), np.eye(4)], [-0.123456, 2]


def opened(file: bytes, mode: str = "L") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert(mode))


def drawing(draw=lambda axes: axes.plot([1, 2])) -> Figure:
    figure = Figure(figsize=(3, 2))
    draw(figure.subplots())
    return figure


def test_the_page_gets_every_picture_with_its_value_and_the_words():
    slider = show.frames(PICTURES, VALUES, "σ", "A line appears.")
    assert (slider.values, slider.label, slider.alt) == (["−0.123", "2"], "σ", "A line appears.")
    assert (slider.size, slider.index) == ([320, 320], 0)
    first, second = map(opened, slider.pictures)
    assert first.shape == (320, 320)
    assert first.min() == 255
    assert second[:80, :80].max() == 0


@pytest.mark.parametrize(("start", "index"), [(None, 0), (2, 1), (-0.1234, 0), ("2", 1)])
def test_it_opens_at_a_value(start, index):
    assert show.frames(PICTURES, VALUES, "σ", "alt", start=start).index == index


def test_frames_of_figures_share_one_size():
    figures = [Figure(figsize=(3, 2)), drawing()]
    slider = show.frames(figures, [0, 1], "step", "Nothing, then a line.")
    assert [opened(picture).shape[::-1] for picture in slider.pictures] == [tuple(slider.size)] * 2


@pytest.mark.parametrize(
    ("draw", "drawn"),
    [
        (lambda axes: axes.plot([1, 2]), True),
        (lambda axes: axes.fill_between([0, 1], [1, 2]), True),
        (lambda axes: axes.scatter([0, 1], [1, 2], color="red"), True),
        (lambda axes: axes.imshow(np.eye(3)), False),
        (lambda axes: axes.pcolormesh(np.eye(3)), False),
        (lambda axes: axes.contourf(np.eye(3)), False),
        (lambda axes: axes.scatter([0, 1], [1, 2], c=[0.1, 0.9]), False),
    ],
)
def test_lines_may_take_the_ink_of_a_dark_page_and_shades_may_not(draw, drawn):
    assert show.frames([drawing(draw), drawing()], [0, 1], "step", "alt").drawn is drawn


def test_pixels_may_not_take_the_ink_of_a_dark_page():
    assert show.frames(PICTURES, VALUES, "σ", "alt").drawn is False


@pytest.mark.parametrize(
    ("pictures", "values", "label", "message"),
    [
        ([np.eye(2)], [0], "σ", "pictures: got 1 for 1 values"),
        ([np.eye(2)] * 2, [0], "σ", "pictures: got 2 for 1 values"),
        ([np.eye(2)] * 2, [0, 1], " ", "label: got ' '"),
        ([np.eye(2) * 3] * 2, [0, 1], "σ", "pictures: got values from 0 to 3, expected [0, 1]"),
        ([np.ones((2, 2, 4))] * 2, [0, 1], "σ", "pictures: got an array (2, 2, 4)"),
        ([np.eye(2), np.eye(3)], [0, 1], "σ", "pictures: got the sizes [(320, 320), (321, 321)]"),
    ],
)
def test_bad_frames_are_named(pictures, values, label, message):
    with pytest.raises(ValueError) as raised:
        show.frames(pictures, values, label, "alt")
    assert message in str(raised.value)


def test_a_start_that_is_no_value_is_named():
    with pytest.raises(ValueError, match="start: got 3, expected one of the values, −0.123, 2"):
        show.frames(PICTURES, VALUES, "σ", "alt", start=3)


def test_a_pace_that_no_eye_follows_is_named():
    with pytest.raises(ValueError, match="pace: got 31, expected 0 to 30 frames a second"):
        show.frames(PICTURES, VALUES, "σ", "alt", pace=31)
    assert show.frames(PICTURES, VALUES, "σ", "alt").pace == 0


# Films


def test_a_film_has_a_frame_for_each_moment_and_a_still_of_all():
    clips = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    film = show.film({"data": clips, "dreamt": clips.flip(0)[:1]}, "Two clips.", given=1)
    assert (film.values, film.label, film.pace) == (["1 of 3, given", "2 of 3", "3 of 3"], "frame", 3.0)
    assert len({opened(picture).tobytes() for picture in film.pictures}) == 3
    assert film.drawn is False
    data, _ = film._repr_mimebundle_()
    assert data["image/png"]


@pytest.mark.parametrize(
    ("clips", "given", "message"),
    [
        ({}, 0, "clips: got {}"),
        ({"a": torch.zeros(1, 3, 8, 8)}, 0, "clips: got {'a': (1, 3, 8, 8)}"),
        ({"a": torch.zeros(1, 1, 3, 8, 8), "b": torch.zeros(1, 1, 4, 8, 8)}, 0, "with one T for all"),
        ({"a": torch.zeros(1, 1, 3, 8, 8)}, 4, "given: got 4, expected 0 to 3 frames"),
    ],
)
def test_bad_films_are_named(clips, given, message):
    with pytest.raises(ValueError) as raised:
        show.film(clips, "alt", given=given)
    assert message in str(raised.value)
