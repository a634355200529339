"""Laws of score matching: each loss is the explicit one up to a constant; what noise makes of a target and a mean."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_parts, require_shape, show_value
from gmcourse.laws.rows import Level, draw, pooled, within

Score = Callable[[Tensor], Tensor]
Implicit = Callable[[Score, Tensor], Tensor]
Sliced = Callable[[Score, Tensor, Tensor], Tensor]
Denoising = Callable[[Callable, Tensor, Level, Tensor], Tensor]

MATRIX = torch.tensor([[-1.0, 0.9, 0.3], [0.4, -0.7, 0.8], [-0.5, 0.2, -1.3]], dtype=torch.float64)
LINE = torch.linspace(-9, 9, 1801, dtype=torch.float64)
MEANS, WEIGHTS, STD = torch.tensor([[-1.5], [1.0]], dtype=torch.float64), torch.tensor([0.7, 0.3]).double(), 0.4


def bent(x: Tensor) -> Tensor:
    """Ax + sin 2x, (batch, D ≤ 3): a field that is no gradient, whose ∇s is another at each point."""
    return x @ MATRIX[: x.shape[1], : x.shape[1]].to(x).T + (2 * x).sin()


def implicit_is_explicit(candidate: Implicit, *, seed: int = 0) -> None:
    """candidate(s, x) = ½‖s‖² + tr ∇s, (batch,): on average the explicit loss, less ½E‖∇ ln p‖². It can be trained.

    The oracle takes ∇s by central differences, and the average over a mixture by quadrature.
    """
    for size in (3, 2, 1):
        x = draw(6 - size, size, seed=seed + size)
        law = f"½‖s‖² + tr ∇s, D = {size}"
        observed = require_shape(law, ask(candidate, score=bent, x=x), (6 - size,)).detach().double()
        square, jacobian = bent(x.double()).square().sum(1), _jacobian(bent, x.double())
        trace = jacobian.diagonal(dim1=1, dim2=2).sum(1)
        slips = _implicit_slips(square, trace, jacobian.sum((1, 2)), size)
        require_close(law, observed, square / 2 + trace, within(square / 2 + trace), slips, given={"x": x})
    mass, truth = _mixture(LINE, STD)
    answer = require_shape("one loss a row", ask(candidate, score=bent, x=LINE[:, None]), LINE.shape).detach().double()
    expected = mass @ ((bent(LINE[:, None])[:, 0] - truth).square() - truth.square()) / 2
    require_close("its mean is that of ½‖s − ∇ ln p‖² − ½‖∇ ln p‖²", mass @ answer, expected, 1e-4)
    _learns(lambda score: candidate(score, draw(4, 3, seed=seed)), draw(4, 3, seed=seed))


def _implicit_slips(square: Tensor, trace: Tensor, whole: Tensor, size: int) -> dict[str, Slips]:
    right = square / 2 + trace
    return {
        "one-to-one": [square / 2 + whole, square + whole],
        "constant": [square + trace, right / 2, 2 * right, square + 2 * trace, square / 2 + trace / 2],
        "sign": [square / 2 - trace, -right, trace - square / 2],
        "reduction": [square / 2 / size + trace, right / size, square / 2 + trace / size],
        "dependence": [square / 2, trace, square],
        "spread": [square.sqrt() / 2 + trace, square.sqrt() + trace],
        "shape": pooled(right),
    }


def _jacobian(field: Score, x: Tensor, step: float = 1e-5) -> Tensor:
    """∂s_i/∂x_j, (batch, D, D), by central differences."""
    units = step * torch.eye(x.shape[1], dtype=x.dtype)
    return torch.stack([(field(x + unit) - field(x - unit)) / (2 * step) for unit in units], 2)


def _learns(loss: Callable[[Score], Any], x: Tensor) -> None:
    """The gradient of the loss of a·s by a is a‖s‖² + tr ∇s: also through the derivative of s."""
    a = torch.tensor(1.5, requires_grad=True)
    answer = require_shape("one loss a row", loss(lambda points: a.to(points) * bent(points)), (len(x),))
    square, trace = bent(x.double()).square().sum(1), _jacobian(bent, x.double()).diagonal(dim1=1, dim2=2).sum(1)
    expected = (1.5 * square + trace).sum()
    found = slope(answer.sum(), a).double()
    if (found - expected).abs() > 1e-3 * (1 + expected.abs()):
        law = "the gradient passes through ∇s to what s has learned"
        raise LawBroken(law, show_value(found), show_value(expected), "gradient")


def _mixture(x: Tensor, std: float) -> tuple[Tensor, Tensor]:
    """Mass on the points of a line, and the score there, of Σ w_k N(m_k, std²): by autograd."""
    x = x.clone().requires_grad_()
    log_prob = (WEIGHTS.log() + Normal(MEANS.T, std).log_prob(x[:, None])).logsumexp(1)
    (score,) = torch.autograd.grad(log_prob.sum(), x)
    return log_prob.detach().softmax(0), score


def sliced_is_implicit(candidate: Sliced, *, seed: int = 0) -> None:
    """candidate(s, x, v), (batch,), is ½‖s‖² + tr ∇s on average over all 2^D vectors v of signs. It can be trained."""
    for size in (3, 2):
        signs = torch.tensor(list(product([-1.0, 1.0], repeat=size)))[1:-1]  # a probe of ones is added below
        signs = torch.cat([signs, torch.ones(1, size), -torch.ones(1, size)])
        points = draw(3, size, seed=seed + size)
        x, probe = points.repeat_interleave(len(signs), 0), signs.repeat(3, 1)
        law = f"on average over v, ½‖s‖² + tr ∇s, D = {size}"
        observed = require_shape(law, ask(candidate, score=bent, x=x, probe=probe), (len(x),)).detach().double()
        value, jacobian = bent(points.double()), _jacobian(bent, points.double())
        square, trace = value.square().sum(1), jacobian.diagonal(dim1=1, dim2=2).sum(1)
        first = signs[0].double()
        slips = _implicit_slips(square, trace, jacobian.sum((1, 2)), size)
        one = (value @ first).square() / 2, (jacobian @ first) @ first
        slips["direction"] = [one[0] + one[1], square / 2 + one[1], trace + one[0]]
        slips["one-to-one"] = value.sum(1).square() / 2 + jacobian.sum((1, 2))
        expected = square / 2 + trace
        require_close(law, observed.view(3, -1).mean(1), expected, within(expected), slips, given={"x": points})
        _learns(lambda score, x=x, probe=probe: candidate(score, x, probe), x)


def target_is_conditional_score(
    candidate: Callable[[Tensor, Level, Tensor], tuple[Tensor, Tensor]], *, seed: int = 0
) -> None:
    """candidate(x, σ, ε) → x̃ = x + σε and ∇ ln N(x̃; x, σ²I), both (batch, *event); σ a number or (batch,)."""
    for event, sigma in (((2,), 0.6), ((1, 2, 2), 2.5), ((3,), torch.tensor([0.3, 0.7, 1.6, 4.0]))):
        x, noise = draw(2, 4, *event, seed=3 + seed)
        inputs = {"x": x, "sigma": sigma, "noise": noise}
        parts = require_parts("x̃ and its target", ask(candidate, **inputs), 2)
        noised, target = (require_shape("the shape of x", part, tuple(x.shape)).detach().double() for part in parts)
        wide = torch.as_tensor(sigma).double().reshape(-1, *[1] * len(event))
        place = (x.double() + wide * noise.double()).requires_grad_()
        (expected,) = torch.autograd.grad(Normal(x.double(), wide).log_prob(place).sum(), place)
        spreads: dict[str, Slips] = {
            "spread": [x + wide.square() * noise, x + wide.sqrt() * noise],
            "sign": x - wide * noise,
            "dependence": [x, noise, wide * noise, x + noise],
            "container": -noise / wide,
            "shape": pooled(place.detach()),
        }
        law = f"x̃ = x + σε, σ = {show_value(sigma)}"
        require_close(law, noised, place, within(place.detach()), _double(spreads), given=inputs)
        slips: dict[str, Slips] = {
            "spread": [expected / wide, expected * wide, expected * wide.square(), expected * wide.sqrt()],
            "sign": [-expected * wide**power for power in (0, -1, 1, 2)],
            "direction": [-x / wide.square(), (x - place.detach()) / wide.square() + x, place.detach()],
            "shape": pooled(expected),
        }
        law = f"∇ ln N(x̃; x, σ²I), σ = {show_value(sigma)}"
        require_close(law, target, expected, within(expected), _double(slips), given=inputs)


def _double(slips: dict[str, Slips]) -> dict[str, Slips]:
    return {k: [torch.as_tensor(way).double() for way in (v if isinstance(v, list) else [v])] for k, v in slips.items()}


def denoising_is_explicit(candidate: Denoising, *, seed: int = 0) -> None:
    """candidate(s, x, σ, ε) = ½‖s(x + σε) + ε/σ‖², (batch,): on average explicit on p_σ, and ½(D/σ² − E‖∇ ln p_σ‖²).

    σ is a number. The average is over a mixture and its noise, by quadrature; the score of p_σ by autograd.
    """
    for sigma in (0.6, 1.4):
        x, noise = draw(2, 4, 3, seed=seed)
        inputs = {"score": bent, "x": x, "sigma": sigma, "noise": noise}
        _require_errors(f"½‖s(x̃) + ε/σ‖², σ = {sigma}", ask(candidate, **inputs), bent, torch.ones(4).double(), inputs)
        data, even = torch.linspace(-4, 4, 161, dtype=torch.float64), torch.linspace(-6, 6, 121, dtype=torch.float64)
        (mass, _), noises = _mixture(data, STD), Normal(0, 1).log_prob(even).softmax(0)
        pairs = torch.cartesian_prod(data, even)[:, :, None]
        answer = require_shape("one loss a row", candidate(bent, pairs[:, 0], sigma, pairs[:, 1]), (len(pairs),))
        whole, truth = _mixture(LINE, (STD**2 + sigma**2) ** 0.5)
        constant = (1 / sigma**2 - whole @ truth.square()) / 2
        expected = whole @ (bent(LINE[:, None])[:, 0] - truth).square() / 2 + constant
        law = f"its mean is explicit on p_σ and ½(D/σ² − E‖∇ ln p_σ‖²), σ = {sigma}"
        require_close(law, torch.outer(mass, noises).flatten() @ answer.detach().double(), expected, 1e-4)


def levels_weigh_alike(candidate: Denoising, *, seed: int = 0) -> None:
    """candidate(s, x, σ, ε) = ½‖σ s(x̃, σ) + ε‖² at x̃ = x + σε, (batch,); σ (batch,). At s = 0, ½D at every level."""
    sigma = torch.tensor([0.05, 0.4, 2.0, 30.0])
    for score in (lambda x, sigma: torch.zeros_like(x), lambda x, sigma: bent(x) / sigma[:, None]):
        x, noise = draw(2, 4, 3, seed=seed)
        inputs = {"score": score, "x": x, "sigma": sigma, "noise": noise}
        each = sigma.double()
        answer = ask(candidate, **inputs)
        _require_errors("½‖σ s(x̃, σ) + ε‖²", answer, partial(score, sigma=each), each.square(), inputs)


def _require_errors(law: str, answer: object, score: Score, weight: Tensor, inputs: dict[str, Any]) -> None:
    """weight · ½‖s(x̃) + ε/σ‖², (batch,); or what slips of factor, sign, place, and sum give."""
    x, noise = inputs["x"].double(), inputs["noise"].double()
    sigma = torch.as_tensor(inputs["sigma"]).double().expand(len(x))
    observed = require_shape(law, answer, (len(x),)).detach().double()
    wide = sigma[:, None]

    def errors(value: Tensor, target: Tensor) -> Tensor:
        return (value - target).square().sum(1) / 2 * weight

    value, target = score(x + wide * noise), -noise / wide
    right = errors(value, target)
    slips: dict[str, Slips] = {
        "sign": [errors(value, -target), *(errors(score(x - wide * noise), way) for way in (target, -target))],
        "spread": [errors(value, target / wide), errors(value, target * wide)]
        + [right * sigma**k for k in (-4, -2, -1, 1, 2)]
        + [errors(score(x + wide.square() * noise), target)],
        "direction": [errors(score(x), target), errors(value, x), errors(score(x + noise), target)],
        "constant": [2 * right, right.sqrt()],
        "reduction": [right / x.shape[1], 2 * right / x.shape[1]],
        "shape": pooled(right),
    }
    require_close(law, observed, right, within(right), slips, given=inputs)


class _Level:
    """A score that is another at every point and level."""

    def __init__(self, slant: float):
        self.slant = slant

    def score(self, x: Tensor, sigma: Level) -> Tensor:
        wide = torch.as_tensor(sigma, dtype=x.dtype).reshape(-1, 1)
        return (self.slant * x).sin() - x / (0.3 + wide.square())


def error_is_of_its_level(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(model, truth, x, σ, ε) = ½σ²‖s(x̃, σ) − truth(x̃, σ)‖², (batch,): both at x̃ = x + σε, both told σ.

    model and truth have `score(x, sigma)`; σ is a number or (batch,).
    """
    model, truth = _Level(1.7), _Level(-0.6)
    for sigma in (0.6, torch.tensor([0.2, 0.8, 1.5, 4.0])):
        x, noise = draw(2, 4, 2, seed=seed)
        inputs = {"model": model, "truth": truth, "x": x, "sigma": sigma, "noise": noise}
        law, shape = f"½σ²‖s(x̃, σ) − ∇ ln p_σ(x̃)‖², σ = {show_value(sigma)}", (4,)
        observed = require_shape(law, ask(candidate, **inputs), shape).detach().double()
        expected, slips = _level_errors(
            model, truth, x.double(), torch.as_tensor(sigma).double().expand(4), noise.double()
        )
        require_close(law, observed, expected, within(expected), slips, given={"x": x, "σ": sigma, "ε": noise})


def _level_errors(
    model: _Level, truth: _Level, x: Tensor, sigma: Tensor, noise: Tensor
) -> tuple[Tensor, dict[str, Slips]]:
    """½σ²‖…‖² of each row, and what comes of another density, place, or factor."""
    noised = x + sigma[:, None] * noise
    found, right, clean = model.score(noised, sigma), truth.score(noised, sigma), truth.score(noised, 0.0)

    def errors(first: Tensor, second: Tensor) -> Tensor:
        return (first - second).square().sum(1) / 2 * sigma.square()

    expected = errors(found, right)
    return expected, {
        "dependence": [errors(found, clean), errors(found, truth.score(x, 0.0)), errors(found, clean) / sigma.square()],
        "direction": [errors(found, truth.score(x, sigma)), errors(model.score(x, sigma), truth.score(x, sigma))]
        + [errors(found, -noise / sigma[:, None])],
        "spread": [expected * sigma**power for power in (-2, -1, 1, 2)] + [expected.sqrt()],
        "constant": 2 * expected,
        "reduction": expected / 2,
        "sign": errors(found, -right),
        "shape": pooled(expected),
    }
