"""Answers to the exercises of lesson 04.4, right and wrong."""

import math
from collections import Counter

import torch

from gmcourse.vae.quantizer import ema_step


def nearest_by_loop(z, book):
    codes = []
    for row in z:
        squares = [float(((row - e) ** 2).sum()) for e in book]
        codes.append(squares.index(min(squares)))
    return codes


class Through(torch.autograd.Function):
    """Straight-through, written as a function of autograd's own."""

    @staticmethod
    def forward(ctx, z, e):
        return e.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def step_in_place(count, total, n, sums, decay):
    count *= decay
    count += (1 - decay) * n
    return count, total, total / count[:, None]


def step_by_code(count, total, n, sums, decay):
    counts = [decay * count[k] + (1 - decay) * n[k] for k in range(len(n))]
    totals = [decay * total[k] + (1 - decay) * sums[k] for k in range(len(n))]
    return torch.stack(counts), torch.stack(totals), torch.stack([m / N for N, m in zip(counts, totals)])


def perplexity_by_counter(codes, size):
    shares = [count / codes.numel() for count in Counter(codes.flatten().tolist()).values()]
    return math.exp(-sum(p * math.log(p) for p in shares))


def perplexity_as_product(codes, size):
    p = torch.nn.functional.one_hot(codes.flatten(), size).double().mean(0)
    return 1 / (p**p).prod()


def length_row_by_row(log_prior, log_likelihood):
    rows = []
    for codes, rest in zip(log_prior, log_likelihood):
        rows.append(-(codes.sum() + rest.sum()) / math.log(2) / rest.numel())
    return torch.stack(rows)


def length_by_log2(log_prior, log_likelihood):
    rest = log_likelihood.flatten(1)
    joined = torch.cat([log_prior, rest], 1).exp().log2()
    return -joined.sum(1) / rest.shape[1]


def mean_over_all(log_prior, log_likelihood):
    joined = torch.cat([log_prior, log_likelihood.flatten(1)], 1)
    return -joined.mean(1) / math.log(2)


RIGHT = {
    "vae.nearest": {
        "a loop": nearest_by_loop,
        "cdist": lambda z, book: torch.cdist(z, book).argmin(1),
        "without ‖z‖²": lambda z, book: (2 * z @ book.T - book.square().sum(1)).argmax(1),
        "by differences": lambda z, book: (z[:, None] - book).square().sum(2).min(1).indices,
    },
    "vae.straight_through": {
        "z plus a constant": lambda z, e: z + (e - z).detach(),
        "e, and z less itself": lambda z, e: e.detach() + z - z.detach(),
        "a function of autograd": Through.apply,
    },
    "vae.ema_step": {
        "by code": step_by_code,
        "lerp": lambda N, m, n, s, g: (
            torch.lerp(n, N, g),
            torch.lerp(s, m, g),
            torch.lerp(s, m, g) / torch.lerp(n, N, g).unsqueeze(1),
        ),
    },
    "vae.perplexity": {"Counter": perplexity_by_counter, "a product": perplexity_as_product},
    "vae.code_length": {"row by row": length_row_by_row, "by log2": length_by_log2},
    "vae.hard_choice": {"as it is": 0.19, "rough": 0.2, "as a tensor": torch.tensor(0.1897)},
}
WRONG = {
    "vae.nearest": {
        "the cosine": (
            lambda z, book: torch.nn.functional.cosine_similarity(z[:, None], book, dim=2).argmax(1),
            "direction",
        ),
        "one-hot": (lambda z, book: torch.eye(len(book))[torch.cdist(z, book).argmin(1)], "shape"),
    },
    "vae.straight_through": {
        "half of the gradient": (lambda z, e: 0.5 * z + (e - 0.5 * z).detach(), "gradient"),
        "z for e": (lambda z, e: z, "direction"),
    },
    "vae.ema_step": {
        "in place": (step_in_place, "mutation"),
        "the codes alone": (lambda *parts: ema_step(*parts)[2], "container"),
        "the batch alone": (lambda N, m, n, s, g: (n, s, s / n[:, None]), "dependence"),
    },
    "vae.perplexity": {
        "the entropy": (lambda k, size: math.log(perplexity_by_counter(k, size)), "constant"),
        "inverse of the sum of squares": (
            lambda k, size: 1 / (k.flatten().bincount(minlength=size) / k.numel()).square().sum(),
            "one-to-one",
        ),
    },
    "vae.code_length": {
        "a mean over codes and pixels": (mean_over_all, "reduction"),
        "in nats": (lambda p, r: length_row_by_row(p, r) * math.log(2), "constant"),
        "the sum of the batch": (lambda p, r: length_row_by_row(p, r).sum().expand(len(p)), "shape"),
    },
    "vae.hard_choice": {
        "ln 2": (0.693, "constant"),
        "nothing": (0.0, "one-to-one"),
        "the length": (1.945, "reduction"),
        "words": ("a little", "container"),
    },
}
