"""What the jobs share: the digits, the seconds, and models that more than one of them trains."""

import math
from functools import cache

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import Dataset, load
from gmcourse.flows.coupling import AffineCoupling
from gmcourse.flows.dequantise import Dequantized, Logit
from gmcourse.flows.flow import Flow
from gmcourse.nets import LeveledMLP, mlp
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.diffusion import DDPM
from gmcourse.scores.samplers import cosine_levels
from gmcourse.taxonomy.naive_bayes import NaiveBayes
from gmcourse.vae import GaussianVAE
from gmcourse.vae.likelihoods import Categorical

SHAPE, LEVELS, DIMS, SECONDS, BRIEF = (1, 8, 8), 17, 64, 5.0, 2.0
DRAWS, EACH, NOISE = 100, 100, 0.2
ADAM = {"peak": 2e-3, "batch_size": 64}
DIFFUSING = {"peak": 2e-3, "batch_size": 96, "clip": 1.0}
PIXELS = {"peak": 3e-3, "batch_size": 32, "clip": 50.0}


@cache
def digits() -> Dataset:
    return load("digits")


@cache
def binary() -> Dataset:
    return load("binarized-digits")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_vae(levels: int = LEVELS) -> GaussianVAE:
    """Pictures of 17 levels, with a probability for each level of each pixel."""
    decoder = nn.Sequential(mlp([8, 128, levels * DIMS]), nn.Unflatten(1, (levels, *SHAPE)))
    return GaussianVAE(nn.Sequential(nn.Flatten(), mlp([DIMS, 128, 16])), decoder, Categorical(levels), 8)


class Flat(nn.Module):
    """A dequantised RealNVP of flat pictures, told pictures."""

    def __init__(self):
        super().__init__()
        couplings = [AffineCoupling(DIMS, (128, 128), swap=k % 2 == 1) for k in range(8)]
        self.model = Dequantized(Flow([Logit(), *couplings], (DIMS,)), LEVELS)

    def loss(self, x: Tensor) -> Tensor:
        return self.model.loss(x.flatten(1))

    def bound(self, x: Tensor, k: int) -> Tensor:
        """At most ln P(x), (batch,), in the mean over draws."""
        return self.model.log_weights(x.flatten(1), k, rng=seeded(0)).logsumexp(0) - math.log(k)


def counted(x: Tensor, labels: Tensor) -> NaiveBayes:
    """A mixture of the ten digits at 17 levels, its smoothing chosen on the validation digits of the same classes."""
    kept = torch.isin(evidence.labels(digits(), "valid"), labels)
    valid = (digits().valid[kept] * 16).round()
    fits = [NaiveBayes(SHAPE, levels=LEVELS).count((x * 16).round(), labels, a) for a in (0.03, 0.1, 0.3, 1.0)]
    return max(fits, key=lambda fit: fit.log_prob(valid).mean().item())


def make_ddpm() -> DDPM:
    """Of flat pictures, by an MLP."""
    x = digits().train
    spread, centre = x.std().item(), x.mean().item()
    sigmas = spread * cosine_levels(80.0, 0.4 / (LEVELS - 1) / spread, 1_000)
    net = Denoiser(LeveledMLP(DIMS, [128, 128, 128]), spread, centre)
    return DDPM(net, (DIMS,), sigmas, bounds=(0.0, 1.0), levels=LEVELS)
