"""Answers to the exercises of lesson 03.3, right and wrong."""

import math
from fractions import Fraction

import numpy as np
import torch


def step_by_precision(x, noise, draw, sigma, variance):
    """Precisions add; the mean weighs x̃ by that of the noise."""
    precision = 1 / variance + 1 / sigma**2
    spoilt = x + sigma * noise
    return spoilt / sigma**2 / precision + precision**-0.5 * draw


def step_in_words(x, noise, draw, sigma, variance):
    gain = 1 / (1 + sigma**2 / variance)
    return torch.add(gain * torch.add(x, noise, alpha=sigma), draw, alpha=math.sqrt(variance * (1 - gain)))


def step_by_loop(x, noise, draw, sigma, variance):
    out = torch.zeros(x.shape)
    for i in range(len(x)):
        spoilt = x[i] + sigma * noise[i]
        out[i] = variance * spoilt / (variance + sigma**2)
        out[i] += (variance * sigma**2 / (variance + sigma**2)) ** 0.5 * draw[i]
    return out


def step_by_covariance(x, noise, draw, sigma, variance):
    """x given x̃, from the covariance of both."""
    both = np.array([[variance, variance], [variance, variance + sigma**2]])
    slope = both[0, 1] / both[1, 1]
    return slope * (x + sigma * noise) + (both[0, 0] - slope * both[0, 1]) ** 0.5 * draw


def gain(sigma, variance):
    return variance / (variance + sigma**2)


def matrix_by_loops(prior, corruption):
    n = len(prior)
    T = [[0.0] * n for _ in range(n)]
    for x in range(n):
        for s in range(n):
            total = sum(float(prior[y] * corruption[y, s]) for y in range(n))
            for y in range(n):
                T[x][y] += float(corruption[x, s] * prior[y] * corruption[y, s]) / total
    return T


def matrix_by_einsum(prior, corruption):
    joint = torch.einsum("x,xs->xs", prior, corruption)
    return torch.einsum("xs,ys->xy", corruption, joint / joint.sum(0, keepdim=True))


def matrix_in_numpy(prior, corruption):
    p, C = prior.numpy(), corruption.numpy()
    return C @ ((p[:, None] * C) / (p @ C)).T


def matrix_by_balance(prior, corruption):
    """T = C diag(1/q) Cᵀ diag(p), q = p C."""
    return corruption @ torch.diag(1 / (prior @ corruption)) @ corruption.T @ torch.diag(prior)


def matrix_by_logarithms(prior, corruption):
    posterior = torch.distributions.Categorical(logits=(prior.log()[:, None] + corruption.log()).T)
    return corruption.float() @ posterior.probs.float()


def without_draw(prior, corruption):
    best = (prior[:, None] * corruption).argmax(0)
    return corruption @ torch.eye(len(prior)).double()[best]


def over_x(prior, corruption):
    P = (prior[:, None] * corruption).T
    return corruption @ torch.nan_to_num(P / P.sum(0))


def pairs_by_stack(x, noise, corrupt, draw):
    walker, spoilt = x, []
    with torch.no_grad():
        for step in range(noise.shape[0]):
            spoilt.append(corrupt(walker, noise[step][0]))
            walker = draw(spoilt[-1], noise[step][1])
    return torch.stack(spoilt).flatten(0, 1), torch.stack([x] * len(spoilt)).flatten(0, 1)


def pairs_as_list(x, noise, corrupt, draw):
    walker, spoilt, targets = x, [], []
    for u, v in noise:
        s = corrupt(walker, u).detach()
        spoilt += list(s)
        targets += list(x)
        walker = draw(s, v).detach()
    return [torch.stack(spoilt), torch.stack(targets)]


def pairs_by_recursion(x, noise, corrupt, draw):
    def walk(walker, left):
        if not len(left):
            return []
        spoilt = corrupt(walker.detach(), left[0, 0])
        return [spoilt, *walk(draw(spoilt, left[0, 1]), left[1:])]

    spoilt = walk(x, noise)
    return torch.cat(spoilt), torch.cat([x for _ in spoilt])


