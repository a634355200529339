"""The latent map as it opens, drawn: the plane of codes and the image that the decoder makes of its middle."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from gmcourse.show.style import CLASS_COLOURS, COLOURS, IMAGE_MAP


def map_figure(
    codes: Tensor,
    labels: bytes,
    names: list[str],
    decoded: Tensor,
    window: tuple[Sequence[float], float],
    z: Sequence[float] = (0.0, 0.0),
    *,
    prior: bool = True,
) -> Figure:
    """Codes (n, 2), coloured by `labels`, a byte each if there are any; `decoded` (height, width) is made of `z`.

    `window` is a centre and a half-width; rings mark N(0, I) where that is the `prior`.
    """
    figure = Figure(figsize=(7.0, 4.4), layout="constrained")
    plane, picture = figure.subplots(1, 2, width_ratios=(2.4, 1))
    _draw_plane(plane, codes.numpy(), np.frombuffer(labels, np.uint8), names)
    _draw_window(plane, *window, z, prior)
    picture.imshow(decoded.numpy(), vmin=0, vmax=1, cmap=IMAGE_MAP, interpolation="nearest")
    picture.set(xticks=[], yticks=[])
    place = "0" if tuple(z) == (0, 0) else f"({z[0]:.2g}, {z[1]:.2g})".replace("-", "−")
    picture.set_title(f"Decoded from z = {place}", fontsize=10)
    if not prior:
        away = np.linalg.norm(codes.numpy() - np.array(z), axis=1).min()
        picture.set_xlabel(f"nearest code {away:.2g} away", fontsize=10)
    return figure


def _draw_plane(plane: Axes, codes: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
    style = {"s": 14, "edgecolors": "white", "linewidths": 0.3}
    if not len(labels):
        plane.scatter(*codes.T, color=CLASS_COLOURS[0], **style)
    for label in np.unique(labels):
        colour = CLASS_COLOURS[label % len(CLASS_COLOURS)]
        plane.scatter(*codes[labels == label].T, color=colour, label=names[label], **style)
    if len(labels):
        plane.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1, fontsize=9)


def _draw_window(plane: Axes, centre: Sequence[float], extent: float, z: Sequence[float], prior: bool) -> None:
    for radius in range(1, int(min(3, extent)) + 1 if prior else 1):
        plane.add_patch(Circle((0, 0), radius, fill=False, edgecolor=COLOURS["muted"], linestyle=":"))
    plane.plot(*z, "o", color="white", markersize=11)
    plane.plot(*z, "o", color=COLOURS["model"], markersize=8)
    (left, right), (low, high) = ((middle - extent, middle + extent) for middle in centre)
    plane.set(xlim=(left, right), ylim=(low, high), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
