"""Laws of an autoregressive flow: the pass that standardises, the steps that undo it, and what each costs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_parts, require_shape
from gmcourse.laws.rows import draw, further, pooled, within

Net = Callable[[Tensor], tuple[Tensor, Tensor]]


def triangular_net(order: Sequence[int], seed: int = 0) -> Net:
    """x ↦ (μ, s), both (batch, D), in x's dtype: entry i sees the entries that stand before i in `order`."""
    rng = torch.Generator().manual_seed(seed)
    size = len(order)
    place = torch.tensor(order).argsort()
    sees = (place[:, None] > place[None, :]).double()
    for_mean, for_s = (sees * torch.randn(size, size, generator=rng, dtype=torch.float64) for _ in range(2))
    offset = 0.5 * torch.randn(size, generator=rng, dtype=torch.float64)

    def net(x: Tensor) -> tuple[Tensor, Tensor]:
        a, b, c = (weight.to(x.dtype) for weight in (for_mean, for_s, offset))
        return 3 * (x @ a.T).sin() + c, (x @ b.T).tanh() * 0.7 + c

    return net


def standardises(candidate: Callable[[Tensor, Net], tuple[Tensor, Tensor]], *, seed: int = 0) -> None:
    """candidate(x, net) gives z, entry by entry the normal quantile of x_i under N(μ_i, e^{2s_i}), and log|det ∂z/∂x|.

    `net(x)` gives μ and s, (batch, D). The oracle is the chain rule: ln p(x) = Σ ln N(x_i; μ_i, e^{2s_i}).
    """
    for dims, rows in ((4, 6), (3, 5)):
        net = triangular_net(range(dims), seed)
        x = _by_steps(draw(rows, dims, seed=seed).double(), net, range(dims)).float()
        mean, s = net(x.double())
        law = Normal(mean, s.exp())
        quantile = Normal(0.0, 1.0).icdf(law.cdf(x.double()))
        expected = (law.log_prob(x.double()) - Normal(0.0, 1.0).log_prob(quantile)).sum(1)
        z, log_det = require_parts("forward gives z and log|det ∂z/∂x|", ask(candidate, x=x, net=net), 2)
        z = require_shape("z has the shape of x", z, tuple(x.shape))
        log_det = require_shape("one log-determinant for each row", log_det, (rows,))
        told = "z_i is the normal quantile of x_i given what came before"
        suspects = _standard_suspects(x.double(), net)
        require_close(told, z, quantile, within(quantile, 1e-3), suspects, given={"x": x})
        suspects = {
            "sign": -expected,
            "reduction": expected / dims,
            "spread": 2 * expected,
            "shape": pooled(expected),
            "constant": torch.zeros(rows, dtype=torch.float64),
        }
        told = "ln N(z; 0, I) + log_det = Σ ln N(x_i; μ_i, e^{2s_i})"
        require_close(told, log_det, expected, within(expected), suspects, given={"x": x})


def _standard_suspects(x: Tensor, net: Net) -> dict[str, Slips]:
    mean, s = net(x)
    return {
        "direction": mean + s.exp() * x,
        "spread": (x - mean) * (-2 * s).exp(),
        "dependence": _by_latents(x, net),
        "sign": ((x - mean) * s.exp(), (x + mean) * (-s).exp()),
        "one-to-one": x * (-s).exp() - mean,
    }


def undoes(candidate: Callable[[Tensor, Net, list[int]], Tensor], *, seed: int = 0) -> None:
    """candidate(z, net, order) gives back the x that was standardised to z, whatever the order of the coordinates.

    `order` lists the coordinates, the first known first; `net(x)` gives μ and s, (batch, D).
    """
    for order in ([0, 1, 2, 3], [2, 0, 3, 1], [1, 2, 0]):
        net = triangular_net(order, seed)
        z = draw(5, len(order), seed=seed)
        x = _by_steps(z.double(), net, order)
        answer = ask(candidate, z=z, net=net, order=list(order))
        observed = require_shape("x has the shape of z", answer, tuple(z.shape)).double()
        law = f"x comes back, coordinates in the order {order}"
        suspects = _undone_suspects(x, z.double(), net, order)
        require_close(law, observed, x, within(x, 1e-3), suspects, given={"z": z})


