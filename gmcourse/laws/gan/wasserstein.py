"""Laws of the Wasserstein distance: what it equals, what a critic may say of it, and what keeps a critic in bounds."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, show_value
from gmcourse.laws.rows import further, within

Distance = Callable[[Tensor, Tensor], float]
Critic = Callable[[Tensor], Tensor]


def equals_its_dual(candidate: Distance, *, dims: int = 2, seed: int = 0) -> None:
    """candidate(x, y) = max_h mean h(x) − mean h(y) over h of slope at most 1, by a linear programme in h alone.

    x and y are (n, dims), or (n,) where `dims` is 0. At the end y is x stretched about its mean: W₁ is no difference
    of means, which on the line it is where one sample lies right of the other.
    """
    rng = torch.Generator().manual_seed(seed)
    for n, stretch, shift in ((6, 1.0, 0.0), (12, 3.0, 0.0), (9, 1.0, 2.0)):
        x, y = (torch.randn(n, *[dims] * (dims > 0), generator=rng, dtype=torch.float64).float() for _ in range(2))
        y = stretch * y + shift
        again = require_shape("one distance", ask(candidate, x=x, y=x.flip(0)), ()).double()
        apart = (x - x.flip(0)).reshape(n, -1).norm(dim=1).mean()
        require_close("W(x, x) = 0, in whatever order", again, 0.0, 1e-5, {"constant": apart}, given={"x": x})
        observed = require_shape("one distance", ask(candidate, x=x, y=y), ()).double()
        expected, given = _dual(x, y), {"x": x, "y": y}
        require_close("W₁ is its dual", observed, expected, 1e-4, _distance_suspects(x, y), given=given)
    y = x.mean(0) + 3 * (x - x.mean(0))
    observed = require_shape("one distance", ask(candidate, x=x, y=y), ()).double()
    suspects, given = _distance_suspects(x, y), {"x": x, "y": y}
    require_close("W₁ is its dual", observed, _dual(x, y), 1e-4, suspects, given=given)


def _dual(x: Tensor, y: Tensor) -> float:
    """The best h on the points themselves: max mean h(x) − mean h(y) with h_i − h_j ≤ d_ij for every pair."""
    from scipy.optimize import linprog

    points = torch.cat([x, y]).double().reshape(len(x) + len(y), -1)
    d = (points[:, None] - points).norm(dim=2).numpy()
    i, j = np.nonzero(~np.eye(len(d), dtype=bool))
    slopes = np.zeros((len(i), len(d)))
    slopes[np.arange(len(i)), i], slopes[np.arange(len(i)), j] = 1.0, -1.0
    weights = np.concatenate([np.full(len(x), -1 / len(x)), np.full(len(y), 1 / len(y))])
    return -linprog(weights, A_ub=slopes, b_ub=d[i, j], bounds=(None, None), method="highs").fun


def _distance_suspects(x: Tensor, y: Tensor) -> dict[str, Slips]:
    """Spread unseen; squares; a sum; each row to its nearest, as if no place could be taken twice."""
    from scipy.optimize import linear_sum_assignment

    d = torch.cdist(x.double().reshape(len(x), -1), y.double().reshape(len(y), -1))
    squares = d[linear_sum_assignment(d**2)].square().mean()
    between = x.double().mean(0) - y.double().mean(0)
    pairs = (x - y).double().reshape(len(x), -1).norm(dim=1).mean()
    return {
        "dependence": (between.norm(), between.mean(), -between.mean()),
        "spread": squares,
        "log-mean": squares.sqrt(),
        "reduction": (torch.tensor(len(x) * _dual(x, y)), torch.tensor(_dual(x, y) / len(x))),
        "one-to-one": (d.amin(1).mean(), d.amin(0).mean(), (d.amin(1).mean() + d.amin(0).mean()) / 2),
        "constant": pairs,
    }


def bounds_distance_from_below(candidate: Callable[[Tensor, Tensor, Tensor, Tensor], float], *, seed: int = 0) -> None:
    """candidate(h_x, h_y, x, y), from any critic's values at the points, never exceeds W₁ of the points, and is sharp.

    The bound does not change with the scale of h, and is W₁ itself where h is the best critic: mean h(x) − mean h(y)
    over the steepest slope. Samples of unequal size, in the plane and on a line. Equation: gan-certified-gap.
    """
    rng = torch.Generator().manual_seed(seed)
    along = torch.linspace(-2, 4, 25) + 0.1 * torch.rand(25, generator=rng)  # no two too near for float32
    first = torch.tensor([0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 13, 15, 18, 20])
    others = torch.tensor([7, 10, 12, 14, 16, 17, 19, 21, 22, 23, 24])
    for dims in (2, 1):
        points = torch.stack([along, torch.randn(25, generator=rng)], 1)[:, :dims]
        x, y, lean = points[first], points[others], torch.tensor([0.8, 0.6])[:dims]
        critics = {
            "½ sin 3x₁ − x₁ − 2x_d": lambda x: (3 * x[:, 0]).sin() / 2 - x[:, 0] - 2 * x[:, -1],
            "−x·(0.8, 0.6)": lambda x: -x @ lean,  # noqa: B023
            "min(0, 1 − x₁)": lambda x: (1 - x[:, 0]).clamp(max=0),
        }
        said = [(h(x), h(y)) for h in critics.values()]

        def bound(h_x: Tensor, h_y: Tensor, x: Tensor = x, y: Tensor = y) -> Tensor:
            return require_shape("one bound", ask(candidate, h_x=h_x, h_y=h_y, x=x, y=y), ()).detach().double()

        bounds = [bound(*values) for values in said]
        if max(bounds) - min(bounds) < 1e-6:
            raise LawBroken("the bound of h depends on h", show_value(bounds[0]), "not the same for all", "dependence")
        for name, values, value in zip(critics, said, bounds, strict=True):
            _is_sharp_bound(f"the bound of h = {name}, {dims}-dimensional", value, _dual(x, y), (*values, x, y))
            for scale in (7.0, 0.1):
                again, slack = bound(*(scale * h for h in values)), within(value, 1e-3)  # right for h itself
                require_close(f"{scale:g}h bounds what h bounds", again, value, slack, {"constant": again})


def _is_sharp_bound(law: str, value: Tensor, distance: float, values: tuple[Tensor, Tensor, Tensor, Tensor]) -> None:
    """Between the gap over the steepest slope of all and that over the steepest from a point of y up to one of x."""
    h_x, h_y, x, y = (part.double() for part in values)
    gap, slopes = h_x.mean() - h_y.mean(), _slopes(h_x, h_y, x, y)
    sharp, most = gap / slopes.max(), min(gap / ((h_x[:, None] - h_y) / torch.cdist(x, y)).max(), distance)
    slack = 2e-4 * (1 + most)
    if sharp - slack <= value <= most + slack:
        return
    paired = ((h_x[: len(h_y)] - h_y) / (x[: len(y)] - y).norm(dim=1)).abs().max()
    suspects = {
        "sign": -sharp,
        "constant": gap,
        "spread": [gap / s for s in (slopes.mean(), slopes.median(), slopes.quantile(0.95), slopes.quantile(0.9))],
        "one-to-one": [gap / _slopes(h_x, h_y, x, y, norm).max() for norm in (1.0, math.inf)]
        + [gap / _slopes(h_x, h_y, x[:, :1], y[:, :1]).max()],
        "reduction": [gap / _slopes(h_x, h_x, x, x).max(), gap / _slopes(h_y, h_y, y, y).max(), gap / paired],
    }
    if 0 <= value < sharp:
        suspects["direction"] = value  # it holds, and is loose
    require_close(law, value, sharp, slack, suspects)


def _slopes(h_x: Tensor, h_y: Tensor, x: Tensor, y: Tensor, norm: float = 2.0) -> Tensor:
    """|h_i − h_j| over the distance, for every two of the points that are apart."""
    h, points = torch.cat([h_x, h_y]), torch.cat([x, y])
    apart = torch.linalg.vector_norm(points[:, None] - points, norm, dim=2)
    return ((h[:, None] - h).abs() / apart)[apart > 0]


def critic_loss_is_minus_gap(candidate: Callable[[Critic, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(critic, real, fake) = mean h(fake) − mean h(real), of any size, with its gradient for the critic."""
    rng = torch.Generator().manual_seed(seed)
    real = torch.randn(8, 3, generator=rng) + torch.tensor([4.0, -2.0, 1.0])
    fake = torch.randn(8, 3, generator=rng)
    direction = torch.tensor([2.0, 1.0, -0.5], requires_grad=True)

    def critic(x: Tensor) -> Tensor:
        return x.float() @ direction - 3 + 0.1 * x.float().square().sum(1)

    h_real, h_fake = critic(real).detach(), critic(fake).detach()
    loss = require_shape("the loss is one number", ask(candidate, critic=critic, real=real, fake=fake), ())
    observed, gap = loss.detach().double(), (h_real.double().mean() - h_fake.double().mean())
    sure = nn.functional.softplus
    suspects = {
        "sign": gap,
        "overflow": [s * (h_fake.sigmoid().mean() - h_real.sigmoid().mean()) for s in (1, -1)],
        "reduction": (-8 * gap, 8 * gap, -gap / 2),
        "log-mean": (sure(-h_real).mean() + sure(h_fake).mean(), sure(h_fake).mean()),
        "dependence": (-h_real.mean(), h_fake.mean(), h_real.mean(), -h_fake.mean()),
    }
    require_close("the loss is mean h(fake) − mean h(real)", observed, -gap, within(gap), suspects)
    law, moved = "the loss has a gradient for the critic", slope(loss, direction)
    require_close(law, moved, fake.mean(0) - real.mean(0), 1e-4, {"gradient": moved})


