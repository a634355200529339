"""Captioned pictures: what is handed to the page, how a typed caption is understood, and what is refused."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from gmcourse import show
from gmcourse.show.captioned_pictures import sheet_of

GROUPS = [["one", "two", "three"], ["upper left", "lower right"]]
PICTURES = torch.rand(6, 2, 3, 5, 4, generator=torch.Generator().manual_seed(0)).round()
CAPTIONS = [f"a {digit}, {place}" for digit in GROUPS[0] for place in GROUPS[1]]


def explorer(**changes):
    given = {"pictures": PICTURES, "groups": GROUPS, "captions": CAPTIONS} | changes
    return show.CaptionedPictures(**given)


def test_the_sheet_has_a_row_for_each_caption():
    pixels = np.asarray(Image.open(io.BytesIO(sheet_of(PICTURES))).convert("RGB"))
    assert pixels.shape == (6 * 5, 2 * 4, 3)
    for row in range(6):
        for column in range(2):
            tile = pixels[5 * row : 5 * row + 5, 4 * column : 4 * column + 4]
            assert np.array_equal(tile, 255 * PICTURES[row, column].permute(1, 2, 0).numpy())


def test_the_state_is_what_the_page_needs():
    widget = explorer(marked=torch.arange(6) == 4, mark="never shown", index=3)
    assert widget.size == [2, 6, 4, 5]
    assert widget.marked == [False] * 4 + [True, False]
    assert (widget.index, widget.mark) == (3, "never shown")
    state = widget.get_state()
    assert sum(len(part) if isinstance(part, bytes) else len(json.dumps(part)) for part in state.values()) < 40_000


UNDERSTOOD = """
import { combined, separated, understood } from "./captioned_pictures/understood.js";
const places = given.texts.map((text) => understood(text, given.groups));
const choices = Array.from({ length: 6 }, (_, k) => separated(k, given.groups));
const whole = choices.map((choice) => [choice, combined(choice, given.groups)]);
console.log(JSON.stringify({ places, whole }));
"""


def test_typed_captions_are_understood(node):
    texts = ["a two, lower right", "LEFT upper Three", "two", "someone, upper left", ""]
    found = node(UNDERSTOOD, {"groups": GROUPS, "texts": texts})
    assert found["places"] == [[1, 1], [2, 0], [1, -1], [-1, 0], [-1, -1]]
    assert found["whole"] == [[[k // 2, k % 2], k] for k in range(6)]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"pictures": PICTURES.numpy()}, TypeError, "pictures: got ndarray, expected a Tensor (N, k, 3"),
        ({"pictures": PICTURES[:, :, :1]}, TypeError, "pictures: got (6, 2, 1, 5, 4)"),
        ({"pictures": PICTURES[:5]}, ValueError, "pictures: got 5 rows, expected 6"),
        ({"pictures": PICTURES + 1}, ValueError, "expected [0, 1]"),
        ({"captions": CAPTIONS[:2]}, ValueError, "captions: got 2, expected 6"),
        ({"marked": [True]}, ValueError, "marked: got 1 values, expected 6"),
        ({"index": 6}, ValueError, "index: got 6, expected 0 to 5"),
    ],
)
def test_what_does_not_fit_is_named(changes, error, message):
    with pytest.raises(error) as raised:
        explorer(**changes)
    assert message in str(raised.value)
