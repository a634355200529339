"""Two sounds compared by the loudness of their frequencies, at several windows: a phase that is off costs nothing."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Scale = tuple[int, int]
"""The samples of a window, and of the hop from one to the next."""

SCALES: tuple[Scale, ...] = ((64, 16), (256, 64), (512, 128))
"""For sounds at 4 kHz: windows of 16, 64 and 128 ms."""


def spectra(x: Tensor, scales: Sequence[Scale] = SCALES) -> list[Tensor]:
    """X_{f,m} = Σ_t w_t x_{mh+t−W/2} e^{−2πi f t/W} for each scale (W, h): x (batch, 1, T) → (batch, W/2 + 1, frames).

    w is a Hann window, frame m stands about sample mh, and the sound is mirrored at its ends. Complex. Raises
    ValueError for another shape, or a sound that is not longer than half a window.
    """
    if x.dim() != 3 or x.shape[1] != 1:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, 1, samples)")
    if x.shape[2] <= max(window for window, _ in scales) // 2:
        raise ValueError(f"x: got {x.shape[2]} samples, expected more than half of the longest window in {scales}")
    hann = [torch.hann_window(window, dtype=x.dtype, device=x.device) for window, _ in scales]
    return [
        torch.stft(x[:, 0], window, hop, window=weights, return_complex=True)
        for (window, hop), weights in zip(scales, hann, strict=True)
    ]


def spectral_distance(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
    """Mean over the scales of ‖ |X| − |Y| ‖ = √Σ_{f,m} (|X_{f,m}| − |Y_{f,m}|)²: complex spectra → (batch,).

    The moduli are compared, not the complex numbers, so that it hangs on no phase. Dhariwal et al. 2020, section 3.
    Equation: vae-spectral-distance.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"ours, theirs: got {len(ours)} and {len(theirs)} scales, expected as many of each")
    norms = [torch.linalg.vector_norm((x.abs() - y.abs()).flatten(1), dim=1) for x, y in zip(ours, theirs, strict=True)]
    return torch.stack(norms).mean(0)


class SpectralDistance(nn.Module):
    """`weight` times `spectral_distance` of two sounds, (batch, 1, T) each → (batch,), at `scales`."""

    def __init__(self, weight: float = 1.0, scales: Sequence[Scale] = SCALES):
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"weight: got {weight}, expected at least 0")
        if not scales or min(min(scale) for scale in scales) < 1:
            raise ValueError(f"scales: got {scales}, expected pairs of a window and a hop, at least one sample each")
        self.weight, self.scales = weight, tuple(scales)

    def forward(self, answer: Tensor, x: Tensor) -> Tensor:
        """(batch,), in the units of x times samples; the gradient goes to both."""
        return self.weight * spectral_distance(spectra(answer, self.scales), spectra(x, self.scales))

    def extra_repr(self) -> str:
        return f"weight={self.weight}, scales={self.scales}"


def relative_spectral_error(answer: Tensor, x: Tensor, scales: Sequence[Scale] = SCALES) -> Tensor:
    """Mean over the scales of ‖ |X̂| − |X| ‖ / ‖ |X| ‖, (batch,): 0 for the sound itself, 1 for silence.

    Where x is silent it is NaN or infinite.
    """
    pairs = zip(spectra(answer, scales), spectra(x, scales), strict=True)
    errors = [
        spectral_distance([ours], [theirs]) / spectral_distance([torch.zeros_like(theirs)], [theirs])
        for ours, theirs in pairs
    ]
    return torch.stack(errors).mean(0)
