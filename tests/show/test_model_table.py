"""The model table: what it hands to the page and refuses, its order and axes in Node, and its figure."""

import base64
import io
import json
import shutil
from math import log10

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from gmcourse import show
from gmcourse.show import CLASS_COLOURS, Column
from gmcourse.show.model_table.cells import checked_rows, written
from gmcourse.show.model_table.figure import in_order, table_figure

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
FD, RECALL = Column("fd", "Distance", "", "low"), Column("recall", "Recall", "", "high")
SIZE, KIND = Column("size", "Parameters"), Column("kind", "Likelihood", None)
COLUMNS = [FD, RECALL, SIZE, KIND]
SEEDS = {"mean": 20.0, "sd": 2.0, "seeds": [18.0, 20.0, 22.0]}
ROWS = [
    {"name": "MAF", "family": "flow", "fd": SEEDS, "recall": 0.5, "size": 12_345, "kind": "exact"},
    {"name": "GAN", "family": "GAN", "fd": 9.5, "recall": 0.25, "size": 400, "kind": None, "kind:why": "no density"},
    {"name": "VAE", "family": "VAE", "fd": None, "recall": 0.75, "size": 7, "kind": "a bound"},
    {"name": "Glow", "family": "flow", "fd": 20.0, "recall": None, "size": 12_345, "kind": "exact"},
]
OPENS = {"x": "size", "y": "fd", "sort": "fd", "alt": "Four models."}


def changed(number=0, **values):
    return [row | values if k == number else row for k, row in enumerate(ROWS)]


# What the page is given


def test_the_numbers_are_those_given_and_their_words_stand_beside_them():
    table = show.ModelTable(COLUMNS, ROWS, **OPENS, log=["x"])
    assert json.loads(json.dumps(table.rows)) == table.rows
    maf, gan, vae, _ = (row["cells"] for row in table.rows)
    seeds = {"seeds": [18, 20, 22], "each": "18.0, 20.0, 22.0"}
    assert maf["fd"] == {"value": 20.0, "sd": 2.0, "text": "20.0 ± 2.0"} | seeds
    assert (maf["size"], vae["size"]["text"]) == ({"value": 12345.0, "text": "12,300"}, "7")
    assert gan["kind"] == {"value": None, "text": "–", "why": "no density"}
    assert vae["fd"]["why"] == "not measured"
    assert [row["name"] for row in table.rows] == ["MAF", "GAN", "VAE", "Glow"]
    assert table.columns[1] == {"key": "recall", "label": "Recall", "unit": "", "better": "high"}
    assert (table.x, table.y, table.sort, table.x_log, table.y_log) == ("size", "fd", "fd", True, False)


def test_numbers_of_numpy_are_numbers():
    rows = changed(size=np.int64(3), recall=np.float32(0.5), fd={"mean": np.float64(1), "sd": 0, "seeds": np.ones(2)})
    assert json.loads(json.dumps(checked_rows(COLUMNS, rows)))[0]["cells"]["fd"]["seeds"] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        *[(0.0, "0"), (5.0, "5.00"), (0.1234, "0.123"), (0.9996, "1.00"), (99.96, "100"), (-2.5, "−2.50")],
        *[(12_345.0, "12,300"), (1_250_000.0, "1,250,000"), (2.125, "2.13"), (0.00051, "0.000510")],
        *[(1.5e7, "1.50 × 10⁷"), (9.999e6, "10,000,000"), (-0.0000123, "−1.23 × 10⁻⁵")],
    ],
)
def test_a_number_has_three_significant_digits(value, words):
    assert written(value) == words.replace("10,000,000", "1.00 × 10⁷")


