"""Laws of derivatives: a density after a map, and the gradient of a penalty on a gradient."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape
from gmcourse.laws.rows import draw, pooled, within

Function = Callable[[Tensor, Tensor], Tensor]


def density_after_map(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log_p, jacobian) = ln p − ln|det J| of each row, (batch,) and (batch, D, D) → (batch,).

    No determinant is computed here: J = L diag(d) U, both with a diagonal of ones, so that |det J| = Π |d|.
    """
    for rows, dims, scale, name in (
        (5, 3, 1.0, "determinants above 0"),
        (4, 2, 1.0, "determinants above 0"),
        (3, 1, 1.0, "one dimension"),
        (6, 3, 1.0, "determinants of both signs"),
        (3, 64, 1.0, "64 dimensions"),
        (3, 64, 0.1, "64 dimensions, each shrunk to a tenth"),
    ):
        jacobian, log_det = _maps(rows, dims, scale, seed, signed="both" in name)
        log_p = 2 * draw(rows, seed=seed + dims) - dims
        law = f"ln p(x) = ln p(z) − ln|det ∂x/∂z|, {name}"
        output = ask(candidate, log_p=log_p, jacobian=jacobian)
        observed = require_shape(law, output, (rows,)).detach().double()
        expected = log_p.double() - log_det
        slips = _volume_slips(log_p.double(), log_det, jacobian.double())
        given, left = (
            {"log_p": log_p, "jacobian": jacobian},
            "overflow" if scale < 1 else "",
        )  # only the size has changed
        require_close(law, observed, expected, within(expected), slips, given=given, deduced=left)


def _maps(rows: int, dims: int, scale: float, seed: int, signed: bool) -> tuple[Tensor, Tensor]:
    """Matrices and ln|det| of each, from their triangular parts."""
    lower, upper = draw(2, rows, dims, dims, seed=seed).double() * min(0.8, 4 / dims)
    stretch = (0.4 * draw(rows, dims, seed=seed + 1).double() + 0.3).exp()
    if not signed:  # then the diagonal of J, too, is above 0
        lower, upper = lower.abs(), upper.abs()
    else:
        stretch[::2, 0] *= -1
        stretch[1] *= -1
    one = torch.eye(dims, dtype=torch.float64)
    matrices = (lower.tril(-1) + one) @ (scale * stretch).diag_embed() @ (upper.triu(1) + one)
    return matrices.float(), (scale * stretch).abs().log().sum(1)


def _volume_slips(log_p: Tensor, log_det: Tensor, jacobian: Tensor) -> dict[str, list[Tensor]]:
    diagonal = jacobian.diagonal(dim1=1, dim2=2)
    volume, sign = log_det.exp(), torch.linalg.slogdet(jacobian).sign
    shared = torch.linalg.slogdet(jacobian.mean(0)).logabsdet
    return {
        "sign": [log_p + log_det],
        "constant": [log_p, log_p - 2 * log_det, log_p - log_det / 2],
        "reduction": [
            log_p - way for way in (diagonal.abs().log().sum(1), diagonal.sum(1), log_det / len(jacobian[0]))
        ],
        "spread": [way for v in (volume, sign * volume) for way in (log_p - v, log_p + v, log_p / v, log_p * v)],
        "log-mean": [log_p.exp() / volume, log_p.exp() * volume],
        "one-to-one": [log_p - sign, log_p + sign, log_p - sign * log_det],
        "shape": [*pooled(log_p - log_det), *(log_p - way for way in (*pooled(log_det), shared))],
        "direction": [-log_det, log_det],
    }


def gradient_of_penalty(candidate: Callable[[Function, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(h, x, weight) = ∂/∂w of mean (‖∂h/∂x‖ − 1)², of the shape of w; slopes lie above 1 and below.

    The slopes ∂h/∂x are written by hand, so that one derivative, in w, is left for the oracle. x and w come without
    `requires_grad`.
    """
    for name, (h, slope), weight in (
        ("½ w ‖x‖²", _SQUARE, torch.tensor(0.9)),
        ("½ xᵀWx", _FORM, 0.7 * torch.eye(3) + 0.4 * draw(3, 3, seed=seed)),
        ("tanh(w·x) + w·w", _RIDGE, torch.tensor([1.5, -0.9, 0.6, 0.4])),
    ):
        rows, dims = (4, 2) if not weight.dim() else (5, len(weight))
        x = torch.linspace(0.3, 1.6, rows)[:, None] * draw(rows, dims, seed=seed + dims)
        law = f"∂/∂w of mean (‖∂h/∂x‖ − 1)², h = {name}"
        output = _asked(candidate, law, h=h, x=x, weight=weight)
        observed = require_shape(law, output, tuple(weight.shape)).detach().double()
        expected, slips = _gradients(h, slope, x.double(), weight.double())
        given = None if weight.dim() else {"weight": weight, "x": x}
        require_close(law, observed, expected, 5e-4 * (1 + expected.abs().max()), slips, given=given)


def _asked(candidate: Callable[[Function, Tensor, Tensor], Tensor], law: str, **inputs: object) -> Tensor:
    """What the candidate gives; autograd's complaint of a path that is cut is a broken law."""
    try:
        return ask(candidate, **inputs)
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
        raise LawBroken(law, "no path that leads back", "a gradient in `weight`", "gradient") from None


def _square(x: Tensor, weight: Tensor) -> Tensor:
    return weight * x.square().sum(1) / 2


def _form(x: Tensor, weight: Tensor) -> Tensor:
    return ((x.to(weight) @ weight) * x).sum(1) / 2


def _ridge(x: Tensor, weight: Tensor) -> Tensor:
    return torch.tanh(x.to(weight) @ weight) + weight @ weight


_SQUARE = _square, lambda x, w: w * x
_FORM = _form, lambda x, w: x @ (w + w.T) / 2
_RIDGE = _ridge, lambda x, w: (1 - torch.tanh(x @ w).square())[:, None] * w


def _gradients(h: Function, slope: Function, x: Tensor, weight: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
    def by_weight(value: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        w = weight.clone().requires_grad_()
        return torch.autograd.grad(value(slope(x, w), h(x, w)), w)[0]

    def of_norms(value: Callable[[Tensor], Tensor]) -> Tensor:
        return by_weight(lambda g, _: value(g.norm(dim=1)))

    expected = of_norms(lambda norm: (norm - 1).square().mean())
    own = [by_weight(lambda _, h: h.mean()), by_weight(lambda _, h: h.sum())]
    plain = of_norms(lambda norm: norm.square().mean())
    penalty = (slope(x, weight).norm(dim=1) - 1).square().mean()
    return expected, {
        "gradient": [*own, torch.zeros_like(expected)],
        "dependence": [expected + sign * way for way in own for sign in (1, -1)] + [len(x) * expected + own[1]],
        "reduction": [
            len(x) * expected,
            of_norms(lambda norm: (norm.mean() - 1).square()),
            of_norms(lambda norm: (norm / len(x) - 1).square().mean()),
            *(by_weight(lambda g, _, f=f: (f(g) - 1).square().mean()) for f in (torch.norm, torch.clone, torch.abs)),
            by_weight(lambda g, _: (g.mean(0).norm() - 1).square()),
            by_weight(lambda g, _: (g.norm(dim=0) - 1).square().mean()),
        ],
        "spread": [of_norms(lambda norm: (norm.square() - 1).square().mean())]
        + [of_norms(lambda n: (n - 1).abs().mean()), by_weight(lambda g, _: (g.abs().sum(1) - 1).square().mean())],
        "constant": [plain, plain / 2, of_norms(lambda norm: norm.mean())],
        "one-to-one": [of_norms(lambda norm: (norm - 1).clamp(min=0).square().mean())],
        "sign": [-expected],
        "direction": [penalty],
    }
