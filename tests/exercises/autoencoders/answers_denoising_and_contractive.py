"""Answers to the exercises of lesson 03.2, right and wrong."""

from fractions import Fraction

import numpy as np
import torch
from torch.distributions import MultivariateNormal, Normal


def blanked_by_loop(x, noise, share):
    out = torch.zeros(x.shape)
    flat, numbers = out.view(-1), noise.flatten()
    for i, value in enumerate(x.flatten()):
        if numbers[i] >= share:
            flat[i] = value
    return out


def blanked_in_place(x, noise, share):
    x[noise < share] = 0
    return x


def denoised_by_loop(x, means, weights, std, sigma):
    """Row by row, in logarithms, into float32."""
    out, whole = torch.zeros(x.shape), std**2 + sigma**2
    for i, row in enumerate(x):
        logs = torch.stack(
            [w.log() - ((row - m) ** 2).sum() / (2 * whole) for w, m in zip(weights, means, strict=True)]
        )
        shares = (logs - logs.max()).exp()
        for share, m in zip(shares / shares.sum(), means, strict=True):
            out[i] += share * (std**2 * row + sigma**2 * m) / whole
    return out


def denoised_by_library(x, means, weights, std, sigma):
    smoothed = Normal(means, (std**2 + sigma**2) ** 0.5)
    shares = torch.softmax(smoothed.log_prob(x.unsqueeze(1)).sum(-1) + torch.log(weights), dim=-1)
    gain = std**2 / (std**2 + sigma**2)
    return torch.einsum("bk,bkd->bd", shares, means + gain * (x.unsqueeze(1) - means))


def denoised_by_tweedie(x, means, weights, std, sigma):
    """x + σ² ∇ ln p_σ(x), by autograd."""
    y = x.clone().double().requires_grad_()
    eye = torch.eye(x.shape[1]).double() * (std**2 + sigma**2)
    parts = MultivariateNormal(means.double(), eye).log_prob(y[:, None])
    (score,) = torch.autograd.grad((parts + weights.double().log()).logsumexp(1).sum(), y)
    return (x + sigma**2 * score).detach()


def denoised_in_numpy(x, means, weights, std, sigma):
    x, means, weights = (value.numpy().astype(float) for value in (x, means, weights))
    whole = std**2 + sigma**2
    logs = np.log(weights) - ((x[:, None] - means) ** 2).sum(2) / (2 * whole)
    shares = np.exp(logs - logs.max(1, keepdims=True))
    return (std**2 * x + sigma**2 * (shares @ means) / shares.sum(1, keepdims=True)) / whole


def by_densities(x, means, weights, std, sigma):
    whole = std**2 + sigma**2
    shares = weights * (-((x[:, None] - means) ** 2).sum(2) / (2 * whole)).exp()
    return (std**2 * x + sigma**2 * (shares @ means) / shares.sum(1, keepdim=True)) / whole


def denoised_by_vmap(x, means, weights, std, sigma):
    def log_density(row):
        return torch.logsumexp(weights.log() - ((row - means) ** 2).sum(1) / (2 * (std**2 + sigma**2)), 0)

    return x + sigma**2 * torch.vmap(torch.func.grad(log_density))(x)


def denoised_by_precisions(x, means, weights, std, sigma):
    precision = 1 / std**2 + 1 / sigma**2
    each = (means / std**2 + x[:, None] / sigma**2) / precision
    logs = weights.log() + (x @ means.T - (means**2).sum(1) / 2) / (std**2 + sigma**2)
    return (logs.softmax(1)[:, :, None] * each).sum(1)


def by_shares(change):
    """Shares made from weights, squares and the variance of x."""

    def answer(x, means, weights, std, sigma):
        whole = std**2 + sigma**2
        shares = change(weights, ((x[:, None] - means) ** 2).sum(2), whole)
        return (std**2 * x + sigma**2 * shares @ means) / whole

    return answer


def by_coordinates(x, means, weights, std, sigma):
    whole = std**2 + sigma**2
    shares = (weights.log()[:, None] - (x[:, None] - means) ** 2 / (2 * whole)).softmax(1)
    return (std**2 * x + sigma**2 * (shares * means).sum(1)) / whole


def over_the_batch(x, means, weights, std, sigma):
    whole = std**2 + sigma**2
    shares = (weights.log() - ((x[:, None] - means) ** 2).sum(2) / (2 * whole)).softmax(0)
    return (std**2 * x + sigma**2 * shares @ means) / whole


