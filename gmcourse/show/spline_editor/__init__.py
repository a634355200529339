"""The spline editor: a rational-quadratic spline that is bent by hand, in the page."""

from collections.abc import Sequence
from pathlib import Path

import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from gmcourse.show.explorer import joined
from gmcourse.show.spline_editor.figure import spline_figure
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = (
    "Three drawings over one x axis, with dotted lines at the knots: a curve that rises through the knots, its slope, "
    "and the density that it makes of a standard normal, high where the slope is."
)


class SplineEditor(Explorer):
    """Drag the knots and slopes of a spline; its curve, slope and density p(x) = N(z(x)) ∂z/∂x follow, in the page.

    `x` and `z` are the knots, rising, the first at (−B, −B) and the last at (B, B), `slopes` positive, 1 at both ends;
    all of one length, at least 3. No kernel is needed; where one runs, `knots` follows: [x, z, slope] of each.
    For print and for GitHub there is `still`, or else the three drawings as they open; `alt` says what is seen.
    """

    _esm = joined(_HERE / "spline_editor.js")
    _css = styled(_HERE / "spline_editor.css")

    knots = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    extent = traitlets.Float().tag(sync=True)

    def __init__(
        self,
        x: Sequence[float] | Tensor,
        z: Sequence[float] | Tensor,
        slopes: Sequence[float] | Tensor,
        *,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        table = [[float(value) for value in knot] for knot in zip(x, z, slopes, strict=True)]
        _check(table)
        extent = table[-1][0] + 0.6
        drawn = {"still": still, "opening": lambda: png(spline_figure(table, extent)), "alt": alt}
        super().__init__(knots=table, extent=extent, **drawn)


def _check(table: list[list[float]]) -> None:
    if len(table) < 3:
        raise ValueError(f"x: got {len(table)} knots, expected at least 3: the two at the ends stay where they are")
    (x0, z0, d0), (x1, z1, d1) = table[0], table[-1]
    if max(abs(x0 - z0), abs(x1 - z1), abs(x0 + x1), abs(d0 - 1), abs(d1 - 1)) > 1e-6:
        raise ValueError(f"knots: got ends {table[0]} and {table[-1]}, expected (−B, −B) and (B, B) with slope 1")
    for name, column in zip(("x", "z"), zip(*table, strict=True), strict=False):
        if any(not after > before for before, after in zip(column, column[1:], strict=False)):
            raise ValueError(f"{name}: got {list(column)}, expected numbers that rise")
    if not all(slope > 0 for _, _, slope in table):
        raise ValueError(f"slopes: got {[slope for _, _, slope in table]}, expected positive numbers")
