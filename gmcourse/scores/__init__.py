"""Models that learn ∇ ln p, or a density up to its constant: energies, scores, diffusion, and its fast descendants."""

from gmcourse.scores.matching import DenoisingScore, SlicedScore

__all__ = [
    "DenoisingScore",
    "SlicedScore",
]
