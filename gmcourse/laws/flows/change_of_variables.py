"""Laws of a change of variables: an affine density, and the planar map's volume, constraint and inverse."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, show_value
from gmcourse.laws.rows import draw, pooled, within

V = (torch.tensor([1.2, -0.9]), torch.tensor([0.8, -0.5, 1.1]))  # of lengths that are not 1
B = torch.tensor(-0.3)


def _u(slope: float, v: Tensor) -> Tensor:
    """A u with vᵀu = slope that is not along v."""
    across = torch.zeros_like(v)
    across[0], across[1] = 0.4 * v[1], -0.4 * v[0]
    return slope * v / (v @ v) + across


def affine_density(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, a, b) is the log-density, (batch,), of x = a z + b, z ~ N(0, I); a and b are (dims,), a of any sign.

    The oracle is torch's Normal(b, |a|).
    """
    for a, b in (
        ([2.0, 0.4], [0.5, -1.0]),
        ([3.0, 1.5, 0.7], [-0.4, 0.8, 1.5]),
        ([-2.0, 0.3], [0.5, -1.0]),
        ([0.5, -1.3, -4.0], [-0.4, 0.8, 1.5]),
    ):
        a, b = torch.tensor(a), torch.tensor(b)
        x = 1.5 * draw(5 + len(a), len(a), seed=seed)
        expected = Normal(b.double(), a.double().abs()).log_prob(x).sum(1)
        law = f"log p(x) where x = az + b, a = {show_value(a)}"
        observed = require_shape(law, ask(candidate, x=x, a=a, b=b), (len(x),))
        suspects = _affine_suspects(expected, x.double(), a.double(), b.double())
        require_close(law, observed, expected, within(expected), suspects, given={"x": x, "a": a, "b": b})


def _affine_suspects(expected: Tensor, x: Tensor, a: Tensor, b: Tensor) -> dict[str, Slips]:
    base, logs = Normal(0.0, 1.0), a.abs().log()
    stretch, dims = logs.sum(), len(a)
    return {
        "constant": expected + stretch,
        "sign": expected + 2 * stretch,
        "direction": [base.log_prob(at).sum(1) - stretch for at in (x, a * x + b)],
        "reduction": (expected + stretch - logs.mean(), expected + stretch - dims * stretch),
        "spread": [Normal(b, std).log_prob(x).sum(1) for std in (a**2, a.abs().sqrt())],
        "one-to-one": [base.log_prob(z).sum(1) - stretch for z in (x / a - b, x / a + b, (x + b) / a)],
        "shape": pooled(expected),
    }


