"""GAIN: a generator fills the blanks of a table, and a critic says of each entry whether it was there before.

A blank is NaN in x, (batch, D). Masks hold numbers: m is 1 where an entry is known and 0 where it is blank; b is 1
where the critic is told which of the two it is.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus

from gmcourse.nets import evaluating, mlp
from gmcourse.protocols import Adversarial
from gmcourse.record import VECTORS, Examples, ModelRecord, held_then_falling_plan, shape_of

NOISE = 0.01
"""What stands in a blank when the generator looks at it: a number drawn from U(0, NOISE)."""


def known(x: Tensor) -> Tensor:
    """m, 1 where x holds a number and 0 where it holds NaN, of the shape and type of x."""
    return (~x.isnan()).to(x.dtype)


def fill(x: Tensor, m: Tensor, other: Tensor) -> Tensor:
    """m ⊙ x + (1 − m) ⊙ other; the two never mix, so that x may hold NaN where m is 0. Yoon et al. 2018, section 3.

    Equation: gan-blank-fill.
    """
    return torch.where(m > 0, x, other)


def hint(m: Tensor, b: Tensor) -> Tensor:
    """h = b ⊙ m + ½ (1 − b): the mask where b is 1, and ½ where the critic has to find out.

    Equation: gan-hint. Yoon et al. 2018, section 4.
    """
    return b * m + 0.5 * (1 - b)


def gain_critic_loss(logits: Tensor, m: Tensor, b: Tensor) -> Tensor:
    """−E[m ln D + (1 − m) ln(1 − D)] over the entries with b = 0, nats; D = sigmoid(logits), all (batch, D).

    Equation: gan-gain-critic. Yoon et al. 2018, section 5, and algorithm 1.
    """
    return _mean(m * softplus(-logits) + (1 - m) * softplus(logits), 1 - b)


def gain_generator_loss(logits: Tensor, m: Tensor, b: Tensor) -> Tensor:
    """−E[(1 − m) ln D] over the entries with b = 0: the generator is paid for blanks alone.

    Equation: gan-gain-generator. Yoon et al. 2018, section 5, and algorithm 1.
    """
    return _mean((1 - m) * softplus(-logits), 1 - b)


def squared_error_of(x: Tensor, guess: Tensor, where: Tensor) -> Tensor:
    """E (x − guess)² over the entries where the mask is 1; elsewhere x may hold NaN."""
    return _mean(torch.where(where > 0, x - guess, torch.zeros_like(guess)).square(), where)


def guesses(network: Callable[[Tensor], Tensor], x: Tensor, m: Tensor, noise: Tensor) -> Tensor:
    """What the network, (batch, 2D) → (batch, D), says for every entry, told m ⊙ x + (1 − m) ⊙ noise and m."""
    return network(torch.cat((fill(x, m, noise), m), -1))


def impute(
    network: Callable[[Tensor], Tensor], blanked: Tensor, rng: Generator | None = None, size: float = NOISE
) -> Tensor:
    """The rows with their blanks filled, (batch, D), known entries as they are; the noise is drawn from U(0, size)."""
    m = known(blanked)
    return fill(blanked, m, guesses(network, blanked, m, size * _uniform(blanked, rng)))


def leave_one_out(network: Callable[[Tensor], Tensor], x: Tensor, noise: float = NOISE / 2) -> Tensor:
    """Σ_d (x_d − x̂_d)², (batch,): each entry of complete rows is blanked alone and filled, told `noise` for it."""
    total, half = x.new_zeros(len(x)), torch.full_like(x, noise)
    for d in range(x.shape[1]):
        m = torch.ones_like(x)
        m[:, d] = 0
        total = total + (x - guesses(network, x, m, half))[:, d].square()
    return total


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """The mean of the values whose weight is 1; 0 where there is none."""
    return (weights * values).sum() / weights.sum().clamp(min=1)


def _uniform(x: Tensor, rng: Generator | None = None) -> Tensor:
    return torch.rand(x.shape, generator=rng, dtype=x.dtype, device=x.device)


class GAIN(nn.Module):
    """x̂ = m ⊙ x + (1 − m) ⊙ G(x̃, m), and D(x̂, h) guesses m, entry by entry. Yoon et al. 2018, algorithm 1.

    `generator` and `critic` map (batch, 2D) to (batch, D), numbers and logits. Rows hold NaN where they are blank; with
    `hide`, each known entry is blanked, too, with this probability, anew at every loss, so that complete rows can be
    trained on. The generator's loss is its game plus `weight` times the squared error of the *known* entries, the
    paper's α. Each entry is told to the critic with the probability `hint_rate`. Blanks hold `noise` · U(0, 1) when the
    generator looks at them. No row can be drawn from nothing: there is no `sample`.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        *,
        weight: float = 100.0,
        hint_rate: float = 0.9,
        hide: float = 0.0,
        noise: float = NOISE,
    ):
        super().__init__()
        bounds = {"weight": (weight, float("inf")), "hint_rate": (hint_rate, 1), "hide": (hide, 1)}
        for name, (value, most) in (bounds | {"noise": (noise, float("inf"))}).items():
            if not 0 <= value <= most:
                raise ValueError(f"{name}: got {value}, expected 0 to {most}")
        self.generator, self.critic = generator, critic
        self.weight, self.hint_rate, self.hide, self.noise = weight, hint_rate, hide, noise

    def impute(self, blanked: Tensor, *, rng: Generator | None = None) -> Tensor:
        """The rows with their blanks, NaN, filled: (batch, D), known entries as they are, bit for bit."""
        with torch.no_grad(), evaluating(self):
            return impute(self.generator, blanked, rng, self.noise)

    def errors(self, x: Tensor) -> Tensor:
        """Σ_d (x_d − x̂_d)², (batch,), each entry of the complete rows x blanked alone, and filled."""
        return leave_one_out(self.generator, x, self.noise / 2)

    errors_are = "leave one out", "Σ_d (x_d − x̂_d)², each entry blanked alone and filled"

    def critic_loss(self, x: Tensor) -> Tensor:
        """The critic's cross-entropy on entries that no hint gives away, nats an entry; the generator rests."""
        with torch.no_grad():
            m, guess = self._guess(x)
        logits, b = self._judged(x, m, guess)
        return gain_critic_loss(logits, m, b)

    def generator_loss(self, x: Tensor) -> Tensor:
        """The game on blanks, plus `weight` times the squared error of known entries."""
        m, guess = self._guess(x)
        logits, b = self._judged(x, m, guess)
        return gain_generator_loss(logits, m, b) + self.weight * squared_error_of(x, guess, m)

    def _guess(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mask, with what is hidden, and the generator's word on every entry."""
        m = known(x) * (_uniform(x) >= self.hide)
        return m, guesses(self.generator, x, m, self.noise * _uniform(x))

    def _judged(self, x: Tensor, m: Tensor, guess: Tensor) -> tuple[Tensor, Tensor]:
        """The critic's logits of the filled rows, told h, and b."""
        b = (_uniform(x) < self.hint_rate).to(x.dtype)
        return self.critic(torch.cat((fill(x, m, guess), hint(m, b)), -1)), b

    def critic_parameters(self) -> Iterator[nn.Parameter]:
        return self.critic.parameters()

    def generator_parameters(self) -> Iterator[nn.Parameter]:
        return self.generator.parameters()

    def extra_repr(self) -> str:
        """What the two networks do not tell."""
        return f"weight={self.weight}, hint_rate={self.hint_rate}, hide={self.hide}, noise={self.noise}"


class Between(nn.Module):
    """low + (high − low) · sigmoid(a), column by column: numbers that stay in the range of a table, (D,) and (D,)."""

    def __init__(self, low: Tensor, high: Tensor):
        super().__init__()
        self.register_buffer("low", low)
        self.register_buffer("high", high)

    def forward(self, a: Tensor) -> Tensor:
        """(…, D) in any range → (…, D) within it."""
        low, high = self.get_buffer("low"), self.get_buffer("high")
        return low + (high - low) * a.sigmoid()


def gain_networks(dims: int, width: int | None = None) -> tuple[nn.Sequential, nn.Sequential]:
    """The generator, (batch, 2D) → (batch, D) in [0, 1], and the critic's logits: two hidden layers of D, or `width`.

    Yoon et al. 2018, in their code.
    """
    hidden = [width or dims] * 2
    return nn.Sequential(*mlp([2 * dims, *hidden, dims]), nn.Sigmoid()), mlp([2 * dims, *hidden, dims])


def make_gain(data: Examples | None = None) -> GAIN:
    """Rows of a complete table, a fifth of it blanked at every loss; without data for 8 columns in [0, 1]."""
    (dims,) = shape_of(data, (8,))
    low, high = (torch.zeros(dims), torch.ones(dims)) if data is None else (data.train.amin(0), data.train.amax(0))
    generator, critic = gain_networks(dims)
    return GAIN(nn.Sequential(*list(generator)[:-1], Between(low, high)), critic, hide=0.2)


def table_rows(n: int, seed: int = 0) -> tuple[Tensor]:
    """Rows of 8 columns in [0, 1] that hang together, (n, 8)."""
    rng = torch.Generator().manual_seed(seed)
    return ((torch.randn(n, 1, generator=rng) + 0.5 * torch.randn(n, 8, generator=rng)).sigmoid(),)


GAIN_RECORD = ModelRecord(
    name="GAIN",
    key="gain",
    family="gan",
    branch=("implicit density", "adversarial"),
    density="none",
    claims=(Adversarial,),
    paper="yoon2018",
    year=2018,
    arxiv="1806.02920",
    lesson="05_gan/09_filling_blanks",
    suits=VECTORS,
    make=make_gain,
    plan=partial(held_then_falling_plan, steps=3_000, batch_size=128, peak=1e-3, betas=(0.9, 0.999)),
    example=table_rows,
)
