"""How a note sounds, as numbers: the pitch that its harmonics agree on, and how much of its loudness is left."""

import math
from itertools import combinations

import torch
from torch import Tensor

LOWEST = 220.0  # Hz, of class 0
CENTS = 5


def pitch(x: Tensor, rate: float, harmonics: int = 3) -> Tensor:
    """The fundamental whose first harmonics hold the most energy, (n,), Hz, of sounds (n, T), `rate` samples a second.

    argmax_f Σ_h |Σ_t x_t e^{−2πi h f t / rate}|² over the octave from half a semitone under 220 Hz, in steps of 5 cents
    (a cent is a hundredth of a semitone). In an octave no fundamental is a harmonic of another.
    """
    cents = torch.arange(-50, 1150, CENTS)
    frequency = LOWEST * 2 ** (cents.double() / 1200)
    return frequency[_energy(x, rate, frequency, harmonics).argmax(1)]


def pitch_class(x: Tensor, rate: float, harmonics: int = 3) -> Tensor:
    """The semitone over 220 Hz nearest to the pitch, (n,), 0..11."""
    return (12 * (pitch(x, rate, harmonics) / LOWEST).log2()).round().long()


def pair_of_classes(x: Tensor, rate: float, harmonics: int = 3) -> Tensor:
    """The two different semitones over 220 Hz whose harmonics together come nearest to x, (n, 2), rising.

    Least squares of each of the 66 pairs: x by sines and cosines at h f₁ and h f₂, each dying away by e^{−8 t}.
    """
    time = torch.arange(x.shape[1], dtype=torch.float64) / rate
    pairs, explained = list(combinations(range(12), 2)), []
    for pair in pairs:
        cycles = [h * LOWEST * 2 ** (c / 12) * time for c in pair for h in range(1, harmonics + 1)]
        waves = [(-8 * time).exp() * wave(2 * math.pi * turn) for turn in cycles for wave in (torch.sin, torch.cos)]
        explained.append((x.double() @ torch.linalg.qr(torch.stack(waves, 1)).Q).square().sum(1))
    return torch.tensor(pairs)[torch.stack(explained, 1).argmax(1)]


def cents_off(x: Tensor, rate: float, classes: Tensor, harmonics: int = 3) -> Tensor:
    """How far the pitch lies from that of the class, (n,), cents: 100 to the next semitone."""
    return 1200 * (pitch(x, rate, harmonics) / LOWEST).log2() - 100 * classes


def loudness_left(x: Tensor, part: int) -> tuple[float, float, float]:
    """Root mean square of the first and of the last `part` samples of all sounds (n, T), and their ratio."""
    first, last = (piece.square().mean().sqrt().item() for piece in (x[:, :part], x[:, -part:]))
    return first, last, last / first


def ringing(x: Tensor) -> Tensor:
    """The energy of the second half of each sound over that of the first, (n,): sounds (n, T); 0 where it has died."""
    first, second = (half.square().sum(1) for half in x.tensor_split(2, 1))
    return second / first


def signal_to_noise(answer: Tensor, x: Tensor) -> Tensor:
    """10 log₁₀ Σ x² / Σ (x − x̂)², (batch,), decibels, of x̂ = `answer` and x, (batch, …): 0 where x̂ is silence.

    Less than that for what is worse than silence. Infinite for x itself, NaN where x is silent too.
    """
    return 10 * (_sum_of_squares(x) / _sum_of_squares(x - answer)).log10()


def energy_kept(answer: Tensor, x: Tensor) -> Tensor:
    """Σ x̂² / Σ x², (batch,), of x̂ = `answer` and x, (batch, …)."""
    return _sum_of_squares(answer) / _sum_of_squares(x)


def _energy(x: Tensor, rate: float, frequency: Tensor, harmonics: int) -> Tensor:
    """Σ_h of the energy at h f, (n, F)."""
    turns = torch.arange(x.shape[1], dtype=torch.float64) / rate * frequency[:, None]
    parts = [torch.polar(torch.ones_like(turns), -2 * math.pi * h * turns) for h in range(1, harmonics + 1)]
    return torch.stack([(x.to(part.dtype) @ part.T).abs().square() for part in parts]).sum(0)


def _sum_of_squares(x: Tensor) -> Tensor:
    return x.flatten(1).square().sum(1)
