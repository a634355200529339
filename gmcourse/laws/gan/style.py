"""Laws of styles: what AdaIN, a fade, a truncation, a mix and the spread of a batch give, held to plain loops."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape
from gmcourse.laws.rows import draw, within


def adain_sets_statistics(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, scale, shift): each map of each example gets the mean `shift` and the standard deviation |scale|.

    x (batch, C, H, W), scale and shift (batch, C). The oracle goes map by map, in float64. A constant map has no
    spread to scale: it becomes `shift`, and no NaN.
    """
    for shape in ((3, 2, 4, 4), (4, 3, 3, 5)):
        x = draw(*shape, seed=seed) * (1 + torch.arange(shape[0]).view(-1, 1, 1, 1)) + 2
        x = x + torch.arange(shape[1]).view(1, -1, 1, 1)
        scale, shift = draw(2, *shape[:2], seed=seed + 1) + torch.tensor([1.5, 0.5]).view(2, 1, 1)
        law = "every map: shift + scale · (x − μ) / σ, μ and σ of its own pixels"
        observed = ask(candidate, x=x, scale=scale, shift=shift)
        observed = require_shape(law, observed, tuple(x.shape)).double()
        expected = _restyled(x, scale, shift)
        require_close(law, observed, expected, within(expected, 1e-3), _adain_slips(x, scale, shift), {"x": x})
        if not _linked(candidate, x, scale, shift):
            raise LawBroken("gradients reach x, scale and shift", "none", "all three", "gradient")
        if not _normalised_slope(candidate, x, scale, shift):
            law = "a number added to a map of x changes nothing, and so the slopes of its pixels sum to 0"
            raise LawBroken(law, "another sum", "0", "gradient")
    _constant_maps_survive(candidate)


def _restyled(x: Tensor, scale: Tensor, shift: Tensor, ddof: int = 0, power: float = 0.5) -> Tensor:
    """By loops over examples and channels."""
    x, out = x.double(), torch.empty(x.shape, dtype=torch.float64)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            pixels = x[n, c].flatten().tolist()
            mean = math.fsum(pixels) / len(pixels)
            variance = math.fsum((p - mean) ** 2 for p in pixels) / (len(pixels) - ddof)
            out[n, c] = (x[n, c] - mean) / variance**power * scale[n, c].double() + shift[n, c].double()
    return out


def _adain_slips(x: Tensor, scale: Tensor, shift: Tensor) -> dict[str, list[Tensor]]:
    x, a, b = x.double(), scale.double()[..., None, None], shift.double()[..., None, None]

    def over(axes: tuple[int, ...]) -> Tensor:
        variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        return a * (x - mean) / variance.sqrt() + b

    pixels = (2, 3)
    mean = x.mean(pixels, keepdim=True)
    bare = _restyled(x, torch.ones_like(scale), torch.zeros_like(shift))
    return {
        "dependence": [over((0, 2, 3)), over((0,)), over((0, 1, 2, 3)), a[:1] * bare + b[:1]]
        + [a.mean(0) * bare + b.mean(0)],
        "direction": [over((1, 2, 3)), over((1,)), over((2,)), over((3,)), bare * b + a, a[:, :1] * bare + b[:, :1]],
        "spread": [_restyled(x, scale, shift, power=1.0), a * (x - mean) + b],
        "constant": [_restyled(x, scale, shift, ddof=1), a * (bare + b), a * bare, bare],
        "log-mean": [a * x / x.std(pixels, correction=0, keepdim=True) + b, a * x + b, a * bare + mean + b],
        "reduction": [(1 + a) * bare + b, a.exp() * bare + b, a.square() * bare + b, bare / a + b],
        "sign": [a * bare - b, -a * bare + b, a.abs() * bare + b],
    }


def _linked(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *inputs: Tensor) -> bool:
    leaves = [part.clone().requires_grad_() for part in inputs]
    output = candidate(*leaves)
    if not isinstance(output, Tensor) or not output.requires_grad:
        return False
    weights = draw(*output.shape, seed=1_007)  # not the draws of x
    slopes = torch.autograd.grad((output * weights).sum(), leaves, materialize_grads=True)
    return all(bool(slope.abs().sum() > 1e-3) for slope in slopes)


def _normalised_slope(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *inputs: Tensor) -> bool:
    """Whether the gradient goes through the mean (and the deviation) of a map: then its slopes sum to 0."""
    x = inputs[0].clone().requires_grad_()
    output = candidate(x, *(part.clone() for part in inputs[1:]))
    (slopes,) = torch.autograd.grad((output * draw(*output.shape, seed=1_007)).sum(), x)
    return bool(slopes.sum((2, 3)).abs().max() < 1e-3)