def pairs_by_accumulation(x, noise, corrupt, draw):
    import itertools

    with torch.inference_mode():
        walkers = itertools.accumulate(noise[:-1], lambda walker, uv: draw(corrupt(walker, uv[0]), uv[1]), initial=x)
        spoilt = [corrupt(walker, u) for walker, (u, _) in zip(walkers, noise, strict=True)]
        return torch.stack([torch.cat(spoilt), x.tile(len(noise), *[1] * (x.dim() - 1))])


def pairs_by_rows(x, noise, corrupt, draw):
    """Each walker by itself, into NumPy."""
    parts = [pairs_by_stack(x[i : i + 1], noise[:, :, i : i + 1], corrupt, draw) for i in range(len(x))]
    return tuple(torch.stack(part, 1).flatten(0, 1).numpy() for part in zip(*parts, strict=True))


def walked(spoil=lambda c, w, u: c(w, u), go=lambda d, w, s, v: d(s, v), end=lambda x, w, s: x):
    """A walk with one slip: what is spoilt, what the model draws from, what the target is."""

    def answer(x, noise, corrupt, draw):
        walker, spoilt = x, []
        for u, v in noise:
            spoilt.append(spoil(corrupt, walker, u).detach())
            walker = go(draw, walker, spoilt[-1], v).detach()
        return torch.cat(spoilt), torch.cat([end(x, walker, spoilt)] * len(spoilt))

    return answer


def pairs_example_first(x, noise, corrupt, draw):
    spoilt, target = (part.unflatten(0, (len(noise), len(x))) for part in pairs_by_stack(x, noise, corrupt, draw))
    return spoilt.transpose(0, 1).flatten(0, 1), target.transpose(0, 1).flatten(0, 1)


def back_one_step(x, noise, corrupt, draw):
    walker, spoilt, targets = x, [], []
    for u, v in noise:
        spoilt.append(corrupt(walker, u).detach())
        targets.append(walker)
        walker = draw(spoilt[-1], v).detach()
    return torch.cat(spoilt), torch.cat(targets)


def never_denoised(x, noise, corrupt, draw):
    walker, spoilt = x, []
    for u, _ in noise:
        walker = corrupt(walker, u)
        spoilt.append(walker)
    return torch.cat(spoilt), torch.cat([x] * len(noise))


def last_step(x, noise, corrupt, draw):
    spoilt, target = pairs_by_stack(x, noise, corrupt, draw)
    return spoilt[-len(x) :], target[-len(x) :]


def attached(x, noise, corrupt, draw):
    walker, spoilt = x, []
    for u, v in noise:
        spoilt.append(corrupt(walker, u))
        walker = draw(spoilt[-1], v)
    return torch.cat(spoilt), torch.cat([x] * len(noise))


