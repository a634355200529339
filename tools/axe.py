"""Ask axe-core about every page of the built book, in both themes and on a phone.

`python tools/axe.py [part of a name]` prints what it finds, page by page, and the sums by kind. It needs `make book`,
Chromium, Playwright, and axe-core under node_modules (npm ci).
"""

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
HTML = ROOT / "_build" / "html"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS = (("light", 1280), ("dark", 1280), ("light", 390))
ASK = """(tags) => axe.run({runOnly: tags, preload: false, resultTypes: ["violations"]}).then(({violations}) =>
    violations.flatMap(({id, nodes}) => nodes.map(({html}) => [id, html.slice(0, 200)])))"""
SETTLED = "window.MathJax?.startup?.promise?.then(() => 0)"


def violations(browser, page_file: Path, theme: str = "light", width: int = 1280) -> list[tuple[str, str]]:
    """What axe finds in a page: the kind and the element, one pair for each."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_init_script(f"for (const key of ['mode', 'theme']) localStorage.setItem(key, '{theme}')")
    try:
        page = context.new_page()
        page.goto(page_file.as_uri())
        page.evaluate(SETTLED)
        page.wait_for_timeout(500)
        page.add_script_tag(path=AXE)
        return [(kind, element) for kind, element in page.evaluate(ASK, TAGS)]
    finally:
        context.close()


def main(part: str = "") -> None:
    """Every page that has `part` in its name, on every screen."""
    import shutil

    from playwright.sync_api import sync_playwright

    sums = Counter()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for file in sorted(HTML.rglob("*.html")):
            name = file.relative_to(HTML).as_posix()
            for theme, width in SCREENS if part in name and not name.startswith("_") else ():
                found = Counter(kind for kind, _ in violations(browser, file, theme, width))
                sums += found
                print(f"{name} {theme} {width}: {dict(found) or 'nothing'}", flush=True)
    print(f"\nIn all: {dict(sums) or 'nothing'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
