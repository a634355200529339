"""Laws of one Gaussian and a target: its best fit to samples, its reverse KL on a grid, its distance to another."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_parts, require_shape
from gmcourse.laws.mass import grid
from gmcourse.laws.rows import pooled, within

NODES = torch.linspace(-12, 12, 6_001, dtype=torch.float64)
WEIGHTS = (-(NODES**2) / 2).softmax(0)
"""The mean of f under N(0, 1) is WEIGHTS @ f(NODES)."""


def fit_maximises_likelihood(candidate: Callable[[Tensor], tuple[Tensor, Tensor]], *, seed: int = 0) -> None:
    """candidate(samples), (n, D), is (mean, log_std), (D,) each: of all diagonal Gaussians the likeliest.

    Two correlated hills of unequal size, 4,000 samples: to divide by n − 1 is to be off by 1e-4, which is let pass.
    The oracle is the moments, by sums in float64.
    """
    rng = torch.Generator().manual_seed(seed)
    for mix, shift in (
        (torch.tensor([[1.0, 0.0, 0.0], [0.9, 0.7, 0.0], [-0.5, 0.2, 0.4]]), torch.tensor([2.0, -1.0, 0.5])),
        (torch.tensor([[0.3, 0.2], [0.0, 2.5]]), torch.tensor([-3.0, 4.0])),
    ):
        dims = len(mix)
        hill = (torch.rand(4_000, 1, generator=rng) < 0.7).float()
        samples = (torch.randn(4_000, dims, generator=rng) + 3 * hill * torch.eye(dims)[0]) @ mix.T + shift
        parts, x = require_parts("mean and log_std", ask(candidate, samples=samples), 2), samples.double()
        names, slips = ("mean", "log_std"), _fit_slips(x, hill[:, 0] > 0)
        for name, part, expected, bugs in zip(names, parts, _moments(x), slips, strict=True):
            law = f"the {name} of the likeliest Gaussian, D = {dims}"
            observed = require_shape(law, part, (dims,)).detach().double()
            require_close(law, observed, expected, 1e-3, bugs)


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    mean = x.sum(0) / len(x)
    return mean, 0.5 * ((x * x).sum(0) / len(x) - mean**2).log()


def _fit_slips(x: Tensor, large: Tensor) -> tuple[dict[str, list[Tensor]], dict[str, list[Tensor]]]:
    """What the usual slips would give in the place of the mean and of log_std."""
    mean, log_std = _moments(x)
    hill_mean, hill_log_std = _moments(x[large])
    std, precision = log_std.exp(), torch.linalg.inv(x.T.cov())
    means = {
        "dependence": [hill_mean, 0 * mean + mean.mean()],
        "one-to-one": [x.median(0).values, x.quantile(0.5, dim=0), (x.amin(0) + x.amax(0)) / 2],
        "constant": [0 * mean],
        "sign": [-mean],
        "spread": [log_std],
    }
    return means, {
        "spread": [2 * log_std, 4 * log_std, 0.5 * log_std],
        "constant": [std, std**2, 1 / std, log_std / math.log(2), log_std / math.log(10)],
        "reduction": [log_std - 0.5 * math.log(len(x)), log_std + 0.5 * math.log(len(x))],
        "dependence": [hill_log_std, 0 * std + log_std.mean(), 0 * std + x.std().log(), 0.5 * (x**2).mean(0).log()],
        "direction": [-0.5 * precision.diagonal().log()],
        "log-mean": [(x - mean).abs().mean(0).log(), (x - mean).abs().log().mean(0)],
        "sign": [-log_std],
        "one-to-one": [mean],
    }


def reverse_is_mean_under_model(candidate: Callable[[Tensor, Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(log_q, log_p, dx) is KL(q ‖ p) in nats, a scalar, of log-densities (cells,) on a grid of cells dx.

    q a Gaussian, p two hills: the oracle is a mean over z in x = μ + σz, not the grid. q = p gives 0; cells where both
    are below e^{−1000} add nothing, those where p alone is below e^{−100} add much.
    """
    for name, share, a, unit, mean, std, half, cells in (
        ("q over both hills", 0.7, 3.0, 1.0, -1.2, 2.926, 22.0, 3_000),
        ("q on one hill", 0.5, 3.0, 1.0, 2.984, 1.023, 14.0, 2_800),
        ("cells wider than 1", 0.4, 2.0, 40.0, 20.0, 70.0, 720.0, 1_200),
        ("log-densities down to −1000", 0.5, 3.0, 1.0, 0.5, 1.2, 60.0, 6_000),
        ("q where p is 0 to a computer", 0.5, 3.0, 1.0, 0.5, 8.0, 46.0, 4_600),
        ("q = p", 0.5, 0.0, 1.0, 0.0, 1.0, 12.0, 2_000),
    ):
        x, dx = grid([-half], [half], cells)

        def log_p(x: Tensor, share: float = share, a: float = a, unit: float = unit) -> Tensor:
            left, right = (Normal(centre * unit, unit).log_prob(x) for centre in (-a, a))
            return torch.logaddexp(left + math.log(share), right + math.log1p(-share))

        q = Normal(torch.tensor(mean).double(), std)
        log_q, law = q.log_prob(x[:, 0]), f"KL(q ‖ p) is a mean under q, {name}"
        output = ask(candidate, log_q=log_q.float(), log_p=log_p(x[:, 0]).float(), dx=dx)
        observed, z = require_shape(law, output, ()).double(), mean + std * NODES
        slips = _divergence_slips(log_q, log_p(x[:, 0]), dx)
        wide = "1000" in name or "computer" in name
        slips, left = ({}, "overflow") if wide else (slips, "")  # the formula is right on narrower grids
        expected = WEIGHTS @ (q.log_prob(z) - log_p(z))
        require_close(law, observed, expected, within(expected), slips, fit=2e-4, deduced=left)


