"""The laws of walks along a score pass right answers and catch each planted bug."""

import math

import torch
from torch.distributions import MultivariateNormal

from gmcourse.laws.scores import walking


def step(x, score, step, noise):
    return torch.add(x, score, alpha=step) + noise * (2 * step) ** 0.5


def settled(variance, step):
    return 2 * step / (1 - (1 - step / variance) ** 2)


def proposal(end, start, score, step, spread=2.0):
    eye = torch.eye(end.shape[1])
    return MultivariateNormal(start + step * score, spread * step * eye).log_prob(end)


def ratio(x, moved, log_p, score, step, spread=2.0):
    back, there = proposal(x, moved, score[1], step, spread), proposal(moved, x, score[0], step, spread)
    return log_p[1] + back - log_p[0] - there


def one_way(x, moved, log_p, score, step):
    return log_p[1] - log_p[0] - proposal(moved, x, score[0], step)


def exchanged(x, moved, log_p, score, step):
    return log_p[1] - log_p[0] + proposal(moved, x, score[1], step) - proposal(x, moved, score[0], step)


def corrected(x, log_p, score, step, noise, u, ratio=None, less=torch.lt):
    here = score(x)
    moved = x + step * here + math.sqrt(2 * step) * noise
    there = score(moved)

    def q(end, start, drift):
        return -((end - start - step * drift) ** 2).sum(1) / (4 * step)

    log_ratio = log_p(moved) + q(x, moved, there) - log_p(x) - q(moved, x, here)
    if ratio is not None:
        log_ratio = ratio(log_p(moved) - log_p(x), q(x, moved, there), q(moved, x, here))
    taken = less(u, log_ratio.exp())
    return torch.where(taken[:, None], moved, x), taken


def corrected_small(x, log_p, score, step, noise, u):
    return corrected(x, log_p, score, step, noise / math.sqrt(2), u)


def says_the_opposite(*inputs):
    moved, taken = corrected(*inputs)
    return moved, ~taken


def relaxation(log_p, dx, factor=1.0):
    """By the eigenvalues of the jumps themselves, which are not symmetric."""
    up, down = ((log_p[1:] - log_p[:-1]) / 2).exp(), ((log_p[:-1] - log_p[1:]) / 2).exp()
    jumps = (up.diag(1) + down.diag(-1)) / dx**2
    rates = torch.linalg.eigvals(jumps - jumps.sum(1).diag()).real.sort(descending=True).values
    return -factor / rates[1].item()


def nearest_gaussian(log_p, dx):
    places, weights = dx * torch.arange(len(log_p)).double(), log_p.softmax(0)
    return (weights @ (places - weights @ places) ** 2).item()


def annealed(score, x, sigmas, steps, relative, rng, size=2.0, power=2, draws=None, ask=lambda levels, k: levels[k]):
    for k in range(len(sigmas)):
        for _ in range(steps):
            eta = relative * sigmas[k] ** power
            noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
            noise = noise if draws is None else draws(noise)
            x = x + eta * score(x, ask(sigmas, k)) + (size * eta) ** 0.5 * noise
    return x


def same_noise(score, x, sigmas, steps, relative, rng):
    noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
    return annealed(score, x, sigmas, steps, relative, rng, draws=lambda _: noise)


def noise_after_all(score, x, sigmas, steps, relative, rng):
    x = annealed(score, x, sigmas, steps, relative, rng)
    return x + sigmas[-1] * torch.randn(x.shape, generator=rng, dtype=x.dtype)


RIGHT = {
    walking.step_follows_the_score: [step, lambda x, s, h, noise: x + h * (s + (2 / h) ** 0.5 * noise)],
    walking.variance_is_where_it_settles: [settled, lambda v, h: 2 * v**2 / (2 * v - h)],
    walking.ratio_weighs_both_ways: [ratio],
    walking.correction_keeps_its_law: [corrected, lambda *a: corrected(*a, less=torch.le)],
    walking.relaxation_is_the_slowest: [relaxation],
    walking.annealing_goes_down: [annealed],
}

