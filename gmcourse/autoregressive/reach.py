"""What a stack of masked convolutions can see of the past, by counting."""


def seen_count(layers: int) -> int:
    """(3L² + 5L)/2: how many pixels L masked 3 × 3 layers see, one of mask A and the rest of B, far from the border.

    Raises ValueError for fewer than no layers.

    Equation: autoregressive-pixel-reach
    """
    if layers < 0:
        raise ValueError(f"layers: got {layers}, expected at least 0")
    return (3 * layers**2 + 5 * layers) // 2


def is_blind(up: int, right: int, half: int) -> bool:
    """Whether no depth helps to see the pixel `up` rows above and `right` columns to the right: right > half · up.

    All kernels are 2·half + 1 wide. A pixel to the left has a negative `right`. Raises ValueError unless the pixel lies
    above: `up` ≥ 1.

    Equation: autoregressive-pixel-blind
    """
    if up < 1:
        raise ValueError(f"up: got {up}, expected at least 1, a row above")
    return right > half * up
