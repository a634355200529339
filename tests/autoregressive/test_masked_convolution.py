"""The mask by hand, and what a masked convolution sees."""

import pytest
import torch

from gmcourse.autoregressive.masked_convolution import MaskedConv2d, colour_of, pixel_mask


def test_the_mask_by_hand():
    past = [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    own = [[1, 1, 1], [1, 1, 0], [0, 0, 0]]
    assert pixel_mask(3, "A")[0, 0].tolist() == past
    assert pixel_mask(3, "B")[0, 0].tolist() == own
    assert pixel_mask((1, 3), "B")[0, 0].tolist() == [[1, 1, 0]]


def test_colours_of_the_own_pixel():
    """Two maps a colour: R, R, G, G, B, B."""
    assert colour_of(6, 3).tolist() == [0, 0, 1, 1, 2, 2]
    centre = pixel_mask(3, "A", 3, 6, colours=3)[:, :, 1, 1]
    assert centre.tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0]]
    centre = pixel_mask(3, "B", 3, 6, colours=3)[:, :, 1, 1]
    assert centre.tolist() == [[1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1]]


def test_elsewhere_a_map_sees_all_colours():
    mask = pixel_mask(5, "A", 4, 7, colours=3)
    mask[:, :, 2, 2] = 0
    assert (mask == pixel_mask(5, "A")).all()


@pytest.mark.parametrize("kind", ["A", "B"])
def test_what_a_layer_sees(kind):
    """The pixels of a 5 × 5 image whose change is felt in the middle, by gradient."""
    torch.manual_seed(0)
    layer = MaskedConv2d(1, 4, 3, kind)
    x = torch.randn(1, 1, 5, 5, requires_grad=True)
    layer(x)[0, :, 2, 2].sum().backward()
    expected = torch.zeros(5, 5, dtype=torch.bool)
    expected[1:4, 1:4] = pixel_mask(3, kind)[0, 0].bool()
    assert torch.equal(x.grad[0, 0] != 0, expected)


def test_the_mask_outlives_a_step_of_the_optimiser():
    layer = MaskedConv2d(1, 1, 3, "A")
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.zero_()
    assert layer(torch.ones(1, 1, 3, 3))[0, 0, 1, 1] == 4


@pytest.mark.parametrize("kernel", [2, 0, (3, 4)])
def test_an_even_kernel_has_no_middle(kernel):
    with pytest.raises(ValueError, match="kernel: got .*, expected odd sizes"):
        pixel_mask(kernel, "A")


def test_other_kinds_and_too_many_colours_are_named():
    with pytest.raises(ValueError, match="kind: got 'C', expected 'A' or 'B'"):
        pixel_mask(3, "C")
    with pytest.raises(ValueError, match="colours: got 3 for 2 maps"):
        pixel_mask(3, "A", 2, 6, colours=3)
