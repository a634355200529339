"""Laws of the chain "corrupt, then denoise": what it keeps, how it forgets, and whether its states are a sample."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, as_tensor, require_close, require_parts, require_shape, require_value
from gmcourse.laws.rows import draw, further, pooled, within

LOPSIDED = torch.tensor([0.4, 0.0, 0.15, 0.05, 0.3, 0.1], dtype=torch.float64)
"""A law of six states, none like another; one of them never occurs."""


def chain_keeps_its_law(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(p, C) = T, T[x, x'] = Σ_x̃ C(x̃|x) P(x'|x̃) with P the posterior: entry by entry, and p T = p."""
    for case, states in enumerate((6, 6, 4)):
        prior = LOPSIDED.roll(case)[:states] / LOPSIDED.roll(case)[:states].sum()
        corruption = (2 * draw(states, states, seed=seed + case).double()).softmax(1)
        law = "T[x, x'] = Σ C(x̃|x) P(x'|x̃), P(x'|x̃) ∝ p(x') C(x̃|x')"
        answer = ask(candidate, prior=prior, corruption=corruption)
        observed = require_shape(law, answer, (states, states)).detach().double()
        expected = torch.zeros_like(corruption)
        for x in range(states):
            for spoilt in range(states):
                weight = [prior[y] * corruption[y, spoilt] for y in range(states)]
                for y in range(states):
                    expected[x, y] += corruption[x, spoilt] * weight[y] / sum(weight)
        given = {"x": torch.arange(states)}
        require_close(law, observed, expected, 1e-5, _chain_slips(prior, corruption), given=given)
        require_close("p T = p", prior @ observed, prior, 1e-5)


