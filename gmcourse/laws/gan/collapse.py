"""Laws of collapse and of two tricks against it: modes counted, features matched, rows that see their neighbours."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import Slips, require_close, require_numbers, require_shape
from gmcourse.laws.rows import within


def features_agree_in_the_mean(candidate: Callable[[nn.Sequential, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(critic, real, fake) is ‖E φ(real) − E φ(fake)‖², φ the critic but its last layer, with its gradient.

    The oracle multiplies the features out of the weights; real and fake may differ in number.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    rng = torch.Generator().manual_seed(seed)
    for fakes in (5, 8):
        real, fake = 2 * torch.randn(5, 2, generator=rng), 1 + 1.5 * torch.randn(fakes, 2, generator=rng)
        fake, exact = fake.requires_grad_(), fake.double().requires_grad_()
        ours, theirs = _layers(critic, real.double()), _layers(critic, exact)
        expected = (ours[0].mean(0) - theirs[0].mean(0)).square().sum()
        (right,) = torch.autograd.grad(expected, exact)
        value = require_shape("one number for the batch", ask(candidate, critic=critic, real=real, fake=fake), ())
        observed, expected = value.detach().double(), expected.detach()
        suspects = _feature_slips(ours, [layer.detach() for layer in theirs])
        law = f"‖E φ(real) − E φ(fake)‖², 5 real and {fakes} fakes"
        require_close(law, observed, expected, within(expected), suspects)
        moved, law = slope(value, fake).double(), "the loss moves the fakes"  # its value is right
        require_close(law, moved, right, 1e-4, {"gradient": moved})


def _layers(critic: nn.Sequential, x: Tensor) -> list[Tensor]:
    """The features of x, and what the other layers say, from the weights."""
    first, second, last = ([p.detach().double() for p in critic[i].parameters()] for i in (0, 2, 4))
    inner = torch.tanh(x @ first[0].T + first[1])
    before = inner @ second[0].T + second[1]
    features = before * (before > 0)
    return [features, before, inner, features @ last[0].T + last[1]]


def _feature_slips(ours: list[Tensor], theirs: list[Tensor]) -> dict[str, Slips]:
    gaps = [a.mean(0) - b.mean(0) for a, b in zip(ours, theirs, strict=True)]
    right, pairs = gaps[0].square().sum(), (ours[0] - theirs[0][:5]).square()
    return {
        "reduction": (right / 4, right / 2),
        "dependence": [gap.square().sum() for gap in gaps[1:]],
        "log-mean": (pairs.sum(1).mean(), pairs.mean(), pairs.sum()),
        "spread": (right.sqrt(), gaps[0].abs().sum()),
        "shape": (ours[0].sum(0) - theirs[0].sum(0)).square().sum(),
    }


def rows_see_their_neighbours(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(M) is o_ib = Σ_j exp(−‖M_ib − M_jb‖₁), (batch, kernels), of M (batch, kernels, size), j = i included.

    The oracle is three loops.
    """
    rng = torch.Generator().manual_seed(seed)
    for batch in (4, 5):
        places = torch.randn(batch, 3, 2, generator=rng, dtype=torch.float64)

        def near(distance: Callable[[list[float]], float], sign: float = -1.0, places: Tensor = places) -> Tensor:
            return _nearness(places.tolist(), distance, sign)

        expected = near(lambda gaps: sum(map(abs, gaps)))
        observed = require_shape("one number a row and kernel", ask(candidate, places=places), (batch, 3)).double()
        others = (
            near(lambda gaps: math.hypot(*gaps)),
            near(lambda gaps: sum(gap**2 for gap in gaps)),
            near(lambda gaps: max(map(abs, gaps))),
            near(lambda gaps: sum(map(abs, gaps)) / len(gaps)),
        )
        suspects = {
            "spread": others,
            "sign": near(lambda gaps: sum(map(abs, gaps)), sign=1.0),
            "constant": expected - 1,
            "reduction": (expected / batch, (expected - 1) / (batch - 1)),
            "dependence": near(sum),
        }
        law = "o_ib = Σ_j exp(−‖M_ib − M_jb‖₁)"
        require_close(law, observed, expected, within(expected), suspects)


