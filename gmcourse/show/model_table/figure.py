"""The plot and the table of models as one figure, for print and where no page runs."""

import io
from collections.abc import Sequence
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath
from matplotlib.transforms import Bbox
from PIL import Image

from gmcourse.show.model_table.cells import Column, Row
from gmcourse.show.style import CLASS_COLOURS, COLOURS

MARKS = ("o", "s", "^", "D", "v", "p", "X", "P", "<", ">")  # as in scatter.js
_LINE, _SMALL, _GAP, _PLOT = 13.0, 7.6, 14.0, 270.0  # points
_LETTERS = 14  # of a line of a head
_SIDES = ((6, 0, "left", "center"), (-6, 0, "right", "center"), (0, 6, "center", "bottom"), (0, -6, "center", "top"))
_HALO = [withStroke(linewidth=2, foreground="white")]


def table_png(figure: Figure) -> bytes:
    """The figure as PNG with a palette that keeps the families' colours, though letters cover more."""
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    few = Image.open(file).convert("RGB").quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, "png", optimize=True)
    return file.getvalue()


def in_order(columns: Sequence[Column], rows: Sequence[Row], sort: str) -> list[Row]:
    """The rows, the best first, those without a value last."""
    if sort in ("name", "family"):
        return sorted(rows, key=lambda row: row[sort].casefold())
    column = next(column for column in columns if column.key == sort)
    there = [row for row in rows if row["cells"][sort]["value"] is not None]
    if column.unit is None:
        there.sort(key=lambda row: row["cells"][sort]["value"].casefold())
    else:
        sign = -1 if column.better == "high" else 1
        there.sort(key=lambda row: sign * row["cells"][sort]["value"])
    return there + [row for row in rows if row["cells"][sort]["value"] is None]


def table_figure(
    columns: Sequence[Column], rows: Sequence[Row], *, x: str, y: str, sort: str, log: Sequence[str] = ()
) -> Figure:
    """The plot of `y` against `x` above the table, sorted by `sort`; `rows` as `checked_rows` gives them."""
    families = list(dict.fromkeys(row["family"] for row in rows))
    ordered = in_order(columns, rows, sort)
    table = _lines(columns, ordered)
    widths = [max(map(_width, column)) + _GAP for column in zip(*table, strict=True)]
    wide = max(500.0, sum(widths))
    heads = 1 + max(line.count("\n") for line in table[0])
    tall = _LINE * (len(ordered) + heads + 0.5)
    figure = Figure(figsize=(wide / 72, (_PLOT + tall) / 72))
    figure.set_layout_engine("none")
    whole = tall + _PLOT
    plot = figure.add_axes((52 / wide, (tall + 42) / whole, (wide - 172) / wide, (_PLOT - 56) / whole))
    _draw_plot(plot, ordered, families, (x, y))
    _name_axes(plot, columns, (x, y), log)
    _name_dots(plot, ordered, (x, y))
    sheet = figure.add_axes((0, 0, 1, tall / whole))
    sheet.axis("off")
    sheet.set(xlim=(0, wide), ylim=(tall, 0))
    _draw_table(sheet, columns, table, widths, heads, sort)
    return figure


def _name_axes(axes: Axes, columns: Sequence[Column], keys: tuple[str, str], log: Sequence[str]) -> None:
    for axis, key in zip("xy", keys, strict=True):
        column = next(column for column in columns if column.key == key)
        better = f", {column.better}er is better" if column.better else ""
        getattr(axes, f"set_{axis}label")(f"{_titled(column)}{better}", fontsize=9.5)
        if axis in log:
            getattr(axes, f"set_{axis}scale")("log")
    axes.tick_params(labelsize=9)
    axes.margins(0.06)
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # now, since the names go by where the dots are


