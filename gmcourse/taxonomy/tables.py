"""What tables of probabilities share: whole numbers read as codes, counts turned into logits, draws by the table."""

import torch
from torch import Generator, Tensor


def read_codes(x: Tensor, levels: int, event_shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Codes of x, (batch, D) int64, and where x holds one of the whole numbers 0..levels−1, (batch, D) bool.

    x (batch, *event), floating point or integer; what is no code is read as 0. Raises ValueError for another shape.
    """
    if x.shape[1:] != tuple(event_shape) or not x.dim():
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, *{tuple(event_shape)})")
    flat = x.flatten(1) if x.dim() > 1 else x.unsqueeze(1)
    codes = torch.where((flat >= 0) & (flat < levels), flat, 0).long()
    return codes, codes == flat


def require_codes(x: Tensor, levels: int) -> None:
    """Raise ValueError unless x holds whole numbers 0..levels−1."""
    if x.is_meta or not x.numel():
        return
    if x.is_complex() or not bool(((x >= 0) & (x < levels) & (x == x.round())).all()):
        raise ValueError(
            f"x: got {x.dtype} from {x.min().item():.4g} to {x.max().item():.4g}, "
            f"expected whole numbers 0..{levels - 1}"
        )


def strides(dims: int, values: int, device: torch.device) -> Tensor:
    """(dims,): by how much the place in a table of values^dims cells grows with each code, the first the slowest."""
    return values ** torch.arange(dims - 1, -1, -1, device=device)


def smoothed_logits(counts: Tensor, smoothing: float) -> Tensor:
    """ln (c + α), normalised over the last axis: the logits whose softmax is the share of each cell, α added to each.

    α = 0 is maximum likelihood, and gives an empty cell the logit −∞. Raises ValueError for α below 0, and where a
    row of counts is empty and α is 0. Equation: taxonomy-smoothing.
    """
    if not smoothing >= 0:
        raise ValueError(f"smoothing: got {smoothing}, expected a number of counts for each cell, at least 0")
    total = counts + smoothing
    if not bool((total.sum(-1) > 0).all()):
        raise ValueError("x: got no rows to count, expected at least one, or a smoothing above 0")
    return (total / total.sum(-1, keepdim=True)).log()


def draw_cells(logits: Tensor, n: int, rng: Generator | None = None) -> Tensor:
    """n draws of a cell with the probabilities softmax(l): logits (cells,) → (n,) int64."""
    edges = logits.softmax(-1).cumsum(-1)
    u = torch.rand(n, generator=rng, dtype=logits.dtype, device=logits.device) * edges[-1]
    return torch.searchsorted(edges, u, right=True).clamp(max=len(logits) - 1)


def draw_each(logits: Tensor, rng: Generator | None = None) -> Tensor:
    """One draw with the probabilities softmax(l) for each row of logits: (*rows, cells) → (*rows,) int64."""
    edges = logits.softmax(-1).cumsum(-1)
    u = torch.rand((*logits.shape[:-1], 1), generator=rng, dtype=logits.dtype, device=logits.device)
    return (u * edges[..., -1:] >= edges).sum(-1).clamp(max=logits.shape[-1] - 1)
