"""The built book as axe-core sees it, and what a first visit to a lesson weighs."""

from pathlib import Path
from urllib.parse import unquote, urlparse

import axe
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PAGES = (
    "index",
    "05_gan/index",
    "notation",
    "references",
    "search",
    "genindex",
    "404",
)  # tools/axe.py asks of every page
MOST = 3_000_000  # bytes that a lesson may ask for where nothing is kept from before


@pytest.mark.parametrize("theme, width", axe.SCREENS)
def test_axe_finds_nothing(chromium, lesson_page, theme, width):
    if not axe.AXE.exists():
        pytest.skip("axe-core is not under node_modules: npm ci")
    html = lesson_page.parents[1]
    for page in (lesson_page, *(html / f"{name}.html" for name in PAGES)):
        assert axe.violations(chromium, page, theme, width) == [], page.name


def test_a_lesson_is_light_and_says_nothing_on_the_console(chromium, lesson_page):
    asked, said = set(), []
    context = chromium.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.add(request.url))
    page.on("console", lambda message: message.type in ("error", "warning") and said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(lesson_page.as_uri())
    page.evaluate(axe.SETTLED)
    page.wait_for_timeout(1000)
    files = [Path(unquote(urlparse(url).path)) for url in asked if url.startswith("file:")]
    weight = sum(file.stat().st_size for file in files)
    context.close()
    assert said == []
    assert weight <= MOST, sorted(((file.stat().st_size, file.name) for file in files), reverse=True)[:6]


def test_the_icons_need_no_script_and_no_font(lesson_page):
    for page in (lesson_page, *(lesson_page.parents[1] / f"{name}.html" for name in PAGES)):
        assert "fontawesome.js" not in page.read_text("utf-8"), page


def test_a_formula_is_read_as_mathml_and_is_no_tab_stop(chromium, lesson_page):
    page = chromium.new_page()
    page.goto(lesson_page.as_uri())
    page.evaluate(axe.SETTLED)
    formulas = page.locator("mjx-container")
    assert formulas.count() > 100
    assert page.locator("mjx-container > mjx-assistive-mml > math").count() == formulas.count()
    assert page.locator("p mjx-container[tabindex]").count() == 0
    page.close()
