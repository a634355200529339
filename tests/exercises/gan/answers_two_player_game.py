"""Answers to the exercises of lesson 05.1, right and wrong."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import logsigmoid, softplus

from gmcourse.gan.divergences import divergence_bound, jensen_shannon, optimal_discriminator


def optimal_by_loop(log_p, log_q):
    answers = []
    for a, b in zip(log_p.tolist(), log_q.tolist()):
        top = max(a, b)
        answers.append(math.exp(a - top) / (math.exp(a - top) + math.exp(b - top)))
    return answers


def optimal_shifted(log_p, log_q):
    top = log_p.max()
    return (log_p - top).exp() / ((log_p - top).exp() + (log_q - top).exp())


def js_by_loop(p, q, dx):
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist()):
        m = (a + b) / 2
        total += (a * math.log(a / m) if a else 0) / 2 * dx + (b * math.log(b / m) if b else 0) / 2 * dx
    return total


def js_by_entropy(p, q, dx):
    def entropy(r):
        return -(torch.xlogy(r, r)).sum() * dx

    return entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2


def js_by_numpy(p, q, dx):
    from scipy.special import rel_entr

    p, q = p.numpy().astype(float), q.numpy().astype(float)
    return 0.5 * dx * (rel_entr(p, (p + q) / 2) + rel_entr(q, (p + q) / 2)).sum()


def relative(p, q):
    return torch.xlogy(p, p) - torch.xlogy(p, q)


def kl(p, q, dx):
    return relative(p, q).sum() * dx


def js_by_best_answer(p, q, dx):
    """Half of ln 4 + 𝒱, 1 − D rounded to 0 where q is small."""
    d = torch.where(p + q > 0, p / (p + q), 0.5)
    return 0.5 * (math.log(4) + dx * (torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).sum())


def bce_step(critic, generator, optimizer, real, z):
    loss_of = nn.BCELoss()
    optimizer.zero_grad()
    loss = loss_of(critic(real).sigmoid(), torch.ones(len(real), 1))
    loss = loss + loss_of(critic(generator(z).detach()).sigmoid(), torch.zeros(len(z), 1))
    loss.backward()
    optimizer.step()
    return loss.item()


def joint_step(critic, generator, optimizer, real, z):
    """Half the loss: the mean over both."""
    with torch.no_grad():
        points = torch.cat([real, generator(z)])
    labels = torch.cat([torch.ones(len(real), 1), torch.zeros(len(z), 1)])
    loss = F.binary_cross_entropy_with_logits(critic(points), labels)
    for p in critic.parameters():
        p.grad = None
    loss.backward()
    optimizer.step()
    return loss


def frozen_step(critic, generator, optimizer, real, z, back=True):
    for p in generator.parameters():
        p.requires_grad_(False)
    loss = softplus(-critic(real)).mean() + softplus(critic(generator(z))).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for p in generator.parameters():
        p.requires_grad_(back)
    return loss.detach()


def by_hand(critic, generator, optimizer, real, z):
    loss = softplus(-critic(real)).mean() + softplus(critic(generator(z).detach())).mean()
    gradients = torch.autograd.grad(loss, list(critic.parameters()))
    for p, g in zip(critic.parameters(), gradients):
        p.grad = g
    optimizer.step()
    return loss


def step(bug=""):
    def discriminator_step(critic, generator, optimizer, real, z):
        if bug == "eval":
            generator.eval()
        if bug == "wiped first":
            generator.zero_grad()
        fake = generator(z) if bug == "attached and wiped" else generator(z).detach()
        loss = softplus(-critic(real)).mean() + softplus(critic(fake)).mean()
        loss = {"sum": 40 * loss, "real alone": softplus(-critic(real)).mean(), "ascent": -loss}.get(bug, loss)
        optimizer.zero_grad()
        loss.backward()
        if bug == "attached and wiped":
            generator.zero_grad()
        if bug == "cleared":
            optimizer.zero_grad()
        if bug != "no step":
            optimizer.step()
        if bug == "in place":
            real += 1
        return None if bug == "nothing" else loss.detach()

    return discriminator_step


def bound_by_loop(h_real, h_fake):
    real = [-math.log1p(math.exp(-h)) if h > -50 else h for h in h_real.tolist()]
    fake = [-math.log1p(math.exp(h)) if h < 50 else -h for h in h_fake.tolist()]
    return math.log(2) + 0.5 * (sum(real) / len(real) + sum(fake) / len(fake))


def losses(h):
    return logsigmoid(-h).mean(), -logsigmoid(h).mean()


def stacked(h):
    return torch.stack([-softplus(h), softplus(-h)]).mean(1)


def clamped(h):
    d = h.sigmoid().clamp(1e-7, 1 - 1e-7)
    return (1 - d).log().mean(), -d.log().mean()


def by_cases(h):
    return h.clamp(min=0) + torch.log1p((-h.abs()).exp())


def bce(h, ones):
    return F.binary_cross_entropy_with_logits(h, torch.full_like(h, ones))


RIGHT = {
    "gan.optimal_discriminator": {
        "loop and list": optimal_by_loop,
        "softmax": lambda p, q: torch.stack([p, q]).softmax(0)[0],
        "logaddexp": lambda p, q: (p - torch.logaddexp(p, q)).exp(),
        "float64": lambda p, q: 1 / (1 + (q.double() - p.double()).exp()),
        "numpy": lambda p, q: 1 / (1 + np.exp(np.clip((q - p).numpy(), -80, 80))),
        "vmap": torch.func.vmap(lambda p, q: torch.sigmoid(p - q)),
        "tanh": lambda p, q: 0.5 + 0.5 * torch.tanh((p - q) / 2),
    },
    "gan.jensen_shannon": {
        "loop": js_by_loop,
        "entropies": js_by_entropy,
        "scipy": js_by_numpy,
        "a trifle in the logarithm": lambda p, q, dx: (
            0.5
            * dx
            * (p * ((p + 1e-20) / ((p + q) / 2 + 1e-20)).log() + q * ((q + 1e-20) / ((p + q) / 2 + 1e-20)).log()).sum()
        ),
        "float64": lambda p, q, dx: jensen_shannon(p.double(), q.double(), dx),
        "trapezoids": lambda p, q, dx: 0.5 * torch.trapezoid(sum(relative(r, (p + q) / 2) for r in (p, q)), dx=dx),
        "kl_div": lambda p, q, dx: (
            0.5 * dx * sum(F.kl_div(((p + q) / 2).clamp(min=1e-30).log(), r, reduction="sum") for r in (p, q))
        ),
    },
    "gan.generator_losses": {
        "logsigmoid, list": lambda h: list(losses(h)),
        "stacked": stacked,
        "cross entropies": lambda h: (-bce(h, 0.0), bce(h, 1.0)),
        "float64": lambda h: losses(h.double()),
        "logaddexp": lambda h: (-torch.logaddexp(h, 0 * h).mean(), torch.logaddexp(-h, 0 * h).mean()),
        "max(h, 0) + ln(1 + e^−|h|)": lambda h: (-by_cases(h).mean(), by_cases(-h).mean()),
        "loop": lambda h: (-sum(softplus(v) for v in h) / len(h), sum(softplus(-v) for v in h) / len(h)),
    },
    "gan.discriminator_step": {
        "BCE of a sigmoid": bce_step,
        "both in one batch": joint_step,
        "frozen for a while": frozen_step,
        "gradients by hand": by_hand,
        "detached": step(),
    },
    "gan.divergence_bound": {
        "loop": bound_by_loop,
        "logsigmoid": lambda r, f: math.log(2) + 0.5 * (logsigmoid(r).mean() + logsigmoid(-f).mean()),
        "cross entropy": lambda r, f: math.log(2) - 0.5 * bce(r, 1.0) - 0.5 * bce(f, 0.0),
        "numpy": lambda r, f: np.log(2) - (np.logaddexp(0, -r.numpy()).mean() + np.logaddexp(0, f.numpy()).mean()) / 2,
        "shape (1,)": lambda r, f: divergence_bound(r, f)[None],
        "two means": lambda r, f: ((math.log(2) - softplus(-r)).mean() + (math.log(2) - softplus(f)).mean()) / 2,
        "halves": lambda r, f: (math.log(4) - softplus(-r).mean() - softplus(f).mean()) / 2,
    },
    "gan.gradient_ratio": {"28": 28, "float": 28.2, "tensor": torch.tensor(28.0), "array": np.array([28.1])},
}
WRONG = {
    "gan.optimal_discriminator": {
        "one shift for all": (optimal_shifted, "not-finite"),
        "eps in the denominator": (lambda p, q: p.exp() / (p.exp() + q.exp() + 1e-8), "overflow"),
        "clamped": (lambda p, q: p.exp().clamp(min=1e-30) / (p.exp() + q.exp()).clamp(min=2e-30), "overflow"),
        "tanh": (lambda p, q: torch.tanh(p - q), "constant"),
        "hard": (lambda p, q: (p > q).float(), ""),
        "the logarithms' share": (lambda p, q: p / (p + q), ""),
        "q's share": (lambda p, q: optimal_discriminator(q, p), "sign"),
        "softmax over x": (lambda p, q: (p - q).softmax(0), ""),
        "half the logit": (lambda p, q: ((p - q) / 2).sigmoid(), "spread"),
        "in place": (lambda p, q: torch.sigmoid(p.sub_(q)), "mutation"),
    },
    "gan.jensen_shannon": {
        "one half alone": (lambda p, q, dx: kl(p, (p + q) / 2, dx), "dependence"),
        "the other half": (lambda p, q, dx: 0.5 * kl(q, (p + q) / 2, dx), "dependence"),
        "KL": (lambda p, q, dx: kl(p, q, dx), "direction"),
        "m not halved": (lambda p, q, dx: 0.5 * kl(p, p + q, dx) + 0.5 * kl(q, p + q, dx), "log-mean"),
        "m first": (lambda p, q, dx: 0.5 * kl((p + q) / 2, p, dx) + 0.5 * kl((p + q) / 2, q, dx), ""),
        "the root": (lambda p, q, dx: jensen_shannon(p, q, dx).sqrt(), ""),
        "mean for sum": (lambda p, q, dx: jensen_shannon(p, q, dx) / len(p), ""),
        "minus": (lambda p, q, dx: -jensen_shannon(p, q, dx), "sign"),
        "0 ln 0": (
            lambda p, q, dx: 0.5 * dx * (p * (2 * p / (p + q)).log() + q * (2 * q / (p + q)).log()).sum(),
            "not-finite",
        ),
        "1 − D rounded to 0": (js_by_best_answer, "not-finite"),
        "both ways in cells of both alone": (
            lambda p, q, dx: jensen_shannon(p * (q > 0), q * (p > 0), dx),
            "",
        ),
        "total variation": (lambda p, q, dx: 0.5 * dx * (p - q).abs().sum(), ""),
    },
    "gan.generator_losses": {
        "both non-saturating": (lambda h: (softplus(-h).mean(), softplus(-h).mean()), "one-to-one"),
        "h taken for D": (lambda h: ((1 - h).log().mean(), -h.log().mean()), "not-finite"),
        "clamped": (clamped, "overflow"),
        "exchanged": (lambda h: losses(h)[::-1], "direction"),
        "no minus": (lambda h: (losses(h)[0], -losses(h)[1]), "sign"),
        "no logarithm": (lambda h: ((1 - h.sigmoid()).mean(), h.sigmoid().mean()), "spread"),
        "the logarithm of the mean": (lambda h: (losses(h)[0], -h.sigmoid().mean().log()), "log-mean"),
        "detached": (lambda h: tuple(v.detach() for v in losses(h)), "gradient"),
        "one of them": (lambda h: losses(h)[1], "container"),
        "summed": (lambda h: tuple(len(h) * v for v in losses(h)), "reduction"),
        "bits": (lambda h: tuple(v / math.log(2) for v in losses(h)), ""),
    },
    "gan.discriminator_step": {
        "the generator left frozen": (lambda *a: frozen_step(*a, back=False), "randomness"),
        "reaches the generator, wiped": (step("attached and wiped"), "dependence"),
        "the generator's own .grad wiped": (step("wiped first"), "dependence"),
        "left in eval mode": (step("eval"), "randomness"),
        "no step": (step("no step"), "gradient"),
        "zero_grad before the step": (step("cleared"), "gradient"),
        "summed": (step("sum"), "reduction"),
        "real points alone": (step("real alone"), ""),
        "uphill": (step("ascent"), "direction"),
        "returns nothing": (step("nothing"), "container"),
        "returns the value": (lambda *a: -step()(*a), ""),
        "real points changed": (step("in place"), "mutation"),
    },
    "gan.divergence_bound": {
        "the value": (lambda r, f: -softplus(-r).mean() - softplus(f).mean(), "constant"),
        "cut off at 0": (lambda r, f: divergence_bound(r, f).clamp(min=0), "direction"),
        "in bits": (lambda r, f: divergence_bound(r, f) / math.log(2), "log-mean"),
        "pooled": (lambda r, f: math.log(2) - torch.cat([softplus(-r), softplus(f)]).mean(), "dependence"),
        "half of the value alone": (lambda r, f: -(softplus(-r).mean() + softplus(f).mean()) / 2, "constant"),
        "no half": (lambda r, f: math.log(2) - softplus(-r).mean() - softplus(f).mean(), "reduction"),
        "accuracy": (lambda r, f: ((r > 0).float().mean() + (f < 0).float().mean()) / 2, ""),
        "real points alone": (lambda r, f: math.log(2) - softplus(-r).mean(), "one-to-one"),
        "clamped": (
            lambda r, f: (
                math.log(2) + 0.5 * (r.sigmoid().clamp(1e-7).log().mean() + (-f).sigmoid().clamp(1e-7).log().mean())
            ),
            "overflow",
        ),
    },
    "gan.gradient_ratio": {
        "NaN": (math.nan, "not-finite"),
        "the row θ = 2": (3.44, "spread"),
        "the row θ = 8": (20_356.0, "spread"),
        "the four fakes of the explorer": (0.98 / 0.021, "dependence"),
        "one fake, at θ": (math.exp(8), "dependence"),
        "one over the mean of D": (29.16, "reduction"),
        "equal": (1.0, "constant"),
        "upside down": (0.035, "direction"),
        "a guess": (10, ""),
        "nothing": (None, "container"),
    },
}
