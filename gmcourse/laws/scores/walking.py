"""Laws of walks along a score: the step, where it settles, how fast it forgets, its correction, and the way down."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, as_tensor, require_close, require_parts, require_shape, require_value
from gmcourse.laws.rows import Level, draw, pooled, within


def step_follows_the_score(candidate: Callable[[Tensor, Tensor, float, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, score, η, noise) = x + η · score + √(2η) · noise, of the shape of x, at small steps and large."""
    for case, (step, shape) in enumerate(((0.1, (5, 2)), (0.02, (4, 1, 2, 2)), (0.8, (3, 4)), (2.3, (4, 2)))):
        x, score, noise = (draw(*shape, seed=seed + 3 * case + part) for part in range(3))
        law = f"x' = x + η s + √(2η) ε, η = {step}"
        found = require_shape(law, ask(candidate, x=x, score=score, step=step, noise=noise), shape).detach()
        again = as_tensor(candidate(x.clone(), score.clone(), step, noise.clone()))
        if again is None or not torch.equal(found, again.detach().to(found)):
            raise LawBroken("equal noise, equal steps", "another step", "the same", "randomness")
        right = x + step * score + math.sqrt(2 * step) * noise
        given = {"x": x, "s": score, "ε": noise}
        slips = {cause: [w.double() for w in ways] for cause, ways in _step_slips(x, score, step, noise, right).items()}
        require_close(law, found.double(), right.double(), within(right.double(), 1e-5), slips, given=given)


def _step_slips(x: Tensor, s: Tensor, step: float, noise: Tensor, right: Tensor) -> dict[str, list[Tensor]]:
    """Noise of another size, downhill, without noise or score, both too small, one noise for the batch."""
    there, root = x + step * s, math.sqrt(2 * step)
    sizes = (math.sqrt(step), step, 2 * step, math.sqrt(step / 2), 2 * math.sqrt(step), math.sqrt(2) * step, 1.0)
    sizes += (math.sqrt(2), step * root, 2 * step**2)
    weights = (
        (step / 2, math.sqrt(step)),
        (step / 2, step),
        (root, root),
        *((a, root) for a in (step / 2, 2 * step, root, step**2)),
    )
    return {
        "sign": [x - step * s + root * noise, x - step * s - root * noise],
        "spread": [there + size * noise for size in sizes],
        "constant": [there, x + root * noise, right - x] + [x + a * s + b * noise for a, b in weights],
        "randomness": [there + root * noise[:1], there + root * noise.mean(0)],
        "shape": pooled(right),
    }


def variance_is_where_it_settles(candidate: Callable[[float, float], float]) -> None:
    """candidate(v, η): the variance at which x' = x − ηx/v + √(2η) ε stays, as 4,000 steps find it."""
    for variance, step in ((1.0, 0.1), (1.0, 1.0), (0.25, 0.2), (4.0, 0.5), (2.0, 3.5), (0.5, 0.01)):
        keeps, settled = 1 - step / variance, 0.0
        for _ in range(4_000):
            settled = keeps**2 * settled + 2 * step
        share = step / variance
        slips = {
            "constant": [variance, 2 * step / (1 - keeps), 2 * step],
            "log-mean": [variance * (1 + share / 2), variance * (1 + share), variance / (1 - share / 4)],
            "sign": [variance / (1 + share / 2), variance * (1 - share / 2)],
            "spread": [variance / (2 - share), math.sqrt(settled), variance / (1 - step / 2)],
        }
        law = f"the variance of Langevin dynamics on N(0, {variance}), η = {step}"
        require_value(law, ask(candidate, variance=variance, step=step), settled, 1e-4 * settled, slips)


Ratio = Callable[[Tensor, Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor], float], Tensor]


