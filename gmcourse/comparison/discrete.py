"""One form for all: a model of a continuous density as one of grey levels, and samples as levels."""

import math
from typing import Any

import torch
from torch import Generator, Tensor, nn

from gmcourse.flows.dequantise import Logit
from gmcourse.flows.flow import Flow
from gmcourse.nets import sampling
from gmcourse.protocols import Density


def quantised(x: Tensor, levels: int = 17) -> Tensor:
    """Each value of x at the nearest of k/(V − 1), k = 0..V − 1: pictures as the data are, before they are measured."""
    return (x.clamp(0, 1) * (levels - 1)).round() / (levels - 1)


class Leveled(nn.Module):
    """A model of densities, trained on v = (k + u)/V: log P(k) ≥ E_u log p(v) − D ln V, u uniform on [0, 1)^D.

    Images x = k/(V − 1), (batch, *shape), come and go; `model` sees v in its own shape, and bounds or knows log p(v). A
    flow that is fitted by its likelihood sees logit(v). Equation: comparison-leveled. Theis et al. 2016,
    section 3.1.
    """

    measures = "probability"

    def __init__(self, model: Any, shape: tuple[int, ...], inner: tuple[int, ...], levels: int = 17):
        super().__init__()
        fitted_by_likelihood = isinstance(model, Flow) and type(model).loss is Flow.loss
        self.model = Flow([Logit(), *model.bijections], inner, model.base) if fitted_by_likelihood else model
        self.shape, self.inner, self.levels = tuple(shape), tuple(inner), levels

    def continuous(self, x: Tensor, rng: Generator | None = None) -> Tensor:
        """v of x, (batch, *inner)."""
        u = torch.rand(x.shape, generator=rng, dtype=x.dtype, device=x.device)
        return (((x * (self.levels - 1)).round() + u) / self.levels).view(len(x), *self.inner)

    def loss(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        """The model's own loss at v."""
        return self.model.loss(self.continuous(x))

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        """A lower bound on log P(x), one draw of u, (batch,), nats."""
        v = self.continuous(x, rng)
        log_p = self.model.log_prob(v) if isinstance(self.model, Density) else self.model.elbo(v, rng=rng)
        return log_p - math.prod(self.shape) * math.log(self.levels)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """Images k/(V − 1), (n, *shape)."""
        with sampling(self, n, rng):
            return self.pictures(self.model.sample(n, rng=rng))

    def pictures(self, v: Tensor) -> Tensor:
        """Images k/(V − 1), (batch, *shape), of v, (batch, *inner): its bin, the nearest one outside [0, 1)."""
        bins = (v.view(len(v), *self.shape) * self.levels).floor()
        return bins.clamp(0, self.levels - 1) / (self.levels - 1)

    def after_step(self) -> None:
        """What the model does to itself after an update, if it does."""
        getattr(self.model, "after_step", lambda: None)()
