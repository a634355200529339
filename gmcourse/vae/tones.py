"""Sounds from captions in two levels that are trained apart, each with a prior: as Jukebox makes music."""

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import sampling
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.hierarchy import Levels
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.rows import CodeTransformer, above
from gmcourse.vae.stacked import StackedVQ
from gmcourse.vae.vq import VQVAE


def sound_level(samples: int, hop: int, size: int = 64, dims: int = 8, width: int = 64) -> VQVAE:
    """A code for `hop` samples of x, (batch, 1, samples); each sees its block and the two beside it. σ = 0.1.

    Raises ValueError where the hop does not divide the samples.
    """
    if hop < 1 or samples % hop:
        raise ValueError(f"hop: got {hop} for {samples} samples, expected one that divides them")

    def across(inputs: int, outputs: int) -> list[nn.Module]:
        near = [nn.Conv1d(inputs, width, 3, padding=1), nn.SiLU(), nn.Conv1d(width, width, 1), nn.SiLU()]
        return [*near, nn.Conv1d(width, outputs, 1)]

    encoder = nn.Sequential(nn.Conv1d(1, width, hop, stride=hop), *across(width, dims))
    decoder = nn.Sequential(*across(dims, width), nn.ConvTranspose1d(width, 1, hop, stride=hop))
    return VQVAE(encoder, VectorQuantizer(size, dims), decoder, Gaussian(0.1), (samples // hop,))


def words_prior(places: int, size: int, words: int, length: int, width: int = 64) -> CaptionPrior:
    """p(k|c) of `places` codes of a sound, all words of the caption handed to each place."""
    rows = CodeTransformer(words + 1 + size, (places,), torch.ones(places, length), (2, 3, 4), width=width)
    return CaptionPrior(rows, words, size, (length, places))


def upper_prior(top: int, bottom: int, size: int, width: int = 64) -> CaptionPrior:
    """p(t) and p(b|t), with the top code that stands above handed to each place; nothing is dropped."""
    over = above((top,), (bottom,))
    rows = CodeTransformer(size + 1 + size, (bottom,), over, (2, 3, 4), width=width)
    return CaptionPrior(rows, size, size, (top, bottom), drop=0.0)


class CaptionedTones(nn.Module):
    """c → t ~ p(t|c) → b ~ p(b|t) → x: `levels` is a `StackedVQ`, whose prior gives p(b|t); `prior` gives p(t|c).

    Dhariwal et al. 2020 have three levels, and tell the priors artist, genre and words; here p(b|t) is told nothing.
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


def captioned_tones(samples: int, words: int, length: int, hops: tuple[int, int] = (32, 8), size: int = 64) -> CaptionedTones:
    """Two levels of a sound, with books of `size` codes each, and their priors; captions of `length` words."""
    top, bottom = (sound_level(samples, hop, size) for hop in hops)
    levels = StackedVQ(top, bottom, upper_prior(samples // hops[0], samples // hops[1], size))
    return CaptionedTones(levels, words_prior(samples // hops[0], size, words, length))