def ratio_weighs_both_ways(candidate: Ratio, *, seed: int = 0) -> None:
    """candidate(x, x', (ln p(x), ln p(x')), (s(x), s(x')), η) = ln p(x')q(x|x') − ln p(x)q(x'|x), (batch,).

    q(x'|x) = N(x'; x + η s(x), 2η I). ln p may have any constant in it, and p is no Gaussian.
    """
    for case, (step, dims) in enumerate(((0.3, 3), (0.05, 2), (1.4, 1))):
        x = draw(5, dims, seed=seed + case)
        moved = x + 0.8 * draw(5, dims, seed=seed + 10 + case)
        log_p, score = zip(*(_bowl(point) for point in (x, moved)), strict=True)
        law = f"ln p(x')q(x|x')/p(x)q(x'|x), η = {step}"
        answer = ask(candidate, x=x, moved=moved, log_p=list(log_p), score=list(score), step=step)
        observed = require_shape(law, answer, (5,)).detach().double()
        slips = _ratio_slips(x.double(), moved.double(), log_p, score, step)
        right = slips.pop("right")[0]
        given = {"x": x, "x'": moved}
        require_close(law, observed, right, within(right, 1e-4), slips, given=given)


def _bowl(x: Tensor) -> tuple[Tensor, Tensor]:
    """ln p + 7 and its score, of p ∝ exp(−Σ (x⁴/4 + x²/2 − 0.3x))."""
    return 7 - (x**4 / 4 + x**2 / 2 - 0.3 * x).sum(1), 0.3 - x**3 - x


def _ratio_slips(
    x: Tensor, moved: Tensor, log_p: Sequence[Tensor], score: Sequence[Tensor], step: float
) -> dict[str, list[Tensor]]:
    """What is right, and: one way alone, ways exchanged, a normal of another width, p left out, a mean for a sum."""
    rise = (log_p[1] - log_p[0]).double()
    ahead, back = (score[0].double(), score[1].double())

    def q(end: Tensor, start: Tensor, s: Tensor, spread: float = math.sqrt(2 * step)) -> Tensor:
        return Normal(start + step * s, spread).log_prob(end).sum(1)

    there, here = q(moved, x, ahead), q(x, moved, back)
    right = rise + here - there
    bare = x.shape[1] / 2 * math.log(4 * math.pi * step)  # of ln q without its constant
    widths = (math.sqrt(step), 2 * step, step, 2 * math.sqrt(step), math.sqrt(2) * step, math.sqrt(step / 2))
    wrong = [rise + q(x, moved, back, w) - q(moved, x, ahead, w) for w in widths]
    whose = [rise + q(x, moved, end) - q(moved, x, start) for start, end in ((back, ahead), (ahead,) * 2, (back,) * 2)]
    return {
        "right": [right],
        "constant": [
            *(rise - there, rise - there - bare, rise, here - there, rise + here, rise + here + bare),
            *(right.clamp(max=0), right.exp()),
        ],
        "sign": [-right, -rise + here - there],
        "direction": [rise + there - here, rise + q(moved, x, back) - q(x, moved, ahead), *whose]
        + [rise + q(moved, x, back) - there],
        "spread": wrong,
        "reduction": [rise + (here - there) / x.shape[1]],
        "shape": [*pooled(right), rise + (here - there).sum()],
    }


Corrected = Callable[[Tensor, Callable, Callable, float, Tensor, Tensor], tuple[Tensor, Tensor]]


def correction_keeps_its_law(candidate: Corrected, *, seed: int = 0) -> None:
    """candidate(x, log_p, score, η, noise, u) = x', whether it moved: a sample of p stays one, although η is long.

    p = 0.3 N(−1, 0.6²) + 0.7 N(1.5, 1), η = 0.9, and x are 100,000 of its quantiles. Without the correction a step
    moves cumulative probabilities by 0.11; by chance they move by less than 0.0052, at the level of 1 %.
    """
    law, n, step = "p after a corrected step", 100_000, 0.9
    rng = torch.Generator().manual_seed(seed)
    grid = torch.linspace(-8, 9, 34_001, dtype=torch.float64)
    levels = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    x = grid[torch.searchsorted(_TWO_MODES.cdf(grid), levels)][:, None]
    noise = torch.randn(n, 1, generator=rng, dtype=torch.float64)
    u = torch.rand(n, generator=rng, dtype=torch.float64)
    answer = ask(candidate, x=x, log_p=_log_two_modes, score=_score_two_modes, step=step, noise=noise, u=u)
    parts = require_parts(law, answer, 2)
    moved, taken = require_shape(law, parts[0], (n, 1)).double(), require_shape("taken, or not", parts[1], (n,))
    still = (moved == x)[:, 0]
    if not torch.equal(still, ~taken.bool()):
        raise LawBroken("a walker moves where the step is taken, and only there", "others", "the same", "direction")
    proposed = x + step * _score_two_modes(x) + math.sqrt(2 * step) * noise
    if (moved - proposed).abs()[~still[:, None]].gt(1e-6).any():
        raise LawBroken("what is proposed is a Langevin step", "another place", "x + η s + √(2η) ε", "spread")
    off = (_TWO_MODES.cdf(moved[:, 0].sort().values) - levels).abs().max().item()
    if off > 0.0052 or still.all():
        cause = "constant" if still.all() or not still.any() else ""
        raise LawBroken(law, f"probabilities off by {off:.2g}, {still.double().mean():.2f} stay", "p", cause)


