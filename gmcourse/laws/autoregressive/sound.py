"""Laws of sound: how far a stack of convolutions sees, that a convolution looks back only, and the codes of a μ-law."""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape
from gmcourse.laws.rows import draw, further, within


def reach_of_stack(candidate: Callable[[int, Sequence[int]], int], *, seed: int = 0) -> None:
    """candidate(kernel, dilations) = how many samples lie between the first that x_t may depend on and x_t.

    Counted here by following every path back through the layers, from an input that is moved by one.
    """
    fixed = (3, [2, 3, 14]), (2, [1, 2, 4]), (2, [7]), (4, [2, 5]), (2, [1] * 6), (3, [2, 2])
    more = further(seed, lambda rng: (rng.randint(2, 4), [rng.randint(1, 8) for _ in range(3)]))
    for kernel, dilations in (*fixed, *more):
        law = f"R of {len(dilations)} layers, {kernel} taps, dilations {dilations}"
        back = {0}
        for d in dilations:
            back = {s + j * d for s in back for j in range(kernel)}
        observed = require_shape(law, ask(candidate, kernel=kernel, dilations=list(dilations)), ()).double()
        require_close(law, observed, torch.tensor(max(back) + 1.0).double(), 0.0, _reach_slips(kernel, dilations))


def _reach_slips(kernel: int, dilations: Sequence[int]) -> dict[str, Sequence[float]]:
    layers, total, product = len(dilations), sum(dilations), math.prod(dilations)
    taps = kernel - 1
    return {
        "constant": [taps * total],
        "one-to-one": [kernel * total, 1 + kernel * total, 1 + total, total + taps, total + kernel, 2 + taps * total],
        "dependence": [1 + layers * taps, layers * taps, layers * kernel, kernel**layers, 2**layers, taps * 2**layers],
        "reduction": [1 + taps * product, taps * product, kernel * product]
        + [
            way
            for d in (max(dilations), dilations[-1])
            for way in (1 + taps * d, taps * d, 1 + kernel * d, kernel * d, d)
        ],
        "direction": [total],
    }


