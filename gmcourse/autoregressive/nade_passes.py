"""The passes of NADE: in blocks of bits, with a backward pass by hand; and for bits that are mostly 0, state by state.

`weight` W and `output` V are (D, H), `bias` b (D,), `hidden_bias` c (H,): bit d adds x_d W_d to the activations a.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

BLOCK, STATES_BLOCK = 8, 28


def nade_logits(x: Tensor, weight: Tensor, output: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """l_d = b_d + V_d · σ(c + Σ_{j<d} x_j W_j), (batch, D), of x (batch, D). Equation: autoregressive-nade.

    Within a block of k bits a strictly lower-triangular matrix times W stands for the cumulative sum. The backward pass
    computes the hidden units again, so that none is kept; it can itself be differentiated.
    """
    return _Logits.apply(x, weight, output, bias, hidden_bias)


def nade_backward(
    x: Tensor, weight: Tensor, output: Tensor, bias: Tensor, hidden_bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of −ln p(x), summed over the batch, in W, V, b and c. Equation: autoregressive-nade-backward."""
    error = nade_logits(x, weight, output, bias, hidden_bias).sigmoid() - x
    return _backward(error, x, weight, output, hidden_bias, of_x=False)[1:]


def nade_logits_by_state(x: Tensor, weight: Tensor, output: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """`nade_logits` of bits, with hidden units for each activation that differs: a bit that is 0 leaves a as it is.

    The number of states depends on the values of x, and x has no slope here.
    """
    start, logits = hidden_bias.expand(len(x), -1), []
    for bits, rows, out in zip(x.split(STATES_BLOCK, 1), weight.split(STATES_BLOCK), output.split(STATES_BLOCK)):
        image, seen, met = _states(bits)
        h = torch.addmm(start.index_select(0, image), seen, rows).sigmoid()
        logits.append((h @ out.T).gather(0, met))
        start = torch.addmm(start, bits, rows)
    return torch.cat(logits, 1) + bias


def _states(bits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The S states of a block of bits (batch, k): whose each is (S,), its bits so far (S, k); which one each bit meets.

    An image has one before its first bit, and one after each bit that is 1 and not the last.
    """
    ones = bits.long()
    before = ones.cumsum(1) - ones
    count = before[:, -1] + 1
    first = count.cumsum(0) - count
    image = torch.arange(len(bits), device=bits.device).repeat_interleave(count)
    taken = torch.arange(len(image), device=bits.device) - first[image]
    return image, bits[image] * (before[image] < taken[:, None]), first[:, None] + before


class _Logits(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor, output: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
        start, logits = hidden_bias.expand(len(x), -1), []
        for bits, rows, out in zip(x.split(BLOCK, 1), weight.split(BLOCK), output.split(BLOCK)):
            logits.append(torch.bmm(_hidden(start, _seen(bits), rows), out[:, :, None])[:, :, 0])
            start = torch.addmm(start, bits, rows)
        return torch.cat(logits).T + bias

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        x, weight, out, _, hidden_bias = inputs
        ctx.save_for_backward(x, weight, out, hidden_bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return _backward(grads[0], *ctx.saved_tensors, of_x=ctx.needs_input_grad[0])


def _seen(bits: Tensor) -> Tensor:
    """What each bit of a block sees of the block: (batch, k) → (k, batch, k), zeros from that bit on."""
    return bits * bits.new_ones(bits.shape[1], bits.shape[1]).tril(-1)[:, None]


def _hidden(start: Tensor, seen: Tensor, rows: Tensor) -> Tensor:
    """h = σ(a) of each bit of a block, (k, batch, H), from a before the block (batch, H)."""
    k = len(rows)
    return torch.baddbmm(start.expand(k, -1, -1), seen, rows.expand(k, -1, -1)).sigmoid_()


def _backward(
    error: Tensor, x: Tensor, weight: Tensor, output: Tensor, hidden_bias: Tensor, *, of_x: bool
) -> tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor]:
    """Slopes in x (where asked for), W, V, b and c of what has the slopes `error`, (batch, D), in the logits.

    From the last block to the first, with G = ∂/∂a after the block, (batch, H).
    """
    starts = [hidden_bias.expand(len(x), -1)]
    for bits, rows in zip(x.split(BLOCK, 1), weight.split(BLOCK)):
        starts.append(torch.addmm(starts[-1], bits, rows))
    after, slopes = torch.zeros_like(starts[0]), []
    blocks = zip(starts, x.split(BLOCK, 1), error.T.split(BLOCK), weight.split(BLOCK), output.split(BLOCK))
    for start, bits, errors, rows, out in reversed(list(blocks)):
        seen = _seen(bits)
        h = _hidden(start, seen, rows)
        of_out = torch.bmm(errors[:, None], h)[:, 0]
        of_a = torch.addcmul(h, h, h, value=-1) * (errors[:, :, None] * out[:, None])
        of_rows = seen.flatten(0, 1).T @ of_a.flatten(0, 1) + bits.T @ after
        within = [(_seen(torch.ones_like(bits)) * (of_a @ rows.T)).sum(0) + after @ rows.T] if of_x else []
        slopes.append((of_rows, of_out, *within))
        after = after + of_a.sum(0)
    of_weight, of_output, *of_bits = (torch.cat(each[::-1], i // 2) for i, each in enumerate(map(list, zip(*slopes))))
    return of_bits[0] if of_x else None, of_weight, of_output, error.sum(0), after.sum(0)