_CENTRES, _WIDTHS = torch.tensor([[-1.0, 1.5], [0.6, 1.0]], dtype=torch.float64)
_PARTS = Normal(_CENTRES, _WIDTHS)
_TWO_MODES = MixtureSameFamily(Categorical(torch.tensor([0.3, 0.7], dtype=torch.float64)), _PARTS)


def _log_two_modes(x: Tensor) -> Tensor:
    return _TWO_MODES.log_prob(x[:, 0]) + 3


def _score_two_modes(x: Tensor) -> Tensor:
    shares = (_TWO_MODES.mixture_distribution.logits + _PARTS.log_prob(x)).softmax(1)
    return (shares * (_CENTRES - x) / _WIDTHS**2).sum(1, keepdim=True)


def relaxation_is_the_slowest(candidate: Callable[[Tensor, float], float]) -> None:
    """candidate(ln p on a grid, dx): the relaxation time of Langevin dynamics, v on N(0, v) to 2 %.

    On two modes it is at least Var(g)/E[g'²] for every g, so for g = tanh 3x, and not much more.
    """
    for variance in (1.0, 0.3, 4.0):
        std = math.sqrt(variance)
        dx = std / 25
        log_p = Normal(0.0, std).log_prob(dx * torch.arange(-175, 176, dtype=torch.float64)) + 2
        slips = {
            "spread": [variance / 2, 2 * variance, std, variance / dx**2, variance / dx],
            "direction": [1 / variance, 1 / std],
            "sign": [-variance],
        }
        slips = {cause: [w for w in ways if abs(w - variance) > 0.02 * variance] for cause, ways in slips.items()}
        found = ask(candidate, log_p=log_p, dx=dx)
        require_value(f"relaxation time on N(0, {variance})", found, variance, 0.02 * variance, slips)
    dx = 0.04
    grid = dx * torch.arange(-200, 201, dtype=torch.float64)
    log_p = torch.logaddexp(Normal(-3.0, 1.0).log_prob(grid), Normal(3.0, 1.0).log_prob(grid))
    g = (3 * grid).tanh()
    slope, weights = 3 * (1 - g**2), log_p.softmax(0)
    least = ((weights @ g**2) / (weights @ slope**2)).item()
    found = require_shape("one time", candidate(log_p, dx), ()).item()
    if not 0.97 * least < found < 3 * least:
        raise LawBroken("two modes at ±3 are joined slowly", f"{found:.3g}", f"{least:.3g} or a little more", "")


Annealed = Callable[[Callable, Tensor, Tensor, int, float, Generator], Tensor]


