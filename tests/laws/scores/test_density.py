"""The law of a density by the flow holds and catches each planted bug."""

import torch
from torch.distributions import Normal

from gmcourse.laws.scores import density


def by_heun(score, x, sign=1.0, half=1.0, base=50.0, here=False, mean=False, all_slopes=False):
    """Heun's rule in ln σ; the divergence by differences."""
    u = torch.linspace(0.01, 50, 2).log()
    z, volume, h = x.clone(), 0.0, (u[1] - u[0]).item() / 200

    def rate(z, sigma):
        shift = 1e-4 * torch.eye(z.shape[1], dtype=z.dtype)
        slopes = [(score(z + e, sigma) - score(z - e, sigma)) / 2e-4 for e in shift]
        parts = [way.sum(1) if all_slopes else way[:, i] for i, way in enumerate(slopes)]
        return -half * sigma**2 * score(z, sigma), -half * sigma**2 * sum(parts)

    for k in range(200):
        low, high = (u[0] + k * h).exp().item(), (u[0] + (k + 1) * h).exp().item()
        v, t = rate(z, low)
        w, s = rate(z + h * v, high)
        z, volume = z + h * (v + w) / 2, volume + h * (t + s) / 2
    prior = Normal(0.0, base).log_prob(x if here else z)
    return (prior.mean(1) if mean else prior.sum(1)) + sign * volume


RIGHT = {density.density_of_a_gaussian: [by_heun]}
BUGS = {
    density.density_of_a_gaussian: {
        "the volume taken off": (lambda *a: by_heun(*a, sign=-1.0), "sign"),
        "no volume": (lambda *a: by_heun(*a, sign=0.0), "constant"),
        "all slopes": (lambda *a: by_heun(*a, all_slopes=True), "one-to-one"),
        "a mean over coordinates": (lambda *a: by_heun(*a, mean=True), "reduction"),
        "unit noise": (lambda *a: by_heun(*a, base=1.0), "constant"),
        "the noise's density at x": (lambda *a: by_heun(*a, here=True), "direction"),
        "twice as fast": (lambda *a: by_heun(*a, half=2.0), "spread"),
    },
}
