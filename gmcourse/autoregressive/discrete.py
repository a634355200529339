"""What models of discrete coordinates share: levels as codes, their probabilities, and draws one after another."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from gmcourse.record import Examples

MOST_LEVELS = 256


def levels_of(data: Examples, most: int = MOST_LEVELS) -> int:
    """The number V of levels of images whose values are k/(V−1). Raises ValueError where they are no such values."""
    values = data.train.unique()
    gap = values.diff().min().item() if len(values) > 1 else 1.0
    levels = round(1 / gap) + 1 if gap > 0.5 / most else most + 1
    if levels > most or not is_level(values, levels):
        raise ValueError(f"data: {data.key} holds other values than 0, 1/(V-1), …, 1 for a V of at most {most}")
    return levels


def is_level(x: Tensor, levels: int) -> bool:
    """Whether every value of x is one of k/(V−1), k = 0..V−1, as float32 knows it."""
    codes = x * (levels - 1)
    return bool(((codes - codes.round()).abs() < 1e-3).all() and (x >= 0).all() and (x <= 1).all())


def require_levels(x: Tensor, levels: int) -> None:
    """Raise ValueError unless x holds values k/(V−1), k = 0..V−1."""
    if x.is_meta or not x.numel():
        return
    if x.is_complex() or not is_level(x, levels):
        raise ValueError(
            f"x: got {x.dtype} from {x.min().item():.4g} to {x.max().item():.4g}, "
            f"expected k/{levels - 1} with k = 0..{levels - 1}"
        )


def to_codes(x: Tensor, levels: int) -> Tensor:
    """Levels k/(V−1) → codes k, int64, of any shape."""
    return (x.detach() * (levels - 1)).round().long().clamp(0, levels - 1)


def from_codes(codes: Tensor, levels: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Codes k → levels k/(V−1), of any shape."""
    return codes.to(dtype) / (levels - 1)


def codes_log_prob(logits: Tensor, codes: Tensor) -> Tensor:
    """Σ_d ln softmax(l_d)[k_d], (batch,), nats: logits (batch, V, *event), codes (batch, *event) int64."""
    return -F.cross_entropy(logits, codes, reduction="none").flatten(1).sum(1)


def choose(logits: Tensor, u: Tensor) -> Tensor:
    """The code k with cdf(k−1) ≤ u < cdf(k): logits (batch, V), u (batch,) uniform on [0, 1) → (batch,) int64.

    The draw is a function of u, so that two samplers which agree on the logits agree on the samples.
    """
    edges = logits.softmax(-1).cumsum(-1)
    return (u[:, None] * edges[:, -1:] >= edges).sum(-1).clamp(max=logits.shape[-1] - 1)


def uniforms(n: int, dims: int, like: Tensor, rng: Generator | None = None) -> Tensor:
    """The numbers that one draw of n examples uses, (n, dims), on the device and of the type of `like`."""
    return torch.rand(n, dims, generator=rng, device=like.device, dtype=like.dtype)


@torch.no_grad()
def one_by_one(
    logits: Callable[[Tensor], Tensor], x: Tensor, u: Tensor, levels: int, known: Tensor | None = None
) -> Tensor:
    """Draw the coordinates of x, (batch, *event), one after another, a whole pass of `logits` for each: the naive way.

    `logits(x)` is (batch, V, *event), of levels k/(V−1); u (batch, D) uniform numbers, one a coordinate in raster order
    (row, column; channels of a pixel in turn). Where `known`, a bool mask of the event's shape, x is left as it is.
    """
    x = x.clone()
    channels, height, width = x.shape[1:]
    kept = torch.zeros(x.shape[1:], dtype=torch.bool) if known is None else known
    for place in range(u.shape[1]):
        pixel, c = divmod(place, channels)
        r, col = divmod(pixel, width)
        if not kept[c, r, col]:
            codes = choose(logits(x)[:, :, c, r, col], u[:, place])
            x[:, c, r, col] = from_codes(codes, levels, x.dtype)
    return x
