"""The latent map as it opens, drawn: the plane of codes and the image that the decoder makes of its middle."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from gmcourse.show.style import CLASS_COLOURS, COLOURS, IMAGE_MAP


def map_figure(codes: Tensor, labels: bytes, names: list[str], decoded: Tensor, extent: float) -> Figure:
    """Codes (n, 2), coloured by `labels`, a byte each if there are any; `decoded` (height, width) is made of z = 0."""
    figure = Figure(figsize=(7.0, 4.4), layout="constrained")
    plane, picture = figure.subplots(1, 2, width_ratios=(2.4, 1))
    _draw_plane(plane, codes.numpy(), np.frombuffer(labels, np.uint8), names, extent)
    picture.imshow(decoded.numpy(), vmin=0, vmax=1, cmap=IMAGE_MAP, interpolation="nearest")
    picture.set(xticks=[], yticks=[])
    picture.set_title("Decoded from z = 0", fontsize=10)
    return figure


def _draw_plane(plane: Axes, codes: np.ndarray, labels: np.ndarray, names: list[str], extent: float) -> None:
    style = {"s": 14, "edgecolors": "white", "linewidths": 0.3}
    if not len(labels):
        plane.scatter(*codes.T, color=CLASS_COLOURS[0], **style)
    for label in np.unique(labels):
        colour = CLASS_COLOURS[label % len(CLASS_COLOURS)]
        plane.scatter(*codes[labels == label].T, color=colour, label=names[label], **style)
    for radius in range(1, int(min(3, extent)) + 1):
        plane.add_patch(Circle((0, 0), radius, fill=False, edgecolor=COLOURS["muted"], linestyle=":"))
    plane.plot(0, 0, "o", color="white", markersize=11)
    plane.plot(0, 0, "o", color=COLOURS["model"], markersize=8)
    plane.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    if len(labels):
        plane.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1, fontsize=9)
