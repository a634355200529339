"""Every law of filling blanks passes the package's own function and catches each planted bug."""

import math
from functools import partial

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softplus

from gmcourse.gan.filler import Filler
from gmcourse.gan.gain import GAIN, fill, gain_critic_loss, gain_generator_loss, gain_networks, hint, known
from gmcourse.gan.two_bits import PAIRS
from gmcourse.laws.gan import blanks
from gmcourse.metrics import imputation_rmse


def critic_in_loops(logits, m, b):
    terms = [
        -torch.sigmoid(h if here else -h).log()
        for h, here, told in zip(logits.flatten(), m.flatten(), b.flatten())
        if not told
    ]
    return torch.stack(terms).mean()


def over_all(logits, m, b):
    return binary_cross_entropy_with_logits(logits, m)


def means(blanked):
    return torch.where(blanked.isnan(), blanked.nanmean(0), blanked)


def means_with(blanked, values):
    return torch.where(blanked.isnan(), values, blanked)


def zero_for_blank(blanked):
    held = blanked.nan_to_num()
    return torch.where(held == 0, held.sum(0) / (held != 0).sum(0), held)


def filler():
    torch.manual_seed(0)
    return Filler(gain_networks(3)[0], hide=0.2)


def gain():
    torch.manual_seed(0)
    return GAIN(*gain_networks(3))


def bayes(laws, p):
    joint, bits = p[:, None] * laws, torch.tensor(PAIRS, dtype=laws.dtype)
    return bits.T @ joint / joint.sum(0)


def rmse(x, filled, m, where=0):
    return (x - filled)[m == where].square().mean().sqrt()


RIGHT = {
    blanks.hint_leaves_some_open: (hint, lambda m, b: torch.where(b > 0, m, 0.5)),
    blanks.critic_is_scored_where_nothing_is_told: (gain_critic_loss, critic_in_loops),
    blanks.generator_is_paid_for_blanks: (
        gain_generator_loss,
        lambda h, m, b: ((1 - m) * -logsigmoid(h))[b == 0].mean(),
    ),
    blanks.error_of_blanks_alone: (imputation_rmse, rmse),
    blanks.known_entries_come_back: (partial(gain().impute), partial(filler().impute)),
    blanks.means_leave_blanks_out: (means,),
    blanks.critic_reads_filled_rows: (bayes,),
    blanks.one_draw_pays_more_than_their_mean: (math.sqrt(2 / 1.05), 1.38),
}
BUGS = {
    blanks.hint_leaves_some_open: {
        "0 for hidden": (lambda m, b: b * m, "constant"),
        "b the other way round": (lambda m, b: (1 - b) * m + 0.5 * b, "direction"),
        "the mask itself": (lambda m, b: m, "dependence"),
        "half of all": (lambda m, b: 0.5 * (b * m), "one-to-one"),
        "½ added everywhere": (lambda m, b: m + 0.5 * (1 - b), "constant"),
    },
    blanks.critic_is_scored_where_nothing_is_told: {
        "all entries": (over_all, "dependence"),
        "told entries": (lambda h, m, b: gain_critic_loss(h, m, 1 - b), "direction"),
        "mask inverted": (lambda h, m, b: gain_critic_loss(h, 1 - m, b), "direction"),
        "sum": (lambda h, m, b: gain_critic_loss(h, m, b) * (1 - b).sum(), "reduction"),
        "over all entries' number": (lambda h, m, b: gain_critic_loss(h, m, b) * (1 - b).mean(), "reduction"),
        "known alone": (lambda h, m, b: (m * softplus(-h))[b == 0].mean(), "one-to-one"),
        "detached": (lambda h, m, b: gain_critic_loss(h.detach(), m, b), "gradient"),
    },
    blanks.generator_is_paid_for_blanks: {
        "known entries too": (lambda h, m, b: gain_generator_loss(h, 0 * m, b), "one-to-one"),
        "the critic's loss": (gain_critic_loss, "one-to-one"),
        "told entries too": (lambda h, m, b: ((1 - m) * softplus(-h)).mean(), "dependence"),
        "mask inverted": (lambda h, m, b: gain_generator_loss(h, 1 - m, b), "direction"),
        "saturating": (lambda h, m, b: -((1 - m) * softplus(h))[b == 0].mean(), "sign"),
        "sign": (lambda h, m, b: -gain_generator_loss(h, m, b), "sign"),
        "detached": (lambda h, m, b: gain_generator_loss(h.detach(), m, b), "gradient"),
    },
    blanks.error_of_blanks_alone: {
        "over all entries": (lambda x, f, m: ((1 - m) * (x - f)).square().mean().sqrt(), "reduction"),
        "all entries": (lambda x, f, m: (x - f).square().mean().sqrt(), "dependence"),
        "known entries": (lambda x, f, m: rmse(x, f, m, 1), "direction"),
        "no root": (lambda x, f, m: rmse(x, f, m) ** 2, "spread"),
        "absolute": (lambda x, f, m: (x - f)[m == 0].abs().mean(), "spread"),
    },
    blanks.known_entries_come_back: {
        "all its own": (lambda x, rng: torch.rand(x.shape, generator=rng), "dependence"),
        "rounded": (lambda x, rng: (x.nan_to_num() * 100).round() / 100, "dependence"),
        "global noise": (lambda x, rng: fill(x, known(x), torch.rand_like(x)), "randomness"),
        "in place": (lambda x, rng: x.nan_to_num_(0.5), "mutation"),
        "blanks left": (lambda x, rng: x, "not-finite"),
    },
    blanks.means_leave_blanks_out: {
        "blanks as 0": (lambda x: means_with(x, x.nan_to_num().mean(0)), "reduction"),
        "of the row": (lambda x: means_with(x, x.nanmean(1, keepdim=True)), "direction"),
        "of the table": (lambda x: means_with(x, x.nanmean()), "one-to-one"),
        "a known 0 as a blank": (zero_for_blank, "reduction"),
        "complete rows": (lambda x: means_with(x, x[~x.isnan().any(1)].mean(0)), "reduction"),
        "median": (lambda x: means_with(x, x.nanmedian(0).values), "spread"),
        "known overwritten": (lambda x: x.nanmean(0).expand_as(x), "dependence"),
        "zeros": (lambda x: x.nan_to_num(), "constant"),
        "in place": (lambda x: x.copy_(means(x)), "mutation"),
    },
    blanks.critic_reads_filled_rows: {
        "P(m_i = 0)": (lambda q, p: 1 - bayes(q, p), "direction"),
        "masks equally likely": (lambda q, p: bayes(q, torch.full_like(p, 0.25)), "dependence"),
        "joint, not divided": (lambda q, p: bayes(q, p) * (p[:, None] * q).sum(0), "direction"),
        "odds": (lambda q, p: bayes(q, p) / (1 - bayes(q, p)), "reduction"),
    },
    blanks.one_draw_pays_more_than_their_mean: {
        "over the conditional mean": (math.sqrt(2), "constant"),
        "the same": (1.0, "dependence"),
        "mean squares": (2 / 1.05, "spread"),
        "upside down": (math.sqrt(1.05 / 2), "direction"),
        "the draws' variances alone": (math.sqrt(20), "reduction"),
        "another": (1.25, ""),
    },
}
