"""What a style does to a map, and how styles are drawn, mixed and truncated. Karras et al. 2019."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, instance_norm, leaky_relu, linear

EPSILON = 1e-8


def adain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """scale · (x − μ) / √(σ² + ε) + shift, μ and σ² of each example's map over its pixels; ε = 1e−8.

    x (batch, C, H, W), scale and shift (batch, C); a constant map becomes `shift`.

    Equation: gan-adain. Huang & Belongie 2017, eq. 8; Karras et al. 2019, eq. 1.
    """
    if scale.shape != x.shape[:2] or shift.shape != x.shape[:2]:
        came = f"{tuple(scale.shape)} and {tuple(shift.shape)}"
        raise ValueError(f"scale, shift: got shapes {came}, expected {tuple(x.shape[:2])}, one a map of x")
    return scale[..., None, None] * instance_norm(x, eps=EPSILON) + shift[..., None, None]


def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """μ and √(σ² + ε) of each map over its pixels (σ² divided by their number): (batch, C, H, W) → twice (batch, C)."""
    if x.dim() != 4:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, channels, height, width)")
    variance, mean = torch.var_mean(x, (2, 3), correction=0)
    return mean, (variance + EPSILON).sqrt()


def pixel_norm(x: Tensor) -> Tensor:
    """x / √(mean over channels of x² + ε): (batch, C, …) → the same shape. Karras et al. 2018, §4.2."""
    return x * (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()


def truncate(w: Tensor, center: Tensor, psi: float) -> Tensor:
    """w̄ + ψ (w − w̄): styles (…, W) drawn towards their mean `center`, (W,).

    Equation: gan-truncation. Karras et al. 2019, appendix B.
    """
    return center + psi * (w - center)


def mix(first: Tensor, second: Tensor, crossover: Tensor | int) -> Tensor:
    """One style a layer: those before the crossover from `first`, the others from `second`; (layers, batch, W) each.

    `crossover` is one number, or one for each row, (batch,): 0 is `second` alone, `layers` is `first` alone.
    """
    if first.shape != second.shape or first.dim() != 3:
        came = f"{tuple(first.shape)} and {tuple(second.shape)}"
        raise ValueError(f"first, second: got shapes {came}, expected (layers, batch, W) of both")
    layer = torch.arange(len(first), device=first.device)[:, None, None]
    at = torch.as_tensor(crossover, device=first.device).reshape(1, -1, 1)
    return torch.where(layer < at, first, second)


class EqualisedLinear(nn.Module):
    """y = c ŵ x + b with c = gain · rate / √inputs, ŵ ~ N(0, 1/rate²): scaled when used, not when drawn.

    (batch, inputs) → (batch, outputs). Adam's steps are as large as its rate, whatever the weights' size: so all layers
    learn at one speed, `rate` times it. Equation: gan-equalised. Karras et al. 2018, §4.1.
    """

    def __init__(self, inputs: int, outputs: int, gain: float = math.sqrt(2), rate: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.factor, self.rate = gain * rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        """(…, inputs) → (…, outputs)."""
        return linear(x, self.factor * self.weight, self.rate * self.bias)

    def extra_repr(self) -> str:
        outputs, inputs = self.weight.shape
        return f"{inputs}, {outputs}, factor={self.factor:.6g}, rate={self.rate:g}"


class EqualisedConv2d(nn.Module):
    """The same for a convolution of odd size that keeps height and width: (batch, inputs, H, W) → (batch, outputs, …).

    c = gain / √(inputs · size²).
    """

    def __init__(self, inputs: int, outputs: int, size: int, gain: float = math.sqrt(2)):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.factor = gain / math.sqrt(inputs * size**2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, H, W) → (batch, outputs, H, W)."""
        return conv2d(x, self.factor * self.weight, self.bias, padding=self.weight.shape[-1] // 2)

    def extra_repr(self) -> str:
        outputs, inputs, size, _ = self.weight.shape
        return f"{inputs}, {outputs}, {size}, factor={self.factor:.6g}"


class Mapping(nn.Sequential):
    """z → w, (batch, latent_size) → (batch, style_size): pixel norm, then layers that learn at `rate`.

    Karras et al. 2019, §2: eight layers at a hundredth of the rate.
    """

    def __init__(self, latent_size: int, style_size: int, depth: int = 4, rate: float = 0.1):
        sizes = [latent_size, *[style_size] * depth]
        layers: list[nn.Module] = [_PixelNorm()]
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            layers += [EqualisedLinear(inputs, outputs, rate=rate), nn.LeakyReLU(0.2)]
        super().__init__(*layers)


class _PixelNorm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return pixel_norm(x)


class StyledLayer(nn.Module):
    """Convolution, noise, leaky ReLU, style: one layer of a style-based generator.

    Equation: gan-style-layer. Karras et al. 2019, figure 1b.

    x (batch, inputs, H, W), w (batch, style_size), noise (batch, 1, H, W) → (batch, outputs, H, W). The noise has one
    learned weight a channel, 0 at first. The style's scale starts at 1, its shift at 0. With `normalised` False a map
    keeps its own mean and spread before it is scaled and shifted; with `noisy` False no noise is added.
    """

    def __init__(self, inputs: int, outputs: int, style_size: int, normalised: bool = True, noisy: bool = True):
        super().__init__()
        self.conv = EqualisedConv2d(inputs, outputs, 3)
        self.strength = nn.Parameter(torch.zeros(outputs)) if noisy else None
        self.scale = EqualisedLinear(style_size, outputs, gain=1.0, bias=1.0)
        self.shift = EqualisedLinear(style_size, outputs, gain=1.0)
        self.normalised = normalised

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """(batch, outputs, H, W), of maps x, styles w (batch, style size) and noise (batch, 1, H, W)."""
        h = self.conv(x)
        if self.strength is not None:
            h = h + self.strength[:, None, None] * noise
        h = leaky_relu(h, 0.2)
        scale, shift = self.scale(w), self.shift(w)
        return adain(h, scale, shift) if self.normalised else scale[..., None, None] * h + shift[..., None, None]

    def extra_repr(self) -> str:
        return f"normalised={self.normalised}, noisy={self.strength is not None}"


class PlainLayer(nn.Module):
    """Convolution, leaky ReLU, pixel norm: the same place in a generator without styles. Karras et al. 2018, table 2.

    It takes w and the noise, and uses neither.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = EqualisedConv2d(inputs, outputs, 3)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """(batch, outputs, H, W), of maps x alone."""
        return pixel_norm(leaky_relu(self.conv(x), 0.2))
