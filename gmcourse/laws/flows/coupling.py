"""Laws of coupling: its volume and its inverse, the angle of mixed sources, the price of a gap and of a lost mode."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, as_tensor, require_close, require_shape
from gmcourse.laws.rows import further, pooled, within

Network = Callable[[Tensor], tuple[Tensor, Tensor]]
Layer = Callable[[Tensor, Tensor, Network], Tensor]

MASKS = ((1.0, 1.0, 0.0, 0.0), (0.0, 1.0, 0.0, 1.0, 0.0))


def _case(mask: Sequence[float], seed: int) -> tuple[Tensor, Tensor, Network]:
    """x (6, D), the mask (1 stays, 0 changes), and a network that no one could invert: x → (s, m), both (batch, D)."""
    rng = torch.Generator().manual_seed(seed)
    dims = len(mask)
    weight, x = torch.randn(2, dims, dims, generator=rng), torch.randn(6, dims, generator=rng)

    def network(a: Tensor) -> tuple[Tensor, Tensor]:
        w = weight.to(a.dtype)
        return 0.3 + (a @ w[0] - 0.5).abs().tanh(), 0.7 + (3 * a @ w[1]).cos()

    return x, torch.tensor(mask), network


def _couple(x: Tensor, mask: Tensor, network: Network) -> Tensor:
    s, m = network(mask * x)
    return torch.where(mask == 1, x, x * s.exp() + m)


def log_det_of_changed_part(candidate: Layer, *, seed: int = 0) -> None:
    """candidate(x, mask, network) is log|det ∂z/∂x|, (batch,), of a coupling layer, by autograd's Jacobian.

    The layer keeps x where the mask is 1 and gives x e^s + m elsewhere, (s, m) = network(mask · x).
    """
    for stays in MASKS:
        x, mask, network = _case(stays, seed)
        observed = require_shape(
            "one log-determinant for each row", ask(candidate, x=x, mask=mask, network=network), (len(x),)
        )
        expected = _log_det_by_autograd(x.double(), mask, network)
        suspects = _log_det_suspects(expected, x.double(), mask, network)
        law = "log|det ∂z/∂x| of the coupling"
        require_close(law, observed, expected, within(expected), suspects, given={"x": x, "mask": mask})


def _log_det_by_autograd(x: Tensor, mask: Tensor, network: Network) -> Tensor:
    jacobians = [torch.autograd.functional.jacobian(lambda row: _couple(row, mask, network), row) for row in x]
    return torch.linalg.slogdet(torch.stack(jacobians)).logabsdet


def _log_det_suspects(expected: Tensor, x: Tensor, mask: Tensor, network: Network) -> dict[str, Slips]:
    changed = 1 - mask
    s, everything, others = (network(a)[0] for a in (mask * x, x, changed * x))
    seen = (s, everything, others, everything * changed, others * changed, s * mask, others * mask)
    return {
        "sign": -expected,
        "reduction": (expected / len(mask), expected / changed.sum(), s.mean(1)),
        "dependence": [e.sum(1) for e in seen],
        "constant": (s.exp().sum(1), (s.exp() * changed).sum(1), (s * changed).exp().sum(1), expected.exp()),
        "shape": pooled(expected),
    }


def coupling_is_undone(candidate: Layer, *, seed: int = 0) -> None:
    """candidate(z, mask, network) is the x that the coupling layer of `log_det_of_changed_part` took to z."""
    for stays in MASKS:
        x, mask, network = _case(stays, seed)
        z = _couple(x.double(), mask, network).float()
        observed = require_shape(
            "x has the shape of z", ask(candidate, z=z, mask=mask, network=network), tuple(z.shape)
        ).double()
        given = {"z": z, "mask": mask}
        suspects = _inverse_suspects(z.double(), mask, network)
        require_close("x comes back", observed, x.double(), within(z, 2e-4), suspects, given=given)


def _inverse_suspects(z: Tensor, mask: Tensor, network: Network) -> dict[str, Slips]:
    (s, m), (wrong_s, wrong_m), (other_s, other_m) = (network(a) for a in (mask * z, z, (1 - mask) * z))

    def slipped(*changed: Tensor) -> list[Tensor]:
        return [torch.where(mask == 1, z, value) for value in changed]

    right = (z - m) * (-s).exp()
    swapped = torch.where(mask == 0, z, (z - other_m) * (-other_s).exp())
    return {
        "direction": slipped(z * (-s).exp() - m),
        "sign": slipped((z + m) * (-s).exp(), (z - m) * s.exp(), z * s.exp() + m),
        "dependence": (
            *slipped((z - wrong_m) * (-wrong_s).exp(), (z - other_m) * (-other_s).exp()),
            *(right, (z - wrong_m) * (-wrong_s).exp(), swapped, (1 - mask) * right, torch.where(mask == 0, z, right)),
        ),
        "constant": slipped((z - m) / s, z - m, z * (-s).exp()),
    }


def rotated_sources(degrees: float, n: int = 20_000, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """(x, z): independent Laplace sources z of variance 1, (n, 2), float64, and x = Rz, turned by the angle."""
    u = torch.rand(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5
    z = -u.sign() * torch.log1p(-2 * u.abs()) / math.sqrt(2)
    angle = math.radians(degrees)
    rotation = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64
    )
    return z @ rotation.T, z


def finds_angle(candidate: Callable[[Tensor], float], *, tolerance: float = 2.0, seed: int = 0) -> None:
    """candidate(x), degrees, is the angle by which independent Laplace sources were turned, up to multiples of 90."""
    angles = (30.0, 65.0, 8.0)
    inputs = [rotated_sources(angle, seed=seed)[0].float() for angle in angles]
    answers = [float(require_shape("one angle", ask(candidate, x=x), ())) for x in inputs]
    if all(_apart(answer, answers[0]) < 0.5 for answer in answers):
        raise LawBroken("the angle follows the sources", f"{answers[0]:.1f}° each time", f"{angles}°", "constant")
    slips: dict[str, Callable[[float], float]] = {
        "sign": lambda angle: -angle,
        "direction": lambda angle: angle + 45,
        "spread": math.radians,
    }
    missed = [_apart(answer, angle) > tolerance for answer, angle in zip(answers, angles, strict=True)]
    if any(missed):
        first = missed.index(True)
        fits = (
            name
            for name, slip in slips.items()
            if all(_apart(answer, slip(angle)) <= tolerance for answer, angle in zip(answers, angles, strict=True))
            and (name != "spread" or max(map(abs, answers)) < 7)
        )
        law = "the angle of the sources, up to 90°"
        raise LawBroken(law, f"{answers[first]:.1f}°", f"{angles[first]:.1f}°", next(fits, ""))


def _apart(a: float, b: float) -> float:
    """Degrees between two angles, multiples of 90 not counted."""
    return abs((a - b + 45) % 90 - 45)


def gap_takes_mass(candidate: Callable[[float, float], float], *, seed: int = 0) -> None:
    """candidate(gap, slope) is the mass that N(0, 1) puts into a gap that a map of this slope crosses at 0."""
    z = torch.linspace(-9, 9, 1_800_001, dtype=torch.float64)
    density = (-0.5 * z**2).exp() / math.sqrt(2 * math.pi)
    more = further(seed, lambda rng: (rng.uniform(0.5, 3.0), rng.uniform(0.5, 5.0)))
    for gap, slope in ((1.5, 5.0), (2.5, 1.0), (0.8, 0.5), (2.5, 100.0), *more):
        inside = ((slope * z).abs() < gap / 2).double()
        inside[(slope * z).abs() == gap / 2] = 0.5
        expected = (density * inside).sum() * 1e-5
        law = f"the mass in a gap of {gap:g} at slope {slope:g}"
        observed = require_shape(law, candidate(gap, slope), ()).double()
        half = 0.5 + expected / 2
        suspects = {
            "constant": (half, 1 - half, expected / 2, 1 - expected),
            "spread": (density * ((slope * z).abs() < gap)).sum() * 1e-5,
            "direction": (density * (z.abs() < gap * slope / 2)).sum() * 1e-5,
            "reduction": torch.tensor(math.erf(gap / (2 * slope))).double(),
        }
        require_close(law, observed, expected, 2e-5, suspects)


def prices_of_lost_mode(candidate: Callable[[float], Sequence[float]], *, seed: int = 0) -> None:
    """candidate(ζ) is (KL(p‖q), JS(p, q), KL(q‖p)), nats, where q lacks a mode of p of share ζ, by two-bin sums."""
    for share in (0.1, 0.01, 0.5, *further(seed, lambda rng: rng.uniform(0.05, 0.45))):
        p, q = torch.tensor([1 - share, share]).double(), torch.tensor([1.0, 0.0]).double()
        middle = (p + q) / 2
        of_p, of_q = _divergence(p, middle), _divergence(q, middle)
        first, js, last = expected = (_divergence(p, q), (of_p + of_q) / 2, _divergence(q, p))
        observed = _three_numbers(candidate(share))
        suspects = {
            "direction": (expected[::-1],),
            "constant": ((first, 2 * js, last), (first, of_p, last), (first, of_q, last)),
            "log-mean": ((first, js, share * last), (first, js, (1 - share) * last)),
            "sign": ((first, js, -last), (-first, js, last), (-first, js, -last)),
            "spread": (tuple(value / math.log(2) for value in expected),),
            "shape": ((first, last, js), (js, first, last), (last, first, js), (js, last, first)),
        }
        if _equal(observed, expected):
            continue
        fits = (cause for cause, slips in suspects.items() if any(_equal(observed, slip) for slip in slips))
        finite = "overflow" if math.isfinite(observed[0]) and _equal(observed[1:], expected[1:]) else ""
        law = f"KL(p‖q), JS, KL(q‖p) with a share of {share} lost"
        raise LawBroken(law, _words(observed), _words(expected), next(fits, finite))


def _divergence(a: Tensor, b: Tensor) -> float:
    return float(torch.where(a > 0, a * (a.log() - b.log()), 0.0).sum())


def _three_numbers(answer: object) -> tuple[float, ...]:
    """The answer as three numbers, of which any may be infinite."""
    tensor = as_tensor(answer)
    if tensor is None:
        raise LawBroken("three divergences", f"a {type(answer).__name__}", "three numbers", "container")
    if tensor.shape != (3,):
        raise LawBroken("three divergences", f"shape {tuple(tensor.shape)}", "three numbers", "shape")
    if tensor.isnan().any():
        raise LawBroken("three divergences", _words(tensor.tolist()), "no NaN", "not-finite")
    return tuple(tensor.tolist())


def _equal(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(math.isclose(x, y, rel_tol=1e-3, abs_tol=1e-6) for x, y in zip(a, b, strict=True))


def _words(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
