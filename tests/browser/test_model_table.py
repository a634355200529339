"""The model table by mouse, keyboard and finger in a page from disk, and live in JupyterLab."""

import random
import re

import axe
import pytest

from gmcourse import show
from gmcourse.show import Column

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
COLUMNS = [
    Column("fd", "Fréchet distance", "", "low"),
    Column("recall", "Recall", "", "high"),
    Column("seconds", "Time", "s", "low"),
    Column("size", "Parameters"),
    Column("kind", "Likelihood", None),
]
LIVE = """
from gmcourse import show
table = show.ModelTable(
    [show.Column("a", "A", "", "low"), show.Column("b", "B")],
    [{"name": "one", "family": "f", "a": 2, "b": 1}, {"name": "two", "family": "g", "a": 1, "b": 3}],
    x="a", y="b", sort="a", alt="Two models.",
)
display(table)
"""


def models():
    """Twelve models in three families, one without a distance."""
    random.seed(3)
    rows = []
    for number in range(12):
        seeds = [random.uniform(20, 200) for _ in range(5)]
        mean = sum(seeds) / 5
        fd = {"mean": mean, "sd": (sum((seed - mean) ** 2 for seed in seeds) / 4) ** 0.5, "seeds": seeds}
        family = ("flow", "GAN", "VAE")[number % 3]
        likelihood = {"flow": "exact", "VAE": "a bound"}.get(family)
        row = {"name": f"{family} {number}", "family": family, "fd": fd, "recall": round(random.random(), 4)}
        row |= {"seconds": 10 ** random.uniform(-3, 3), "size": random.randrange(0, 10**6), "kind": likelihood}
        rows.append(row if likelihood else row | {"kind:why": "it has no density"})
    rows[0] |= {"fd": None, "fd:why": "ran out of time"}
    rows[1]["size"] = 0
    return rows


ROWS = models()


def mean(row):
    return row["fd"]["mean"] if row["fd"] else None


BEST_FIRST = [row["name"] for row in sorted(ROWS[1:], key=mean)] + ["flow 0"]


@pytest.fixture
def opened(screen, page_with):
    """A page from disk with the table."""

    def open_page(width=1280, dark=False, height=900, **options):
        table = show.ModelTable(COLUMNS, ROWS, x="seconds", y="fd", sort="fd", log=["x"], alt="Twelve models.")
        page = screen(page_with(table, dark=dark), width, height, **options)
        page.locator(".gm-model-table .gm-dot").first.wait_for(state="attached")
        return page

    return open_page


def names(page):
    return [name.strip() for name in page.locator(".gm-models tbody .gm-choose").all_inner_texts()]


def head(page, name):
    return page.get_by_role("columnheader", name=name)


def said(page):
    return page.locator(".gm-model-table > .gm-said").inner_text()


def focused(page):
    return page.evaluate("document.activeElement.dataset.name ?? document.activeElement.innerText.trim()")


def lit(page):
    rows = page.locator(".gm-models tr.gm-lit .gm-choose").all_inner_texts()
    dots = page.locator(".gm-dot.gm-lit").evaluate_all("(all) => all.map((dot) => dot.dataset.name)")
    return [row.strip() for row in rows], dots


def places(page):
    """Where the middle of each dot is on the screen."""
    script = """(all) => Object.fromEntries(all.filter((dot) => dot.style.display !== "none").map((dot) => {
      const box = dot.querySelector("circle").getBoundingClientRect();
      return [dot.dataset.name, [box.x + box.width / 2, box.y + box.height / 2]];
    }))"""
    return page.locator(".gm-dot").evaluate_all(script)


def test_a_head_sorts_and_says_so(opened):
    page = opened()
    assert names(page) == BEST_FIRST
    assert head(page, "Fréchet distance").get_attribute("aria-sort") == "ascending"
    head(page, "Fréchet distance").get_by_role("button").click()
    assert names(page) == [*reversed(BEST_FIRST[:-1]), "flow 0"]
    assert said(page) == "sorted by Fréchet distance, worst first"
    head(page, "Recall").get_by_role("button").click()
    assert names(page) == [row["name"] for row in sorted(ROWS, key=lambda row: -row["recall"])]
    assert said(page) == "sorted by Recall, best first"
    assert page.locator(".gm-model-table > .gm-said").get_attribute("aria-live") == "polite"
    assert page.locator("[aria-sort]").count() == 1
    assert head(page, "Recall").get_attribute("aria-sort") == "descending"
    head(page, "Model").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert said(page) == "sorted by Model, A to Z"
    assert focused(page).startswith("Model")


