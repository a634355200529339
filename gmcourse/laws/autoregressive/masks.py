"""A law of masks: a weight may be used where it looks at a place that is drawn earlier."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_entries, require_shape


def mask_follows_the_order(candidate: Callable[[int, str, int], Tensor], *, seed: int = 0) -> None:
    """candidate(kernel, kind, colours) is 1 where an input is drawn before the output's, (colours, colours, k, k).

    With kind "B" at the own place, too. The oracle numbers places by row, column and colour. Truth values pass for 1.
    """
    for kernel, kind, colours in (
        (3, "A", 1),
        (3, "B", 1),
        (5, "A", 3),
        (5, "B", 3),
        (7, "B", 2),
        (1, "A", 3),
        (1, "B", 2),
    ):
        law = f"mask {kind}: 1 where the input is drawn earlier{', or is itself' * (kind == 'B')}, else 0"
        output = ask(candidate, kernel=kernel, kind=kind, colours=colours)
        observed = require_shape(law, output, (colours, colours, kernel, kernel)).double()
        expected, slips = _masks(kernel, kind, colours)
        axes = "output of colour", "input of colour", "row", "column"
        require_entries(law, observed, expected, slips, axes, f"kernel {kernel}, colours {colours}")


def _masks(k: int, kind: str, colours: int) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """The mask by numbered places, and what the usual slips would give in its place."""
    place, middle = torch.arange(k * k * colours).view(k, k, colours), k // 2
    own, inputs = place[middle, middle][:, None, None, None], place.permute(2, 0, 1)
    both = {"A": (inputs < own).double(), "B": (inputs <= own).double()}
    right, other = both[kind], both["AB".replace(kind, "")]
    past = (both["A"][0, 0] > 0).double()
    centre, all_ = both["B"][0, 0] - past, torch.ones(colours, colours, 1, 1).double()
    colour = right[:, :, middle, middle][:, :, None, None]
    own_alone = past + centre * torch.eye(colours)[:, :, None, None].double()
    return right, {
        "direction": [other],
        "dependence": [right.transpose(0, 1), right.flip(0), right.flip(1)],
        "constant": [past * all_, (past + centre) * all_, own_alone],
        "spread": [(past + centre) * colour, past * colour],
        **_other_taps(right, other, centre),
    }


def _other_taps(right: Tensor, other: Tensor, centre: Tensor) -> dict[str, list[Tensor]]:
    """Pixels of the past that are not seen, and others that are."""
    k = right.shape[-1]
    rows, columns = torch.arange(k)[:, None] - k // 2, torch.arange(k)[None] - k // 2
    below, beside = (rows > 0).double() + 0 * columns, ((rows == 0) & (columns > 0)).double()
    return {
        "sign": [1 - right, right.flip(2, 3), other.flip(2, 3), right.flip(2), right + below, torch.ones_like(right)],
        "reduction": [
            *(right * cut for cut in (columns < 0, (columns <= 0) + centre > 0, (rows == 0) | (columns == 0))),
            right.transpose(2, 3),
            right * (rows >= 0),
        ],
        "one-to-one": [right * ((rows < 0) + centre > 0), (rows <= 0) * torch.ones_like(right), right + beside]
        + [right.flip(3)],
    }
