"""Laws of what autoencoders are used for: an area that counts pairs, draws with the codes' moments, a filled block."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape
from gmcourse.laws.rows import draw, within

Auroc = Callable[[Tensor, Tensor], float]
FitAndSample = Callable[[Tensor, int, Generator], Tensor]
Reconstruct = Callable[[Tensor], Tensor]
Fill = Callable[[Reconstruct, Tensor, Tensor, int], Tensor]


def counts_pairs(candidate: Auroc, *, seed: int = 0) -> None:
    """candidate(normal, anomalous) = share of pairs with the anomalous score above, a tie for half; (n,) and (m,).

    The oracle looks at one pair after the other. The value must stay under every increasing map of the scores.
    """
    few, many = draw(5, seed=seed), 0.7 + draw(11, seed=seed + 1)
    rounded = (2 * draw(12, seed=seed + 2)).round(), (1 + 2 * draw(7, seed=seed + 3)).round()
    for name, normal, anomalous in (
        ("scores that overlap", few, many),
        ("more normal than anomalous ones", many, few),
        ("many ties", *rounded),
        ("all scores equal", torch.full((4,), 2.5), torch.full((3,), 2.5)),
        ("all anomalous above", few, few + 9),
        ("all anomalous below", few, few - 9),
        ("one of each", torch.tensor([1.0]), torch.tensor([3.0])),
    ):
        _compare_area(name, candidate, normal, anomalous)
    for name, change in (("exponentials of the scores", torch.exp), ("cubes of the scores", lambda s: s**3 + 100)):
        _compare_area(name, candidate, change(few), change(many))


def _compare_area(name: str, candidate: Auroc, normal: Tensor, anomalous: Tensor) -> None:
    pairs = [(a, s) for a in anomalous.tolist() for s in normal.tolist()]
    wins, ties = sum(a > s for a, s in pairs) / len(pairs), sum(a == s for a, s in pairs) / len(pairs)
    expected = torch.tensor(wins + ties / 2, dtype=torch.float64)
    middle = torch.cat([normal, anomalous]).median()
    right = (anomalous > middle).sum() + (normal <= middle).sum()
    caught = (anomalous > normal.max()).double().mean()
    slips = {
        "sign": [1 - expected],
        "constant": [torch.tensor(value, dtype=torch.float64) for value in (wins + ties, wins)],
        "reduction": [right / (len(normal) + len(anomalous)), caught, *_by_threshold(normal, anomalous)],
        "spread": [expected * count for count in (len(pairs), len(normal), len(anomalous), 100)]
        + [expected * len(pairs) / count for count in (len(normal) ** 2, len(normal) + len(anomalous))],
        "direction": [2 * expected - 1, (2 * expected - 1).abs()],
    }
    if 0 < ties < 1:
        slips["constant"].append(torch.tensor(wins / (1 - ties), dtype=torch.float64))
    law = f"the share of pairs in order, {name}"
    observed = require_shape(law, ask(candidate, normal=normal, anomalous=anomalous), ()).detach().double()
    slips = {cause: [value.double() for value in ways] for cause, ways in slips.items()}
    require_close(law, observed, expected, 1e-6, slips, {"normal": normal, "anomalous": anomalous}, fit=1e-5)


def _by_threshold(normal: Tensor, anomalous: Tensor) -> list[Tensor]:
    """What is right or caught at one threshold: the median or the mean of the scores, or the best of all thresholds."""
    both = torch.cat([normal, anomalous])
    shares = [(anomalous > level).double().mean() for level in (both.median(), normal.median(), normal.mean())]
    found, false = (torch.stack([(s >= level).double().mean() for level in both]) for s in (anomalous, normal))
    right = (found * len(anomalous) + (1 - false) * len(normal)) / len(both)
    return [*shares, (anomalous.mean() > normal).double().mean(), right.max(), (found - false).max()]


def keeps_moments(candidate: FitAndSample, *, seed: int = 0) -> None:
    """candidate(codes, n, rng): n draws, (n, k), of the Gaussian with the mean and the covariance of codes (m, k).

    Means, covariances and fourth powers of 20,000 draws within 5 standard errors, the last two along the axes on which
    the codes have the covariance I. Equal seeds give equal draws, and one generator that is asked twice gives two.
    """
    mix = torch.tensor([[2.0, 0.0, 0.0], [1.6, 0.5, 0.0], [-0.6, 0.4, 0.9]])
    raw = draw(80, 3, seed=seed)
    raw[:, 0] = raw[:, 0].sign() + 0.3 * raw[:, 0]  # two groups: the codes are no Gaussian, their draws are
    codes = raw @ mix.T + torch.tensor([3.0, -1.0, 0.5])
    mean, covariance, n = codes.double().mean(0), codes.double().T.cov(), 20_000
    law = "draws have the mean and the covariance of the codes"

    def told(rng: Generator, count: int = n) -> Tensor:
        return require_shape(law, ask(candidate, codes=codes, n=count, rng=rng), (count, 3)).detach().double()

    one, same, other = (torch.Generator().manual_seed(number) for number in (seed, seed, seed + 1))
    z = told(one)
    if not torch.equal(told(same), z) or torch.equal(told(other), z):
        raise LawBroken("equal seeds give equal draws, others do not", "otherwise", "so", "randomness")
    if torch.equal(told(one), z):
        raise LawBroken("a generator that is asked again gives other draws", "the same", "others", "randomness")
    told(one, 2)
    _near_moments(law, z, mean, covariance, codes.double().median(0).values)
    if len(z.float().unique(dim=0)) < n / 2:
        raise LawBroken("draws are new", f"{len(z.float().unique(dim=0))} different of {n}", f"{n}", "one-to-one")
    white = torch.linalg.solve_triangular(torch.linalg.cholesky(covariance), (z - mean).T, upper=False)
    eye = torch.eye(3).double()
    require_close(f"{law}, along every axis", white.cov(), eye, 5 * (1 + eye).div(n).sqrt())
    fourth = "the fourth power of a Gaussian's draws is 3 on average, where their square is 1"
    require_close(fourth, white.pow(4).mean(1), 3 * torch.ones(3).double(), 5 * (96 / n) ** 0.5, deduced="log-mean")


def _near_moments(law: str, z: Tensor, mean: Tensor, covariance: Tensor, median: Tensor) -> None:
    variance, n, eye = covariance.diagonal(), len(z), torch.eye(len(mean)).double()
    error, errors = (variance / n).sqrt(), ((torch.outer(variance, variance) + covariance.square()) / n).sqrt()
    root, (values, vectors) = torch.linalg.cholesky(covariance), torch.linalg.eigh(covariance)
    observed, fits = z.T.cov(), 20 * errors + 0.05 * covariance.abs().max()
    scale = observed.trace() / covariance.trace()
    slips = {
        "shape": [0 * covariance] * bool(z.std(0).max() < 1e-6),  # one draw for all rows
        "constant": [covariance + torch.outer(mean, mean)] + [eye] * bool(z.mean(0).abs().max() < 0.1),
        "dependence": [variance.diag(), values.diag()],
        "spread": [covariance @ covariance, variance.square().diag(), variance.sqrt().diag(), eye]
        + [covariance / torch.outer(variance, variance).sqrt()]
        + [observed] * bool(((observed / scale - covariance).abs() <= fits).all()),  # a multiple of it
        "direction": [root.T @ root, vectors.T @ values.diag() @ vectors],
        "reduction": [variance.mean() * eye],
    }
    require_close(f"{law}: the covariance", observed, covariance, 5 * errors, slips, fit=fits)
    slips = {
        "constant": [torch.zeros(3).double(), median, root @ mean],
        "reduction": [mean.mean().expand(3)],
        "sign": [-mean],
    }
    require_close(f"{law}: the mean", z.mean(0), mean, 5 * error, slips, fit=10 * error)


def fills_by_passes(candidate: Fill, *, seed: int = 0) -> None:
    """candidate(reconstruct, x, known, passes): `passes` times, the unknown entries become those of reconstruct(x).

    Known entries stay. x (batch, *event), known (*event) of bool; reconstruct maps (batch, *event) to itself.
    """
    for shape, passes in (((4,), 1), ((2, 3), 3), ((4,), 2), ((1, 3, 3), 5), ((4,), 0)):
        entries = torch.Size(shape).numel()
        weight, x = 0.6 * draw(entries, entries, seed=seed + entries), draw(5, *shape, seed=seed + passes)
        known = torch.arange(entries).view(shape) % 3 != 1

        def reconstruct(x: Tensor, weight: Tensor = weight) -> Tensor:
            return (x.flatten(1) @ weight.T).tanh().view_as(x) + 0.25

        def after(start: Tensor, count: int, fixed: Tensor, known: Tensor = known, step: Reconstruct = reconstruct):
            for _ in range(count):
                start = torch.where(fixed, start, step(start))
            return start

        blank = torch.where(known, x, 0.0)
        right = after(x, passes, known)
        slips = {
            "constant": [after(x, passes, torch.zeros_like(known)), reconstruct(right), right * ~known]
            + [reconstruct(after(x, passes - 1, known))],
            "sign": [after(x, passes, ~known)],
            "reduction": [
                after(x, count, known) for count in (min(passes, 1), passes - 1, passes + 1, 2 * passes, 100)
            ],
            "dependence": [after(blank, passes, known), torch.where(known, x, after(x, passes, known & False))]
            + [after(torch.where(known, x, guess), passes, known) for guess in (x.mean(0), x.mean(), 0.5)],
        }
        law = f"known entries stay, the others are drawn back, {passes} passes over {shape}"
        answer = ask(candidate, reconstruct=reconstruct, x=x, known=known, passes=passes)
        observed, given = require_shape(law, answer, tuple(x.shape)).detach(), {"x": x, "known": known}
        require_close(law, observed.to(right), right, within(right), slips, given=given)
