"""Fetch what the book carries with it (maths, widgets, fonts) from npm into _static/vendor, so that it reads offline.

The versions are pinned in package.json and package-lock.json. Run before Sphinx: `python tools/vendor.py`. A machine
without npm gets the addresses of a CDN instead.
"""

import json
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "chapters" / "_static" / "vendor"
CDN = "https://cdn.jsdelivr.net/npm/"
FONT = "@mathjax/mathjax-newcm-font"

COPIES = {  # under node_modules -> under _static/vendor
    "mathjax/startup.js": "mathjax/",
    "mathjax/core.js": "mathjax/",
    "mathjax/a11y/assistive-mml.js": "mathjax/a11y/",
    "mathjax/input/tex.js": "mathjax/input/",
    "mathjax/input/tex/extensions/*.js": "mathjax/input/tex/extensions/",
    "mathjax/output/chtml.js": "mathjax/output/",
    f"{FONT}/chtml.js": "mathjax-newcm-font/",
    f"{FONT}/chtml/dynamic/*.js": "mathjax-newcm-font/chtml/dynamic/",
    f"{FONT}/chtml/woff2/*.woff2": "mathjax-newcm-font/chtml/woff2/",
    "requirejs/require.js": "",
    "anywidget/dist/index.js": "anywidget/",
    "@jupyter-widgets/html-manager/dist/embed-amd.js": "html-manager/",
    "@jupyter-widgets/html-manager/dist/*.woff2": "html-manager/",
    "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-*.woff2": "fonts/",
    "@fontsource-variable/source-sans-3/files/source-sans-3-latin-wght-normal.woff2": "fonts/",
    "@fontsource-variable/source-code-pro/files/source-code-pro-*-wght-normal.woff2": "fonts/",
}


def pins() -> dict[str, str]:
    """The npm packages of package.json, each with its one version."""
    return json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]


def vendor() -> str:
    """Fill _static/vendor where it is missing or the pins have changed; returns what was done, in one line."""
    stamp, wanted = VENDOR / "pins.json", json.dumps([pins(), COPIES], indent=1)
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return f"{VENDOR.relative_to(ROOT)} is up to date"
    npm = shutil.which("npm")
    if npm is None:
        return "npm was not found: the book takes its maths and widgets from a CDN, and needs the network to be read"
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=ROOT, check=True)
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, folder in COPIES.items():
        for file in (ROOT / "node_modules").glob(source):
            (VENDOR / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, VENDOR / folder)
    stamp.write_text(wanted, "utf-8")
    return f"{VENDOR.relative_to(ROOT)} is filled from npm"


def sphinx_settings(static: Path) -> dict:
    """Where Sphinx finds maths and widgets: in `static`/vendor, or on the CDN where that folder is missing."""
    if not (static / "vendor").exists():
        at = {name: f"{CDN}{name}@{version}" for name, version in pins().items()}
        return {
            **mathjax(f"{at['mathjax']}/startup.js", at[FONT]),
            "nb_ipywidgets_js": {
                f"{at['requirejs']}/require.js": {},
                "widgets.js": {},
                f"{at['@jupyter-widgets/html-manager']}/dist/embed-amd.js": {"data-jupyter-widgets-cdn": CDN},
            },
        }
    return {
        **mathjax("vendor/mathjax/startup.js", "[mathjax]/../mathjax-newcm-font"),
        "nb_ipywidgets_js": {"vendor/require.js": {}, "widgets.js": {}, "vendor/html-manager/embed-amd.js": {}},
    }


def mathjax(startup: str, font: str) -> dict:
    """The parts of MathJax that a page needs: formulas as text with a font, and as MathML for a screen reader."""
    parts = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]
    return {"mathjax_path": startup, "mathjax4_config": {"loader": {"load": parts}, "output": {"fontPath": font}}}


if __name__ == "__main__":
    print(vendor())
