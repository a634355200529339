"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.scores.diffusion import DENOISING_DIFFUSION, DENOISING_IMPLICIT
from gmcourse.scores.sde import SCORE_SDE

RECORDS = (
    DENOISING_DIFFUSION,
    DENOISING_IMPLICIT,
    SCORE_SDE,
)
