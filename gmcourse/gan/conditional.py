"""Games about pairs (x, c): the conditional GAN, a critic that is shown wrong pairs, and what each game comes to."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus

from gmcourse.gan.gan import adversarial, named
from gmcourse.gan.losses import gan_critic_loss, non_saturating_loss, r1_penalty
from gmcourse.nets import OneHot, Told, mlp, rows_given, sampling
from gmcourse.record import IMAGES, VECTORS, Examples, classes_of, grey_images, held_then_falling_plan, shape_of


def matching_critic_loss(right: Tensor, wrong: Tensor, fake: Tensor) -> Tensor:
    """−E ln D(x, c) − ½ E ln(1 − D(x, wrong c)) − ½ E ln(1 − D(G(z, c), c)), nats, of the logits of the three, (n,).

    Equation: gan-matching-loss. Reed et al. 2016, algorithm 1.
    """
    return softplus(-right).mean() + 0.5 * softplus(wrong).mean() + 0.5 * softplus(fake).mean()


def wrong_class(given: Tensor, classes: int, noise: Tensor) -> Tensor:
    """Another class than the one given, each of the V − 1 others equally often, (n,) int64.

    given (n,) holds classes 0..V−1; `noise` (n,) is uniform in [0, 1).
    """
    if classes < 2:
        raise ValueError(f"classes: got {classes}, expected at least 2: one class has no other")
    steps = 1 + (noise * (classes - 1)).long()
    return (given + steps) % classes


def optimal_q(p: Tensor, w: Tensor) -> Tensor:
    """max(κp − w, 0), κ such that it sums to 1: the generator's best answer to a critic that is shown wrong pairs.

    p and w, (n,), are the tables of right and of wrongly labelled pictures of one condition. κ is 2, and the answer
    2p − w, where that is nowhere negative. Raises ValueError for what is no table. Equation: gan-matching-optimum.
    """
    return filled(p, w)


def auxiliary_q(p: Tensor, posterior: Tensor, weight: float = 1.0) -> Tensor:
    """max(κ p Pᵂ − p, 0), κ such that it sums to 1: where −W ln P(c|x) is added to the non-saturating loss.

    p, (n,), is the table of one condition c, which the critic is told; `posterior`, (n,), is P(c|x).
    Equation: gan-class-tilt.
    """
    return filled(p * posterior**weight, p)


def filled(raised: Tensor, taken: Tensor) -> Tensor:
    """max(κ · raised − taken, 0), (n,), with the one κ that makes it sum to 1; `taken`, (n,), sums to 1."""
    for name, table in (("raised", raised), ("taken", taken)):
        if table.dim() != 1 or table.shape != raised.shape or not (table >= 0).all() or not table.sum() > 0:
            raise ValueError(f"{name}: got {table.tolist()}, expected (n,) numbers, none negative, not all 0")
    if not math.isclose(taken.sum().item(), 1.0, abs_tol=1e-4):
        raise ValueError(f"taken: got a sum of {taken.sum():.4g}, expected a table that sums to 1")
    ratio = torch.where(raised > 0, taken / raised, torch.inf)  # an entry is drawn from κ = its ratio on
    order = ratio.argsort()
    kappa = (1 + taken[order].cumsum(0)) / raised[order].cumsum(0)
    last = int((kappa > ratio[order]).nonzero()[-1])
    return (kappa[last] * raised - taken).clamp(min=0)


class Projection(nn.Module):
    """h(x, c) = u·φ(x) + b + v(c)·φ(x), (batch, 1): what is given multiplies the features.

    `features` maps x to φ, (batch, size), `read` what is given to v, (batch, size).
    Equation: gan-projection. Miyato & Koyama 2018.
    """

    def __init__(self, features: nn.Module, read: nn.Module, size: int):
        super().__init__()
        self.features, self.read, self.plain = features, read, nn.Linear(size, 1)

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        """(batch, 1)."""
        phi = self.features(x)
        return self.plain(phi) + (self.read(given) * phi).sum(1, keepdim=True)


class Deaf(nn.Module):
    """network(x), whatever is given: a critic that is not told c."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        """As the network gives it."""
        return self.network(x)


class CGAN(nn.Module):
    """x = G(z, c), z ~ N(0, I), (batch, latent_size): at each c the non-saturating game, all in the same two networks.

    `generator` maps latents and what is given to examples, `critic` examples and what is given to one number each. With
    `wrong`, which makes wrong conditions of right ones, the critic is shown data under these too, as fakes
    (`matching_critic_loss`). `r1` weighs `r1_penalty`. Equation: gan-pairs. Mirza & Osindero 2014, eq. 2.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        latent_size: int,
        *,
        wrong: Callable[[Tensor], Tensor] | None = None,
        r1: float = 1.0,
    ):
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size: got {latent_size}, expected at least 1")
        if not r1 >= 0:
            raise ValueError(f"r1: got {r1}, expected a weight of at least 0")
        self.generator, self.critic, self.latent_size, self.r1 = generator, critic, latent_size, r1
        self._wrong = wrong

    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """(n, *event_shape), each for its row of given, (n, …), or all for the one row, (1, …)."""
        with sampling(self.generator, n, rng):
            return self.generator(latents(self.generator, n, self.latent_size, rng), rows_given(given, n))

    def critic_loss(self, real: Tensor, given: Tensor) -> Tensor:
        """On a batch of data, as many fakes of the same conditions and, where there is `wrong`, data with wrong ones.

        The fakes carry no gradient to the generator.
        """
        with torch.no_grad():
            fake = self.generator(latents(self.generator, len(real), self.latent_size), given)
        told = partial(self.critic, given=given)
        if self._wrong is None:
            loss = gan_critic_loss(told, real, fake)
        else:
            loss = matching_critic_loss(told(real), self.critic(real, self._wrong(given)), told(fake))
        return loss + self.r1 * r1_penalty(told, real) if self.r1 else loss

    def generator_loss(self, real: Tensor, given: Tensor) -> Tensor:
        """−E ln D(G(z, c), c) on as many fakes as there are data, of the same conditions."""
        fake = self.generator(latents(self.generator, len(real), self.latent_size), given)
        return non_saturating_loss(partial(self.critic, given=given), real, fake)

    def critic_parameters(self) -> Iterator[nn.Parameter]:
        return self.critic.parameters()

    def generator_parameters(self) -> Iterator[nn.Parameter]:
        return self.generator.parameters()

    def extra_repr(self) -> str:
        """What decides the game beside its networks."""
        wrong = "" if self._wrong is None else f", wrong={named(self._wrong)}"
        return f"latent_size={self.latent_size}, r1={self.r1}{wrong}"


