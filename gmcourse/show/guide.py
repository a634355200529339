"""The guide: questions one below the other, and beside each the job that a yes leads to, with its measured winner."""

import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import Tensor

from gmcourse.show.style import COLOURS

_QUESTION, _LEAF = 19, 33  # letters in a line


def guide_figure(leaves: Sequence[tuple[str, str, str]]) -> Figure:
    """A tree of (question, job, what was measured) from top to bottom: yes to the right, no down.

    Narrow, for a telephone. The last question is the one that is left: it has no no. Raises ValueError for fewer than
    two leaves.
    """
    if len(leaves) < 2:
        raise ValueError(f"leaves: got {len(leaves)}, expected at least two")
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(4.0, 0.9 * len(leaves)))
    ax.set(xlim=(0, 10), ylim=(-len(leaves) + 0.5, 0.5))
    ax.axis("off")
    for k, (question, job, told) in enumerate(leaves):
        last = k == len(leaves) - 1
        _box(ax, 0.05, -k, 3.75, "\n".join(textwrap.wrap(question, _QUESTION)), "faint" if last else "data")
        lines = [line for part in told.split("; ") for line in textwrap.wrap(part, _LEAF)]
        _box(ax, 4.75, -k, 5.2, "\n".join(lines), "model", job)
        arrow = {"arrowstyle": "-|>", "color": COLOURS["muted"], "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (4.7, -k), (3.85, -k), arrowprops=arrow)
        if not last:
            ax.text(4.22, -k + 0.06, "yes", fontsize=9, ha="center", va="bottom", color=COLOURS["muted"])
            ax.annotate("", (1.2, -k - 0.59), (1.2, -k - 0.41), arrowprops=arrow)
            ax.text(1.35, -k - 0.5, "no", fontsize=9, ha="left", va="center", color=COLOURS["muted"])
    return figure


def _box(ax: Axes, left: float, middle: float, width: float, text: str, colour: str, title: str = "") -> None:
    """A rounded box with words, and above them a title in bold."""
    edge = FancyBboxPatch(
        (left, middle - 0.4),
        width,
        0.8,
        boxstyle="round,pad=0,rounding_size=0.1",
        facecolor="white",
        edgecolor=COLOURS[colour],
        linewidth=1.2,
    )
    ax.add_patch(edge)
    shown = {"ha": "left", "fontsize": 9, "linespacing": 1.1}
    if title:
        ax.text(left + 0.15, middle + 0.35, title, weight="bold", va="top", **shown)
        ax.text(left + 0.15, middle + 0.13, text, va="top", **shown)
    else:
        ax.text(left + 0.15, middle, text, va="center", **shown)


def standing_figure(
    title: str, score: str, found: Mapping[str, Tensor], winners: Sequence[str], baseline: str
) -> Figure:
    """Every way to do a job in a line of its own, a dot a seed: the winners in green, the baseline dashed.

    `found` maps a name to its numbers, (seeds,); the lines are in the order of their means.
    """
    from matplotlib import pyplot as plt

    names = sorted(found, key=lambda name: found[name].mean().item())
    figure, ax = plt.subplots(figsize=(5.4, 3.4))
    for k, name in enumerate(names):
        colour = "samples" if name in winners else "data"
        ax.plot(found[name], [k] * len(found[name]), "o", color=colour, markersize=4, alpha=0.6)
        ax.plot(found[name].mean(), k, "|", color=colour, markersize=14)
    ax.axvline(found[baseline].mean().item(), color="muted", linestyle="--", linewidth=1)
    ax.set(xlabel=score, title=title, ylim=(-0.6, len(names) - 0.4))
    ax.set_yticks(range(len(names)), names)
    return figure