def planar_volume(candidate: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, u, v, b) = ln|det| of the Jacobian of x + u tanh(vᵀx + b), (batch,), the determinant by autograd.

    Where u = 0, and far out, where tanh is flat, the map is a shift: 0. For vᵀu < −1 determinants may be negative.
    """
    for v in V:
        for name, slope, x in _planar_cases(v, seed):
            u = _u(slope, v)
            law = f"ln|det ∂z/∂x|, vᵀu = {slope}{name}"
            observed = require_shape(law, ask(candidate, x=x, u=u, v=v, b=B), (len(x),))
            expected = _planar_log_det(x, u, v)
            suspects = _planar_suspects(expected, x.double(), u.double(), v.double())
            margin = within(expected) + 1e-6 * (-expected).exp()  # 1 + vᵀu h' cancels where the determinant is near 0
            require_close(law, observed, expected, margin, suspects, given={"x": x, "u": u, "v": v, "b": B})


def _planar_cases(v: Tensor, seed: int) -> Iterator[tuple[str, float, Tensor]]:
    for slope in (0.7, -0.6, 3.0, -2.5):
        yield "", slope, draw(5, len(v), seed=seed)
    yield ", far out", 0.7, torch.stack([6 * v, -6 * v])


def _planar_log_det(x: Tensor, u: Tensor, v: Tensor) -> Tensor:
    x, u, v = x.double(), u.double(), v.double()

    def forward(row: Tensor) -> Tensor:
        return row + u * torch.tanh(row @ v + B)

    matrices = [torch.autograd.functional.jacobian(forward, row) for row in x]
    return torch.linalg.slogdet(torch.stack(matrices)).logabsdet


def _planar_suspects(expected: Tensor, x: Tensor, u: Tensor, v: Tensor) -> dict[str, Slips]:
    def flat(at: Tensor) -> Tensor:
        return 1 - torch.tanh(at @ v + B) ** 2

    def log_of(slope: Tensor, share: Tensor) -> Tensor:
        return (1 + slope * share).abs().log()

    height, slope = torch.tanh(x @ v + B), v @ u
    return {
        "sign": -expected,
        "constant": (slope * flat(x)).abs().log(),
        "gradient": log_of(slope, height),
        "dependence": (log_of(v @ v, flat(x)), log_of(u @ u, flat(x))),
        "direction": log_of(slope, flat(x + torch.outer(height, u))),
        "reduction": (1 + u * v * flat(x)[:, None]).abs().log().sum(1),
        "shape": pooled(expected),
    }


def planar_constraint(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """û = candidate(u, v), (dims,): vᵀû = softplus(vᵀu) − 1, which is above −1, and û − u has no part across v."""
    for v in V:
        for slope in (-2.0, 1.0, 0.0, 6.0, -0.5, -8.0):
            u = _u(slope, v)
            law = f"from vᵀu = {slope:g}"
            moved = require_shape(f"û has the shape of u, {law}", ask(candidate, u=u, v=v), tuple(u.shape)).double()
            _compare_moved(law, moved, u.double(), v.double())


def _compare_moved(law: str, moved: Tensor, u: Tensor, v: Tensor) -> None:
    square, slope = v @ v, v @ u
    step = moved - u
    across = step - (step @ v) / square * v
    if across.abs().max() > 1e-4 * (1 + u.abs().max()):
        raise LawBroken(f"û differs from u along v alone, {law}", show_value(across), "nothing across v", "dependence")
    reached, softplus = v @ moved, torch.log1p(slope.exp())
    shift = softplus - 1 - slope
    suspects = {
        "constant": softplus,
        "spread": slope + shift * square,
        "reduction": (slope + shift * square.sqrt(), slope + shift / square),
        "direction": slope + softplus - 1,
    } | ({"one-to-one": reached} if reached <= -1 else {})
    require_close(f"vᵀû = softplus(vᵀu) − 1, {law}", reached, softplus - 1, 1e-4 * (1 + abs(slope)), suspects)


def planar_inversion(candidate: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """x = candidate(z, u, v, b), (batch, dims), solves x + u tanh(vᵀx + b) = z, for any vᵀu > −1, to 3e-4.

    No root is computed here: z is made from an x that is known.
    """
    for v in V:
        x = 1.5 * draw(8, len(v), seed=seed)
        for slope in (0.5, -0.8, 3.0, 12.0, 0.0):
            u = _u(slope, v)
            z = (x.double() + torch.outer(torch.tanh(x.double() @ v.double() + B), u.double())).float()
            law = f"x comes back from z, vᵀu = {slope:g}"
            observed = require_shape(law, ask(candidate, z=z, u=u, v=v, b=B), tuple(z.shape)).double()
            push = torch.outer(torch.tanh(z @ v + B), u)
            suspects = {"direction": z + push, "dependence": z - push, **_iteration_faults(observed, x, z, u, v)}
            require_close(law, observed, x, 3e-4, suspects, given={"z": z, "u": u, "v": v, "b": B})


def _iteration_faults(observed: Tensor, x: Tensor, z: Tensor, u: Tensor, v: Tensor) -> dict[str, Tensor]:
    """A bracket of one width, whose end is what comes out; an iteration x = z − u tanh(vᵀx + b) caught in a cycle."""

    def turned(at: Tensor) -> Tensor:
        return z - torch.outer(torch.tanh(at @ v.double() + B), u.double())

    missed = (observed - x).abs().amax(1) > 3e-4
    if not missed.any():
        return {}
    once, twice = turned(observed), turned(turned(observed))
    cycling = ((twice - observed).abs().amax(1) < 1e-2) & ((once - observed).abs().amax(1) > 1e-2)
    if cycling[missed].double().mean() > 0.5:
        return {"gradient": observed}
    found = torch.atanh(((z - observed)[missed] @ u.double() / (u @ u)).clamp(-1 + 1e-12, 1 - 1e-12)) - B
    apart = (found - (z @ v)[missed]).abs()
    on_line = (_turned(found, z[missed], u) - observed[missed]).abs().max() < 1e-3
    bracketed = on_line and len(apart) > 1 and apart.min() > 0.1 and apart.max() < 1.01 * apart.min()
    return {"one-to-one": observed} if bracketed else {}


def _turned(height: Tensor, z: Tensor, u: Tensor) -> Tensor:
    """z − u tanh(a + b) for each height a."""
    return z - torch.outer(torch.tanh(height + B), u.double())
