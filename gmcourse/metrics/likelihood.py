"""How probable a model finds data: exactly, bounded, or estimated by importance sampling. Nats throughout.

Each keeps the sign of its name: `nll` is −log p, least is best; an ELBO and an importance-weighted bound are bounds on
+log p. `nll` and `importance_weighted` give one value a row, `estimate` their mean; `mean_elbo` is such a mean.
"""

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from gmcourse.data import Dataset
from gmcourse.nets import evaluating
from gmcourse.protocols import Bounded, Density, ImportanceWeighted


class Estimate(NamedTuple):
    """A mean over examples and its standard error, nats."""

    mean: float
    error: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.error:.2f}"


def measures(model: nn.Module, data: Dataset) -> str:
    """What the model's numbers are of: "probability" of discrete x, or "density", which depends on the scale of x.

    A model says it by `measures`, its own or that of its `likelihood`; integer codes have probabilities alone.
    """
    if not data.train.is_floating_point():
        return "probability"
    said = getattr(model, "measures", None) or getattr(getattr(model, "likelihood", None), "measures", None)
    return said or "density"


def estimate(values: Tensor) -> Estimate:
    """Mean of (n,) values, and their standard deviation over √n: how far from the mean of all possible examples."""
    if values.dim() != 1 or not len(values):
        raise ValueError(f"values: got shape {tuple(values.shape)}, expected (n,) with one value an example")
    values = values.double()
    return Estimate(
        values.mean().item(), (values.std() / math.sqrt(len(values))).item() if len(values) > 1 else math.nan
    )


def mixture_cost(share: float, dims: int) -> float:
    """−log₂(share)/dims: the most that a model loses, in bits/dim, when only this share of its samples stays its own.

    Whatever the others are: the mixture's density is at least share · p. Raises ValueError for a share outside (0, 1]
    or fewer than one dimension. Theis et al. 2016, section 3.2. Equation: comparison-mixture-cost.
    """
    if not 0 < share <= 1 or dims < 1:
        raise ValueError(f"share, dims: got {share} and {dims}, expected 0 < share ≤ 1 and at least one dimension")
    return -math.log2(share) / dims


def nll(model: Density, x: Tensor, batch_size: int = 1000, given: Tensor | None = None) -> Tensor:
    """−log p(x), or −log p(x|given), (n,), nats, exact, `batch_size` rows at a time.

    Raises TypeError where the model knows no log_prob.
    """
    _require(model, Density, "log_prob")
    return _by_batches(model, x, batch_size, lambda *part: -model.log_prob(*part), given)


def mean_elbo(
    model: Bounded, x: Tensor, rng: Generator | None = None, batch_size: int = 1000, given: Tensor | None = None
) -> Estimate:
    """Mean evidence lower bound of the rows of x, one draw of the latent a row, nats, with its standard error.

    Of a conditional model, the bound on log p(x|given).
    """
    _require(model, Bounded, "elbo")
    return estimate(_by_batches(model, x, batch_size, lambda *part: model.elbo(*part, rng=rng), given))


def importance_weighted(
    model: ImportanceWeighted,
    x: Tensor,
    k: int,
    rng: Generator | None = None,
    batch_size: int = 20,
    chunk: int = 50,
    given: Tensor | None = None,
) -> Tensor:
    """ln (1/k) Σ_k p(x, z_k)/q(z_k|x), (n,), nats: in expectation between the ELBO and log p(x), rising with k.

    Of a conditional model, ln p(x|given). At most `batch_size` · `chunk` latents are held at a time.
    Equation: vae-importance-weighted. Burda et al. 2016, eq. 8.
    """
    _require(model, ImportanceWeighted, "log_weights")
    if k < 1 or chunk < 1:
        raise ValueError(f"k, chunk: got {k} and {chunk}, expected at least one draw")
    sizes = [min(chunk, k - start) for start in range(0, k, chunk)]

    def log_mean(*part: Tensor) -> Tensor:
        sums = [model.log_weights(*part, k=size, rng=rng).logsumexp(0) for size in sizes]
        return torch.stack(sums).logsumexp(0) - math.log(k)

    return _by_batches(model, x, batch_size, log_mean, given)


def _require(model: Any, protocol: type, method: str) -> None:
    if not isinstance(model, protocol):
        raise TypeError(
            f"model: got {type(model).__name__}, which has no {method}; expected a {protocol.__name__} model"
        )


def _by_batches(
    model: Any, x: Tensor, batch_size: int, score: Callable[..., Tensor], given: Tensor | None = None
) -> Tensor:
    """`score` of each row, in evaluation mode and without gradients, on the model's device; the result on the CPU."""
    if not isinstance(x, Tensor):
        raise TypeError(f"x: got {type(x).__name__}, expected a tensor; torch.from_numpy(x) makes one of an array")
    if batch_size < 1 or not len(x):
        raise ValueError(f"x, batch_size: got {len(x)} rows and {batch_size}, expected at least 1 of each")
    is_module = isinstance(model, nn.Module)
    device = next((p.device for p in model.parameters()), x.device) if is_module else x.device
    with torch.no_grad(), evaluating(model) if is_module else nullcontext():
        parts = zip(*(t.split(batch_size) for t in (x, given) if t is not None), strict=True)
        return torch.cat([score(*(t.to(device) for t in part)).cpu() for part in parts])
