"""StyleGAN: a constant picture, grown and restyled layer by layer. Karras et al. 2019."""

import copy
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn

from gmcourse.gan.gan import adversarial
from gmcourse.gan.growing import GrowingCritic, doubled, fade, growth, halved, sizes_of
from gmcourse.gan.losses import gan_critic_loss, non_saturating_loss, r1_penalty
from gmcourse.gan.style import EqualisedConv2d, EqualisedLinear, Mapping, PlainLayer, StyledLayer, mix, truncate
from gmcourse.nets import sampling
from gmcourse.record import IMAGES, Examples, Suits, grey_images, shape_of

SAID = ("latent_size", "held", "faded", "mixing", "gamma", "average")
R1_EVERY = 4  # steps: the penalty is taken so seldom, and as many times as large


class StyleGenerator(nn.Module):
    """w, one a layer → (batch, C, H, W), data in [−1, 1]: a learned constant, two styled layers a stage, to-RGB.

    `mapped`: w comes of z by a `Mapping` (off: w = z). `normalised`, `noisy`: as in `StyledLayer`. With `styled` False
    it is the generator of the progressive GAN: z alone makes the first map, by a linear layer. Karras et al. 2019, §2.
    """

    def __init__(
        self,
        shape: Sequence[int],
        latent_size: int = 32,
        style_size: int = 64,
        channels: Sequence[int] = (),
        *,
        mapped: bool = True,
        normalised: bool = True,
        noisy: bool = True,
        styled: bool = True,
    ):
        super().__init__()
        colours, side, _ = shape
        self.sizes = sizes_of(side)
        self.channels = channels = tuple(channels) or (32,) * len(self.sizes)
        size, start = (style_size if mapped and styled else latent_size), (channels[0], self.sizes[0], self.sizes[0])
        self.mapping = Mapping(latent_size, style_size) if mapped and styled else nn.Identity()
        self.constant = nn.Parameter(torch.randn(start)) if styled else None
        self.first = None if styled else EqualisedLinear(latent_size, channels[0] * self.sizes[0] ** 2)
        layer = partial(StyledLayer, style_size=size, normalised=normalised, noisy=noisy) if styled else PlainLayer
        ends = [(c, c) for c in channels]
        pairs = zip([channels[0], *channels[:-1]], channels, strict=True)
        self.layers = nn.ModuleList(layer(*end) for pair in zip(pairs, ends, strict=True) for end in pair)
        self.to_rgb = nn.ModuleList(EqualisedConv2d(c, colours, 1, gain=1.0) for c in channels)

    def forward(self, styles: Tensor, noise: Sequence[Tensor], stage: int, alpha: float = 1.0) -> Tensor:
        """styles (layers, batch, W), noise one (batch, 1, h, w) a layer → the picture of this stage."""
        h, below = self._start(styles[0]), None
        for at in range(stage + 1):
            if at:
                below, h = h, doubled(h)
            for layer in (2 * at, 2 * at + 1):
                h = self.layers[layer](h, styles[layer], noise[layer])
        x = self.to_rgb[stage](h)
        if below is not None and alpha < 1:
            x = fade(doubled(self.to_rgb[stage - 1](below)), x, alpha)
        return x

    def _start(self, w: Tensor) -> Tensor:
        """What the first layer sees: the constant for every row, or without styles a map made of each row's latent."""
        if self.first is not None:
            return self.first(w).view(len(w), -1, self.sizes[0], self.sizes[0])
        assert self.constant is not None
        return self.constant.expand(len(w), *self.constant.shape)