def test_the_numbers_in_the_table_are_those_given(opened):
    page = opened()
    for row in ROWS:
        line = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=row["name"], exact=True))
        cells = line.get_by_role("cell").all_inner_texts()
        if row["fd"]:
            value, sd = (float(part) for part in cells[1].split(" ± "))
            assert value == pytest.approx(row["fd"]["mean"], rel=6e-3)
            assert sd == pytest.approx(row["fd"]["sd"], abs=0.51 if value >= 100 else 0.051)
        assert float(cells[2]) == pytest.approx(row["recall"], rel=6e-3)
        assert float(cells[4].replace(",", "")) == pytest.approx(row["size"], rel=6e-3)
    none = page.locator("td[title='ran out of time']")
    assert none.inner_text().split("\n") == ["–", "none: ran out of time"]
    assert none.get_by_text("–", exact=True).get_attribute("aria-hidden") == "true"


def test_families_and_words_filter_and_the_count_is_said(opened):
    page = opened()
    count = page.get_by_role("status")
    page.get_by_role("checkbox", name="GAN").uncheck()
    assert names(page) == [name for name in BEST_FIRST if "GAN" not in name]
    assert count.inner_text() == "8 of 12 models"
    assert not [name for name in places(page) if "GAN" in name]
    page.get_by_role("searchbox", name="Find").fill("bound")
    assert count.inner_text() == "4 of 12 models"
    assert sorted(places(page)) == sorted(names(page)) == ["VAE 11", "VAE 2", "VAE 5", "VAE 8"]
    page.get_by_role("searchbox", name="Find").fill("nothing")
    assert count.inner_text() == "0 of 12 models"
    assert places(page) == {}
    page.get_by_role("button", name="Show all").click()
    assert names(page) == BEST_FIRST
    assert page.get_by_role("checkbox", name="GAN").is_checked()
    assert not page.get_by_role("button", name="Show all").is_visible()


def is_monotone(pairs, sign):
    ordered = sorted(pairs)
    return all(sign * (two - one) > -0.2 for (_, one), (_, two) in zip(ordered, ordered[1:], strict=False))


def test_any_two_properties_are_plotted(opened):
    page = opened()
    at = places(page)
    rows = {row["name"]: row for row in ROWS}
    assert sorted(at) == sorted(name for name in rows if name != "flow 0")
    assert page.locator(".gm-without").inner_text() == "Not in this plot, for want of a number: flow 0."
    assert is_monotone([(rows[name]["seconds"], x) for name, (x, _) in at.items()], 1)
    assert is_monotone([(mean(rows[name]), y) for name, (_, y) in at.items()], -1)
    page.get_by_role("combobox", name="Across").select_option("Parameters")
    page.get_by_role("combobox", name="Up").select_option("Recall")
    at = places(page)
    assert sorted(at) == sorted(set(rows) - {"GAN 1"})  # whose 0 has no logarithm
    page.get_by_role("checkbox", name="log scale, across").uncheck()
    at = places(page)
    assert len(at) == 12
    assert page.locator(".gm-without").inner_text() == ""
    size, recall = (sorted(at, key=lambda name: rows[name][key]) for key in ("size", "recall"))
    for axis, order in ((0, size), (1, recall)):  # linear: as far apart as their numbers
        key = "size" if axis == 0 else "recall"
        low, high = order[0], order[-1]
        for name in order:
            share = (rows[name][key] - rows[low][key]) / (rows[high][key] - rows[low][key])
            seen = (at[name][axis] - at[low][axis]) / (at[high][axis] - at[low][axis])
            assert seen == pytest.approx(share, abs=2e-3)
    assert page.get_by_role("group", name=re.compile("^Plot of Recall against Parameters, 12 models")).count() == 1


def test_the_pointer_marks_dot_and_row_and_seeds_and_a_press_keeps_them(opened):
    page = opened()
    first = page.get_by_role("row").filter(has_text="VAE 5")
    first.get_by_role("rowheader").hover()
    assert lit(page) == (["VAE 5"], ["VAE 5"])
    assert page.locator(".gm-seed").count() == 5
    details = page.locator(".gm-details").inner_text()
    assert re.fullmatch(r"VAE 5 \(VAE\). Fréchet distance: \S+ ± \S+; 5 seeds: (\S+, ){4}\S+\. Time: \S+ s\.", details)
    page.mouse.move(2, 2)
    assert lit(page) == ([], [])
    page.locator('.gm-dot[data-name="VAE 8"]').dispatch_event("click")
    page.mouse.move(3, 3)
    assert lit(page) == (["VAE 8"], ["VAE 8"])
    assert page.get_by_role("button", name="VAE 8", pressed=True).count() == 2
    page.get_by_role("rowheader", name="flow 0").click()
    assert lit(page) == (["flow 0"], [])
    assert "Fréchet distance: –, ran out of time" in page.locator(".gm-details").inner_text()


