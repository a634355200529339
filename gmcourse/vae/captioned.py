"""Pictures from captions in two stages: codes of a VQ-VAE, and a prior that reads a caption before it says them."""

from functools import partial

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import sampling
from gmcourse.protocols import Bounded, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, Suits, binary_images, held_then_falling_plan
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.rows import CodeTransformer, neighbours
from gmcourse.vae.strided import near
from gmcourse.vae.vq import VQVAE, FromBlocks, Lengths, ToBlocks


class CaptionedVQ(nn.Module):
    """p(x, k|c) = p(k|c) p(x|k), k(x) the codes of `pictures`, c a caption (batch, C) int64, p(k|c) by `prior`.

    The codes do not see the caption: only the prior does. Both can be trained by one `loss`, since the codes get no
    gradient of the prior, or one after the other: fit `pictures`, then `prior` on rows of codes. Ramesh et al. 2021
    have these two stages, with another discrete autoencoder.
    """

    def __init__(self, pictures: VQVAE, prior: CaptionPrior):
        super().__init__()
        self.pictures, self.prior = pictures, prior

    def codes(self, x: Tensor) -> Tensor:
        """Rows of codes, (batch, T) int64."""
        return self.pictures.codes(x).flatten(1)

    def decode(self, rows: Tensor) -> Tensor:
        """E[x|k], (batch, *event), of rows of codes (batch, T)."""
        return self.pictures.decode(rows.view(len(rows), *self.pictures.places))

    def reconstruct(self, x: Tensor) -> Tensor:
        """E[x|k(x)]."""
        return self.pictures.reconstruct(x)

    def lengths(self, x: Tensor, given: Tensor) -> Lengths:
        """−ln p(k(x)|c) and −ln p(x|k(x)), (batch,) each, nats: their sum is at least −ln p(x|c)."""
        return Lengths(-self.prior.log_prob(self.codes(x), given), self.pictures.lengths(x).residual)

    def elbo(self, x: Tensor, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """ln p(k|c) + ln p(x|k), (batch,), nats: nothing is drawn, since q has one row."""
        codes, residual = self.lengths(x, given)
        return -codes - residual

    def loss(self, x: Tensor, given: Tensor) -> dict[str, Tensor]:
        """The terms of the autoencoder, without a prior of its own, and those of the prior with captions."""
        terms = self.pictures.loss(x)
        terms.pop("prior")
        rows = self.prior.loss(self.codes(x), given)
        return terms | {f"prior {name}": value for name, value in rows.items()}

    def after_step(self) -> None:
        """The book follows the encoder."""
        self.pictures.after_step()

    def sample_mean(self, n: int, given: Tensor, *, strength: float = 0.0, rng: Generator | None = None) -> Tensor:
        """k ~ p(k|c), guided by `strength`, then E[x|k]: what papers print."""
        with sampling(self, n, rng):
            return self.decode(self.prior.sample(n, given, strength=strength, rng=rng))

    def sample(self, n: int, given: Tensor, *, strength: float = 0.0, rng: Generator | None = None) -> Tensor:
        """k ~ p(k|c), guided by `strength`, then x ~ p(x|k): (n, *event), the decoder's noise included."""
        with sampling(self, n, rng):
            rows, below = self.prior.sample(n, given, strength=strength, rng=rng), self.pictures
            return below.likelihood.draw(below.parameters_of(rows.view(n, *below.places)), rng)


def near_networks(channels: int, dims: int, f: int = 2, width: int = 48) -> tuple[nn.Sequential, nn.Sequential]:
    """Encoder (batch, C, H, W) → (batch, d, H/f, W/f), and decoder: each code sees its block and the eight round it."""
    encoder = nn.Sequential(ToBlocks(f), *near(2, f * f * channels, width, dims))
    return encoder, nn.Sequential(*near(2, dims, width, f * f * channels), FromBlocks(f))


def captioned_vq(
    shape: tuple[int, int, int],
    words: int,
    length: int,
    size: int = 128,
    f: int = 2,
    width: int = 64,
    drop: float = 0.1,
) -> CaptionedVQ:
    """Pictures of `shape` (C, H, W), a code for f × f pixels, of a book of `size`; captions of `length` words.

    p(x|k) is Gaussian with σ = 0.1. Raises ValueError where f does not divide the sides.
    """
    channels, height, wide = shape
    if height % f or wide % f:
        raise ValueError(f"f: got {f} for pictures of {height} × {wide}, expected one that divides both")
    places = (height // f, wide // f)
    encoder, decoder = near_networks(channels, 8, f)
    pictures = VQVAE(encoder, VectorQuantizer(size, 8), decoder, Gaussian(0.1), places)
    count = places[0] * places[1]
    all_words = torch.ones(count, length)
    rows = CodeTransformer(words + 1 + size, places, all_words, neighbours(places[1]), width=width)
    return CaptionedVQ(pictures, CaptionPrior(rows, words, size, (length, count)))


def make_captioned_vq(data: Examples | None = None) -> CaptionedVQ:
    """For pictures whose labels are rows of words, int64. Without data: 8 × 8 pictures, captions of 2 of 5 words.

    A code for 2 × 2 pixels where 2 divides the sides, else for each pixel. Words are counted on the training split, so
    that no other may hold a larger id. Raises ValueError where the labels of the data are no captions.
    """
    if data is None:
        return captioned_vq((1, 8, 8), 5, 2, size=16, width=16)
    given = data.batch("train", told=True)[1]
    if given.dim() != 2 or given.is_floating_point() or given.min() < 0:
        came = f"labels of {given.dtype} and shape {tuple(given.shape)}"
        raise ValueError(f"data: {data.key} has {came}, expected captions, (n, C) int64")
    shape = tuple(data.event_shape)
    f = 2 if not shape[1] % 2 and not shape[2] % 2 else 1
    return captioned_vq((shape[0], shape[1], shape[2]), int(given.max()) + 1, given.shape[1], f=f)


def captioned_pictures(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random binary images, (n, 1, 8, 8), and captions of two of five words, (n, 2)."""
    rng = torch.Generator().manual_seed(seed)
    return *binary_images(n, seed), torch.randint(0, 5, (n, 2), generator=rng)


CAPTIONED_VQ = ModelRecord(
    name="Text-conditioned prior over codes",
    key="text-conditioned-codes",
    family="vae",
    branch=("explicit density", "approximate", "discrete codes"),
    density="bound",
    claims=(Trainable, Sampler, Bounded),
    paper="ramesh2021",
    year=2021,
    arxiv="2102.12092",
    lesson="04_vae/05_hierarchy_and_captions",
    suits=Suits("images (told captions)", IMAGES.holds),
    make=make_captioned_vq,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=32, peak=3e-3),
    example=captioned_pictures,
    told=True,
)
