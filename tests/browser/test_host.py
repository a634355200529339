"""The host of the published page, _static/widgets.js: what it gives a module, and that it never fails in silence."""

import anywidget
import pytest
import traitlets

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
COUNTER = """
let begun = 0;
export default async () => ({
  initialize({ model }) { begun += 1; model.set("label", `${model.get("label")} ${begun}`); },
  render({ model, el }) {
    const button = document.createElement("button");
    const show = () => (button.textContent = `${model.get("label")}: ${model.get("count")}`);
    const bytes = [model.get("one"), ...model.get("many")].map((view) => view.getUint8(view.byteLength - 1));
    button.addEventListener("click", () => { model.set("count", model.get("count") + 1); model.save_changes(); });
    model.on("change:count change:label", show);
    button.addEventListener("contextmenu", () => model.off("change:count", show));
    button.dataset.bytes = bytes.join();
    el.append(button);
    show();
  },
});
"""


class Counter(anywidget.AnyWidget):
    _esm = COUNTER
    _css = "button { color: rgb(1, 2, 3); }\n"
    one = traitlets.Bytes(b"\x00\x01").tag(sync=True)
    many = traitlets.List(traitlets.Bytes(), [b"\x02", b"\xff\x03"]).tag(sync=True)
    label = traitlets.Unicode("clicks").tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)


@pytest.fixture
def opened(chromium, page_with):
    """The page with these widgets, and what its console says of errors."""
    pages = []

    def open_page(*widgets, **options):
        page = chromium.new_page()
        pages.append(page)
        said = []
        page.on("console", lambda message: message.type == "error" and said.append(message.text))
        page.goto(page_with(*widgets, **options))
        page.locator(".gm-widget > *, .gm-widget-failed").first.wait_for()
        return page, said

    yield open_page
    for page in pages:
        page.close()


def test_a_module_gets_its_traits_its_bytes_and_its_style_and_hears_of_changes(opened):
    page, said = opened(Counter())
    button = page.get_by_role("button")
    assert button.inner_text() == "clicks 1: 0"
    assert button.get_attribute("data-bytes") == "1,2,3"
    assert button.evaluate("(root) => getComputedStyle(root).color") == "rgb(1, 2, 3)"
    button.click()
    assert button.inner_text() == "clicks 1: 1"
    button.dispatch_event("contextmenu")
    button.click()
    assert button.inner_text() == "clicks 1: 1"
    assert said == []


def test_two_places_of_one_widget_share_it_and_two_widgets_do_not(opened):
    one, other = Counter(), Counter()
    page, _ = opened(one, one, other)
    page.wait_for_function("document.querySelectorAll('button').length === 3")
    page.get_by_role("button").nth(0).click()
    assert page.get_by_role("button").all_inner_texts() == ["clicks 1: 1", "clicks 1: 1", "clicks 1: 0"]


def lost(state):
    state.clear()


def foreign(state):
    next(iter(state.values())).update(model_module="@jupyter-widgets/controls", model_name="VBoxModel")


def source(text):
    def change(state):
        next(item["state"] for item in state.values() if "_esm" in item["state"])["_esm"] = text

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lost, "its state was not saved with the notebook"),
        (foreign, "VBoxModel is no anywidget, and this page runs no other"),
        (source("export default {};"), "its module has nothing to render"),
        (source("export function render() { throw new Error('no canvas') }"), "no canvas"),
        (source("not JavaScript"), "Unexpected identifier"),
    ],
)
def test_what_does_not_run_is_said_in_its_place_and_in_the_console(opened, change, reason):
    page, said = opened(Counter(), change=change)
    line = page.locator(".gm-widget-failed").inner_text()
    assert line.startswith("This explorer does not run here: ")
    assert reason in line
    assert any(reason in message for message in said)


def test_one_that_fails_does_not_take_the_others_with_it(opened):
    page, _ = opened(Counter(), Counter(), change=source("export default {};"))
    page.get_by_role("button").wait_for()
    assert page.locator(".gm-widget-failed").count() == 1


def test_the_host_stays_small(request):
    host = request.path.parents[2] / "chapters" / "_static" / "widgets.js"
    assert len(host.read_text("utf-8").splitlines()) <= 120
