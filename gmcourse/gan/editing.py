"""What a picture of a digit is like, in three numbers, and directions among styles that change one of them."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def ink(images: Tensor) -> Tensor:
    """The mean of all pixels: (n, 1, H, W) in [0, 1] → (n,)."""
    return _sheets(images).mean((1, 2))


def slant(images: Tensor) -> Tensor:
    """−μ₁₁/μ₀₂ of the ink: how far to the right a stroke goes for each pixel upwards, (n, 1, H, W) → (n,).

    μ are the central moments of columns and rows, weighted by the ink; rows are counted downwards. 0 without ink.
    """
    x = _sheets(images)
    rows, columns = (torch.arange(side, dtype=x.dtype, device=x.device) for side in x.shape[1:])
    weight = x.sum((1, 2)).clamp(min=1e-8)
    row = (x.sum(2) @ rows / weight)[:, None, None]
    column = (x.sum(1) @ columns / weight)[:, None, None]
    down, across = rows[:, None] - row, columns - column
    return -(x * down * across).sum((1, 2)) / (x * down.square()).sum((1, 2)).clamp(min=1e-8)


def thickness(images: Tensor) -> Tensor:
    """2 · ink / length of the outline, in pixels: (n, 1, H, W) → (n,). A long stroke of width d has thickness d.

    The outline's length is the total variation Σ √(Δ₁² + Δ₂²), with paper around the picture.
    """
    x = pad(_sheets(images), (1, 1, 1, 1))
    down, across = x[:, 1:, :-1] - x[:, :-1, :-1], x[:, :-1, 1:] - x[:, :-1, :-1]
    outline = (down.square() + across.square()).sqrt().sum((1, 2))
    return 2 * x.sum((1, 2)) / outline.clamp(min=1e-8)


def shares(mixed: Tensor, first: Tensor, second: Tensor) -> tuple[float, float]:
    """Slopes of an attribute of mixed pictures on that of both parents, each (n,): (of the first, of the second).

    Ordinary least squares with a constant; (1, 0) where the first parent alone decides. Raises ValueError for other
    shapes. Equation: gan-shares.
    """
    if not mixed.shape == first.shape == second.shape or mixed.dim() != 1:
        came = ", ".join(str(tuple(t.shape)) for t in (mixed, first, second))
        raise ValueError(f"mixed, first, second: got shapes {came}, expected (n,) of each")
    design = torch.stack([first, second, torch.ones_like(first)], 1).double()
    slopes = torch.linalg.lstsq(design, mixed.double()[:, None]).solution[:2, 0]
    return slopes[0].item(), slopes[1].item()


def direction(w: Tensor, values: Tensor, share: float = 0.2) -> Tensor:
    """Mean w of the `share` of rows with the largest values − that of the smallest: (n, W), (n,) → (W,).

    Equation: gan-direction.
    """
    if values.shape != w.shape[:1] or not 0 < share <= 0.5:
        raise ValueError(
            f"values, share: got shape {tuple(values.shape)} and {share}, expected ({len(w)},), a share in (0, ½]"
        )
    count = max(1, int(share * len(w)))
    order = values.argsort()
    return w[order[-count:]].mean(0) - w[order[:count]].mean(0)


def direction_within(w: Tensor, values: Tensor, classes: Tensor, share: float = 0.25) -> Tensor:
    """The mean over classes, weighted by their rows, of `direction` inside each: the class is held fixed.

    w (n, W), values (n,), classes (n,) → (W,); classes with fewer than 8 rows are left out.
    """
    parts = [(classes == c) for c in classes.unique() if (classes == c).sum() >= 8]
    if not parts:
        raise ValueError("classes: got none with 8 rows, expected at least one")
    total = sum(int(part.sum()) for part in parts)
    moves = [direction(w[part], values[part], share) * (int(part.sum()) / total) for part in parts]
    return torch.stack(moves).sum(0)


def _sheets(images: Tensor) -> Tensor:
    if images.dim() != 4 or images.shape[1] != 1:
        raise ValueError(f"images: got shape {tuple(images.shape)}, expected (n, 1, height, width)")
    return images[:, 0]
