"""The plane, bent by a flow: a grid carried through its layers, and the mass that every cell keeps."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from gmcourse.flows.flow import Flow
from gmcourse.nets import evaluating
from gmcourse.show.frame_slider import FrameSlider, frames
from gmcourse.show.style import COLOURS, sequential

_FRAMES = 12  # at most, of about 12 kB each
_CELLS, _PARTS = 20, 4  # cells an axis, and the pieces of a cell's side that may bend
_SHADES, _POINTS = 8, 200
_ALT = (
    "A square grid with the data upon it is bent layer by layer. Every cell keeps its mass: where it shrinks it "
    "darkens, where it grows it pales. After the last layer the shade is a round Gaussian hill."
)


def bending(
    flow: Flow,
    *,
    x: Tensor | None = None,
    extent: float = 3.0,
    label: str = "layers",
    alt: str = _ALT,
    start: int | None = None,
    still: Figure | None = None,
) -> FrameSlider:
    """A slider over the layers of a flow of the plane; each frame is a grid over x, carried through the first k.

    Every cell keeps its mass under the model, so that its shade, mass over area, shows p(x)/|det ∂z_k/∂x|: the model's
    density at layer 0, the base's after the last. `x`, (n, 2), is carried along (the first 200 rows); `extent` is the
    half-width of the grid. At most 12 depths are drawn, and it opens at the one next to `start` (half of the layers).
    For print and for GitHub there is `still`, or else the first plane, one half way and the last, side by side. Raises
    ValueError where the flow or x is not of the plane.
    """
    layers = _layers(flow)
    depths = np.linspace(0, layers, min(layers + 1, _FRAMES)).round().astype(int).tolist()
    pictures = [_pixels(bent(flow, [depth], x=x, extent=extent)) for depth in depths]
    start = min(depths, key=lambda depth: abs(depth - (layers / 2 if start is None else start)))
    still = still or bent(flow, sorted({0, start, layers}), x=x, extent=extent)
    return frames(pictures, depths, label, alt, start=start, still=still)


def bent(flow: Flow, depths: Sequence[int], *, x: Tensor | None = None, extent: float = 3.0) -> Figure:
    """The frames of `bending` at these depths, side by side: 0 is the plane of x, the number of layers that of z."""
    layers = _layers(flow)
    if not depths or not all(0 <= depth <= layers for depth in depths):
        raise ValueError(f"depths: got {list(depths)}, expected at least one, from 0 to {layers}")
    if x is not None and not isinstance(x, Tensor):
        raise TypeError(f"x: got {type(x).__name__}, expected a Tensor (n, 2)")
    if x is not None and (x.ndim != 2 or x.shape[1] != 2):
        raise ValueError(f"x: got {tuple(x.shape)}, expected (n, 2)")
    if not extent > 0:
        raise ValueError(f"extent: got {extent}, expected a positive half-width")
    axis = torch.linspace(-extent, extent, _CELLS * _PARTS + 1)
    plane = torch.cartesian_prod(axis, axis)
    points = plane[:0] if x is None else x.detach().cpu()[:_POINTS]
    places, density = _carried(flow, torch.cat([plane, points]))
    mesh = [place[: len(plane)].reshape(len(axis), len(axis), 2) for place in places]
    density = density[: len(plane)].reshape(len(axis), len(axis))
    mass = _cell_sums(_mean_of_corners(density) * _areas(mesh[0]))
    top = max(np.quantile(density, 0.995), 0.16)
    limit = _limit(np.stack([place[len(plane) :] for place in places]), extent)
    size = 3.0 if len(depths) == 1 else 7.6 / len(depths)
    figure = Figure(figsize=(size * len(depths), size), layout="constrained")
    for depth, ax in zip(depths, figure.subplots(1, len(depths), squeeze=False)[0], strict=True):
        _draw(ax, mesh[depth], mass, top, places[depth][len(plane) :])
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
        if len(depths) > 1:
            ax.set_title("data, $x$" if depth == 0 else "latent, $z$" if depth == layers else f"after layer {depth}")
    return figure


def _layers(flow: Flow) -> int:
    if tuple(getattr(flow, "event_shape", ())) != (2,) or not hasattr(flow, "bijections"):
        kind, shape = type(flow).__name__, getattr(flow, "event_shape", None)
        raise ValueError(f"flow: got {kind} with event_shape {shape}, expected a Flow with event_shape (2,)")
    return len(flow.bijections)


@torch.no_grad()
def _carried(flow: Flow, x: Tensor) -> tuple[list[np.ndarray], np.ndarray]:
    """The places of every point after 0, 1, … layers, and the model's density where it started."""
    with evaluating(flow):
        places = [x.to(flow.origin)]
        for bijection in flow.bijections:
            places.append(bijection(places[-1])[0])
        density = flow.log_prob(places[0]).exp().nan_to_num(0.0)
    return [place.double().cpu().numpy() for place in places], density.double().cpu().numpy()


def _limit(points: np.ndarray, extent: float) -> float:
    """The half-width of every frame: the grid as it was fits, and nearly all points wherever they go."""
    reach = np.quantile(np.abs(points), 0.97, axis=(1, 2)).max() if points.size else 0.0
    return max(1.1 * extent, min(1.6 * extent, 1.1 * reach))


def _mean_of_corners(values: np.ndarray) -> np.ndarray:
    return (values[:-1, :-1] + values[1:, :-1] + values[:-1, 1:] + values[1:, 1:]) / 4


def _areas(mesh: np.ndarray) -> np.ndarray:
    """The area of each small quadrilateral: half the cross product of its diagonals."""
    one, other = mesh[1:, 1:] - mesh[:-1, :-1], mesh[1:, :-1] - mesh[:-1, 1:]
    return np.abs(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]) / 2


def _cell_sums(small: np.ndarray) -> np.ndarray:
    return small.reshape(_CELLS, _PARTS, _CELLS, _PARTS).sum((1, 3))


def _draw(ax: Axes, mesh: np.ndarray, mass: np.ndarray, top: float, points: np.ndarray) -> None:
    """The cells, each in one of a few shades for mass over area, their borders and the points."""
    levels = top * np.linspace(0, 1, _SHADES + 1) ** 2
    levels[-1] = np.inf
    shades = sequential("model")(np.linspace(0, 1, _SHADES))
    density = mass / np.maximum(_cell_sums(_areas(mesh)), 1e-12)
    shade = np.kron(np.digitize(density, levels[1:-1]), np.ones((_PARTS, _PARTS)))
    norm = BoundaryNorm(np.arange(_SHADES + 1) - 0.5, _SHADES)
    ax.pcolormesh(mesh[..., 0], mesh[..., 1], shade, cmap=ListedColormap(shades), norm=norm, antialiased=False)
    for line in (*mesh[::_PARTS], *mesh[:, ::_PARTS].swapaxes(0, 1)):
        ax.plot(*line.T, color=COLOURS["faint"], linewidth=0.5)
    ax.scatter(*points.T, s=4, color=COLOURS["data"], linewidths=0, zorder=3)
    ax.set(aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _pixels(figure: Figure, colours: int = 40) -> np.ndarray:
    """The figure in few colours, (height, width, 3) in [0, 1]: small as a frame."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    few = Image.open(file).convert("RGB").quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    return np.asarray(few.convert("RGB")) / 255