def test_nothing_moves_under_the_pointer(opened):
    """What is said of a model has room, else the row that is pointed at would slip away."""
    page = opened(390)
    top = page.locator(".gm-scrolls").bounding_box()["y"]
    for line in page.locator(".gm-models tbody tr").all():
        line.dispatch_event("pointerenter")
        assert page.locator(".gm-scrolls").bounding_box()["y"] == top


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_does_all_that_the_mouse_does(opened, width):
    page = opened(width)
    page.evaluate("addEventListener('keydown', ({ key }) => key !== 'Tab' && (window.bubbled = key))")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert not page.get_by_role("checkbox", name="flow").is_checked()
    page.keyboard.press("Space")
    assert page.locator('.gm-dot[tabindex="0"]').count() == 1
    page.get_by_role("checkbox", name="log scale, across").focus()
    page.keyboard.press("Tab")
    across = sorted(places(page).items(), key=lambda item: item[1][0])
    page.keyboard.press("Home")
    assert focused(page) == across[0][0]
    page.keyboard.press("ArrowRight")
    assert focused(page) == across[1][0]
    assert lit(page) == ([across[1][0]], [across[1][0]])
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert re.fullmatch(rf"{across[1][0]}, \w+: Fréchet distance: \S+ ± \S+, Time: \S+ s", label)
    page.keyboard.press("ArrowUp")
    assert places(page)[focused(page)][1] < places(page)[across[1][0]][1]
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    chosen = focused(page)
    assert chosen == across[-1][0]
    box, row = (page.locator(part).bounding_box() for part in (".gm-scrolls", ".gm-models tr.gm-lit"))
    assert box["y"] <= row["y"] + 1
    assert row["y"] + row["height"] <= box["y"] + box["height"] + 1
    page.keyboard.press("Escape")
    assert page.get_by_role("button", pressed=True).count() == 0
    for _ in range(9):  # the box of the table, its seven heads, its names
        page.keyboard.press("Tab")
    order = names(page)
    page.keyboard.press("Home")
    assert focused(page) == order[0]
    page.keyboard.press("ArrowDown")
    assert lit(page) == ([order[1]], [order[1]])
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name=order[1], pressed=True).count() == 2
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.gm-model-table')") is None
    assert page.evaluate("window.bubbled ?? 'none'") == "none"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(opened, dark, width):
    if not axe.AXE.exists():
        pytest.skip("axe-core is not under node_modules: npm ci")
    page = opened(width, dark)
    page.get_by_role("rowheader", name="flow 0").click()
    page.add_script_tag(path=axe.AXE)
    assert page.evaluate(axe.ASK, axe.TAGS) == []


def test_phone(opened):
    page = opened(390, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for target in page.locator(".gm-model-table :is(button, select, label, .gm-target)").locator("visible=true").all():
        assert target.bounding_box()["height"] >= 23.9
    page.locator('.gm-choose:has-text("VAE 2")').tap()
    assert page.locator('.gm-dot[data-name="VAE 2"]').get_attribute("aria-pressed") == "true"
    page.set_viewport_size({"width": 700, "height": 800})
    page.wait_for_function("document.querySelector('.gm-scatter').getAttribute('viewBox').split(' ')[2] > 600")


def test_live_with_a_running_kernel(live_notebook, run_cell):
    """The kernel hears what is sorted and chosen, and the page hears the kernel; keys stay in the explorer."""
    page = live_notebook("table.ipynb", LIVE, "print('kernel sees', table.sort, table.chosen)\ntable.y = 'a'")
    page.locator(".gm-model-table .gm-dot").first.wait_for(state="attached", timeout=60_000)
    assert names(page) == ["two", "one"]
    page.get_by_role("columnheader", name="B", exact=True).get_by_role("button").click()
    assert names(page) == ["one", "two"]
    page.locator(".gm-choose").first.focus()
    page.keyboard.press("Enter")
    for key in "ddx":
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
    run_cell(page, 1)
    page.get_by_text("kernel sees b one").wait_for(timeout=20_000)
    page.get_by_role("group", name=re.compile("^Plot of A against A")).wait_for(timeout=20_000)
