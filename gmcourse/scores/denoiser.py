"""The one network of the chapter: from x + σε to the mean of what x may have been, at every noise level."""

import torch
from torch import Tensor, nn

from gmcourse.nets import LeveledMLP, UNet, rowwise
from gmcourse.probability import sum_event
from gmcourse.record import IMAGES, VECTORS, Examples, Suits, shape_of
from gmcourse.scores.levels import Level, column, perturb

DENOISABLE = VECTORS | Suits(
    "images (4a × 4b)", lambda shape, dtype: IMAGES(shape, dtype) and not (shape[1] % 4 or shape[2] % 4)
)
"""The data that `make_denoiser` has a net for."""


class Denoiser(nn.Module):
    """x* = m + c_skip (x̃ − m) + c_out f(c_in (x̃ − m), ln σ / 4): an estimate of E[x | x̃] for x̃ = x + σε, any σ > 0.

    c_skip = s²/(s² + σ²), c_out = sσ/√(s² + σ²), c_in = 1/√(s² + σ²), with s = `spread` and m = `centre` of the data.
    So what f is given and what it has to give have variance 1 at every level where the data have mean m and standard
    deviation s; f = 0 is the best denoiser of N(m, s²). `net` is f(x, level, given), such as `LeveledMLP` or `UNet`.
    Equation: scores-denoiser. Karras et al. 2022, table 1.
    """

    centre: Tensor

    def __init__(self, net: nn.Module, spread: float = 0.5, centre: float = 0.0):
        super().__init__()
        if not spread > 0:
            raise ValueError(f"spread: got {spread}, expected a standard deviation above 0")
        self.net, self.spread = net, spread
        self.register_buffer("centre", torch.tensor(float(centre)))

    def extra_repr(self) -> str:
        """The data's spread and centre, which decide what the net is told."""
        return f"spread={self.spread:g}" + ("" if self.centre.is_meta else f", centre={self.centre.item():g}")

    def scales(self, x: Tensor, sigma: Level) -> tuple[Tensor, Tensor, Tensor]:
        """c_skip, c_out and c_in, ready to multiply x. Raises ValueError for a number σ that is not above 0."""
        if not isinstance(sigma, Tensor) and not sigma > 0:
            raise ValueError(f"sigma: got {sigma}, expected a level above 0")
        sigma = column(sigma, x)
        whole = (self.spread**2 + sigma.square()).rsqrt()
        return (self.spread * whole).square(), self.spread * sigma * whole, whole

    def forward(self, x: Tensor, sigma: Level, given: Tensor | None = None) -> Tensor:
        """x*, of the shape of x, (batch, *event); sigma is a number or (batch,)."""
        skip, out, into = self.scales(x, sigma)
        u = x - self.centre
        return self.centre + skip * u + out * self.net(into * u, rowwise(sigma, x).log() / 4, given)

    def score(self, x: Tensor, sigma: Level, given: Tensor | None = None) -> Tensor:
        """(x* − x̃)/σ² = c_in (s f/σ − c_in (x̃ − m)): an estimate of ∇ ln p_σ(x̃), of the shape of x.

        In the second form nothing cancels where σ is small.
        """
        _, _, into = self.scales(x, sigma)
        u = into * (x - self.centre)
        return into * (self.spread / column(sigma, x) * self.net(u, rowwise(sigma, x).log() / 4, given) - u)

    def matching_errors(self, x: Tensor, sigma: Level, noise: Tensor, given: Tensor | None = None) -> Tensor:
        """‖x*(x + σε) − x‖²/c_out², (batch,): what f lacks, so that every level weighs about the same.

        Up to a factor that depends on σ alone. Equation: scores-weighted-denoising. Karras et al. 2022, λ = 1/c_out².
        """
        lack = (self(perturb(x, sigma, noise), sigma, given) - x) / self.scales(x, sigma)[1]
        return sum_event(lack.square())


def make_denoiser(data: Examples | None = None) -> Denoiser:
    """A U-Net for images, with attention from 16 pixels a side on; an MLP for points; centre and spread of the data.

    Without data: for points of the plane of mean 0 and standard deviation 1.
    """
    shape = shape_of(data, (2,))
    mean, std = (0.0, 1.0) if data is None else (data.train.mean().item(), max(data.train.std().item(), 1e-3))
    if len(shape) == 1:
        return Denoiser(LeveledMLP(shape[0], [128, 128, 128]), std, mean)
    large = min(shape[1:]) >= 16
    return Denoiser(UNet(shape[0], (16, 32, 64) if large else (16, 32), heads=4 if large else 0), std, mean)
