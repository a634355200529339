"""Models that learn ∇ ln p, or a density up to its constant: energies, scores, diffusion, and its fast descendants."""

from gmcourse.scores.ncsn import NCSN

__all__ = ["NCSN"]
