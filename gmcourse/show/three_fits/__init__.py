"""Three fits: one Gaussian before two hills, fitted by three divergences, in the page."""

from pathlib import Path

import traitlets
from matplotlib.figure import Figure

from gmcourse.show.explorer import joined
from gmcourse.show.style import png
from gmcourse.show.three_fits.figure import fits_figure
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = (
    "Two blue hills, and over them three Gaussians, the best by each divergence: by forward KL a wide one over both "
    "hills, by reverse KL and Jensen–Shannon one over both or one on a single hill."
)


class ThreeFits(Explorer):
    """Drag two hills; the best Gaussian by forward KL, reverse KL and Jensen–Shannon follows; descend from any start.

    The target is p = w N(−a, 1) + (1 − w) N(a, 1) with w = `share`. Play runs gradient descent on (m, ln σ) from
    `start`, (m, σ), by quadrature in the page, with no kernel; where one runs, `hills`, [a, w], and `start` follow.
    For print and for GitHub there is `still`, or else the best fits as it opens; `alt` says what is seen. Raises
    ValueError for hills or a start that the page cannot show.
    """

    _esm = joined(_HERE / "three_fits.js")
    _css = styled(_HERE / "three_fits.css")

    hills = traitlets.List(traitlets.Float()).tag(sync=True)
    start = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(
        self,
        a: float = 3.0,
        share: float = 0.5,
        *,
        start: tuple[float, float] = (1.0, 1.0),
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        ranges = {"a": (a, 0, 6), "share": (share, 0.05, 0.95), "mean": (start[0], -6, 6), "std": (start[1], 0.5, 5)}
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise ValueError(f"{name}: got {value}, expected from {low} to {high}")
        drawn = {"still": still, "opening": lambda: png(fits_figure(a, share)), "alt": alt}
        super().__init__(hills=[float(a), float(share)], start=[float(part) for part in start], **drawn)
