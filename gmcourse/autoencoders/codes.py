"""Codes without an encoder: laws fitted to the codes of data, points between them, and a block filled in by passes."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
from torch import Generator, Tensor


class CodeMixture(NamedTuple):
    """Σ_c w_c N(m_c, A_c A_cᵀ) over codes: weights (C,), means (C, k), roots A (C, k, k)."""

    weights: Tensor
    means: Tensor
    roots: Tensor

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """n codes, (n, k): a component, then its Gaussian.

        Equation: autoencoders-code-mixture.
        """
        _check_count("n", n)
        which = torch.multinomial(self.weights, max(n, 1), replacement=True, generator=rng)[:n]
        noise = _normal(n, self.means, rng)
        return self.means[which] + (self.roots[which] @ noise[:, :, None]).squeeze(2)

    def log_prob(self, z: Tensor) -> Tensor:
        """ln Σ_c w_c N(z; m_c, A_c A_cᵀ), (n, k) → (n,), nats. The roots must be regular."""
        covariances = self.roots @ self.roots.mT
        parts = torch.distributions.MultivariateNormal(self.means, covariances)
        return (self.weights.log() + parts.log_prob(z[:, None])).logsumexp(1)


def fit_gaussian(codes: Tensor) -> CodeMixture:
    """The Gaussian with the mean and the covariance of codes (n, k), as a mixture of one.

    Equation: autoencoders-code-gaussian.
    """
    _checked(codes)
    values, vectors = torch.linalg.eigh(torch.atleast_2d(codes.T.cov()))
    root = vectors * values.clamp(min=0).sqrt()
    return CodeMixture(torch.ones(1).to(codes), codes.mean(0)[None], root[None])


def fit_mixture(codes: Tensor, components: int = 10, seed: int = 0) -> CodeMixture:
    """A Gaussian mixture with full covariances fitted to codes (n, k) by EM; float64 within."""
    from sklearn.mixture import GaussianMixture

    _checked(codes)
    if not 1 <= components <= len(codes):
        raise ValueError(f"components: got {components}, expected 1 to {len(codes)}, the number of codes")
    fitted = GaussianMixture(components, reg_covar=1e-4, random_state=seed)
    fitted.fit(codes.detach().double().numpy())
    parameters = (fitted.weights_, fitted.means_, fitted.covariances_)
    weights, means, covariances = (torch.from_numpy(cast(Any, value)) for value in parameters)
    return CodeMixture(*(part.to(codes) for part in (weights, means, torch.linalg.cholesky(covariances))))


def fit_codes_and_sample(codes: Tensor, n: int, rng: Generator | None = None) -> Tensor:
    """n draws, (n, k), of the Gaussian with the mean and the covariance of codes (m, k)."""
    return fit_gaussian(codes).sample(n, rng=rng)


def between(codes: Tensor, n: int, many: int = 2, rng: Generator | None = None) -> Tensor:
    """n points, (n, k), each a random mean of `many` codes: weights uniform on the simplex.

    Equation: autoencoders-between-codes.
    """
    _checked(codes)
    _check_count("n", n)
    _check_count("many", many, least=1)
    which = torch.randint(len(codes), (n, many), generator=rng, device=codes.device)
    shares = codes.new_empty(n, many).exponential_(generator=rng)
    return ((shares / shares.sum(1, keepdim=True))[:, :, None] * codes[which]).sum(1)


def near(codes: Tensor, n: int, width: float = 0.3, rng: Generator | None = None) -> Tensor:
    """n points, (n, k): a code drawn at random plus noise of `width` standard deviations of the codes.

    These are draws of a kernel density estimate with that bandwidth.
    """
    _checked(codes)
    _check_count("n", n)
    which = torch.randint(len(codes), (n,), generator=rng, device=codes.device)
    return codes[which] + width * codes.std(0) * _normal(n, codes, rng)


def fill_block(reconstruct: Callable[[Tensor], Tensor], x: Tensor, known: Tensor, passes: int) -> Tensor:
    """x ← x where it is known, reconstruct(x) where not, `passes` times; x (batch, *event), `known` (*event), bool.

    What x holds at the unknown entries is the first guess. Equation: autoencoders-fill-block.
    """
    if passes < 0:
        raise ValueError(f"passes: got {passes}, expected at least 0")
    if known.dtype != torch.bool or known.shape != x.shape[1:]:
        came = f"{known.dtype} of shape {tuple(known.shape)}"
        raise ValueError(f"known: got {came}, expected bool of shape {tuple(x.shape[1:])}")
    for _ in range(passes):
        x = torch.where(known, x, reconstruct(x))
    return x


def _normal(n: int, like: Tensor, rng: Generator | None) -> Tensor:
    """n rows of standard normal noise, each as long as those of `like`."""
    return torch.randn(n, like.shape[1], generator=rng, dtype=like.dtype, device=like.device)


def _checked(codes: Tensor) -> None:
    if codes.dim() != 2 or len(codes) < 2:
        raise ValueError(f"codes: got shape {tuple(codes.shape)}, expected (n, k) with at least two codes")
    if not codes.isfinite().all():
        raise ValueError("codes: got values that are infinite or NaN, expected finite ones")


def _check_count(name: str, count: int, least: int = 0) -> None:
    if count < least:
        raise ValueError(f"{name}: got {count}, expected at least {least}")
