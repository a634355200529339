"""Models that learn ∇ ln p, or a density up to its constant: energies, scores, diffusion, and its fast descendants."""

from gmcourse.scores.matching import DenoisingScore, SlicedScore
from gmcourse.scores.ncsn import NCSN
from gmcourse.scores.rbm import RBM

__all__ = [
    "DenoisingScore",
    "NCSN",
    "RBM",
    "SlicedScore",
]
