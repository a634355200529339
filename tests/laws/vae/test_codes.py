"""Every law of discrete codes passes the right answer and catches each planted bug."""

import math
from functools import partial

import torch

from gmcourse.laws.vae import codes
from gmcourse.probability import bits_per_dim
from gmcourse.vae.quantizer import ema_step, nearest, perplexity, straight_through


def terms(z, book, k, beta):
    e = book[k]
    pull = (z.detach() - e).square().sum(1).mean()
    return pull + beta * (z - e.detach()).square().sum(1).mean()


def sg_exchanged(z, book, k, beta):
    e = book[k]
    return (z - e.detach()).square().sum(1).mean() + beta * (z.detach() - e).square().sum(1).mean()


def both_attached(z, book, k, beta):
    return (1 + beta) * (z - book[k]).square().sum(1).mean()


def book_frozen(z, book, k, beta):
    return terms(z, book.detach(), k, beta)


def both_weighed(z, book, k, beta):
    return beta * terms(z, book, k, 1.0)


def length(log_prior, log_rest):
    total = log_prior.flatten(1).sum(1) + log_rest.flatten(1).sum(1)
    return bits_per_dim(total, math.prod(log_rest.shape[1:]))


def step_of(**changed):
    """A step in which some of the arguments are replaced by functions of all of them."""

    def step(*inputs):
        names = ("count", "total", "n", "sums", "decay")
        given = dict(zip(names, inputs, strict=True))
        return ema_step(**given | {name: change(**given) for name, change in changed.items()})

    return step


def shift_after(count, total, n, sums, decay):
    """Codes by the old N."""
    new, m, _ = ema_step(count, total, n, sums, decay)
    return new, m, m / count[:, None]


def mean_of_codes(count, total, n, sums, decay):
    new, m, _ = ema_step(count, total, n, sums, decay)
    old = (total / count[:, None]).nan_to_num()
    return new, m, decay * old + (1 - decay) * (sums / n[:, None]).nan_to_num()


def uniform_rows(rows):
    return torch.full((len(rows),), -rows.shape[1] * math.log(3))


def one_place(rows):
    return torch.full((len(rows),), -math.log(3))


share = partial(codes.rows_share_one, size=3, length=4)
RIGHT = {
    codes.codes_are_nearest: (nearest, lambda z, book: torch.cdist(z, book).argmin(1).tolist()),
    codes.gradient_passes_the_choice: (straight_through, lambda z, e: e.detach() - z.detach() + z),
    codes.each_side_is_pulled: (terms,),
    codes.means_are_followed: (ema_step, lambda *parts: list(ema_step(*parts))),
    codes.perplexity_is_effective_number: (perplexity,),
    share: (uniform_rows,),
    codes.lengths_add: (length,),
}
BUGS = {
    codes.codes_are_nearest: {
        "dot product": (lambda z, book: (z @ book.T).argmax(1), "constant"),
        "−2 z·e alone": (lambda z, book: (-2 * z @ book.T).argmin(1), "constant"),
        "farthest": (lambda z, book: torch.cdist(z, book).argmax(1), "sign"),
        "z·e once": (lambda z, book: (book.square().sum(1) - z @ book.T).argmin(1), "spread"),
        "largest difference": (lambda z, book: (z[:, None] - book).abs().amax(2).argmin(1), "dependence"),
        "distances": (torch.cdist, "shape"),
        "as floats": (lambda z, book: nearest(z, book).float(), "container"),
    },
    codes.gradient_passes_the_choice: {
        "e with its gradient": (lambda z, e: e, "gradient"),
        "e detached": (lambda z, e: e.detach(), "gradient"),
        "z forward": (lambda z, e: e + (z - e).detach(), "direction"),
        "z forward, with z": (lambda z, e: z + 0 * e, "direction"),
        "both sides": (lambda z, e: z + e - z.detach(), "gradient"),
        "nothing detached": (lambda z, e: z + (e - z), "gradient"),
    },
    codes.each_side_is_pulled: {
        "sg on the wrong sides": (sg_exchanged, "gradient"),
        "no sg": (both_attached, "gradient"),
        "book frozen": (book_frozen, "gradient"),
        "β on both": (both_weighed, "constant"),
        "mean over d": (lambda z, book, k, beta: terms(z, book, k, beta) / z.shape[1], "reduction"),
        "no commitment": (lambda z, book, k, beta: terms(z, book, k, 0.0), "constant"),
    },
    codes.means_are_followed: {
        "N not moved": (step_of(n=lambda count, **_: count), "dependence"),
        "γ and 1 − γ exchanged": (lambda N, m, n, s, g: ema_step(N, m, n, s, 1 - g), "direction"),
        "codes by the old N": (shift_after, "dependence"),
        "an average of codes": (mean_of_codes, "log-mean"),
        "added, not averaged": (
            lambda N, m, n, s, g: (g * N + n, g * m + s, (g * m + s) / (g * N + n)[:, None]),
            "constant",
        ),
        "two parts": (lambda *parts: ema_step(*parts)[:2], "container"),
    },
    codes.perplexity_is_effective_number: {
        "entropy of each code's own one-hot": (lambda k, size: 1.0, "log-mean"),
        "in nats": (lambda k, size: math.log(perplexity(k, size)), "constant"),
        "bits with e": (lambda k, size: math.exp(math.log2(perplexity(k, size))), "constant"),
        "codes used": (lambda k, size: float(len(k.unique())), "one-to-one"),
        "0 ln 0": (lambda k, size: _with_zeros(k, size), "not-finite"),
        "sign": (lambda k, size: 1 / perplexity(k, size), "sign"),
    },
    share: {
        "one place for all": (one_place, ""),
        "unnormalised": (lambda rows: -rows.sum(1).float(), ""),
        "mean for sum": (lambda rows: uniform_rows(rows) / rows.shape[1], ""),
    },
    codes.lengths_add: {
        "rate alone": (lambda p, r: length(p, 0 * r), "dependence"),
        "residual alone": (lambda p, r: length(0 * p, r), "dependence"),
        "in nats": (lambda p, r: length(p, r) * math.log(2), "constant"),
        "mean of each": (lambda p, r: -(p.mean(1) + r.flatten(1).mean(1)) / math.log(2), "reduction"),
        "over codes and values": (lambda p, r: length(p, r) * r[0].numel() / (r[0].numel() + p.shape[1]), "reduction"),
        "sign": (lambda p, r: -length(p, r), "sign"),
        "mean of the batch": (lambda p, r: length(p, r).mean(), "shape"),
    },
}


def _with_zeros(k, size):
    shares = torch.bincount(k.flatten(), minlength=size) / k.numel()
    return (-(shares * shares.log()).sum()).exp()