def _constant_maps_survive(candidate: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    x = torch.zeros(2, 1, 4, 4) + torch.tensor([0.0, 3.0]).view(2, 1, 1, 1)
    scale, shift = torch.tensor([[2.0], [1.5]]), torch.tensor([[0.5], [-1.0]])
    law = "a constant map becomes its shift"
    output = torch.as_tensor(ask(candidate, x=x, scale=scale, shift=shift))
    if not output.isfinite().all():
        raise LawBroken(law, "NaN or infinity", "0.5 and −1", "not-finite")
    observed = require_shape(law, output, (2, 1, 4, 4)).double()
    require_close(law, observed, shift.double().view(2, 1, 1, 1).expand(2, 1, 4, 4), 1e-2)


def fade_keeps_both_ends(candidate: Callable[[Tensor, Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(low, high, α) = (1 − α) low + α high; at α = 0 it is `low` and at α = 1 `high`, bit for bit."""
    low, high = draw(2, 3, 2, 4, 4, seed=seed)
    high = 2 * high + 1
    for alpha in (0.25, 0.7):
        expected = low.double() * (1 - alpha) + high.double() * alpha
        suspects = {
            "direction": low.double() * alpha + high.double() * (1 - alpha),
            "constant": [low.double() + alpha * high.double(), low.double() * (1 - alpha) + high.double()]
            + [alpha * low.double() + high.double(), alpha * (low.double() + high.double())]
            + [1 - alpha * low.double() + alpha * high.double()],
            "reduction": [low.double() + high.double(), (low.double() + high.double()) / 2],
            "dependence": [low.double(), high.double()],
            "spread": [low.double() * math.sqrt(1 - alpha) + high.double() * math.sqrt(alpha)]
            + [torch.lerp(low.double(), high.double(), a) for a in (alpha**2, alpha**2 * (3 - 2 * alpha), alpha / 2)],
        }
        observed = require_shape("one picture", ask(candidate, low=low, high=high, alpha=alpha), tuple(low.shape))
        law = f"(1 − α) low + α high at α = {alpha}"
        require_close(law, observed.double(), expected, 1e-5, suspects, {"low": low, "high": high})
    for alpha, end in ((0.0, low), (1.0, high)):
        law = f"at α = {alpha:g} bit for bit the {'old' if alpha == 0 else 'new'} picture"
        observed = require_shape(law, ask(candidate, low=low, high=high, alpha=alpha), tuple(low.shape))
        apart = int((observed != end).sum())
        if apart:
            raise LawBroken(law, f"{apart} of {end.numel()} pixels that differ", "none", "spread")


def truncation_keeps_the_center(candidate: Callable[[Tensor, Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(w, center, ψ) = w̄ + ψ (w − w̄) for styles (n, W) or (layers, n, W) and w̄ (W,)."""
    for shape in ((4, 3), (2, 4, 3)):
        w, center = draw(*shape, seed=seed), draw(3, seed=seed + 1) + 0.5
        for psi in (0.7, 0.0, 1.3, 1.0):
            v, c = w.double(), center.double()
            expected = c + psi * (v - c)
            suspects = {
                "one-to-one": [v] if psi > 1 else [],
                "constant": [psi * v, psi * (v - c), v],
                "direction": [v + psi * (c - v), c - psi * (v - c), c + psi * v, psi * c + v],
                "dependence": [m + psi * (v - m) for m in (v.mean(-2, keepdim=True), v.mean(0), v.mean())],
                "spread": [c + psi**0.5 * (v - c), c + psi**2 * (v - c), *([c + (v - c) / psi] if psi else [])],
                "log-mean": [(v - c).clamp(-psi, psi) + c, v.clamp(-psi, psi), c + psi * torch.tanh(v - c)]
                + [c + (v - c) * (psi / (v - c).norm(dim=-1, keepdim=True)).clamp(max=1)],
                "sign": c + psi * (v + c),
            }
            law = f"w̄ + ψ (w − w̄) at ψ = {psi:g}"
            observed = require_shape(law, ask(candidate, w=w, center=center, psi=psi), tuple(shape)).double()
            require_close(law, observed, expected, 1e-5, suspects, {"w": w, "center": center})


def mixing_keeps_the_parents(candidate: Callable[[Tensor, Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(first, second, crossover): layers before the crossover come of `first`, from it on of `second`.

    Both are (layers, batch, W); the oracle goes layer by layer.
    """
    first, second = draw(2, 4, 3, 5, seed=seed)
    for crossover in (2, 1, 3, 0, 4):
        expected = torch.stack([first[k] if k < crossover else second[k] for k in range(4)])
        suspects = {
            "direction": [
                torch.stack([second[k] if k < crossover else first[k] for k in range(4)]),
                torch.cat([second[crossover:], first[:crossover]]),
            ],
            "one-to-one": [torch.cat([first[:crossover], second[: 4 - crossover]])],
            "constant": [
                torch.stack([first[k] if k < 4 - crossover else second[k] for k in range(4)]),
                torch.stack([first[k] if k < 2 else second[k] for k in range(4)]),
                first,
                torch.stack([first[k] if k <= crossover else second[k] for k in range(4)]),
                torch.stack([first[k] if k < crossover - 1 else second[k] for k in range(4)]),
            ],
            "reduction": [(first + second) / 2, first + second],
            "dependence": [torch.cat([first[:, :k], second[:, k:]], 1) for k in (1, 2)]
            + [torch.cat([first[..., :k], second[..., k:]], 2) for k in (1, 2)],
        }
        law = f"layers before {crossover} of the first parent, the others of the second"
        observed = require_shape(law, ask(candidate, first=first, second=second, crossover=crossover), (4, 3, 5))
        try:
            require_close(law, observed.double(), expected.double(), 0.0, suspects)
        except LawBroken as broken:  # four numbers of the first layer would tell nothing
            seen, right = (_parents(styles, first, second) for styles in (observed, expected))
            raise LawBroken(law, seen, right, broken.cause, broken.case) from None


def _parents(styles: Tensor, first: Tensor, second: Tensor) -> str:
    """Layer by layer, which layer of which parent it is: "first[0], second[1], …"."""
    parents = {"first": first, "second": second}
    known = [(f"{name}[{k}]", layer) for name, held in parents.items() for k, layer in enumerate(held)]
    return ", ".join(next((name for name, layer in known if torch.equal(layer, row)), "neither") for row in styles)


def batch_spread_is_one_map(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x) is x with one map more, (batch, C + 1, H, W): the mean over channels and pixels of the spread.

    The spread is the standard deviation over the batch (divided by n) at one channel and pixel. The oracle is loops.
    """
    for x in _batches(seed):
        batch, channels, height, width = x.shape
        law = "x, and behind it one map of the batch's mean spread"
        observed = require_shape(law, ask(candidate, x=x), (batch, channels + 1, height, width)).double()
        kept = "the maps of x come first, as they were"
        require_close(kept, observed[:, :channels], x.double(), 1e-6, deduced="shape")
        columns = x.double().flatten(1).T.tolist()
        spread = math.fsum(_deviation(column) for column in columns) / len(columns)
        expected = torch.full((batch, height, width), spread, dtype=torch.float64)
        require_close(
            law,
            observed[:, channels],
            expected,
            2e-4,
            _spread_slips(x, spread),
            deduced="" if spread > 1e-3 else "constant",
        )
    _teaches(candidate, next(_batches(seed)).requires_grad_())


def _spread_slips(x: Tensor, spread: float) -> dict[str, list[Tensor]]:
    batch, _, height, width = x.shape
    flat = x.double().flatten(1)
    values = {
        "constant": [flat.std(0).mean(), flat.new_zeros(())],
        "spread": [flat.var(0, correction=0).mean(), flat.var(0, correction=0).mean().sqrt()]
        + [x.double().var(0, correction=0).mean((1, 2)).sqrt().mean()],
        "log-mean": [
            flat.mean(1).std(correction=0),
            x.double().mean((2, 3)).std(0, correction=0).mean(),
            x.double().mean(1).std(0, correction=0).mean(),
        ],
        "direction": [flat.std(1, correction=0).mean(), flat.std(correction=0)]
        + [x.double().std(axes, correction=0).mean() for axes in ((2, 3), 1)],
        "reduction": [flat.std(0, correction=0).sum()],
    }
    suspects = {
        cause: [value.expand(batch, height, width) for value in slips if value > 0 or spread > 1e-3]
        for cause, slips in values.items()
    }
    own = flat.std(1, correction=0), (flat - flat.mean(0)).square().mean(1).sqrt()
    suspects["dependence"] = [one[:, None, None].expand(batch, height, width) for one in own]
    if spread > 1e-3:
        suspects["reduction"].append(x.double().std(0, correction=0).mean(0).expand(batch, height, width))
    return suspects


def _teaches(candidate: Callable[[Tensor], Tensor], x: Tensor) -> None:
    output = candidate(x)
    if isinstance(output, Tensor) and output.requires_grad:
        (slope,) = torch.autograd.grad(output[:, -1].sum(), x, materialize_grads=True)
        if slope.abs().sum() > 1e-3:
            return
    raise LawBroken("a gradient reaches x through the new map", "none", "one", "gradient")


def _batches(seed: int) -> Iterator[Tensor]:
    yield draw(5, 2, 3, 4, seed=seed) * torch.tensor([0.3, 2.0]).view(1, 2, 1, 1)
    yield draw(3, 3, 2, 2, seed=seed + 1) + torch.arange(3).view(3, 1, 1, 1)
    yield draw(1, 2, 4, 4, seed=seed + 2).expand(4, 2, 4, 4).clone()  # collapsed: no spread at all


def _deviation(column: list[float]) -> float:
    mean = math.fsum(column) / len(column)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in column) / len(column))
