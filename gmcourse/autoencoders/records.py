"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.autoencoders.gsn import GENERATIVE_STOCHASTIC_NETWORK

RECORDS = (GENERATIVE_STOCHASTIC_NETWORK,)