Step = Callable[[Tensor, Tensor, Tensor], Tensor]


def _by_steps(z: Tensor, net: Net, order: Sequence[int], step: Step | None = None) -> Tensor:
    """x one coordinate after another: the quantile z_i of N(μ_i, e^{2s_i}), or by another `step` (z, μ, s)."""
    x = torch.zeros_like(z)
    for i in order:
        mean, s = (value[:, i] for value in net(x))
        x[:, i] = step(z[:, i], mean, s) if step else Normal(mean, s.exp()).icdf(Normal(0.0, 1.0).cdf(z[:, i]))
    return x


def _undone_suspects(x: Tensor, z: Tensor, net: Net, order: list[int]) -> dict[str, Slips]:
    def steps(step: Step) -> Tensor:
        return _by_steps(z, net, order, step)

    at_z, at_zero = net(z), net(torch.zeros_like(z))
    back = torch.tensor(order).argsort()
    permuted = [_by_steps(z[:, by], net, order) for by in (order, back)]
    return {
        "direction": at_z[0] + at_z[1].exp() * z,
        "sign": (
            steps(lambda z, mean, s: (z - mean) * (-s).exp()),
            steps(lambda z, mean, s: (z + mean) * s.exp()),
            steps(lambda z, mean, s: (z - mean) * s.exp()),
            steps(lambda z, mean, s: mean + (-s).exp() * z),
            steps(lambda z, mean, s: mean + s * z),
            steps(lambda z, mean, s: mean + z),
        ),
        "dependence": (
            at_zero[0] + at_zero[1].exp() * z,
            *(_by_steps(z, net, other) for other in (sorted(order), order[::-1], order[:-1], back.tolist())),
        ),
        "one-to-one": (x[:, order], x[:, back], *permuted),
    }


def counts_passes(candidate: Callable[[int, int], Sequence[int]], *, seed: int = 0) -> None:
    """candidate(dims, layers): passes through a network for ln p(x) of given data and for samples, MAF then IAF.

    The oracle counts the calls of triangular networks: a stack read off, and undone by whole passes until x is back.
    """
    for dims, layers in ((3, 2), (5, 4), (2, 3), *further(seed, lambda rng: (rng.randint(2, 6), rng.randint(2, 5)))):
        law = f"passes for (MAF ln p, MAF sample, IAF ln p, IAF sample), D = {dims}, {layers} layers"
        observed = require_shape(law, candidate(dims, layers), (4,)).double()
        quick, slow = _calls(dims, layers)
        slips = {
            "direction": [slow, quick, quick, slow],
            "sign": [quick, slow, quick, slow],
            "reduction": [1, dims, dims, 1],
            "one-to-one": [layers, dims**layers, dims**layers, layers],
            "dependence": [layers] * 4,
        }
        expected = torch.tensor([quick, slow, slow, quick]).double()
        require_close(law, observed, expected, 0, {name: torch.tensor(value) for name, value in slips.items()})


def _calls(dims: int, layers: int, seed: int = 0) -> tuple[int, int]:
    """Calls of the networks that take x through all layers, and calls that bring it back, one whole pass at a time."""
    nets = [triangular_net(range(dims), seed + k) for k in range(layers)]
    values = [draw(1, dims, seed=seed).double()]
    quick = slow = 0
    for net in nets:
        mean, s = net(values[-1])
        values.append((values[-1] - mean) * (-s).exp())
        quick += 1
    for net, x, z in zip(nets[::-1], values[-2::-1], values[:0:-1], strict=True):
        back = torch.zeros_like(z)
        while not torch.allclose(back, x, rtol=0, atol=1e-9):
            mean, s = net(back)
            back = mean + s.exp() * z
            slow += 1
    return quick, slow


def _by_latents(x: Tensor, net: Net) -> Tensor:
    """What comes of conditioning on z_<i where x_<i is asked for."""
    z = torch.zeros_like(x)
    for _ in range(x.shape[1]):
        mean, s = net(z)
        z = (x - mean) * (-s).exp()
    return z
