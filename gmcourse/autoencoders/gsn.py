"""The generative stochastic network: a denoiser with a memory, whose walk is the model."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoencoders.corruption import Corruption
from gmcourse.nets import sampling
from gmcourse.probability import bernoulli_log_prob, is_binary, mean_logits, require_bits
from gmcourse.protocols import Sampler, Trainable
from gmcourse.record import BINARY_IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan


def gsn_step(x: Tensor, noise: Tensor, draw: Tensor, sigma: float, variance: float = 1.0) -> Tensor:
    """One step of the exact chain on N(0, s²), s² = `variance`: x̃ = x + σ · noise, then x' ~ N(a x̃, a σ²).

    a = s²/(s² + σ²); `noise` and `draw` are standard normal, of the shape of x. Equation: autoencoders-gaussian-step.
    """
    a = variance / (variance + sigma**2)
    return a * (x + sigma * noise) + math.sqrt(a) * sigma * draw


def walkback_pairs(
    x: Tensor,
    noise: Tensor,
    corrupt: Callable[[Tensor, Tensor], Tensor],
    draw: Callable[[Tensor, Tensor], Tensor],
) -> tuple[Tensor, Tensor]:
    """What a denoiser with walkback learns from: x̃ after 0, 1, … steps of its own chain from x, and x, for each.

    `noise` (steps, 2, batch, *event) holds the random numbers of each step: of `corrupt(x, u)`, which gives x̃, and of
    `draw(x̃, v)`, the model's x'. Both results are (steps · batch, *event); no gradient flows through the walk.
    Bengio et al. 2013, who draw the number of steps; here it is fixed. Equation: autoencoders-walkback.
    """
    walker, reached = x, []
    for u, v in noise:
        reached.append(corrupt(walker, u).detach())
        walker = draw(reached[-1], v)
    return torch.cat(reached), x.repeat(len(reached), *[1] * (x.dim() - 1))


Tensors = Sequence[Tensor] | nn.ParameterList


def gsn_input(state: Sequence[Tensor], weights: Tensors, biases: Tensors, i: int) -> Tensor:
    """a_i = W_iᵀ h_{i−1} + W_{i+1} h_{i+1} + b_i of the layers (batch, size), h₀ the pixels; W_i stands at i − 1.

    A layer at an end has one neighbour; a₀ are the logits of the pixels. Equation: autoencoders-gsn-layer.
    """
    a = biases[i]
    if i > 0:
        a = a + state[i - 1] @ weights[i - 1]
    if i < len(weights):
        a = a + state[i + 1] @ weights[i].T
    return a


class GSN(nn.Module):
    """A chain on (x̃, h₁, …, h_K): odd layers, even layers, then x ~ Π_d Bern(σ(b₀ + W₁ h₁)) and x̃ ~ C(x̃|x).

    A hidden layer is h_i = tanh(a_i + η) + η' with a_i from `gsn_input` and η, η' ~ N(0, noise²). x is (batch, *event),
    zeros and ones. Bengio, Thibodeau-Laufer, Alain & Yosinski 2014; Alain et al. 2016.

    As in the paper and its authors' program: weights used in both directions, tanh, noise before and after it but none
    in h₁, layers updated odd then even, salt-and-pepper on the input, hidden layers that begin at 0, a walk of several
    steps whose costs are added up, and whose gradient flows through the hidden layers and not through the drawn x.
    Ours: layers of 200 for 1,500; Adam for stochastic gradient descent with momentum; noise 1 for 2; corruption 0.3
    for 0.4; the mean of the costs over the steps for their sum; samples are drawn pixels (the paper shows
    probabilities), from chains that begin at independent pixels.
    """

    start_logits: Tensor

    def __init__(
        self,
        event_shape: Sequence[int],
        hidden: Sequence[int] = (200, 200),
        noise: float = 1.0,
        corruption: float = 0.3,
        walkback: int = 4,
        burn_in: int = 400,
    ):
        super().__init__()
        if min(walkback, burn_in, len(hidden), *hidden) < 1:
            raise ValueError(f"walkback, burn_in, hidden: got {walkback}, {burn_in}, {hidden}, expected at least 1")
        if not 0 <= noise < math.inf:
            raise ValueError(f"noise: got {noise}, expected a standard deviation, at least 0")
        self.event_shape, self.noise = tuple(event_shape), noise
        self.corruption = Corruption("salt-and-pepper", corruption)
        self.walkback, self.burn_in = walkback, burn_in
        sizes = [math.prod(event_shape), *hidden]
        self.weights = nn.ParameterList(nn.init.xavier_uniform_(torch.empty(a, b)) for a, b in zip(sizes, sizes[1:]))
        self.biases = nn.ParameterList(torch.zeros(size) for size in sizes)
        self.register_buffer("start_logits", torch.zeros(sizes[0]))

    def extra_repr(self) -> str:
        """What its weights do not tell."""
        noise = f"noise={self.noise}, corruption={self.corruption.level}"
        return f"event_shape={self.event_shape}, {noise}, walkback={self.walkback}, burn_in={self.burn_in}"

    def start(self, spoilt: Tensor) -> list[Tensor]:
        """The state in which a walk begins: x̃, (batch, D), and hidden layers of zeros."""
        return [spoilt, *(spoilt.new_zeros(len(spoilt), len(bias)) for bias in self.biases[1:])]

    def corrupt(self, x: Tensor, rng: Generator | None = None) -> Tensor:
        """x̃ ~ C(x̃|x): salt and pepper."""
        return self.corruption.draw(x, rng)

    def _layer(self, state: list[Tensor], i: int, rng: Generator | None) -> Tensor:
        a = gsn_input(state, self.weights, self.biases, i)
        noise = self.noise if i > 1 else 0.0
        before, after = torch.randn((2, *a.shape), generator=rng, dtype=a.dtype, device=a.device)
        return (a + noise * before).tanh() + noise * after

    def _update(self, state: list[Tensor], rng: Generator | None = None) -> tuple[list[Tensor], Tensor]:
        """The state with its hidden layers updated, odd then even, and the logits of P(x|h), (batch, D)."""
        state = list(state)
        for i in (*range(1, len(state), 2), *range(2, len(state), 2)):
            state[i] = self._layer(state, i, rng)
        return state, gsn_input(state, self.weights, self.biases, 0)

    def _walk(self, state: list[Tensor], rng: Generator | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Each step's logits of P(x|h) and its drawn x, both (batch, D), without end."""
        while True:
            state, logits = self._update(state, rng)
            u = torch.rand(logits.shape, generator=rng, dtype=logits.dtype, device=logits.device)
            x = (u < logits.detach().sigmoid()).to(logits.dtype)
            yield logits, x
            state[0] = self.corrupt(x, rng)

    def loss(self, x: Tensor) -> Tensor:
        """−ln P(x|h) of the clean x after each of `walkback` steps from it, mean over steps and batch, nats.

        Raises ValueError for x that holds anything but zeros and ones. Equation: autoencoders-gsn-loss.
        """
        require_bits(x, self.event_shape)
        steps = islice(self._walk(self.start(self.corrupt(x.flatten(1)))), self.walkback)
        return -torch.stack([bernoulli_log_prob(x.flatten(1), logits).mean() for logits, _ in steps]).mean()

    def chains(self, x: Tensor, steps: int = 100, *, rng: Generator | None = None) -> Tensor:
        """Walks of so many steps, one from each row of x: (steps, batch, *event), without gradients.

        Raises ValueError for no step, and for x that holds anything but zeros and ones.
        """
        require_bits(x, self.event_shape)
        if steps < 1:
            raise ValueError(f"steps: got {steps}, expected at least 1")
        with sampling(self, len(x), rng):
            walk = self._walk(self.start(self.corrupt(x.flatten(1), rng)), rng)
            return torch.stack([drawn for _, drawn in islice(walk, steps)]).view(steps, *x.shape)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, *event): the last states of n chains of `burn_in` steps, each from pixels drawn by themselves."""
        with sampling(self, n, rng):
            like = self.start_logits
            u = torch.rand(n, len(like), generator=rng, dtype=like.dtype, device=like.device)
            walk = self._walk(self.start(self.corrupt((u < like.sigmoid()).to(like.dtype), rng)), rng)
            _, last = next(islice(walk, self.burn_in - 1, None))
            return last.view(n, *self.event_shape)


def make_gsn(data: Examples | None = None) -> GSN:
    """Two hidden layers of 200; walks begin at pixels drawn at the rates of the data, without data at even coins.

    Raises ValueError where the data hold anything but zeros and ones.
    """
    if data is None:
        return GSN((1, 8, 8))
    if not is_binary(data.train):
        raise ValueError(f"data: {data.key} holds other values than 0 and 1, expected those alone: binarized-digits do")
    model = GSN(data.event_shape)
    model.start_logits.copy_(mean_logits(data.train))
    return model


GENERATIVE_STOCHASTIC_NETWORK = ModelRecord(
    name="Generative stochastic network",
    key="generative-stochastic-network",
    family="autoencoders",
    branch=("implicit density", "Markov chain"),
    density="implicit",
    claims=(Trainable, Sampler),
    paper="bengio2014",
    year=2014,
    arxiv="1306.1091",
    lesson="03_autoencoders/03_walking_with_a_denoiser",
    suits=BINARY_IMAGES,
    make=make_gsn,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=100, peak=2e-3),
    example=binary_images,
)
