"""What a law says when it does not hold."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

Slips = Tensor | float | Sequence[Tensor] | Sequence[float]
"""What one slip gives, or what each of several gives that have one cause."""


class LawBroken(AssertionError):
    """A law does not hold: which, the value observed, the value expected and, where a suspect fits, the likely cause.

    `cause` is one word of a small vocabulary: sign, reduction, direction, constant, spread, gradient, randomness,
    overflow, not-finite, complex, shape, container, mutation, dependence, one-to-one, log-mean. `case` holds the inputs
    at which the two values were seen.
    """

    def __init__(self, law: str, observed: object, expected: object, cause: str = "", case: str = ""):
        self.law, self.observed, self.expected, self.cause, self.case = law, observed, expected, cause, case
        at, reason = f" at {case}" if case else "", f" (likely cause: {cause})" if cause else ""
        super().__init__(f"{law}: observed {observed}, expected {expected}{at}{reason}")


def show_value(value: Tensor | float) -> str:
    """Four significant digits of a number or of the first entries of a tensor."""
    if isinstance(value, Tensor):
        entries = [f"{v:.4g}" for v in value.flatten()[:4].tolist()]
        return f"[{', '.join(entries)}{', …' if value.numel() > 4 else ''}]" if value.dim() else entries[0]
    return f"{value:.4g}"


def require_shape(law: str, output: object, shape: tuple[int, ...], real: bool = True) -> Tensor:
    """`output` as a tensor of this shape, `real`, without NaN or infinity; anything else breaks the law.

    Lists, tuples, NumPy arrays and plain numbers are brought to tensors; one number may come as (1,) or ().
    """
    tensor = as_tensor(output)
    if tensor is None:
        raise LawBroken(law, f"a {type(output).__name__}", f"a tensor of shape {shape}", "container")
    if real and tensor.is_complex():
        raise LawBroken(law, f"{'a ' * (not shape)}complex number{'s' * bool(shape)}", "real", "complex")
    if tensor.numel() == 1 and shape in ((), (1,)):
        tensor = tensor.reshape(shape)
    if tuple(tensor.shape) != shape:
        raise LawBroken(law, f"shape {tuple(tensor.shape)}", f"shape {shape}", "shape")
    if not torch.isfinite(tensor).all():
        raise LawBroken(law, show_value(tensor), "finite numbers", "not-finite")
    return tensor


def as_tensor(output: object) -> Tensor | None:
    """A tensor of what holds numbers: a tensor, an array, a number, lists of such; None for anything else."""
    if isinstance(output, (Fraction, Decimal)):
        output = float(output)
    if isinstance(output, (list, tuple)) and any(isinstance(part, Tensor) for part in output):
        parts = [as_tensor(part) for part in output]
        same = all(part is not None and part.shape == parts[0].shape for part in parts)  # type: ignore[union-attr]
        return torch.stack([part for part in parts if part is not None]) if same else None
    if isinstance(output, np.ndarray):
        output = output.copy()  # one that is turned round, a[::-1], is no tensor as it stands
    try:
        return torch.as_tensor(output)
    except (TypeError, ValueError, RuntimeError):
        return None


def require_parts(law: str, output: object, count: int) -> tuple[object, ...]:
    """The `count` parts of a tuple or a list, or along the first axis of an array; anything else breaks the law."""
    parts = output if isinstance(output, (tuple, list)) else as_tensor(output)
    if parts is None or (isinstance(parts, Tensor) and not parts.dim()):
        raise LawBroken(law, f"a {type(output).__name__}", f"{count} parts", "container")
    if len(parts) != count:
        raise LawBroken(law, f"{len(parts)} parts", f"{count} parts", "container")
    return tuple(parts)


def require_numbers(law: str, output: object, count: int) -> Tensor:
    """`output` as a row of `count` finite numbers, float64, each of which may come as (1,) or ()."""
    if isinstance(output, (tuple, list)) and len(output) == count:
        exact = (torch.tensor(n, dtype=torch.float64) if isinstance(n, float) else n for n in output)
        output = [require_shape(law, number, ()).double() for number in exact]
    return require_shape(law, output, (count,)).double()


def require_close(
    law: str,
    observed: Tensor | float,
    expected: Tensor | float,
    tolerance: float | Tensor,
    suspects: Mapping[str, Slips] | None = None,
    given: Mapping[str, object] | None = None,
    fit: float | Tensor | None = None,
    deduced: str = "",
) -> None:
    """Break the law unless |observed − expected| ≤ tolerance everywhere; a suspect that fits as well names the cause.

    The two must have one shape: nothing broadcasts. NaN is close to nothing. `suspects` maps a cause to the value, or
    the values, that its bugs would give, to within `fit` (default: the tolerance). Where none fits, and what was seen
    is finite, the cause is `deduced`: the one that is left, since the same formula was right in another case. `given`
    holds the inputs by name: what is told of the failure is its first failing row alone.
    """
    observed, expected = torch.as_tensor(observed).detach(), torch.as_tensor(expected).detach()
    if observed.shape != expected.shape:
        raise LawBroken(law, f"shape {tuple(observed.shape)}", f"shape {tuple(expected.shape)}", "shape")
    if _close(observed, expected, tolerance):
        return
    cause = _cause(observed, suspects or {}, tolerance if fit is None else fit) or deduced
    row = _failing_row(observed, expected, tolerance)
    if given is None or row is None:
        raise LawBroken(law, show_value(observed), show_value(expected), cause, show_case(given or {}))
    case = show_case(given, row, len(observed))
    raise LawBroken(law, show_value(observed[row]), show_value(expected[row]), cause, case)


def require_entries(
    law: str, observed: Tensor, expected: Tensor, suspects: Mapping[str, Slips], axes: Sequence[str], given: str = ""
) -> None:
    """As `require_close` with entries of 0 and 1, but the failure tells one entry, by the names of its axes."""
    try:
        require_close(law, observed, expected, 1e-6, suspects)
    except LawBroken as broken:
        place = ((observed - expected).abs() > 1e-6).nonzero()[0].tolist()
        where = ", ".join(f"{name} {k}" for name, k in zip(axes, place, strict=True))
        case = ", ".join(filter(None, [given, where]))
        seen, right = (f"{float(value[tuple(place)]):g}" for value in (observed, expected))
        raise LawBroken(law, seen, right, broken.cause, case) from None


def require_value(
    law: str,
    answer: object,
    expected: float,
    tolerance: float,
    suspects: Mapping[str, Slips] | None = None,
    fit: float | None = None,
) -> None:
    """Break the law unless `answer` is a number within `tolerance` of `expected`, which is not told.

    `suspects` and `fit` are as in `require_close`. NaN is no answer. A tensor or an array of one number passes for it.
    """
    tensor = None if isinstance(answer, bool) else as_tensor(answer)
    if tensor is None or tensor.numel() != 1 or tensor.dtype == torch.bool:
        raise LawBroken(law, f"a {type(answer).__name__}", "one number", "container")
    if tensor.is_complex():
        raise LawBroken(law, "a complex number", "a real number", "complex")
    value = tensor.detach().double().reshape(())
    if not _close(value, torch.tensor(expected, dtype=torch.float64), tolerance):
        cause = _cause(value, suspects or {}, tolerance if fit is None else fit)
        raise LawBroken(law, f"your {value:.4g}", "another number", cause)


def _cause(observed: Tensor, suspects: Mapping[str, Slips], fit: float | Tensor) -> str:
    """The first cause with a slip that gives what was observed; else whether that is a number at all."""
    for cause, slips in suspects.items():
        ways = slips if isinstance(slips, (tuple, list)) else (slips,)
        if any(_fits(observed, torch.as_tensor(slip).detach(), fit) for slip in ways):
            return cause
    return "" if observed.isfinite().all() else "not-finite"


def _fits(observed: Tensor, value: Tensor, fit: float | Tensor) -> bool:
    """Close to within `fit` and to what float32 rounds off: a plain number becomes a float32, an array's does not."""
    rounded = 1e-7 * value.abs().nan_to_num(posinf=0.0)
    return observed.shape == value.shape and _close(observed, value, fit + rounded)