RIGHT = {
    "autoencoders.gsn_step": {
        "precisions": step_by_precision,
        "words": step_in_words,
        "a loop": step_by_loop,
        "covariances": step_by_covariance,
        "vmap": torch.vmap(step_by_precision, in_dims=(0, 0, 0, None, None)),
        "NumPy": lambda x, noise, draw, sigma, variance: step_by_precision(
            *(part.numpy() for part in (x, noise, draw)), sigma, variance
        ),
    },
    "autoencoders.transition_matrix": {
        "loops": matrix_by_loops,
        "einsum": matrix_by_einsum,
        "NumPy": matrix_in_numpy,
        "balance": matrix_by_balance,
        "logarithms, float32": matrix_by_logarithms,
    },
    "autoencoders.relaxation": {
        "ln of a square": lambda eigenvalue: -2 / math.log(eigenvalue**2),
        "another base": lambda eigenvalue: -math.log10(math.e) / math.log10(abs(eigenvalue)),
        "NumPy": lambda eigenvalue: -1 / np.log(np.abs(eigenvalue)),
        "a tensor": lambda eigenvalue: -1 / torch.tensor([eigenvalue]).abs().log(),
    },
    "autoencoders.walkback_pairs": {
        "a stack": pairs_by_stack,
        "a list": pairs_as_list,
        "recursion": pairs_by_recursion,
        "accumulated, one tensor": pairs_by_accumulation,
        "row by row, NumPy": pairs_by_rows,
    },
    "autoencoders.mean_chain_variance": {
        "number": 81 / 19,
        "a fraction": Fraction(81, 19),
        "two digits": 4.3,
        "drawn": 4.24,
        "drawn, three standard errors off": 4.205,
        "a tensor": torch.tensor(4.263),
    },
}
WRONG = {
    "autoencoders.gsn_step": {
        "the mean": (lambda x, u, v, s, t: gain(s, t) * (x + s * u), "constant"),
        "noise last": (lambda x, u, v, s, t: gain(s, t) * x + s * u, "direction"),
        "noise last, too": (lambda x, u, v, s, t: step_in_words(x, u, v, s, t) + s * u, "direction"),
        "one noise": (lambda x, u, v, s, t: step_in_words(x, u, u, s, t), "randomness"),
        "exchanged": (lambda x, u, v, s, t: step_in_words(x, v, u, s, t), "randomness"),
        "own noise": (lambda x, u, v, s, t: step_in_words(x, torch.randn_like(x), v, s, t), "randomness"),
        "a for its root": (lambda x, u, v, s, t: gain(s, t) * (x + s * u + s * v), "spread"),
        "variance for spread": (lambda x, u, v, s, t: gain(s, t) * (x + s * u) + gain(s, t) * s**2 * v, "spread"),
        "σ² noise": (lambda x, u, v, s, t: gain(s, t) * (x + s**2 * u) + (gain(s, t)) ** 0.5 * s * v, "spread"),
        "variance 1": (lambda x, u, v, s, t: step_in_words(x, u, v, s, 1.0), "one-to-one"),
        "not shrunk": (lambda x, u, v, s, t: x + s * u + s * v, "one-to-one"),
        "not spoilt": (lambda x, u, v, s, t: step_in_words(x, 0 * u, v, s, t), "dependence"),
        "the prior": (lambda x, u, v, s, t: t**0.5 * v, "dependence"),
        "shares exchanged": (
            lambda x, u, v, s, t: (1 - gain(s, t)) * (x + s * u) + gain(s, t) ** 0.5 * s * v,
            "direction",
        ),
        "variance for deviation": (lambda x, u, v, s, t: step_in_words(x, u, v, s, t**2), "one-to-one"),
        "√(1 − a)": (lambda x, u, v, s, t: gain(s, t) * (x + s * u) + (1 - gain(s, t)) ** 0.5 * v, "one-to-one"),
        "√(1 − a²)": (lambda x, u, v, s, t: gain(s, t) * (x + s * u) + (1 - gain(s, t) ** 2) ** 0.5 * v, "spread"),
        "σ for σ²": (lambda x, u, v, s, t: step_in_words(x, u, v, s**0.5, t), "spread"),
        "√a twice": (lambda x, u, v, s, t: gain(s, t) ** 0.5 * (x + s * u + s * v), "spread"),
        "nothing": (lambda x, u, v, s, t: x, "dependence"),
        "one row": (lambda x, u, v, s, t: step_in_words(x, u, v, s, t)[0], "shape"),
    },
    "autoencoders.transition_matrix": {
        "sums over s": (over_x, "direction"),
        "P C": (lambda p, C: matrix_by_einsum(p, C) * 0 + ((p[:, None] * C) / (p @ C)).T @ C, "direction"),
        "columns": (lambda p, C: matrix_by_einsum(p, C).T, "direction"),
        "no prior": (lambda p, C: matrix_by_einsum(0 * p + 1, C), "constant"),
        "C twice": (lambda p, C: C @ C, "one-to-one"),
        "C and back": (lambda p, C: C @ C.T, "constant"),
        "not normalised": (lambda p, C: C @ (p[:, None] * C).T, "constant"),
        "the likeliest": (without_draw, "randomness"),
        "P alone": (lambda p, C: ((p[:, None] * C) / (p @ C)).T, "dependence"),
        "p for every row": (lambda p, C: p.repeat(len(p), 1), "dependence"),
        "over the wrong sum": (lambda p, C: C @ ((p[:, None] * C) / (C @ p)[:, None]).T, "constant"),
        "rows made to sum to 1": (
            lambda p, C: torch.nn.functional.normalize(C @ (p[:, None] * C).T, p=1, dim=1),
            "constant",
        ),
        "from p": (lambda p, C: p[:, None] * matrix_by_einsum(p, C), "constant"),
        "P, turned": (lambda p, C: (p[:, None] * C) / (p @ C), "dependence"),
        "p and C": (lambda p, C: C * p, "dependence"),
        "p on the columns": (lambda p, C: C @ ((p * C).T / (p * C).T.sum(1, keepdim=True)), "not-finite"),
        "p T": (lambda p, C: p @ matrix_by_einsum(p, C), "shape"),
    },
    "autoencoders.relaxation": {
        "one over the gap": (lambda eigenvalue: 1 / (1 - abs(eigenvalue)), "constant"),
        "autocorrelation": (lambda eigenvalue: (1 + eigenvalue) / (1 - eigenvalue), "constant"),
        "below 0": (lambda eigenvalue: 1 / math.log(abs(eigenvalue)), "sign"),
        "to a half": (lambda eigenvalue: math.log(0.5, abs(eigenvalue)), "log-mean"),
        "the rate": (lambda eigenvalue: -math.log(abs(eigenvalue)), "direction"),
        "whole": (lambda eigenvalue: math.ceil(-1 / math.log(abs(eigenvalue))), "reduction"),
        "no absolute value": (lambda eigenvalue: -1 / math.log(eigenvalue), None),
        "no absolute value, complex": (lambda eigenvalue: -1 / np.log(complex(eigenvalue)), "complex"),
        "to 1 %": (lambda eigenvalue: math.log(0.01) / math.log(abs(eigenvalue)), "log-mean"),
        "two digits": (lambda eigenvalue: round(-1 / math.log(abs(eigenvalue)), 2), "reduction"),
        "the logarithm": (lambda eigenvalue: math.log(abs(eigenvalue)), "sign"),
        "printed": (lambda eigenvalue: None, "container"),
        "no absolute value, torch": (lambda eigenvalue: -1 / torch.tensor(eigenvalue).log(), "not-finite"),
    },
    "autoencoders.walkback_pairs": {
        "back one step": (back_one_step, "direction"),
        "never denoised": (never_denoised, "direction"),
        "example first": (pairs_example_first, ""),
        "the last step": (last_step, "shape"),
        "attached": (attached, "gradient"),
        "always from x": (
            lambda x, noise, c, d: (
                torch.cat([c(x, u) for u in noise[:, 0]]),
                x.repeat(len(noise), *[1] * (x.dim() - 1)),
            ),
            "dependence",
        ),
        "the first step's noise": (
            lambda x, noise, c, d: pairs_by_stack(x, noise[[0] * len(noise)], c, d),
            "randomness",
        ),
        "u and v exchanged": (lambda x, noise, c, d: pairs_by_stack(x, noise.flip(1), c, d), "randomness"),
        "own noise": (walked(spoil=lambda c, w, u: c(w, torch.randn_like(u))), "randomness"),
        "the mean": (walked(go=lambda d, w, s, v: d(s, 0 * v)), "randomness"),
        "steps reversed": (lambda x, noise, c, d: pairs_by_stack(x, noise.flip(0), c, d), "randomness"),
        "u twice": (lambda x, noise, c, d: pairs_by_stack(x, noise[:, [0, 0]], c, d), "randomness"),
        "drawn from the walker": (walked(go=lambda d, w, s, v: d(w, v)), "dependence"),
        "where the walk ended": (walked(end=lambda x, w, s: w), "direction"),
        "the first spoilt": (walked(end=lambda x, w, s: s[0]), "direction"),
        "targets interleaved": (
            lambda x, noise, c, d: (pairs_by_stack(x, noise, c, d)[0], x.repeat_interleave(len(noise), 0)),
            "shape",
        ),
        "a list of pairs": (lambda x, noise, c, d: [(c(x, u), x) for u, _ in noise], "container"),
        "target first": (lambda x, noise, c, d: pairs_by_stack(x, noise, c, d)[::-1], ""),
        "spoilt alone": (lambda x, noise, c, d: pairs_by_stack(x, noise, c, d)[0], "container"),
    },
    "autoencoders.mean_chain_variance": {
        "as the draw": (9, "constant"),
        "to a point": (0, "sign"),
        "the gain": (0.9, "dependence"),
        "after one step": (8.1, "dependence"),
        "data of variance 1": (0.333, "one-to-one"),
        "data of variance 1, stretched": (3, "one-to-one"),
        "a root": (2.06, "spread"),
        "of x̃": (5.26, "direction"),
        "in units of τ²": (0.474, "one-to-one"),
        "σ for τ": (0.091, "one-to-one"),
        "a guess": (5, ""),
        "a text": ("small", "container"),
    },
}