def penalty_is_by_hand(candidate: Callable[[Critic, Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(critic, real, fake, mix) = mean (‖∇h(x̂)‖ − 1)², by hand for h = ½ xᵀAx, ∇h = Ax, x̂ on its segment.

    The rows may be images: one norm over every axis but the batch. The penalty must be differentiable in A. How the
    critic is asked, row by row or all at once, is the candidate's matter.
    """
    rng = torch.Generator().manual_seed(seed)
    for event in ((4,), (1, 2, 2)):  # four rows of four numbers, where a row of four broadcasts unseen
        sizes = torch.tensor([1.0, 0.2, 0.8, 0.3]).view(-1, *[1] * len(event))  # slopes above 1, and below
        real, fake = (sizes * torch.randn(4, *event, generator=rng) for _ in range(2))
        mix = torch.tensor([0.1, 0.9, 0.3, 0.6])
        matrix = torch.tensor([2.0, 0.5, 1.0, 3.0]).diag() + 0.2
        matrix.requires_grad_()

        def critic(x: Tensor, matrix: Tensor = matrix) -> Tensor:
            flat = x.to(matrix).flatten(1)
            return 0.5 * ((flat @ matrix) * flat).sum(1)

        inputs = {"critic": critic, "real": real, "fake": fake, "mix": mix}
        found = require_shape("one penalty", ask(candidate, **inputs), ())
        again = require_shape("one penalty", ask(candidate, **inputs), ())
        observed = found.detach().double()
        if (observed - again.detach()).abs() > within(observed, 1e-6):
            seen = f"{show_value(observed)}, then {show_value(again.detach())}"
            raise LawBroken("equal arguments, equal penalty", seen, "the same twice", "randomness")
        exact = matrix.detach().double().requires_grad_()
        norms, slips = _penalties(exact, *(t.double().flatten(1) for t in (real, fake, mix[:, None])))
        expected = (norms - 1).square().mean()
        law = "mean (‖∇h(x̂)‖ − 1)², x̂ = α real + (1 − α) fake"
        require_close(law, observed, expected, within(expected.detach()), slips)
        (right,) = torch.autograd.grad(expected, exact)
        law, moved = "the penalty has its gradient for the critic's weights", slope(found, matrix).double()
        require_close(law, moved, right, within(right, 1e-3), {"gradient": moved})


def _penalties(matrix: Tensor, a: Tensor, b: Tensor, mix: Tensor) -> tuple[Tensor, dict[str, Slips]]:
    """The slopes at x̂, and the penalty that each usual slip would give."""

    def slopes(mix: Tensor) -> Tensor:
        return (mix * a + (1 - mix) * b) @ (matrix + matrix.T) / 2

    def penalty(mix: Tensor | float) -> Tensor:
        return (slopes(torch.as_tensor(mix)).norm(dim=1) - 1).square().mean().detach()

    gradient = slopes(mix)
    g, norms = gradient.detach(), gradient.detach().norm(dim=1)
    return gradient.norm(dim=1), {
        "direction": (penalty(1 - mix), penalty(1.0), penalty(0.0)),
        "one-to-one": (penalty(mix.T), penalty(mix[0]), penalty(mix.mean())),
        "reduction": ((g.norm() - 1) ** 2, (g.abs() - 1).square().mean()),
        "spread": (norms.square() - 1).square().mean(),
        "constant": (norms.square().mean(), norms.square().mean() / 2),
        "log-mean": (norms.mean() - 1) ** 2,
        "sign": (norms - 1).clamp(min=0).square().mean(),
        "dependence": (norms / len(mix) - 1).square().mean(),
    }


def gap_of_penalised_critic(candidate: Callable[[float, float], float], *, seed: int = 0) -> None:
    """candidate(W, γ) is the gap of the linear critic that minimises −gap + γ (slope − 1)² between δ_0 and δ_W.

    Equation: gan-penalised-slope.
    """
    more = further(seed, lambda rng: (rng.uniform(0.5, 4.0), rng.uniform(0.5, 8.0)))
    for distance, weight in ((4.0, 10.0), (1.0, 0.1), (0.3, 2.0), *more):
        gap, loss = _best_linear(distance, weight)
        observed = require_shape("one gap", candidate(distance, weight), ()).double()
        suspects = {
            "constant": distance,
            "direction": gap / distance,
            "dependence": -loss,
            "spread": distance + distance**2 / weight,
            "sign": 2 * distance - gap,
        }
        law = f"the gap at W = {distance:g} and γ = {weight:g}"
        require_close(law, observed, gap, 1e-4 * gap, suspects)


def _best_linear(distance: float, weight: float) -> tuple[float, float]:
    """(gap, loss) at the best slope, found by trying: halving a bracket of the minimum."""

    def loss(slope: float) -> float:
        return -slope * distance + weight * (slope - 1) ** 2

    low, high = 0.0, 100.0
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(100):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    slope = (low + high) / 2
    return slope * distance, loss(slope)
