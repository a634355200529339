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


PLAYED = """
import frames from "./frame_slider/frames.js";
class Element {
  constructor() { Object.assign(this, { children: [], dataset: {}, style: {}, heard: {}, classList: { add() {} } }); }
  append(...parts) { this.children.push(...parts); }
  setAttribute() {}
  addEventListener(name, act) { this.heard[name] = act; }
}
globalThis.document = { createElement: () => new Element() };
URL.createObjectURL = () => "picture";
URL.revokeObjectURL = () => {};
const all = (element) => [element, ...element.children.flatMap(all)];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
function opened(pace) {
  const words = { label: "frame", values: ["a", "b", "c", "d"], alt: "Film." };
  const told = { ...words, pictures: [0, 1, 2, 3], size: [1, 1], index: 1, pace };
  const heard = [];
  const model = { get: (name) => told[name], set: (name, value) => (told[name] = value) };
  const changed = () => heard.forEach((act) => act());
  Object.assign(model, { save_changes: changed, on: (_, act) => heard.push(act), off() {} });
  const el = new Element();
  const end = frames.render({ model, el });
  const named = (word) => all(el).find(({ className }) => className && className.split(" ").includes(word));
  return { told, end, play: named("gm-play"), on: named("gm-on") };
}
const { told, end, play, on } = opened(50);
const seen = [];
const note = () => seen.push([told.index, play.textContent]);
note();
play.heard.click(); // plays on from where it stands
note();
await wait(400);
note();
play.heard.click(); // from the first again
note();
on.heard.click(); // a hand on it stops it
note();
await wait(100);
note();
play.heard.click();
end(); // the page is left
await wait(100);
seen.push([told.index, opened(0).play === undefined, opened(undefined).play === undefined]);
console.log(JSON.stringify(seen));
"""


def test_a_film_plays_to_the_last_frame_and_stops_where_a_hand_or_the_page_stops_it(node):
    play, pause = "▶ Play", "❚❚ Pause"
    seen = node(PLAYED)
    assert seen == [[1, play], [1, pause], [3, play], [0, pause], [1, play], [1, play], [1, True, True]]
