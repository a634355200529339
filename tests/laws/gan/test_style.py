"""Every law of styles passes the package's own function and catches each planted bug."""

import torch

from gmcourse.gan.growing import fade, minibatch_std
from gmcourse.gan.style import adain, mix, truncate
from gmcourse.laws.gan import style


def restyled(axes=(2, 3), power=0.5, correction=0, eps=1e-8):
    """AdaIN over these axes, divided by the variance to this power."""

    def candidate(x, scale, shift):
        variance, mean = torch.var_mean(x, axes, correction=correction, keepdim=True)
        return scale[..., None, None] * (x - mean) / (variance + eps) ** power + shift[..., None, None]

    return candidate


def with_map(x, spread):
    return torch.cat([x, spread.expand(len(x), 1, *x.shape[2:])], 1)


def by_loop(first, second, crossover):
    return torch.stack([a if k < crossover else b for k, (a, b) in enumerate(zip(first, second, strict=True))])


RIGHT = {
    style.adain_sets_statistics: (adain, restyled()),
    style.fade_keeps_both_ends: (fade, lambda low, high, a: torch.lerp(low, high, torch.tensor(a))),
    style.truncation_keeps_the_center: (truncate, lambda w, c, psi: (1 - psi) * c + psi * w),
    style.mixing_keeps_the_parents: (mix, by_loop),
    style.batch_spread_is_one_map: (
        minibatch_std,
        lambda x: with_map(x, (x - x.mean(0)).square().mean(0).sqrt().mean()),
    ),
}
BUGS = {
    style.adain_sets_statistics: {
        "statistics of the batch": (restyled((0, 2, 3)), "dependence"),
        "statistics of all channels": (restyled((1, 2, 3)), "direction"),
        "the variance for the deviation": (restyled(power=1.0), "spread"),
        "n − 1": (restyled(correction=1), "constant"),
        "no ε": (restyled(eps=0.0), "not-finite"),
        "1 + scale": (lambda x, a, b: adain(x, 1 + a, b), "reduction"),
        "scale and shift exchanged": (lambda x, a, b: adain(x, b, a), "direction"),
        "no shift": (lambda x, a, b: adain(x, a, torch.zeros_like(b)), "constant"),
        "not centred": (lambda x, a, b: a[..., None, None] * x + b[..., None, None], "log-mean"),
        "scale detached": (lambda x, a, b: adain(x, a.detach(), b), "gradient"),
    },
    style.fade_keeps_both_ends: {
        "α on the old": (lambda low, high, a: torch.lerp(high, low, a), "direction"),
        "added": (lambda low, high, a: low + a * high, "constant"),
        "the mean": (lambda low, high, a: (low + high) / 2, "reduction"),
        "only nearly the old": (lambda low, high, a: high + (1 - a) * (low - high), "spread"),
        "a switch": (lambda low, high, a: high if a > 0.5 else low, "dependence"),
    },
    style.truncation_keeps_the_center: {
        "towards 0": (lambda w, c, psi: psi * w, "constant"),
        "the wrong way": (lambda w, c, psi: w + psi * (c - w), "direction"),
        "the mean of the batch": (lambda w, c, psi: truncate(w, w.mean(-2, keepdim=True), psi), "dependence"),
        "clipped": (lambda w, c, psi: c + (w - c).clamp(-psi, psi), "log-mean"),
    },
    style.mixing_keeps_the_parents: {
        "the parents exchanged": (lambda a, b, k: mix(b, a, k), "direction"),
        "one layer too many": (lambda a, b, k: mix(a, b, k + 1), "constant"),
        "rows for layers": (lambda a, b, k: torch.cat([a[:, :1], b[:, 1:]], 1), "dependence"),
        "averaged": (lambda a, b, k: (a + b) / 2, "reduction"),
    },
    style.batch_spread_is_one_map: {
        "n − 1": (lambda x: with_map(x, x.std(0).mean()), "constant"),
        "the variance": (lambda x: with_map(x, x.var(0, correction=0).mean()), "spread"),
        "pixels averaged first": (lambda x: with_map(x, x.mean((1, 2, 3)).std(correction=0)), "log-mean"),
        "spread over pixels": (
            lambda x: with_map(x, x.flatten(1).std(1, correction=0).view(-1, 1, 1, 1)),
            "dependence",
        ),
        "a map for each channel": (
            lambda x: torch.cat([x, x.std(0, correction=0).expand_as(x)], 1),
            "shape",
        ),
        "no gradient": (lambda x: with_map(x, x.detach().std(0, correction=0).mean()), "gradient"),
    },
}
