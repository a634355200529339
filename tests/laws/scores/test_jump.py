"""The laws of a consistency model hold and catch each planted bug."""

import torch

from gmcourse.laws.scores import jump


def wide(level, x):
    return torch.as_tensor(level, dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 1))


def scales(sigma, lowest, s):
    return s**2 / ((sigma - lowest) ** 2 + s**2), (sigma - lowest) * s / (s**2 + sigma**2) ** 0.5


def heun(denoise, noised, sigma, lower):
    h = wide(lower, noised) - wide(sigma, noised)
    first = (noised - denoise(noised, sigma)) / wide(sigma, noised)
    ahead = noised + h * first
    second = (ahead - denoise(ahead, lower)) / wide(lower, noised)
    return noised + h * (first + second) / 2


def euler(denoise, noised, sigma, lower):
    return noised + (wide(lower, noised) - wide(sigma, noised)) / wide(sigma, noised) * (
        noised - denoise(noised, sigma)
    )


def slopes_at_the_start(denoise, noised, sigma, lower):
    """Both slopes at the same point."""
    h = wide(lower, noised) - wide(sigma, noised)
    first = (noised - denoise(noised, sigma)) / wide(sigma, noised)
    return noised + h * (first + (noised - denoise(noised, lower)) / wide(lower, noised)) / 2


def errors(f, noised, sigma, nearer, lower, still=True):
    target = f(nearer, lower)
    return (f(noised, sigma) - (target.detach() if still else target)).flatten(1).square().sum(1)


def own_detached(f, noised, sigma, nearer, lower):
    return (f(noised, sigma).detach() - f(nearer, lower)).flatten(1).square().sum(1)


def gap(sigma, lower):
    return torch.as_tensor(sigma) - lower


def jumps(f, noised, sigmas, lowest, rng, noise=lambda s, low: (s**2 - low**2) ** 0.5):
    x = f(noised, sigmas[0])
    for sigma in sigmas[1:]:
        fresh = torch.randn(x.shape, generator=rng, dtype=x.dtype)
        x = f(x + noise(sigma, lowest) * fresh, sigma)
    return x


def one_noise(f, noised, sigmas, lowest, rng):
    x = f(noised, sigmas[0])
    for sigma in sigmas[1:]:
        x = f(x + (sigma**2 - lowest**2) ** 0.5 * noised / noised.std(), sigma)
    return x


def noise_at_the_end(f, noised, sigmas, lowest, rng):
    x = jumps(f, noised, sigmas, lowest, rng)
    return x + lowest * torch.randn(x.shape, generator=rng, dtype=x.dtype)


def walks_on(f, noised, sigmas, lowest, rng):
    """DDIM with f for the denoiser: no fresh noise."""
    x = noised
    for sigma, lower in zip(sigmas, [*sigmas[1:], 0.0]):
        clean = f(x, sigma)
        x = clean + lower / sigma * (x - clean)
    return x


def unseeded(f, noised, sigmas, lowest, rng):
    return jumps(f, noised, sigmas, lowest, None)


def shared_noise(f, noised, sigmas, lowest, rng):
    x = f(noised, sigmas[0])
    for sigma in sigmas[1:]:
        noise = torch.randn(1, 2, generator=rng, dtype=noised.dtype)
        x = f(x + (sigma**2 - lowest**2) ** 0.5 * noise, sigma)
    return x


RIGHT = {
    jump.scales_keep_the_lowest_level: (scales,),
    jump.step_is_heun_s: (heun,),
    jump.errors_hold_the_target_still: (errors,),
    jump.jumps_keep_the_law: (jumps,),
}
BUGS = {
    jump.scales_keep_the_lowest_level: {
        "σ_1 forgotten": (lambda sigma, lowest, s: scales(sigma, 0.0, s), "constant"),
        "σ_1 forgotten in c_out": (
            lambda sigma, low, s: (scales(sigma, low, s)[0], scales(sigma, 0, s)[1]),
            "constant",
        ),
        "a root over c_skip": (lambda *a: (scales(*a)[0] ** 0.5, scales(*a)[1]), "spread"),
        "deviation 1": (lambda sigma, lowest, s: scales(sigma, lowest, 1.0), "constant"),
        "c_out without s": (lambda *a: (scales(*a)[0], scales(*a)[1] / a[2]), "constant"),
        "c_out of σ − σ_1 throughout": (lambda sigma, low, s: scales(sigma - low, 0.0, s), "spread"),
        "c_out of the other sign": (lambda *a: (scales(*a)[0], -scales(*a)[1]), "sign"),
        "swapped": (lambda *a: scales(*a)[::-1], ""),
        "c_skip alone": (lambda *a: scales(*a)[0], "container"),
    },
    jump.step_is_heun_s: {
        "Euler": (euler, "spread"),
        "upwards": (lambda d, x, s, t: 2 * x - heun(d, x, s, t), "sign"),
        "both slopes at the start": (slopes_at_the_start, "constant"),
        "the sum of the slopes": (lambda d, x, s, t: 2 * heun(d, x, s, t) - x, "constant"),
        "the levels swapped": (lambda d, x, s, t: heun(d, x, t, s), "sign"),
        "the first row for all": (lambda *a: heun(*a)[:1].expand(4, 2, 3), "shape"),
    },
    jump.errors_hold_the_target_still: {
        "the target moves": (lambda *a: errors(*a, still=False), "gradient"),
        "the gradient through the target alone": (own_detached, "gradient"),
        "no gradient": (lambda *a: errors(*a).detach(), "gradient"),
        "over the gap of the levels": (lambda f, x, s, y, t: errors(f, x, s, y, t) / gap(s, t), "constant"),
        "half": (lambda *a: errors(*a) / 2, "constant"),
        "the levels swapped": (lambda f, x, s, y, t: errors(f, x, t, y, s), "direction"),
        "of the other sign": (lambda *a: -errors(*a), "sign"),
        "mean over the entries": (lambda *a: errors(*a) / 15, "reduction"),
        "mean over the batch": (lambda *a: errors(*a).mean().expand(4), "reduction"),
        "one number": (lambda *a: errors(*a).mean(), "shape"),
        "a root": (lambda *a: errors(*a).sqrt(), "spread"),
    },
    jump.jumps_keep_the_law: {
        "σ for √(σ² − σ_1²)": (lambda *a: jumps(*a, noise=lambda s, low: s), "spread"),
        "the variance for the deviation": (lambda *a: jumps(*a, noise=lambda s, low: s**2 - low**2), "spread"),
        "σ − σ_1": (lambda *a: jumps(*a, noise=lambda s, low: s - low), "spread"),
        "unit noise": (lambda *a: jumps(*a, noise=lambda s, low: 1.0), "constant"),
        "no noise": (lambda *a: jumps(*a, noise=lambda s, low: 0.0), "randomness"),
        "one noise for all": (shared_noise, "randomness"),
        "the noise of the start again": (one_noise, "randomness"),
        "noise at the end": (noise_at_the_end, "randomness"),
        "the walk of DDIM": (walks_on, "randomness"),
        "not from the generator": (unseeded, "randomness"),
        "one jump": (lambda f, x, s, low, rng: f(x, s[0]), ""),
        "the lowest level first": (lambda f, x, s, low, rng: jumps(f, x, s.flip(0), low, rng), ""),
    },
}