def _divergence_slips(log_q: Tensor, log_p: Tensor, dx: float) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of KL(q ‖ p), by sums on the grid."""
    q, p, gap = log_q.exp(), log_p.exp(), log_q - log_p
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    right, other = (q * gap).sum() * dx, -(p * gap).sum() * dx
    js = 0.5 * (q * (log_q - log_m) + p * (log_p - log_m)).sum() * dx
    cross, entropy = -(q * log_p).sum() * dx, -(q * log_q).sum() * dx
    return {
        "direction": [other, -other],
        "sign": [-right],
        "reduction": [right / dx, right / dx / len(q), right * dx, (q * gap).mean() * dx],
        "constant": [cross, -cross, entropy, -entropy],
        "log-mean": [right / math.log(2), torch.logsumexp(log_q + gap, 0) + math.log(dx)],
        "dependence": [right + other, (right + other) / 2, js],
        "one-to-one": [gap.sum() * dx, gap.mean(), gap.abs().mean(), (q * gap.abs()).sum() * dx],
    }


def distance_is_cheapest_pairing(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(mean, std, mean2, std2), (batch,) each, is the mean of (x − x')² where equal quantiles are paired.

    The oracle is that mean. Two equal Gaussians are at distance 0.
    """
    rng = torch.Generator().manual_seed(seed)
    for rows in (6, 4):
        mean, mean2 = 2 * torch.randn(2, rows, generator=rng)
        std, std2 = 0.3 + 2.5 * torch.rand(2, rows, generator=rng)
        mean2[1], std2[1], mean2[2], std2[3] = mean[1], std[1], mean[2], std[3]
        given = {"mean": mean, "std": std, "mean2": mean2, "std2": std2}
        law = f"the least mean of (x − x')², {rows} pairs"
        observed = require_shape(law, ask(candidate, **given), (rows,)).double()
        m, s, m2, s2 = (value.double() for value in given.values())
        pairs = m[:, None] + s[:, None] * NODES - m2[:, None] - s2[:, None] * NODES
        require_close(law, observed, pairs**2 @ WEIGHTS, 1e-4, _distance_slips(m, s, m2, s2), given=given)


def _distance_slips(m: Tensor, s: Tensor, m2: Tensor, s2: Tensor) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of the squared distance."""
    apart, wider = (m - m2) ** 2, (s - s2) ** 2
    right, there = apart + wider, (s2 / s).log() + (s**2 + apart) / (2 * s2**2) - 0.5
    back = (s / s2).log() + (s2**2 + apart) / (2 * s**2) - 0.5
    return {
        "log-mean": [right.sqrt(), right.log()],
        "spread": [apart + (s**2 - s2**2) ** 2, apart + (s**2 - s2**2).abs(), apart + (s.log() - s2.log()) ** 2]
        + [apart + s + s2 - 2 * (s * s2).sqrt(), apart + s**2 + s2**2 - 2 * (s * s2).sqrt()],
        "dependence": [apart + s**2 + s2**2, apart + (s**2 + s2**2) / 2],
        "sign": [apart + (s + s2) ** 2, apart - wider, (m + m2) ** 2 + wider, -right],
        "constant": [apart, wider],
        "one-to-one": [(m - m2).abs() + (s - s2).abs(), ((m - m2).abs() + (s - s2).abs()) ** 2, (m - m2).abs() + wider]
        + [(m - m2).abs(), apart + (s - s2).abs(), (m - m2 + s - s2) ** 2, m - m2 + wider],
        "reduction": [right / 2, 2 * right, apart / 2 + wider, apart + wider / 2],
        "direction": [there, back, there + back, (there + back) / 2],
        "shape": pooled(right),
    }
