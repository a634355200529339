"""Laws of the chain "corrupt, then denoise": what it keeps, how it forgets, and whether its states are a sample."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape, require_value, show_value
from gmcourse.laws.rows import draw, pooled, within

LOPSIDED = torch.tensor([0.4, 0.0, 0.15, 0.05, 0.3, 0.1], dtype=torch.float64)
"""A law of six states, none like another; one of them never occurs."""


def chain_keeps_its_law(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(p, C) = T, T[x, x'] = Σ_x̃ C(x̃|x) P(x'|x̃) with P the posterior: entry by entry, and p T = p."""
    for case in range(2):
        prior = LOPSIDED.roll(case)
        corruption = (2 * draw(6, 6, seed=seed + case).double()).softmax(1)
        law = "T[x, x'] = Σ C(x̃|x) P(x'|x̃), P(x'|x̃) ∝ p(x') C(x̃|x')"
        answer = ask(candidate, prior=prior, corruption=corruption)
        observed = require_shape(law, answer, (6, 6)).detach().double()
        expected = torch.zeros(6, 6, dtype=torch.float64)
        for x in range(6):
            for spoilt in range(6):
                weight = [prior[y] * corruption[y, spoilt] for y in range(6)]
                for y in range(6):
                    expected[x, y] += corruption[x, spoilt] * weight[y] / sum(weight)
        given = {"p": prior, "C": corruption}
        require_close(law, observed, expected, 1e-5, _chain_slips(prior, corruption), given=given)
        require_close("p T = p", prior @ observed, prior, 1e-5)