def convolution_looks_back(candidate: Callable[[Tensor, Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(x, weight, dilation)_t = Σ_j W_j x_{t−(k−1−j)d}, zeros before the start; summed here place by place.

    x (batch, in, T), weight (out, in, k) → (batch, out, T), for sounds shorter than the taps are apart, too.
    """
    for taps, dilation, length in ((2, 1, 7), (3, 1, 8), (2, 4, 11), (3, 2, 9), (2, 5, 3), (1, 3, 5), (2, 9, 7)):
        x, weight = draw(2, 3, length, seed=seed + length), draw(4, 3, taps, seed=seed + taps)
        law = f"y_t = Σ_j W_j x_(t−(k−1−j)d), {taps} taps, d = {dilation}, {length} samples"
        output = ask(candidate, x=x, weight=weight, dilation=dilation)
        observed = require_shape(law, output, (2, 4, length)).detach().double()
        expected = _summed(x.double(), weight.double(), dilation)
        slips = _conv_slips(x.double(), weight.double(), dilation)
        require_close(law, observed, expected, within(expected), slips, given={"x": x, "dilation": dilation})


def _summed(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    y = torch.zeros(x.shape[0], weight.shape[0], x.shape[2], dtype=x.dtype)
    for t in range(x.shape[2]):
        for j in range(weight.shape[2]):
            past = t - (weight.shape[2] - 1 - j) * dilation
            if past >= 0:
                y[:, :, t] += x[:, :, past] @ weight[:, :, j].T
    return y


def _conv_slips(x: Tensor, weight: Tensor, dilation: int) -> dict[str, list[Tensor]]:
    length, taps = x.shape[2], weight.shape[2]
    reach = (taps - 1) * dilation

    def padded(left: int, right: int, d: int = dilation, w: Tensor = weight) -> Tensor:
        return F.conv1d(F.pad(x, (left, right)), w, dilation=d)[..., :length]

    circular = sum(
        torch.einsum("oi,bit->bot", weight[:, :, j], x.roll((taps - 1 - j) * dilation, 2)) for j in range(taps)
    )
    return {
        "dependence": [*(padded(reach - ahead, ahead) for ahead in range(1, reach + 1)), torch.as_tensor(circular)],
        "one-to-one": [padded(reach + 1, 0), padded(reach + dilation, 0)],
        "constant": [padded(taps - 1, 0, 1), padded(reach, 0, 1), padded((taps - 1) * 2**dilation, 0, 2**dilation)],
        "direction": [padded(reach, 0, w=weight.flip(-1))],
        "spread": [F.conv1d(F.pad(x, (reach, 0), mode="replicate"), weight, dilation=dilation)],
    }


def codes_are_nearest(candidate: Callable[[Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(x, levels) = the code of each amplitude, of any shape: by the edges between codes, in a table.

    The edge between k and k + 1 lies where f(x) = (2k + 1)/μ − 1; no x is drawn near one, but for 0, which may have
    the code on either side.
    """
    for levels, shape in ((256, (200,)), (256, (3, 5)), (16, (90,)), (64, (2, 1, 70))):
        mu, rng = levels - 1, torch.Generator().manual_seed(seed + levels)
        codes = torch.randint(0, levels, shape, generator=rng)
        codes.view(-1)[:3] = torch.tensor([0, mu, mu // 2])
        inside = (0.98 * torch.rand(shape, generator=rng, dtype=torch.float64) - 0.49) * (0 < codes) * (codes < mu)
        x = _amplitude(2 * (codes + inside) / mu - 1, mu).float()
        x.view(-1)[2] = 0.0
        edges = _amplitude((2 * torch.arange(mu, dtype=torch.float64) + 1) / mu - 1, mu)
        expected = torch.searchsorted(edges, x.double()).double()
        law = f"the code of an amplitude, {levels} levels"
        observed = require_shape(law, ask(candidate, x=x, levels=levels), shape).detach().double()
        expected = expected.where((x != 0) | (observed != expected + 1), observed)
        ends = observed.view(-1)[:2].tolist() != [0, mu]
        slips, left = _code_slips(x, mu), "direction" if ends else "not-finite" if (observed < 0).any() else ""
        require_close(law, observed, expected, 0.0, slips, given={"x": x}, fit=1e-3, deduced=left)


def _amplitude(y: Tensor, mu: int) -> Tensor:
    """f⁻¹(y)."""
    return y.sign() * ((1.0 + mu) ** y.abs() - 1) / mu


def _code_slips(x: Tensor, mu: int) -> dict[str, list[Tensor]]:
    def squeezed(m: float, by: float | None = None) -> Tensor:
        return x.sign() * torch.log1p(m * x.abs()) / math.log1p(m if by is None else by)

    y = squeezed(mu)
    place, unsigned = (y + 1) / 2 * mu, y.abs()
    slips = {
        "one-to-one": [place.floor(), place.ceil(), place.trunc()],
        "not-finite": [place, y],
        "sign": [(unsigned * mu).round(), ((unsigned + 1) / 2 * mu).round(), ((1 - y) / 2 * mu).round()],
        "spread": [((x + 1) / 2 * mu).round(), ((_amplitude(x.double(), mu) + 1) / 2 * mu).round()],
        "log-mean": [((y + 1) / 2).round() * mu, _nearest_amplitude(x, mu)],
        "constant": [((squeezed(m, by) + 1) / 2 * n).round() for m, by, n in _bounds(mu)]
        + [((y + 1) / 2 * (mu + 1)).floor().clamp(max=mu), ((squeezed(255) + 1) / 2 * mu).round()],
        "direction": [(y * mu).round(), (y * mu / 2).round(), (y * (mu + 1) / 2).round()],
    }
    return {cause: [way.double() for way in ways] for cause, ways in slips.items()}


def _nearest_amplitude(x: Tensor, mu: int) -> Tensor:
    """The code whose amplitude is nearest to x."""
    amplitudes = _amplitude(2 * torch.arange(mu + 1, dtype=torch.float64) / mu - 1, mu)
    return (x.double()[..., None] - amplitudes).abs().argmin(-1)


def _bounds(mu: int) -> list[tuple[int, int, int]]:
    """μ and V confused: in the curve, under it, in the number of steps."""
    return [(m, by, n) for m in (mu, mu + 1) for by in (mu, mu + 1, mu - 1) for n in (mu, mu + 1)][1:]
