"""Clips as bricks of codes: a VQ-VAE that is causal in time, and clips that are carried on from their first frames."""

import math
from functools import partial
from typing import Any, Protocol, cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.generation import Choosing, Stepwise, generate, unchanged
from gmcourse.nets import evaluating, sampling
from gmcourse.protocols import Bounded, Sampler, Trainable
from gmcourse.record import Examples, ModelRecord, Suits, held_then_falling_plan, shape_of
from gmcourse.vae.bricks import BrickTransformer, codes_ahead, flatten_codes, unflatten_codes
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.vq import VQVAE

Bricks = tuple[int, int, int]  # slots, rows, columns
Clip = tuple[int, int, int, int]  # C, T, H, W


class RowPrior(Stepwise, Protocol):
    """p(k) of rows of codes, one after another, with the part of each: a Transformer, an LSTM."""

    def symbol_log_prob(self, x: Tensor, /) -> Tensor: ...


def video_networks(
    shape: tuple[int, int, int, int], dims: int, width: int = 64, frames: int = 2
) -> tuple[nn.Sequential, nn.Sequential, tuple[int, int, int]]:
    """Encoder (batch, C, T, H, W) → (batch, d, T/frames, H/4, W/4), decoder back, and the places of the codes.

    The first convolution reads bricks of `frames` × 4 × 4 pixels: its kernel is its stride, without padding; the others
    see one slot of time, and the bricks beside. So a slot's codes are a function of its own frames alone, and a clip
    may be encoded as far as it is known. Raises ValueError where `frames` does not divide T, or 4 not H and W.
    """
    channels, time, height, wide = shape
    if frames < 1 or time % frames or height % 4 or wide % 4:
        raise ValueError(f"shape: got {shape}, expected (C, T, H, W), T divisible by {frames}, H and W by 4")
    brick: Any = {"kernel_size": (frames, 4, 4), "stride": (frames, 4, 4)}
    beside: Any = {"kernel_size": (1, 3, 3), "padding": (0, 1, 1)}
    encoder = nn.Sequential(
        *(nn.Conv3d(channels, width, **brick), nn.SiLU(), nn.Conv3d(width, width, **beside), nn.SiLU()),
        nn.Conv3d(width, dims, 1),
    )
    decoder = nn.Sequential(
        *(nn.Conv3d(dims, width, **beside), nn.SiLU(), nn.Conv3d(width, width, **beside), nn.SiLU()),
        nn.ConvTranspose3d(width, channels, **brick),
    )
    return encoder, decoder, (time // frames, height // 4, wide // 4)


def known_codes(model: VQVAE, first: Tensor) -> Tensor:
    """The codes of the frames `first` (batch, C, F, H, W), seen alone, as the beginning of a row (batch, n) int64.

    Raises ValueError unless they fill whole slots of time, at most as many as the clip has.
    """
    slots, *sides = model.places
    codes = model.quantizer.encode(model.encoder(first))
    if codes.shape[2:] != torch.Size(sides) or not 1 <= codes.shape[1] <= slots or first.shape[2] % codes.shape[1]:
        raise ValueError(
            f"first: got shape {tuple(first.shape)} with codes {tuple(codes.shape[1:])}, "
            f"expected whole slots of time, at most {slots}, of {tuple(sides)} codes each"
        )
    return flatten_codes(codes)


def continued(model: VQVAE, first: Tensor, *, choose: Choosing = unchanged, rng: Generator | None = None) -> Tensor:
    """First frames (batch, C, F, H, W) → whole clips (batch, C, T, H, W): the frames as they were given, then a draw.

    Their codes begin the row; the prior draws the others, one from those before it, logits changed by `choose`; E[x|k]
    of all codes gives the frames that follow. Exact given the codes, as long as the encoder is causal: the codes of the
    beginning are those of the whole clip. What they leave out of the frames is not used. A given frame is kept, not
    decoded. The prior must be a `RowPrior`. Raises ValueError, before any draw, where frames are no whole slots.
    """
    with sampling(model, len(first), rng):
        known = known_codes(model, first)
        n, frames = math.prod(model.places), model.decode(known.new_zeros(1, *model.places)).shape[2]
        if first.shape[2] * n != known.shape[1] * frames:
            raise ValueError(f"first: got {first.shape[2]} frames, expected whole slots of time of {frames} frames")
        ahead = n - known.shape[1]
        row = generate(cast(RowPrior, model.prior), len(first), ahead, prompt=known, choose=choose, rng=rng)
        clip = model.decode(unflatten_codes(row, cast(Bricks, model.places)))
    return torch.cat([first, clip[:, :, first.shape[2] :]], 2)


@torch.no_grad()
def continuation_nll(model: VQVAE, clips: Tensor, given: int) -> Tensor:
    """−ln p(codes from slot `given` on | the codes before), (batch,), nats, of clips (batch, C, T, H, W).

    Of the codes alone: what they leave out of the frames is not in it. Codes that nothing predicts cost
    (T − given)·R·C ln V for T slots of R·C codes. The prior must be a `RowPrior`. Raises ValueError for more slots than
    there are.
    """
    slots, rows, columns = model.places
    if not 0 <= given <= slots:
        raise ValueError(f"given: got {given}, expected 0 to {slots} slots of time")
    with evaluating(model):
        log_probs = cast(RowPrior, model.prior).symbol_log_prob(flatten_codes(model.codes(clips)))
    return codes_ahead(log_probs, given * rows * columns)


def make_video_vq_vae(
    data: Examples | None = None, size: int = 128, dims: int = 8, *, reach: int | None = 1, **settings: Any
) -> VQVAE:
    """Two frames of 4 × 4 pixels a code, 128 codes of 8 numbers, a Transformer as prior, a Gaussian with learned σ.

    Without data: for clips (1, 4, 8, 8), narrow. `reach` is that of `BrickTransformer`, `settings` are those of
    `VectorQuantizer`.
    """
    shape = shape_of(data, (1, 4, 8, 8))
    small = data is None
    encoder, decoder, places = video_networks(cast(Clip, shape), dims, width=8 if small else 64)
    quantizer = VectorQuantizer(16 if small else size, dims, **settings)
    prior = BrickTransformer(
        quantizer.size, places, width=16 if small else 64, layers=1 if small else 2, reach=reach, dims=dims
    )
    return VQVAE(encoder, quantizer, decoder, Gaussian(0.1, learned=True), places, prior)


def _are_clips(event_shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    _, time, height, wide = event_shape if len(event_shape) == 4 else (0, 1, 0, 0)
    return dtype.is_floating_point and not time % 2 and min(height, wide) >= 4 and not height % 4 and not wide % 4


def random_clips(n: int, seed: int = 0) -> tuple[Tensor]:
    """Random clips, (n, 1, 4, 8, 8)."""
    return (torch.rand(n, 1, 4, 8, 8, generator=torch.Generator().manual_seed(seed)),)


VIDEO_VQ_VAE = ModelRecord(
    name="3-D VQ-VAE with a Transformer prior",
    key="video-vq-vae",
    family="vae",
    branch=("explicit density", "approximate", "discrete codes"),
    density="bound",
    claims=(Trainable, Sampler, Bounded),
    paper="yan2021",
    year=2021,
    arxiv="2104.10157",
    lesson="04_vae/06_video",
    suits=Suits("videos", _are_clips),
    make=make_video_vq_vae,
    plan=partial(held_then_falling_plan, steps=800, batch_size=32, peak=3e-3),
    example=random_clips,
)
