"""Images side by side, all on the same scale."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from gmcourse.show.style import COLOURS, IMAGE_MAP

_GAP = 0.08  # between images, in image widths
_WIDTH = 5.4  # of a figure, in inches


def grid(images: Tensor, columns: int | None = None, titles: Sequence[str] | None = None) -> Figure:
    """Images (n, H, W), (n, 1, H, W) or (n, 3, H, W) in [0, 1], row by row; single channels are ink on paper.

    `titles` gives one line above each. Raises ValueError for other shapes, values outside [0, 1] or too few titles.
    """
    pictures = checked_images("images", images)
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"titles: got {len(titles)}, expected one for each of the {len(pictures)} images")
    columns = columns or _columns(len(pictures))
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    figure, axes, step = _canvas(len(rows), columns, pictures, headroom=0.25 if titles is not None else 0.0)
    for number, row in enumerate(rows):
        _draw_row(axes, row, number * step)
    for index, title in enumerate(titles or ()):
        place = ((index % columns) * (1 + _GAP) + 0.5, (index // columns) * step - 0.03)
        axes.text(*place, title, ha="center", va="bottom", fontsize=10)
    return figure


def compare(rows: dict[str, Tensor]) -> Figure:
    """Rows of images on one scale, each row with its label: {"data": (n, 1, H, W), "reconstructions": ...}."""
    if not rows:
        raise ValueError("rows: got an empty dict, expected at least one row of images")
    pictures = {label: checked_images(f"rows[{label!r}]", images) for label, images in rows.items()}
    shapes = {label: tuple(images.shape[1:]) for label, images in pictures.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"rows: got {shapes}, expected one size (height, width, channels) for all")
    columns = max(len(images) for images in pictures.values())
    figure, axes, step = _canvas(len(rows), columns, next(iter(pictures.values())), headroom=0.0)
    for number, images in enumerate(pictures.values()):
        _draw_row(axes, images, number * step)
    axes.set_yticks([number * step + (step - _GAP) / 2 for number in range(len(rows))], list(pictures))
    axes.axis("on")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xticks([])
    return figure


def checked_images(name: str, images: Tensor) -> Tensor:
    """`images` as (n, H, W, 1 or 3) on the CPU."""
    if not isinstance(images, Tensor):
        raise TypeError(f"{name}: got {type(images).__name__}, expected a Tensor")
    images = images.detach().cpu().float()
    if images.ndim == 3:
        images = images.unsqueeze(1)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ValueError(f"{name}: got {tuple(images.shape)}, expected (n, H, W), (n, 1, H, W) or (n, 3, H, W)")
    low, high = images.min().item(), images.max().item()
    if not (low >= -1e-6 and high <= 1 + 1e-6):
        raise ValueError(f"{name}: got values from {low:.3g} to {high:.3g}, expected [0, 1]: clamp or rescale them")
    return images.permute(0, 2, 3, 1)


def _columns(count: int) -> int:
    """At most ten columns, chosen so that the last row is as full as can be."""
    return count if count <= 10 else min(range(10, 5, -1), key=lambda columns: -count % columns)


def _canvas(rows: int, columns: int, pictures: Tensor, headroom: float) -> tuple[Figure, Axes, float]:
    """A bare figure for rows × columns images, each one unit wide, and the distance between its rows."""
    height = pictures.shape[1] / pictures.shape[2]
    step = height + _GAP + headroom
    width = columns * (1 + _GAP) - _GAP
    total = rows * step - _GAP
    figure = Figure(figsize=(_WIDTH, max(0.5, _WIDTH * total / max(width, 4))), layout="constrained")
    axes = figure.subplots()
    axes.axis("off")
    axes.set(xlim=(-0.02, width + 0.02), ylim=(total - headroom + 0.02, -headroom - 0.02), aspect="equal")
    return figure, axes, step


def _draw_row(axes: Axes, images: Tensor, top: float) -> None:
    height = images.shape[1] / images.shape[2]
    limits = axes.axis()
    for column, image in enumerate(images):
        left = column * (1 + _GAP)
        place = (left, left + 1, top + height, top)
        axes.imshow(image.squeeze(-1).numpy(), extent=place, vmin=0, vmax=1, cmap=IMAGE_MAP, interpolation="nearest")
        frame = Rectangle((left, top), 1, height, fill=False, edgecolor=COLOURS["faint"], linewidth=0.6)
        axes.add_patch(frame)
    axes.axis(limits)