def show_case(given: Mapping[str, object], row: int | None = None, batch: int = 0) -> str:
    """The inputs in words, "x = [1, 2], t = 0.5": of those with `batch` rows the one that failed."""
    shown, rows = [], False
    for name, value in given.items():
        if isinstance(value, Tensor) and row is not None and value.dim() and len(value) == batch:
            value, rows = value[row], True
        if isinstance(value, Tensor) and value.numel() > 8:
            shown.append(f"{name} of shape {tuple(value.shape)}")
        elif isinstance(value, (Tensor, float, int)):
            shown.append(f"{name} = {_entries(value)}")
    return ", ".join(shown) + (f" (row {row} of {batch})" if rows and batch > 1 else "")


def _entries(value: Tensor | float) -> str:
    if not isinstance(value, Tensor) or not value.dim():
        return f"{float(value):.4g}"
    return f"[{', '.join(_entries(part) for part in value)}]"


def _failing_row(observed: Tensor, expected: Tensor, tolerance: float | Tensor) -> int | None:
    """The first row in which an entry fails; None for a single number."""
    if not observed.dim():
        return None
    bad = ~((observed - expected).abs() <= tolerance)
    return int(bad.flatten(1).any(1).nonzero()[0]) if observed.dim() > 1 else int(bad.nonzero()[0])


def _close(observed: Tensor, value: Tensor, tolerance: float | Tensor) -> bool:
    return observed.shape == value.shape and bool(((observed - value).abs() <= tolerance).all())


def standard_error(draws: Tensor) -> Tensor:
    """Standard error of the mean over the first axis: s/√n."""
    return draws.std(0) / math.sqrt(len(draws))
