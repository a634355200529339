"""Laws of translation: what a patch critic sees, what a cycle costs, what a buffer shows and a block mean loses."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, require_close, require_numbers, require_parts, require_shape
from gmcourse.laws.rows import within

STACKS = (
    ((4, 2), (4, 2), (3, 1)),
    ((3, 1), (5, 2), (3, 3), (2, 1)),
    ((4, 2), (4, 2), (4, 2), (4, 1), (4, 1)),
    ((5, 3),),
)
"""Layers as (kernel, stride); the third is that of the paper's critic."""


def field_is_what_gradients_reach(candidate: Callable[[list[tuple[int, int]]], Any]) -> None:
    """candidate(layers) is (side, step): the pixels that one output sees in a row, and how far neighbours are apart.

    The oracle is autograd through convolutions of ones, in one dimension.
    """
    for layers in STACKS:
        seen = require_numbers("side and step", ask(candidate, layers=list(layers)), 2)
        side, step = _reached(layers)
        kernels, strides = zip(*layers)
        back = 1
        for kernel, stride in layers:
            back = (back - 1) * stride + kernel
        late = jump = 1
        for kernel, stride in layers:
            jump *= stride
            late += (kernel - 1) * jump
        steps = [math.prod(strides[:k]) for k in range(len(layers))]
        slips = {
            "shape": [_pair(step, side)],
            "reduction": [_pair(sum(kernels), step), _pair(1 + sum(k - 1 for k in kernels), step)],
            "direction": [_pair(back, step), _pair(late, step)]
            + [_pair(1 + sum((k - 1) * s for k, s in layers), step)],
            "one-to-one": [_pair(side, sum(strides)), _pair(side, strides[-1]), _pair(side, 1), _pair(side, side)],
            "constant": [_pair(side - 1, step), _pair(side + 1, step), _pair(1, 0)]
            + [_pair(start + sum(k * j for k, j in zip(kernels, steps)), step) for start in (0, 1)]
            + [_pair(1 + sum(2 * (k // 2) * j for k, j in zip(kernels, steps)), step)],
        }
        if back == side:
            slips["direction"] = slips["direction"][1:]
        deduced = "one-to-one" if seen[0] == side else "reduction" if seen[1] == step else ""
        law = f"the field of the layers (kernel, stride) {', '.join(map(str, layers))}"
        require_close(law, seen, _pair(side, step), 1e-6, slips, deduced=deduced)


def _pair(side: float, step: float) -> Tensor:
    return torch.tensor([side, step], dtype=torch.float64)


def _reached(layers: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The extent of the gradient of one output, and the way between the first inputs of two neighbours."""
    x = torch.ones(1, 1, 400, dtype=torch.float64, requires_grad=True)
    h: Tensor = x
    for kernel, stride in layers:
        h = F.conv1d(h, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride)
    places = [torch.autograd.grad(h[0, 0, i], x, retain_graph=True)[0][0, 0].nonzero().flatten() for i in (3, 4)]
    return len(places[0]), int(places[1][0] - places[0][0])


def cycle_goes_both_ways(candidate: Callable[..., Any], *, seed: int = 0) -> None:
    """candidate(to_b, to_a, a, b) is E |F(G(a)) − a| + E |G(F(b)) − b|, with the gradient of both maps.

    A has one channel and B three, so that no map fits in the other's place; the oracle multiplies the channels out.
    """
    rng = torch.Generator().manual_seed(seed)
    there, back = (torch.randn(*shape, generator=rng, requires_grad=True) for shape in ((3, 1), (1, 3)))
    for rows in ((4, 6), (5, 5)):
        a, b = (torch.rand(n, c, 2, 3, generator=rng) - 0.5 for n, c in zip(rows, (1, 3), strict=True))
        to_b, to_a = _map("G", there), _map("F", back)
        gaps = _round(a, there, back) - a, _round(b, back, there) - b
        value = require_shape("one number", ask(candidate, to_b=to_b, to_a=to_a, a=a, b=b), ())
        expected = sum((gap.abs().mean() for gap in gaps), torch.zeros(()))
        law = f"E |F(G(a)) − a| + E |G(F(b)) − b|, {rows[0]} and {rows[1]} pictures"
        require_close(law, value.detach(), expected.detach(), within(expected.detach()), _other_sums(*gaps))
        for name, weight in (("G", there), ("F", back)):
            law, moved = f"the cycle moves {name}", slope(value, weight)
            right = slope(expected, weight)
            require_close(law, moved, right, within(right, 1e-3), {"gradient": [moved]})


def _other_sums(*gaps: Tensor) -> dict[str, list[float]]:
    """What slips would make of the two differences F(G(a)) − a and G(F(b)) − b."""
    gaps = tuple(gap.detach() for gap in gaps)
    sizes = [gap.abs() for gap in gaps]
    squares = sum(float(gap.square().mean()) for gap in gaps)
    expected, total = (sum(float(part) for part in parts) for parts in zip(*((s.mean(), s.sum()) for s in sizes)))
    return {
        "dependence": [float(size.mean()) for size in sizes],
        "spread": [
            squares,
            0.5 * squares,
            squares**0.5,
            sum(float(gap.square().mean().sqrt()) for gap in gaps),
            sum(float(F.huber_loss(gap, torch.zeros_like(gap))) for gap in gaps),
        ],
        "reduction": [
            *(total / n for n in (1, *map(len, gaps))),
            *(share * expected for share in (0.5, 2.0, 10.0, 20.0)),
            float(torch.cat([size.flatten() for size in sizes]).mean()),
            sum(float(size.sum(1).mean()) for size in sizes),
            sum(float(size.sum()) / len(size) for size in sizes),
        ],
        "sign": [sum(float(gap.mean()) for gap in gaps), sum(float(gap.mean().abs()) for gap in gaps)],
    }


def _map(name: str, weight: Tensor) -> Callable[[Tensor], Tensor]:
    """A map of channels that says so where it is given a picture of the other domain."""

    def mapped(x: Tensor) -> Tensor:
        if x.shape[-3] != weight.shape[1]:
            law = "G takes pictures of A, of one channel, and F takes pictures of B, of three"
            raise LawBroken(law, f"{name} was given {x.shape[-3]}", f"{weight.shape[1]}", "direction")
        return F.conv2d(x, weight[:, :, None, None]).tanh()

    return mapped


def _round(x: Tensor, there: Tensor, back: Tensor) -> Tensor:
    """There and back, pixel by pixel."""
    pixels = x.permute(0, 2, 3, 1)
    return torch.tanh(torch.tanh(pixels @ there.T) @ back.T).permute(0, 3, 1, 2)


def buffer_is_swapped(candidate: Callable[..., Any], *, seed: int = 0) -> None:
    """candidate(fresh, kept, coin, places) is (shown, kept): where the coin falls, a kept picture and a fresh one swap.

    The oracle is a loop over the rows; places are distinct.
    """
    rng = torch.Generator().manual_seed(seed)
    for batch, size in ((4, 7), (5, 5)):
        fresh, kept = (torch.rand(n, 1, 2, 3, generator=rng) for n in (batch, size))
        places, coin = torch.randperm(size, generator=rng)[:batch], torch.arange(batch) % 3 != 1
        given = {"fresh": fresh, "kept": kept, "coin": coin, "places": places}
        parts = require_parts("shown, and kept", ask(candidate, **given), 2)
        shown, left = (require_shape("shown, and kept", t, tuple(s.shape)) for t, s in zip(parts, (fresh, kept)))
        expected, after = _swapped(fresh, kept, coin, places)
        other, other_after = _swapped(fresh, kept, ~coin, places)
        always, all_after = _swapped(fresh, kept, torch.ones_like(coin), places)
        law = "half of what is shown are kept pictures"
        slips = {
            "sign": [other],
            "randomness": [always],
            "dependence": [fresh, kept[:batch], _first(fresh, kept, coin)],
        }
        require_close(law, shown, expected, 1e-6, slips)
        law = "a fresh picture takes the place of the one shown"
        require_close(law, left, after, 1e-6, {"sign": [other_after], "dependence": [kept, all_after]})
        if any(isinstance(t, Tensor) and t.requires_grad for t in parts):
            raise LawBroken("kept pictures carry no gradient", "a gradient", "none", "gradient")


def _swapped(fresh: Tensor, kept: Tensor, coin: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    shown, left = fresh.clone(), kept.clone()
    for row in range(len(fresh)):
        if coin[row]:
            shown[row], left[int(places[row])] = kept[int(places[row])], fresh[row]
    return shown, left


def _first(fresh: Tensor, kept: Tensor, coin: Tensor) -> Tensor:
    """The kept pictures in their order, wherever they stand."""
    return torch.where(coin[:, None, None, None], kept[: len(fresh)], fresh)


def inside_is_what_block_means_leave(candidate: Callable[[Tensor, int], Any], *, seed: int = 0) -> None:
    """candidate(x, size) is x − its mean over each block of size × size pixels, in every pixel: three loops."""
    rng = torch.Generator().manual_seed(seed)
    for size in (2, 3):
        x = torch.rand(3, 2, 2 * size, 3 * size, generator=rng)
        expected, means = torch.zeros_like(x), torch.zeros_like(x)
        for row in range(0, x.shape[2], size):
            for column in range(0, x.shape[3], size):
                block = (..., slice(row, row + size), slice(column, column + size))
                means[block] = x[block].mean((2, 3), keepdim=True)
        expected = x - means
        shifted = x - means.roll((1, 1), (2, 3))
        slips = {
            "dependence": [x - x.mean((2, 3), keepdim=True), x - x.mean(), x - means.mean(1, keepdim=True)],
            "sign": [-expected],
            "one-to-one": [shifted],
            "direction": [means],
            "spread": [expected.square(), expected.abs()],
        }
        seen = require_shape("a number for each pixel", ask(candidate, x=x, size=size), tuple(x.shape))
        require_close(f"x less the mean of its block of {size} × {size}", seen, expected, 1e-5, slips)
