"""The histogram: a table of probabilities over the cells of a box, uniform inside each."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import sampling
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import VECTORS, Examples, ModelRecord, Suits, held_then_falling_plan, plane_points
from gmcourse.taxonomy.tables import draw_cells, smoothed_logits, strides

MOST_CELLS = 1 << 16


def cell_of(x: Tensor, edges: Tensor) -> Tensor:
    """The cell of each coordinate, e_k ≤ x < e_{k+1}, (batch, D); the last cell has its upper edge too.

    x (batch, D), edges (D, bins + 1), rising. Points outside are given to the nearest cell.
    """
    return (x.unsqueeze(-1) >= edges[:, 1:-1]).sum(-1)


def histogram_log_prob(x: Tensor, edges: Tensor, logits: Tensor) -> Tensor:
    """ln softmax(l)_k − ln vol_k in the cell k of x, −∞ outside the box: (batch,), nats per unit of volume.

    x (batch, D), edges (D, bins + 1), logits (bins,) · D, the first axis the slowest. Equation: taxonomy-histogram.
    """
    each = cell_of(x, edges)
    bins = edges.shape[1] - 1
    log_volume = edges.diff(dim=1).log().expand(len(x), -1, -1).gather(2, each.unsqueeze(-1)).squeeze(-1).sum(1)
    log_mass = logits.flatten().log_softmax(0)[(each * strides(edges.shape[0], bins, x.device)).sum(1)]
    inside = ((x >= edges[:, 0]) & (x <= edges[:, -1])).all(1)
    return torch.where(inside, log_mass - log_volume, -torch.inf)


class Histogram(nn.Module):
    """q(x) = softmax(l)_k / vol_k for x in the cell k of a grid over a box, 0 outside. Scott 1979.

    `low` and `high`: the box, a number for each of D axes, cut into `bins` equal cells on each axis. x is (batch, D),
    floating point. Trained by gradient, or by `count`, which sets the logits in closed form.
    """

    edges: Tensor

    def __init__(self, low: Sequence[float], high: Sequence[float], bins: int):
        super().__init__()
        if len(low) != len(high) or not low or not all(a < b for a, b in zip(low, high)):
            raise ValueError(
                f"low, high: got {list(low)} and {list(high)}, expected the lower and the upper side of each axis"
            )
        if bins < 1 or bins ** len(low) > MOST_CELLS:
            raise ValueError(
                f"bins: got {bins} on {len(low)} axes, expected 1 or more, at most {MOST_CELLS:,} cells in all"
            )
        self.bins = bins
        sides = [torch.linspace(a, b, bins + 1, dtype=torch.float64) for a, b in zip(low, high)]
        self.register_buffer("edges", torch.stack(sides).to(torch.get_default_dtype()))
        self.logits = nn.Parameter(0.1 * torch.randn((bins,) * len(low)))

    def log_prob(self, x: Tensor) -> Tensor:
        """ln q(x), (batch,), nats; −∞ outside the box."""
        self._require_points(x)
        return histogram_log_prob(x, self.edges, self.logits)

    def loss(self, x: Tensor) -> Tensor:
        """−ln q(x), mean over the batch, nats."""
        return -self.log_prob(x).mean()

    @torch.no_grad()
    def count(self, x: Tensor, smoothing: float = 0.5) -> "Histogram":
        """Set the logits to what `smoothing` + the counts of x say, and return the model.

        Raises ValueError where x has points outside the box. Equation: taxonomy-smoothing.
        """
        self._require_points(x)
        if not bool(((x >= self.edges[:, 0]) & (x <= self.edges[:, -1])).all()):
            raise ValueError("x: got points outside the box, expected all inside; the histogram has no cell for them")
        cells = (cell_of(x, self.edges) * strides(len(self.edges), self.bins, x.device)).sum(1)
        counts = torch.bincount(cells, minlength=self.logits.numel()).to(self.logits.dtype)
        self.logits.copy_(smoothed_logits(counts, smoothing).view_as(self.logits))
        return self

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """A cell by its probability, then a point uniform inside it: (n, D)."""
        with sampling(self, n, rng):
            cells = draw_cells(self.logits.flatten(), n, rng)
            each = cells.unsqueeze(1) // strides(len(self.edges), self.bins, cells.device) % self.bins
            low, high = (self.edges[:, cut].T.gather(0, each) for cut in (slice(None, -1), slice(1, None)))
            return low + (high - low) * torch.rand(low.shape, generator=rng, dtype=low.dtype, device=low.device)

    def extra_repr(self) -> str:
        """The grid: it decides what a checkpoint is of."""
        return f"low={self.edges[:, 0].tolist()}, high={self.edges[:, -1].tolist()}, bins={self.bins}"

    def _require_points(self, x: Tensor) -> None:
        if x.dim() != 2 or x.shape[1] != len(self.edges) or not x.is_floating_point():
            raise ValueError(
                f"x: got shape {tuple(x.shape)} and {x.dtype}, expected (batch, {len(self.edges)}), floating point"
            )


def make_histogram(data: Examples | None = None) -> Histogram:
    """The box of train, on each side half a unit wider, or a tenth of its width if that is more.

    4 n^{1/(D+2)} bins an axis, at most 65,536 cells in all. Without data: for points of the plane.
    """
    if data is None:
        return Histogram((-4.0, -4.0), (4.0, 4.0), bins=16)
    low, high = data.train.min(0).values, data.train.max(0).values
    margin = torch.maximum(torch.full_like(low, 0.5), 0.1 * (high - low))
    dims = len(low)
    bins = min(round(4 * len(data.train) ** (1 / (dims + 2))), int(MOST_CELLS ** (1 / dims)))
    return Histogram((low - margin).tolist(), (high + margin).tolist(), bins)


HISTOGRAM = ModelRecord(
    name="Histogram",
    key="histogram",
    family="taxonomy",
    branch=("explicit density", "tractable", "probability table"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="scott1979",
    year=1979,
    arxiv="",
    lesson="01_taxonomy/01_what_is_a_generative_model",
    suits=Suits("vectors (to 3)", lambda shape, dtype: VECTORS(shape, dtype) and shape[0] <= 3),
    make=make_histogram,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=1_024, peak=5e-2),
    example=plane_points,
)
