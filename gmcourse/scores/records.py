"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.scores.ncsn import NOISE_CONDITIONAL_SCORE_NETWORK

RECORDS = (NOISE_CONDITIONAL_SCORE_NETWORK,)