def latents(generator: nn.Module, n: int, size: int, rng: Generator | None = None) -> Tensor:
    """z ~ N(0, I), (n, size), of the type and on the device of the generator's weights."""
    weight = next(generator.parameters())
    return torch.randn(n, size, generator=rng, dtype=weight.dtype, device=weight.device)


def some_wrong_class(classes: int) -> Callable[[Tensor], Tensor]:
    """`wrong_class` with its noise drawn from torch's global state: the `wrong` of a `CGAN` that is told classes."""
    return partial(_some_wrong_class, classes)


def _some_wrong_class(classes: int, given: Tensor) -> Tensor:
    return wrong_class(given, classes, torch.rand(given.shape, device=given.device))


def told_generator(shape: tuple[int, ...], classes: int, latent_size: int, width: int = 128) -> Told:
    """z beside a class → x of this shape, by two hidden layers; pictures end in [0, 1]."""
    dims = math.prod(shape)
    ends = () if len(shape) == 1 else (nn.Sigmoid(), nn.Unflatten(1, shape))
    return Told(nn.Sequential(*mlp([latent_size + classes, width, width, dims]), *ends), OneHot(classes))


def make_cgan(data: Examples | None = None, *, matching: bool = False, latent_size: int = 16) -> CGAN:
    """Two networks of two hidden layers of 128, told a class. Without data: for 8 × 8 images of ten classes."""
    shape, classes = shape_of(data, (1, 8, 8)), classes_of(data, 10)
    leaky = partial(nn.LeakyReLU, 0.2)
    critic = Told(mlp([math.prod(shape) + classes, 128, 128, 1], leaky), OneHot(classes))
    wrong = some_wrong_class(classes) if matching else None
    return CGAN(told_generator(shape, classes, latent_size), critic, latent_size, wrong=wrong)


def told_grey_images(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random grey images, (n, 1, 8, 8), and a class of ten for each, (n,)."""
    rng = torch.Generator().manual_seed(seed)
    return *grey_images(n, seed), torch.randint(0, 10, (n,), generator=rng)


told_game = partial(
    adversarial,
    lesson="05_gan/06_conditional",
    suits=VECTORS | IMAGES,
    plan=partial(held_then_falling_plan, steps=3_000, batch_size=128, peak=1e-3, betas=(0.5, 0.999)),
    example=told_grey_images,
    told=True,
)
"""The record of a game that is told a class."""

CGAN_RECORD = told_game(
    name="CGAN",
    key="cgan",
    paper="mirza2014",
    year=2014,
    arxiv="1411.1784",
    make=make_cgan,
)
