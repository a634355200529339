"""The landing page in a browser, from disk: the lens wanders, can be held, dragged and moved from the keyboard."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def landing(chromium, lesson_page):
    """Opens the landing page, in motion or not, and returns it with its lens."""
    contexts = []

    def opened(motion: str = "no-preference"):
        contexts.append(chromium.new_context(reduced_motion=motion, viewport={"width": 1280, "height": 900}))
        page = contexts[-1].new_page()
        page.goto((lesson_page.parents[1] / "index.html").as_uri())
        page.locator(".lens").wait_for()
        return page, page.locator(".lens-place")

    yield opened
    for context in contexts:
        context.close()


def moves(page, place, milliseconds: int = 1500) -> bool:
    before = place.inner_text()
    page.wait_for_timeout(milliseconds)
    return place.inner_text() != before


def test_the_lens_wanders_until_it_is_held(landing):
    page, place = landing()
    assert moves(page, place)
    page.get_by_role("button", name="Hold it still").click()
    assert not moves(page, place)
    page.get_by_role("button", name="Let it wander").click()
    assert moves(page, place)


def test_the_lens_stays_where_less_motion_is_wanted(landing):
    page, place = landing("reduce")
    assert not moves(page, place)


def test_the_lens_is_dragged_and_moved_by_keys(landing):
    page, place = landing("reduce")
    lens, plane = page.locator(".lens"), page.locator(".plane").bounding_box()
    painted = "canvas => canvas.toDataURL()"
    before = page.locator(".lens canvas").evaluate(painted)
    page.mouse.move(plane["x"] + plane["width"] * 0.4, plane["y"] + plane["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(plane["x"] + plane["width"] * 0.5, plane["y"] + plane["height"] * 0.5)
    page.mouse.up()
    assert place.inner_text() in ("z = (0.00, 0.00)", "z = (0.00, −0.00)")
    assert page.locator(".lens canvas").evaluate(painted) != before
    lens.press("ArrowRight")
    assert place.inner_text() == "z = (0.04, 0.00)"
    assert lens.get_attribute("aria-valuetext") == place.inner_text()
