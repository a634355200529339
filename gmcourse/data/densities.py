"""Densities of the plane that are known exactly: with these, a model's best possible NLL is a number.

Every class has `log_prob(x) -> (batch,)` in nats, `sample(n, rng=None) -> (n, 2)` float32, and `entropy()` in nats.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

_TERMS = 1 << 22  # held at once by a mixture's log_prob


def _normal_nodes(count: int) -> tuple[Tensor, Tensor]:
    """Gauss–Hermite rule for E[f(ε)], ε ~ N(0, I_2): nodes (count², 2) and weights (count²,), in float64."""
    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.hermite_e.hermegauss(count))
    weights = weights / weights.sum()
    return torch.cartesian_prod(nodes, nodes), torch.outer(weights, weights).flatten()


def _unit_nodes(count: int) -> tuple[Tensor, Tensor]:
    """Gauss–Legendre rule, 16 nodes a panel, for the mean over [0, 1]: `count` or more nodes and weights, float64."""
    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(16))
    panels = math.ceil(count / 16)
    starts = torch.arange(panels).double()[:, None]
    return ((starts + (nodes + 1) / 2) / panels).flatten(), (weights / 2 / panels).repeat(panels)


class GaussianMixture:
    """p(x) = Σ_k w_k N(x; m_k, σ² I), means (K, 2), weights (K,).

    The entropy has no closed form; it is −Σ_k w_k E_{N_k}[log p], each mean by a Gauss–Hermite rule, good to 1e-4.
    """

    def __init__(self, means: Tensor, noise: float, weights: Tensor | None = None):
        self.means, self.noise = means.double(), noise
        self.weights = torch.full((len(means),), 1 / len(means)).double() if weights is None else weights.double()

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), x (batch, 2) -> (batch,)."""
        variance = self.noise**2
        offset = self.weights.log() - self.means.square().sum(1) / (2 * variance) - math.log(2 * math.pi * variance)

        def rows(x: Tensor) -> Tensor:
            terms = torch.logsumexp(x @ self.means.T / variance + offset, 1)
            return terms - x.square().sum(1) / (2 * variance)

        return torch.cat([rows(part) for part in x.double().split(max(1, _TERMS // len(self.means)))]).to(x.dtype)

    def sample(self, n: int, *, rng: torch.Generator | None = None) -> Tensor:
        """Draws (n, 2): a component, then Gaussian noise about its mean."""
        which = torch.multinomial(self.weights, n, replacement=True, generator=rng)
        return (self.means[which] + self.noise * torch.randn(n, 2, generator=rng, dtype=torch.float64)).float()

    def entropy(self) -> float:
        """Differential entropy in nats, by quadrature."""
        noise, mass = _normal_nodes(24)
        points = self.means[:, None] + self.noise * noise
        log_prob = self.log_prob(points.flatten(0, 1)).view(len(self.means), -1)
        return -float(self.weights @ (log_prob @ mass))


class NoisyCurves:
    """x = c_j(t) + σ ε: a curve j of K, t ~ U(0, 1) along it, ε ~ N(0, I).

    p(x) = 1/K Σ_j ∫_0^1 N(x; c_j(t), σ² I) dt: the curves blurred by a Gaussian. `curves(t)`, (n,) -> (K, n, 2), must
    be smooth. The integral is a Gauss–Legendre sum with nodes at most about σ/2 apart on a curve of the given length,
    good to rounding. The entropy has no closed form; it is the mean of −log p over t and ε by quadrature, good to 1e-4.
    """

    def __init__(self, curves: Callable[[Tensor], Tensor], noise: float, length: float):
        self.curves, self.noise = curves, noise
        t, weights = _unit_nodes(max(64, math.ceil(3 * length / noise)))
        means = curves(t)
        self.mixture = GaussianMixture(means.flatten(0, 1), noise, weights.repeat(len(means)) / len(means))

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), x (batch, 2) -> (batch,)."""
        return self.mixture.log_prob(x)

    def sample(self, n: int, *, rng: torch.Generator | None = None) -> Tensor:
        """Draws (n, 2): a curve, a place on it, Gaussian noise about that."""
        places = self.curves(torch.rand(n, generator=rng, dtype=torch.float64))
        which = torch.randint(len(places), (n,), generator=rng)
        noise = torch.randn(n, 2, generator=rng, dtype=torch.float64)
        return (places[which, torch.arange(n)] + self.noise * noise).float()

    def entropy(self) -> float:
        """Differential entropy in nats, by quadrature."""
        (t, along), (noise, mass) = _unit_nodes(48), _normal_nodes(16)
        points = self.curves(t)[:, :, None] + self.noise * noise
        log_prob = self.log_prob(points.flatten(0, 2)).view(points.shape[:3])
        return -float((log_prob @ mass @ along).mean())


class Rings:
    """Circles of the given radii about the origin, equally likely, uniform in angle, blurred by N(0, σ² I).

    p(x) = mean_R exp(−(r² + R²) / 2σ²) I_0(rR / σ²) / 2πσ² at r = |x|, in closed form with the Bessel function I_0.
    The entropy −∫ 2πr p ln p dr is a midpoint sum, good to 1e-4.
    """

    def __init__(self, radii: Tensor, noise: float):
        self.radii, self.noise = radii.double(), noise

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), x (batch, 2) -> (batch,)."""
        return self._at_radius(_radius(x.double())).to(x.dtype)

    def sample(self, n: int, *, rng: torch.Generator | None = None) -> Tensor:
        """Draws (n, 2): a circle, an angle, Gaussian noise."""
        radius = self.radii[torch.randint(len(self.radii), (n,), generator=rng)]
        angle = 2 * math.pi * torch.rand(n, generator=rng, dtype=torch.float64)
        circle = radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
        return (circle + self.noise * torch.randn(n, 2, generator=rng, dtype=torch.float64)).float()

    def entropy(self) -> float:
        """Differential entropy in nats, by quadrature."""
        step = self.noise / 200
        radius = (torch.arange(0, float(self.radii.max()) + 10 * self.noise, step) + step / 2).double()
        log_prob = self._at_radius(radius)
        return -float((2 * math.pi * radius * log_prob.exp() * log_prob).sum() * step)

    def _at_radius(self, r: Tensor) -> Tensor:
        variance = self.noise**2
        distance = (r[:, None] - self.radii).square() / (2 * variance)
        terms = torch.special.i0e(r[:, None] * self.radii / variance).log() - distance
        return torch.logsumexp(terms, 1) - math.log(2 * math.pi * variance * len(self.radii))


class Checkerboard:
    """Uniform on the dark half of a 4 × 4 board over [−extent, extent]²; −∞ elsewhere.

    p(x) = 1 / (2 extent²) on dark squares; entropy ln(2 extent²), in closed form.
    """

    def __init__(self, extent: float):
        self.extent = extent

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), x (batch, 2) -> (batch,)."""
        square = torch.floor((x + self.extent) * 2 / self.extent)
        dark = (square.sum(1) % 2 == 0) & (square >= 0).all(1) & (square < 4).all(1)
        return torch.where(dark, -self.entropy(), -math.inf).to(x.dtype)

    def sample(self, n: int, *, rng: torch.Generator | None = None) -> Tensor:
        """Draws (n, 2): a dark square, then a place in it."""
        column = torch.randint(4, (n,), generator=rng)
        row = 2 * torch.randint(2, (n,), generator=rng) + column % 2
        place = torch.rand(n, 2, generator=rng).clamp(1e-6, 1 - 1e-6)
        return (torch.stack([column, row], 1) + place) * self.extent / 2 - self.extent

    def entropy(self) -> float:
        """ln(2 extent²), nats."""
        return math.log(2 * self.extent**2)


class Pinwheel:
    """Gaussian blades, twisted: blade k is N((1, 0), diag(radial², tangential²)) turned by 2πk / blades, and then every
    point is turned about the origin by an angle rate · r that grows with its radius r.

    A twist keeps areas, |det| = 1, so log p(x) = log p_blades(untwisted x) and the entropy is that of the straight
    blades, a Gauss–Hermite sum over one blade (the others are its rotations), good to 1e-4.
    """

    def __init__(self, blades: int, radial: float, tangential: float, rate: float):
        self.angles = 2 * math.pi * torch.arange(blades).double() / blades
        self.spread, self.rate = torch.tensor([radial, tangential]).double(), rate

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), x (batch, 2) -> (batch,)."""
        return self._straight(_turn(x.double(), -self.rate * _radius(x.double()))).to(x.dtype)

    def sample(self, n: int, *, rng: torch.Generator | None = None) -> Tensor:
        """Draws (n, 2): a blade, a point of it, turned."""
        x = self._blade(torch.randn(n, 2, generator=rng, dtype=torch.float64))
        blade = torch.randint(len(self.angles), (n,), generator=rng)
        return _turn(x, self.angles[blade] + self.rate * _radius(x)).float()

    def entropy(self) -> float:
        """Differential entropy in nats, by quadrature."""
        noise, mass = _normal_nodes(64)
        return -float(self._straight(self._blade(noise)) @ mass)

    def _blade(self, noise: Tensor) -> Tensor:
        return torch.tensor([1.0, 0.0]).double() + self.spread * noise

    def _straight(self, x: Tensor) -> Tensor:
        unturned = _turn(x[:, None], -self.angles)
        z = (unturned - self._blade(torch.zeros(2))) / self.spread
        normaliser = math.log(2 * math.pi * len(self.angles)) + self.spread.log().sum()
        return torch.logsumexp(-z.square().sum(2) / 2, 1) - normaliser


def _radius(x: Tensor) -> Tensor:
    return (x.square().sum(-1) + 1e-30).sqrt()


def _turn(x: Tensor, angle: Tensor) -> Tensor:
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * x[..., 0] - sin * x[..., 1], sin * x[..., 0] + cos * x[..., 1]], -1)
