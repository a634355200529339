"""Telling fakes from pictures by their spectrum, and what a copy of another size leaves of that."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def spectrum_features(images: Tensor) -> Tensor:
    """ln(|X(ω)|² + 10⁻⁴) at each frequency that a real picture has once: (n, C, H, W) → (n, C · H · (W // 2 + 1))."""
    power = torch.fft.rfft2(images.double(), norm="ortho").abs().square()
    return (power + 1e-4).log().flatten(1).to(images.dtype)


def resampled(images: Tensor, side: int) -> Tensor:
    """The pictures brought to side × side and back, both bilinear: (n, C, H, W) → the same shape."""
    other = interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    return interpolate(other, size=images.shape[-2:], mode="bilinear", antialias=True)


def fit_detector(real: Tensor, fake: Tensor, penalty: float = 1e-2, steps: int = 200) -> torch.nn.Linear:
    """A logistic regression of rows (n, d) and (m, d), positive for fakes: standardised, ridge `penalty`, L-BFGS."""
    rows = torch.cat([real, fake]).double()
    mean, std = rows.mean(0), rows.std(0).clamp(min=1e-6)
    target = torch.cat([torch.zeros(len(real)), torch.ones(len(fake))]).double()
    weight, bias = torch.zeros(rows.shape[1], dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    weight, bias = weight.requires_grad_(), bias.requires_grad_()
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=steps, line_search_fn="strong_wolfe")
    scaled = (rows - mean) / std

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = scaled @ weight + bias
        value = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
        value = value + penalty * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    detector = torch.nn.Linear(rows.shape[1], 1)
    with torch.no_grad():
        detector.weight.copy_((weight / std)[None])
        detector.bias.copy_((bias - (weight / std) @ mean)[None])
    return detector.requires_grad_(False)