def with_variance(change):
    """Shares by another variance."""

    def answer(x, means, weights, std, sigma):
        whole = std**2 + sigma**2
        shares = (weights.log() - ((x[:, None] - means) ** 2).sum(2) / (2 * change(std, sigma))).softmax(1)
        return (std**2 * x + sigma**2 * shares @ means) / whole

    return answer


def nearest_mode(x, means, weights, std, sigma):
    near = means[torch.cdist(x, means).argmin(1)]
    return (std**2 * x + sigma**2 * near) / (std**2 + sigma**2)


def by_each_row(denoiser, x, sigma):
    return torch.stack([(denoiser(row[None])[0] - row) / sigma**2 for row in x])


def whole_jacobian(weight, h):
    return torch.einsum("bk,kd->bkd", h * (1 - h), weight).pow(2).sum(dim=(1, 2))


def by_norms(weight, h):
    return (torch.linalg.vector_norm(weight, dim=1) * h * (1 - h)).square().sum(1)


def by_rows(weight, h):
    return torch.stack([torch.linalg.matrix_norm((row * (1 - row))[:, None] * weight) ** 2 for row in h])


def by_functional(weight, h):
    """torch's own Jacobian of the layer, at Wx + b = logit(h)."""

    def layer(step, before):
        return (before + weight @ step).sigmoid()

    still = torch.zeros(weight.shape[1])
    return torch.vmap(lambda before: torch.func.jacrev(layer)(still, before).square().sum())(h.logit())


def other_axis(weight, h):
    return (
        ((h * (1 - h)) ** 2 * (weight**2).sum(0)).sum(1) if weight.shape[0] == weight.shape[1] else by_norms(weight, h)
    )


