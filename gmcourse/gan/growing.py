"""Growing both players from coarse to fine, each new stage faded in. Karras et al. 2018."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from gmcourse.gan.style import EqualisedConv2d, EqualisedLinear


def fade(low: Tensor, high: Tensor, alpha: float) -> Tensor:
    """(1 − α) low + α high, of one shape: `low` itself, bit for bit, at α = 0, and `high` at α = 1.

    Equation: gan-fade. Karras et al. 2018, figure 2.
    """
    if low.shape != high.shape:
        raise ValueError(f"low, high: got shapes {tuple(low.shape)} and {tuple(high.shape)}, expected one shape")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha: got {alpha}, expected 0 to 1")
    return torch.lerp(low, high, alpha)


def doubled(x: Tensor) -> Tensor:
    """Each pixel twice in both directions: (batch, C, H, W) → (batch, C, 2H, 2W)."""
    return interpolate(x, scale_factor=2.0, mode="nearest")


def halved(x: Tensor) -> Tensor:
    """The mean of each 2 × 2 block: (batch, C, H, W) → (batch, C, H/2, W/2)."""
    return avg_pool2d(x, 2)


def minibatch_std(x: Tensor) -> Tensor:
    """One map more, constant: the standard deviation over the batch (divided by n), averaged over channels and pixels.

    (batch, C, H, W) → (batch, C + 1, H, W). Equation: gan-minibatch-std. Karras et al. 2018, §3.
    """
    spread = (x.var(0, correction=0) + 1e-8).sqrt().mean()
    return torch.cat([x, spread.expand(len(x), 1, *x.shape[2:])], 1)


def sizes_of(side: int) -> list[int]:
    """The sides of the stages, coarse to fine: halved while it stays even and at least 4: 8 → [4, 8], 28 → [7, 14, 28].

    Raises ValueError for a side that cannot be halved once.
    """
    if side < 8 or side % 2:
        raise ValueError(f"side: got {side}, expected an even number, at least 8")
    sizes = [side]
    while sizes[0] % 2 == 0 and sizes[0] >= 8:
        sizes.insert(0, sizes[0] // 2)
    return sizes


def growth(step: int, stages: int, held: int, faded: int) -> tuple[int, float]:
    """(stage, α) of a step from 0: each stage but the last is held for `held` steps, the next one comes in `faded`.

    α is 1 while a stage is held, and 1/faded, 2/faded, … while it comes in; with `faded` 0 it comes at once.
    """
    if stages < 1 or held < 0 or faded < 0:
        raise ValueError(f"stages, held, faded: got {stages}, {held} and {faded}, expected at least 1, 0 and 0")
    if step < held:
        return 0, 1.0
    if held + faded == 0:
        return stages - 1, 1.0
    stage, since = divmod(step - held, held + faded)
    if stage + 1 >= stages:
        return stages - 1, 1.0
    return stage + 1, min(1.0, (since + 1) / faded) if faded else 1.0


class GrowingCritic(nn.Module):
    """x (batch, C, H, W) of the size of a stage → (batch, 1): from-RGB, two convolutions and a halving a stage.

    `channels` are those of the stages, coarse to fine; `side` is that of the coarsest. At the coarsest stage a map of
    `minibatch_std` is added, then come two linear layers. While a stage comes in, α of what the stage below sees is the
    new stage's, 1 − α that stage's own view of the halved picture. Karras et al. 2018, table 2.
    """

    def __init__(self, colours: int, side: int, channels: Sequence[int], width: int = 32):
        super().__init__()
        below = [channels[0], *channels[:-1]]
        self.from_rgb = nn.ModuleList(EqualisedConv2d(colours, c, 1) for c in channels)
        self.first = nn.ModuleList(EqualisedConv2d(c, c, 3) for c in channels)
        self.second = nn.ModuleList(EqualisedConv2d(c, b, 3) for c, b in zip(channels, below, strict=True))
        self.hidden = EqualisedLinear((channels[0] + 1) * side**2, width)
        self.last = EqualisedLinear(width, 1, gain=1.0)

    def forward(self, x: Tensor, stage: int, alpha: float = 1.0) -> Tensor:
        """Logits, (batch, 1), of pictures of the size of `stage`, which counts with the weight α."""
        h = leaky_relu(self.from_rgb[stage](x), 0.2)
        for at in range(stage, -1, -1):
            h = leaky_relu(self.second[at](leaky_relu(self.first[at](h), 0.2)), 0.2)
            if at:
                h = halved(h)
            if at == stage > 0 and alpha < 1:
                h = fade(leaky_relu(self.from_rgb[stage - 1](halved(x)), 0.2), h, alpha)
        return self.last(leaky_relu(self.hidden(minibatch_std(h).flatten(1)), 0.2))
