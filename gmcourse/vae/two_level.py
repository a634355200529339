"""Two levels of codes for pictures, ready to train: VQ-VAE-2, small, with one prior of both levels."""

import math
from functools import partial

from torch import nn

from gmcourse.protocols import Bounded, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan, shape_of
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.hierarchy import LevelNetworks, TwoLevelVQ, level_networks
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.rows import CodeTransformer, above, neighbours
from gmcourse.vae.vq import FromBlocks, ToBlocks, pixels_for


def make_two_level_vq(
    data: Examples | None = None, sizes: tuple[int, int] = (64, 48), dims: tuple[int, int] = (8, 8), width: int = 48
) -> TwoLevelVQ:
    """A bottom code for 2 × 2 pixels and a top code for 4 × 4, where 2 and 4 divide the sides; books of `sizes`.

    Bernoulli for binary data, categorical for up to 32 levels, else a Gaussian with learned σ. Without data: for binary
    8 × 8 images.
    """
    channels, height, wide = shape_of(data, (1, 8, 8))
    halved = sum(not height % f and not wide % f for f in (2, 4))
    halvings = (1, 1) if halved == 2 else (0, halved)
    likelihood, outputs, last = pixels_for(data, channels)
    if halvings == (1, 1):
        networks = block_networks(channels, outputs, dims, width)
    else:
        networks = level_networks(2, channels, outputs, halvings=halvings, dims=dims, width=width)
    if last:
        networks.decoder = nn.Sequential(networks.decoder, *last)
    bottom = (height >> halvings[1], wide >> halvings[1])
    top = (bottom[0] >> halvings[0], bottom[1] >> halvings[0])
    upper, lower = (VectorQuantizer(size, dim) for size, dim in zip(sizes, dims, strict=True))
    rows = CodeTransformer(sizes[0] + 1 + sizes[1], bottom, above(top, bottom), neighbours(bottom[1]))
    prior = CaptionPrior(rows, sizes[0], sizes[1], (math.prod(top), math.prod(bottom)), drop=0.0)
    return TwoLevelVQ(networks, upper, lower, likelihood, (top, bottom), prior)


def block_networks(channels: int, outputs: int, dims: tuple[int, int] = (8, 8), width: int = 48) -> LevelNetworks:
    """Two levels of which the bottom has a code for 2 × 2 pixels and the top for 4 × 4, all convolutions on codes."""

    def near(inputs: int, last: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, last, 1)]

    lower = nn.Sequential(ToBlocks(2), nn.Conv2d(4 * channels, width, 3, padding=1), nn.SiLU())
    upper = nn.Sequential(nn.Conv2d(width, 16, 1), ToBlocks(2), *near(64, dims[0]))
    raised = nn.Sequential(*near(dims[0], 64), FromBlocks(2))
    joined = nn.Sequential(*near(width + 16, dims[1]))
    last = [nn.SiLU(), nn.Conv2d(width, 4 * outputs, 1), FromBlocks(2)]
    return LevelNetworks(lower, upper, raised, joined, nn.Sequential(*near(dims[1] + 16, width), *last))


VQ_VAE_2 = ModelRecord(
    name="VQ-VAE-2",
    key="vq-vae-2",
    family="vae",
    branch=("explicit density", "approximate", "discrete codes"),
    density="bound",
    claims=(Trainable, Sampler, Bounded),
    paper="razavi2019",
    year=2019,
    arxiv="1906.00446",
    lesson="04_vae/05_hierarchy_and_captions",
    suits=IMAGES,
    make=make_two_level_vq,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=64, peak=2e-3),
    example=binary_images,
)