@pytest.mark.parametrize(
    ("mean", "sd", "words"),
    [
        *[(83.21, 6.127, "83.2 ± 6.1"), (0.897, 0.00819, "0.897 ± 0.008"), (12_345, 1234, "12,300 ± 1,200")],
        *[(100.2, 0.03, "100 ± 0.03"), (0.5, 20.04, "0.500 ± 20.0"), (0, 0.25, "0 ± 0.250"), (3, 0, "3.00 ± 0.00")],
        *[(3, 1e-7, "3.00 ± 1.00 × 10⁻⁷"), (-3e8, 2e7, "−3.00 × 10⁸ ± 2.00 × 10⁷"), (0, 0, "0 ± 0")],
    ],
)
def test_a_spread_has_the_decimals_of_its_mean(mean, sd, words):
    row = changed(fd={"mean": mean, "sd": sd, "seeds": [mean]})
    assert checked_rows(COLUMNS, row)[0]["cells"]["fd"]["text"] == words


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": "kind"}, "x: got 'kind', expected one of fd, recall, size"),
        ({"y": "name"}, "y: got 'name', expected one of"),
        ({"sort": "speed"}, "sort: got 'speed', expected one of name, family, fd"),
        ({"log": "x"}, r"log: got 'x', expected those of \('x', 'y'\)"),
        ({"columns": []}, "columns: got none"),
        ({"columns": [FD, FD]}, "columns: got fd, fd, expected at least one, each key once"),
        ({"rows": []}, "rows: got the names"),
        ({"rows": [*ROWS, ROWS[0]]}, "rows: got the names .*, expected at least one model, each name once"),
        ({"rows": changed(family=" ")}, "rows: got 'MAF' of ' '"),
        ({"rows": changed(speed=3)}, "MAF: got speed, expected keys of the columns"),
        ({"rows": changed(fd=float("nan"))}, "MAF, fd: got nan, expected a finite number, or None"),
        ({"rows": changed(fd=True)}, "MAF, fd: got True"),
        ({"rows": changed(fd="20")}, "MAF, fd: got '20'"),
        ({"rows": changed(fd={"mean": 1})}, "MAF, fd: got {'mean': 1}, expected a number, mean, sd and seeds"),
        ({"rows": changed(fd=SEEDS | {"sd": -1})}, "MAF, fd: got the sd -1"),
        ({"rows": changed(fd=SEEDS | {"seeds": [None]})}, "MAF, fd: got None"),
        ({"rows": changed(kind=3)}, "MAF, kind: got 3, expected words"),
        ({"rows": changed(1, **{"kind:why": ""})}, "GAN, kind:why: got ''"),
    ],
)
def test_what_does_not_fit_is_named(given, message):
    columns, rows = given.pop("columns", COLUMNS), given.pop("rows", ROWS)
    with pytest.raises(ValueError, match=message):
        show.ModelTable(columns, rows, **OPENS | given)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (("name", "Name"), "key: got 'name'"),
        (("a:why", "Why"), "key: got 'a:why'"),
        (("a", " "), "label: got ' ', expected words for a"),
        (("a", "A", "", "lower"), "better: got 'lower'"),
        (("a", "A", None, "low"), "better: got 'low', .* None for words"),
    ],
)
def test_what_is_no_column_is_named(column, message):
    with pytest.raises(ValueError, match=message):
        Column(*column)


# Its order and its axes, in Node


@pytest.fixture
def page(node):
    """The value of an expression in the functions of `order.js` and `axis.js`; the table is in `given`."""
    names = "detailsOf, directionOf, isWanted, NAMED, neighbour, sortedBy, sortSentence"
    table = show.ModelTable(COLUMNS, ROWS, **OPENS)

    def value(expression: str, **given: object):
        script = (
            f'import {{ {names} }} from "./model_table/order.js";\n'
            'import { newAxis, tickText } from "./model_table/axis.js";\n'
            "const columnOf = (key) => [...NAMED, ...given.columns].find((column) => column.key === key);\n"
            f"console.log(JSON.stringify({expression}));"
        )
        return node(script, {"rows": table.rows, "columns": table.columns} | given)

    return value


@needs_node
@pytest.mark.parametrize(
    ("key", "backwards", "names", "words", "direction"),
    [
        ("fd", False, ["GAN", "MAF", "Glow", "VAE"], "sorted by Distance, best first", "ascending"),
        ("fd", True, ["MAF", "Glow", "GAN", "VAE"], "sorted by Distance, worst first", "descending"),
        ("recall", False, ["VAE", "MAF", "GAN", "Glow"], "sorted by Recall, best first", "descending"),
        ("recall", True, ["GAN", "MAF", "VAE", "Glow"], "sorted by Recall, worst first", "ascending"),
        ("size", False, ["VAE", "GAN", "MAF", "Glow"], "sorted by Parameters, smallest first", "ascending"),
        ("kind", False, ["VAE", "MAF", "Glow", "GAN"], "sorted by Likelihood, A to Z", "ascending"),
        ("name", True, ["VAE", "MAF", "Glow", "GAN"], "sorted by Model, Z to A", "descending"),
    ],
)
def test_the_best_come_first_and_those_without_a_value_last(page, key, backwards, names, words, direction):
    asked = {"key": key, "backwards": backwards}
    assert page("sortedBy(given.rows, columnOf(given.key), given.backwards).map((row) => row.name)", **asked) == names
    assert page("sortSentence(columnOf(given.key), given.backwards)", **asked) == words
    assert page("directionOf(columnOf(given.key), given.backwards)", **asked) == direction
    if not backwards:
        assert [row["name"] for row in in_order(COLUMNS, checked_rows(COLUMNS, ROWS), key)] == names


@needs_node
@pytest.mark.parametrize(
    ("hidden", "words", "names"),
    [
        ([], "", ["MAF", "GAN", "VAE", "Glow"]),
        (["flow"], "", ["GAN", "VAE"]),
        ([], "  EXACT ", ["MAF", "Glow"]),
        ([], "flow gl", ["Glow"]),
        (["VAE"], "bound", []),
    ],
)
def test_families_and_words_filter(page, hidden, words, names):
    wanted = "given.rows.filter((row) => isWanted(row, given.columns, given.hidden, given.words))"
    assert page(f"{wanted}.map((row) => row.name)", hidden=hidden, words=words) == names


