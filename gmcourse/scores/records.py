"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.scores.consistency import CONSISTENCY
from gmcourse.scores.diffusion import DENOISING_DIFFUSION, DENOISING_IMPLICIT

RECORDS = (
    DENOISING_DIFFUSION,
    DENOISING_IMPLICIT,
    CONSISTENCY,
)
