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
    place = torch.arange(k * k * colours).view(k, k, colours)
    own, inputs = place[k // 2, k // 2], place.permute(2, 0, 1)

    def by(own: Tensor, inputs: Tensor, kind: str = kind) -> Tensor:
        late = own[:, None, None, None]
        return (inputs < late if kind == "A" else inputs <= late).double()

    right, other = by(own, inputs), by(own, inputs, "AB".replace(kind, ""))
    centre = torch.zeros(k, k, dtype=torch.double)
    centre[k // 2, k // 2] = 1
    rows, columns = torch.arange(k)[:, None], torch.arange(k)[None]
    past = (rows < k // 2) | ((rows == k // 2) & (columns < k // 2))
    colour = right[:, :, k // 2, k // 2][:, :, None, None]
    everywhere = torch.ones(colours, colours, 1, 1)
    return right, {
        "direction": [other],
        "dependence": [right.transpose(0, 1), right.flip(0), right.flip(1)],
        "sign": [1 - right, right.flip(2, 3), other.flip(2, 3), by(own, inputs).maximum((rows > k // 2).double())],
        "reduction": [
            right * (columns < k // 2),
            right * ((columns <= k // 2) | centre.bool()),
            right * ((rows == k // 2) | (columns == k // 2)),
            right.transpose(2, 3),
        ],
        "one-to-one": [
            ((rows < k // 2) | centre.bool()) * right,
            (rows <= k // 2) * everywhere.double(),
            right.maximum(((rows == k // 2) & (columns > k // 2)).double()),
            right * (rows >= k // 2),
        ],
        "constant": [past * everywhere.double(), (past | centre.bool()) * everywhere.double()]
        + [past + centre * torch.eye(colours)[:, :, None, None].double()],
        "spread": [(past | centre.bool()) * colour, past * colour, (past | centre.bool()) * (colour + 0 * past)],
    }
