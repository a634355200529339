"""Laws of codes of clips: causal in time, read in raster order, scored where they are asked for, continued in turn."""

import math
import types
from collections.abc import Callable
from itertools import permutations

import torch
from torch import Tensor, nn

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, as_tensor, require_close, require_shape
from gmcourse.laws.rows import draw, pooled, within

FRAMES, HEIGHT, WIDTH = 8, 12, 16


def beginning_is_enough(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """What candidate makes of the first frames alone is the beginning of what it makes of the whole clip.

    candidate(clips), (batch, 1, T, H, W) → (batch, d, slots, rows, columns), slots a divisor of T. Held for every
    number of whole slots; nor do other frames later on, or other clips beside it, change a slot; its own frames do, for
    each slot by itself.
    """
    rng = torch.Generator().manual_seed(seed)
    clips = torch.rand(3, 1, FRAMES, HEIGHT, WIDTH, generator=rng)
    whole = _bricks(candidate, clips)
    slots = whole.shape[2]
    for known in range(1, slots):
        frames = known * FRAMES // slots
        law = f"{frames} of {FRAMES} frames alone give the first {known} of {slots} slots"
        alone = _bricks(candidate, clips[:, :, :frames], known)
        slips = {"direction": [whole[:, :, -known:], whole.flip(2)[:, :, :known]]}
        require_close(law, alone, whole[:, :, :known], 1e-4, slips, deduced="dependence")
        other = torch.cat([clips[:, :, :frames], 1 - clips[:, :, frames:]], 2)
        law = f"other frames after the first {frames} change none of the first {known} slots"
        changed = _bricks(candidate, other, slots)
        require_close(law, changed[:, :, :known], whole[:, :, :known], 1e-4, deduced="dependence")
    _require_own_frames(candidate, clips, whole)
    law = "a clip's codes do not hang on the clips beside it"
    require_close(law, _bricks(candidate, clips[1:], slots), whole[1:], 1e-4, deduced="shape")


def _require_own_frames(candidate: Callable[[Tensor], Tensor], clips: Tensor, whole: Tensor) -> None:
    slots = whole.shape[2]
    for slot, frames in enumerate(torch.arange(clips.shape[2]).chunk(slots)):
        other = clips.clone()
        other[:, :, frames] = 1 - other[:, :, frames]
        if torch.equal(_bricks(candidate, other, slots)[:, :, slot], whole[:, :, slot]):
            law = f"slot {slot} is made of its own frames"
            raise LawBroken(law, "the same for other frames", "another", "constant")


def _bricks(candidate: Callable[[Tensor], Tensor], clips: Tensor, slots: int | None = None) -> Tensor:
    law = "(batch, d, slots, rows, columns) of clips"
    output = as_tensor(ask(candidate, clips=clips))
    if output is None or output.dim() != 5:
        came = "no tensor" if output is None else f"shape {tuple(output.shape)}"
        raise LawBroken(law, came, "five axes", "container" if output is None else "shape")
    found = output.shape[2]
    if len(output) != len(clips) or not found or clips.shape[2] % found or (slots is not None and found != slots):
        expected = "slots that divide the frames" if slots is None else f"{slots} slots"
        raise LawBroken(law, f"shape {tuple(output.shape)}", f"{len(clips)} rows, {expected}", "shape")
    return require_shape(law, output, tuple(output.shape)).detach().double()


def raster_order(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(codes), (batch, T, R, C) int64 → (batch, T·R·C): time, then row, then column, the last axis fastest.

    Three unlike sides, so that every other order of the axes is told from it.
    """
    for shape in ((2, 3, 4), (4, 2, 3), (3, 4, 2)):
        count = shape[0] * shape[1] * shape[2]
        codes = torch.stack([torch.arange(count, 0, -1), torch.arange(count) * 7 % count + 100]).view(2, *shape)
        law = f"codes {shape} in raster order of time, row, column"
        observed = require_shape(law, ask(candidate, codes=codes), (2, count)).detach().double()
        rows = [
            [codes[n, t, r, c].item() for t in range(shape[0]) for r in range(shape[1]) for c in range(shape[2])]
            for n in range(2)
        ]
        slips = _other_orders(codes, (2, count))
        expected = torch.tensor(rows).double()
        require_close(law, observed, expected, 1e-6, slips, {"codes": codes}, deduced=_codes_moved(observed, expected))


def _codes_moved(observed: Tensor, expected: Tensor) -> str:
    """Each clip's own codes in another order, codes of several clips in one row, or other codes."""
    if torch.equal(observed.sort(1).values, expected.sort(1).values):
        return "direction"
    same = torch.equal(observed.flatten().sort().values, expected.flatten().sort().values)
    return "shape" if same else "constant"


def bricks_are_restored(candidate: Callable[[Tensor, tuple[int, int, int]], Tensor], *, seed: int = 0) -> None:
    """candidate(row, (T, R, C)), (batch, T·R·C) → (batch, T, R, C): number (t·R + r)·C + c stands at (t, r, c)."""
    for shape in ((2, 3, 4), (4, 2, 3), (3, 4, 2)):
        count = shape[0] * shape[1] * shape[2]
        row = torch.stack([torch.arange(count), torch.arange(count) * 7 % count + 100])
        law = f"a row back to codes {shape}"
        observed = require_shape(law, ask(candidate, row=row, shape=shape), (2, *shape)).detach().double()
        expected = torch.zeros(2, *shape, dtype=torch.float64)
        for t, r, c in torch.cartesian_prod(*map(torch.arange, shape)).tolist():
            expected[:, t, r, c] = row[:, (t * shape[1] + r) * shape[2] + c].double()
        slips = _other_bricks(row, shape)
        require_close(law, observed, expected, 1e-6, slips, {"row": row})


def _other_orders(codes: Tensor, shape: tuple[int, int]) -> dict[str, Slips]:
    orders = [order for order in permutations((1, 2, 3)) if order != (1, 2, 3)]
    turned = [codes.permute(0, *order).reshape(shape).double() for order in orders]
    return {
        "direction": [*turned, codes.flatten(1).flip(1).double(), codes.flip(1).flatten(1).double()],
        "shape": [codes[:1].flatten(1).expand(shape).double()],
    }


def _other_bricks(row: Tensor, shape: tuple[int, int, int]) -> dict[str, Slips]:
    turned = []
    for order in permutations((0, 1, 2)):
        back = [0, *(order.index(axis) + 1 for axis in range(3))]
        if order != (0, 1, 2):
            turned.append(row.view(2, *(shape[axis] for axis in order)).permute(back).double())
    return {"direction": [*turned, row.flip(1).view(2, *shape).double()]}


def ahead_is_scored(candidate: Callable[[Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(log_probs, given) = −Σ_{i ≥ given} ln p(k_i | k_<i), (batch,), nats: what was given costs nothing.

    First a table of two codes, where it is −ln p(k₂|k₁), by enumeration. Then rows of 6 and 5 codes, some of them, none
    and all given.
    """
    table = torch.tensor([[0.1, 0.3], [0.4, 0.2]], dtype=torch.float64)
    first, second = table.sum(1, keepdim=True), table / table.sum(1, keepdim=True)
    parts = torch.stack([first.expand(2, 2), second], 2).log().flatten(0, 1).float()
    _require_ahead(candidate, "−ln p(k₂|k₁) of a table", parts, 1, -second.log().flatten())
    for n, given in ((6, 4), (5, 2), (6, 0), (5, 5)):
        log_probs = -(draw(4, n, seed=seed + n + given).abs() + 0.1)
        expected = torch.stack([-sum(row[given:], torch.tensor(0.0)) for row in log_probs]).double()
        _require_ahead(candidate, f"the codes after the first {given} of {n}", log_probs, given, expected)


def _require_ahead(
    candidate: Callable[[Tensor, int], Tensor], law: str, parts: Tensor, given: int, expected: Tensor
) -> None:
    output = ask(candidate, log_probs=parts, given=given)
    observed = require_shape(law, output, (len(parts),)).detach().double()
    exact = parts.double()
    left, ahead = parts.shape[1] - given, exact[:, given:].logsumexp(1)
    slips: dict[str, Slips] = {
        "constant": [-exact.sum(1), -exact[:, given + 1 :].sum(1), -exact[:, max(given - 1, 0) :].sum(1)]
        + [-exact[:, given : given + 1].sum(1), -exact[:, -1]],
        "direction": [-part.sum(1) for part in (exact[:, :given], exact[:, :left], exact[:, left:], exact[:, -given:])],
        "sign": [-expected, exact.sum(1)],
        "reduction": [expected / max(left, 1), -exact.mean(1), expected / parts.shape[1]],
        "log-mean": [expected / math.log(2), expected * math.log(2), -exact[:, given:].prod(1)]
        + [sign * total for sign in (1, -1) for total in (ahead.exp(), ahead)]
        + [exact[:, given:].sum(1).exp(), -exact.sum(1) / exact[:, :given].sum(1)],
        "shape": pooled(expected),
    }
    require_close(law, observed, expected, within(expected), slips, {"log_probs": parts})


def clips_go_on(candidate: Callable[[nn.Module, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(model, first) → whole clips: the given frames as they are, then those of codes drawn in turn.

    `model` has an `encoder`, a `quantizer` with `encode`, a `prior` with `begin` and `step`, `places` (slots, rows,
    columns), and `decode`: a toy whose prior is sure of each next code, given all before it, so that a draw has one
    outcome. It decodes a given frame to another than was given.
    """
    rng = torch.Generator().manual_seed(seed)
    for slots, known in ((4, 2), (3, 1), (4, 3)):
        model = _Toy(slots)
        first = torch.randint(0, LEVELS, (5, 1, 2 * known, 2, 3), generator=rng).float() / LEVELS
        first[:, :, 1::2] = first[:, :, ::2]
        law = f"{2 * known} of {2 * slots} frames are kept, the others follow"
        output = ask(lambda frames, model=model: candidate(model, frames), first=first)
        observed = require_shape(law, output, (5, 1, 2 * slots, 2, 3)).detach().double()
        rows = model.codes(first).flatten(1)
        row = _followed(rows, 6 * slots)
        right = torch.cat([first, model.decode(row.view(5, slots, 2, 3))[:, :, 2 * known :]], 2).double()
        slips = _continuations(model, first, rows, row, slots)
        require_close(law, observed, right, 1e-5, {cause: [v.double() for v in vs] for cause, vs in slips.items()})


LEVELS = 5


def _next(rows: Tensor) -> Tensor:
    """The code that follows rows (batch, n): 1 + Σ_i (1 + i mod 4) k_i, modulo V = 5; no weight is 0 modulo V."""
    return (1 + (rows * (torch.arange(rows.shape[1]) % (LEVELS - 1) + 1)).sum(1)) % LEVELS


def _followed(rows: Tensor, length: int) -> Tensor:
    while rows.shape[1] < length:
        rows = torch.cat([rows, _next(rows)[:, None]], 1)
    return rows


class _Sure(nn.Module):
    """A prior whose next code is certain; its state is what it has read."""

    def begin(self, batch: int) -> Tensor:
        return torch.zeros(batch, 0, dtype=torch.int64)

    def step(self, symbol: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        state = state if symbol is None else torch.cat([state, symbol[:, None]], 1)
        return 200.0 * nn.functional.one_hot(_next(state), LEVELS).float(), state


class _Toy(nn.Module):
    """Codes k = V x of every other frame of 2 × 3 pixels; decoded to (k + ½)/V, twice: never what was given."""

    def __init__(self, slots: int):
        super().__init__()
        self.places, self.prior = (slots, 2, 3), _Sure()
        self.encoder = nn.Identity()
        self.quantizer = types.SimpleNamespace(encode=self.codes)

    def codes(self, clips: Tensor) -> Tensor:
        return (LEVELS * clips[:, 0, ::2]).round().long()

    def decode(self, codes: Tensor) -> Tensor:
        return ((codes + 0.5) / LEVELS).repeat_interleave(2, 1).unsqueeze(1)


def _continuations(model: _Toy, first: Tensor, rows: Tensor, row: Tensor, slots: int) -> dict[str, list[Tensor]]:
    """What the usual slips would give."""

    def told(codes: Tensor, kept: bool = True) -> Tensor:
        clip = model.decode(codes.reshape(len(first), slots, 2, 3))
        return torch.cat([first, clip[:, :, first.shape[2] :]], 2) if kept else clip

    fresh = _followed(rows[:, :0], row.shape[1])
    ahead = row.shape[1] - rows.shape[1]
    alone = torch.cat([rows, fresh[:, :ahead]], 1)
    again = torch.cat([rows, _followed(rows[:, -1:], 1 + ahead)[:, 1:]], 1)
    turned = row.view(-1, slots, 3, 2).transpose(2, 3)
    copied = torch.cat([first, first[:, :, -1:].expand(-1, -1, 2 * slots - first.shape[2], -1, -1)], 2)
    return {
        "constant": [told(row, kept=False)],
        "dependence": [told(alone), told(again), told(fresh), told(fresh, kept=False)],
        "direction": [told(turned), told(row.flip(1))],
        "one-to-one": [copied],
        "shape": [told(row[:1].expand_as(row))],
    }
