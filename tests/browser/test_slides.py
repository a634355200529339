"""A deck on a screen of 1280 × 720: nothing is cut off, formulas are set, an explorer and the deck share the keys."""

import re
from pathlib import Path

import pytest
import slides

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
LESSON, LARGE = "04_vae/01_evidence_lower_bound", "05_gan/01_two_player_game"
CUT = """() => {
  const slide = document.querySelector("section.present section.present");
  const [box, edge] = [slide.querySelector(".fit"), slide.getBoundingClientRect()];
  const out = [...box.querySelectorAll(":scope *")].filter((part) => {
    if (part.closest("details:not([open])") && !part.closest("summary")) return false;
    if (part.closest("aside, mjx-assistive-mml") || part.parentElement.closest(".explorer, svg, pre")) return false;
    const { left, right, top, bottom, width, height } = part.getBoundingClientRect();
    const inside = left > edge.left - 1 && right < edge.right + 1 && top > edge.top - 1 && bottom < edge.bottom + 1;
    return width && height && !inside;
  });
  return {
    heading: box.querySelector("h1, h2").innerText,
    scale: Number(box.dataset.scale),
    full: slide.matches(".overfull"),
    out: out.map((part) => part.outerHTML.slice(0, 120)),
    raw: /\\$\\$|\\\\tag|\\\\frac/.test(box.innerText),
    amiss: box.querySelectorAll("mjx-merror, .gm-widget-failed").length,
  };
}"""
PLACE = "() => location.hash"


@pytest.fixture(scope="module")
def decks(tmp_path_factory) -> Path:
    """The decks of two lessons."""
    if not (ROOT / "chapters" / "_static" / "vendor" / "reveal").exists():
        pytest.skip("npm is not installed: a deck takes its scripts from the network")
    out = tmp_path_factory.mktemp("slides")
    slides.build(ROOT, out, [LESSON, LARGE])
    return out


@pytest.fixture
def opened(screen, decks):
    """Opens a deck at a place, such as "/3/1", and waits until it is ready."""

    def open_deck(lesson: str, place: str = ""):
        page = screen((decks / f"{lesson}.html").as_uri() + place, 1280, 720)
        page.wait_for_selector("html[data-deck=ready]", state="attached", timeout=60_000)
        return page

    return open_deck


def place_of(decks: Path, lesson: str, sign: str) -> str:
    """Where the first slide stands that holds the text `sign`."""
    text = (decks / f"{lesson}.html").read_text("utf-8").partition("<main")[2]
    stacks = re.split(r"\n<section>\n(?=<section>)", text)[1:]
    return next(
        f"#/{across}/{down}"
        for across, stack in enumerate(stacks)
        for down, slide in enumerate(stack.split("<section>")[1:])
        if sign in slide
    )


@pytest.mark.parametrize("lesson", [LESSON, LARGE])
def test_no_slide_is_cut_off_and_every_formula_is_set(opened, lesson):
    page = opened(lesson)
    seen = []
    for _ in range(page.locator(".fit, .fragment").count()):
        page.wait_for_timeout(100)
        seen.append(page.evaluate(CUT))
        page.keyboard.press("Space")
    assert len({page["heading"] for page in seen}) > 8
    assert [slide for slide in seen if slide["full"] or slide["out"] or slide["raw"] or slide["amiss"]] == []
    assert min(slide["scale"] for slide in seen) >= 0.7
    assert sum(slide["scale"] == 1 for slide in seen) > 0.7 * len(seen)
    assert page.locator("mjx-container").count() > 100


def test_the_notes_are_the_speakers(opened):
    page = opened(LESSON)
    assert page.locator("aside.notes").count() > 10
    assert not any(note.is_visible() for note in page.locator("aside.notes").all())


def test_an_explorer_answers_a_key_and_the_deck_stays(opened, decks):
    page = opened(LESSON, place_of(decks, LESSON, 'class="explorer"'))
    begun = page.evaluate(PLACE)
    slider = page.locator("section.present section.present .explorer input[type=range]").first
    slider.wait_for()
    before = slider.input_value()
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.input_value() != before
    assert page.evaluate(PLACE) == begun
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_function("begun => location.hash !== begun", arg=begun, timeout=5_000)


def test_an_explorer_too_tall_stands_beside_its_caption_and_its_buttons_take_their_own_keys(opened, decks):
    page = opened(LARGE, place_of(decks, LARGE, "Figure 5.1.5"))
    begun = page.evaluate(PLACE)
    explorer = page.locator("section.present section.present .explorer")
    button = explorer.get_by_role("button", name="Step both")
    button.wait_for()
    page.locator(".caption.beside").first.wait_for(state="attached")
    assert page.evaluate(CUT)["out"] == []
    box, caption = explorer.bounding_box(), page.locator("section.present section.present .caption").bounding_box()
    assert box["x"] + box["width"] <= caption["x"]
    before = explorer.inner_text()
    button.focus()
    page.keyboard.press("Space")
    page.wait_for_timeout(500)
    assert explorer.inner_text() != before
    assert page.evaluate(PLACE) == begun


def test_code_is_folded_and_fits_when_it_is_opened(opened, decks):
    page = opened(LESSON, place_of(decks, LESSON, "details"))
    fold = page.locator("section.present section.present details").first
    assert not fold.locator(".highlight").is_visible()
    begun = page.evaluate(PLACE)
    fold.locator("summary").press("Space")
    fold.locator(".highlight").wait_for()
    page.wait_for_timeout(200)
    assert not page.evaluate(CUT)["full"]
    assert page.evaluate(PLACE) == begun