def _nearness(rows: list[list[list[float]]], distance: Callable[[list[float]], float], sign: float) -> Tensor:
    """Σ_j exp(± distance) of each row and kernel."""

    def one(places: list[list[float]], b: int) -> float:
        gaps = ([u - v for u, v in zip(places[b], other[b], strict=True)] for other in rows)
        return sum(math.exp(sign * distance(gap)) for gap in gaps)

    return torch.tensor([[one(places, b) for b in range(len(places))] for places in rows], dtype=torch.float64)


def modes_are_counted(candidate: Callable[[Tensor, Tensor, float], Any], *, seed: int = 0) -> None:
    """candidate(samples, centres, std) is (found, quality): a mode is found by ≥ 1 % of all samples within 3 std of it.

    Quality is the share of samples within 3 std of any centre. The samples stand where they are counted by hand.
    """
    std = 0.5
    for law, x, c in _crowds():
        seen = require_numbers("modes found, and quality", ask(candidate, samples=x, centres=c, std=std), 2)
        right = _counted(x, c, std)
        slips = {
            "constant": [_counted(x, c, std, share=1e-9)],
            "dependence": [_counted(x, c, math.inf), _counted(x, c, 10 * std), _nearest_alone(x, c)],
            "direction": [_counted(x, c, std, strict=True)],
            "reduction": [_counted(x, c, std, share=1 / len(c))]
            + [right * torch.tensor([1, times]) for times in (2, 100, len(x))],
            "spread": [_counted(x, c, std**2), _counted(x, c, std / 3), _counted(x, c, std * 2 / 3)],
            "one-to-one": [_counted(x, c, std, norm=norm) for norm in (1.0, math.inf)]
            + [_counted(x[:, :1], c[:, :1], std)],
        }
        require_close(f"modes found, and quality, of {law}", seen, right, torch.tensor([0.0, 1e-5]), slips, fit=1e-3)


def _crowds() -> Iterator[tuple[str, Tensor, Tensor]]:
    """Samples and centres; in the last each good sample is near both centres, and counts once in the quality."""
    samples, centres = _counted_by_hand()
    yield "1,000 samples in the plane", samples, centres
    yield "1,000 samples in space", pad(samples, (1, 0)), pad(centres, (1, 0))
    yield "99 samples at one centre, 1 at another", centres[[0] * 99 + [1]], centres
    shared = torch.tensor([[0.4, 0.0]] * 30 + [[0.6, 0.0]] * 30 + [[30.0, 0.0]] * 40)
    yield "100 samples, 60 of them near both centres", shared, torch.tensor([[0.0, 0.0], [1.0, 0.0]])


def _counted_by_hand() -> tuple[Tensor, Tensor]:
    """1,000 samples, and five centres."""
    centres = torch.tensor([[-20.0, 3.0], [-10.0, -4.0], [0.0, 2.0], [10.0, -1.0], [20.0, 5.0]])
    # the third has 1 % exactly, most of it within the circle and outside the diamond in it; the fourth has less;
    # around the fifth, in the corners of the square about the circle and beyond, none counts
    places = (
        *((0, (0.0, 0.0), 480), (0, (0.0, -1.45), 10), (0, (0.9, 0.9), 10), (1, (0.1, 0.0), 30), (2, (0.1, 0.0), 4)),
        *((2, (0.9, -0.9), 6), (3, (0.1, 0.0), 8), (4, (1.2, -1.2), 240), (4, (-1.2, 1.2), 200), (4, (5.0, 4.0), 12)),
    )
    return torch.cat([(centres[i] + torch.tensor(away)).repeat(n, 1) for i, away, n in places]), centres


def _counted(
    x: Tensor, centres: Tensor, std: float, norm: float = 2.0, share: float = 0.01, strict: bool = False
) -> Tensor:
    """Found and quality, by loops over the centres, under this rule or another."""
    near = torch.stack([torch.linalg.vector_norm((x - c).double(), norm, dim=1) <= 3 * std for c in centres])
    counts = [int(row.sum()) for row in near]
    least = share * len(x)
    found = sum(n > least + 1e-9 if strict else n >= least - 1e-9 for n in counts)
    return torch.tensor([found, int(near.any(0).sum()) / len(x)], dtype=torch.float64)


def _nearest_alone(x: Tensor, centres: Tensor) -> Tensor:
    """Every sample counted for its nearest centre, however far."""
    nearest_one = torch.cdist(x, centres).argmin(1)
    found = sum(int((nearest_one == k).sum()) >= 0.01 * len(x) for k in range(len(centres)))
    return torch.tensor([found, 1.0], dtype=torch.float64)
