"""The score field: the exact score of a noised mixture of the plane, and walkers that follow it in the page."""

from pathlib import Path
from typing import Any

import torch
import traitlets
from matplotlib.figure import Figure

from gmcourse.scores.mixture import NoisedMixture
from gmcourse.show.explorer import checked_points, joined, window_of
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_MOST = 400  # components
_RELATIVE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # as in controls.js
_ALT = (
    "A plane with a density in blue and orange arrows up its slope. Walkers, green diamonds, have followed them: their "
    "shares in the modes are those of where they began. After an annealed walk they are nearly those of the data."
)


class ScoreField(Explorer):
    """Slide the noise level of a mixture's exact score, and let walkers follow it in the page: no kernel is needed.

    `mixture` is of the plane, with stds above 0 and at most 400 components; up to eight of them are counted, each as a
    mode. `walkers` start anywhere in the window and have taken 2 · `steps` Langevin steps at the level `sigma` when the
    page opens. The reader walks on at any level, or anneals: `steps` steps at each of `levels` = (largest, smallest,
    count) levels of a constant ratio, by default ten from twice the window's half-width to the least std. A step is
    η = `relative` · max(σ, least std)², `relative` one of 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1. Or the reader draws
    points, whose exact score is that of a narrow Gaussian on each. The window has the half-width `extent`, and widens
    with σ. Equal seeds give equal walks. For print and for GitHub there is `still`, or both walks of the mixture; `alt`
    says what is seen. Raises TypeError or ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "score_field.js")
    _css = styled(_HERE / "score_field.css")

    means = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    stds = traitlets.List(traitlets.Float()).tag(sync=True)
    weights = traitlets.List(traitlets.Float()).tag(sync=True)
    largest = traitlets.Float().tag(sync=True)
    smallest = traitlets.Float().tag(sync=True)
    levels = traitlets.Int().tag(sync=True)
    sigma = traitlets.Float().tag(sync=True)
    steps = traitlets.Int().tag(sync=True)
    relative = traitlets.Float().tag(sync=True)
    count = traitlets.Int().tag(sync=True)
    centre = traitlets.List(traitlets.Float()).tag(sync=True)
    extent = traitlets.Float().tag(sync=True)
    seed = traitlets.Int().tag(sync=True)

    def __init__(
        self,
        mixture: NoisedMixture,
        *,
        sigma: float = 0.0,
        levels: tuple[float, float, int] | None = None,
        steps: int = 100,
        relative: float = 0.05,
        walkers: int = 400,
        extent: float | None = None,
        seed: int = 0,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        means = _checked_means(mixture)
        centre, extent = window_of(torch.cat([means + 2 * mixture.stds.max(), means - 2 * mixture.stds.max()]), extent)
        largest, smallest, count = levels or (2 * extent, mixture.stds.min().item(), 10)
        _check_walk(sigma, (largest, smallest, count), steps, relative, walkers)
        settings: dict[str, Any] = {
            **{"largest": float(largest), "smallest": float(smallest), "levels": count, "sigma": float(sigma)},
            **{"steps": steps, "relative": float(relative), "count": walkers},
            **{"centre": centre, "extent": extent, "seed": seed},
        }
        super().__init__(
            still=still,
            opening=lambda: _opening(mixture, settings),
            alt=alt,
            means=mixture.means.tolist(),
            stds=mixture.stds.tolist(),
            weights=mixture.weights.tolist(),
            **settings,
        )


def _opening(mixture: NoisedMixture, settings: dict[str, Any]) -> bytes:
    from gmcourse.show.score_field.figure import field_figure

    return png(field_figure(mixture, **settings), colours=64)


def _checked_means(mixture: NoisedMixture) -> torch.Tensor:
    if not isinstance(mixture, NoisedMixture):
        raise TypeError(f"mixture: got {type(mixture).__name__}, expected a NoisedMixture")
    means = checked_points(mixture.means, "mixture.means")
    if len(means) > _MOST:
        raise ValueError(f"mixture: got {len(means)} components, expected at most {_MOST}")
    if not (mixture.stds > 0).all():
        raise ValueError(f"mixture: got the least std {mixture.stds.min().item():g}, expected stds above 0")
    return means


def _check_walk(sigma: float, levels: tuple[float, float, int], steps: int, relative: float, walkers: int) -> None:
    largest, smallest, count = levels
    if not 0 <= sigma <= largest:
        raise ValueError(f"sigma: got {sigma}, expected 0 to the largest level, {largest:g}")
    if not 0 < smallest < largest or count < 2:
        raise ValueError(
            f"levels: got {levels}, expected (largest, smallest, count), largest > smallest > 0, count > 1"
        )
    if relative not in _RELATIVE:
        raise ValueError(f"relative: got {relative}, expected one of {', '.join(map(str, _RELATIVE))}")
    if steps < 1 or not 1 <= walkers <= 2000:
        raise ValueError(f"steps, walkers: got {steps} and {walkers}, expected at least 1 step and 1 to 2000 walkers")
