"""Three ways to spoil an example: blank entries, entries at an end of their range, Gaussian noise."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Generator, Tensor

Kind = Literal["masking", "salt-and-pepper", "gaussian"]


def masking(x: Tensor, noise: Tensor, share: float) -> Tensor:
    """x with 0 where the uniform `noise`, of the shape of x, is below `share`. Nothing is rescaled.

    Equation: autoencoders-masking. Vincent et al. 2008 blank a fixed number of entries; here each entry
    is blanked on its own.
    """
    return torch.where(noise < share, 0, x)


def salt_and_pepper(x: Tensor, noise: Tensor, share: float) -> Tensor:
    """x with 0 where the uniform `noise`, of the shape of x, is below share/2, and with 1 from there to `share`."""
    return torch.where(noise < share, (noise >= share / 2).to(x), x)


def gaussian(x: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """x + σ · noise, for standard normal `noise`; nothing is clipped."""
    return x + sigma * noise


@dataclass(frozen=True)
class Corruption:
    """C(x̃|x): `level` is the share ν of spoilt entries, in [0, 1], or the noise's standard deviation σ ≥ 0."""

    kind: Kind
    level: float

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind: got {self.kind!r}, expected one of {', '.join(get_args(Kind))}")
        if not 0 <= self.level <= (float("inf") if self.kind == "gaussian" else 1):
            least = "a standard deviation, at least 0" if self.kind == "gaussian" else "a share from 0 to 1"
            raise ValueError(f"level: got {self.level}, expected {least}")

    def draw(self, x: Tensor, rng: Generator | None = None) -> Tensor:
        """x̃ ~ C(x̃|x) of each row of x, the noise of every entry its own."""
        if self.kind == "gaussian":
            noise = torch.randn(x.shape, generator=rng, dtype=x.dtype, device=x.device)
            return gaussian(x, noise, self.level)
        noise = torch.rand(x.shape, generator=rng, dtype=x.dtype, device=x.device)
        return (masking if self.kind == "masking" else salt_and_pepper)(x, noise, self.level)
