"""Laws of reach: which pixels of the past a stack of masked convolutions sees, by walking its steps."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape

Offset = tuple[int, int]
"""Rows up, columns to the right."""

KERNELS = ((1, 1), (3, 1), (2, 2), (3, 2))
"""Half the width of the first kernel, and of the others."""


def steps(half: int, own: bool) -> set[Offset]:
    """Where one masked convolution looks: all of the rows above, the own row to the left and, with mask B, itself."""
    above = {(up, right) for up in range(1, half + 1) for right in range(-half, half + 1)}
    return above | {(0, right) for right in range(-half, int(own))}


def seen(layers: int, half: int, first: int | None = None, rests: bool = True) -> set[Offset]:
    """All that `layers` layers see, one step a layer; the first has mask A, the others B, where a path `rests`."""
    reached = steps(half if first is None else first, own=False)
    for _ in range(layers - 1):
        reached = {(a + da, b + db) for a, b in reached for da, db in steps(half, own=rests)}
    return reached


def blind_at_any_depth(candidate: Callable[[int, int, int, int], bool], *, seed: int = 0) -> None:
    """candidate(up, right, first, half): whether no depth of kernels 2·half + 1 wide sees it, after one of 2·first + 1.

    The oracle walks through six layers, for the pixels up to three rows above, whose columns six layers reach.
    """
    law, columns = "which pixels no depth of masked kernels sees", ("up", "right", "first", "half")
    cases = [
        (up, right, first, half)
        for first, half in KERNELS
        for up in (1, 2, 3)
        for right in range(-4, first + 2 * half + 3)
    ]
    answers = [_truth(ask(candidate, **dict(zip(columns, case, strict=True)))) for case in cases]
    reached = {kernels: seen(6, kernels[1], kernels[0]) for kernels in KERNELS}
    expected = [float(case[:2] not in reached[case[2:]]) for case in cases]
    inputs = dict(zip(columns, torch.tensor(cases).T, strict=True))
    slips = _other_wedges(*inputs.values())
    require_close(law, torch.tensor(answers), torch.tensor(expected), 0.0, slips, given=inputs)


def _truth(output: object) -> float:
    value = require_shape("the answer is True or False", output, ()).item()
    if value not in (0, 1):
        raise LawBroken("the answer is True or False", f"{value:g}", "True or False", "container")
    return float(value)


def _other_wedges(up: Tensor, right: Tensor, first: Tensor, half: Tensor) -> dict[str, list[Tensor]]:
    edge = first + half * (up - 1)
    slips = {
        "one-to-one": [right >= edge],
        "sign": [right.abs() > edge, right.abs() >= edge, -right > edge],
        "direction": [right <= edge, right < edge],
        "dependence": [right > half * up, right >= half * up, right > half * (up - 1)],
        "spread": [right > first * up, right > (2 * first + 1) + (2 * half + 1) * (up - 1), right > up]
        + [right > half + first * (up - 1), right > first + (2 * half + 1) * (up - 1), right > first + up - 1]
        + [right > 2 * first + 1 + half * (up - 1)],
        "reduction": [right > first + half * up, right >= first + half * up, right > first + half, right > first]
        + [right > half],
        "constant": [right > right.abs(), right > -right.abs() - 1, right > 0, right > 2 * first + 1],
    }
    return {cause: [way.float() for way in ways] for cause, ways in slips.items()}


def seen_pixels_are_counted(candidate: Callable[[int, int], int], *, seed: int = 0) -> None:
    """candidate(layers, half): how many pixels `layers` masked kernels 2·half + 1 wide see. The oracle walks there."""
    cases = ((1, 1), (2, 1), (3, 1), (5, 1), (1, 2), (2, 2), (4, 2), (2, 3), (3, 4))
    law = "how many pixels a stack of masked layers sees"
    answers = [require_shape(law, ask(candidate, layers=n, half=h), ()).double() for n, h in cases]
    expected = torch.tensor([len(seen(n, h)) for n, h in cases]).double()
    layers, half = torch.tensor(cases).double().T
    far = layers * half
    slips = {
        "constant": [expected + 1, expected - 1],
        "one-to-one": [2 * far**2 + 2 * far, 2 * far**2 + 2 * far + 1, 2 * layers**2 + 2 * layers],
        "log-mean": [torch.tensor([len(seen(n, h, rests=False)) for n, h in cases]).double()],
        "shape": [layers * taps for taps in (2 * half**2 + 2 * half, 2 * half**2 + 2 * half + 1)]
        + [2 * half**2 + 2 * half, 4 + 8 * (layers - 1)],
        "spread": [(3 * far**2 + 5 * far) / 2],
        "dependence": [(3 * layers**2 + 5 * layers) / 2, far + layers * (far + 1) + half * layers * (layers + 1) / 2],
        "gradient": [far + far * (far + 1) * (2 + half) / 2],
        "reduction": [far**2 + 2 * far, far**2 + far, far**2],
        "sign": [(2 * far + 1) ** 2, (2 * far + 1) ** 2 - 1],
        "direction": [expected - far, far * (2 * far + 1), far + far + half * far * (far + 1)]
        + [2 * expected - 2 * far * (far + 1)],
    }
    require_close(law, torch.stack(answers), expected, 0.0, slips, given={"layers": layers, "half": half})
