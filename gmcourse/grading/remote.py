"""What the other side computed as one step of autograd on this one, for gradients, second ones and `torch.func`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor, maybe_current_level

from gmcourse.grading.plain import Unpacking
from gmcourse.grading.wire import Malformed

ANCHOR = torch.zeros((), requires_grad=True)
"""An input for what hangs on the other side's parameters alone; made here, where no transform of torch.func is on."""


@dataclass
class Work:
    """A question to the other side: a header, and of its inputs those from `first` on are sent with it.

    `wants` says for which inputs a gradient may be asked; `node`, `carries` and `operation` are of the last reply, and
    `levels` are those of `torch.vmap` over which it was computed for all rows at once.
    """

    peer: Any
    header: dict[str, Any]
    wants: list[bool]
    first: int = 0
    hidden: list[Tensor] = field(default_factory=list)
    ready: tuple[Tensor, ...] | None = None
    node: Any = None
    carries: list[bool] = field(default_factory=list)
    operation: int | None = None
    levels: tuple[int, ...] = ()

    def run(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The tensors of the reply. Raises what `Peer.ask` does."""
        if self.ready is not None:
            return self.ready
        header, tensors = self.peer.ask(self.header, inputs[self.first : len(self.wants)])
        self.read(header, tensors)
        return tuple(tensors)

    def read(self, header: dict[str, Any], tensors: Sequence[Tensor]) -> None:
        """Take from a reply what it says of its tensors. Raises Malformed."""
        carries, operation = header.get("carries"), header.get("operation")
        if not isinstance(carries, list) or len(carries) != len(tensors):
            raise Malformed("a reply without its gradients")
        smooth = [t.is_floating_point() or t.is_complex() for t in tensors]
        self.carries = [carry is True and fit for carry, fit in zip(carries, smooth, strict=True)]
        self.node = header.get("value")
        self.operation = operation if isinstance(operation, int) and not isinstance(operation, bool) else None


def cross(work: Work, inputs: Sequence[Tensor]) -> Any:
    """The value that the other side gives for `work`, hung on `inputs` and on the parameters that it used."""
    if any(map(_wrapped, inputs)):
        return _value(work, unwrapped(work, inputs))
    with work.peer.operations.gathering() as frame:
        outs = work.run([t.detach() for t in inputs])
    return _value(work, attach(work, inputs, outs, list(frame.hidden.values())))


def unwrapped(work: Work, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The reply to `work` for inputs that `torch.func` has wrapped: autograd takes the wraps off, one by one."""
    work.hidden = [ANCHOR if torch.is_grad_enabled() else ANCHOR.detach()]
    return Remote.apply(work, *inputs, *work.hidden)


def attach(work: Work, inputs: Sequence[Tensor], outs: Sequence[Tensor], hidden: list[Tensor]) -> tuple[Tensor, ...]:
    """`outs` of a reply to `work` as functions of `inputs` and of `hidden`."""
    if work.operation is None or not any(work.carries):
        return tuple(outs)
    if not torch.is_grad_enabled():
        return tuple(t.requires_grad_() if carry else t for t, carry in zip(outs, work.carries, strict=True))
    if not any(t.requires_grad for t in (*inputs, *hidden)):
        hidden = [*hidden, ANCHOR]  # what they hang on is on the other side alone
    work.hidden, work.ready = hidden, tuple(outs)
    return Remote.apply(work, *inputs, *hidden)


class Remote(torch.autograd.Function):
    """The other side's tensors as a function of this side's."""

    @staticmethod
    def forward(work: Work, *inputs: Tensor) -> tuple[Tensor, ...]:
        return work.run(inputs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        work, *tensors = inputs
        ctx.peer, ctx.operation, ctx.wants, ctx.carries = work.peer, work.operation, work.wants, work.carries
        ctx.hidden, ctx.levels = work.hidden, work.levels
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)
        ctx.mark_non_differentiable(*(t for t, carry in zip(output, work.carries, strict=True) if not carry))

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors[: len(ctx.wants)]
        visible = [t for t, wanted in zip(inputs, ctx.wants, strict=True) if wanted]
        asked = [slope for slope, carry in zip(slopes, ctx.carries, strict=True) if carry]
        found, hidden = pull(ctx, visible, asked)
        rest = iter(found)
        return None, *(next(rest) if wanted else None for wanted in ctx.wants), *hidden

    @staticmethod
    def jvp(ctx: Any, _: Any, *tangents: Tensor | None) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        triples = zip(ctx.saved_tensors, tangents, ctx.wants, strict=False)
        places, moves = zip(
            *((x, torch.zeros_like(x) if t is None else t) for x, t, want in triples if want), strict=True
        )
        header = {"do": "push", "operation": ctx.operation}
        work = Work(ctx.peer, header, [True] * 2 * len(places), first=len(places), levels=ctx.levels)
        pushed = iter(cross(work, [*places, *moves]))
        return tuple(next(pushed) if carry else None for carry in ctx.carries)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], work: Work, *inputs: Tensor) -> tuple[Any, Any]:  # type: ignore[override]
        level = maybe_current_level() or 0
        size, dims = info.batch_size, in_dims[1:]
        if work.header["do"] != "call" and level not in work.levels:
            return _row_by_row(size, dims, work, inputs)
        count = len(work.wants)
        rows = [_first(t, d, size) for t, d in zip(inputs[:count], dims, strict=False)]
        header = {**work.header, "rows": 1 + work.header.get("rows", 0)} if work.header["do"] == "call" else work.header
        below = replace(work, header=header, levels=tuple(n for n in work.levels if n != level))
        outs = Remote.apply(below, *rows, *inputs[count:])
        work.node, work.carries, work.operation = below.node, below.carries, below.operation
        work.levels = (*below.levels, level)
        return outs, (0,) * len(outs)


