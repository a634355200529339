"""Answers to the exercises of lesson 04.1, right and wrong."""

import math

import numpy as np
import torch
from torch.distributions import Independent, Normal, kl_divergence

from gmcourse.probability import gaussian_kl
from gmcourse.vae.gradients import pathwise_gradient, score_gradient


def kl_by_loop(mean, log_std):
    rows = []
    for m, s in zip(mean, log_std):
        total = 0.0
        for j in range(len(m)):
            total = total + 0.5 * (m[j] ** 2 + torch.exp(2 * s[j]) - 1 - 2 * s[j])
        rows.append(total)
    return torch.stack(rows)


def kl_in_place(mean, log_std):
    with torch.no_grad():
        log_std *= 2
    return 0.5 * (mean**2 + log_std.exp() - 1 - log_std).sum(1)


def draws_by_loop(mean, log_std, noise):
    return torch.stack([m + torch.exp(s) * e for m, s, e in zip(mean, log_std, noise)])


def seeded(mean, log_std, noise):
    return mean + log_std.exp() * torch.randn(noise.shape, generator=torch.Generator().manual_seed(0))


def score_by_loop(f, mean, log_std, noise):
    rows = []
    for e in noise:
        z = mean + log_std.exp() * e
        rows.append(f(z[None])[0] * (z - mean) / log_std.exp() ** 2)
    return torch.stack(rows)


def score_by_autograd(f, mean, log_std, noise):
    z = mean + log_std.exp() * noise
    m = mean.expand_as(z).clone().requires_grad_()
    return torch.autograd.grad((f(z).detach() * Normal(m, log_std.exp()).log_prob(z).sum(1)).sum(), m)[0]


def score_row_by_row(f, mean, log_std, noise):
    rows = []
    for e in noise:
        m, z = mean.clone().requires_grad_(), mean + log_std.exp() * e
        rows.append(float(f(z[None])) * torch.autograd.grad(Normal(m, log_std.exp()).log_prob(z).sum(), m)[0])
    return torch.stack(rows)


def with_fresh_draws(f, mean, log_std, noise):
    rng = torch.Generator().manual_seed(int(1e6 * noise.abs().sum()))
    others = mean + log_std.exp() * torch.randn(50, len(mean), generator=rng)
    return score_gradient(f, mean, log_std, noise, f(others).mean())


def left_out(f, mean, log_std, noise):
    values = f(mean + log_std.exp() * noise)
    others = (values.sum() - values) / (len(values) - 1)
    return (values - others)[:, None] * noise / log_std.exp()


def evidence(ll, z, mean, log_std, prior=1.0, q=1.0):
    log_w = ll + prior * Normal(0.0, 1.0).log_prob(z).sum(-1) - q * Normal(mean, log_std.exp()).log_prob(z).sum(-1)
    return log_w.logsumexp(0) - math.log(len(z))


def evidence_by_loop(ll, z, mean, log_std):
    answers = []
    for i in range(len(mean)):
        q = Independent(Normal(mean[i], log_std[i].exp()), 1)
        prior = Independent(Normal(torch.zeros_like(mean[i]), torch.ones_like(mean[i])), 1)
        w = torch.stack([ll[k, i] + prior.log_prob(z[k, i]) - q.log_prob(z[k, i]) for k in range(len(z))])
        answers.append(torch.logsumexp(w, 0) - np.log(len(z)))
    return torch.stack(answers)


def evidence_by_numpy(ll, z, mean, log_std):
    ll, z, mean, s = (v.numpy().astype(np.float64) for v in (ll, z, mean, log_std))
    log_w = ll + (-0.5 * z**2 + 0.5 * ((z - mean) / np.exp(s)) ** 2 + s).sum(-1)
    top = log_w.max(0)
    return top + np.log(np.exp(log_w - top).mean(0))


def evidence_written_over(ll, z, mean, log_std):
    z -= mean
    return evidence(ll, z + mean, mean, log_std) + 0.0


def std_by_loop(x, mean):
    total, count = 0.0, 0
    for a, b in zip(x.flatten().tolist(), mean.flatten().tolist()):
        total, count = total + (a - b) ** 2, count + 1
    return 0.5 * math.log(total / count)


def std_by_search(x, mean):
    s = torch.linspace(-5, 5, 20_001)
    return s[(-((x - mean) ** 2).sum() / (2 * torch.exp(2 * s)) - x.numel() * s).argmax()]


