"""Networks that are told how much noise there is, or what time it is: one number for each row."""

import math
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from gmcourse.nets.attention import MultiHeadAttention
from gmcourse.nets.mlp import mlp


def waves(level: Tensor, count: int) -> Tensor:
    """Sines and cosines of a number for each row: (batch,) → (batch, count), count even.

    The frequencies rise geometrically from 1 to 1000, so that levels of the size of 1 are told apart to about a
    thousandth. After Vaswani et al. 2017, section 3.5.
    """
    if count < 4 or count % 2:
        raise ValueError(f"count: got {count}, expected an even number, at least 4")
    steps = torch.arange(count // 2, dtype=level.dtype, device=level.device) / (count // 2 - 1)
    angles = level[:, None] * torch.exp(math.log(1000) * steps)
    return torch.cat([angles.sin(), angles.cos()], 1)


class LeveledMLP(nn.Module):
    """f(x, level), (batch, D): an MLP of x, (batch, D), and of the waves of a level, (batch,) or one number.

    With `classes` it is told a class too, (batch,) from 0 to classes − 1; not told, or told `classes`, it knows none.
    """

    def __init__(
        self, dims: int, hidden: Sequence[int], activation: Callable[[], nn.Module] = nn.SiLU, classes: int = 0
    ):
        super().__init__()
        self.dims, self.classes, self.waves = dims, classes, 16
        self.told = nn.Embedding(classes + 1, self.waves) if classes else None
        self.net = mlp([dims + self.waves * (1 + bool(classes)), *hidden, dims], activation)

    def forward(self, x: Tensor, level: Tensor | float, given: Tensor | None = None) -> Tensor:
        """One vector for each row. Raises ValueError for another shape, or classes that it was not made for."""
        if x.dim() != 2 or x.shape[1] != self.dims:
            raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, {self.dims})")
        parts, known = [x, waves(rowwise(level, x), self.waves)], known_class(given, x, self.classes)
        if self.told is not None:
            parts.append(self.told(known))
        return self.net(torch.cat(parts, 1))


class ResidualBlock(nn.Module):
    """x + conv(conv(x) + A·told): two convolutions, each after a group norm and SiLU; the second starts at 0."""

    def __init__(self, inputs: int, width: int, told: int):
        super().__init__()
        self.first = nn.Sequential(_norm(inputs), nn.SiLU(), nn.Conv2d(inputs, width, 3, padding=1))
        self.second = nn.Sequential(_norm(width), nn.SiLU(), _from_zero(nn.Conv2d(width, width, 3, padding=1)))
        self.told = nn.Linear(told, width)
        self.past = nn.Identity() if inputs == width else nn.Conv2d(inputs, width, 1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """(batch, inputs, height, width) → the same with `width` channels; told is (batch, told)."""
        return self.past(x) + self.second(self.first(x) + self.told(told)[..., None, None])


class PixelAttention(nn.Module):
    """x + attention of the pixels to one another, after a group norm; what is added starts at 0."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm, self.attend = _norm(width), MultiHeadAttention(width, heads)
        for part in self.attend.out.parameters():
            nn.init.zeros_(part)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, h, w) → the same shape."""
        places = self.norm(x).flatten(2).transpose(1, 2)
        return x + self.attend(places, self.attend.read(places)).transpose(1, 2).view_as(x)


class UNet(nn.Module):
    """f(x, level) of the shape of x: images are halved and widened on the way down, and brought back up.

    `widths` are the channels at full size, at half, and so on; each size has a residual block on the way down and one
    on the way up, which sees what the way down had there; the smallest has two, with an attention of `heads` heads
    between them if `heads` is not 0. The last convolution starts at 0, so that f = 0 at first. With `classes` it is
    told a class, as `LeveledMLP` is. Ronneberger et al. 2015; Ho et al. 2020, appendix B, is its larger model.
    """

    def __init__(self, channels: int, widths: Sequence[int] = (16, 32), *, heads: int = 0, classes: int = 0):
        super().__init__()
        self.classes, told, pairs = classes, 64, list(zip(widths, widths[1:], strict=False))
        self.tell = mlp([32, told, told], nn.SiLU)
        self.told = nn.Embedding(classes + 1, told) if classes else None
        self.first = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(ResidualBlock(wide, wide, told) for wide, _ in pairs)
        self.shrink = nn.ModuleList(nn.Conv2d(wide, wider, 4, 2, 1) for wide, wider in pairs)
        self.bottom = nn.ModuleList(ResidualBlock(widths[-1], widths[-1], told) for _ in range(2))
        self.look = PixelAttention(widths[-1], heads) if heads else nn.Identity()
        self.grow = nn.ModuleList(nn.ConvTranspose2d(wider, wide, 4, 2, 1) for wide, wider in pairs)
        self.up = nn.ModuleList(ResidualBlock(2 * wide, wide, told) for wide, _ in pairs)
        self.last = nn.Sequential(_norm(widths[0]), nn.SiLU(), _from_zero(nn.Conv2d(widths[0], channels, 3, padding=1)))

    def forward(self, x: Tensor, level: Tensor | float, given: Tensor | None = None) -> Tensor:
        """x (batch, channel, height, width), level a number or (batch,). Sizes must be halved len(widths) − 1 times."""
        halvings, channels = 2 ** len(self.down), self.first.in_channels
        if x.dim() != 4 or x.shape[1] != channels:
            raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, {channels}, height, width)")
        if x.shape[-1] % halvings or x.shape[-2] % halvings:
            raise ValueError(f"x: got images of {tuple(x.shape[-2:])} pixels, expected sizes divisible by {halvings}")
        told, known = self.tell(waves(rowwise(level, x), 32)), known_class(given, x, self.classes)
        if self.told is not None:
            told = told + self.told(known)
        h, kept = self.first(x), []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            kept.append(block(h, told))
            h = shrink(kept[-1])
        h = self.bottom[1](self.look(self.bottom[0](h, told)), told)
        for grow, block in zip(reversed(self.grow), reversed(self.up), strict=True):
            h = block(torch.cat([grow(h), kept.pop()], 1), told)
        return self.last(h)


def rowwise(level: Tensor | float, x: Tensor) -> Tensor:
    """One number for each row of x, (batch,), of one number or of (batch,), in the type of x.

    Raises TypeError for x that is not floating point, whose type would cut the number, ValueError for another shape.
    """
    if not x.is_floating_point():
        raise TypeError(f"x: got dtype {x.dtype}, expected floating point")
    level = torch.as_tensor(level, dtype=x.dtype, device=x.device)
    if level.shape not in ((), (len(x),)):
        raise ValueError(f"level: got shape {tuple(level.shape)}, expected one number or ({len(x)},), one for each row")
    return level.expand(len(x))


def known_class(given: Tensor | None, x: Tensor, classes: int) -> Tensor:
    """The class of each row of x, (batch,); `classes`, which stands for none, where it is not given.

    Raises ValueError for classes of another shape or type, or where there are none. One above `classes` is torch's
    error.
    """
    if given is None:
        return torch.full((len(x),), classes, device=x.device)
    if not classes:
        raise ValueError(f"given: got classes, {tuple(given.shape)}, expected None: the network was made without")
    if given.shape != (len(x),) or given.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"given: got shape {tuple(given.shape)} and {given.dtype}, expected ({len(x)},) integers 0..{classes}"
        )
    return given


def _norm(width: int) -> nn.GroupNorm:
    # Groups of four: in a group of its own a channel would lose what it was told, a constant over the picture.
    return nn.GroupNorm(width // 4 if width % 4 == 0 else 1, width)


def _from_zero(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(cast(Tensor, conv.bias))
    return conv