class StyleGAN(nn.Module):
    """x = G(w₁ … w_L, noise), w = f(z), z ~ N(0, I); pictures (batch, C, H, W) in [0, 1], square.

    Both players grow by `held` and `faded` steps a stage (see `growth`), counted by `after_step`. In training a share
    `mixing` of the pictures has two latents, with a crossover at a random layer; samples come of a moving average of
    the generator, of which a share `average` stays after each step. The critic pays `gamma` times the R1 penalty, every
    fourth step four times as much. `switches` are those of `StyleGenerator`. Karras et al. 2018, 2019.
    """

    def __init__(
        self,
        shape: Sequence[int],
        latent_size: int = 32,
        channels: Sequence[int] = (),
        *,
        held: int = 150,
        faded: int = 150,
        mixing: float = 0.5,
        gamma: float = 0.3,
        average: float = 0.99,
        **switches: Any,
    ):
        super().__init__()
        self.shape, self.latent_size = tuple(shape), latent_size
        self.generator = StyleGenerator(shape, latent_size, channels=channels, **switches)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.critic = GrowingCritic(self.shape[0], self.generator.sizes[0], self.generator.channels)
        self.held, self.faded, self.mixing, self.gamma, self.average = held, faded, mixing, gamma, average
        self.register_buffer("updates", torch.tensor(0))
        self.taken = 0  # the same number, which needs no device
        self.register_load_state_dict_post_hook(_counted)

    @property
    def grown(self) -> tuple[int, float]:
        """The stage, and α, at which the model stands."""
        return growth(self.taken // 2, len(self.generator.sizes), self.held, self.faded)

    def latents(self, n: int, rng: Generator | None = None) -> Tensor:
        """z ~ N(0, I), (n, latent_size)."""
        return _normal(self, (n, self.latent_size), rng)

    def noise(self, n: int, rng: Generator | None = None) -> list[Tensor]:
        """N(0, I) for each layer, (n, 1, h, w) of its size."""
        return [_normal(self, (n, 1, side, side), rng) for side in self.generator.sizes for _ in range(2)]

    def styles(self, z: Tensor, psi: float = 1.0) -> Tensor:
        """w = f(z) of the averaged mapping for every layer, (layers, n, W), with ψ truncated towards `center`."""
        w = self.averaged.mapping(z)
        w = w if psi == 1 else truncate(w, self.center(), psi)
        return w.expand(len(self.averaged.layers), *w.shape)

    def center(self, count: int = 10_000) -> Tensor:
        """w̄ = E f(z), (W,), by `count` latents that are the same in every call."""
        z = torch.randn(count, self.latent_size, generator=torch.Generator().manual_seed(0))
        return self.averaged.mapping(z.to(next(self.averaged.parameters()))).mean(0)

    @torch.no_grad()
    def draw(self, styles: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """The picture of these styles, (layers, n, W), and noises, by the averaged generator: (n, C, H, W)."""
        stage, alpha = self.grown
        x = self.averaged(styles, noise, stage, alpha)
        return (0.5 + 0.5 * _whole(x, len(self.generator.sizes) - 1 - stage)).clamp(0, 1)

    def sample(self, n: int, *, rng: Generator | None = None, psi: float = 1.0) -> Tensor:
        """(n, C, H, W), with styles truncated by ψ. Raises ValueError for a negative n."""
        with sampling(self, n, rng):
            return self.draw(self.styles(self.latents(n, rng), psi), self.noise(n, rng))

    def critic_loss(self, real: Tensor) -> Tensor:
        """The critic's loss on data, brought to the size of the stage, and as many fakes; R1 in every fourth step."""
        stage, alpha = self.grown
        critic = partial(self.critic, stage=stage, alpha=alpha)
        real = _of_stage(real, len(self.generator.sizes) - 1 - stage, alpha)
        loss = gan_critic_loss(critic, real, torch.no_grad()(_fakes)(self, len(real)))
        due = self.taken // 2 % R1_EVERY == 0
        return loss + R1_EVERY * self.gamma * r1_penalty(critic, real) if due else loss

    def generator_loss(self, real: Tensor) -> Tensor:
        """The non-saturating loss on as many fakes as there are data in the batch."""
        stage, alpha = self.grown
        return non_saturating_loss(partial(self.critic, stage=stage, alpha=alpha), real, _fakes(self, len(real)))

    def critic_parameters(self) -> Iterator[nn.Parameter]:
        return self.critic.parameters()

    def generator_parameters(self) -> Iterator[nn.Parameter]:
        return self.generator.parameters()

    @torch.no_grad()
    def after_step(self) -> None:
        """Count the update; after the generator's, average its weights. Training calls it after every update."""
        self.updates += 1
        self.taken += 1
        if self.taken % 2 == 0:
            _follow(self.averaged, self.generator, self.average)

    def extra_repr(self) -> str:
        """What decides the model beside its networks."""
        return f"shape={self.shape}, " + ", ".join(f"{name}={getattr(self, name)}" for name in SAID)


def _fakes(model: StyleGAN, n: int) -> Tensor:
    """Fakes of the generator that learns, of the size of the stage, some of them of two latents."""
    layers, (stage, alpha) = len(model.generator.layers), model.grown
    first, second = (model.generator.mapping(z) for z in model.latents(2 * n).chunk(2))
    active = 2 * stage + 2
    crossover = torch.randint(1, active, (n,), device=first.device)
    whole = torch.rand(n, device=first.device) >= model.mixing
    crossover = torch.where(whole, layers, crossover)
    styles = mix(first.expand(layers, -1, -1), second.expand(layers, -1, -1), crossover)
    return model.generator(styles, model.noise(n), stage, alpha)


def _whole(x: Tensor, times: int) -> Tensor:
    """A picture of an earlier stage, doubled until it is of full size."""
    for _ in range(times):
        x = doubled(x)
    return x


def _of_stage(real: Tensor, smaller: int, alpha: float) -> Tensor:
    """Data in [−1, 1], halved `smaller` times, and faded as the fakes are."""
    x = 2 * real - 1
    for _ in range(smaller):
        x = halved(x)
    return fade(doubled(halved(x)), x, alpha) if alpha < 1 else x


def _follow(averaged: nn.Module, generator: nn.Module, average: float) -> None:
    """A share `average` of each averaged weight stays, the rest is the latest."""
    for kept, latest in zip(averaged.parameters(), generator.parameters(), strict=True):
        kept.lerp_(latest, 1 - average)


def _normal(model: nn.Module, shape: tuple[int, ...], rng: Generator | None) -> Tensor:
    like = next(model.parameters())
    return torch.randn(shape, generator=rng, dtype=like.dtype, device=like.device)


def _counted(model: StyleGAN, _: object) -> None:
    """The number of updates, as it was loaded."""
    model.taken = int(model.updates)


def make_stylegan(data: Examples | None = None) -> StyleGAN:
    """For square grey or coloured images in [0, 1]; without data for 8 × 8, and half way through the fade to them."""
    shape = shape_of(data, (1, 8, 8))
    channels = [32 if side < 16 else 16 for side in sizes_of(shape[1])]
    model = StyleGAN(shape, channels=channels)
    if data is None:
        model.taken = 2 * (model.held + model.faded // 2)
        model.updates += model.taken
    return model


def stylegan_plan(data: Examples | None = None) -> dict[str, Any]:
    """Adam without momentum; the rate is held for three quarters of the run, then falls to 0."""
    large = data is not None and math.prod(data.event_shape) >= 256
    steps, peak = (6_000, 5e-3) if large else (1_950, 7e-3)
    rows = 32 if data is None else min(32, len(data.train))
    rate = partial(_held_long, peak, steps)
    return {"steps": steps, "batch_size": rows, "lr": rate, "betas": (0.0, 0.99)}


def _held_long(peak: float, steps: int, step: float) -> float:
    return peak * min(1.0, 4 * (1 - step / steps))


STYLEGAN = adversarial(
    name="StyleGAN",
    key="stylegan",
    paper="karras2019",
    year=2019,
    arxiv="1812.04948",
    lesson="05_gan/08_style",
    suits=Suits(
        "square images (even sides ≥ 8)",
        lambda shape, dtype: IMAGES(shape, dtype) and shape[1] == shape[2] >= 8 and shape[1] % 2 == 0,
    ),
    make=make_stylegan,
    plan=stylegan_plan,
    example=grey_images,
)
