import math

import torch

from gmcourse.laws.gradient import gradient_is_unbiased
from gmcourse.vae.gradients import pathwise_gradient, score_gradient


def leave_one_out(f, mean, log_std, noise):
    """A baseline from the other rows is unbiased."""
    values = f(mean + log_std.exp() * noise)
    baseline = (values.sum() - values) / (len(values) - 1)
    return score_gradient(f, mean, log_std, noise, baseline)


def own_mean(f, mean, log_std, noise):
    return score_gradient(f, mean, log_std, noise, f(mean + log_std.exp() * noise).mean())


def attached(f, mean, log_std, noise):
    rows = []
    for row in noise:
        m = mean.clone().requires_grad_()
        z = m + log_std.exp() * row
        log_q = (-0.5 * ((z - m) / log_std.exp()) ** 2 - log_std - 0.5 * torch.log(torch.tensor(2 * torch.pi))).sum()
        rows.append(torch.autograd.grad(f(z[None])[0] * log_q, m)[0])
    return torch.stack(rows)


def by_hand(f, mean, log_std, noise, power=1):
    """f(z) ε / e^s."""
    return f(mean + log_std.exp() * noise)[:, None] * noise * (-power * log_std).exp()


RIGHT = {gradient_is_unbiased: (score_gradient, pathwise_gradient, leave_one_out, by_hand)}
BUGS = {
    gradient_is_unbiased: {
        "not divided by σ": (lambda f, m, s, e: by_hand(f, m, s, e, power=0), "spread"),
        "divided by the variance": (lambda f, m, s, e: by_hand(f, m, s, e, power=2), ""),
        "sign": (lambda f, m, s, e: -score_gradient(f, m, s, e), "sign"),
        "a baseline that saw its own sample": (own_mean, "dependence"),
        "one estimate for all rows": (lambda f, m, s, e: score_gradient(f, m, s, e).mean(0), "shape"),
        "multiplied by the noise": (lambda f, m, s, e: pathwise_gradient(f, m, s, e) * e, ""),
        "the draw not detached": (attached, "gradient"),
        "NaN where f is 0": (lambda f, m, s, e: score_gradient(f, m, s, e) * math.nan, "not-finite"),
        "the spread of the first coordinate": (lambda f, m, s, e: by_hand(f, m, s[:1].expand(2), e), "spread"),
        "samples of another spread": (
            lambda f, m, s, e: by_hand(lambda z: f((z - m) * s.exp() + m), m, s, e),
            "spread",
        ),
    }
}
