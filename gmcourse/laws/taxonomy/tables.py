"""Laws of models that are tables: a histogram, counts, two Gaussian classes, classes of independent pixels."""

import math
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor
from torch.distributions import Bernoulli, MultivariateNormal
from torch.nn.functional import logsigmoid

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, as_tensor, require_close, require_shape
from gmcourse.laws.rows import pooled, within

HISTOGRAMS = (
    (torch.tensor([0.3, -1.2, 1.0, 0.5, -0.4]), -1.0, 1.5),
    (torch.tensor([1.1, -0.6, 0.2]), 2.0, 8.0),
    (torch.tensor([200.0, -200.0, 0.0, 1.0]), -1.0, 1.0),
)
"""Logits, low and high: cells narrower and wider than 1, logits whose exponentials do not sum to 1 and of ±200."""


def histogram_is_density(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(x, logits, low, high) is ln π_k − ln width in the cell of x, (batch,), π = softmax(logits)."""
    for logits, low, high in HISTOGRAMS:
        cells, width = len(logits), (high - low) / len(logits)
        x = low + width * torch.tensor([0.3, cells - 0.2, 1.6, cells - 1.4, 0.9, 1.1])
        law = f"ln π_k − ln width, {cells} cells from {low:g} to {high:g}"
        observed = require_shape(law, ask(candidate, x=x, logits=logits, low=low, high=high), tuple(x.shape)).double()
        expected, slips = _cells(x, logits.double(), low, width)
        slips, left = ({}, "overflow") if logits.max() > 100 else (slips, "")  # the formula is right elsewhere
        require_close(law, observed, expected, 1e-3, slips, given={"x": x, "logits": logits}, deduced=left)


def histogram_ends(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(x, logits, low, high) is −∞ below low and above high, and finite at both: high is of the last cell."""
    for logits, low, high in HISTOGRAMS:
        width = (high - low) / len(logits)
        x = torch.tensor([low - 0.4 * width, low, high + 0.1 * width, high, low - 40.0, high + 7.0])
        output, law = ask(candidate, x=x, logits=logits, low=low, high=high), "one value for each x"
        tensor = as_tensor(output)
        if tensor is not None and not tensor.is_complex():
            output = tensor.double().nan_to_num(nan=math.nan, posinf=math.inf, neginf=0.0)
        require_shape(law, output, tuple(x.shape))  # all but −∞ is refused
        value = torch.as_tensor(tensor).detach().double()
        for k in (0, 2, 4, 5):
            if not value[k].isneginf():
                case = f"x = {x[k]:g}, low = {low:g}, high = {high:g}"
                law = "outside [low, high] nothing is drawn: ln q = −∞"
                raise LawBroken(law, f"{value[k]:.4g}", "−inf", "one-to-one", case)
        ends, beside = x[[1, 3]], torch.tensor([low + 0.1 * width, high - 0.1 * width])
        expected, _ = _cells(beside, logits.double(), low, width)
        require_close("low and high belong to the histogram", value[[1, 3]], expected, 1e-3, given={"x": ends})


def _cells(x: Tensor, logits: Tensor, low: float, width: float) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """ln q(x), and what the usual slips would give in its place; x off the borders."""
    k = sum((x > low + i * width).long() for i in range(1, len(logits)))
    pi = logits - logits.logsumexp(0)
    right, cells = pi[k] - math.log(width), len(logits)
    elsewhere = [pi[j] - math.log(width) for j in ((k + 1) % cells, (k - 1) % cells, cells - 1 - k)]
    return right, {
        "constant": [pi[k]],
        "sign": [pi[k] + math.log(width), -right],
        "spread": [pi[k] - math.log(width * cells), pi[k] + math.log(cells), pi[k] - 2 * math.log(width)],
        "direction": [logits[k], logits[k] - math.log(width), logits[k] + math.log(width)],
        "dependence": elsewhere,
        "log-mean": [right.exp(), pi[k].exp(), pi[k].exp() / width, right / math.log(2), right / math.log(10)],
        "shape": pooled(right),
    }


def loss_needs_only_counts(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(counts, logits), (K,) each, is the mean of −ln softmax(logits)[k] over the draws, a scalar in nats.

    The oracle looks at each draw by itself. At ln c/n it is the entropy of the counts; logits may be ±200.
    """
    for name, counts, logits in (
        ("ten draws", [5.0, 0.0, 1.0, 4.0], [0.4, -0.9, 1.3, -0.2]),
        ("forty draws", [4.0, 30.0, 6.0], [1.0, 0.1, -0.7]),
        ("at the optimum: the entropy", [2.0, 1.0, 1.0], [math.log(0.5), math.log(0.25), math.log(0.25)]),
        ("logits of ±200", [3.0, 1.0, 0.0], [200.0, 0.0, -200.0]),
        ("logits of ±200, the rare state drawn", [0.0, 1.0, 3.0], [200.0, 0.0, -200.0]),
    ):
        c, h = torch.tensor(counts), torch.tensor(logits)
        law = f"mean of −ln π_k over the draws, {name}"
        observed = require_shape(law, ask(candidate, counts=c, logits=h), ()).double()
        expected, slips = _losses(c.long(), h.double())
        slips, left = ({}, "overflow") if "200" in name else (slips, "")
        given = {"counts": c, "logits": h}
        require_close(law, observed, expected, within(expected), slips, given=given, deduced=left)


def _losses(counts: Tensor, logits: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """The loss, draw by draw, and what the usual slips would give in its place."""
    cost = logits.logsumexp(0) - logits
    draws, n = cost.repeat_interleave(counts), counts.sum()
    right, share = draws.mean(), counts / counts.sum()
    entropy = -torch.special.xlogy(share, share).sum()
    return right, {
        "sign": [-right, -draws.sum()],
        "reduction": [
            draws.sum() / len(counts),
            draws.sum(),
            right / len(counts),
            draws.sum() / counts.count_nonzero(),
        ],
        "one-to-one": [cost.mean(), cost.sum(), cost[counts > 0].mean()],
        "log-mean": [right / math.log(2), -(-draws).exp().mean().log(), 1 - (-draws).exp().mean(), right.exp()],
        "constant": [right - entropy, entropy, right + entropy],
        "direction": [-(counts * logits).sum() / n, (counts * (cost - logits)).sum() / n],
        "dependence": [((-cost).exp() * cost).sum()],
    }


def logit_is_bayes_rule(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(x, means, cov, prior) is ln p(y=1|x) − ln p(y=0|x), (batch,), of two Gaussian classes, far out too.

    The oracle is Bayes' rule on the two densities. Means off the origin, correlated coordinates, unequal priors.
    """
    rng = torch.Generator().manual_seed(seed)
    plane, space = (
        torch.tensor([[1.5, 0.6], [0.6, 0.8]]),
        torch.tensor([[0.9, 0.3, 0.0], [0.3, 2.0, -0.7], [0.0, -0.7, 1.2]]),
    )
    for means, cov, prior, scale in (
        (torch.tensor([[0.5, 0.2], [2.5, -1.0]]), plane, 0.3, 1.5),
        (torch.tensor([[1.0, -0.4, 0.3], [-0.2, 1.7, 0.8]]), space, 0.8, 1.5),
        (torch.tensor([[0.5, 0.2], [2.5, -1.0]]), plane, 0.5, 60.0),
    ):
        x = means[0] + scale * torch.randn(4 + len(cov), len(cov), generator=rng)
        law = f"the logit of {len(x)} points, π = {prior:g}" + (", far from both classes" if scale > 2 else "")
        observed = require_shape(law, ask(candidate, x=x, means=means, cov=cov, prior=prior), (len(x),)).double()
        expected, slips = _logits(x.double(), means.double(), cov.double(), math.log(prior), math.log1p(-prior))
        slips, left = ({}, "overflow") if scale > 2 else (slips, "")  # the formula is right nearer by
        given = {"x": x, "means": means}
        require_close(law, observed, expected, within(expected, 1e-3), slips, given=given, deduced=left)


def _logits(x: Tensor, means: Tensor, cov: Tensor, one: float, zero: float) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """The logit by Bayes' rule from the classes' log-priors, and what the usual slips would give in its place."""

    def gap(covariance: Tensor) -> Tensor:
        first, second = (MultivariateNormal(mean, covariance).log_prob(x) for mean in means)
        return second - first

    odds, weight = one - zero, cov.inverse() @ (means[1] - means[0])
    right, halves = gap(cov) + odds, [0.5 * (mean @ cov.inverse() @ mean) for mean in means]
    linear = x @ weight
    return right, {
        "constant": [gap(cov), gap(cov) + one, gap(cov) + math.exp(one), gap(cov) + math.exp(odds)],
        "direction": [gap(cov) - odds],
        "sign": [-right, odds - gap(cov)],
        "dependence": [linear + odds, linear, *((x - mean) @ weight + odds for mean in means)],
        "one-to-one": [linear + factor * (halves[0] - halves[1]) + odds for factor in (2, -1, -2)]
        + [2 * gap(cov) + odds],
        "spread": [(x - means.mean(0)) @ cov @ (means[1] - means[0]) + odds],
        "reduction": [gap(c.diag()) + odds for c in (cov.diagonal(), cov.diagonal() ** 2, cov.diagonal() ** 0)],
        "log-mean": [right.sigmoid(), right.exp(), logsigmoid(right)],
        "shape": pooled(right),
    }


def rest_is_a_ratio_of_sums(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(log_pi, logits, x, observed) is ln p(x_hidden|x_observed), (batch,), of classes of independent pixels.

    The oracle adds the probabilities of all completions of what was observed. With nothing hidden, 0.
    """
    rng = torch.Generator().manual_seed(seed)
    for classes, seen, rows in ((3, [1, 0, 0, 1, 0], 7), (2, [0, 1, 0, 1], 6), (3, [0, 0, 0], 5), (2, [1, 1, 1], 4)):
        log_pi = torch.tensor([0.2, 0.5, 0.3][:classes]).log().log_softmax(0)
        observed, logits = torch.tensor(seen).bool(), 1.5 * torch.randn(classes, len(seen), generator=rng)
        x = (torch.rand(rows, len(seen), generator=rng) < 0.5).float()
        law = f"p(x) / Σ p(all completions), {sum(seen)} of {len(seen)} pixels observed"
        output = ask(candidate, log_pi=log_pi, logits=logits, x=x, observed=observed)
        value = require_shape(law, output, (rows,)).double()
        expected, slips = _completions(log_pi.double(), logits.double(), x.double(), observed)
        given = {"x": x, "observed": observed}
        require_close(law, value, expected, 1e-4, slips, given=given)


def _completions(log_pi: Tensor, logits: Tensor, x: Tensor, observed: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """The answer by enumeration, and what the usual slips would give in its place."""
    fills = torch.tensor(list(product([0.0, 1.0], repeat=int((~observed).sum()))), dtype=x.dtype)
    every = x.repeat(len(fills), 1, 1)
    every[:, :, ~observed] = fills[:, None]
    pixels = Bernoulli(logits=logits).log_prob(x[:, None])  # (batch, K, D)
    joint = (log_pi + pixels.sum(2)).exp().sum(1)
    total = (log_pi + Bernoulli(logits=logits).log_prob(every[:, :, None]).sum(3)).exp().sum((0, 2))
    hidden, known = pixels[:, :, ~observed], log_pi + pixels[:, :, observed].sum(2)
    belief, whole, rest = known.softmax(1), (log_pi + pixels.sum(2)).softmax(1), hidden.sum(2)
    right, inner = (joint / total).log(), pixels[:, :, observed].sum(2)
    return right, {
        "dependence": [(belief[:, :, None] * hidden.exp()).sum(1).log().sum(1)],
        "direction": [(whole * rest.exp()).sum(1).log()],
        "constant": [joint.log(), joint.log() - inner.logsumexp(1)],
        "reduction": [(log_pi.exp() * rest.exp()).sum(1).log()],
        "spread": [joint.log() - (log_pi + rest).logsumexp(1), total.log()],
        "log-mean": [(belief * rest).sum(1), (log_pi.exp() * rest).sum(1), right.exp(), right / math.log(2)],
        "one-to-one": [rest.gather(1, belief.argmax(1, keepdim=True))[:, 0], rest.amax(1)],
        "randomness": [(inner + rest).logsumexp(1) - inner.logsumexp(1)],
        "sign": [-right],
        "shape": pooled(right),
    }


def rest_of_a_large_picture(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(log_pi, logits, x, observed) where products of probabilities are 0 to a computer, by closed forms.

    3,000 pixels of which the hidden ones are fair coins in every class; one class with logits of ±150.
    """
    rng = torch.Generator().manual_seed(seed)
    observed = torch.arange(3_000) % 2 == 0
    x, logits = (torch.rand(3, 3_000, generator=rng) < 0.5).float(), torch.randn(2, 3_000, generator=rng)
    coins = torch.where(observed, logits, 0.0)
    sure = torch.tensor([[150.0, -150.0, -150.0, 0.0]])
    for law, inputs, expected in (
        ("1,500 hidden coins", (torch.tensor([0.4, 0.6]).log(), coins, x, observed), [-1_500 * math.log(2)] * 3),
        (
            "logits of ±150",
            (
                torch.zeros(1),
                sure,
                torch.tensor([[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]]),
                torch.tensor([1, 0, 0, 1]).bool(),
            ),
            [-150.0, 0.0],
        ),
    ):
        names = ("log_pi", "logits", "x", "observed")
        value = require_shape(law, ask(candidate, **dict(zip(names, inputs, strict=True))), (len(expected),)).double()
        require_close(law, value, torch.tensor(expected).double(), 1e-2, deduced="overflow")  # right elsewhere