BUGS = {
    walking.step_follows_the_score: {
        "√η": (lambda x, s, h, noise: x + h * s + h**0.5 * noise, "spread"),
        "2η": (lambda x, s, h, noise: x + h * s + 2 * h * noise, "spread"),
        "downhill": (lambda x, s, h, noise: x - h * s + (2 * h) ** 0.5 * noise, "sign"),
        "half of both": (lambda x, s, h, noise: x + h / 2 * s + h**0.5 * noise, "constant"),
        "without noise": (lambda x, s, h, noise: x + h * s, "constant"),
        "the move alone": (lambda x, s, h, noise: h * s + (2 * h) ** 0.5 * noise, "constant"),
        "one noise": (lambda x, s, h, noise: x + h * s + (2 * h) ** 0.5 * noise[:1], "randomness"),
        "its own noise": (lambda x, s, h, noise: step(x, s, h, torch.randn_like(x)), "randomness"),
        "in place": (lambda x, s, h, noise: step(x.add_(0.1), s, h, noise), "mutation"),
    },
    walking.variance_is_where_it_settles: {
        "no bias": (lambda v, h: v, "constant"),
        "first order": (lambda v, h: v * (1 + h / (2 * v)), "log-mean"),
        "√η": (lambda v, h: v / (2 - h / v), "spread"),
        "a deviation": (lambda v, h: settled(v, h) ** 0.5, "spread"),
        "less, not more": (lambda v, h: v / (1 + h / (2 * v)), "sign"),
        "v left out": (lambda v, h: v / (1 - h / 2), "spread"),
    },
    walking.ratio_weighs_both_ways: {
        "forward only": (one_way, "constant"),
        "Metropolis": (lambda x, moved, log_p, score, step: log_p[1] - log_p[0], "constant"),
        "without p": (lambda x, moved, p, score, step: ratio(x, moved, (0, 0), score, step), "constant"),
        "variance η": (lambda *a: ratio(*a, spread=1.0), "spread"),
        "the other way": (lambda *a: -ratio(*a), "sign"),
        "scores exchanged": (exchanged, "direction"),
        "summed over the batch": (lambda *a: ratio(*a).sum().expand(5), "shape"),
        "a probability": (lambda *a: ratio(*a).exp(), "constant"),
    },
    walking.correction_keeps_its_law: {
        "always": (lambda *a: corrected(*a, ratio=lambda p, back, there: 0 * p), "constant"),
        "never": (lambda *a: corrected(*a, ratio=lambda p, back, there: p - math.inf), "constant"),
        "p alone": (lambda *a: corrected(*a, ratio=lambda p, back, there: p), ""),
        "forward only": (lambda *a: corrected(*a, ratio=lambda p, back, there: p - there), ""),
        "the other way": (lambda *a: corrected(*a, ratio=lambda p, back, there: there - back - p), ""),
        "u exchanged": (lambda *a: corrected(*a, less=torch.gt), ""),
        "√η": (corrected_small, "spread"),
        "the opposite": (says_the_opposite, "direction"),
    },
    walking.relaxation_is_the_slowest: {
        "twice the time": (lambda *a: relaxation(*a, factor=2.0), "spread"),
        "a rate": (lambda *a: 1 / relaxation(*a), "direction"),
        "negative": (lambda *a: -relaxation(*a), "sign"),
        "without dx": (lambda log_p, dx: relaxation(log_p, 1.0), ""),
        "the variance": (nearest_gaussian, ""),
    },
    walking.annealing_goes_down: {
        "√η": (lambda *a: annealed(*a, size=1.0), "spread"),
        "one step for all": (lambda *a: annealed(*a, power=0), "dependence"),
        "upwards": (lambda s, x, levels, *a: annealed(s, x, levels.flip(0), *a), "direction"),
        "the next level's score": (
            lambda *a: annealed(*a, ask=lambda levels, k: levels[min(k + 1, len(levels) - 1)]),
            "",
        ),
        "one step a level": (lambda s, x, levels, steps, *a: annealed(s, x, levels, 1, *a), "constant"),
        "the same noise": (same_noise, "randomness"),
        "one noise for all walkers": (lambda *a: annealed(*a, draws=lambda noise: noise[:1]), "randomness"),
        "no noise": (lambda *a: annealed(*a, draws=torch.zeros_like), "constant"),
        "noise after the last step": (noise_after_all, ""),
        "downhill": (lambda s, x, *a: annealed(lambda at, sigma: -s(at, sigma), x, *a), "sign"),
        "a new start": (lambda s, x, *a: annealed(s, 0 * x, *a), "constant"),
    },
}
