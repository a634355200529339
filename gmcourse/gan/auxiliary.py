"""ACGAN: a critic that also names the class, of data and of fakes, and a generator that wants it named as asked."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from gmcourse.gan.conditional import Deaf, latents, told_game, told_generator
from gmcourse.gan.gan import named
from gmcourse.gan.losses import gan_critic_loss, non_saturating_loss, r1_penalty
from gmcourse.nets import mlp, rows_given, sampling
from gmcourse.record import Examples, classes_of, shape_of


def class_loss(logits: Sequence[Tensor], facts: Tensor) -> Tensor:
    """−E Σ_k ln P(c_k|x), nats: of each fact k the logits (batch, V_k), and in `facts`, (batch, K), the classes c_k."""
    if facts.dim() != 2 or facts.shape[1] != len(logits):
        raise ValueError(
            f"facts: got shape {tuple(facts.shape)}, expected (batch, {len(logits)}): a class of each head"
        )
    return torch.stack([cross_entropy(part, facts[:, k]) for k, part in enumerate(logits)]).sum()


def column(given: Tensor) -> Tensor:
    """Classes (batch,) as the one fact of each row, (batch, 1)."""
    return given[:, None]


class ACGAN(nn.Module):
    """x = G(z, c), z ~ N(0, I): the game about x, and both players minimise −`weight` · ln P(c|x) too.

    `generator` maps latents and what is given to examples; `critic` maps examples and what is given to (batch, 1 + ΣV):
    its h, and the logits of each of the `heads`, which name V classes each. The paper's critic is not told c: `Deaf`.
    `facts` reads the classes, (batch, heads), in what is given. With `fakes`, the critic learns the classes of fakes
    too, as asked for, as in the paper. `r1` weighs `r1_penalty` of h.
    Equation: gan-acgan-losses. Odena et al. 2017, eqs. 2 and 3.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        latent_size: int,
        heads: Sequence[int],
        *,
        facts: Callable[[Tensor], Tensor] = column,
        weight: float = 1.0,
        fakes: bool = True,
        r1: float = 1.0,
    ):
        super().__init__()
        if latent_size < 1 or not heads or min(heads) < 2:
            raise ValueError(
                f"latent_size, heads: got {latent_size}, {tuple(heads)}, expected 1 or more, heads of 2 or more"
            )
        if not (weight >= 0 and r1 >= 0):
            raise ValueError(f"weight, r1: got {weight} and {r1}, expected at least 0")
        self.generator, self.critic, self.latent_size, self.heads = generator, critic, latent_size, tuple(heads)
        self.weight, self.fakes, self.r1, self._facts = weight, fakes, r1, facts

    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """(n, *event_shape), each for its row of given, (n, …), or all for the one row, (1, …)."""
        with sampling(self.generator, n, rng):
            return self.generator(latents(self.generator, n, self.latent_size, rng), rows_given(given, n))

    def judge(self, x: Tensor, given: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """h, (batch, 1), and the logits of each head, (batch, V)."""
        h, *logits = self.critic(x, given).split((1, *self.heads), 1)
        return h, tuple(logits)

    def critic_loss(self, real: Tensor, given: Tensor) -> Tensor:
        """The game's loss, and the cross-entropy of the classes, of data and, with `fakes`, of fakes."""
        with torch.no_grad():
            fake = self.generator(latents(self.generator, len(real), self.latent_size), given)
        facts, (h_real, of_real), (h_fake, of_fake) = (
            self._facts(given),
            self.judge(real, given),
            self.judge(fake, given),
        )
        game = gan_critic_loss(_itself, h_real, h_fake)
        classes = class_loss(of_real, facts) + (class_loss(of_fake, facts) if self.fakes else 0.0)
        if self.r1:
            game = game + self.r1 * r1_penalty(lambda x: self.judge(x, given)[0], real)
        return game + self.weight * classes

    def generator_loss(self, real: Tensor, given: Tensor) -> Tensor:
        """The non-saturating loss of as many fakes as there are data, and the cross-entropy of the classes asked."""
        fake = self.generator(latents(self.generator, len(real), self.latent_size), given)
        h, logits = self.judge(fake, given)
        return non_saturating_loss(_itself, h, h) + self.weight * class_loss(logits, self._facts(given))

    def critic_parameters(self) -> Iterator[nn.Parameter]:
        return self.critic.parameters()

    def generator_parameters(self) -> Iterator[nn.Parameter]:
        return self.generator.parameters()

    def extra_repr(self) -> str:
        """What decides the game beside its networks."""
        told = f"latent_size={self.latent_size}, heads={self.heads}, facts={named(self._facts)}"
        return f"{told}, weight={self.weight}, fakes={self.fakes}, r1={self.r1}"


class Beside(nn.Module):
    """A critic that is told c, (batch, 1), beside a classifier that is not, (batch, ΣV): they share no weight."""

    def __init__(self, critic: nn.Module, classifier: nn.Module):
        super().__init__()
        self.critic, self.classifier = critic, classifier

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        """(batch, 1 + ΣV)."""
        return torch.cat([self.critic(x, given), self.classifier(x)], 1)


def _itself(h: Tensor) -> Tensor:
    """Logits that the critic has already given, for losses that ask it."""
    return h


def make_acgan(data: Examples | None = None, *, weight: float = 1.0, latent_size: int = 16) -> ACGAN:
    """Two networks of two hidden layers of 128. Without data: for 8 × 8 images of ten classes."""
    shape, classes = shape_of(data, (1, 8, 8)), classes_of(data, 10)
    layers = mlp([math.prod(shape), 128, 128, 1 + classes], partial(nn.LeakyReLU, 0.2))
    critic = Deaf(nn.Sequential(nn.Flatten(), *layers))
    return ACGAN(told_generator(shape, classes, latent_size), critic, latent_size, (classes,), weight=weight)


ACGAN_RECORD = told_game(
    name="ACGAN",
    key="acgan",
    paper="odena2017",
    year=2017,
    arxiv="1610.09585",
    make=make_acgan,
)
