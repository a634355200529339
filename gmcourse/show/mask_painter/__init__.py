"""The mask painter: masks that the reader orders or paints, and who sees whom through them, in the page."""

from pathlib import Path
from typing import Any, Literal

import traitlets
from matplotlib.figure import Figure

from gmcourse.show.explorer import joined
from gmcourse.show.mask_painter.figure import kernels_figure, orders_figure
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
Kind = Literal["orders", "kernels"]
# How each opens. Places count from 0 and degrees from 1; pixels row by row from 0.
_STARTS: dict[str, dict[str, Any]] = {
    "orders": {"places": [3, 7, 0, 5, 1, 8, 6, 4, 2], "degrees": [1, 1, 2, 3, 5, 6, 6, 8], "output": 3},
    "kernels": {"side": 9, "pixel": 40, "layers": 3, "first": 3, "later": 3},
}
_FIGURES = {"orders": orders_figure, "kernels": kernels_figure}
_ALTS = {
    "orders": "Nine pixels, numbered by their places in a shuffled order; the two masks of a network, in which no "
    "pattern is seen; and who sees whom, in the order: a triangle strictly below the diagonal, with two holes.",
    "kernels": "A 9 × 9 image. Of the 40 pixels before the middle one, 21 are seen: a block to the upper left, whose "
    "right edge climbs at 45 degrees. The wedge under the edge is hatched: it is blind at every depth.",
}


class MaskPainter(Explorer):
    """Masks that the reader changes, and who sees whom through them, by exact counting of paths in the page.

    `kind` "orders": the masks of a MADE with nine pixels and one hidden layer. Pixels swap their places in the order,
    degrees are drawn again, the last mask is > or ≥; paths, pairs and leaks of an output are seen. "kernels": what a
    pixel of a 9 × 9 image sees through 1 to 6 masked convolutions, whose taps are opened and closed. For print and for
    GitHub there is `still`, or else the explorer as it opens; `alt` says what is seen. Raises ValueError for another
    kind.
    """

    _esm = joined(_HERE / "mask_painter.js")
    _css = styled(_HERE / "mask_painter.css")

    kind = traitlets.Unicode().tag(sync=True)
    start = traitlets.Dict().tag(sync=True)

    def __init__(self, kind: Kind, *, still: Figure | None = None, alt: str | None = None):
        if kind not in _STARTS:
            raise ValueError(f"kind: got {kind!r}, expected 'orders' or 'kernels'")
        start = _STARTS[kind]
        words = _ALTS[kind] if alt is None else alt
        super().__init__(still=still, opening=lambda: png(_FIGURES[kind](**start)), alt=words, kind=kind, start=start)
