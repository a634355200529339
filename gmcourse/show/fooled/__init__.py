"""Fool the metrics by hand: fakes in the plane, and what six measures say of them, in the page."""

from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from gmcourse.show.explorer import checked_points, joined, window_of
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_COUNT, _DRAWS = 150, 8  # points of each set at most, and honest draws for the floors, as in crowd.js
_ALT = (
    "Four planes with blue data and green fakes: a Gaussian over two moons, a clump about one real point far out, a "
    "narrow clump with a few strewn points, and the training points themselves. Under each the measures that it fools."
)


class FooledMetrics(Explorer):
    """Move, narrow and strew fakes in the plane, and see six measures beside the floor of honest draws, in the page.

    `train` and `held`, (150, 2), and `fresh`, (1200, 2) or more, are draws of one distribution; more rows are left out.
    Fakes are `fresh` points, a Gaussian of their moments, or `train`. They are measured against `held` with the numbers
    of neighbours of `gmcourse.metrics`, and four challenges say when a measure is fooled. No kernel is needed. For
    print and for GitHub there is `still`, or one way to meet each challenge; `alt` says what is seen. Raises TypeError
    or ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "fooled.js")
    _css = styled(_HERE / "fooled.css")

    train = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    held = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    fresh = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    centre = traitlets.List(traitlets.Float()).tag(sync=True)
    extent = traitlets.Float().tag(sync=True)
    seed = traitlets.Int().tag(sync=True)

    def __init__(
        self,
        train: Tensor,
        held: Tensor,
        fresh: Tensor,
        *,
        extent: float | None = None,
        seed: int = 0,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        sets = {"train": (train, _COUNT), "held": (held, _COUNT), "fresh": (fresh, _DRAWS * _COUNT)}
        points = {name: _first(rows, name, count) for name, (rows, count) in sets.items()}
        centre, extent = window_of(torch.cat(list(points.values())), extent)
        super().__init__(
            still=still,
            opening=lambda: _opening(points, extent),
            alt=alt,
            **{name: [[round(x, 4) for x in row] for row in rows.tolist()] for name, rows in points.items()},
            **{"centre": centre, "extent": extent, "seed": seed},
        )


def _first(rows: Tensor, name: str, count: int) -> Tensor:
    rows = checked_points(rows, name)
    if len(rows) < count:
        raise ValueError(f"{name}: got {len(rows)} points, expected at least {count}")
    return rows[:count]


def _opening(points: dict[str, Tensor], extent: float) -> bytes:
    from gmcourse.show.fooled.figure import fooled_figure

    return png(fooled_figure(**points, extent=extent), colours=32)
