"""Several slips of one cause, as `require_close` takes them."""

from collections.abc import Mapping, Sequence

from torch import Tensor


def fitting(observed: Tensor, slips: Mapping[str, Sequence[Tensor]], tolerance: Tensor | float) -> dict[str, Tensor]:
    """`observed` itself for each cause that has a slip within `tolerance` of it."""

    def fits(slip: Tensor) -> bool:
        return slip.shape == observed.shape and bool(((observed - slip).abs() <= tolerance).all())

    return {cause: observed for cause, values in slips.items() if any(map(fits, values))}
