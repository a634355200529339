"""What is read in a picture agrees with its caption on the data, and fails where it must."""

import pytest
import torch

from gmcourse.data import load
from gmcourse.data.captioned_digits import attributes_of, drawn
from gmcourse.metrics.captioned import digit_of, enclosed, place_of, style_of


@pytest.fixture(scope="module")
def pictures():
    data = load("captioned-digits")
    return data.test, attributes_of(data.labels["test"]).T


def test_style_and_place_are_read_without_error(pictures):
    images, (_, place, style) = pictures
    assert torch.equal(style_of(images), style)
    assert torch.equal(place_of(images), place)
    assert torch.equal(style_of(0.3 * images), style)


def test_digits_are_read_almost_always_and_not_at_another_place(pictures):
    images, (digit, place, style) = pictures
    right = digit_of(images, place, style == 5) == digit
    assert right[style != 5].float().mean() > 0.8  # what it reads of 8 × 8 pixels: the ceiling of any sample
    assert right[style == 5].float().mean() > 0.7
    elsewhere = digit_of(images, 3 - place, style == 5) == digit
    assert elsewhere.float().mean() < 0.4


def test_what_a_ring_encloses():
    ring = torch.zeros(2, 5, 6, dtype=torch.bool)
    ring[:, 1:4, 1:5] = True
    ring[:, 2, 2:4] = False
    expected = torch.zeros(5, 6, dtype=torch.bool)
    expected[2, 2:4] = True
    ring[1, 1, 2] = False  # a gap: nothing is enclosed
    assert torch.equal(enclosed(ring), torch.stack([expected, 0 * expected]))
    dot = torch.zeros(1, 1, 8, 8)
    dot[0, 0, 2:6, 3] = 1
    (outline,) = drawn(dot, torch.tensor([[1, 3, 5]]))
    assert enclosed(outline[:1] > 0.5).sum() == 4


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="images: got shape .* expected"):
        style_of(torch.zeros(2, 1, 16, 16))
