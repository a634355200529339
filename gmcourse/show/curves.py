"""Loss curves, with the limits that are known drawn in."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gmcourse.show.style import COLOURS


def loss_curve(
    history: Mapping[str, Sequence[float]],
    limits: Mapping[str, float] | None = None,
    *,
    label: str = "loss [nats]",
    window: int | None = None,
    ax: Axes | None = None,
) -> Figure | None:
    """The loss of every step, its running mean over `window` steps, and each limit as a dashed, named line.

    `history` is what `fit` returns. Draws into `ax` where one is given (and returns None), else into a new figure.
    Raises ValueError for an empty or non-finite loss and for a limit that is not finite.
    """
    if "loss" not in history:
        raise ValueError(f"history: got the keys {sorted(history)}, expected 'loss' among them, as fit returns it")
    losses = np.asarray(history["loss"], dtype=float)
    if losses.ndim != 1 or not losses.size or not np.isfinite(losses).all():
        raise ValueError(f"history['loss']: got {losses.size} numbers, expected at least one, all finite")
    limits = dict(limits or {})
    for name, value in limits.items():
        if not np.isfinite(value):
            raise ValueError(f"limits[{name!r}]: got {value}, expected a finite number")
    window = window or max(1, losses.size // 50)
    figure = None if ax is not None else Figure(layout="constrained")
    ax = ax if ax is not None else figure.subplots()
    steps = np.arange(1, losses.size + 1)
    ax.plot(steps, losses, color=COLOURS["model"], alpha=0.22, linewidth=0.7, label="each step")
    ax.plot(steps, running_mean(losses, window), color=COLOURS["model"], label=f"mean of {window} steps")
    for name, value in limits.items():
        ax.axhline(value, color=COLOURS["ink"], linewidth=1, linestyle=(0, (5, 4)))
        ax.annotate(name, (1, value), (0, 3), ax.get_yaxis_transform(), textcoords="offset points", ha="right")
    ax.set(xlabel="step", ylabel=label, ylim=_view(losses, list(limits.values())), xlim=(0, losses.size))
    return figure


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over the `window` values that end at each place, over fewer at the start: (n,) -> (n,)."""
    if window < 1:
        raise ValueError(f"window: got {window}, expected at least 1")
    total = np.concatenate([[0.0], np.cumsum(values)])
    start = np.maximum(np.arange(1, len(values) + 1) - window, 0)
    return (total[1:] - total[start]) / (np.arange(1, len(values) + 1) - start)


def _view(losses: np.ndarray, limits: list[float]) -> tuple[float, float]:
    """Room for the limits and for all but the first, steep steps."""
    low, high = min([losses.min(), *limits]), max([np.quantile(losses, 0.98), *limits])
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin
