"""Laws of sparse codes: what an absolute value shrinks, what a target rate costs, which units are kept."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Bernoulli, kl_divergence

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import Slips, require_close, require_shape
from gmcourse.laws.rows import draw, within


def shrinks_to_the_least(candidate: Callable[[Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(x, t) is the z at which ½(x − z)² + t|z| is least, entry by entry.

    The oracle halves an interval by the slope of that function, which rises with z.
    """
    for rows, t in ((5, 0.6), (4, 1.1)):
        x = 1.5 * draw(rows, 3, seed=seed)
        x[0] = torch.tensor([0.4, -0.2, 2.0])
        value = require_shape("one z for each entry of x", ask(candidate, x=x, t=t), (rows, 3))
        exact, s = x.double(), x.double().sign()
        expected, m = _least(exact, t), x.double().abs()
        suspects: dict[str, Slips] = {
            "constant": [_least(exact, t / 2), _least(exact, 2 * t), _least(exact, t**2)],
            "spread": [exact * (m > t), exact / (1 + t)],
            "sign": [s * expected, (exact - t).clamp(min=0), -expected, s * (m + t)],
            "direction": [exact - t * s, exact - expected, exact.clamp(-t, t)],
        }
        given = {"x": x, "t": t}
        require_close(f"½(x − z)² + {t}|z| is least", value.double(), expected, within(expected), suspects, given)


def _least(x: Tensor, t: float) -> Tensor:
    """By bisection: left of the least point the slope z − x ± t is below 0."""
    low, high = -x.abs() - 1, x.abs() + 1
    for _ in range(60):
        z = (low + high) / 2
        falls = z - x + t * z.sign() < 0
        low, high = torch.where(falls, z, low), torch.where(falls, high, z)
    return torch.where(high.abs() < 1e-9, 0.0, high)