@needs_node
def test_what_is_said_of_a_model_has_its_seeds_and_its_reasons(page):
    said = "given.rows.map((row) => detailsOf(row, given.columns, [columnOf('fd'), columnOf('size')]))"
    maf, gan, vae, glow = page(said)
    assert maf == ["Distance: 20.0 ± 2.0; 3 seeds: 18.0, 20.0, 22.0", "Parameters: 12,300"]
    assert gan == ["Distance: 9.50", "Parameters: 400", "Likelihood: –, no density"]
    assert vae == ["Parameters: 7", "Distance: –, not measured"]
    assert glow == ["Distance: 20.0", "Parameters: 12,300", "Recall: –, not measured"]


@needs_node
def test_arrows_lead_to_the_next_dot_in_their_direction(page):
    dots = [{"name": "a", "x": 5, "y": 30}, {"name": "b", "x": 1, "y": 20}, {"name": "c", "x": 9, "y": 10}]
    keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "Enter"]
    assert page("given.keys.map((key) => neighbour(given.dots, 'a', key))", dots=dots, keys=keys) == [
        *("b", "c", "b", "a", "b", "c", None)
    ]
    assert page("neighbour([], 'a', 'Home')") is None


@needs_node
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "numbers", [[0.02, 0.9], [3, 3], [12, 1_250_000], [1e-7, 2e-7], [40, 55, 160], [1, 1e12], [0, 5], [-3, 2], [-2, -1]]
)
def test_an_axis_places_its_numbers_and_has_round_ticks_within(page, numbers, log):
    axis = page(
        "[newAxis(given.numbers, given.log)].map((axis) => ({ ...axis, at: given.numbers.map(axis.place) }))[0]",
        numbers=numbers,
        log=log,
    )
    for number, at in zip(numbers, axis["at"], strict=True):
        if log and number <= 0:
            assert at is None
        else:
            scaled = log10(number) if log else number
            assert at == pytest.approx((scaled - axis["low"]) / (axis["high"] - axis["low"]), abs=1e-9)
            assert 0 < at < 1
    if not log or max(numbers) > 0:
        ticks = [tick for tick, _ in axis["ticks"]]
        assert 2 <= len(ticks) <= 12
        assert ticks == sorted(set(ticks))
        assert len({words for _, words in axis["ticks"]}) == len(ticks)


@needs_node
def test_ticks_are_words(page):
    values = [0, 0.5, -20, 1500, 1e5, 2e6, 0.001, 1e-4, 2.5e-8, -1e9]
    words = ["0", "0.5", "−20", "1,500", "10⁵", "2×10⁶", "0.001", "10⁻⁴", "2.5×10⁻⁸", "−10⁹"]
    assert page("given.values.map(tickText)", values=values) == words


# Its figure


def figure_of(rows=ROWS, **given):
    return table_figure(COLUMNS, checked_rows(COLUMNS, rows), **{"x": "size", "y": "fd", "sort": "fd"} | given)


def test_the_figure_holds_every_number_and_a_dot_for_each_pair(course_style):
    figure = figure_of(log=["x"])
    plot, sheet = figure.axes
    words = [text.get_text() for text in sheet.texts]
    cells = [cell["text"] for row in checked_rows(COLUMNS, ROWS) for cell in row["cells"].values()]
    assert sorted(words) == sorted(
        [*cells, "Model", "Family", *(c.label for c in COLUMNS), *(row[k] for row in ROWS for k in ("name", "family"))]
    )
    assert [text.get_text() for text in sheet.texts if text.get_position()[0] == 0][1:] == ["GAN", "MAF", "Glow", "VAE"]
    assert plot.get_xscale() == "log"
    dots = {(float(x), float(y)): bars[0].get_color() for bars in plot.containers for x, y in [bars[0].get_xydata()[0]]}
    colours = {place: to_hex(colour) for place, colour in dots.items()}
    assert colours == {(12345, 20): CLASS_COLOURS[0], (400, 9.5): CLASS_COLOURS[1]}
    assert [text.get_text() for text in plot.get_legend().get_texts()] == ["flow", "GAN", "VAE"]


def test_the_still_picture_keeps_the_colours_of_the_families(course_style):
    rows = [row | {"name": f"{row['name']} {k}", "family": f"family {k}"} for k in range(6) for row in ROWS]
    data, _ = show.ModelTable(COLUMNS, rows, **OPENS)._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    seen = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0).astype(float) / 255
    for colour in CLASS_COLOURS[:6]:
        assert np.abs(seen - to_rgb(colour)).max(1).min() < 0.03, colour


def test_nothing_leaves_the_figure_and_no_two_words_of_the_table_meet(course_style):
    rows = [row | {"name": f"{row['name']} of a longer name {k}"} for k in range(9) for row in ROWS]
    figure = figure_of(rows)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[1].texts]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            assert one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 + 1 or other.y1 <= one.y0 + 1
