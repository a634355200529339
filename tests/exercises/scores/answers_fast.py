"""Answers to the exercises of lesson 07.6, right and wrong."""

import math

import numpy as np
import torch


def scales(sigma, lowest, spread):
    past = sigma - lowest
    return 1 / (1 + (past / spread) ** 2), past / (1 + (sigma / spread) ** 2) ** 0.5


def scales_by_loop(sigma, lowest, spread):
    pairs = [scales(level.item(), lowest, spread) for level in sigma]
    return [p[0] for p in pairs], [p[1] for p in pairs]


def scales_in_numpy(sigma, lowest, spread):
    sigma = sigma.numpy()
    return np.reciprocal(1 + np.square((sigma - lowest) / spread)), spread * (sigma - lowest) / np.hypot(spread, sigma)


def change_scales(skip=None, out=None):
    def answer(sigma, lowest, spread):
        first, second = scales(sigma, lowest, spread)
        return (skip(sigma, lowest, spread) if skip else first), (out(sigma, lowest, spread) if out else second)

    return answer


def wide(level, x):
    return torch.as_tensor(level, dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 1))


def slope(denoise, x, level):
    return (x - denoise(x, level)) / wide(level, x)


def heun(denoise, noised, sigma, lower):
    h, first = wide(lower, noised) - wide(sigma, noised), slope(denoise, noised, sigma)
    return noised + h / 2 * (first + slope(denoise, noised + h * first, lower))


def heun_by_means(denoise, noised, sigma, lower):
    """Euler's point, and the point that the second slope leads to: half way."""
    h = wide(lower, noised) - wide(sigma, noised)
    ahead = noised + h * slope(denoise, noised, sigma)
    return 0.5 * (ahead + noised + h * slope(denoise, ahead, lower))


def heun_by_rows(denoise, noised, sigma, lower):
    rows = []
    for k, x in enumerate(noised):
        s, low = (float(torch.as_tensor(level).expand(len(noised))[k]) for level in (sigma, lower))
        rows.append(heun(denoise, x[None], s, low)[0])
    return torch.stack(rows)


def heun_by_euler(denoise, noised, sigma, lower):
    share = wide(lower, noised) / wide(sigma, noised)
    ahead = torch.lerp(denoise(noised, sigma), noised, share)
    second = (ahead - denoise(ahead, lower)) / share
    return ahead / 2 + (noised + (share - 1) * second) / 2


def euler(denoise, noised, sigma, lower):
    return noised + (wide(lower, noised) - wide(sigma, noised)) * slope(denoise, noised, sigma)


def midpoint(denoise, noised, sigma, lower):
    middle = (wide(sigma, noised) + wide(lower, noised)).flatten() / 2
    half = noised + (wide(lower, noised) - wide(sigma, noised)) / 2 * slope(denoise, noised, sigma)
    return noised + (wide(lower, noised) - wide(sigma, noised)) * slope(denoise, half, middle)


def heun_of(change):
    def answer(denoise, noised, sigma, lower):
        h, first = wide(lower, noised) - wide(sigma, noised), slope(denoise, noised, sigma)
        return noised + change(h, first, slope(denoise, noised + h * first, lower), slope(denoise, noised, lower))

    return answer


def errors(f, noised, sigma, nearer, lower):
    target = f(nearer, lower).detach()
    return (f(noised, sigma) - target).pow(2).flatten(1).sum(-1)


def errors_without_gradient(f, noised, sigma, nearer, lower):
    with torch.no_grad():
        target = f(nearer, lower)
    return torch.nn.functional.mse_loss(f(noised, sigma), target, reduction="none").sum(dim=(1, 2))


def errors_by_loop(f, noised, sigma, nearer, lower):
    ours, target = f(noised, sigma), f(nearer, lower).data
    return torch.stack([torch.linalg.vector_norm(a - b) ** 2 for a, b in zip(ours, target, strict=True)])


def change_errors(change, still=True):
    def answer(f, noised, sigma, nearer, lower):
        target = f(nearer, lower)
        return change((f(noised, sigma) - (target.detach() if still else target)).flatten(1))

    return answer


def ours_still(f, noised, sigma, nearer, lower):
    return (f(noised, sigma).detach() - f(nearer, lower)).flatten(1).square().sum(1)


def weighed(f, noised, sigma, nearer, lower):
    return errors(f, noised, sigma, nearer, lower) / (torch.as_tensor(sigma) - lower)


def levels_exchanged(f, noised, sigma, nearer, lower):
    return errors(f, noised, lower, nearer, sigma)


def fresh(x, rng):
    return torch.randn(x.shape, generator=rng, dtype=x.dtype)


def jumps(f, noised, sigmas, lowest, rng, size=lambda s, low: (s**2 - low**2) ** 0.5):
    x = f(noised, sigmas[0])
    for sigma in sigmas[1:]:
        x = f(x + size(sigma, lowest) * fresh(x, rng), sigma)
    return x


