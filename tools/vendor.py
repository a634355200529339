"""Fetch what the book carries with it (maths, fonts) from npm into _static/vendor, so that it reads offline.

The versions are pinned in package.json and package-lock.json. Run before Sphinx: `python tools/vendor.py`. Where npm is
missing or cannot fetch them, what is there already is kept; where nothing is, the book takes its maths from a CDN.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "chapters" / "_static" / "vendor"
CDN = "https://cdn.jsdelivr.net/npm/"
FONT = "@mathjax/mathjax-newcm-font"
NPM_CI = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
# One more try after a second, and 10 seconds for an answer: npm's own patience with no network is three minutes.
WAITS = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000", "--fetch-timeout=10000"]
LONGEST = 300  # seconds for all of it, on a network that answers and is slow

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
    "reveal.js/dist/reveal.js": "reveal/",
    "reveal.js/dist/re*.css": "reveal/",
    "reveal.js/dist/plugin/notes.js": "reveal/plugin/",
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
    name = VENDOR.relative_to(ROOT).as_posix()
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return f"{name} is up to date"
    if not (amiss := _install()):
        _fill(wanted)
        return f"{name} is filled from npm"
    if stamp.exists():
        return f"{amiss}: {name} is kept as it was, with other versions than package.json now names"
    return f"{amiss}: the book takes its maths from a CDN, and needs the network to be read"


def _install() -> str:
    """Run npm; returns what went wrong, in a few words, or nothing."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm was not found"
    try:
        done = subprocess.run([npm, *NPM_CI, *WAITS], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return f"npm was stopped after {LONGEST} seconds"
    code = next((line.split()[-1] for line in done.stderr.splitlines() if line.startswith("npm error code")), "")
    return f"npm could not fetch the packages ({code or f'exit status {done.returncode}'})" if done.returncode else ""


def _fill(wanted: str) -> None:
    """Put a full folder in the place of the old one; a file that is missing raises, and leaves the old one."""
    with tempfile.TemporaryDirectory(dir=VENDOR.parent, prefix=".vendor-") as place:
        new = Path(place) / "new"
        for source, folder in COPIES.items():
            files = list((ROOT / "node_modules").glob(source))
            if not files:
                raise FileNotFoundError(f"node_modules/{source}: got no file, expected what npm has just installed")
            (new / folder).mkdir(parents=True, exist_ok=True)
            for file in files:
                shutil.copy2(file, new / folder)
        (new / "pins.json").write_text(wanted, "utf-8")
        if VENDOR.exists():
            VENDOR.rename(Path(place) / "old")
        new.rename(VENDOR)


def sphinx_settings(static: Path) -> dict:
    """Where Sphinx finds its maths: in `static`/vendor, or on the CDN where that folder is missing."""
    if (static / "vendor" / "pins.json").exists():
        return mathjax("vendor/mathjax/startup.js", "[mathjax]/../mathjax-newcm-font")
    at = {name: f"{CDN}{name}@{version}" for name, version in pins().items()}
    return mathjax(f"{at['mathjax']}/startup.js", at[FONT])


def mathjax(startup: str, font: str) -> dict:
    """The parts of MathJax that a page needs: formulas as text with a font, and as MathML for a screen reader."""
    parts = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]
    return {"mathjax_path": startup, "mathjax4_config": {"loader": {"load": parts}, "output": {"fontPath": font}}}


if __name__ == "__main__":
    print(vendor())
