"""Class and style as they open, drawn: the plane of styles, the image drawn there, and one image for each class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from gmcourse.show.style import CLASS_COLOURS, COLOURS, IMAGE_MAP


def style_figure(
    codes: Tensor,
    labels: np.ndarray,
    names: Sequence[str],
    pictures: Tensor,
    z: Sequence[float],
    chosen: int,
    extent: float,
) -> Figure:
    """Codes (n, 2) with their classes, those of the `chosen` one in front; `pictures` (V, height, width) are of z."""
    figure = Figure(figsize=(7.0, 5.0), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(3.6, 1))
    above = grid[0].subgridspec(1, 2, width_ratios=(1.6, 1))
    plane, drawn = figure.add_subplot(above[0]), figure.add_subplot(above[1])
    own = labels == chosen
    plane.scatter(*codes[~own].numpy().T, color=COLOURS["muted"], s=6, alpha=0.15, linewidths=0)
    colour = CLASS_COLOURS[chosen % len(CLASS_COLOURS)]
    plane.scatter(*codes[own].numpy().T, color=colour, s=14, edgecolors="white", linewidths=0.3)
    for radius in (1, 2, 3):
        plane.add_patch(Circle((0, 0), radius, fill=False, edgecolor=COLOURS["muted"], linestyle=":"))
    plane.plot(*z, "o", color="white", markersize=11)
    plane.plot(*z, "o", color=COLOURS["model"], markersize=8)
    plane.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    place = f"({z[0]:.2g}, {z[1]:.2g})".replace("-", "−")
    row = grid[1].subgridspec(1, len(names))
    axes = [drawn, *(figure.add_subplot(row[k]) for k in range(len(names)))]
    titles = [f"class {names[chosen]}, z = {place}", *names]
    for axis, picture, title in zip(axes, [pictures[chosen], *pictures], titles, strict=True):
        axis.imshow(picture.numpy(), vmin=0, vmax=1, cmap=IMAGE_MAP, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_title(title, fontsize=10)
    for side in axes[1 + chosen].spines.values():
        side.set(color=COLOURS["model"], linewidth=2)
    return figure
