"""Laws of a spectral distance: moduli are compared, at every window, so that a phase costs nothing and a pitch much."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape, show_value
from gmcourse.laws.rows import pooled, within

Spectra = list[Tensor]


def moduli_are_compared(candidate: Callable[[Spectra, Spectra], Tensor], *, seed: int = 0) -> None:
    """candidate(X, Y) = the mean over scales of √Σ (|X| − |Y|)², (batch,), of lists of complex spectra.

    Each spectrum is (batch, frequencies, frames), and has its own numbers of both; the batches have one or four rows.
    """
    rng = torch.Generator().manual_seed(seed)
    for batch, sizes in ((4, ((5, 7), (9, 3))), (1, ((3, 2), (5, 4), (2, 6)))):
        x, y = ([_complex(rng, batch, *size) * (i + 1.5) for i, size in enumerate(sizes)] for _ in range(2))
        y = [part * (1 + torch.arange(batch)[:, None, None]) for part in y]
        law = f"‖ |X| − |Y| ‖ of {len(sizes)} scales, {batch} rows"
        expected = torch.stack([_norms(a, b) for a, b in zip(x, y, strict=True)]).mean(0)
        observed = require_shape(law, ask(candidate, ours=x, theirs=y), (batch,)).detach().double()
        require_close(law, observed, expected, within(expected), _slips(x, y, expected))


def _complex(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.complex(torch.randn(shape, generator=rng), torch.randn(shape, generator=rng))


def _norms(x: Tensor, y: Tensor) -> Tensor:
    """By sums over real and imaginary parts."""
    lengths = [(part.real.double() ** 2 + part.imag.double() ** 2).sqrt() for part in (x, y)]
    return ((lengths[0] - lengths[1]) ** 2).sum((1, 2)).sqrt()


def _slips(x: Spectra, y: Spectra, expected: Tensor) -> dict[str, list[Tensor]]:
    pairs = [(a.to(torch.complex128), b.to(torch.complex128)) for a, b in zip(x, y, strict=True)]

    def over(value: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        return torch.stack([value(a, b) for a, b in pairs])

    def length(z: Tensor) -> Tensor:
        return z.abs().square().sum((1, 2)).sqrt()

    gaps = [a.abs() - b.abs() for a, b in pairs]
    norms = over(lambda a, b: length(a.abs() - b.abs()))
    squares = over(lambda a, b: (a.abs() - b.abs()).square().sum((1, 2)))
    means = over(lambda a, b: (a.abs() - b.abs()).square().mean((1, 2)))
    return {
        "dependence": [*norms, norms.amax(0)],
        "direction": [over(lambda a, b: length(a - b)).mean(0), over(lambda a, b: length(a.real - b.real)).mean(0)]
        + [over(lambda a, b: length(a.angle() - b.angle())).mean(0)],
        "spread": [over(lambda a, b: length(a.abs().square() - b.abs().square())).mean(0), squares.mean(0)]
        + [torch.stack([f(gap.abs(), (1, 2)) for gap in gaps]).mean(0) for f in (torch.sum, torch.mean)],
        "one-to-one": _roots_apart(gaps),
        "constant": [over(lambda a, b, by=by: length(a.abs() - b.abs()) / length((a, b)[by])).mean(0) for by in (0, 1)],
        "log-mean": [over(lambda a, b: length(a.abs().log() - b.abs().log())).mean(0), squares.mean(0).sqrt()]
        + [
            over(lambda a, b: (length(a) - length(b)).abs()).mean(0),
            torch.stack([gap.sum((1, 2)) for gap in gaps]).mean(0),
        ]
        + [over(lambda a, b: length(a.abs().log1p() - b.abs().log1p())).mean(0)],
        "reduction": [norms.sum(0), means.mean(0), means.sqrt().mean(0), squares.sum(0), squares.sum(0).sqrt()]
        + [norms.sum(0) / by for by in (2, 3)],
        "shape": pooled(expected) if len(expected) > 1 else [],
    }


def _roots_apart(gaps: list[Tensor]) -> list[Tensor]:
    """What comes of a root for each row or column, and of the largest singular value."""
    roots = [[gap.square().sum(axis).sqrt() for gap in gaps] for axis in (1, 2)]
    added = [torch.stack([f(root, 1) for root in own]).mean(0) for own in roots for f in (torch.sum, torch.mean)]
    return [*added, torch.stack([torch.linalg.matrix_norm(gap, ord=2) for gap in gaps]).mean(0)]


def phase_is_free(candidate: Callable[[Tensor, Tensor], Tensor], *, samples: int = 4_096) -> None:
    """candidate(x̂, x) → (batch,), of sounds (batch, 1, T): a steady tone at another phase is near, silence is far.

    The same tone at another phase lies within half of the distance of silence (what is left comes from the ends, which
    are mirrored), another pitch farther than that, the tone itself at 0; silence is as far from x as x from silence.
    """
    turns = 2 * math.pi * torch.arange(samples) / 64
    tone, other = ((0.7 * torch.sin(pitch * turns + phase)) for pitch, phase in ((5.0, 0.3), (9.0, 0.3)))
    moved = [0.7 * torch.sin(5.0 * turns + 0.3 + shift) for shift in (math.pi / 2, math.pi, 5.0)]
    x = tone.expand(6, 1, -1)
    answers = torch.stack([tone, *moved, other, 0 * tone])[:, None]
    law = "a spectral distance hangs on no phase"
    distances = require_shape(law, ask(candidate, answer=answers, x=x), (6,)).detach().double()
    back = require_shape(law, ask(candidate, answer=x, x=answers), (6,)).detach().double()
    silence = distances[5]
    if not silence > 0:
        raise LawBroken("silence is far from a tone", show_value(silence), "a distance above 0", "constant")
    require_close("the tone itself is at distance 0", distances[0], 0.0 * silence, 1e-4 * float(silence))
    require_close("silence is as far from x as x from it", back[5], silence, 1e-4 * float(silence))
    if (phases := distances[1:4].max()) >= 0.5 * silence:
        raise LawBroken(law, show_value(phases / silence), "below half of the distance of silence", "direction")
    if distances[4] < 0.5 * silence:
        raise LawBroken(
            "another pitch is far",
            show_value(distances[4] / silence),
            "over half of the distance of silence",
            "dependence",
        )
