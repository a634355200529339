"""Laws of layers that act alike at every pixel: what they do to the volume of a whole image."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, show_value
from gmcourse.laws.rows import draw, within

SHAPES = ((4, 3, 5, 7), (3, 2, 4, 3))  # batch, C, H, W; in the first no other product of two is HW or half of it
EACH = "one log-determinant for each image"


def _log_det(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """log|det ∂z/∂x| of each image, (batch,), by autograd over all its values."""
    rows = [torch.autograd.functional.jacobian(lambda v: layer(v.view(1, *x.shape[1:])), r.flatten()) for r in x]
    size = x[0].numel()
    return torch.stack([torch.linalg.slogdet(matrix.view(size, size)).logabsdet for matrix in rows])


def actnorm_counts_pixels(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, s) is log|det ∂z/∂x| of z = (x − μ)e^{−s}, s (C,), x (batch, C, H, W): (batch,), whatever x is."""
    for shape, log_std in zip(SHAPES, ([0.5, -0.2, 0.15], [-1.0, 0.3]), strict=True):
        x, s = draw(*shape, seed=seed), torch.tensor(log_std)
        scale = s.double().exp()[:, None, None]
        expected = _log_det(lambda v, scale=scale: v / scale, x.double())
        observed, again = (require_shape(EACH, ask(candidate, x=v, log_std=s), shape[:1]) for v in (x, 3 * x + 1))
        if not torch.allclose(again.double(), observed.double(), rtol=1e-4, atol=1e-4):
            law = "the same s, the same log_det, whatever x is"
            raise LawBroken(law, show_value(again), show_value(observed), "randomness")
        suspects = {
            **_counted_otherwise(expected, shape),
            "sign": -expected,
            "spread": (2 * expected, expected / 2),
            "constant": -_pixels(shape) * s.double().exp().sum().expand(shape[0]),
        }
        law = "log_det of actnorm = log|det ∂z/∂x|"
        require_close(law, observed, expected, within(expected), suspects, given={"x": x, "s": s})


def _pixels(shape: tuple[int, ...]) -> int:
    return shape[2] * shape[3]


def _counted_otherwise(expected: Tensor, shape: tuple[int, ...]) -> dict[str, Slips]:
    """One pixel, one row, one column, channels instead, a mean over channels, a sum over the batch."""
    batch, channels, height, width = shape
    one = expected / (height * width)
    counts = (1, height, width, channels, channels * height * width, height * width / channels, height + width)
    counts += (channels * height, channels * width)
    return {"reduction": [one * count for count in counts], "shape": batch * expected}


def mixing_counts_pixels(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, A) is log|det ∂z/∂x| of z_{ij} = A x_{ij}, A (C, C), x (batch, C, H, W): (batch,).

    Also where det A is negative, and where it is too small for a float64.
    """
    for shape in SHAPES:
        x, matrix = draw(*shape, seed=seed), draw(shape[1], shape[1], seed=seed + 1)
        matrix[0] = matrix[0] * torch.linalg.det(matrix).sign()
        for name, weight in (("det A > 0", matrix), ("det A < 0", matrix.flip(0))):
            exact = weight.double()
            expected = _log_det(lambda v, w=exact: torch.einsum("ij,bjhw->bihw", w, v), x.double())
            observed = require_shape(f"{EACH}, {name}", ask(candidate, x=x, weight=weight), shape[:1])
            suspects = {
                **_counted_otherwise(expected, shape),
                "sign": -expected,
                "constant": _pixels(shape) * exact.diagonal().abs().log().sum().expand(shape[0]),
                "dependence": _pixels(shape) * torch.linalg.svdvals(exact).sum().expand(shape[0]),
                "direction": torch.linalg.det(exact).abs().expand(shape[0]) * _pixels(shape),
            }
            law = f"log_det = log|det ∂z/∂x|, {name}"
            require_close(law, observed, expected, within(expected), suspects, given={"x": x, "A": weight})
    law = "A = 10⁻⁶ I, 60 channels"
    observed = require_shape(law, ask(candidate, x=torch.zeros(2, 60, 1, 2), weight=1e-6 * torch.eye(60)), (2,))
    expected = torch.full((2,), 120.0) * torch.tensor(1e-6).double().log()
    require_close(law, observed, expected, 0.1)
