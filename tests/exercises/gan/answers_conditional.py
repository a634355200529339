"""Answers to the exercises of lesson 05.6, right and wrong."""

import math

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import cross_entropy, logsigmoid, nll_loss, softplus

from gmcourse.gan.inversion import invert as search


def by_cross_entropies(right, wrong, fake):
    half = (bce(wrong, torch.zeros_like(wrong)) + bce(fake, torch.zeros_like(fake))) / 2
    return bce(right, torch.ones_like(right)) + half


def by_log_sigmoids(right, wrong, fake):
    return -logsigmoid(right).mean() - 0.5 * logsigmoid(-wrong).mean() - 0.5 * logsigmoid(-fake).mean()


def by_bisection(p, w):
    low, high = 0.0, 1e3
    for _ in range(100):
        kappa = (low + high) / 2
        low, high = (low, kappa) if torch.relu(kappa * p - w).sum() > 1 else (kappa, high)
    return torch.relu(high * p - w)


def by_dropping(p, w):
    """Entries are dropped until none is negative."""
    kept = np.array([float(a) > 0 for a in p])
    p, w = p.numpy().astype(float), w.numpy().astype(float)
    while True:
        kappa = (1 + w[kept].sum()) / p[kept].sum()
        q = np.where(kept, kappa * p - w, 0.0)
        if (q >= 0).all():
            return q
        kept &= q > 0


def once(p, w):
    """κ from the entries that κ = 2 draws, and no more dropped."""
    drawn = 2 * p > w
    return torch.where(drawn, (1 + w[drawn].sum()) / p[drawn].sum() * p - w, 0.0)


def by_descent(p, w):
    """Exponentiated gradient of JS(p, ½(w + q))."""
    p, w = p.double(), w.double()
    q = torch.full_like(p, 1 / len(p))
    for _ in range(2_000):
        m = (w + q) / 2
        q = q * torch.exp(-2.0 * torch.log(2 * m / (p + m)).clamp(-50, 50) / 4)
        q = q / q.sum()
    return q


def by_tables(given, classes, noise):
    others = torch.tensor([[k for k in range(classes) if k != c] for c in range(classes)])
    return others[given, (noise * (classes - 1)).long()]


def by_skipping(given, classes, noise):
    drawn = torch.floor(noise * (classes - 1)).long()
    return drawn + (drawn >= given)


def acgan(h_real, h_fake, real, fake, given, weight):
    game = -logsigmoid(h_real).mean() - logsigmoid(-h_fake).mean()
    named = nll_loss(real.log_softmax(1), given) + nll_loss(fake.log_softmax(1), given)
    return game + weight * named, bce(h_fake, torch.ones_like(h_fake)) + weight * cross_entropy(fake, given)


def acgan_by_rows(h_real, h_fake, real, fake, given, weight):
    rows = torch.arange(len(given))
    of_real = (real.logsumexp(1) - real[rows, given]).mean()
    of_fake = (fake.logsumexp(1) - fake[rows, given]).mean()
    critic = softplus(-h_real).mean() + softplus(h_fake).mean() + weight * of_real + weight * of_fake
    return [critic, softplus(-h_fake).mean() + weight * of_fake]


def acgan_saturating(h_real, h_fake, real, fake, given, weight):
    critic, _ = acgan(h_real, h_fake, real, fake, given, weight)
    return critic, -softplus(h_fake).mean() + weight * cross_entropy(fake, given)


def acgan_signed(h_real, h_fake, real, fake, given, weight):
    critic, generator = acgan(h_real, h_fake, real, fake, given, weight)
    return critic, generator - 2 * weight * cross_entropy(fake, given)


def searched(generator, x, z, train=False, rows=True):
    was = generator.training
    generator.train(train)
    best_z, best = None, torch.full((len(x),), math.inf)
    for start in z:
        at = torch.nn.Parameter(start.clone())
        optimizer = torch.optim.Adam([at], lr=0.1)
        for _ in range(150):
            optimizer.zero_grad()
            ((x - generator(at)) ** 2).sum().backward()
            optimizer.step()
        left = ((x - generator(at)) ** 2).sum(1).detach()
        better = left < best if rows else (left.sum() < best.sum()).expand(len(x))
        best_z = at.detach().clone() if best_z is None else torch.where(better[:, None], at.detach(), best_z)
        best = torch.where(better, left, best)
    generator.train(was)
    for parameter in generator.parameters():
        parameter.grad = None
    return best_z, best


