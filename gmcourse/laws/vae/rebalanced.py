"""Laws of rows drawn by how rare they are: the weight of each row, and how many rows the weights amount to."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_shape
from gmcourse.laws.rows import draw, within


def rare_rows_weigh_more(candidate: Callable[[Tensor, int, float], Tensor], *, seed: int = 0) -> None:
    """candidate(codes, bins, smoothing), codes (n, L), is W_i ∝ Π_j 1/(Q̂_j(z_ij) + α), (n,), summing to 1.

    Q̂_j is the share of rows in a bin of column j, of `bins` equal ones from its least to its largest value. Columns
    are of unlike scale and shape, one of them constant in the last case.
    """
    law = "a row weighs the product over the latents of 1/(share of its bin + α)"
    for n, latents, bins, alpha in ((40, 2, 5, 0.1), (60, 3, 10, 0.02), (25, 1, 4, 1.0), (30, 3, 6, 0.05)):
        codes = draw(n, latents, seed=seed + n) * torch.linspace(0.5, 4, latents)
        codes[:, 0] = codes[:, 0].exp()
        if n == 30:
            codes[:, 1] = 2.0
        shares = _shares(codes, bins)
        factor = 1 / (shares + alpha)
        weights = factor.prod(1)
        right = weights / weights.sum()
        output = ask(candidate, codes=codes, bins=bins, smoothing=alpha)
        observed = require_shape("one weight for each row", output, (n,))
        slips = _weight_slips(codes, shares, bins, alpha)
        given = {"rows": n, "latents": latents, "bins": bins, "smoothing": alpha}
        require_close(law, observed.double(), right, 1e-4 * right.max(), slips, given)


def _binned(codes: Tensor, bins: int, way: str) -> Tensor:
    """(n, L) shares with bins that are put wrong in one `way`."""
    low, high = codes.double().amin(0), codes.double().amax(0)
    if way == "one range":
        low, high = low.amin(), high.amax()
    place = (codes.double() - low) / torch.where(high > low, high - low, 1.0) * (bins - (way == "fewer"))
    place = place.round() if way in ("round", "round, cut") else place.floor()
    if way == "quantiles":
        place = (codes.double().argsort(0).argsort(0) * bins / len(codes)).floor()
    if way in ("one range", "round, cut"):
        place = place.clamp(max=bins - 1)
    return (place[:, None] == place[None]).double().mean(1)


def _shares(codes: Tensor, bins: int) -> Tensor:
    """(n, L) shares, counted row by row."""
    rows = codes.double().tolist()
    columns = list(zip(*rows, strict=True))
    places = []
    for column in columns:
        low, width = min(column), (max(column) - min(column)) or 1.0
        places.append([min(int((z - low) / width * bins), bins - 1) for z in column])
    counts = [[column.count(place) for place in column] for column in places]
    return torch.tensor(counts, dtype=torch.float64).T / len(rows)


def _weight_slips(codes: Tensor, shares: Tensor, bins: int, alpha: float) -> dict[str, Slips]:
    n = len(codes)
    width = (codes.amax(0) - codes.amin(0)).double() / bins

    def to_one(weights: Tensor) -> Tensor:
        return weights / weights.sum()

    def weighed(way: str) -> Tensor:
        return to_one((1 / (_binned(codes, bins, way) + alpha)).prod(1))

    factor = 1 / (shares + alpha)
    others = (factor.sum(1), factor.amax(1), factor.amin(1), 1 / (shares.sum(1) + alpha), 1 / (shares.mean(1) + alpha))
    slips: dict[str, Slips] = {
        "constant": [factor.prod(1), factor.prod(1) / factor.prod(1).max(), n * to_one(factor.prod(1))],
        "direction": [to_one((shares + alpha).prod(1)), to_one(shares.prod(1))],
        "reduction": [to_one(way) for way in others],
        "one-to-one": [to_one(factor[:, 0]), to_one(factor[:, -1]), to_one(1 / (shares.prod(1) + alpha))],
        "dependence": [to_one((1 / (n * shares + alpha)).prod(1))],
        "log-mean": [to_one(-(shares + alpha).log().sum(1)), factor.log().sum(1)],
        "overflow": weighed("own bin"),
        "randomness": [weighed(way) for way in ("one range", "fewer", "round", "round, cut", "quantiles")],
        "gradient": [to_one((1 / shares).prod(1)), to_one((1 / shares + alpha).prod(1)), factor.prod(1).softmax(0)]
        + [to_one((1 - shares + c * alpha).prod(1)) for c in (0, 1)],
    }
    if (width > 0).all():
        slips["spread"] = [to_one((1 / (shares / width + alpha)).prod(1))]
    if codes.shape[1] == 1:  # one latent: product, sum and largest are the same
        del slips["reduction"], slips["one-to-one"]
    return slips


def effective_size_counts(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(weights), (n,), is (Σ w)²/Σ w²: n for equal weights, 1 where one row has all, at any scale."""
    law = "effective size"
    even = torch.full((7,), 0.3)
    single = torch.tensor([0.0, 2.0, 0.0])
    uneven = draw(50, seed=seed).exp() * 20
    for weights in (even, single, uneven, uneven / uneven.sum()):
        w = weights.double()
        n, right = len(w), w.sum() ** 2 / (w**2).sum()
        share = w / w.sum()
        entropy = -(share * share.clamp(min=1e-300).log()).sum()
        slips: dict[str, Slips] = {
            "constant": [right / n, w.sum() ** 2, torch.tensor(float(n))],
            "direction": [(w**2).sum() / w.sum() ** 2, (w**2).sum()],
            "spread": [right.sqrt(), 1 / (w**2).sum(), w.sum() / (w**2).sum()],
            "one-to-one": [1 / share.max(), entropy.exp()],
            "log-mean": [entropy, math.log(n) * torch.ones((), dtype=torch.float64)],
        }
        observed = require_shape("one number", ask(candidate, weights=weights), ()).double()
        require_close(law, observed, right, within(right), slips, {"rows": n})
