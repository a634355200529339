"""The spline editor as it opens, drawn: curve, slope and density over one x axis."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from gmcourse.flows.splines import rq_forward, rq_log_slope
from gmcourse.show.style import COLOURS


def spline_figure(knots: list[list[float]], extent: float) -> Figure:
    """The spline through `knots`, [x, z, slope] of each; outside them it is the identity. Density: N(z(x)) ∂z/∂x."""
    x = torch.linspace(-extent, extent, 601, dtype=torch.float64)
    z, log_slope = _curve(x, torch.tensor(knots, dtype=torch.float64))
    density, normal = (torch.exp(-(y**2) / 2) / (2 * torch.pi) ** 0.5 for y in (z, x))
    figure = Figure(figsize=(5.4, 5.4), layout="constrained")
    curve, slope, hill = figure.subplots(3, 1, sharex=True, height_ratios=(2.2, 1, 1))
    for axes, y in ((curve, z), (slope, log_slope.exp()), (hill, density * log_slope.exp())):
        axes.plot(x, y, color=COLOURS["model"])
        for place, _, _ in knots:
            axes.axvline(place, color=COLOURS["muted"], linewidth=0.7, linestyle=":")
    curve.plot(*list(zip(*knots, strict=True))[:2], "o", color=COLOURS["model"], markersize=5)
    curve.set(ylabel="z", xlim=(-extent, extent), ylim=(-extent, extent))
    slope.set(ylabel="∂z/∂x", yscale="log")
    slope.minorticks_off()
    slope.set_yticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
    low, high = log_slope.exp().aminmax()
    slope.set_ylim(min(0.09, 0.8 * low.item()), max(4, 1.2 * high.item()))
    hill.fill_between(x, density * log_slope.exp(), color=COLOURS["model"], alpha=0.25, linewidth=0)
    hill.plot(x, normal, color=COLOURS["muted"], linestyle="--", linewidth=1.2)
    hill.set(xlabel="x", ylabel="density p(x)", ylim=(0, None))
    return figure


def _curve(x: Tensor, knots: Tensor) -> tuple[Tensor, Tensor]:
    """z and ln ∂z/∂x at x."""
    bins = (torch.searchsorted(knots[:, 0].contiguous(), x) - 1).clamp(0, len(knots) - 2)
    ends = [side for axis in range(3) for side in (knots[bins, axis], knots[bins + 1, axis])]
    inside = (x > knots[0, 0]) & (x < knots[-1, 0])
    safe = x.clamp(float(knots[0, 0]), float(knots[-1, 0]))
    return torch.where(inside, rq_forward(safe, *ends), x), torch.where(inside, rq_log_slope(safe, *ends), 0.0)
