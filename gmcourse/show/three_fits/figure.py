"""The explorer as it opens, drawn: two hills, and the best Gaussian of each of three divergences."""

import math

import torch
from matplotlib.figure import Figure

from gmcourse.probability import gaussian_log_prob
from gmcourse.show.style import COLOURS
from gmcourse.taxonomy.divergences import DIVERGENCES, fit_gaussian, two_hills

_LOOKS = (("#c05621", "-"), (COLOURS["ink"], "--"), ("#6b46c1", ":"))


def fits_figure(a: float, share: float) -> Figure:
    """The hills at −a and a, of weights `share` and 1 − share, under the Gaussians of the least divergences."""
    x = torch.linspace(-50, 50, 10_001, dtype=torch.float64)
    log_p, seen = two_hills(x, a, share), x.abs() <= 9
    figure = Figure(figsize=(5.4, 2.9), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(x[seen], log_p[seen].exp(), color=COLOURS["data"], alpha=0.28, linewidth=0)
    for kind, (colour, dashes) in zip(DIVERGENCES, _LOOKS, strict=True):
        mean, log_std, value = fit_gaussian(kind, log_p, x)
        label = f"{kind} {value:.3f}: m = {mean:.2f}, σ = {math.exp(log_std):.2f}".replace("-", "−")
        curve = gaussian_log_prob(x[seen], mean, log_std).exp()
        axes.plot(x[seen], curve, color=colour, linestyle=dashes, label=label)
    axes.set(xlim=(-9, 9), ylim=(0, 0.62), xlabel="x", ylabel="density")
    axes.legend(loc="upper left")
    return figure
