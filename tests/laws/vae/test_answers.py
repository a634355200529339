"""Every law of answers passes the package's own functions and catches each planted bug."""

import torch

from gmcourse.laws.vae import answers as laws
from gmcourse.vae.answers import best_of, diversity
from gmcourse.vae.gaussian import reparameterize
from gmcourse.vae.told import context


def fill(x, known, prior, decode, noise):
    c = context(x, known)
    return torch.where(known, x, decode(reparameterize(*prior(c), noise), c))


def by_hand(x, known, prior, decode, noise):
    mask = known.float()
    c = torch.cat([x * mask, mask], dim=1)
    mean, log_std = prior(c)
    return x * mask + (1 - mask) * decode(mean + log_std.exp() * noise, c)


def peeking(x, known, prior, decode, noise):
    c = torch.cat([x, known.float()], 1)
    return torch.where(known, x, decode(reparameterize(*prior(c), noise), c))


def all_decoded(x, known, prior, decode, noise):
    c = context(x, known)
    return decode(reparameterize(*prior(c), noise), c)


def from_standard(x, known, prior, decode, noise):
    return torch.where(known, x, decode(noise, context(x, known)))


def too_wide(x, known, prior, decode, noise):
    c = context(x, known)
    mean, log_std = prior(c)
    return torch.where(known, x, decode(mean + (2 * log_std).exp() * noise, c))


def at_the_mean(x, known, prior, decode, noise):
    c = context(x, known)
    return torch.where(known, x, decode(prior(c)[0], c))


def the_others(x, known, prior, decode, noise):
    c = context(x, known)
    return torch.where(known, decode(reparameterize(*prior(c), noise), c), x)


def mask_first(x, known, prior, decode, noise):
    c = context(x, known).flip(1) if x.shape[1] == 1 else context(x, known)
    return torch.where(known, x, decode(reparameterize(*prior(c), noise), c))


def one_noise(x, known, prior, decode, noise):
    return fill(x, known, prior, decode, noise[:1].expand_as(noise))


def by_loop(answers, truth):
    return torch.stack([min(((a - t) ** 2).sum() for a in answers[:, i]) for i, t in enumerate(truth)])


RIGHT = {
    laws.answer_is_drawn_from_prior: (fill, by_hand),
    laws.best_is_the_least_error: (best_of, by_loop),
    laws.diversity_is_what_z_brings: (
        diversity,
        lambda a: ((a - a.mean(0)) ** 2).mean(0).flatten(1).sum(1),
        lambda a: (a.square().mean(0) - a.mean(0).square()).flatten(1).sum(1),
    ),
}
BUGS = {
    laws.answer_is_drawn_from_prior: {
        "the known ones decoded too": (all_decoded, "dependence"),
        "c holds the missing pixels": (peeking, "direction"),
        "z from N(0, I)": (from_standard, "constant"),
        "the variance for the deviation": (too_wide, "spread"),
        "the prior's mean": (at_the_mean, "randomness"),
        "the others kept": (the_others, "sign"),
        "the mask in front": (mask_first, "container"),
        "one noise for all": (one_noise, "shape"),
    },
    laws.best_is_the_least_error: {
        "the best pixel of any answer": (lambda a, t: (a - t).square().amin(0).flatten(1).sum(1), "dependence"),
        "the mean over answers": (lambda a, t: (a - t).square().flatten(2).sum(2).mean(0), "log-mean"),
        "the worst": (lambda a, t: (a - t).square().flatten(2).sum(2).amax(0), "direction"),
        "the mean of the answers": (lambda a, t: (a.mean(0) - t).square().flatten(1).sum(1), "direction"),
        "the mean over pixels": (lambda a, t: best_of(a, t) / t[0].numel(), "reduction"),
        "a distance": (lambda a, t: best_of(a, t).sqrt(), "spread"),
        "the first": (lambda a, t: (a[0] - t).square().flatten(1).sum(1), "one-to-one"),
        "absolute errors": (lambda a, t: (a - t).abs().flatten(2).sum(2).amin(0), "constant"),
        "the mean over the batch": (lambda a, t: best_of(a, t).mean(), "shape"),
        "over the batch": (lambda a, t: (a - t).square().flatten(2).sum(2).amin(1), "shape"),
    },
    laws.diversity_is_what_z_brings: {
        "the ink's noise too": (lambda a: (a.mean(0) * (1 - a.mean(0))).flatten(1).sum(1), "randomness"),
        "the noise alone": (lambda a: (a * (1 - a)).mean(0).flatten(1).sum(1), "randomness"),
        "deviations": (lambda a: a.std(0, correction=0).flatten(1).sum(1), "spread"),
        "divided by S − 1": (lambda a: a.var(0).flatten(1).sum(1), "constant"),
        "the mean over pixels": (lambda a: a.var(0, correction=0).flatten(1).mean(1), "reduction"),
        "the variance of the ink": (lambda a: a.flatten(2).sum(2).var(0, correction=0), "dependence"),
        "over the questions": (
            lambda a: a.var(1, correction=0).mean(0).sum().expand(a.shape[1]),
            "direction",
        ),
        "the mean over the batch": (lambda a: diversity(a).mean(), "shape"),
        "sign": (lambda a: -diversity(a), "sign"),
        "over the answers' axis": (lambda a: a.var(1, correction=0).flatten(1).sum(1), "shape"),
    },
}
