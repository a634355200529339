"""A headless Chromium, the built book, and a JupyterLab of their own for the browser tests."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from ipywidgets.embed import dependency_state, embed_data
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).parents[2]
HOST = ROOT / "chapters" / "_static" / "widgets.js"
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8"><title>Explorers</title>
<meta name="viewport" content="width=device-width">
<style>body {{ margin: 8px; font-family: sans-serif; {colours} }}</style>
<script type="application/vnd.jupyter.widget-state+json">{state}</script><script src="widgets.js"></script>
<main><h1>Explorers</h1>{views}</main></html>"""
VIEW = '<div><script type="application/vnd.jupyter.widget-view+json">{}</script></div>'
DARK = "background: #14181d; color: #dfe4ea"
LESSON = "04_vae/01_evidence_lower_bound"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, or any other on the path, driven by Playwright."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on the path: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page_with(tmp_path):
    """The address of a new page from disk that holds widgets as the book does: their saved state, and our host."""
    shutil.copy2(HOST, tmp_path)

    def write(*widgets, dark: bool = False, change=lambda state: None) -> str:
        state = dependency_state(widgets, drop_defaults=False)
        data = json.loads(json.dumps(embed_data(views=widgets, drop_defaults=False, state=state)))
        change(data["manager_state"]["state"])
        state, *views = (
            json.dumps(part).replace("</", "<\\/") for part in (data["manager_state"], *data["view_specs"])
        )
        theme = {"theme": "dark", "colours": DARK} if dark else {"theme": "light", "colours": ""}
        file = tmp_path / f"page{len(list(tmp_path.glob('*.html')))}.html"
        file.write_text(PAGE.format(state=state, views="\n".join(map(VIEW.format, views)), **theme), "utf-8")
        return file.as_uri()

    return write


@pytest.fixture
def screen(chromium):
    """Opens an address on a screen of its own; an error, on the console or not, or a request of its page fails."""
    contexts, amiss = [], []

    def open_page(address: str, width: int = 900, height: int = 700, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: amiss.append(str(error)))
        page.on("console", lambda message: message.type == "error" and amiss.append(message.text))
        page.on("request", lambda request: request.url.startswith("http") and amiss.append(request.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert amiss == []


@pytest.fixture(scope="session")
def lesson_notebook() -> Path:
    return ROOT / "chapters" / f"{LESSON}.ipynb"


@pytest.fixture(scope="session")
def lesson_page() -> Path:
    """The lesson in the built book; the build does only what is stale."""
    steps = (
        ["tools/vendor.py"],
        ["-m", "sphinx", "-q", "-b", "html", "-d", "_build/doctrees", "chapters", "_build/html"],
    )
    for step in steps:
        done = subprocess.run([sys.executable, *step], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(step)}\n{done.stdout}\n{done.stderr}"
    if not (ROOT / "chapters" / "_static" / "vendor").exists():
        pytest.skip("npm is not installed: the book takes its scripts from the network")
    return ROOT / "_build" / "html" / f"{LESSON}.html"


@pytest.fixture(scope="session")
def decoder_state(lesson_notebook) -> dict:
    """The latent map's state as it stands in the lesson's notebook: its layers, and its bytes in base64."""
    saved = nbformat.read(lesson_notebook, 4).metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    widget = next(
        item for item in saved.values() if "weights" in {buffer["path"][0] for buffer in item.get("buffers", ())}
    )
    return dict(widget["state"]) | {buffer["path"][0]: buffer["data"] for buffer in widget["buffers"]}


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """A JupyterLab that nothing else uses: called with a notebook, it keeps it, trusts it and returns its address."""
    home = tmp_path_factory.mktemp("jupyterlab")
    notebooks = home / "notebooks"
    notebooks.mkdir()
    for name, setting in SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(setting), "utf-8")
    homes = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    places = (f"--ServerApp.root_dir={notebooks}", f"--LabApp.user_settings_dir={home / 'settings'}")
    options = ("--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", "--IdentityProvider.token=course")
    with (home / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, *places, f"--LabApp.workspaces_dir={home / 'workspaces'}"],
            env=os.environ | homes | {"IPYTHONDIR": str(home / "ipython"), "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=log,
        )
        try:
            address = _address(home, server)

            def keep(name: str, notebook: nbformat.NotebookNode) -> str:
                NotebookNotary(data_dir=str(home / "data")).sign(notebook)
                nbformat.write(notebook, notebooks / name)
                return f"{address}lab/workspaces/{Path(name).stem}/tree/{name}?token=course"

            yield keep
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture(scope="session")
def open_notebook():
    """Opens a notebook at an address of JupyterLab, and waits for its kernel: a cell run sooner asks for one."""

    def opened(page, address: str) -> None:
        page.goto(address)
        page.locator(".jp-NotebookPanel-toolbar").get_by_text("Python 3 (ipykernel)").wait_for(timeout=60_000)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)

    return opened


@pytest.fixture(scope="session")
def run_cell():
    """Runs a code cell to its end; again where JupyterLab, still joining its new kernel, lost the request."""

    def run(page, number: int) -> None:
        cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
        for _ in range(4):
            cell.locator(".jp-InputArea-editor").click()
            page.keyboard.press("Shift+Enter")
            page.wait_for_timeout(1000)
            cell.locator(".jp-InputPrompt").get_by_text("[*]").wait_for(state="detached", timeout=60_000)
            if cell.locator(".jp-InputPrompt").inner_text() != "[ ]:":
                return
        raise AssertionError("JupyterLab did not run the cell")

    return run


@pytest.fixture(scope="session")
def live_notebook(chromium, jupyterlab, open_notebook, run_cell):
    """Opens a new notebook of these code cells in JupyterLab, under a name of its own, and runs the first."""
    pages = []

    def opened(name: str, *sources: str):
        cells = [nbformat.v4.new_code_cell(source.strip()) for source in sources]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        pages.append(page)
        open_notebook(page, jupyterlab(name, notebook))
        run_cell(page, 0)
        return page

    yield opened
    for page in pages:
        page.close()


def _address(home: Path, server: subprocess.Popen) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        for file in (home / "runtime").glob("jpserver-*.json"):
            return json.loads(file.read_text("utf-8"))["url"]
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{(home / 'log.txt').read_text('utf-8')}")
