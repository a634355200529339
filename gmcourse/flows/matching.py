"""Flow matching: the velocity field of a continuous flow, learned by regression on straight lines."""

import math
from functools import partial
from typing import cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.flows.continuous import Continuous, MLPVelocity
from gmcourse.flows.flow import Base, Flow, exact_flow
from gmcourse.flows.ode import Solver
from gmcourse.nets import sampling
from gmcourse.probability import sum_event
from gmcourse.record import IMAGES, VECTORS, Examples, held_then_falling_plan, shape_of


def flow_matching_target(x0: Tensor, x1: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """x_t = (1 − t)x₀ + t x₁ and its velocity x₁ − x₀, both (batch, *event); t is (batch,).

    Equation: flows-straight-line. Lipman et al. 2023, section 4.1, example II, with σ_min = 0; Liu et al. 2023.
    """
    t = t.view(-1, *[1] * (x1.dim() - 1))
    return (1 - t) * x0 + t * x1, x1 - x0


def paired(x0: Tensor, x1: Tensor, group: int) -> Tensor:
    """x₀ in another order, (batch, *event): within each `group` rows the one with the least Σ ‖x₁ − x₀‖².

    No draw is changed: a row chosen at random is noise as before. The pairs of a small group are not those of the
    transport problem between the two distributions. Pooladian et al. 2023; Tong et al. 2024.
    """
    from scipy.optimize import linear_sum_assignment

    if group < 1:
        raise ValueError(f"group: got {group}, expected at least 1")
    order = torch.arange(len(x0))
    for start in range(0, len(x0), group):
        rows = slice(start, start + group)
        cost = torch.cdist(x1[rows].detach().flatten(1), x0[rows].flatten(1)).square()
        order[rows] = start + torch.from_numpy(linear_sum_assignment(cost.cpu().numpy())[1])
    return x0[order.to(x0.device)]


class FlowMatching(Flow):
    """A continuous flow whose field is fitted to E[x₁ − x₀ | x_t] by least squares: no ODE is solved in training.

    Sampling and log_prob are those of the ODE: log p(x) is exact up to the solver's error, and no bound. Noise and data
    are paired at random, or with `group` > 1 by `paired`.
    """

    def __init__(
        self,
        field: nn.Module,
        event_shape: tuple[int, ...],
        base: Base | None = None,
        solver: Solver | None = None,
        group: int = 1,
    ):
        super().__init__([Continuous(field, solver)], event_shape, base)
        self.group = group

    @property
    def field(self) -> nn.Module:
        """f(t, x), the velocity."""
        return self._only.field

    @property
    def _only(self) -> Continuous:
        return cast(Continuous, self.bijections[0])

    def loss(self, x: Tensor) -> Tensor:
        """E ‖f(t, x_t) − (x₁ − x₀)‖², summed over the event, mean over the batch; t uniform, x₀ from the base.

        Equation: flows-conditional-matching. Lipman et al. 2023, theorem 2.
        """
        t = torch.rand(len(x), dtype=x.dtype, device=x.device)
        x0 = self.base.draw(x)
        x_t, target = flow_matching_target(x0 if self.group == 1 else paired(x0, x, self.group), x, t)
        return sum_event((self.field(t, x_t) - target) ** 2).mean()

    def sample(self, n: int, *, rng: Generator | None = None, solver: Solver | None = None) -> Tensor:
        """n draws of the base, carried from t = 0 to t = 1 by `solver` (default: the model's own)."""
        with sampling(self, n, rng):
            return self._only.decode(self.base.draw(self.origin.expand(n, *self.event_shape), rng), solver)


def gaussian_velocity(x: Tensor, t: Tensor | float, mean: Tensor | float, std: Tensor | float) -> Tensor:
    """E[x₁ − x₀ | x_t = x] for x₁ ~ N(m, σ²), x₀ ~ N(0, 1): m + (tσ² − (1 − t))/((1 − t)² + t²σ²) · (x − tm).

    Equation: flows-gaussian-velocity.
    """
    return mean + (t * std**2 - (1 - t)) / ((1 - t) ** 2 + t**2 * std**2) * (x - t * mean)


def empirical_velocity(x: Tensor, t: Tensor | float, points: Tensor) -> Tensor:
    """E[x₁ − x₀ | x_t = x] where x₁ is one of `points` (n, D), x₀ ~ N(0, I), t < 1: Σ_i w_i (x_i − x)/(1 − t).

    w = softmax over i of −‖x − t x_i‖²/2(1 − t)². x is (batch, D), and so is the result.
    Equation: flows-empirical-velocity.
    """
    logits = -torch.cdist(x, t * points).square() / (2 * (1 - t) ** 2)
    return (logits.softmax(1) @ points - x) / (1 - t)


def make_flow_matching(data: Examples | None = None) -> FlowMatching:
    """A field of three layers of 128, followed by Runge–Kutta in 16 steps. Without data: for points of the plane."""
    shape = shape_of(data, (2,))
    return FlowMatching(MLPVelocity(math.prod(shape), [128, 128, 128], nn.SiLU), shape)


FLOW_MATCHING = exact_flow(
    name="Flow matching",
    key="flow-matching",
    branch=("explicit density", "tractable", "continuous flow"),
    paper="lipman2023",
    year=2023,
    arxiv="2210.02747",
    lesson="06_flows/07_flow_matching",
    suits=VECTORS | IMAGES,
    make=make_flow_matching,
    plan=partial(held_then_falling_plan, steps=3_000, batch_size=512, peak=3e-3),
)
