"""A lesson on paper: black on white whatever the theme, each explorer once, and pages that are filled."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

BOXES = "html, body, .bd-article, .bd-article :is(pre, div.highlight, div.cell_input, div.cell_output)"
PAPER = {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
UNBROKEN = """() => [...document.querySelectorAll(".bd-article .cell pre")].flatMap((element) => {
  const amiss = [];
  for (; !element.matches(".bd-article"); element = element.parentElement) {
    const { breakInside, display, overflowX } = getComputedStyle(element);
    if (display !== "none" && (breakInside !== "auto" || display.includes("flex") || overflowX !== "visible"))
      amiss.push(element.className);
  }
  return amiss;
})"""


@pytest.fixture(params=["light", "dark"])
def printed(chromium, lesson_page, request):
    """The lesson as a printer sees it, from a screen in either theme."""
    context = chromium.new_context()
    context.add_init_script(f"for (const key of ['mode', 'theme']) localStorage.setItem(key, '{request.param}')")
    page = context.new_page()
    page.goto(lesson_page.as_uri())
    page.locator(".gm-widget > *").first.wait_for()
    page.emulate_media(media="print")
    yield page
    context.close()


def test_the_paper_is_white_to_its_edge(printed):
    colours = "(boxes) => [...document.querySelectorAll(boxes)].map((box) => getComputedStyle(box).backgroundColor)"
    assert set(printed.evaluate(colours, BOXES)) <= PAPER
    assert printed.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_an_explorer_prints_its_still_and_nothing_else(printed):
    shown = "(items) => items.map((item) => getComputedStyle(item).display)"
    stills, widgets = (printed.locator(kind).evaluate_all(shown) for kind in (".gm-still", ".gm-widget"))
    assert len(stills) >= 2
    assert set(stills) == {"block"}
    assert widgets == ["none"] * len(stills)


def test_long_code_goes_over_to_the_next_page(printed):
    """What is held together, or is a flex box, moves to the next page whole, and leaves half of this one empty."""
    assert printed.evaluate(UNBROKEN) == []