def jumps_of_numbers(f, noised, sigmas, lowest, rng):
    first, *others = sigmas.tolist()
    x = f(noised, first)
    for sigma in others:
        x = x + math.sqrt((sigma - lowest) * (sigma + lowest)) * fresh(x, rng)
        x = f(x, sigma)
    return x


def jumps_recursive(f, noised, sigmas, lowest, rng):
    x = f(noised, sigmas[0])
    if len(sigmas) == 1:
        return x
    again = x + (sigmas[1].square() - lowest**2).sqrt() * fresh(x, rng)
    return jumps_recursive(f, again, sigmas[1:], lowest, rng)


def jumps_with_one_call(f, noised, sigmas, lowest, rng):
    clean = noised
    for k, sigma in enumerate(sigmas):
        if k:
            noised = clean + (sigma**2 - lowest**2) ** 0.5 * torch.empty_like(clean).normal_(generator=rng)
        clean = f(noised, sigma)
    return clean


def same_noise(f, noised, sigmas, lowest, rng):
    noise, x = fresh(noised, rng), f(noised, sigmas[0])
    for sigma in sigmas[1:]:
        x = f(x + (sigma**2 - lowest**2) ** 0.5 * noise, sigma)
    return x


def old_noise(f, noised, sigmas, lowest, rng):
    """The noise that f took off, put on again: a path, and no new draw."""
    x, before = f(noised, sigmas[0]), noised
    for above, sigma in zip(sigmas, sigmas[1:], strict=False):
        before = x + sigma / above * (before - x)
        x = f(before, sigma)
    return x


def one_noise(f, noised, sigmas, lowest, rng):
    """The same for all samples."""
    x = f(noised, sigmas[0])
    for sigma in sigmas[1:]:
        x = f(x + (sigma**2 - lowest**2) ** 0.5 * fresh(x[:1], rng), sigma)
    return x


def noise_at_the_end(f, noised, sigmas, lowest, rng):
    x = jumps(f, noised, sigmas, lowest, rng)
    return x + lowest * fresh(x, rng)


def own_generator(f, noised, sigmas, lowest, rng):
    return jumps(f, noised, sigmas, lowest, None)