def _chain_slips(prior: Tensor, corruption: Tensor) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of T."""
    joint = prior[:, None] * corruption
    right = joint.T / joint.sum(0)[:, None]
    flat = corruption.T / corruption.sum(0)[:, None]
    over_spoilt = joint.T / joint.T.sum(0).clamp(min=1e-300)
    best = torch.eye(6, dtype=torch.float64)[right.argmax(1)]
    return {
        "direction": [right @ corruption, (corruption @ right).T, corruption @ over_spoilt, corruption.T @ right],
        "constant": [corruption @ flat, corruption @ joint.T, corruption @ flat * prior],
        "randomness": [corruption @ best],
        "dependence": [right, corruption, torch.eye(6, dtype=torch.float64), prior.expand(6, 6)],
    }


def memory_fades(candidate: Callable[[float], float]) -> None:
    """candidate(λ) = −1/ln|λ|: after so many steps |λ|^t has fallen by the factor e."""
    for value in (0.9, 0.5, 0.99966, 0.2, -0.8):
        expected = -1 / math.log(abs(value))
        slips = {
            "sign": [1 / math.log(abs(value)), value],
            "constant": [1 / (1 - value), 1 / (1 - abs(value)), (1 + value) / (1 - value)],
            "log-mean": [-1 / math.log2(abs(value)), -1 / math.log10(abs(value)), -math.log(2) / math.log(abs(value))],
            "direction": [-math.log(abs(value)), 1 - value],
        }
        require_value("relaxation = −1/ln|λ|", ask(candidate, eigenvalue=value), expected, 1e-4 * expected, slips)


Step = Callable[[Tensor, Tensor, Tensor, float, float], Tensor]


def step_draws_its_posterior(candidate: Step, *, seed: int = 0) -> None:
    """candidate(x, noise, draw, σ, τ²) = a(x + σ noise) + √a σ draw, a = τ²/(τ² + σ²): N(0, τ²) is kept."""
    for case, (sigma, variance) in enumerate(((0.5, 1.0), (2.0, 1.0), (1.5, 3.0), (0.7, 0.4))):
        x, noise, drawn = (draw(4, 3, seed=seed + 3 * case + part) for part in range(3))
        law = f"x' = a (x + σ noise) + √a σ draw, a = τ²/(τ² + σ²), σ = {sigma}, τ² = {variance}"
        answer = ask(candidate, x=x, noise=noise, draw=drawn, sigma=sigma, variance=variance)
        a = variance / (variance + sigma**2)
        spoilt = x + sigma * noise
        expected = a * spoilt + math.sqrt(a) * sigma * drawn
        other = sigma**2 / (variance + sigma**2)
        slips = {
            "randomness": [a * spoilt, a * spoilt + math.sqrt(a) * sigma * noise, a * x + math.sqrt(a) * sigma * drawn],
            "spread": [
                a * spoilt + a * sigma * drawn,
                a * spoilt + sigma * drawn,
                a * spoilt + a * sigma**2 * drawn,
                a * (x + sigma**2 * noise) + math.sqrt(a) * sigma * drawn,
                a * spoilt + math.sqrt(a) * drawn,
            ],
            "direction": [
                other * spoilt + math.sqrt(a) * sigma * drawn,
                a * x + math.sqrt(a) * sigma * drawn + sigma * noise,
                spoilt,
            ],
            "shape": pooled(expected),
        }
        found = require_shape(law, answer, (4, 3)).detach()
        given = {"x": x, "noise": noise, "draw": drawn}
        require_close(law, found.double(), expected.double(), within(expected.double(), 1e-5), slips, given=given)


Pairs = Callable[[Tensor, Tensor, Callable, Callable], tuple[Tensor, Tensor]]


def walkback_returns(candidate: Pairs, *, seed: int = 0) -> None:
    """candidate(x, noise, corrupt, draw): x̃ after 0, 1, … steps of the chain from x, and the same clean x for each."""
    x, noise = draw(3, 2, seed=seed).double(), draw(4, 2, 3, 2, seed=seed + 1).double()

    def corrupt(point: Tensor, u: Tensor) -> Tensor:
        return point + u

    def model(spoilt: Tensor, v: Tensor) -> Tensor:
        return 0.5 * spoilt.sin() + 0.3 * v

    answer = ask(candidate, x=x, noise=noise, corrupt=corrupt, draw=model)
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise LawBroken(
            "two results", f"a {type(answer).__name__}", "the corrupted points and the targets", "container"
        )
    walker, reached, before = x, [], []
    for u, v in noise:
        before.append(walker)
        reached.append(corrupt(walker, u))
        walker = model(reached[-1], v)
    apart = torch.cat([corrupt(x, u) for u, _ in noise])
    one = torch.cat([reached[0]] * 4)
    slips = {"dependence": [apart, one], "direction": [torch.cat(before), torch.cat([*before[1:], walker])]}
    law = "x̃ after j steps of the model's own chain"
    found = require_shape(law, answer[0], (12, 2)).detach().double()
    require_close(law, found, torch.cat(reached), 1e-6, slips)
    slips = {"direction": [torch.cat(before), torch.cat(reached), torch.cat([x, *reached[:-1]])]}
    law = "the target is the clean x, however far the walk went"
    require_close(law, require_shape(law, answer[1], (12, 2)).detach().double(), x.repeat(4, 1), 1e-6, slips)


def states_are_a_sample(
    candidate: Callable[[int, Generator], Tensor],
    *,
    prior: Tensor,
    n: int = 1_000,
    level: float = 0.01,
    seed: int = 0,
) -> None:
    """candidate(n, rng): n states, (n,) int64, drawn independently from `prior`, (k,): Pearson's χ² test at `level`.

    A state of probability 0 must not occur. With six equally likely states, n = 1,000 and the level 1 % it sees 0.05
    moved from one state to another with probability 0.98, and 0.05 taken evenly from the five others with 0.79.
    """
    states = require_shape("n states", candidate(n, torch.Generator().manual_seed(seed)), (n,)).long()
    counts = torch.bincount(states, minlength=len(prior)).double()
    if len(counts) > len(prior) or counts[prior == 0].sum() > 0:
        raise LawBroken(
            "no state of probability 0 occurs", f"{int(counts[prior == 0].sum())} of {n}", "none", "constant"
        )
    expected = n * prior[prior > 0].double()
    statistic = ((counts[prior > 0] - expected).square() / expected).sum()
    p = chi_square_tail(statistic.item(), len(expected) - 1)
    if p < level:
        raise LawBroken("Pearson's χ² is one that chance gives", f"p = {p:.2g}", f"at least {level:g}", "")


def chi_square_tail(statistic: float, degrees: int) -> float:
    """P(χ² ≥ statistic) for so many degrees of freedom."""
    half = torch.tensor([degrees, statistic], dtype=torch.float64) / 2
    return torch.special.gammaincc(half[0], half[1]).item()


def permutation_test(x: Tensor, y: Tensor, *, permutations: int = 499, seed: int = 0) -> tuple[float, float, float]:
    """MMD² of two samples of n rows, its 99 % point under shuffled labels, and the p-value, at least 1/(1 + shuffles).

    The kernel is exp(−‖a − b‖²/2h²), h the median distance between two different rows of both samples, and the mean is
    over pairs of different rows. Under equal laws p ≤ α has the probability α or less. Gretton et al. 2012, eq. 3.
    """
    if x.shape != y.shape or len(x) < 2:
        raise ValueError(f"x, y: got shapes {tuple(x.shape)} and {tuple(y.shape)}, expected twice (n, *event), n ≥ 2")
    n, both = len(x), torch.cat([x, y]).detach().double().flatten(1)
    apart = torch.cdist(both, both)
    width = apart[apart > 0].median()
    kernel = torch.exp(-apart.square() / (2 * width**2)).fill_diagonal_(0)
    rng = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.ones(n), -torch.ones(n)]).double()
    signs = torch.stack([labels, *(labels[torch.randperm(2 * n, generator=rng)] for _ in range(permutations))])
    same = ((signs @ kernel) * signs).sum(1)  # within-pairs minus across-pairs
    across = (kernel.sum() - same) / 2
    values = (kernel.sum() + same) / 2 / (n * (n - 1)) - across / n**2
    p = (values >= values[0] - 1e-12).double().mean().item()
    return values[0].item(), values[1:].quantile(0.99).item(), p


def samples_pass_for_data(
    candidate: Callable[[int, Generator], Tensor], *, held_out: Tensor, level: float = 0.01, seed: int = 0
) -> None:
    """candidate(n, rng): n examples that `permutation_test` does not tell from the n of `held_out` at `level`.

    What passes has not been shown to be right. The test's power against a wrong law must be measured beside it, at the
    same n; the lesson on walking with a denoiser does.
    """
    drawn = candidate(len(held_out), torch.Generator().manual_seed(seed))
    drawn = require_shape("n examples of the event's shape", drawn, tuple(held_out.shape))
    value, limit, p = permutation_test(drawn, held_out, seed=seed)
    if p <= level:
        cause = "randomness" if len(drawn.unique(dim=0)) <= len(drawn) // 10 else ""
        raise LawBroken("MMD² is one that shuffled labels give", show_value(value), f"at most {limit:.2g}", cause)