def _draw_plot(axes: Axes, rows: list[Row], families: list[str], keys: tuple[str, str]) -> None:
    style = {"markersize": 6, "markeredgewidth": 0.5, "markeredgecolor": COLOURS["ink"]}
    for number, family in enumerate(families):
        colour, mark = CLASS_COLOURS[number % len(CLASS_COLOURS)], MARKS[number % len(MARKS)]
        for row in _placed([row for row in rows if row["family"] == family], keys):
            (x, dx), (y, dy) = ((row["cells"][key]["value"], row["cells"][key].get("sd")) for key in keys)
            axes.errorbar(x, y, dy, dx, fmt=mark, color=colour, elinewidth=0.9, **style)
        axes.plot([], [], mark, color=colour, label=family, **style)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), handletextpad=0.1, fontsize=8.5)


def _placed(rows: list[Row], keys: tuple[str, str]) -> list[Row]:
    return [row for row in rows if all(row["cells"][key]["value"] is not None for key in keys)]


def _name_dots(axes: Axes, rows: list[Row], keys: tuple[str, str]) -> None:
    """Names beside the dots, in the order of the table, where they meet no dot and no other name."""
    renderer = FigureCanvasAgg(axes.get_figure(root=True)).get_renderer()
    dots = [(row["name"], *(row["cells"][key]["value"] for key in keys)) for row in _placed(rows, keys)]
    taken = [_around(axes, x, y) for _, x, y in dots]
    inside = axes.get_window_extent(renderer)
    for (name, x, y), own in zip(dots, tuple(taken), strict=True):
        for right, up, ha, va in _SIDES:
            style = {"xytext": (right, up), "textcoords": "offset points", "fontsize": 7.4, "path_effects": _HALO}
            text = axes.annotate(name, (x, y), ha=ha, va=va, **style)
            box = text.get_window_extent(renderer)
            free = not any(box.overlaps(other) for other in taken if other is not own)
            if free and inside.x0 < box.x0 and box.x1 < inside.x1 and inside.y0 < box.y0 and box.y1 < inside.y1:
                taken.append(box)
                break
            text.remove()


def _around(axes: Axes, x: float, y: float) -> Bbox:
    right, up = axes.transData.transform((x, y))
    return Bbox.from_extents(right - 6, up - 6, right + 6, up + 6)


def _titled(column: Column) -> str:
    return f"{column.label} ({column.unit})" if column.unit else column.label


def _lines(columns: Sequence[Column], rows: list[Row]) -> list[list[str]]:
    """Head and rows of the table as words."""
    head = ["Model", "Family", *("\n".join(wrap(_titled(column), _LETTERS)) for column in columns)]
    return [head, *([row["name"], row["family"], *(cell["text"] for cell in row["cells"].values())] for row in rows)]


def _draw_table(
    axes: Axes, columns: Sequence[Column], table: list[list[str]], widths: list[float], heads: int, sort: str
) -> None:
    keys = ["name", "family", *(column.key for column in columns)]
    right = [False, False, *(column.unit is not None for column in columns)]
    edges = [sum(widths[:k]) for k in range(len(widths) + 1)]
    top = _LINE * heads
    axes.plot([0, edges[-1]], [top + 1] * 2, color=COLOURS["muted"], lw=0.8)
    for number, line in enumerate(table):
        for k, words in enumerate(line):
            x, ha = (edges[k + 1] - _GAP, "right") if right[k] else (edges[k], "left")
            style = {"fontsize": _SMALL, "ha": ha, "weight": "bold" if number == 0 and keys[k] == sort else "normal"}
            for up, part in enumerate(reversed(words.split("\n"))):
                y = top + _LINE * (number - (up + 0.3 if number == 0 else 0.28))
                axes.text(x, y, part, color=COLOURS["ink"], va="baseline", **style)
        if number and number % 5 == 0 and number + 1 < len(table):
            axes.plot([0, edges[-1]], [top + _LINE * number] * 2, color=COLOURS["faint"], lw=0.6)


def _width(words: str) -> float:
    """Of the widest line, in points."""
    bold = FontProperties(weight="bold")
    return max(TextPath((0, 0), line or " ", size=_SMALL, prop=bold).get_extents().width for line in words.split("\n"))