def _chain_slips(prior: Tensor, corruption: Tensor) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of T."""
    joint = prior[:, None] * corruption
    right = joint.T / joint.sum(0)[:, None]
    flat = corruption.T / corruption.sum(0)[:, None]
    over_spoilt = joint.T / joint.T.sum(0).clamp(min=1e-300)
    one = torch.eye(len(prior), dtype=torch.float64)

    def unit(rows: Tensor) -> Tensor:
        return rows / rows.sum(1, keepdim=True)

    best, twice = one[right.argmax(1)], corruption @ corruption
    return {
        "direction": [right @ corruption, (corruption @ right).T, corruption @ over_spoilt, corruption.T @ right]
        + [corruption @ right.T, right @ corruption.T, corruption.T @ right.T],
        "constant": [corruption @ flat, corruption @ joint.T, corruption @ flat * prior, corruption @ corruption.T]
        + [prior[:, None] * (corruption @ right), unit(corruption @ joint.T), unit(corruption @ corruption.T * prior)]
        + [corruption @ (joint.T / (corruption @ prior)), corruption @ (joint.T / (corruption @ prior)[:, None])],
        "randomness": [corruption @ best],
        "dependence": [right, right.T, corruption, one, prior.expand_as(one), right @ right]
        + [corruption * prior, unit(corruption * prior)],
        "one-to-one": [twice, twice @ right, corruption @ right @ corruption @ right, corruption @ right @ right],
    }


def memory_fades(candidate: Callable[[float], float], *, seed: int = 0) -> None:
    """candidate(λ) = −1/ln|λ|: after so many steps |λ|^t has fallen by the factor e."""
    for value in (0.2, 0.9, 0.5, 0.99966, -0.8, -0.97, *further(seed, lambda rng: rng.uniform(0.3, 0.95))):
        expected = -1 / math.log(abs(value))
        slips = {
            "sign": [1 / math.log(abs(value)), math.log(abs(value)), value],
            "constant": [1 / (1 - value), 1 / (1 - abs(value)), (1 + value) / (1 - value), 1 / (1 - value**2)],
            "reduction": [float(math.ceil(expected)), float(math.floor(expected))]
            + [round(expected, digits) for digits in range(4)],
            "spread": [2 * expected, expected / 2],
            "log-mean": [-1 / math.log2(abs(value))]
            + [math.log(left) / math.log(abs(value)) for left in (0.5, 0.1, 0.05, 0.01, 0.001)],
            "direction": [-math.log(abs(value)), 1 - value, 1 - abs(value)],
        }
        require_value("relaxation = −1/ln|λ|", ask(candidate, eigenvalue=value), expected, 1e-4 * expected, slips)


Step = Callable[[Tensor, Tensor, Tensor, float, float], Tensor]


def step_draws_its_posterior(candidate: Step, *, seed: int = 0) -> None:
    """candidate(x, noise, draw, σ, s²) = a(x + σ noise) + √a σ draw, a = s²/(s² + σ²): N(0, s²) is kept."""
    for case, (sigma, variance) in enumerate(((0.5, 1.0), (2.0, 1.0), (1.5, 3.0), (0.7, 0.4))):
        shape = (4 + case, 3 - case % 2)
        x, noise, drawn = (draw(*shape, seed=seed + 3 * case + part) for part in range(3))
        law = f"x̃ = x + σ noise, then x' of the posterior of N(0, s²), σ = {sigma}, s² = {variance}"
        answer = ask(candidate, x=x, noise=noise, draw=drawn, sigma=sigma, variance=variance)
        found = require_shape(law, answer, shape).detach().double()
        again = as_tensor(candidate(x.clone(), noise.clone(), drawn.clone(), sigma, variance))
        if again is None or not torch.equal(found, again.detach().double()):
            raise LawBroken("equal noise, equal steps", "another step", "the same", "randomness")
        exact = x.double(), noise.double(), drawn.double()
        a = variance / (variance + sigma**2)
        expected = a * (exact[0] + sigma * exact[1]) + math.sqrt(a) * sigma * exact[2]
        given = {"x": x, "noise": noise, "draw": drawn}
        slips = _step_slips(*exact, sigma, variance, expected)
        require_close(law, found, expected, within(expected, 1e-5), slips, given=given)


def _step_slips(
    x: Tensor, u: Tensor, v: Tensor, sigma: float, variance: float, right: Tensor
) -> dict[str, list[Tensor]]:
    """A mean alone, noise in the wrong place, one noise for both, a step left out, squares and roots, shares."""
    tau, spoilt = math.sqrt(variance), x + sigma * u
    a, other = variance / (variance + sigma**2), sigma**2 / (variance + sigma**2)
    std, rough = math.sqrt(a) * sigma, tau / (tau + sigma)
    spreads = (a * sigma, sigma, a * sigma**2, sigma**2, std**0.5, math.sqrt(a), a * tau, math.sqrt(a) * tau, tau, 1.0)
    spreads = (*spreads, math.hypot(tau, sigma), math.hypot(1 / tau, 1 / sigma), math.sqrt(1 - a**2))

    def step(gain: float, scale: float) -> Tensor:
        return gain * (x + scale * u) + math.sqrt(gain) * scale * v

    return {
        "constant": [a * spoilt, spoilt],
        "randomness": [a * spoilt + std * u, a * (x + sigma * v) + std * v, a * (x + sigma * v) + std * u],
        "dependence": [a * x + std * v, a * x, x, a * sigma * u + std * v, tau * v],
        "direction": [right + sigma * u, a * spoilt + sigma * u, a * x + std * v + sigma * u]
        + [a * x + sigma * u, a * x + sigma * v, other * spoilt + std * v, step(other, sigma)],
        "one-to-one": [step(1 / (1 + sigma**2), sigma), step(variance**2 / (variance**2 + sigma**2), sigma)]
        + [spoilt + std * v, spoilt + sigma * v, a * spoilt + math.sqrt(1 - a) * v],
        "spread": [a * spoilt + spread * v for spread in spreads]
        + [a * (x + scale * u) + std * v for scale in (sigma**2, 1.0, math.sqrt(sigma))]
        + [step(gain, sigma**power) for gain in (rough, variance / (variance + sigma)) for power in (1, 0.5)]
        + [rough * spoilt + std * v, math.sqrt(a) * spoilt + std * v, a * right],
        "sign": [a * (x - sigma * u) + std * v, -a * spoilt + std * v, a * spoilt - std * v],
        "shape": pooled(right),
    }


Pairs = Callable[[Tensor, Tensor, Callable, Callable], tuple[Tensor, Tensor]]


def walkback_returns(candidate: Pairs, *, seed: int = 0) -> None:
    """candidate(x, noise, corrupt, draw): x̃ after 0, 1, … steps of the chain from x, and the same clean x for each.

    The first step first: (steps · batch, *event) twice. No gradient reaches what `draw` has learned.
    """
    for steps, n, shape in ((4, 3, (2,)), (1, 3, (5,)), (3, 2, (1, 2, 3))):
        x, noise = draw(n, *shape, seed=seed + n), draw(steps, 2, n, *shape, seed=seed + 1)
        learned = torch.tensor(0.5, requires_grad=True)

        def corrupt(point: Tensor, u: Tensor) -> Tensor:
            return 1.1 * point + u

        def model(spoilt: Tensor, v: Tensor, learned: Tensor = learned) -> Tensor:
            return learned * spoilt.sin() + 0.3 * v

        law = f"x̃ after 0 to {steps - 1} steps of the model's own chain"
        parts = require_parts(law, ask(candidate, x=x, noise=noise, corrupt=corrupt, draw=model), 2)
        reached, target = (require_shape(law, part, (steps * n, *shape)) for part in parts)
        expected, between, slips = _walked(x, noise, corrupt, model)
        given = {"step": torch.arange(steps).repeat_interleave(n), "row": torch.arange(n).repeat(steps)}
        again = as_tensor(require_parts(law, candidate(x.clone(), noise.clone(), corrupt, model), 2)[0])
        if again is None or not torch.equal(again.detach(), reached.detach()):
            raise LawBroken("equal noise, equal walks", "another walk", "the same", "randomness")
        require_close(law, reached.double(), expected, within(expected), slips, given=given)
        clean = torch.cat([x] * steps)
        ends = torch.cat([between[1][-n:]] * steps), torch.cat([expected[:n]] * steps)
        slips = {"direction": [*between, expected, *ends], "shape": [*pooled(clean), x.repeat_interleave(steps, 0)]}
        law = "the target is the clean x, however far the walk went"
        require_close(law, target, clean, 1e-6, {k: [w.float() for w in v] for k, v in slips.items()}, given=given)
        if reached.requires_grad and slope(reached.sum(), learned) != 0:
            raise LawBroken("no gradient flows through the walk", "∂x̃/∂draw", "none", "gradient")


def _walked(
    x: Tensor, noise: Tensor, corrupt: Callable, model: Callable
) -> tuple[Tensor, tuple[Tensor, Tensor], dict[str, list[Tensor]]]:
    """x̃ of all steps, one below the other; the states before and after each; and what slips give in the place of "
    "x̃."""

    def walk(walker: Tensor, spoil: Callable, mend: Callable, order: Tensor = noise) -> tuple[Tensor, ...]:
        rows: list[tuple[Tensor, Tensor, Tensor]] = []
        for u, v in order:
            spoilt = spoil(walker, u)
            rows.append((spoilt, walker, mend(spoilt, v)))
            walker = rows[-1][2]
        return tuple(torch.cat(part).detach().double() for part in zip(*rows, strict=True))

    reached, before, after = walk(x, corrupt, model)
    late, n = walk(model(x, noise[0, 1]), corrupt, model), len(x)
    orders = [noise[:1].expand_as(noise), noise.flip(1), noise.flip(0), *(noise[:, [k, k]] for k in (0, 1))]
    slips = {
        "dependence": [torch.cat([corrupt(x, u) for u, _ in noise]), torch.cat([reached[:n]] * len(noise))]
        + [_drawn_unspoilt(x, noise, corrupt, model)],
        "direction": [walk(x, corrupt, lambda y, _: y)[0], walk(x, lambda y, _: y, model)[0], before],
        "constant": [after, late[0], late[2], torch.cat([reached[-n:]] * len(noise))],
        "randomness": [walk(x, corrupt, model, order)[0] for order in orders]
        + [walk(x, corrupt, lambda y, v: model(y, 0 * v))[0]],
        "shape": [reached.view(len(noise), n, -1).flip(0).reshape(reached.shape)],
    }
    if len(noise) == 1:
        del slips["dependence"], slips["shape"]
    return reached, (before, after), {cause: [way.double() for way in ways] for cause, ways in slips.items()}


def _drawn_unspoilt(x: Tensor, noise: Tensor, corrupt: Callable, model: Callable) -> Tensor:
    """x̃ of all steps where the model draws from the state itself, and not from what was spoilt."""
    rows = []
    for u, v in noise:
        rows.append(corrupt(x, u))
        x = model(x, v)
    return torch.cat(rows).detach()


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

    The kernel is exp(−‖a − b‖²/2ℓ²), ℓ the median distance between two different rows of both samples, and the mean is
    over pairs of different rows. Under equal laws p ≤ α has the probability α or less. Gretton et al. 2012, lemma 6.
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
        raise LawBroken("MMD² is one that shuffled labels give", f"{value:.4g}", f"at most {limit:.2g}", cause)