RIGHT = {
    "vae.gaussian_kl": {
        "loop": kl_by_loop,
        "library": lambda m, s: kl_divergence(Normal(m, s.exp()), Normal(0.0, 1.0)).sum(-1),
        "einsum": lambda m, s: 0.5 * (torch.einsum("bl,bl->b", m, m) + ((2 * s).exp() - 1 - 2 * s).sum(1)),
        "expm1 in float64": lambda m, s: 0.5 * (m.double() ** 2 + torch.expm1(2 * s.double()) - 2 * s.double()).sum(1),
        "σ and its logarithm": lambda m, s: (-s.exp().log() + (s.exp() ** 2 + m**2) / 2 - 0.5).sum(-1),
        "vmap": torch.func.vmap(lambda m, s: 0.5 * (m @ m + ((2 * s).exp() - 1 - 2 * s).sum())),
    },
    "vae.reparameterize": {
        "minus noise": lambda m, s, e: m - s.exp() * e,
        "loop": draws_by_loop,
        "float64": lambda m, s, e: m.double() + s.double().exp() * e,
        "addcmul": lambda m, s, e: torch.addcmul(m, s.exp(), e),
        "root of a variance": lambda m, s, e: m + torch.sqrt(torch.exp(2 * s)) * e,
        "noise of another row": lambda m, s, e: m + s.exp() * e.flip(0),
    },
    "vae.score_gradient": {
        "loop": score_by_loop,
        "autograd of log q": score_by_autograd,
        "a constant baseline": lambda f, m, s, e: score_gradient(f, m, s, e, 2.0),
        "baseline of the other rows": left_out,
        "a baseline of fresh draws": with_fresh_draws,
        "autograd, row by row": score_row_by_row,
        "einsum": lambda f, m, s, e: torch.einsum("n,nd->nd", f(m + s.exp() * e), e / s.exp()),
        "float64": lambda f, m, s, e: score_gradient(f, m.double(), s.double(), e.double()),
        "antithetic baseline": lambda f, m, s, e: (
            (f(m + s.exp() * e) - f(m - s.exp() * e))[:, None] * e / (2 * s.exp())
        ),
    },
    "vae.log_evidence": {
        "loop": evidence_by_loop,
        "one line": evidence,
        "float64 in numpy": evidence_by_numpy,
        "mean by hand": lambda ll, z, m, s: (
            torch.log_softmax(torch.zeros(len(z)), 0)[0] + evidence(ll, z, m, s) + math.log(len(z))
        ),
        "float64": lambda *a: evidence(*(v.double() for v in a)),
    },
    "vae.best_log_std": {
        "loop": std_by_loop,
        "search": std_by_search,
        "numpy": lambda x, m: np.log(np.sqrt(np.mean((x.numpy() - m.numpy()) ** 2))),
        "float32 of numpy": lambda x, m: np.float32(0.5) * np.log(np.mean((x.numpy() - m.numpy()) ** 2)),
        "norm": lambda x, m: ((x - m).norm() / math.sqrt(x.numel())).log(),
        "shape (1,)": lambda x, m: 0.5 * ((x - m) ** 2).mean().log()[None],
    },
    "vae.latents_used": {
        "int": 3,
        "float": 3.0,
        "tensor": torch.tensor(3),
        "array": np.array([3]),
        "int64": np.int64(3),
    },
}
WRONG = {
    "vae.gaussian_kl": {
        "summed over the batch, too": (lambda m, s: gaussian_kl(m, s).sum().expand(len(m)), "shape"),
        "mean of the batch, repeated": (lambda m, s: gaussian_kl(m, s).mean().expand(len(m)), "shape"),
        "one number": (lambda m, s: gaussian_kl(m, s).sum(), "shape"),
        "s of the wrong sign": (lambda m, s: gaussian_kl(m, -s), "spread"),
        "σ for σ²": (lambda m, s: 0.5 * (m**2 + s.exp() - 1 - 2 * s).sum(1), "spread"),
        "no 1": (lambda m, s: 0.5 * (m**2 + (2 * s).exp() - 2 * s).sum(1), "constant"),
        "no ½": (lambda m, s: 2 * gaussian_kl(m, s), ""),
        "+ 2s": (lambda m, s: 0.5 * (m**2 + (2 * s).exp() - 1 + 2 * s).sum(1), "sign"),
        "in place": (kl_in_place, "mutation"),
        "without a graph": (lambda m, s: gaussian_kl(m.detach(), s.detach()), "gradient"),
        "per latent": (lambda m, s: 0.5 * (m**2 + (2 * s).exp() - 1 - 2 * s), "shape"),
        "NaN": (lambda m, s: gaussian_kl(m, s) * math.nan, "not-finite"),
    },
    "vae.reparameterize": {
        "divided by the noise, heavy tails": (lambda m, s, e: m + s.exp() / e, ""),
        "one σ a row": (lambda m, s, e: m + s.exp().mean(1, keepdim=True) * e, "reduction"),
        "one noise a row": (lambda m, s, e: m + s.exp() * e[:, :1], "dependence"),
        "s for σ": (lambda m, s, e: m + s * e, "spread"),
        "half of s": (lambda m, s, e: m + (s / 2).exp() * e, "spread"),
        "no mean": (lambda m, s, e: s.exp() * e, "constant"),
        "the mean stretched": (lambda m, s, e: (m + e) * s.exp(), "direction"),
        "a seed of its own": (seeded, "randomness"),
        "uniform": (lambda m, s, e: m + s.exp() * (torch.special.ndtr(e) - 0.5) * math.sqrt(12), ""),
        "σ detached": (lambda m, s, e: m + s.exp().detach() * e, "gradient"),
        "noise absolute": (lambda m, s, e: m + s.exp() * e.abs(), ""),
    },
    "vae.score_gradient": {
        "pathwise": (pathwise_gradient, "direction"),
        "noise taken for z": (lambda f, m, s, e: f(e)[:, None] * (e - m) / (2 * s).exp(), "randomness"),
        "z of heavy tails": (lambda f, m, s, e: f(m + s.exp() / e)[:, None] / (e * s.exp()), ""),
        "f of the noise": (lambda f, m, s, e: f(e)[:, None] * e / s.exp(), "randomness"),
        "transposed": (lambda f, m, s, e: score_gradient(f, m, s, e).T, "shape"),
        "sign": (lambda f, m, s, e: -score_gradient(f, m, s, e), "sign"),
        "not divided": (lambda f, m, s, e: score_gradient(f, m, s, e) * (2 * s).exp(), "spread"),
        "z for z − μ": (lambda f, m, s, e: f(m + s.exp() * e)[:, None] * (m + s.exp() * e) / (2 * s).exp(), "constant"),
        "the mean for each row": (lambda f, m, s, e: score_gradient(f, m, s, e).mean(0).expand_as(e), "shape"),
        "a baseline of all": (
            lambda f, m, s, e: score_gradient(f, m, s, e, f(m + s.exp() * e).mean()),
            "dependence",
        ),
        "a mean of rows": (lambda f, m, s, e: score_gradient(f, m, s, e).sum(0), "shape"),
    },
    "vae.log_evidence": {
        "pooled": (lambda ll, z, m, s: evidence(ll, z, m, s).exp().mean().log().expand(len(m)), "shape"),
        "q of the first row": (lambda ll, z, m, s: evidence(ll, z, m[:1], s[:1]), "dependence"),
        "no prior": (lambda *a: evidence(*a, prior=0.0), "direction"),
        "q added": (lambda *a: evidence(*a, q=-1.0), "sign"),
        "log-variance": (lambda ll, z, m, s: evidence(ll, z, m, s / 2), "spread"),
        "mean over latents": (
            lambda ll, z, m, s: (
                (ll + (Normal(0.0, 1.0).log_prob(z) - Normal(m, s.exp()).log_prob(z)).mean(-1)).logsumexp(0)
                - math.log(len(z))
            ),
            "reduction",
        ),
        "clamped": (lambda *a: evidence(*a).exp().clamp(min=1e-30).log(), "overflow"),
        "the evidence, not its logarithm": (lambda *a: evidence(*a).exp(), ""),
        "over the batch": (lambda ll, z, m, s: ll.logsumexp(1), "shape"),
        "the input written over": (evidence_written_over, "mutation"),
        "the best draw": (
            lambda ll, z, m, s: (ll + (Normal(0.0, 1.0).log_prob(z) - Normal(m, s.exp()).log_prob(z)).sum(-1)).amax(0),
            "one-to-one",
        ),
    },
    "vae.best_log_std": {
        "one for each image": (lambda x, m: 0.5 * ((x - m) ** 2).flatten(1).mean(1).log(), "shape"),
        "mean of logarithms": (lambda x, m: (0.5 * ((x - m) ** 2).flatten(1).mean(1).log()).mean(), "direction"),
        "about its own mean": (lambda x, m: (x - m).std().log(), "dependence"),
        "the first image": (lambda x, m: 0.5 * ((x[0] - m[0]) ** 2).mean().log(), "dependence"),
        "spread of x": (lambda x, m: x.std().log(), "dependence"),
        "minus": (lambda x, m: -0.5 * ((x - m) ** 2).mean().log(), "sign"),
        "absolute errors": (lambda x, m: (x - m).abs().mean().log(), ""),
        "summed": (lambda x, m: 0.5 * ((x - m) ** 2).sum().log(), "reduction"),
        "in place": (lambda x, m: 0.5 * (x.sub_(m) ** 2).mean().log(), "mutation"),
        "NaN": (lambda x, m: math.nan, "not-finite"),
    },
    "vae.latents_used": {
        "NaN": (math.nan, "not-finite"),
        "none": (None, "container"),
        "twelve": (12, "spread"),
        "True": (True, "container"),
        "half": (0.5, ""),
        "as text": ("3", "container"),
    },
}
