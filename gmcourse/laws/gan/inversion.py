"""Laws of inversion: the nearest picture that a generator can draw, from several starts, its weights left alone."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_parts, require_shape
from gmcourse.laws.rows import draw


class _Parabola(nn.Module):
    """z ↦ (z², 0.3 z): the distance to a point has two minima."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.cat([z**2, 0.3 * z], 1)


def inversion_finds_the_nearest(candidate: Callable[[nn.Module, Tensor, Tensor], Any], *, seed: int = 0) -> None:
    """candidate(generator, x, z) is the best latents, (batch, L), and their residuals Σ(x − G(z))², (batch,).

    z, (starts, batch, L), is where the searches begin. Two generators are affine, one behind a batch norm in training
    mode, so that least squares tell the nearest point; one has two valleys, so that each row needs its own best start.
    """
    affine, normed = _affine(seed)
    x, zeros = 1.5 * draw(7, 4, seed=seed + 1), torch.stack([torch.zeros(7, 2), torch.full((7, 2), 0.5)])
    nearest = _least_squares(affine, x)
    for name, generator in (("an affine generator", affine), ("one with batch norm", normed)):
        z, residual = _inverted(candidate, generator, x, zeros, name)
        slips = {"reduction": (nearest / 4, nearest.mean().expand(7)), "spread": nearest.sqrt()}
        deduced = "dependence" if generator is normed else ""
        require_close(f"the least residual of {name}", residual, nearest, 0.02, slips, deduced=deduced)
        with torch.no_grad():
            drawn = (x - deepcopy(generator).eval()(z.float())).square().sum(1)
        require_close(f"the residual is that of z, {name}", residual, drawn.double(), 0.02, deduced="one-to-one")
    sides = torch.tensor([1.0, -1.0, -1.0, 1.0])[:, None]
    points = torch.cat([torch.ones(4, 1), 0.3 * sides], 1)
    starts = torch.stack([torch.where(sides > 0, 1.6, 0.95), torch.where(sides > 0, -0.95, -1.6)])  # the farther wins
    z, residual = _inverted(candidate, _Parabola(), points, starts, "a generator with two valleys")
    law = "each row keeps its own best start"
    require_close(law, residual, torch.zeros(4, dtype=torch.float64), 0.02, deduced="direction")
    require_close("the latent of the best start", z, sides.double(), 0.1, deduced="direction")
    alone = torch.full((1, 4, 1), 1.3)
    z, residual = _inverted(candidate, _Parabola(), points, alone, "one start, in the wrong valley for two rows")
    law = "the search begins at z and nowhere else"
    require_close(law, z.sign(), torch.ones(4, 1, dtype=torch.float64), 0.1, deduced="randomness")


def _modes(generator: nn.Module) -> list[bool]:
    """Of each part whether it is in training mode, of each weight whether it can learn."""
    return [part.training for part in generator.modules()] + [p.requires_grad for p in generator.parameters()]


def _affine(seed: int) -> tuple[nn.Sequential, nn.Sequential]:
    """The same affine map twice, the second time behind a batch norm, left in training mode, of mean 0, variance 1."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        linear = nn.Linear(2, 4)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[1.0, 0.2], [-0.3, 0.9], [0.5, 0.5], [0.0, -0.7]]))
    return nn.Sequential(linear), nn.Sequential(nn.BatchNorm1d(2, eps=1e-9, affine=False), linear).train()


def _least_squares(generator: nn.Sequential, x: Tensor) -> Tensor:
    weight, bias = (parameter.detach() for parameter in generator.parameters())
    weight, away = weight.double(), (x - bias).double()
    z = torch.linalg.lstsq(weight, away.T).solution
    return (away.T - weight @ z).square().sum(0)


def _inverted(
    candidate: Callable[[nn.Module, Tensor, Tensor], Any], generator: nn.Module, x: Tensor, z: Tensor, name: str
) -> tuple[Tensor, Tensor]:
    """Both parts of the answer, float64; the generator must come back as it was."""
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    modes = _modes(generator)
    output = require_parts(f"latents and residuals, {name}", ask(candidate, generator=generator, x=x, z=z), 2)
    for key, value in generator.state_dict().items():
        if not torch.equal(value, before[key]):
            raise LawBroken("the generator stays as it was", f"another {key}", "the same", "mutation", name)
    if _modes(generator) != modes:
        law, right = "the generator stays as it was", "training mode, and weights that can learn, as they were"
        raise LawBroken(law, "left in another mode, or with weights that learn no more", right, "mutation", name)
    at = require_shape(f"a latent for each row, {name}", output[0], (len(x), z.shape[2]))
    residual = require_shape(f"a residual for each row, {name}", output[1], (len(x),))
    return at.detach().double(), residual.detach().double()
