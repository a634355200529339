"""Convolution as a matrix, its transpose, and the checkerboards that the transpose may draw."""

from itertools import product
from math import prod

import torch
from torch import Tensor


def conv_matrix(weight: Tensor, size: tuple[int, ...], stride: int = 1, padding: int = 0) -> Tensor:
    """The matrix C of torch's convolution (a cross-correlation: no flip): C @ x.flatten() is conv(x).flatten().

    `weight` is (out, in, *kernel) and `size` the spatial shape of x, one axis or two; C is
    (out · outputs, in · inputs). C.T is the transposed convolution with the same `weight`, read as (in, out, *kernel).
    Equation: gan-conv-matrix. Dumoulin & Visin 2016, section 4.1.
    """
    if weight.dim() != 2 + len(size):
        raise ValueError(
            f"weight, size: got {tuple(weight.shape)} and {size}, expected (out, in, *kernel), one per axis"
        )
    kernel = weight.shape[2:]
    outputs = [conv_size(n, k, stride, padding) for n, k in zip(size, kernel, strict=True)]
    matrix = weight.new_zeros(weight.shape[0], *outputs, weight.shape[1], *size)
    for place in product(*map(range, outputs)):
        for tap in product(*map(range, kernel)):
            seen = tuple(i * stride + j - padding for i, j in zip(place, tap, strict=True))
            if all(0 <= i < n for i, n in zip(seen, size, strict=True)):
                matrix[(slice(None), *place, slice(None), *seen)] = weight[(slice(None), slice(None), *tap)]
    return matrix.view(weight.shape[0] * prod(outputs), -1)


def conv_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Outputs of a convolution along one axis, ⌊(n + 2p − k)/s⌋ + 1. Equation: gan-conv-size."""
    outputs = (size + 2 * padding - kernel) // stride + 1
    if outputs < 1:
        raise ValueError(
            f"size: got {size} with a kernel of {kernel} and padding {padding}, expected room for one output"
        )
    return outputs


def transposed_size(size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0) -> int:
    """Outputs of a transposed convolution along one axis, (n − 1)s − 2p + k + op. Equation: gan-transposed-size."""
    outputs = (size - 1) * stride - 2 * padding + kernel + output_padding
    if outputs < 1:
        raise ValueError(
            f"size: got {size} with a kernel of {kernel} and padding {padding}, expected room for one output"
        )
    return outputs


def tap_counts(size: int, kernel: int, stride: int = 1, padding: int = 0) -> Tensor:
    """How many inputs reach each output of a transposed convolution along one axis, (outputs,), int64."""
    counts = torch.zeros((size - 1) * stride + kernel, dtype=torch.int64)
    for i in range(size):
        counts[i * stride : i * stride + kernel] += 1
    return counts[padding : padding + transposed_size(size, kernel, stride, padding)]


def phase_sums(weight: Tensor, stride: int) -> Tensor:
    """The sum of the taps that meet in each phase, (*, k, k) → (*, s, s): the output on ones, away from the border.

    Phase (a, b) is the outputs whose places are a and b modulo the stride, before padding trims. There is no
    checkerboard on constant input where, and only where, all phases agree. Equation: gan-phase-sums. Odena et al. 2016.
    """
    if weight.dim() < 2 or stride < 1 or min(weight.shape[-2:]) < stride:
        raise ValueError(f"weight, stride: got {tuple(weight.shape)} and {stride}, expected (*, k, k) and 1 ≤ s ≤ k")
    rows = torch.stack([weight[..., a::stride, :].sum(-2) for a in range(stride)], -2)
    return torch.stack([rows[..., b::stride].sum(-1) for b in range(stride)], -1)


def checkerboard_share(images: Tensor) -> float:
    """The share of the images' power, means left out, at the frequencies (π, 0), (0, π) and (π, π).

    `images` is (n, C, H, W), H and W even. Power is added over images and channels before dividing; white noise gives
    3/(HW − 1), images without contrast 0. Equation: gan-checkerboard-share.
    """
    if images.dim() != 4 or images.shape[-2] % 2 or images.shape[-1] % 2:
        raise ValueError(f"images: got {tuple(images.shape)}, expected (n, C, H, W) with an even height and width")
    height, width = images.shape[-2:]
    power = torch.fft.fft2(images.detach().double()).abs().square().sum((0, 1))
    power[0, 0] = 0.0
    alternating = power[height // 2, 0] + power[0, width // 2] + power[height // 2, width // 2]
    total = power.sum()
    return (alternating / total).item() if total > 1e-12 * images.numel() else 0.0
