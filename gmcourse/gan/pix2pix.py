"""pix2pix: a picture made of another, by a distance to the true one and a critic of the pair. Isola et al. 2017."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Generator, Tensor, nn

from gmcourse.gan.dcgan import Rescale
from gmcourse.gan.gan import adversarial
from gmcourse.gan.losses import gan_critic_loss, non_saturating_loss
from gmcourse.gan.pairs import edges, pictures_given
from gmcourse.gan.patch import patch_critic
from gmcourse.nets import sampling
from gmcourse.record import IMAGES, Examples, Suits, grey_images, held_then_falling_plan

Noise = Literal["planes", "dropout", "none"]


class PictureGenerator(nn.Module):
    """x = G(c, z) in [0, 1]: a U-Net from a picture c, (batch, inputs, H, W), its sides divisible by 2^halvings.

    `width` channels at full size and twice as many at each halved one; on the way up each size sees what the way down
    had there; batch norm in all layers but the first and the last. z, (batch, `latents`), is fed in as `noise` says:
    "planes", `planes` numbers, each constant over the pixels beside c; "dropout", a number for each entry of the
    innermost layer, which is doubled where z > 0, else set to 0 (the paper's); "none". Isola et al. 2017, §3.2.1.
    """

    def __init__(
        self, inputs: int, outputs: int, width: int = 16, halvings: int = 2, *, noise: Noise = "planes", planes: int = 4
    ):
        super().__init__()
        if noise not in ("planes", "dropout", "none"):
            raise ValueError(f"noise: got {noise!r}, expected planes, dropout or none")
        if halvings < 1:
            raise ValueError(f"halvings: got {halvings}, expected at least 1")
        self.noise, self.planes, self.halvings = noise, planes * (noise == "planes"), halvings
        widths = [width * 2**stage for stage in range(halvings + 1)]
        self.inner = widths[-1]
        self.first = nn.Sequential(nn.Conv2d(inputs + self.planes, width, 3, padding=1), nn.ReLU())
        self.down = nn.ModuleList(_halving(wide, wider) for wide, wider in pairwise(widths))
        self.bottom = _normed(nn.Conv2d(widths[-1], widths[-1], 3, padding=1, bias=False))
        self.up = nn.ModuleList(
            _doubling(wider if wider == widths[-1] else 2 * wider, wide) for wide, wider in pairwise(widths)
        )
        self.last = nn.Sequential(nn.Conv2d(2 * width, outputs, 3, padding=1), nn.Tanh(), Rescale(0.5, 0.5))

    def latents(self, given: Tensor, rng: Generator | None = None) -> Tensor:
        """z ~ N(0, I) for each row of given: (batch, `planes`), or (batch, entries of the innermost layer)."""
        small = 2**self.halvings
        inner = self.inner * (given.shape[-2] // small) * (given.shape[-1] // small)
        size = {"planes": self.planes, "dropout": inner, "none": 0}[self.noise]
        return torch.randn(len(given), size, generator=rng, dtype=given.dtype, device=given.device)

    def forward(self, given: Tensor, z: Tensor) -> Tensor:
        """(batch, outputs, H, W). Raises ValueError for sides that cannot be halved so often."""
        small = 2**self.halvings
        if given.dim() != 4 or given.shape[-1] % small or given.shape[-2] % small:
            raise ValueError(f"given: got shape {tuple(given.shape)}, expected pictures of sides divisible by {small}")
        planes = z[:, : self.planes, None, None].expand(-1, -1, *given.shape[2:])
        kept = [self.first(torch.cat((2 * given - 1, planes), 1))]
        for down in self.down:
            kept.append(down(kept[-1]))
        h = self.bottom(kept.pop())
        if self.noise == "dropout":
            h = 2 * h * (z > 0).to(h.dtype).view_as(h)
        for up in reversed(self.up):
            h = torch.cat((up(h), kept.pop()), 1)
        return self.last(h)

    def extra_repr(self) -> str:
        return f"noise={self.noise!r}, planes={self.planes}"


class Pix2Pix(nn.Module):
    """x̂ = G(c, z), trained on pairs (x, c): −E ln D(c, x̂) + λ E |x − x̂|, D a critic of the *pair*. Isola et al. 2017.

    `generator` is a `PictureGenerator`; `critic` maps x beside c, (batch, channels of both, H, W), to a map of logits.
    Pictures are in [0, 1]; distances are taken between them stretched to [−1, 1], as in the paper, whose λ is 100.
    Equation: gan-pix2pix.
    """

    def __init__(self, generator: PictureGenerator, critic: nn.Module, weight: float = 100.0):
        super().__init__()
        if weight < 0:
            raise ValueError(f"weight: got {weight}, expected at least 0")
        self.generator, self.critic, self.weight = generator, critic, weight

    def critic_loss(self, x: Tensor, given: Tensor) -> Tensor:
        """−E ln D(c, x) − E ln(1 − D(c, x̂)), the mean over the patches too."""
        with torch.no_grad():
            fake = self.generator(given, self.generator.latents(given))
        return gan_critic_loss(self._judge(given), x, fake)

    def generator_loss(self, x: Tensor, given: Tensor) -> dict[str, Tensor]:
        """−E ln D(c, x̂), named "fooling", and λ E |x − x̂|, named "distance"."""
        fake = self.generator(given, self.generator.latents(given))
        fooling = non_saturating_loss(self._judge(given), x, fake)
        return {"fooling": fooling, "distance": self.weight * stretched(x, fake).abs().mean()}

    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """x̂ = G(c, z): (n, *event), each for its row of given, (n, …), or all for the one row, (1, …)."""
        with sampling(self, n, rng):
            given = rows_of(given, n)
            return self.generator(given, self.generator.latents(given, rng))

    def critic_parameters(self) -> Iterator[nn.Parameter]:
        return self.critic.parameters()

    def generator_parameters(self) -> Iterator[nn.Parameter]:
        return self.generator.parameters()

    def extra_repr(self) -> str:
        return f"weight={self.weight}"

    def _judge(self, given: Tensor) -> Any:
        return partial(_of_pair, self.critic, given)


class Alone(nn.Module):
    """The same generator without a critic: E |x − x̂|^power, power 1 or 2, between pictures stretched to [−1, 1]."""

    def __init__(self, generator: PictureGenerator, power: int = 1):
        super().__init__()
        if power not in (1, 2):
            raise ValueError(f"power: got {power}, expected 1 or 2")
        self.generator, self.power = generator, power

    def loss(self, x: Tensor, given: Tensor) -> Tensor:
        """The mean over pixels and batch."""
        fake = self.generator(given, self.generator.latents(given))
        return stretched(x, fake).abs().pow(self.power).mean()

    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """As that of `Pix2Pix`."""
        with sampling(self, n, rng):
            given = rows_of(given, n)
            return self.generator(given, self.generator.latents(given, rng))

    def extra_repr(self) -> str:
        return f"power={self.power}"


def stretched(x: Tensor, fake: Tensor) -> Tensor:
    """The difference of two pictures in [0, 1] once both are stretched to [−1, 1]."""
    return 2 * (x - fake)


def rows_of(given: Tensor, n: int) -> Tensor:
    """`given` with n rows."""
    if given.dim() != 4 or len(given) not in (n, 1):
        raise ValueError(f"given: got shape {tuple(given.shape)}, expected ({n}, C, H, W), or one row for all, (1, …)")
    return given.expand(n, *given.shape[1:])


def _of_pair(critic: nn.Module, given: Tensor, x: Tensor) -> Tensor:
    return critic(torch.cat((x, given), 1))


def _normed(conv: nn.Conv2d | nn.ConvTranspose2d) -> nn.Sequential:
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU())


def _halving(inputs: int, outputs: int) -> nn.Sequential:
    return _normed(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False))


def _doubling(inputs: int, outputs: int) -> nn.Sequential:
    return _normed(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False))


def pix2pix(
    inputs: int, outputs: int, weight: float = 100.0, *, width: int = 16, halvings: int = 1, noise: Noise = "planes"
) -> Pix2Pix:
    """A `PictureGenerator` beside a `patch_critic` of the pair, twice as wide."""
    generator = PictureGenerator(inputs, outputs, width, halvings, noise=noise)
    return Pix2Pix(generator, patch_critic(inputs + outputs, 2 * width, halvings), weight)


def make_pix2pix(data: Examples | None = None) -> Pix2Pix:
    """λ = 10 and z of four planes. Without data: from grey 8 × 8 pictures to grey ones, half as wide.

    What is given are the labels of the data where those are pictures, else the edges of x itself.
    """
    channels, asked = (1, 1) if data is None else (data.event_shape[0], pictures_given(data, "train")[1].shape[1])
    large = data is not None and data.event_shape[-1] >= 16
    return pix2pix(asked, channels, 10.0, width=8 if data is None else 16, halvings=2 if large else 1)


def pairs_of_pictures(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random grey pictures, (n, 1, 8, 8), and the edges of each."""
    (x,) = grey_images(n, seed)
    return x, edges(x)


PICTURES = Suits(
    "images (sides divisible by 4)",
    lambda shape, dtype: IMAGES(shape, dtype) and not any(side % 4 for side in shape[1:]),
)

PIX2PIX = adversarial(
    name="pix2pix",
    key="pix2pix",
    paper="isola2017",
    year=2017,
    arxiv="1611.07004",
    lesson="05_gan/07_translation",
    suits=PICTURES,
    make=make_pix2pix,
    plan=partial(held_then_falling_plan, steps=2_000, batch_size=16, peak=1e-3, betas=(0.5, 0.999)),
    example=pairs_of_pictures,
    pairs=pictures_given,
)