RIGHT = {
    "scores.consistency_scales": {
        "ratios": scales,
        "lists": scales_by_loop,
        "NumPy": scales_in_numpy,
        "as written": lambda s, low, v: (v**2 / ((s - low) ** 2 + v**2), v * (s - low) / (v**2 + s**2) ** 0.5),
        "hypot": lambda s, low, v: (
            (v / torch.hypot(s - low, torch.full_like(s, v))) ** 2,
            v * (s - low) / torch.hypot(s, torch.full_like(s, v)),
        ),
    },
    "scores.heun_step": {
        "two slopes": heun,
        "half way": heun_by_means,
        "row by row": heun_by_rows,
        "after Euler": heun_by_euler,
        "float64": lambda denoise, x, *levels: heun(denoise, x.double(), *levels),
    },
    "scores.consistency_errors": {
        "detached": errors,
        "no_grad": errors_without_gradient,
        "a loop": errors_by_loop,
        "einsum": change_errors(lambda gap: torch.einsum("bd,bd->b", gap, gap)),
    },
    "scores.jump": {
        "a loop": jumps,
        "numbers": jumps_of_numbers,
        "recursion": jumps_recursive,
        "one call": jumps_with_one_call,
    },
    "scores.width_of_one_jump": {
        "a formula": 0.2 * math.sqrt(10),
        "a root": math.sqrt(0.4),
        "measured": 0.63,
        "a tensor": torch.tensor([0.6325]),
        "NumPy": np.float32(0.632),
    },
}
WRONG = {
    "scores.consistency_scales": {
        "σ_min left out": (lambda s, low, v: scales(s, 0.0, v), "constant"),
        "out without σ_min": (change_scales(out=lambda s, low, v: v * s / (v**2 + s**2) ** 0.5), "constant"),
        "spread 1": (lambda s, low, v: scales(s, low, 1.0), "constant"),
        "a root": (change_scales(skip=lambda s, low, v: v / (v**2 + (s - low) ** 2) ** 0.5), "spread"),
        "v for v²": (change_scales(skip=lambda s, low, v: v / (v + (s - low) ** 2)), "spread"),
        "no root": (change_scales(out=lambda s, low, v: v * (s - low) / (v**2 + s**2)), "spread"),
        "past in the root": (
            change_scales(out=lambda s, low, v: v * (s - low) / (v**2 + (s - low) ** 2) ** 0.5),
            "spread",
        ),
        "squared first": (change_scales(skip=lambda s, low, v: v**2 / (v**2 + s**2 - low**2)), "direction"),
        "no squares": (change_scales(skip=lambda s, low, v: v / (v + s - low)), "spread"),
        "no spread": (change_scales(out=lambda s, low, v: (s - low) / (v**2 + s**2) ** 0.5), "constant"),
        "minus": (change_scales(out=lambda s, low, v: v * (low - s) / (v**2 + s**2) ** 0.5), "sign"),
        "exchanged": (lambda *a: scales(*a)[::-1], ""),
        "skip alone": (lambda *a: scales(*a)[0][None], "container"),
        "one level": (lambda *a: tuple(part[0] for part in scales(*a)), "shape"),
    },
    "scores.heun_step": {
        "Euler": (euler, "spread"),
        "midpoint": (midpoint, ""),
        "second slope alone": (heun_of(lambda h, first, second, still: h * second), "dependence"),
        "second at the start": (heun_of(lambda h, first, second, still: h / 2 * (first + still)), "constant"),
        "½ forgotten": (heun_of(lambda h, first, second, still: h * (first + second)), "constant"),
        "upwards": (heun_of(lambda h, first, second, still: -h / 2 * (first + second)), "sign"),
        "half the step": (heun_of(lambda h, first, second, still: h / 4 * (first + second)), ""),
        "the level's σ below both": (
            lambda denoise, x, s, low: (
                x
                + (wide(low, x) - wide(s, x))
                / 2
                * (
                    slope(denoise, x, s)
                    + (euler(denoise, x, s, low) - denoise(euler(denoise, x, s, low), low)) / wide(s, x)
                )
            ),
            "direction",
        ),
        "the level above told": (
            lambda denoise, x, s, low: heun(lambda at, level: denoise(at, s), x, s, low),
            "direction",
        ),
        "one row": (lambda *a: heun(*a)[:1].expand_as(a[1]), "shape"),
        "a number": (lambda *a: heun(*a).mean(), "shape"),
    },
    "scores.consistency_errors": {
        "moving": (change_errors(lambda gap: gap.square().sum(1), still=False), "gradient"),
        "cut": (lambda *a: errors(*a).detach(), "gradient"),
        "ours still": (ours_still, "gradient"),
        "levels exchanged": (levels_exchanged, "direction"),
        "a mean": (change_errors(lambda gap: gap.square().mean(1)), "reduction"),
        "one level for both": (lambda f, x, s, y, low: errors(f, x, s, y, s), "direction"),
        "a mean over one axis": (
            lambda f, x, s, y, low: (f(x, s) - f(y, low).detach()).square().sum(-1).mean(1),
            "reduction",
        ),
        "all rows": (change_errors(lambda gap: gap.square().sum()), "shape"),
        "a norm": (change_errors(lambda gap: gap.norm(dim=1)), "spread"),
        "sizes": (change_errors(lambda gap: gap.abs().sum(1)), "spread"),
        "half": (change_errors(lambda gap: gap.square().sum(1) / 2), "constant"),
        "weighed": (weighed, "constant"),
        "squares apart": (
            lambda f, x, s, y, low: (f(x, s).flatten(1) ** 2 - f(y, low).flatten(1) ** 2).sum(1),
            "",
        ),
        "entries": (change_errors(lambda gap: gap.square()), "shape"),
    },
    "scores.jump": {
        "σ": (lambda *a: jumps(*a, size=lambda s, low: s), "spread"),
        "a difference": (lambda *a: jumps(*a, size=lambda s, low: s - low), "spread"),
        "no root": (lambda *a: jumps(*a, size=lambda s, low: s**2 - low**2), "spread"),
        "σ² + l²": (lambda *a: jumps(*a, size=lambda s, low: (s**2 + low**2) ** 0.5), "spread"),
        "one noise": (one_noise, "randomness"),
        "unit noise": (lambda *a: jumps(*a, size=lambda s, low: 1.0), "constant"),
        "the same noise": (same_noise, "randomness"),
        "no new noise": (old_noise, "randomness"),
        "noise at the end": (noise_at_the_end, "randomness"),
        "own generator": (own_generator, "randomness"),
        "one jump": (lambda f, x, sigmas, *a: jumps(f, x, sigmas[:1], *a), ""),
        "upwards": (lambda f, x, sigmas, *a: jumps(f, x, sigmas.flip(0), *a), ""),
        "from zero": (lambda f, x, *a: jumps(f, 0 * x, *a), "dependence"),
        "one sample": (lambda *a: jumps(*a)[:1], "shape"),
    },
    "scores.width_of_one_jump": {
        "the data's": (1, "dependence"),
        "a variance": (0.4, "spread"),
        "one step": (0.316, "one-to-one"),
        "the last factor": (0.4 * math.sqrt(10), "one-to-one"),
        "noise alone": (0.6, "constant"),
        "the factor": (0.2, "constant"),
        "jumped again": (0.592, "direction"),
        "a guess": (0.75, ""),
        "a text": ("narrow", "container"),
    },
}
