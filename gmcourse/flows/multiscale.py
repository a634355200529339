"""Channels of an image: pixels squeezed into them, one half coupled to the other, one half leaving early."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gmcourse.probability import sum_event
from gmcourse.protocols import Bijection


def squeeze(x: Tensor) -> Tensor:
    """Each 2 × 2 square becomes four channels of one pixel: (batch, C, H, W) → (batch, 4C, H/2, W/2)."""
    return F.pixel_unshuffle(x, 2)


def unsqueeze(x: Tensor) -> Tensor:
    """The inverse of `squeeze`: (batch, 4C, H, W) → (batch, C, 2H, 2W)."""
    return F.pixel_shuffle(x, 2)


class Squeeze(nn.Module):
    """`inner` at half the resolution: squeeze, inner, unsqueeze. Moving values about costs no volume.

    `inner` is a bijection of (4C, H/2, W/2). Dinh et al. 2017, section 3.6.
    """

    def __init__(self, inner: Bijection):
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z of the shape of x (batch, C, H, W), H and W even, and log|det ∂z/∂x|, (batch,)."""
        if x.shape[-1] % 2 or x.shape[-2] % 2:
            raise ValueError(f"x: got shape {tuple(x.shape)}, expected an even height and width")
        z, log_det = self.inner(squeeze(x))
        return unsqueeze(z), log_det

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x and log|det ∂x/∂z|, (batch,)."""
        x, log_det = self.inner.inverse(squeeze(z))
        return unsqueeze(x), log_det


class ImageCoupling(nn.Module):
    """x = (a, b) along the channels; z = (a, (b − μ(a)) e^{−s(a)}), (μ, s) = net(a): log|det ∂z/∂x| = −Σ s.

    `net` maps (batch, C/2, H, W) to (batch, C, H, W); s is held between −bound and bound. Under a standard normal base
    b is Gaussian given a. Dinh et al. 2017, eqs. 4–6.
    """

    def __init__(self, net: nn.Module, bound: float = 2.0):
        super().__init__()
        self.net, self.bound = net, bound

    def given(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log_std of b given a."""
        mean, raw = self.net(a).chunk(2, dim=1)
        return mean, self.bound * torch.tanh(raw / self.bound)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z of the shape of x (batch, C, H, W), and log|det ∂z/∂x|, (batch,)."""
        a, b = x.chunk(2, dim=1)
        mean, log_std = self.given(a)
        return torch.cat([a, (b - mean) * torch.exp(-log_std)], dim=1), -sum_event(log_std)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x and log|det ∂x/∂z|, (batch,)."""
        a, b = z.chunk(2, dim=1)
        mean, log_std = self.given(a)
        return torch.cat([a, mean + torch.exp(log_std) * b], dim=1), sum_event(log_std)


class Split(ImageCoupling):
    """A coupling after which b leaves as a latent and a goes on through `inner`, a bijection of (C/2, H, W).

    z = (inner(a), (b − μ(a)) e^{−s(a)}): log p(x) = log p(a) + log N(b; μ(a), e^{2s(a)}), no latent leaves unscored.
    Equation: flows-split. Dinh et al. 2017, section 3.6; Kingma & Dhariwal 2018, figure 2.
    """

    def __init__(self, inner: Bijection, net: nn.Module):
        super().__init__(net, bound=3.0)
        self.inner = inner

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z of the shape of x (batch, C, H, W), and log|det ∂z/∂x|, (batch,)."""
        z, log_det = super().forward(x)
        a, b = z.chunk(2, dim=1)
        a, inner_log_det = self.inner(a)
        return torch.cat([a, b], dim=1), log_det + inner_log_det

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x and log|det ∂x/∂z|, (batch,)."""
        a, b = z.chunk(2, dim=1)
        a, inner_log_det = self.inner.inverse(a)
        x, log_det = super().inverse(torch.cat([a, b], dim=1))
        return x, log_det + inner_log_det
