"""Laws of a bijection: it inverts, its log-determinant is that of its Jacobian, and what may depend on what."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape
from gmcourse.protocols import Bijection


def inverts(candidate: Bijection, x: Tensor, *, tolerance: float = 1e-6) -> None:
    """inverse(forward(x)) = x, and the two log-determinants are opposite. `x` is (batch, *event), best in float64."""
    z, log_det = ask(candidate.forward, x=x)
    require_shape("z has the shape of x", z.flatten(1), (len(x), x[0].numel()))
    require_shape("one log-determinant for each row", log_det, (len(x),))
    back, log_det_back = ask(candidate.inverse, z=z)
    require_shape("x comes back in its shape", back, tuple(x.shape))
    require_shape("one log-determinant for each row", log_det_back, (len(x),))
    twice = {"one-to-one": back} if _two_share(candidate, back, z, tolerance) else {}
    require_close("inverse(forward(x)) = x", back, x, tolerance, twice)
    suspects = {"sign": log_det, "constant": torch.zeros_like(log_det)}
    require_close("log|∂x/∂z| = −log|∂z/∂x|", log_det_back, -log_det, 10 * tolerance, suspects)


def _two_share(candidate: Bijection, back: Tensor, z: Tensor, tolerance: float) -> bool:
    """Whether what came back has the same z, so that it and x are two with one image."""
    return torch.allclose(candidate.forward(back)[0], z, rtol=0, atol=tolerance)


def jacobian(candidate: Bijection, x: Tensor) -> Tensor:
    """∂z/∂x of each row by autograd, (batch, D, D)."""

    def flat(row: Tensor) -> Tensor:
        return candidate.forward(row.view(1, *x.shape[1:]))[0].flatten()

    return torch.stack([torch.autograd.functional.jacobian(flat, row.flatten()) for row in x])


def log_det_is_jacobians(candidate: Bijection, x: Tensor, *, tolerance: float = 1e-6) -> None:
    """forward's log-determinant = log|det| of the Jacobian that autograd gives, row by row; `x` in float64."""
    expected = torch.linalg.slogdet(jacobian(candidate, x)).logabsdet
    observed = require_shape("one log-determinant for each row", candidate.forward(x)[1], (len(x),))
    suspects = {
        "sign": -expected,
        "reduction": expected / x[0].numel(),
        "shape": expected.sum().expand(len(x)),
        "constant": torch.zeros_like(expected),
    }
    require_close("log_det = log|det ∂z/∂x|", observed, expected, tolerance, suspects)


def preserves_volume(candidate: Bijection, x: Tensor, *, tolerance: float = 1e-6) -> None:
    """|det ∂z/∂x| = 1 at every row of `x`, by autograd."""
    observed = torch.linalg.slogdet(jacobian(candidate, x)).logabsdet
    require_close("log|det ∂z/∂x| = 0", observed, torch.zeros_like(observed), tolerance)


def is_autoregressive(candidate: Bijection, x: Tensor, *, order: Sequence[int] | None = None) -> None:
    """∂z_i/∂x_j = 0 wherever j comes after i in `order` (default 0, 1, …), and ∂z_i/∂x_i > 0."""
    size = x[0].numel()
    order = list(range(size)) if order is None else list(order)
    matrix = jacobian(candidate, x)[:, order][:, :, order]
    above = matrix.triu(1).abs().amax(0)
    if (above > 0).any():
        i, j = divmod(int(above.argmax()), size)
        law = "output i sees no input after i"
        raise LawBroken(law, f"∂z_{order[i]}/∂x_{order[j]} = {above[i, j]:.3g}", "0", "dependence")
    if (matrix.diagonal(dim1=1, dim2=2) <= 0).any():
        raise LawBroken("each output rises with its own input", "a slope of at most 0", "positive slopes", "sign")
