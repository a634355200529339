"""Laws of a model that is told something: its KL, its bounds, what it keeps of a picture, and the mass of the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Protocol

import torch
from torch import Generator, Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, show_case, show_value, standard_error
from gmcourse.laws.rows import draw, within
from gmcourse.laws.vae.bound import bounds_are_ordered


class Told(Protocol):
    """Bounds log p(x|c), in both ways."""

    def elbo(self, x: Tensor, given: Tensor, *, rng: Generator | None = None) -> Tensor: ...
    def log_weights(self, x: Tensor, given: Tensor, k: int, *, rng: Generator | None = None) -> Tensor: ...


def kl_of_two_gaussians(candidate: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(μ, s, m, t) = KL(N(μ, e^{2s}) ‖ N(m, e^{2t})), by quadrature, with its gradient in all four.

    All four are (batch, L); the value is (batch,), nats. In the first row both are the same Gaussian.
    """
    for rows, latents in ((4, 2), (3, 3)):
        # steps keep every latent's two Gaussians well apart: no slip hides in a row where they nearly agree
        parts = 0.5 * draw(4, rows, latents, seed=seed) + 0.3 * torch.arange(latents) - 0.3
        parts[2:, 0] = parts[:2, 0]
        leaves = [part.clone().requires_grad_() for part in parts]
        mean, s, m, t = exact = [part.double().requires_grad_() for part in parts]
        expected = _kl_by_quadrature(mean, s, m, t)
        names = ("mean", "log_std", "prior_mean", "prior_log_std")
        observed = ask(candidate, **dict(zip(names, leaves, strict=True)))
        observed = require_shape("one KL for each row", observed, (rows,))
        given: dict[str, object] = dict(zip(names, parts, strict=True))
        slips = _kl_slips(mean.detach(), s.detach(), m.detach(), t.detach(), expected.detach())
        near = within(expected.detach(), 1e-4)
        left = "constant" if observed[0].abs() > 1e-3 else ""  # in the first row both are the same Gaussian
        law = "KL(q ‖ p) = ∫ q (ln q − ln p) dz"
        require_close(law, observed.double(), expected, near, slips, given, deduced=left)
        if not observed.requires_grad:
            raise LawBroken("the KL carries a gradient", "none", "∂KL in all four", "gradient")
        slopes = torch.autograd.grad(observed.sum(), leaves, materialize_grads=True)
        right = torch.autograd.grad(expected.sum(), exact)
        for name, slope, true in zip(names, slopes, right, strict=True):
            require_close(f"∂KL/∂{name}", slope.double(), true, within(true, 1e-3), {"gradient": 0 * true}, given)


def _kl_by_quadrature(mean: Tensor, s: Tensor, m: Tensor, t: Tensor) -> Tensor:
    """Σ over latents of ∫ q (ln q − ln p) dz on a grid of ten standard deviations of q either way."""
    u = torch.linspace(-10, 10, 2001, dtype=torch.float64)[:, None, None]
    z = mean + s.exp() * u
    log_ratio = Normal(mean, s.exp()).log_prob(z) - Normal(m, t.exp()).log_prob(z)
    return (Normal(0.0, 1.0).log_prob(u).exp() * log_ratio).sum((0, 2)) * (u[1] - u[0]).item()


def _kl_slips(mean: Tensor, s: Tensor, m: Tensor, t: Tensor, exact: Tensor) -> dict[str, Slips]:
    """What the usual slips would give."""

    def kl(square: Tensor, ratio: Tensor, logs: Tensor) -> Tensor:
        return 0.5 * (square + ratio - 1 - logs).sum(1)

    square, over, logs = (mean - m) ** 2, (-2 * t).exp(), 2 * (s - t)
    variances = (2 * s).exp()
    return {
        "dependence": [kl(mean**2, variances, 2 * s), kl(square, variances, 2 * s)]
        + [kl(mean**2 * over, variances * over, logs)],
        "direction": [kl(square / variances, 1 / (variances * over), -logs)]
        + [0.5 * (exact + kl(square / variances, 1 / (variances * over), -logs))],
        "spread": [
            kl(square * (-t).exp(), (s - t).exp(), s - t),
            kl(square, variances * over, logs),
            kl(square * (2 * t).exp(), variances * (2 * t).exp(), logs),
            kl(square * (-t).exp(), variances * over, logs),
            kl(square * over, variances, logs),
            kl(square * (-t).exp(), variances * (-t).exp(), logs),
            kl(square * (-t).exp(), (s - t).exp(), logs),
            kl(square * (-4 * t).exp(), (4 * (s - t)).exp(), 2 * logs),
            kl(square / t**2, s**2 / t**2, logs),
        ],
        "reduction": exact / mean.shape[1],
        "sign": [-exact, kl(square * over, variances * over, -logs), kl(square * over, variances * over, 2 * (s + t))]
        + [kl(mean**2, variances, 2 * s) - kl(m**2, (2 * t).exp(), 2 * t)],
        "one-to-one": [2 * exact, exact / 0.6931471805599453, 2 * exact / 0.6931471805599453, 0.5 * exact],
        "constant": exact + 0.5 * mean.shape[1],
        "shape": [0 * exact + part for part in (exact.sum(), exact.mean(), exact[0])],
    }


@dataclass
class _Given:
    """A model that is told `given`, as one that is told nothing."""

    model: Told
    given: Tensor

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        return self.model.elbo(x, self.given, rng=rng)

    def log_weights(self, x: Tensor, k: int, *, rng: Generator | None = None) -> Tensor:
        # in parts: the model repeats what it is given
        parts = [self.model.log_weights(x, self.given, min(500, k - i), rng=rng) for i in range(0, k, 500)]
        return torch.cat(parts)


