"""Convolution as a matrix against torch's own, forwards and backwards; sizes, taps and checkerboards."""

import pytest
import torch
from torch.nn import functional as F

from gmcourse.gan.convolution import (
    checkerboard_share,
    conv_matrix,
    conv_size,
    phase_sums,
    tap_counts,
    transposed_size,
)

CASES = [(1, 1, 3, 1, 0), (2, 3, 4, 2, 1), (3, 2, 3, 2, 1), (1, 2, 5, 3, 2)]


@pytest.mark.parametrize(("inputs", "outputs", "k", "stride", "padding"), CASES)
def test_matrix_is_conv2d_and_its_transpose_is_conv_transpose2d(inputs, outputs, k, stride, padding):
    torch.manual_seed(0)
    height = transposed_size(3, k, stride, padding)
    width = transposed_size(4, k, stride, padding)
    weight = torch.randn(outputs, inputs, k, k, dtype=torch.float64)
    x = torch.randn(inputs, height, width, dtype=torch.float64, requires_grad=True)
    conv = F.conv2d(x[None], weight, stride=stride, padding=padding)
    assert conv.shape == (1, outputs, 3, 4)
    matrix = conv_matrix(weight, (height, width), stride, padding)
    torch.testing.assert_close(matrix @ x.flatten(), conv.flatten())

    y = torch.randn(outputs, 3, 4, dtype=torch.float64)
    spread = F.conv_transpose2d(y[None], weight, stride=stride, padding=padding)
    torch.testing.assert_close(matrix.T @ y.flatten(), spread.flatten())
    (backward,) = torch.autograd.grad(conv, x, y[None])  # the same product, in the backward pass
    torch.testing.assert_close(backward, spread[0])


def test_matrix_of_one_axis():
    kernel = torch.tensor([1.0, 2.0, 3.0])
    expected = [[2, 3, 0, 0, 0], [0, 1, 2, 3, 0], [0, 0, 0, 1, 2]]
    assert conv_matrix(kernel[None, None], (5,), 2, 1).tolist() == expected


@pytest.mark.parametrize("n", [1, 4, 7])
@pytest.mark.parametrize(("k", "s", "p", "op"), [(4, 2, 1, 0), (3, 2, 1, 0), (3, 2, 1, 1), (5, 3, 2, 2), (7, 1, 0, 0)])
def test_sizes_are_torchs(n, k, s, p, op):
    spread = F.conv_transpose1d(torch.ones(1, 1, n), torch.ones(1, 1, k), stride=s, padding=p, output_padding=op)
    assert transposed_size(n, k, s, p, op) == spread.shape[2]
    assert conv_size(transposed_size(n, k, s, p, op), k, s, p) == n
    if not op:
        assert tap_counts(n, k, s, p).tolist() == spread[0, 0].tolist()


@pytest.mark.parametrize(("k", "s"), [(3, 2), (4, 2), (5, 3), (6, 3), (2, 2)])
def test_phase_sums_are_the_output_on_ones(k, s):
    weight = torch.randn(2, 3, k, k, dtype=torch.float64)
    inside = F.conv_transpose2d(torch.ones(1, 2, 9, 9, dtype=torch.float64), weight, stride=s)
    inside = inside[0, :, 4 * s : 5 * s, 4 * s : 5 * s]
    torch.testing.assert_close(phase_sums(weight, s).sum(0), inside)


@pytest.mark.parametrize("k", [3, 5, 7])
def test_odd_kernels_of_ones_alternate_by_one_kth(k):
    sums = phase_sums(torch.ones(k, k), 2)
    assert (sums[0, 0] - sums[1, 0]) / (sums[0, 0] + sums[1, 0]) == pytest.approx(1 / k)


def test_share_of_known_patterns():
    i = torch.arange(8)
    stripes = (i % 2).float().expand(3, 1, 8, 8)
    slow = torch.cos(torch.pi * i / 4).expand(3, 1, 8, 8)
    assert checkerboard_share(stripes) == pytest.approx(1)
    assert checkerboard_share(slow) == pytest.approx(0, abs=1e-9)
    assert checkerboard_share(torch.full((2, 1, 4, 4), 0.3)) == 0
    noise = torch.rand(4000, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert checkerboard_share(noise) == pytest.approx(3 / 63, rel=0.03)
    assert checkerboard_share(F.interpolate(noise, scale_factor=2)) == pytest.approx(0, abs=1e-9)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="weight, size: got"):
        conv_matrix(torch.ones(3, 3), (8, 8))
    with pytest.raises(ValueError, match="size: got 2"):
        conv_matrix(torch.ones(1, 1, 3), (2,))
    with pytest.raises(ValueError, match="size: got 1"):
        transposed_size(1, 2, 2, 1)
    with pytest.raises(ValueError, match="images: got"):
        checkerboard_share(torch.zeros(1, 1, 7, 8))
    with pytest.raises(ValueError, match="weight, stride: got"):
        phase_sums(torch.ones(3, 3), 4)
