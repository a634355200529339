"""Loss curves, with the limits that are known drawn in."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gmcourse.show.style import COLOURS

_CURVES = ("model", "samples", "data", "muted", "ink")


def loss_curve(
    history: Mapping[str, Sequence[float]],
    limits: Mapping[str, float] | None = None,
    *,
    label: str = "loss [nats]",
    window: int | None = None,
    ax: Axes | None = None,
) -> Figure | None:
    """The loss of every step, its running mean over `window` steps, and each limit as a dashed, named line.

    `history` is what `fit` or `fit_adversarial` returns: several losses have a curve and a name each, and one of fewer
    numbers, as "valid_loss", is marked where it was measured, evenly up to the last step. Draws into `ax` where one is
    given (and returns None), else into a new figure. Raises ValueError for an empty or non-finite loss and for a limit
    that is not finite.
    """
    losses = _checked(history)
    limits = dict(limits or {})
    for name, value in limits.items():
        if not np.isfinite(value):
            raise ValueError(f"limits[{name!r}]: got {value}, expected a finite number")
    steps = max(values.size for values in losses.values())
    window = window or max(1, steps // 50)
    figure = None
    if ax is None:
        figure = Figure(layout="constrained")
        ax = figure.subplots()
    for (name, values), colour in zip(losses.items(), cycle(_CURVES)):
        words = ("each step", f"mean of {window} steps") if len(losses) == 1 else (None, name.removesuffix("_loss"))
        _draw(ax, values, steps, window, COLOURS[colour], words)
    for name, value in limits.items():
        _limit(ax, name, value, below=all(_end(values) > value for values in losses.values()))
    if len(losses) > 1:
        ax.legend()
    ax.set(xlabel="step", ylabel=label, ylim=_view(list(losses.values()), list(limits.values())), xlim=(0, steps))
    return figure


def _checked(history: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    if not isinstance(history, Mapping):
        raise TypeError(f"history: got {type(history).__name__}, expected a dict, as fit returns it")
    if not history:
        raise ValueError("history: got {}, expected a name and numbers, as fit returns it")
    losses = {}
    for name, values in history.items():
        if isinstance(values, str):
            raise ValueError(f"history[{name!r}]: got {values!r}, expected numbers")
        losses[name] = np.asarray(values, dtype=float)
        if losses[name].ndim != 1 or not losses[name].size or not np.isfinite(losses[name]).all():
            raise ValueError(f"history[{name!r}]: got {losses[name].size} numbers, expected at least one, all finite")
    return losses


def _draw(ax: Axes, values: np.ndarray, steps: int, window: int, colour: str, words: tuple[str | None, str]) -> None:
    """A loss of every step, pale, under its running mean; one of fewer steps as marked points, evenly to the last."""
    pale, bold = words
    if values.size < steps:
        places = steps * np.arange(1, values.size + 1) / values.size
        ax.plot(places, values, color=colour, marker="o", markersize=3, label=bold)
        return
    places = np.arange(1, steps + 1)
    ax.plot(places, values, color=colour, alpha=0.22, linewidth=0.7, label=pale)
    ax.plot(places, running_mean(values, window), color=colour, label=bold)


def _limit(ax: Axes, name: str, value: float, below: bool) -> None:
    """A dashed line with its name at the right, on the side where no curve ends."""
    ax.axhline(value, color=COLOURS["ink"], linewidth=1, linestyle=(0, (5, 4)))
    offset, side = ((0, -2), "top") if below else ((0, 1), "bottom")
    ax.annotate(name, (1, value), offset, ax.get_yaxis_transform(), textcoords="offset points", ha="right", va=side)


def _end(values: np.ndarray) -> float:
    """The mean of the last quarter, over which a limit has its name."""
    return values[-max(1, len(values) // 4) :].mean()


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over the `window` values that end at each place, over fewer at the start: (n,) -> (n,)."""
    if window < 1:
        raise ValueError(f"window: got {window}, expected at least 1")
    total = np.concatenate([[0.0], np.cumsum(values)])
    start = np.maximum(np.arange(1, len(values) + 1) - window, 0)
    return (total[1:] - total[start]) / (np.arange(1, len(values) + 1) - start)


def _view(losses: list[np.ndarray], limits: list[float]) -> tuple[float, float]:
    """Room for the limits, their names and all but the first, steep steps."""
    low = min([*(values.min() for values in losses), *limits])
    high = max([*(np.quantile(values, 0.98) for values in losses), *limits])
    margin = 0.12 * (high - low) or 1.0
    return low - margin, high + margin
