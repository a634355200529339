"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.scores.consistency import CONSISTENCY
from gmcourse.scores.diffusion import DENOISING_DIFFUSION, DENOISING_IMPLICIT
from gmcourse.scores.matching import DENOISING_SCORE_MATCHING, SLICED_SCORE_MATCHING
from gmcourse.scores.ncsn import NOISE_CONDITIONAL_SCORE_NETWORK
from gmcourse.scores.rbm import RESTRICTED_BOLTZMANN_MACHINE

RECORDS = (
    RESTRICTED_BOLTZMANN_MACHINE,
    SLICED_SCORE_MATCHING,
    DENOISING_SCORE_MATCHING,
    NOISE_CONDITIONAL_SCORE_NETWORK,
    DENOISING_DIFFUSION,
    DENOISING_IMPLICIT,
    CONSISTENCY,
)
