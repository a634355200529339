"""Every law of games about pairs passes the package's own functions and catches each planted bug."""

from functools import partial

import torch
from torch.nn.functional import one_hot, softplus

from gmcourse.gan.conditional import matching_critic_loss, optimal_q, told_generator, wrong_class
from gmcourse.laws.gan import conditional as laws

Z, GIVEN = torch.tensor([[0.3, -1.2, 0.8]]), torch.tensor([2, 0, 3, 1])
ROWS = partial(laws.given_rules_its_row, z=Z, given=GIVEN, shape=(5,))


def generator():
    torch.manual_seed(0)
    return told_generator((5,), 4, 3, width=8)


def drawn(z, given):
    return z @ torch.arange(15.0).view(3, 5).sin() + one_hot(given, 4).float() @ torch.arange(20.0).view(4, 5).cos()


def by_probabilities(right, wrong, fake):
    d = torch.sigmoid
    return -d(right).log().mean() - 0.5 * (1 - d(wrong)).log().mean() - 0.5 * (1 - d(fake)).log().mean()


def clipped(p, w):
    return (2 * p - w).clamp(min=0)


def once(p, w):
    drawn = 2 * p > w
    return torch.where(drawn, (1 + w[drawn].sum()) / p[drawn].sum() * p - w, 0.0)


def by_bisection(p, w):
    low, high = torch.zeros(()), torch.tensor(50.0)
    for _ in range(60):
        kappa = (low + high) / 2
        low, high = (kappa, high) if (kappa * p - w).clamp(min=0).sum() < 1 else (low, kappa)
    return (kappa * p - w).clamp(min=0)


def steps(given, classes, noise):
    return (given + 1 + (noise * (classes - 1)).floor().long()) % classes


RIGHT = {
    laws.wrong_pairs_count_half: (
        matching_critic_loss,
        lambda r, w, f: softplus(-r).mean() + (softplus(w).mean() + softplus(f).mean()) / 2,
    ),
    laws.wrong_pairs_sharpen: (optimal_q, by_bisection),
    laws.wrong_class_is_another: (wrong_class, steps),
    ROWS: (generator(), drawn),
}
BUGS = {
    laws.wrong_pairs_count_half: {
        "three whole terms": (
            lambda r, w, f: softplus(-r).mean() + softplus(w).mean() + softplus(f).mean(),
            "reduction",
        ),
        "wrong pairs for real": (
            lambda r, w, f: softplus(-r).mean() + 0.5 * softplus(-w).mean() + 0.5 * softplus(f).mean(),
            "direction",
        ),
        "wrong pairs left out": (lambda r, w, f: softplus(-r).mean() + softplus(f).mean(), "dependence"),
        "sign": (lambda r, w, f: -matching_critic_loss(r, w, f), "sign"),
        "sum": (lambda r, w, f: len(r) * matching_critic_loss(r, w, f), "reduction"),
        "not averaged": (lambda r, w, f: softplus(-r), "shape"),
        "logarithms of probabilities": (by_probabilities, "not-finite"),
        "detached": (lambda r, w, f: matching_critic_loss(r, w.detach(), f), "gradient"),
        "the first of each": (lambda r, w, f: matching_critic_loss(r[:1], w[:1], f[:1]), ""),
    },
    laws.wrong_pairs_sharpen: {
        "not clipped": (lambda p, w: 2 * p - w, "constant"),
        "the support of κ = 2": (once, "constant"),
        "clipped, and not a table": (clipped, "reduction"),
        "clipped, then divided": (lambda p, w: clipped(p, w) / clipped(p, w).sum(), "spread"),
        "wrong pairs are free": (lambda p, w: p, "dependence"),
        "p and w swapped": (lambda p, w: 2 * w - p, "direction"),
        "sign of w": (lambda p, w: (2 * p + w) / 3, "sign"),
        "one number": (lambda p, w: p.max(), "shape"),
    },
    laws.wrong_class_is_another: {
        "any class": (lambda c, v, u: (u * v).long(), "direction"),
        "shifted by any": (lambda c, v, u: (c + (u * v).long()) % v, "direction"),
        "itself at a noise of 0": (lambda c, v, u: (c + (u * (v - 1)).ceil().long()) % v, "direction"),
        "the next": (lambda c, v, u: (c + 1) % v, "spread"),
        "not round": (lambda c, v, u: c + 1 + (u * (v - 1)).long(), "constant"),
        "the batch turned": (lambda c, v, u: c.roll(1), "direction"),
        "the mirror image": (lambda c, v, u: torch.where(v - 1 - c == c, (c + 1) % v, v - 1 - c), "spread"),
        "one for all": (lambda c, v, u: wrong_class(c, v, u)[:1], "shape"),
    },
    ROWS: {
        "never heard": (lambda z, c: drawn(z, 0 * c), "constant"),
        "the first label for all": (lambda z, c: drawn(z, c[:1].expand_as(c)), "dependence"),
        "sorted labels": (lambda z, c: drawn(z, c.sort().values), "dependence"),
        "the neighbour's label": (lambda z, c: drawn(z, c.roll(1)), "dependence"),
        "two classes are one": (lambda z, c: drawn(z, c.clamp(max=2)), "constant"),
    },
}