def _row_by_row(size: int, dims: Sequence[int | None], work: Work, inputs: Sequence[Tensor]) -> tuple[Any, Any]:
    """For several products with one Jacobian: each by itself."""
    rows = [
        Remote.apply(work, *(t if d is None else t.select(d, i) for t, d in zip(inputs, dims, strict=True)))
        for i in range(size)
    ]
    return tuple(torch.stack(parts) for parts in zip(*rows, strict=True)), (0,) * len(rows[0])


def _first(tensor: Tensor, dim: int | None, size: int) -> Tensor:
    """The tensor with the rows that `torch.vmap` goes over in front."""
    return tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)


def pull(ctx: Any, inputs: list[Tensor], slopes: list[Tensor]) -> tuple[list[Tensor | None], list[Tensor | None]]:
    """Gradients of an operation of the other side in its inputs, and those in the hidden leaves of this side."""
    peer, hidden = ctx.peer, ctx.hidden
    header = {"do": "pull", "operation": ctx.operation, "slopes": torch.is_grad_enabled()}
    work = Work(peer, header, [True] * (len(inputs) + len(slopes)), first=len(inputs), levels=ctx.levels)
    given = [*inputs, *slopes]
    if any(map(_wrapped, given)):
        return _found(_value(work, unwrapped(work, given)), inputs), [None] * len(hidden)
    with peer.operations.gathering() as frame:
        outs = work.run([t.detach() for t in given])
    found = _found(_value(work, attach(work, given, outs, list(frame.hidden.values()))), inputs)
    return found, [frame.slopes.get(id(leaf)) for leaf in hidden]


def _found(value: Any, inputs: list[Tensor]) -> list[Tensor | None]:
    if not isinstance(value, list) or len(value) != len(inputs):
        raise Malformed("gradients of another number")
    for slope, tensor in zip(value, inputs, strict=True):
        if slope is not None and not (isinstance(slope, Tensor) and slope.shape == tensor.shape):
            raise Malformed("a gradient of another shape")
    return value


def _value(work: Work, outs: Sequence[Tensor]) -> Any:
    return Unpacking(list(outs)).value(work.node)


def _wrapped(tensor: Tensor) -> bool:
    return is_functorch_wrapped_tensor(tensor)
