"""Work at several resolutions: squeeze pixels into channels, and let half of the channels leave early."""

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


class Split(nn.Module):
    """Half of the channels leave as latents, scored given the other half, which goes on through `inner`.

    x = (a, b) along the channels: z = (inner(a), (b − μ(a)) e^{−s(a)}), with (μ, s) = `net`(a), so that under a
    standard normal base log p(b|a) = log N(b; μ(a), e^{2s(a)}): no latent leaves unscored. `net` maps (batch, C/2, H,
    W) to (batch, C, H, W). Equation: flows-split. Kingma & Dhariwal 2018, section 3.6.
    """

    def __init__(self, inner: Bijection, net: nn.Module):
        super().__init__()
        self.inner, self.net = inner, net

    def prior(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log_std of b given a; ln σ between −3 and 3."""
        mean, raw = self.net(a).chunk(2, dim=1)
        return mean, 3 * torch.tanh(raw / 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z of the shape of x (batch, C, H, W), and log|det ∂z/∂x|, (batch,)."""
        a, b = x.chunk(2, dim=1)
        mean, log_std = self.prior(a)
        z, log_det = self.inner(a)
        return torch.cat([z, (b - mean) * torch.exp(-log_std)], dim=1), log_det - sum_event(log_std)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x and log|det ∂x/∂z|, (batch,)."""
        kept, left = z.chunk(2, dim=1)
        a, log_det = self.inner.inverse(kept)
        mean, log_std = self.prior(a)
        return torch.cat([a, mean + torch.exp(log_std) * left], dim=1), log_det + sum_event(log_std)
