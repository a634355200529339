"""A figure as SVG: lines and letters sharp at any size, what has very many points drawn in pixels."""

import io

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from gmcourse.show.slim import slim

_VERTICES, _MARK = 1600, 10  # axes with more are pixels inside, smaller than so much text; a mark counts for ten
_DPI = 144  # of what is drawn in pixels


def svg(figure: Figure) -> str:
    """The figure as SVG on white, with its letters as outlines; the same figure gives the same text."""
    crowded = [axes for axes in figure.axes if sum(map(_vertices, axes.get_children())) > _VERTICES]
    drawn = [child for axes in crowded for child in axes.get_children() if _is_drawn(child)]
    before = [child.get_rasterized() for child in drawn]
    file = io.StringIO()
    try:
        for child in drawn:
            child.set_rasterized(True)
        with mpl.rc_context({"svg.fonttype": "path"}):
            figure.savefig(file, format="svg", bbox_inches="tight", dpi=_DPI)
    finally:
        for child, was in zip(drawn, before):
            child.set_rasterized(was)
    return slim(file.getvalue())


def _is_drawn(child: Artist) -> bool:
    return isinstance(child, (Line2D, Collection, AxesImage))


def _vertices(child: Artist) -> int:
    """About how many points the SVG would hold of a line or a collection."""
    if isinstance(child, Line2D):
        path = child.get_path()
        marks = _MARK * len(path) if child.get_marker() not in ("None", None, "", " ") else 0
        return marks + len(path.cleaned(transform=child.get_transform(), simplify=path.should_simplify))
    if isinstance(child, Collection):
        return sum(len(path) for path in child.get_paths()) + _MARK * (np.size(child.get_offsets()) // 2 - 1)
    return 0
