"""The mask painter as it opens, drawn: masks, and who sees whom through them."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from gmcourse.autoregressive.masked_convolution import pixel_mask
from gmcourse.nets import MaskedLinear
from gmcourse.show.style import COLOURS

_LATER, _MISSED, _SEEN, _OWN = range(4)
_MAP = ListedColormap(["white", "#e2e8f0", COLOURS["data"], COLOURS["ink"]])


def kernels_figure(side: int, pixel: int, layers: int, first: int, later: int) -> Figure:
    """What `pixel` of a side × side image sees through a mask A of size `first`, then masks B of size `later`."""
    masks = [pixel_mask(first, "A"), pixel_mask(later, "B")]
    kinds = _kinds(_seen(pixel, side, masks, layers), torch.arange(side**2), pixel)
    kinds[pixel] = _OWN
    blind = (kinds == _MISSED) & ~_seen(pixel, side, masks, side**2)
    figure = Figure(figsize=(6.2, 3.5), layout="constrained")
    image, *kernels = figure.subplots(1, 3, width_ratios=(2.4, 1, 1))
    _table(image, kinds.view(side, side))
    for place in blind.nonzero().flatten().tolist():
        corner = (place % side - 0.5, place // side - 0.5)
        image.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="////", edgecolor=COLOURS["muted"], linewidth=0))
    seen, missed = (int((kinds == kind).sum()) for kind in (_SEEN, _MISSED))
    image.set_title(f"{layers} layers: {seen} of {pixel} seen, {missed} missed", fontsize=10)
    for axes, mask, name in zip(kernels, masks, ("First layer", "Later layers"), strict=True):
        _table(axes, _SEEN * mask[0, 0])
        axes.set_title(name, fontsize=10)
    return figure


def orders_figure(places: Sequence[int], degrees: Sequence[int], output: int) -> Figure:
    """The order on the image, the two masks, and who sees whom in the order; the row of `output` is framed."""
    place, degree = torch.tensor(places), torch.tensor(degrees)
    first = MaskedLinear(place + 1, degree).mask
    last = MaskedLinear(degree, place + 1, strict=True).mask
    sees = last @ first > 0
    order = place.argsort()
    triangle = torch.stack([_kinds(sees[i], place, i) for i in order.tolist()])[:, order]
    figure = Figure(figsize=(7.4, 2.5), layout="constrained")
    image, into, out, who = figure.subplots(1, 4, width_ratios=(0.8, 1, 1, 1))
    _table(image, _kinds(sees[output], place, output).index_fill(0, torch.tensor(output), _LATER).view(3, 3))
    for pixel, number in enumerate(places):
        colour = "white" if sees[output, pixel] else COLOURS["ink"]
        image.text(pixel % 3, pixel // 3, str(number + 1), ha="center", va="center", color=colour)
    _frame(image, (output % 3, output // 3), 1)
    ranks = list(range(1, len(places) + 1))
    names = [number + 1 for number in places]
    _labelled(into, _SEEN * first, names, degrees, "First mask", ("pixel, its place", "unit, its degree"))
    _labelled(out, _SEEN * last, degrees, names, "Last mask", ("unit, its degree", "output, its place"))
    _labelled(who, triangle, ranks, ranks, "In the order", ("pixel at place", "output at place"))
    _frame(out, (0, output), len(degrees))
    _frame(who, (0, places[output]), len(places))
    image.set_title("Places in the order", fontsize=10)
    return figure


def _seen(pixel: int, side: int, masks: list[Tensor], layers: int) -> Tensor:
    """Which pixels, (side²,) bool, `pixel` depends on: the masks of the layers, followed backwards."""
    first, later = masks
    wanted = F.one_hot(torch.tensor(pixel), side**2).float().view(1, 1, side, side)
    for mask in [*[later] * (layers - 1), first]:
        wanted = F.conv_transpose2d(wanted, mask, padding=mask.shape[-1] // 2).clamp(max=1)
    return wanted.flatten() > 0


def _kinds(sees: Tensor, places: Tensor, own: int) -> Tensor:
    return torch.where(places < places[own], torch.where(sees, _SEEN, _MISSED), _LATER)


def _table(axes: Axes, kinds: Tensor) -> None:
    axes.imshow(kinds.numpy(), cmap=_MAP, vmin=_LATER, vmax=_OWN)
    axes.set_xticks([column - 0.5 for column in range(kinds.shape[1] + 1)], minor=True)
    axes.set_yticks([row - 0.5 for row in range(kinds.shape[0] + 1)], minor=True)
    axes.grid(which="minor", color=COLOURS["faint"], linewidth=0.7)
    axes.tick_params(which="both", length=0)
    axes.set(xticks=[], yticks=[])


def _labelled(
    axes: Axes, kinds: Tensor, columns: Sequence[int], rows: Sequence[int], title: str, names: tuple[str, str]
) -> None:
    _table(axes, kinds)
    axes.set_xticks(range(len(columns)), list(map(str, columns)), fontsize=8)
    axes.set_yticks(range(len(rows)), list(map(str, rows)), fontsize=8)
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(names[0], fontsize=9)
    axes.set_ylabel(names[1], fontsize=9)


def _frame(axes: Axes, corner: tuple[int, int], width: int) -> None:
    place = (corner[0] - 0.5, corner[1] - 0.5)
    axes.add_patch(Rectangle(place, width, 1, fill=False, edgecolor=COLOURS["ink"], linewidth=2, clip_on=False))
