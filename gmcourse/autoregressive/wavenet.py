"""WaveNet: the next sample of a sound from hundreds before it, by causal convolutions with taps ever farther apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.discrete import codes_log_prob
from gmcourse.autoregressive.generation import generate
from gmcourse.autoregressive.mu_law import decode, encode
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import Examples, ModelRecord, Suits, held_then_falling_plan


def receptive_field(kernel: int, dilations: Sequence[int]) -> int:
    """R = 1 + (k − 1) Σ d: how many samples before x_t its distribution can depend on.

    Equation: autoregressive-sound-reach.
    """
    return 1 + (kernel - 1) * sum(dilations)


def causal_conv(x: Tensor, weight: Tensor, dilation: int = 1, bias: Tensor | None = None) -> Tensor:
    """y_t = Σ_j W_j x_{t−(k−1−j)d}, zeros before the start: x (batch, in, T), weight (out, in, k) → (batch, out, T).

    Equation: autoregressive-sound-dilated. Van den Oord et al. 2016, figure 3.
    """
    reach = (weight.shape[-1] - 1) * dilation
    return F.conv1d(F.pad(x, (reach, 0)), weight, bias, dilation=dilation)


def gate(seen: Tensor) -> Tensor:
    """tanh(f) ⊙ σ(g) of the two halves of the channels, (batch, 2r, …) → (batch, r, …)."""
    f, g = seen.chunk(2, 1)
    return f.tanh() * g.sigmoid()


class Block(nn.Module):
    """z = gate(W ∗ h + V c): h + U z goes on to the next block, z to the skips; after the last block nothing goes on.

    W has the filter's and the gate's taps, V a row for each class. Equation: autoregressive-sound-gate. Van den Oord
    et al. 2016, equation 2, section 2.5, figure 4.
    """

    def __init__(self, channels: int, kernel: int, dilation: int, classes: int | None, last: bool):
        super().__init__()
        self.dilation = dilation
        self.taps = nn.Conv1d(channels, 2 * channels, kernel, dilation=dilation)
        self.told = None if classes is None else nn.Embedding(classes, 2 * channels)
        self.residual = None if last else nn.Conv1d(channels, channels, 1)
        if self.told is not None:
            nn.init.zeros_(self.told.weight)

    def forward(self, h: Tensor, given: Tensor | None) -> tuple[Tensor, Tensor]:
        """h and z of a whole sound, (batch, r, T) each."""
        seen = causal_conv(h, self.taps.weight, self.dilation, self.taps.bias)
        z = gate(seen + self.heard(given)[:, :, None])
        return (h if self.residual is None else h + self.residual(z)), z

    def heard(self, given: Tensor | None) -> Tensor:
        """V c, (batch, 2r), of a class (batch,); of several at once, (batch, m), the sum; zeros where none is told."""
        if self.told is None or given is None:
            return self.taps.weight.new_zeros(1, 1)
        rows = self.told(given)
        return rows if given.dim() == 1 else rows.sum(1)

    def step(self, h: Tensor, queue: Tensor, t: int, heard: Tensor) -> tuple[Tensor, Tensor]:
        """h and z at time t alone, (batch, r) each; `queue`, ((k−1)d, batch, r), holds the h before it, in a circle.

        h_t takes the place of the oldest, h_{t−(k−1)d}. Equation: autoregressive-sound-queue.
        Paine et al. 2016.
        """
        size = len(queue)
        window = torch.stack([*(queue[(t + j) % size] for j in range(0, size, self.dilation)), h], -1)
        seen = F.linear(window.flatten(1), self.taps.weight.flatten(1), self.taps.bias)
        queue[t % size] = h
        z = gate(seen + heard)
        return (h if self.residual is None else h + at_once(self.residual, z)), z


def at_once(layer: nn.Conv1d, x: Tensor) -> Tensor:
    """A 1×1 convolution at one time alone: (batch, in) → (batch, out)."""
    return F.linear(x, layer.weight[..., 0], layer.bias)


@dataclass
class Memory:
    """What the next sample is computed from: for each block V c and a queue; and how many samples have been read."""

    heard: list[Tensor]
    queues: list[Tensor]
    t: int = 0


class WaveNet(nn.Module):
    """P(x) = ∏_t P(x_t | x_{t−R..t−1}, c) of the μ-law codes of a sound, (1, T), float in [−1, 1]; c its class, if any.

    A code is embedded and moved on by one sample, so that x_t is predicted from those before it; then gated blocks of
    these dilations, the sum of whose skips goes through ReLU, 1×1, ReLU, 1×1 to the softmax. `log_prob` is of the
    codes, any length, nats. A model of `classes` is told one, `given` (batch,) int64, or several at once, (batch, m).
    Equation: autoregressive-sound-chain. Van den Oord et al. 2016.
    """

    measures = "probability"

    def __init__(
        self,
        length: int,
        dilations: Sequence[int],
        channels: int = 24,
        skip: int = 48,
        *,
        levels: int = 256,
        kernel: int = 2,
        classes: int | None = None,
    ):
        super().__init__()
        if kernel < 2 or not dilations or min(dilations) < 1:
            raise ValueError(
                f"kernel: got {kernel} taps, dilations {list(dilations)}, expected 2 or more, and all from 1"
            )
        self.event_shape, self.levels, self.classes = (1, length), levels, classes
        self.receptive_field = receptive_field(kernel, dilations)
        self.embed = nn.Embedding(levels, channels)
        last = len(dilations) - 1
        self.blocks = nn.ModuleList(Block(channels, kernel, d, classes, i == last) for i, d in enumerate(dilations))
        self.skip = nn.Conv1d(len(dilations) * channels, skip, 1)  # of all z side by side: the sum of a skip each
        self.mix, self.out = nn.Conv1d(skip, skip, 1), nn.Conv1d(skip, levels, 1)

    def logits(self, codes: Tensor, given: Tensor | None = None) -> Tensor:
        """l_t of codes before t, (batch, V, T): codes (batch, T) int64."""
        self._require_told(given)
        h, skips = F.pad(self.embed(codes), (0, 0, 1, -1)).mT, []
        for block in self.blocks:
            h, z = block(h, given)
            skips.append(z)
        return self.out(self.mix(self.skip(torch.cat(skips, 1)).relu()).relu())

    def log_prob(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """ln P of the codes of x, (batch, 1, T) in [−1, 1], (batch,), nats."""
        codes = encode(x[:, 0], self.levels)
        return codes_log_prob(self.logits(codes, given), codes)

    def loss(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """−ln P, mean over the batch, nats a sound. Raises ValueError for amplitudes outside [−1, 1]."""
        require_sound(x)
        return -self.log_prob(x, given).mean()

    def begin(self, batch: int, /, *given: Tensor) -> Memory:
        """Before the first sample, of a class where the model is told one: every queue holds zeros."""
        told = given[0] if given else None
        self._require_told(told)
        weight = self.embed.weight
        sizes = [(block.taps.kernel_size[0] - 1) * block.dilation for block in self._blocks()]
        queues = [weight.new_zeros(size, batch, weight.shape[1]) for size in sizes]
        return Memory([block.heard(told) for block in self._blocks()], queues)

    def step(self, symbol: Tensor | None, state: Memory) -> tuple[Tensor, Memory]:
        """Reads a code, (batch,) int64, or None before the first: the next logits, (batch, V); the state is moved on.

        One new column in each block, whatever R is. Equation: autoregressive-sound-queue.
        """
        h = torch.zeros_like(state.queues[0][0]) if symbol is None else self.embed(symbol)
        skips = []
        for block, queue, heard in zip(self._blocks(), state.queues, state.heard, strict=True):
            h, z = block.step(h, queue, state.t, heard)
            skips.append(z)
        state.t += 1
        mixed = at_once(self.mix, at_once(self.skip, torch.cat(skips, 1)).relu()).relu()
        return at_once(self.out, mixed), state

    def sample(
        self, n: int, given: Tensor | None = None, *, length: int | None = None, rng: Generator | None = None
    ) -> Tensor:
        """n sounds, (n, 1, T), sample by sample through the queues; of another `length`, if asked."""
        told = () if given is None else (given,)
        codes = generate(self, n, self.event_shape[1] if length is None else length, given=told, rng=rng)
        return decode(codes, self.levels, self.embed.weight.dtype).unsqueeze(1)

    def extra_repr(self) -> str:
        """What no part of it tells."""
        return f"event_shape={self.event_shape}, levels={self.levels}, classes={self.classes}"

    def _blocks(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))

    def _require_told(self, given: Tensor | None) -> None:
        if (given is None) != (self.classes is None):
            came, wanted = ("none", f"classes 0..{(self.classes or 0) - 1}") if given is None else ("classes", "none")
            raise ValueError(f"given: got {came}, expected {wanted}")


def require_sound(x: Tensor) -> None:
    """Raise ValueError unless x holds amplitudes in [−1, 1]."""
    if x.is_meta or not x.numel():
        return
    if x.is_complex() or not bool((x.abs() <= 1).all()):
        raise ValueError(f"x: got {x.dtype} amplitudes up to {x.abs().max().item():.4g}, expected real ones in [-1, 1]")


def make_wavenet(data: Examples | None = None) -> WaveNet:
    """Two runs of dilations 1, 2, 4, … up to 64, fewer for short sounds. Raises ValueError for amplitudes over 1."""
    if data is None:
        return WaveNet(16, (1, 2, 4), channels=8, skip=16, levels=16)
    if not bool((data.train.abs() <= 1).all()):
        raise ValueError(f"data: {data.key} holds amplitudes up to {data.train.abs().max():.4g}, expected [-1, 1]")
    length = data.event_shape[1]
    run = [2**i for i in range(7) if receptive_field(2, [2 ** (i + 2) - 2]) <= max(length, 3)]
    return WaveNet(length, run * 2)


def sounds(n: int, seed: int = 0) -> tuple[Tensor]:
    """Random sounds of 16 samples, (n, 1, 16)."""
    return (1.8 * torch.rand(n, 1, 16, generator=torch.Generator().manual_seed(seed)) - 0.9,)


WAVENET = ModelRecord(
    name="WaveNet",
    key="wavenet",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="oord2016wavenet",
    year=2016,
    arxiv="1609.03499",
    lesson="02_autoregressive/07_sound",
    suits=Suits("sounds", lambda shape, dtype: dtype.is_floating_point and len(shape) == 2 and shape[0] == 1),
    make=make_wavenet,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=10, peak=6e-3),
    example=sounds,
)
