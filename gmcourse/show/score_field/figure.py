"""The score field as a figure: where walkers stay at one level, and where they go by an annealed walk."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Generator, Tensor

from gmcourse.scores.langevin import langevin
from gmcourse.scores.levels import geometric_levels
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.show.style import COLOURS, sequential

_TILES, _ARROWS, _SEEN = 40, 13, 250


def field_figure(
    mixture: NoisedMixture,
    *,
    largest: float,
    smallest: float,
    levels: int,
    sigma: float,
    steps: int,
    relative: float,
    count: int,
    centre: Sequence[float],
    extent: float,
    seed: int,
) -> Figure:
    """The picture of `ScoreField`, for print: equally many steps at the level `sigma`, and down the levels.

    The arguments are the explorer's traits; the draws are torch's own, by `seed`.
    """
    rng = Generator().manual_seed(seed)
    middle = torch.tensor(centre).to(mixture.means)
    start = middle + extent * (2 * torch.rand(count, 2, generator=rng, dtype=middle.dtype) - 1)
    figure = Figure(figsize=(6.4, 3.5), layout="constrained")
    falling = geometric_levels(largest, smallest, levels).tolist()
    ways = {
        f"{levels * steps:,} steps at σ = {sigma:g}": [sigma] * levels,
        f"as many from σ = {largest:g} to {smallest:.2g}": falling,
    }
    for ax, (words, ladder) in zip(figure.subplots(1, 2), ways.items(), strict=True):
        _panel(ax, mixture, _walked(mixture, start, ladder, steps, relative, rng), ladder[-1], (middle, extent))
        ax.set_title(words)
    return figure


def _walked(
    mixture: NoisedMixture, at: Tensor, ladder: list[float], steps: int, relative: float, rng: Generator
) -> Tensor:
    least = mixture.stds.min().item()
    for level in ladder:
        at = langevin(
            lambda x, level=level: mixture.score(x, level), at, relative * max(level, least) ** 2, steps, rng=rng
        )
    return at


def _panel(ax: Axes, mixture: NoisedMixture, at: Tensor, sigma: float, window: tuple[Tensor, float]) -> None:
    """Density and score at σ, the walkers, and each mode's share of them beside its weight."""
    (cx, cy), extent = window[0].tolist(), window[1]
    frame = (cx - extent, cx + extent, cy - extent, cy + extent)
    tiles, cells = (_cells(window, n) for n in (_TILES, _ARROWS))
    density = (0.6 * (mixture.log_prob(tiles, sigma) - mixture.log_prob(tiles, sigma).amax())).exp()
    ax.imshow(
        density.reshape(_TILES, _TILES).T.numpy(),
        extent=frame,
        origin="lower",
        cmap=sequential("data"),
        vmax=2.2,
        interpolation="bilinear",
    )
    score = mixture.score(cells, sigma)
    size = score.norm(dim=1, keepdim=True)
    length = (2 * extent / _ARROWS) * (size * (mixture.stds.min() ** 2 + sigma**2) * _ARROWS / (3 * extent)).tanh()
    arrows = torch.cat([cells, score / size * length], 1)
    ax.quiver(*arrows.T.numpy(), color=COLOURS["model"], pivot="mid", **_ARROW)
    ax.scatter(*at[:_SEEN].T.numpy(), s=7, marker="D", color=COLOURS["samples"], linewidths=0, zorder=3)
    ax.set(xlim=frame[:2], ylim=frame[2:], aspect="equal")
    if 1 < len(mixture.means) <= 8:
        which = mixture.shares(at, 0.0).argmax(1)
        for mode, (mean, weight) in enumerate(zip(mixture.means.tolist(), mixture.weights.tolist(), strict=True)):
            share = (which == mode).float().mean().item()
            ax.annotate(f"{share:.2f} (true {weight:.2f})", mean, (0, -38), textcoords="offset points", **_WORDS)


def _cells(window: tuple[Tensor, float], n: int) -> Tensor:
    """The centres of n × n cells, (n², 2), the first coordinate slowest."""
    place = ((torch.arange(n, dtype=window[0].dtype) + 0.5) / n * 2 - 1) * window[1]
    return torch.cartesian_prod(place, place) + window[0]


_ARROW = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006, "headwidth": 4}
_WORDS = {"ha": "center", "fontsize": 10, "bbox": {"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1}, "zorder": 4}