RIGHT = {
    "autoencoders.corrupt": {
        "a loop": blanked_by_loop,
        "a product": lambda x, noise, share: x * (noise >= share),
        "masked_fill": lambda x, noise, share: x.masked_fill(noise < share, 0.0),
        "float64": lambda x, noise, share: x.double() * torch.heaviside(noise - share, torch.ones(())),
        "vmap": torch.vmap(lambda x, noise, share: torch.where(noise < share, 0.0, x), in_dims=(0, 0, None)),
        "a copy": lambda x, noise, share: blanked_in_place(x.clone(), noise, share),
        "NumPy": lambda x, noise, share: np.where(noise.numpy() < share, 0, x.numpy()),
    },
    "autoencoders.optimal_denoiser": {
        "a loop": denoised_by_loop,
        "torch's own": denoised_by_library,
        "Tweedie": denoised_by_tweedie,
        "vmap": denoised_by_vmap,
        "precisions": denoised_by_precisions,
        "NumPy": denoised_in_numpy,
    },
    "autoencoders.score_from_denoiser": {
        "row by row": by_each_row,
        "a product": lambda denoiser, x, sigma: sigma**-2 * (denoiser(x) - x),
        "minus the way out": lambda denoiser, x, sigma: -(x - denoiser(x)).div(sigma * sigma),
        "NumPy": lambda denoiser, x, sigma: ((denoiser(x) - x) / sigma**2).numpy(),
    },
    "autoencoders.contractive_penalty": {
        "whole Jacobian": whole_jacobian,
        "norms": by_norms,
        "torch's own": by_functional,
        "Gram": lambda weight, h: torch.einsum("bk,kk->b", (h * (1 - h)) ** 2, weight @ weight.T),
        "row by row": by_rows,
        "products": lambda weight, h: ((h - h * h) ** 2) @ (weight * weight).sum(-1),
    },
    "autoencoders.slope_between": {
        "number": 9.5,
        "a fraction": Fraction(19, 2),
        "formula": (0.125 + 1.5**2) / 0.25,
        "a tensor": torch.tensor([9.5]),
        "measured": 9.48,
    },
}
WRONG = {
    "autoencoders.corrupt": {
        "as dropout": (lambda x, noise, share: x * (noise >= share) / (1 - share + 1e-9), "constant"),
        "torch's dropout": (lambda x, noise, share: torch.nn.functional.dropout(x, share), "randomness"),
        "the kept blanked": (lambda x, noise, share: torch.where(noise < share, x, 0), "direction"),
        "the other end": (lambda x, noise, share: x * (noise < 1 - share), "direction"),
        "one mask": (lambda x, noise, share: x * (noise[0] >= share), "dependence"),
        "whole rows": (
            lambda x, noise, share: x * (noise.flatten(1)[:, 0] >= share).view(-1, *[1] * (x.dim() - 1)),
            "dependence",
        ),
        "own seed": (
            lambda x, noise, share: x * (torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) >= share),
            "",
        ),
        "filled with ½": (lambda x, noise, share: torch.where(noise < share, 0.5, x), "reduction"),
        "half the share": (lambda x, noise, share: torch.where(noise < share / 2, 0.0, x), ""),
        "NaN": (lambda x, noise, share: torch.where(noise < share, torch.nan, x), "not-finite"),
        "clipped": (lambda x, noise, share: torch.where(noise < share, 0.0, x).clamp(0, 1), "constant"),
        "dark entries": (lambda x, noise, share: torch.where(x < share, 0.0, x), "one-to-one"),
        "own noise": (lambda x, noise, share: x * (torch.rand(x.shape) >= share), "randomness"),
        "mean fill": (lambda x, noise, share: torch.where(noise < share, x.mean(), x), "reduction"),
        "ones": (lambda x, noise, share: torch.where(noise < share, 1.0, x), "one-to-one"),
        "the mask": (lambda x, noise, share: noise >= share, "one-to-one"),
        "noise added": (lambda x, noise, share: x + share * noise, "spread"),
        "written into": (blanked_in_place, "mutation"),
    },
    "autoencoders.optimal_denoiser": {
        "clean shares": (with_variance(lambda std, sigma: std**2), "spread"),
        "shares by the noise": (with_variance(lambda std, sigma: sigma**2), "spread"),
        "deviations added": (with_variance(lambda std, sigma: (std + sigma) ** 2), "spread"),
        "deviation for variance": (with_variance(lambda std, sigma: (std**2 + sigma**2) ** 0.5), "spread"),
        "the nearest mode": (nearest_mode, "one-to-one"),
        "equal weights": (lambda x, m, w, s, o: denoised_by_library(x, m, torch.ones_like(w), s, o), "dependence"),
        "mean of the means": (
            lambda x, m, w, s, o: denoised_by_library(x, m, w, 1e-6, (s * s + o * o) ** 0.5),
            "log-mean",
        ),
        "residual": (lambda x, *a: denoised_by_library(x, *a) - x, "constant"),
        "score": (lambda x, *a: (denoised_by_library(x, *a) - x) / a[3] ** 2, "constant"),
        "std and sigma exchanged": (lambda x, m, w, s, o: denoised_by_library(x, m, w, o, s), "direction"),
        "exponentials": (by_densities, "overflow"),
        "softmax over the batch": (over_the_batch, "shape"),
        "shares of coordinates": (by_coordinates, "shape"),
        "weights last": (by_shares(lambda w, d, whole: w * (-d / (2 * whole)).softmax(1)), "shape"),
        "weights, no logarithm": (by_shares(lambda w, d, whole: (w - d / (2 * whole)).softmax(1)), "dependence"),
        "distances, not squared": (
            by_shares(lambda w, d, whole: (w.log() - d.sqrt() / (2 * whole)).softmax(1)),
            "spread",
        ),
        "shares of no x": (by_shares(lambda w, d, whole: 0 * d + w), "log-mean"),
        "a little more below": (
            by_shares(lambda w, d, v: (lambda p: p / (p.sum(1, True) + 1e-12))(w * (-d / (2 * v)).exp())),
            "overflow",
        ),
        "x and the score": (lambda x, *a: x + (denoised_by_library(x, *a) - x) / a[3] ** 2, "direction"),
        "the score of the clean": (
            lambda x, m, w, s, o: (
                x + (o / s) ** 2 * ((w.log() - torch.cdist(x, m) ** 2 / (2 * s * s)).softmax(1) @ m - x)
            ),
            "spread",
        ),
        "away from x": (lambda x, *a: 2 * x - denoised_by_library(x, *a), "sign"),
        "shares alone": (
            lambda x, m, w, s, o: (w.log() - torch.cdist(x, m) ** 2 / (2 * (s * s + o * o))).softmax(1),
            "shape",
        ),
        "one row": (lambda x, *a: denoised_by_library(x[:1], *a).expand_as(x), "shape"),
    },
    "autoencoders.score_from_denoiser": {
        "σ": (lambda denoiser, x, sigma: (denoiser(x) - x) / sigma, "spread"),
        "residual": (lambda denoiser, x, sigma: denoiser(x) - x, "spread"),
        "times σ²": (lambda denoiser, x, sigma: (denoiser(x) - x) * sigma**2, "spread"),
        "away": (lambda denoiser, x, sigma: (x - denoiser(x)) / sigma**2, "sign"),
        "the clean point": (lambda denoiser, x, sigma: denoiser(x), "constant"),
        "no brackets": (lambda denoiser, x, sigma: denoiser(x) - x / sigma**2, "constant"),
        "σ · 2": (lambda denoiser, x, sigma: (denoiser(x) - x) / sigma * 2, "spread"),
        "no sign": (lambda denoiser, x, sigma: (denoiser(x) - x).abs() / sigma**2, "sign"),
        "what was added": (lambda denoiser, x, sigma: (x - denoiser(x)) / sigma, "sign"),
        "denoised twice": (lambda denoiser, x, sigma: (denoiser(denoiser(x)) - x) / sigma**2, "direction"),
        "one step late": (lambda denoiser, x, sigma: by_each_row(denoiser, denoiser(x), sigma), "direction"),
        "length": (lambda denoiser, x, sigma: by_each_row(denoiser, x, sigma).norm(dim=1), "shape"),
        "mean of the batch": (
            lambda denoiser, x, sigma: by_each_row(denoiser, x, sigma).mean(0).expand_as(x),
            "shape",
        ),
        "written into": (lambda denoiser, x, sigma: x.sub_(denoiser(x)).div_(-(sigma**2)), "mutation"),
    },
    "autoencoders.contractive_penalty": {
        "slope not squared": (lambda weight, h: (h * (1 - h)) @ (weight**2).sum(1), "spread"),
        "norm": (lambda weight, h: whole_jacobian(weight, h).sqrt(), "spread"),
        "weights not squared": (lambda weight, h: (h * (1 - h)) ** 2 @ weight.abs().sum(1), "spread"),
        "other axis": (other_axis, "direction"),
        "weight decay": (lambda weight, h: (weight**2).sum().repeat(len(h)), "dependence"),
        "no weights": (lambda weight, h: ((h * (1 - h)) ** 2).sum(1), "dependence"),
        "sigmoid again": (
            lambda weight, h: (h.sigmoid() * (1 - h.sigmoid())) ** 2 @ (weight**2).sum(1),
            "log-mean",
        ),
        "half squared": (lambda weight, h: (h * (1 - h) ** 2) @ (weight**2).sum(1), "spread"),
        "sums squared": (lambda weight, h: (h * (1 - h)) ** 2 @ weight.sum(1) ** 2, "spread"),
        "half": (lambda weight, h: whole_jacobian(weight, h) / 2, "spread"),
        "squared sum of slopes": (lambda weight, h: (h * (1 - h)).sum(1) ** 2 * (weight**2).sum(), "dependence"),
        "tanh": (lambda weight, h: (1 - h**2) ** 2 @ (weight**2).sum(1), "log-mean"),
        "mean over entries": (lambda weight, h: whole_jacobian(weight, h) / weight.numel(), "reduction"),
        "mean over the batch": (lambda weight, h: whole_jacobian(weight, h).mean(), "shape"),
        "batch mean for all": (lambda weight, h: whole_jacobian(weight, h).mean().repeat(len(h)), "shape"),
        "h cut": (lambda weight, h: whole_jacobian(weight, h.detach()), "gradient"),
        "W cut": (lambda weight, h: whole_jacobian(weight.detach(), h), "gradient"),
        "NumPy": (lambda weight, h: whole_jacobian(weight, h).detach().numpy(), "gradient"),
    },
    "autoencoders.slope_between": {
        "one": (1, "dependence"),
        "one mode": (0.5, "dependence"),
        "flat": (0, "sign"),
        "the modes alone": (9, "constant"),
        "at their centres": (36.5, "constant"),
        "over σ": (4.75, "spread"),
        "the variance": (2.375, "spread"),
        "as above": (4.5, "one-to-one"),
        "measured at ±0.1": (8.556, "gradient"),
        "measured at ±0.05": (9.239, "gradient"),
        "the clean spread": (10, "constant"),
        "not squared": (6, "spread"),
        "a guess": (3, ""),
        "a text": ("steep", "container"),
    },
}
