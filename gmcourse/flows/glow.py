"""Glow: actnorm, an invertible 1×1 convolution and an affine coupling, at several resolutions."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from gmcourse.flows.channels import ActNorm, Invertible1x1, Invertible1x1LU
from gmcourse.flows.coupling import Coupling
from gmcourse.flows.dequantise import Dequantized, Logit, VariationalNoise
from gmcourse.flows.elementwise import Standardise
from gmcourse.flows.flow import Flow
from gmcourse.flows.multiscale import Split, Squeeze
from gmcourse.protocols import Bijection, Bounded, ImportanceWeighted, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, Suits, grey_images, held_then_falling_plan, shape_of

MOST_LEVELS = 1 << 16


def conv_net(inputs: int, width: int, outputs: int, dropout: float = 0.0) -> nn.Sequential:
    """3×3, 1×1 and 3×3 convolutions with ReLU; the last starts near 0, so that a coupling starts near the identity."""
    last = nn.Conv2d(width, outputs, 3, padding=1)
    nn.init.normal_(last.weight, std=0.003)
    assert last.bias is not None  # torch's type allows it
    nn.init.zeros_(last.bias)
    first = nn.Conv2d(inputs, width, 3, padding=1)
    return nn.Sequential(
        first, nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), *([nn.Dropout2d(dropout)] if dropout else []), last
    )


class Glow(Flow):
    """A flow over images: `steps` times (actnorm, 1×1 convolution, coupling) at each of `scales` resolutions.

    Each scale halves height and width; between two scales half of the channels leave. z has the shape of x,
    (C, H, W), H and W divisible by 2^scales. `steps` and `width` are one number, or one for each scale. `before` are
    bijections of x that come first, `lu` chooses the parameterisation of the 1×1 convolutions. Kingma & Dhariwal 2018,
    figure 2.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        scales: int = 2,
        steps: int | Sequence[int] = 4,
        width: int | Sequence[int] = 32,
        dropout: float = 0.0,
        lu: bool = True,
        before: Sequence[Bijection] = (),
    ):
        channels, height, wide = shape
        depths, widths = _each("steps", steps, scales), _each("width", width, scales)
        if scales < 1 or height % 2**scales or wide % 2**scales:
            raise ValueError(f"shape, scales: got {shape} and {scales}, expected sides divisible by 2^scales")

        mixing = Invertible1x1LU if lu else Invertible1x1

        def coupling(channels: int, at: int, bound: float) -> Coupling:
            net = conv_net(channels // 2, widths[at], channels, dropout)
            return Coupling(Standardise(bound), channels, conditioner=net)

        def step(channels: int, at: int) -> list[Bijection]:
            last = coupling(channels, at, 2.0)
            return [ActNorm(channels), mixing(channels), last]

        def scale(channels: int, height: int, wide: int, at: int) -> Bijection:
            channels, height, wide = 4 * channels, height // 2, wide // 2
            layers = [layer for _ in range(depths[at]) for layer in step(channels, at)]
            if at + 1 < scales:
                leaving = coupling(channels, at, 3.0)
                layers.append(Split(scale(channels // 2, height, wide, at + 1), leaving))
            return Squeeze(Flow(layers, (channels, height, wide)))

        super().__init__([*before, ActNorm(channels), scale(channels, height, wide, 0)], shape)


def _each(name: str, value: int | Sequence[int], scales: int) -> tuple[int, ...]:
    """One number for each scale."""
    values = (value,) * scales if isinstance(value, int) else tuple(value)
    if len(values) != scales:
        raise ValueError(f"{name}: got {len(values)} numbers, expected one, or one for each of {scales} scales")
    return values


def make_glow(data: Examples | None = None) -> Dequantized:
    """Two scales of four steps behind a logit, with variational noise; the levels are counted in the data.

    Without data: for 8 × 8 images of 17 levels. Raises ValueError for data that are not multiples of one step.
    """
    channels, height, wide = shape_of(data, (1, 8, 8))
    shape = (channels, height, wide)
    levels = 17 if data is None else _levels(data)
    flow = Glow(shape, scales=2, steps=4, width=32, dropout=0.1, before=[Logit()])
    return Dequantized(flow, levels, VariationalNoise(shape, width=16))


def _levels(data: Examples) -> int:
    """V, where the data are multiples of 1/(V − 1) in [0, 1]."""
    values = data.train[:1000].unique()
    steps = values.diff().min().item() ** -1 if len(values) > 1 else float("inf")
    off = (values * round(steps) - (values * round(steps)).round()).abs().max() if steps < MOST_LEVELS else 1.0
    if off > 0.01 or values[0] < 0 or values[-1] > 1:
        raise ValueError(
            f"data: {data.key} holds {len(values):,} values from {values[0]:.4g} to {values[-1]:.4g}, expected images "
            "of equally spaced levels in [0, 1]"
        )
    return round(steps) + 1


def _in_fours(shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    """Images whose sides 4 divides: two scales halve them twice."""
    return IMAGES(shape, dtype) and not (shape[1] % 4 or shape[2] % 4)


GLOW = ModelRecord(
    name="Glow",
    key="glow",
    family="flows",
    branch=("explicit density", "approximate", "dequantised flow"),
    density="bound",
    claims=(Trainable, Sampler, Bounded, ImportanceWeighted),
    paper="kingma2018",
    year=2018,
    arxiv="1807.03039",
    lesson="06_flows/04_images",
    suits=Suits("images (sides in fours)", _in_fours),
    make=make_glow,
    plan=partial(held_then_falling_plan, steps=3_000, batch_size=64, peak=2e-3),
    example=grey_images,
)
