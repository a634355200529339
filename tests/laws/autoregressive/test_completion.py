"""The law of completing passes right answers and catches each planted bug."""

from functools import partial
from itertools import product

import torch

from gmcourse.autoregressive.discrete import one_by_one
from gmcourse.exercises.autoregressive.convolutional_pixels import complete
from gmcourse.laws.autoregressive import completion


def package(logits, x, known, u):
    return one_by_one(logits, x, u, 2, known)


def turns(logits, x, known, u, order=None, rule=lambda zero, u: u >= zero, number=lambda r, c, w: r * w + c):
    x = x.clone()
    for r, c in order(*x.shape[2:]) if order else product(range(x.shape[2]), range(x.shape[3])):
        if not known[0, r, c]:
            zero = logits(x).softmax(1)[:, 0, 0, r, c]
            x[:, 0, r, c] = rule(zero, u[:, number(r, c, x.shape[3])]).float()
    return x


def at_once(logits, x, known, u):
    return torch.where(known, x, (u.view_as(x) >= logits(x).softmax(1)[:, 0]).float())


def own_noise(logits, x, known, u):
    return turns(logits, x, known, torch.rand(u.shape))


def in_place(logits, x, known, u):
    x[:] = turns(logits, x, known, u)
    return x


def densely(logits, x, known, u):
    numbers = iter(u.T)
    return turns(logits, x, known, u, rule=lambda zero, _: next(numbers) >= zero)


def by_columns(height, width):
    return [(r, c) for c in range(width) for r in range(height)]


def backwards(height, width):
    return list(product(range(height), range(width)))[::-1]


RIGHT = {completion.completes_in_turn: (package, complete, turns)}
BUGS = {
    completion.completes_in_turn: {
        "known pixels are drawn, too": (lambda f, x, known, u: turns(f, x, known & False, u), "constant"),
        "all at once": (at_once, "dependence"),
        "the likeliest": (partial(turns, rule=lambda zero, u: zero < 0.5), "one-to-one"),
        "less for at least": (partial(turns, rule=lambda zero, u: u < zero), "sign"),
        "u below the probability of ink": (partial(turns, rule=lambda zero, u: u < 1 - zero), "sign"),
        "by columns": (partial(turns, order=by_columns), "direction"),
        "numbers by columns": (partial(turns, number=lambda r, c, w: 3 * c + r), "direction"),
        "from the end": (partial(turns, order=backwards), "dependence"),
        "the unknown are kept": (lambda f, x, known, u: turns(f, x, ~known, u), "spread"),
        "the next number for the next unknown": (densely, "reduction"),
        "known pixels put in at the end": (
            lambda f, x, known, u: torch.where(known, x, turns(f, x, known & False, u)),
            "log-mean",
        ),
        "one row of numbers": (lambda f, x, known, u: turns(f, x, known, u[:1].expand_as(u)), "shape"),
        "written into x": (in_place, "mutation"),
        "noise of its own": (own_noise, "randomness"),
        "nothing drawn": (lambda f, x, known, u: x, ""),
        "probabilities": (lambda f, x, known, u: torch.where(known, x, f(x).softmax(1)[:, 1]), "container"),
    },
}