def bounds_given_are_ordered(
    candidate: Told, x: Tensor, given: Tensor, log_prob: Tensor, *, k: int = 10, draws: int = 400, seed: int = 0
) -> None:
    """E ELBO ≤ E IWAE_k ≤ log p(x|c), each row of x with its own c; `log_prob` (batch,) is the exact log p(x|c).

    And the weights average to p(x|c): what is drawn from the prior in place of the posterior, or set against another
    prior than that of `log_prob`, is seen here; from which prior answers are drawn is not.
    """
    bounds_are_ordered(_Given(candidate, given), x, log_prob, k=k, draws=draws, seed=seed)


def constant_given_changes_nothing(
    candidate: Told, plain: Any, x: Tensor, given: Tensor, *, k: int = 3, seed: int = 0
) -> None:
    """Told the same c of every row, a conditional model is the model that is told nothing: `plain`, of the same
    weights, whose c has gone into the constants of its first layers. Draw by draw: the same noise, the same bounds.
    """
    for name, *more in (("elbo",), ("log_weights", k)):
        with torch.no_grad():
            told = getattr(candidate, name)(x, given, *more, rng=torch.Generator().manual_seed(seed))
            expected = getattr(plain, name)(x, *more, rng=torch.Generator().manual_seed(seed))
        told = require_shape(f"{name} given c", told, tuple(expected.shape))
        require_close(f"{name}(x, c) = {name}(x) where c is constant", told, expected, within(expected))


def completion_keeps_the_known(
    candidate: Callable[..., Tensor], x: Tensor, *, levels: Tensor | None = None, seed: int = 0
) -> None:
    """candidate(x, known, rng=…) is x wherever it is known, exactly, and what it puts elsewhere has not seen x there.

    x (batch, C, H, W); `known` is bool, (C, H, W) or a mask for each row. Equal generators, equal answers; others,
    others. `levels`, if given, are all the values that a drawn pixel may have.
    """
    rng = torch.Generator().manual_seed(seed)
    each = torch.rand(x.shape, generator=rng) < 0.6
    for known in (each, each[0], torch.ones_like(each), torch.zeros_like(each)):
        mask = known.expand_as(x)
        filled, again, moved = (_filled(candidate, x, known, k) for k in (0, 0, 1))
        others = (torch.where(mask, x, other) for other in (1 - x, x.roll(1, 0)))
        case = show_case({"known": mask.float().mean((1, 2, 3))})
        if not torch.equal(filled[mask], x[mask]):
            raise LawBroken("known pixels stay as they are", "others", "x where it is known", "dependence", case)
        if not torch.equal(filled, again):
            raise LawBroken("equal generators, equal answers", "others", "the same", "randomness", case)
        if not all(torch.equal(filled[~mask], _filled(candidate, other, known, 0)[~mask]) for other in others):
            raise LawBroken(
                "the answer has not seen the missing pixels", "it changes with them", "the same", "direction"
            )
        if not mask.all() and torch.equal(filled, moved):
            raise LawBroken("another generator, another answer", "the same", "another", "randomness", case)
        if levels is not None and not torch.isin(filled, levels).all():
            raise LawBroken("a pixel is drawn, not a mean", show_value(filled), show_value(levels), "constant", case)


def _filled(candidate: Callable[..., Tensor], x: Tensor, known: Tensor, seed: int) -> Tensor:
    told = partial(candidate, rng=torch.Generator().manual_seed(seed))
    return require_shape("a picture for each row", ask(told, x=x, known=known), tuple(x.shape))


def fillings_have_mass_one(
    candidate: Callable[..., Tensor], x: Tensor, known: Tensor, *, k: int = 4_000, seed: int = 0
) -> None:
    """Σ over all fillings of the few missing pixels of p(missing|known) = 1, within 4 standard errors.

    candidate(pictures, known, k, rng=…) gives the log-weights, (k, batch), whose means are the probabilities, of binary
    pictures (batch, C, H, W) of which `known`, (C, H, W), is given; or (1, batch), the exact log-probabilities. x is
    one picture, (C, H, W). The weights of each filling are independent, so that the variances of their means add.
    Raises ValueError where they vary so much that four standard errors exceed 0.2.
    """
    missing = int((~known).sum())
    if not 1 <= missing <= 8:
        raise ValueError(f"known: got {missing} missing pixels, expected 1 to 8, so that all fillings can be visited")
    fillings = torch.tensor(list(product([0.0, 1.0], repeat=missing)), dtype=x.dtype)
    pictures = x.repeat(len(fillings), 1, 1, 1)
    pictures[:, ~known] = fillings
    with torch.no_grad():
        log_w = candidate(pictures, known, k, rng=torch.Generator().manual_seed(seed))
    if not isinstance(log_w, Tensor) or log_w.dim() != 2 or log_w.shape[1] != len(fillings):
        came = tuple(log_w.shape) if isinstance(log_w, Tensor) else type(log_w).__name__
        raise LawBroken("log-weights are (k, batch)", f"{came}", f"(k, {len(fillings)})", "shape")
    if not log_w.isfinite().all():
        raise LawBroken("log-weights are finite", show_value(log_w), "finite numbers", "not-finite")
    w = log_w.double().exp()
    error = standard_error(w).square().sum().sqrt() if len(w) > 1 else torch.zeros(())
    if 4 * error > 0.2:
        raise ValueError(f"k: got {k} draws, whose sum is known to ± {4 * error.item():.2f} only; expected more draws")
    require_close("Σ p(missing|known) over all fillings = 1", w.mean(0).sum(), 1.0, 4 * error.item() + 1e-5)
