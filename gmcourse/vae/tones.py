"""Sounds from captions in two levels that are trained apart, each with a prior: as Jukebox makes music."""

from functools import partial

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import sampling
from gmcourse.protocols import Bounded, Sampler, Trainable
from gmcourse.record import Examples, ModelRecord, Suits, held_then_falling_plan, shape_of
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.hierarchy import Levels
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.rows import CodeTransformer, above
from gmcourse.vae.stacked import StackedVQ
from gmcourse.vae.strided import near
from gmcourse.vae.vq import VQVAE


def sound_level(samples: int, hop: int, size: int = 64, dims: int = 8, width: int = 64) -> VQVAE:
    """A code for `hop` samples of x, (batch, 1, samples); each sees its block and the two beside it. σ = 0.1.

    Raises ValueError where the hop does not divide the samples.
    """
    if hop < 1 or samples % hop:
        raise ValueError(f"hop: got {hop} for {samples} samples, expected one that divides them")
    encoder = nn.Sequential(nn.Conv1d(1, width, hop, stride=hop), *near(1, width, width, dims))
    decoder = nn.Sequential(*near(1, dims, width, width), nn.ConvTranspose1d(width, 1, hop, stride=hop))
    return VQVAE(encoder, VectorQuantizer(size, dims), decoder, Gaussian(0.1), (samples // hop,))


def prior_under(over: Tensor, ids: int, size: int, width: int = 64, drop: float = 0.0) -> CaptionPrior:
    """p(k|c) of T codes of a sound: `over`, (T, C), hands the C symbols of c, ids below `ids`, to each place."""
    places, length = over.shape
    rows = CodeTransformer(ids + 1 + size, (places,), over, (2, 3, 4), width=width)
    return CaptionPrior(rows, ids, size, (length, places), drop=drop)


class CaptionedTones(nn.Module):
    """c → t ~ p(t|c) → b ~ p(b|t) → x: `levels` is a `StackedVQ`, whose prior gives p(b|t); `prior` gives p(t|c).

    Dhariwal et al. 2020 have three levels, tell all priors artist, genre and time, and the top's alone the lyrics; here
    p(b|t) is told nothing.
    """

    def __init__(self, levels: StackedVQ, prior: CaptionPrior):
        super().__init__()
        self.levels, self.prior = levels, prior

    def sample_mean(self, n: int, given: Tensor, *, strength: float = 0.0, rng: Generator | None = None) -> Tensor:
        """t ~ p(t|c), b ~ p(b|t), E[x|b], (n, 1, samples): guided, if at all, at the top."""
        with sampling(self, n, rng):
            top = self.prior.sample(n, given, strength=strength, rng=rng)
            bottom = self.levels.prior.sample(n, top, rng=rng)
            return self.levels.decode(Levels(top, bottom))


def captioned_tones(
    samples: int, words: int, length: int, hops: tuple[int, int] = (32, 8), size: int = 64
) -> CaptionedTones:
    """Two levels of a sound, with books of `size` codes each, and their priors; captions of `length` words."""
    every = torch.ones(samples // hops[0], length)  # the words, for each place
    return CaptionedTones(two_sound_levels(samples, hops, size), prior_under(every, words, size, drop=0.1))


def two_sound_levels(samples: int, hops: tuple[int, int] = (32, 8), size: int = 64, width: int = 64) -> StackedVQ:
    """A top and a bottom of a sound, trained apart, with a prior of both."""
    top, bottom = (sound_level(samples, hop, size, width=width) for hop in hops)
    over = above((samples // hops[0],), (samples // hops[1],))
    return StackedVQ(top, bottom, prior_under(over, size, size, width))


def make_jukebox(data: Examples | None = None) -> StackedVQ:
    """A bottom code for 8, 4, 2 or 1 samples, a top code for up to 5 of these. Without data: for sounds of 64 samples.

    Each hop is the longest that divides what it cuts.
    """
    samples = shape_of(data, (1, 64))[-1]
    hop = next(step for step in (8, 4, 2, 1) if not samples % step)
    more = next(step for step in (5, 4, 3, 2, 1) if not samples // hop % step)
    return two_sound_levels(samples, (more * hop, hop), 64 if data else 16, 64 if data else 16)


def sounds(n: int, seed: int = 0) -> tuple[Tensor]:
    """Noise, (n, 1, 64)."""
    return (0.5 * torch.randn(n, 1, 64, generator=torch.Generator().manual_seed(seed)),)


JUKEBOX = ModelRecord(
    name="Jukebox",
    key="jukebox",
    family="vae",
    branch=("explicit density", "approximate", "discrete codes"),
    density="bound",
    claims=(Trainable, Sampler, Bounded),
    paper="dhariwal2020",
    year=2020,
    arxiv="2005.00341",
    lesson="04_vae/05_hierarchy_and_captions",
    suits=Suits("sounds", lambda shape, dtype: dtype.is_floating_point and len(shape) == 2 and shape[0] == 1),
    make=make_jukebox,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=16, peak=3e-3),
    example=sounds,
)
