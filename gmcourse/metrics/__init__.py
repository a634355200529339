"""How good a model is: likelihoods in nats, and distances between samples and data."""

from gmcourse.metrics.distances import mmd, sliced_wasserstein
from gmcourse.metrics.likelihood import Estimate, estimate, importance_weighted, mean_elbo, nll
from gmcourse.metrics.transport import transport_plan, wasserstein_1d, wasserstein_lp

__all__ = [
    "Estimate",
    "estimate",
    "importance_weighted",
    "mean_elbo",
    "mmd",
    "nll",
    "sliced_wasserstein",
    "transport_plan",
    "wasserstein_1d",
    "wasserstein_lp",
]
