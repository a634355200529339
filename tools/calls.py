"""The calls that a law makes of an answer, kept to compare other answers on inputs near by."""

import copy
from collections.abc import Callable
from typing import Any


class Calls:
    """An answer that keeps what it is called with, to compare others with it on inputs near by."""

    def __init__(self, reference: Callable, most: int = 12):
        self.reference, self.most, self.kept = reference, most, []

    def __call__(self, *inputs: Any) -> Any:
        if len(self.kept) < self.most:
            self.kept.append([_copied(value) for value in inputs])
        return self.reference(*inputs)

    def tell_apart(self, answer: Callable) -> bool:
        """Whether `answer` gives another value than the reference somewhere near an input that was kept."""
        return any(self._differs(answer, inputs, seed) for inputs in self.kept for seed in range(3))

    def _differs(self, answer: Callable, inputs: list[Any], seed: int) -> bool:
        ours, theirs = (_shaken(inputs, seed) for _ in range(2))
        try:
            expected = _called(self.reference, ours, seed)
        except Exception:
            return False
        try:
            found = _called(answer, theirs, seed)
        except Exception:
            return True
        return not (_alike(expected, found) and all(map(_alike, ours, theirs)))


def _called(answer: Callable, inputs: list[Any], seed: int) -> Any:
    import torch

    torch.manual_seed(seed)
    return answer(*inputs)


def _copied(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, torch.Generator):
        return value.clone_state()
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def _shaken(inputs: list[Any], seed: int) -> list[Any]:
    """Copies of the inputs, their real numbers moved by a few hundredths; as they are for seed 0."""
    import torch

    rng = torch.Generator().manual_seed(seed)

    def shake(value: Any) -> Any:
        value = _copied(value)
        if seed and isinstance(value, torch.Tensor) and value.is_floating_point():
            noise = torch.randn(value.shape, generator=rng, dtype=value.dtype)
            return (value.detach() * (1 + 0.03 * noise)).requires_grad_(value.requires_grad)
        if seed and isinstance(value, float):
            return value * (1 + 0.03 * torch.randn((), generator=rng).item())
        return value

    return [shake(value) for value in inputs]


def _alike(a: Any, b: Any) -> bool:
    import torch

    if isinstance(a, torch.nn.Module):
        pairs = zip(a.parameters(), b.parameters(), strict=True)
        return all(_alike(p.detach(), q.detach()) and _alike(p.grad, q.grad) for p, q in pairs)
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, (torch.Tensor, float, int)) and isinstance(b, (torch.Tensor, float, int)):
        a, b = torch.as_tensor(a), torch.as_tensor(b)
        return a.shape == b.shape and torch.allclose(a.to(b.dtype), b, rtol=1e-4, atol=1e-6, equal_nan=True)
    return type(a) is type(b)
