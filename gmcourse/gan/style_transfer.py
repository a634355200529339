"""The style of one picture on the content of another, by matched statistics. Huang & Belongie 2017."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate, max_pool2d, mse_loss

from gmcourse.gan.style import adain, statistics
from gmcourse.nets import evaluating

RENDERINGS = ("plain", "bold", "outlined", "striped", "negative", "dotted")


def rendered(images: Tensor, kinds: Tensor) -> Tensor:
    """Pictures of ink on paper, (n, 1, H, W) in [0, 1], each drawn in the way `kinds` (n,) says, by `RENDERINGS`.

    bold: the largest of 3 × 3 pixels; outlined: bold less plain; striped: bold through diagonal stripes of period 4;
    negative: 1 − plain; dotted: with a grid of dots behind.
    """
    height, width = images.shape[-2:]
    rows, columns = torch.arange(height, device=images.device)[:, None], torch.arange(width, device=images.device)
    bold = max_pool2d(images, 3, stride=1, padding=1)
    stripes = ((rows + columns) % 4 < 2).to(images.dtype)
    dots = ((rows % 4 == 1) & (columns % 4 == 1)).to(images.dtype).expand_as(images)
    ways = (images, bold, bold - images, bold * stripes, 1 - images, torch.maximum(images, dots))
    return torch.stack(ways)[kinds, torch.arange(len(images), device=images.device)]


class StyleEncoder(nn.Module):
    """(batch, 1, H, W) → three maps: (batch, 16, H, W), (batch, 32, H/2, W/2) twice. H and W even."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 4, stride=2, padding=1)
        self.third = nn.Conv2d(32, 32, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The maps of each of the three layers, the last of them the features."""
        first = self.first(x).relu()
        second = self.second(first).relu()
        return first, second, self.third(second).relu()


def style_decoder() -> nn.Sequential:
    """The last of the three maps → a picture in [0, 1], (batch, 32, H/2, W/2) → (batch, 1, H, W)."""
    return nn.Sequential(
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(32, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 1, 3, padding=1),
        nn.Sigmoid(),
    )


class StyleAutoencoder(nn.Module):
    """Features that are learned by drawing the picture again; with `told`, by naming its way and its digit, too.

    The way is read from the statistics of the three maps alone, the digit from the last map.
    """

    def __init__(self, side: int, told: bool = False):
        super().__init__()
        self.encoder, self.decoder, self.told = StyleEncoder(), style_decoder(), told
        self.way = nn.Linear(2 * (16 + 32 + 32), len(RENDERINGS)) if told else None
        self.digit = nn.Linear(32 * (side // 2) ** 2, 10) if told else None

    def loss(self, x: Tensor, kinds: Tensor, digits: Tensor) -> Tensor:
        """Mean squared error; with `told`, + 0.1 · the cross-entropies of way and digit, nats."""
        maps = self.encoder(x)
        loss = mse_loss(self.decoder(maps[-1]), x)
        if self.way is None or self.digit is None:
            return loss
        named = torch.cat([part for h in maps for part in statistics(h)], 1)
        return loss + 0.1 * (
            cross_entropy(self.way(named), kinds) + cross_entropy(self.digit(maps[-1].flatten(1)), digits)
        )


class StyleTransfer(nn.Module):
    """g = decoder(t), t = AdaIN(E(content), statistics of E(style)); E is frozen, the decoder is trained.

    The loss: ‖E(g) − t‖², a mean, + λ Σ over the three maps of the mean squared differences of μ and of σ between g and
    the style picture. Equation: gan-style-transfer. Huang & Belongie 2017, eqs 11–13.
    """

    def __init__(self, encoder: StyleEncoder, decoder: nn.Module, weight: float = 10.0):
        super().__init__()
        self.encoder, self.decoder, self.weight = encoder.requires_grad_(False), decoder, weight

    def target(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """The content's last map with the style's statistics; `strength` below 1 goes only part of the way."""
        h = self.encoder(content)[-1]
        mean, std = statistics(self.encoder(style)[-1])
        return torch.lerp(h, adain(h, std, mean), strength)

    def loss(self, content: Tensor, style: Tensor) -> Tensor:
        """Of pictures (batch, 1, H, W) in [0, 1], row by row."""
        t = self.target(content, style)
        maps, wanted = self.encoder(self.decoder(t)), self.encoder(style)
        return mse_loss(maps[-1], t) + self.weight * gap(maps, wanted).mean()

    def forward(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        """The content drawn in the style, (batch, 1, H, W)."""
        return self.decoder(self.target(content, style, strength))

    @torch.no_grad()
    def gap_left(self, content: Tensor, style: Tensor) -> float:
        """The gap of the statistics between result and style, as a share of that between content and style."""
        with evaluating(self):
            now, before, wanted = (self.encoder(x) for x in (self(content, style), content, style))
        return (gap(now, wanted).sum() / gap(before, wanted).sum()).item()

    def extra_repr(self) -> str:
        return f"weight={self.weight}"


def gap(maps: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Σ over the maps of the mean over channels of (Δμ)² + (Δσ)²: one number a row, (batch,)."""
    parts = []
    for ours, theirs in zip(maps, wanted, strict=True):
        pairs = zip(statistics(ours), statistics(theirs), strict=True)
        parts += [(a - b).square().mean(1) for a, b in pairs]
    return torch.stack(parts).sum(0)


def enlarged(images: Tensor, side: int = 16) -> Tensor:
    """(n, 1, H, W) in [0, 1] → (n, 1, side, side), bilinear: room for a style."""
    return interpolate(images, size=(side, side), mode="bilinear").clamp(0, 1)