RIGHT = {
    "gan.matching_critic_loss": {"cross-entropies": by_cross_entropies, "log-sigmoids": by_log_sigmoids},
    "gan.optimal_q": {"bisection": by_bisection, "entries dropped": by_dropping, "descent": by_descent},
    "gan.wrong_class": {"a table": by_tables, "skipping": by_skipping},
    "gan.acgan_losses": {"mixed": acgan, "by rows": acgan_by_rows},
    "gan.invert": {"a loop": searched, "the package": lambda g, x, z: search(g, x, z, steps=150, lr=0.1)},
    "gan.data_accuracy": {"by erf": 0.5 * (1 + math.erf(0.5 / math.sqrt(2))), "rounded": 0.69},
}
WRONG = {
    "gan.matching_critic_loss": {
        "a mean of three": (
            lambda r, w, f: (softplus(-r).mean() + softplus(w).mean() + softplus(f).mean()) / 3,
            "reduction",
        ),
        "negated": (lambda r, w, f: -by_cross_entropies(r, w, f), "sign"),
        "probabilities": (
            lambda r, w, f: 1 - r.sigmoid().mean() + (w.sigmoid().mean() + f.sigmoid().mean()) / 2,
            "spread",
        ),
        "wrong pairs alone": (lambda r, w, f: softplus(-r).mean() + softplus(w).mean(), "dependence"),
        "wrong pairs cut off": (lambda r, w, f: by_cross_entropies(r, w.detach(), f), "gradient"),
    },
    "gan.optimal_q": {
        "swapped": (lambda p, w: 2 * w - p, "direction"),
        "half of each": (lambda p, w: (p + w) / 2, "spread"),
        "entries dropped once": (once, "constant"),
        "the other sign": (lambda p, w: (2 * p + w) / 3, "sign"),
        "the best alone": (lambda p, w: torch.nn.functional.one_hot((p - w).argmax(), len(p)).float(), "spread"),
    },
    "gan.wrong_class": {
        "a random shift, 0 too": (lambda c, v, u: (c + (u * v).long()) % v, "direction"),
        "itself at a noise of 0": (lambda c, v, u: (c + (u * (v - 1)).ceil().long()) % v, "direction"),
        "always 0 or 1": (lambda c, v, u: (c == 0).long(), "spread"),
    },
    "gan.acgan_losses": {
        "the generator maximises": (acgan_signed, "sign"),
        "critic alone": (lambda *a: acgan(*a)[0], "container"),
        "fakes cut off": (lambda a, b, r, f, c, w: acgan(a, b, r, f.detach(), c, w), "gradient"),
        "swapped": (lambda *a: acgan(*a)[::-1], "container"),
        "probabilities": (lambda a, b, r, f, c, w: acgan(a, b, r.softmax(1), f.softmax(1), c, w), "spread"),
        "the saturating generator": (acgan_saturating, "constant"),
    },
    "gan.invert": {
        "one for the batch": (lambda g, x, z: searched(g, x, z, rows=False), "direction"),
        "in training": (lambda g, x, z: searched(g, x, z, train=True), "mutation"),
        "a root": (lambda g, x, z: (searched(g, x, z)[0], searched(g, x, z)[1].sqrt()), "spread"),
        "the start": (lambda g, x, z: (z[0], searched(g, x, z)[1]), "one-to-one"),
        "another start": (lambda g, x, z: searched(g, x, 0 * z), "randomness"),
        "left in evaluation mode": (lambda g, x, z: searched(g.eval(), x, z), "mutation"),
    },
    "gan.data_accuracy": {"all": (1.0, "constant"), "two": (0.954, ""), "errors": (0.309, "direction")},
}
