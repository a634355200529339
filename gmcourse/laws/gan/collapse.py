"""Laws of collapse and of two tricks against it: modes counted, features matched, rows that see their neighbours."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import nearest, require_close, require_shape


def features_agree_in_the_mean(candidate: Callable[[nn.Sequential, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(critic, real, fake) is ‖E φ(real) − E φ(fake)‖², φ the critic but its last layer, with its gradient.

    The oracle multiplies the features out of the weights; real and fake may differ in number.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    rng = torch.Generator().manual_seed(seed)
    first, second, last = ([p.detach().double() for p in critic[i].parameters()] for i in (0, 2, 4))

    def layers(x: Tensor) -> list[Tensor]:
        """The features, and what other layers say."""
        inner = torch.tanh(x @ first[0].T + first[1])
        before = inner @ second[0].T + second[1]
        features = before * (before > 0)
        return [features, before, inner, features @ last[0].T + last[1]]

    for fakes in (5, 8):
        real, fake = 2 * torch.randn(5, 2, generator=rng), 1 + 1.5 * torch.randn(fakes, 2, generator=rng)
        exact = fake.double().requires_grad_()
        ours, theirs = layers(real.double()), layers(exact)
        gaps = [(a.mean(0) - b.mean(0)) for a, b in zip(ours, theirs, strict=True)]
        expected = gaps[0].square().sum()
        (right,) = torch.autograd.grad(expected, exact)
        fake = fake.requires_grad_()
        output = ask(candidate, critic=critic, real=real, fake=fake)
        value = require_shape("one number for the batch", output, ())
        observed, expected = value.detach().double(), expected.detach()
        pairs = (ours[0] - theirs[0][:5]).detach().square()
        sums = (ours[0].sum(0) - theirs[0].sum(0)).detach().square().sum()
        suspects = {
            "reduction": nearest(observed, expected / 4, expected / 2),
            "dependence": nearest(observed, *(gap.detach().square().sum() for gap in gaps[1:])),
            "log-mean": nearest(observed, pairs.sum(1).mean(), pairs.mean(), pairs.sum()),
            "spread": nearest(observed, expected.sqrt(), gaps[0].detach().abs().sum()),
            "shape": sums,
        }
        law = f"‖E φ(real) − E φ(fake)‖², 5 real and {fakes} fakes"
        require_close(law, observed, expected, 1e-4 * (1 + expected), suspects)
        slope = torch.zeros_like(fake)
        if value.requires_grad:
            slope = torch.autograd.grad(value, fake, materialize_grads=True)[0]
        law = "the loss moves the fakes"  # its value is right
        require_close(law, slope.double(), right, 1e-4, {"gradient": slope})


def rows_see_their_neighbours(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(M) is o_ib = Σ_j exp(−‖M_ib − M_jb‖₁), (batch, kernels), of M (batch, kernels, size), j = i included.

    The oracle is three loops.
    """
    rng = torch.Generator().manual_seed(seed)
    kernels, size = 3, 2
    for batch in (4, 5):
        places = torch.randn(batch, kernels, size, generator=rng, dtype=torch.float64)
        numbers = places.tolist()

        def nearness(distance: Callable[[list[float]], float], sign: float = -1.0) -> Tensor:
            def one(i: int, b: int) -> float:
                gaps = ([u - v for u, v in zip(numbers[i][b], row[b], strict=True)] for row in numbers)  # noqa: B023
                return sum(math.exp(sign * distance(gap)) for gap in gaps)

            rows = [[one(i, b) for b in range(kernels)] for i in range(batch)]  # noqa: B023
            return torch.tensor(rows, dtype=torch.float64)

        expected = nearness(lambda gaps: sum(map(abs, gaps)))
        output = ask(candidate, places=places)
        observed = require_shape("one number a row and kernel", output, (batch, kernels)).double()
        others = (
            nearness(lambda gaps: math.hypot(*gaps)),
            nearness(lambda gaps: sum(gap**2 for gap in gaps)),
            nearness(lambda gaps: max(map(abs, gaps))),
            nearness(lambda gaps: sum(map(abs, gaps)) / len(gaps)),
        )
        suspects = {
            "spread": nearest(observed, *others),
            "sign": nearness(lambda gaps: sum(map(abs, gaps)), sign=1.0),
            "constant": expected - 1,
            "reduction": nearest(observed, expected / batch, (expected - 1) / (batch - 1)),
            "dependence": nearness(sum),
        }
        law = "o_ib = Σ_j exp(−‖M_ib − M_jb‖₁)"
        require_close(law, observed, expected, 1e-4 * (1 + expected), suspects)


def modes_are_counted(candidate: Callable[[Tensor, Tensor, float], Any], *, seed: int = 0) -> None:
    """candidate(samples, centres, std) is (found, quality): a mode is found by ≥ 1 % of all samples within 3 std of it.

    Quality is the share of samples within 3 std of any centre. The samples stand where they are counted by hand.
    """
    centres, std = torch.tensor([[-20.0, 3.0], [-10.0, -4.0], [0.0, 2.0], [10.0, -1.0], [20.0, 5.0]]), 0.5
    # the third has 1 % exactly, most of it within the circle and outside the diamond in it; the fourth has less;
    # around the fifth, in the corners of the square about the circle and beyond, none counts
    places = (
        *((0, (0.0, 0.0), 480), (0, (0.0, -1.45), 10), (0, (0.9, 0.9), 10), (1, (0.1, 0.0), 30), (2, (0.1, 0.0), 4)),
        *((2, (0.9, -0.9), 6), (3, (0.1, 0.0), 8), (4, (1.2, -1.2), 240), (4, (-1.2, 1.2), 200), (4, (5.0, 4.0), 12)),
    )
    samples = torch.cat([(centres[i] + torch.tensor(away)).repeat(n, 1) for i, away, n in places])
    edge = centres[[0] * 99 + [1]]
    raised = torch.nn.functional.pad(samples, (1, 0)), torch.nn.functional.pad(centres, (1, 0))
    for law, x, c in (
        ("1,000 samples in the plane", samples, centres),
        ("1,000 samples in space", *raised),
        ("99 samples at one centre, 1 at another", edge, centres),
    ):
        result = ask(candidate, samples=x, centres=c, std=std)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            result = require_shape("two numbers: modes found and quality", result, (2,))
        seen = torch.stack([require_shape("found and quality", value, ()).double() for value in result])
        right = _counted(x, c, std)
        slips = {
            "constant": [_counted(x, c, std, share=1e-9)],
            "dependence": [_counted(x, c, math.inf), _counted(x, c, 10 * std), _nearest_alone(x, c)],
            "direction": [_counted(x, c, std, strict=True)],
            "reduction": [_counted(x, c, std, share=1 / len(c)), right * torch.tensor([1, len(x)])],
            "spread": [_counted(x, c, std**2), _counted(x, c, std / 3), _counted(x, c, std * 2 / 3)],
            "one-to-one": [_counted(x, c, std, norm=norm) for norm in (1.0, math.inf)]
            + [_counted(x[:, :1], c[:, :1], std)],
        }
        named = {cause: nearest(seen, *values) for cause, values in slips.items()}
        require_close(f"modes found, and quality, of {law}", seen, right, torch.tensor([0.0, 1e-5]), named)


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
