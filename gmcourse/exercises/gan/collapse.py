"""Exercises of lesson 05.3, collapse."""

import torch

from gmcourse.exercises.record import Exercise
from gmcourse.gan.losses import feature_matching_loss
from gmcourse.gan.minibatch import nearness
from gmcourse.laws.gan import collapse
from gmcourse.metrics.coverage import modes


def _near(samples, centres, std):
    return torch.cdist(samples, centres) <= 3 * std


def _any_sample(samples, centres, std):
    near = _near(samples, centres, std)
    return int(near.any(0).sum()), near.any(1).float().mean().item()


def _nearest_mode(samples, centres, std):
    share = torch.bincount(torch.cdist(samples, centres).argmin(1), minlength=len(centres)) / len(samples)
    return int((share >= 0.01).sum()), 1.0


def _fair_share(samples, centres, std):
    near = _near(samples, centres, std).float()
    return int((near.mean(0) >= 1 / len(centres)).sum()), near.amax(1).mean().item()


EXERCISES = (
    Exercise(
        id="gan.feature_matching_loss",
        stub='''def feature_matching_loss(critic, real, fake):
    """‖E φ(real) − E φ(fake)‖², φ all layers of the Sequential critic but its last."""
    raise NotImplementedError''',
        points=1,
        laws=(collapse.features_agree_in_the_mean,),
        reference=feature_matching_loss,
        hints=(
            "An nn.Sequential can be cut: critic[:-1] is all but its last layer.",
            "Mean over each batch first; then the difference, its square, and the sum over the features.",
        ),
        wrong=(
            (lambda c, real, fake: (c[:-1](real) - c[:-1](fake)).square().sum(1).mean(), "log-mean"),
            (lambda c, real, fake: (c[:-1](real).mean(0) - c[:-1](fake).mean(0)).square().mean(), "reduction"),
            (lambda c, real, fake: (c(real).mean(0) - c(fake).mean(0)).square().sum(), "dependence"),
            (lambda c, real, fake: (c[:-1](real).mean(0) - c[:-1](fake).mean(0)).norm(), "spread"),
        ),
        causes={
            "log-mean": "No fake belongs to a certain real example. Which comes first, the mean or the square?",
            "reduction": "A squared norm adds over the features. Did you take their mean?",
            "dependence": "Of which layer are yours? The features are what the last layer is given.",
            "spread": "Is it the norm, or its square? And which norm?",
            "shape": "Take each batch's mean, not its sum: the two may differ in number.",
            "gradient": "The value is right, and the generator cannot learn from it. What cuts the fakes off?",
        },
    ),
    Exercise(
        id="gan.nearness",
        stub='''def nearness(places):
    """o_ib = Σ_j exp(−‖M_ib − M_jb‖₁), j = i included, (batch, kernels).

    places, the M, is (batch, kernels, size).
    """
    raise NotImplementedError''',
        points=2,
        laws=(collapse.rows_see_their_neighbours,),
        reference=nearness,
        hints=(
            "places[:, None] − places[None] has the shape (batch, batch, kernels, size): every row less every other.",
            "Absolute values, a sum over the last axis, exp of minus it, a sum over j.",
        ),
        wrong=(
            (lambda m: torch.exp(-(m[:, None] - m[None]).norm(dim=-1)).sum(1), "spread"),
            (lambda m: torch.exp((m[:, None] - m[None]).abs().sum(-1)).sum(1), "sign"),
            (lambda m: torch.exp(-(m[:, None] - m[None]).abs().sum(-1)).mean(1), "reduction"),
            (lambda m: nearness(m) - 1, "constant"),
            (lambda m: torch.exp(-(m[:, None] - m[None]).abs().sum((-1, -2))).sum(1), "shape"),
        ),
        causes={
            "spread": "‖·‖₁ adds absolute values. Which norm is yours?",
            "sign": "Near rows should give a large number, at most 1 each. Do yours?",
            "reduction": "The paper adds over the batch. Did you take a mean?",
            "dependence": "A distance has no sign. Do your differences cancel each other?",
            "constant": "The sum has a term j = i, which is 1. Did you leave it out?",
            "shape": "Each kernel keeps its own number: (batch, kernels).",
        },
    ),
    Exercise(
        id="gan.modes",
        stub='''def modes(samples, centres, std):
    """(found, quality): how many modes hold at least 1 % of all samples within 3 std,
    and the share of samples within 3 std of any. samples (n, d), centres (k, d)."""
    raise NotImplementedError''',
        points=2,
        laws=(collapse.modes_are_counted,),
        reference=modes,
        hints=(
            "torch.cdist(samples, centres) is (n, k). Which entries are at most 3 std?",
            "found: columns whose mean is at least 0.01. quality: the mean of any over each row.",
        ),
        wrong=(
            (_any_sample, "constant"),
            (_nearest_mode, "dependence"),
            (_fair_share, "reduction"),
            (lambda x, c, std: modes(x, c, std**2), "spread"),
        ),
        causes={
            "constant": "One lucky sample does not make a mode. What share of all samples is asked for?",
            "dependence": "Every sample has a nearest mode, however far away. How far may it be, to count?",
            "reduction": "The mark is 1 % of all samples, and the quality is a share. Of what are yours?",
            "spread": "A sample counts within three standard deviations. How large is your radius?",
            "direction": "Exactly 1 % is enough. Is it > or ≥?",
            "one-to-one": "The distance is √Σ(x − μ)², over all coordinates. Which one is yours?",
        },
    ),
)