def rates_are_held(candidate: Callable[[Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(activity, rho) is Σ_j KL(ρ ‖ ρ̂_j) of two coins, ρ̂_j the mean of column j, with its gradient.

    0 where each mean is ρ, whatever the single activities are.
    """
    law = "one number for the batch"
    even = torch.tensor([[0.02, 0.08], [0.08, 0.02]])
    value = require_shape(law, ask(candidate, activity=even, rho=0.05), ()).detach().double()
    kls, rest = _kl(0.05, even.double()), _entropy(torch.tensor(0.05, dtype=torch.float64))
    slips: dict[str, Slips] = {
        "log-mean": [kls.mean(0).sum(), kls.sum(), kls.mean(), kls.mean() + rest, kls.sum(1).mean() + 2 * rest],
        "constant": [rest, 2 * rest],
        "reduction": 2 * _kl(0.05, torch.tensor(0.1, dtype=torch.float64)),
    }
    require_close("the penalty is 0 where each unit's mean is ρ", value, torch.zeros_like(value), 1e-5, slips)
    for rows, units, rho in ((6, 3, 0.05), (4, 5, 0.4)):  # rates above ρ, and some below it
        activity = (1.2 * draw(rows, units, seed=seed + rows) - 0.8).sigmoid().requires_grad_()
        exact = activity.detach().double().requires_grad_()
        expected = _kl(rho, exact.mean(0)).sum()
        (right,) = torch.autograd.grad(expected, exact)
        value = require_shape(law, ask(candidate, activity=activity, rho=rho), ())
        suspects = _kl_slips(exact.detach(), rho, expected.detach())
        law = f"Σ KL(ρ ‖ ρ̂), ρ = {rho}, {rows} rows of {units} units"
        require_close(law, value.detach().double(), expected.detach(), within(expected.detach()), suspects)
        moved = slope(value, activity).double()  # the value is right
        slips = {"gradient": [torch.zeros_like(moved), rows * right]}
        require_close(f"the slope of {law}", moved, right, within(right, 1e-3), slips, deduced="gradient")


def _kl(rho: float, rate: Tensor) -> Tensor:
    return kl_divergence(Bernoulli(torch.full_like(rate, rho)), Bernoulli(rate))


def _kl_slips(activity: Tensor, rho: float, expected: Tensor) -> dict[str, Slips]:
    rate, (rows, units) = activity.mean(0), activity.shape
    target, per_row = torch.full_like(rate, rho), _kl(rho, activity)
    heads, tails = target * (target / rate).log(), (1 - target) * ((1 - target) / (1 - rate)).log()
    other, one_way = kl_divergence(Bernoulli(rate), Bernoulli(target)).sum(), (rate * (rate / target).log()).sum()
    return {
        "reduction": [expected / units, _kl(rho, activity.mean()), _kl(rho, activity.mean(1)).sum(), expected / rows]
        + [_kl(rho, activity.sum(0).clamp(max=0.999)).sum(), expected * rows, _kl(rho, rate).max()],
        "direction": [other, -other, (other + expected) / 2, other + expected, one_way],
        "log-mean": [per_row.mean(0).sum(), per_row.sum(), per_row.mean()],
        "dependence": [heads.sum(), tails.sum(), heads.mean(), heads.sum() / rows],
        "one-to-one": [_kl(rho, rate.clamp(min=rho)).sum(), _kl(rho, rate.clamp(max=rho)).sum()],
        "sign": [-expected, (heads - tails).sum()],
        "constant": [expected / math.log(base) for base in (2, 10)] + [expected + _entropy(target).sum()],
    }


def _entropy(rate: Tensor) -> Tensor:
    return Bernoulli(rate).entropy()


def largest_are_kept(candidate: Callable[[Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(h, k) keeps the k largest entries of each row, negative ones too, and makes the others 0.

    Of equal entries any may be kept, k in all. The gradient is 1 where an entry was kept and 0 elsewhere.
    """
    for rows, units, k in ((5, 6, 2), (3, 4, 3), (6, 5, 1)):
        h = draw(rows, units, seed=seed + k)
        h[0] = -h[0].abs() - 0.1
        h = h.requires_grad_()
        law = f"the {k} largest of {units} are kept"
        value = require_shape(law, ask(candidate, h=h, k=k), (rows, units))
        exact = h.detach().double()
        kept = exact >= exact.sort(1).values[:, units - k, None]
        expected, observed = exact * kept, value.detach().double()
        require_close(law, observed, expected, 1e-6, _kept_slips(exact, kept, k), {"h": h.detach(), "k": k})
        moved = slope((value * torch.arange(1, units + 1)).sum(), h).double()
        right = torch.arange(1, units + 1) * kept.double()
        slips = {"gradient": [torch.zeros_like(right), torch.arange(1, units + 1).expand(rows, units).double()]}
        require_close("the gradient passes where a unit was kept", moved, right, 1e-5, slips, deduced="gradient")
    _ties(candidate)


def _ties(candidate: Callable[[Tensor, int], Tensor]) -> None:
    """Equal entries: exactly k are kept. The order among them is free, so that sorted rows are compared."""
    h = torch.tensor([[1.0, 3.0, 1.0, 1.0], [2.0, 2.0, 2.0, 0.5]])
    value = require_shape("2 of 4 are kept", ask(candidate, h=h, k=2), (2, 4)).detach().double()
    expected = torch.tensor([[0.0, 0.0, 1.0, 3.0], [0.0, 0.0, 2.0, 2.0]], dtype=torch.float64)
    slips = {"one-to-one": [(h * (h >= torch.tensor([[1.0], [2.0]]))).sort(1).values.double()]}
    slips["one-to-one"] += [(h * (h > torch.tensor([[1.0], [2.0]]))).sort(1).values.double()]
    require_close("2 of 4 are kept where some are equal", value.sort(1).values, expected, 1e-6, slips, {"h": h})


def _kept_slips(h: Tensor, kept: Tensor, k: int) -> dict[str, Slips]:
    rows, units = h.shape

    def top(by: Tensor, count: int, axis: int = 1) -> Tensor:
        return torch.zeros_like(h).scatter(axis, by.topk(min(count, by.shape[axis]), axis).indices, 1.0)

    over_all = torch.zeros(rows * units).double()
    over_all[h.flatten().topk(k * rows).indices] = 1.0
    ordered, right = h.sort(1, descending=True).values, h * kept
    least = torch.where(kept, h, torch.inf).amin(1, keepdim=True)
    return {
        "sign": [h * top(h.abs(), k), right.relu(), h.relu() * top(h.relu(), k), right.abs()],
        "direction": [h * top(-h, k), h * ~kept, h * top(h, units - k + 1)],
        "dependence": [h * top(h, k, 0), h * over_all.view(rows, units), h * kept[:1], h * kept[1:2]]
        + [h * (h >= least.min()), h * top(h.mean(0, keepdim=True).expand_as(h), k)],
        "constant": [h * top(h, k + 1), h * top(h, max(k - 1, 0)), h * top(h, units - k)],
        "spread": [kept.double(), torch.where(kept, h, -torch.inf).softmax(1), ordered * (torch.arange(units) < k)]
        + [right * units / k, (h - least).relu(), (h - ordered[:, k : k + 1]).relu(), right * h.softmax(1)]
        + [torch.where(kept, h, rest) for rest in (h.min(), h.amin(1, keepdim=True), h.mean(1, keepdim=True))],
    }
