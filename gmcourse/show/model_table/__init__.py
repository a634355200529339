"""The model table: all models in a table that is sorted and filtered, and a plot of any two of its properties."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import traitlets
from matplotlib.figure import Figure

from gmcourse.show.explorer import joined
from gmcourse.show.model_table.cells import Column, checked_columns, checked_rows
from gmcourse.show.style import CLASS_COLOURS
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent


class ModelTable(Explorer):
    """Sort models by any measured property, filter them, and plot any two properties: no kernel is needed.

    `columns` are the properties; `rows` hold for each model its "name", its "family", and by the key of each column a
    number, {"mean", "sd", "seeds"}, words where the column's unit is None, or None, of which `"<key>:why"` tells the
    reason. The page opens on the plot of the columns `y` against `x`, logarithmic along those of the axes that are in
    `log` ("x", "y"), and is sorted by `sort` (a key, "name" or "family"), the best first; these follow the reader where
    a kernel runs, and so does `chosen`, the name of a model or "". For print and for GitHub there is `still`, or else
    the plot and the table as they open; `alt` says what is seen. Raises ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "model_table.js")
    _css = styled(_HERE / "model_table.css")

    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode(), list(CLASS_COLOURS)).tag(sync=True)
    x = traitlets.Unicode().tag(sync=True)
    y = traitlets.Unicode().tag(sync=True)
    x_log = traitlets.Bool().tag(sync=True)
    y_log = traitlets.Bool().tag(sync=True)
    sort = traitlets.Unicode().tag(sync=True)
    backwards = traitlets.Bool(False).tag(sync=True)
    hidden = traitlets.List(traitlets.Unicode()).tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        *,
        x: str,
        y: str,
        sort: str,
        alt: str,
        log: Sequence[str] = (),
        still: Figure | None = None,
    ):
        columns = checked_columns(columns)
        known = checked_rows(columns, rows)
        _check_opening(columns, x, y, sort, log)
        super().__init__(
            still=still,
            opening=lambda: _opening(columns, known, x, y, sort, log),
            alt=alt,
            columns=[asdict(column) for column in columns],
            rows=known,
            **{"x": x, "y": y, "x_log": "x" in log, "y_log": "y" in log, "sort": sort},
        )


def _check_opening(columns: Sequence[Column], x: str, y: str, sort: str, log: Sequence[str]) -> None:
    measured = [column.key for column in columns if column.unit is not None]
    for name, key in (("x", x), ("y", y)):
        if key not in measured:
            raise ValueError(f"{name}: got {key!r}, expected one of {', '.join(measured) or 'no column of numbers'}")
    keys = ["name", "family", *(column.key for column in columns)]
    if sort not in keys:
        raise ValueError(f"sort: got {sort!r}, expected one of {', '.join(keys)}")
    if isinstance(log, str) or not set(log) <= {"x", "y"}:
        raise ValueError(f"log: got {log!r}, expected those of ('x', 'y') that are logarithmic")


def _opening(columns: list[Column], rows: list[dict], x: str, y: str, sort: str, log: Sequence[str]) -> bytes:
    from gmcourse.show.model_table.figure import table_figure, table_png

    return table_png(table_figure(columns, rows, x=x, y=y, sort=sort, log=log))