def annealing_goes_down(candidate: Annealed, *, n: int = 4_000, seed: int = 0) -> None:
    """candidate(score, x, sigmas, steps, r, rng): `steps` Langevin steps of η = rσ² at each level, the first first.

    `score` is asked once for each step, where the walkers stand, at the level of the step; the walk returns where the
    last step leads. Of each step the drift, the size of the noise, its mean, and its correlation with the noise of
    other steps are within 5 standard errors of what they should be.
    """
    sigmas, steps, relative = torch.tensor([3.0, 1.0, 0.4], dtype=torch.float64), 3, 0.15
    rng, seen = torch.Generator().manual_seed(seed), list[tuple[Tensor, float, Tensor]]()
    x = 3 * torch.randn(n, 2, generator=rng, dtype=torch.float64)

    def score(at: Tensor, sigma: Level) -> Tensor:
        slope = 2 * (0.5 - at) / (1 + torch.as_tensor(sigma, dtype=torch.float64).square())
        seen.append((at.detach().clone(), float(sigma), slope))
        return slope

    inputs = {"score": score, "x": x, "sigmas": sigmas, "steps": steps, "relative": relative}
    again = ask(candidate, **inputs, rng=rng.manual_seed(seed + 1))
    seen.clear()
    answer = ask(candidate, **inputs, rng=rng.manual_seed(seed + 1))
    again, last = (require_shape("where they are", way, (n, 2)).detach().double() for way in (again, answer))
    if not torch.equal(again, last):
        raise LawBroken("equal generators, equal walks", "another walk", "the same", "randomness")
    asked, wanted = [sigma for _, sigma, _ in seen], sigmas.repeat_interleave(steps).tolist()
    if asked != wanted:
        cause = "direction" if asked in (wanted[::-1], sigmas.tolist() * steps) else ""
        cause = cause or "constant" * (len(asked) != len(wanted))
        raise LawBroken("the score of each level is asked for its steps", f"{asked}", f"{wanted}", cause)
    if not torch.equal(seen[0][0], x):
        raise LawBroken("the walk starts at x", "another place", "x", "constant")
    places = zip([at for at, _, _ in seen[1:]] + [last], seen, strict=True)
    moves = [(place - at, slope, relative * sigma**2) for place, (at, sigma, slope) in places]
    noise = torch.stack([((m - step * slope) / math.sqrt(2 * step)).flatten() for m, slope, step in moves])
    _are_unrelated(noise, 0.99)
    for (move, slope, step), sigma in zip(moves, wanted, strict=True):
        _is_langevin(move, slope, step, sigma, relative * sigmas.square())
    _are_unrelated(noise, 5 / math.sqrt(2 * n))


def _are_unrelated(noise: Tensor, most: float) -> None:
    cosines = torch.nn.functional.normalize(noise, dim=1)
    together = (cosines @ cosines.T).fill_diagonal_(0).abs().max().item()
    if together > most:
        raise LawBroken("each step has noise of its own", f"correlation {together:.2g}", "0", "randomness")


def _is_langevin(move: Tensor, slope: Tensor, step: float, sigma: float, steps: Tensor) -> None:
    """Whether a move x' − x is η s + √(2η) ε: the share of the score by least squares, then what is left."""
    where = f"η = r σ², σ = {sigma}"
    mean, slope, move = (move - step * slope).mean(), slope - slope.mean(0), move - move.mean(0)
    drift = (move * slope).sum() / slope.square().sum()
    size, n = (move - drift * slope).square().mean() / (2 * step), move.numel()
    suspects = {
        "constant" if mean.abs() < 1e-9 else "randomness": 0.0,
        "spread": [share for share in (0.5, 2.0, step / 2, 2 * step, sigma**2 / (2 * step)) if abs(share - 1) > 0.1],
        "dependence": [share for share in (*(steps / step).tolist(), 0.15 / step) if abs(share - 1) > 0.1],
    }
    law = f"noise √(2η), {where}: the share of its variance"
    require_close(law, size, torch.ones_like(size), 5 * math.sqrt(2 / n), suspects, fit=0.1 * size + 1e-9)
    bare = [other for other in (step / sigma**2, step / sigma) if abs(other - step) > 0.1 * step]
    slips = {"sign": -step, "constant": 0.0, "spread": [2 * step, step / 2, step**2], "dependence": bare}
    error = 5 * math.sqrt(2 * step) / slope.norm()
    require_close(f"drift η s, {where}: η", drift, step * torch.ones_like(drift), error, slips, fit=0.4 * error)
    require_close(f"noise of mean 0, {where}", mean, 0 * mean, 5 * math.sqrt(2 * step / n), {})
