"""How good a model is: likelihoods in nats, and distances between samples and data."""

from gmcourse.metrics.classifier import features
from gmcourse.metrics.coverage import Modes, modes
from gmcourse.metrics.distances import kernel_distance, mmd, sliced_wasserstein
from gmcourse.metrics.fidelity import (
    Fidelity,
    density_coverage,
    fidelity,
    frechet_bias,
    frechet_distance,
    precision_recall,
)
from gmcourse.metrics.imputation import imputation_coverage, imputation_rmse
from gmcourse.metrics.likelihood import (
    Estimate,
    estimate,
    importance_weighted,
    mean_elbo,
    measures,
    mixture_cost,
    nll,
)
from gmcourse.metrics.memorisation import OneNearest, nearest_share, one_nearest
from gmcourse.metrics.ranking import auroc, neighbours_alike
from gmcourse.metrics.sound import cents_off, loudness_left, pair_of_classes, pitch, pitch_class
from gmcourse.metrics.transport import transport_plan, wasserstein_1d, wasserstein_lp

__all__ = [
    "Estimate",
    "Fidelity",
    "Modes",
    "OneNearest",
    "auroc",
    "cents_off",
    "density_coverage",
    "estimate",
    "features",
    "fidelity",
    "frechet_bias",
    "frechet_distance",
    "importance_weighted",
    "imputation_coverage",
    "imputation_rmse",
    "kernel_distance",
    "loudness_left",
    "mean_elbo",
    "measures",
    "mixture_cost",
    "mmd",
    "modes",
    "nearest_share",
    "neighbours_alike",
    "nll",
    "one_nearest",
    "pair_of_classes",
    "pitch",
    "pitch_class",
    "precision_recall",
    "sliced_wasserstein",
    "transport_plan",
    "wasserstein_1d",
    "wasserstein_lp",
]
