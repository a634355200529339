"""Draw the picture that a shared link shows, from the landing page's: 1200×630. Run: python tools/card.py

Needs Chromium, and the fonts that tools/vendor.py fetches.
"""

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

STATIC = Path(__file__).resolve().parents[1] / "chapters" / "_static"
PAGE = """<!doctype html><style>
@font-face { font-family: Heading; font-weight: 200 900;
  src: url("vendor/fonts/source-sans-3-latin-wght-normal.woff2"); }
body { margin: 0; width: 1200px; height: 630px; overflow: hidden; background: #fff; font-family: Heading, sans-serif; }
img { position: absolute; width: 590px; right: 20px; top: 20px; }
h1, p { position: absolute; left: 64px; margin: 0; width: 500px; }
h1 { top: 130px; font-size: 88px; line-height: 1; letter-spacing: -0.025em; color: #1f2733; }
p { top: 424px; font-size: 31px; line-height: 1.3; color: #5b6675; }
</style><img src="hero.svg"><h1>Deep Generative Models</h1>
<p>An open course: derived, built, trained on your laptop, and broken on purpose.</p>"""


def main() -> None:
    """Lay the page out, photograph it, and keep few enough colours for a small file."""
    page_file = STATIC / "card.html"  # beside what it shows
    page_file.write_text(PAGE, "utf-8")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 630})
            page.goto(page_file.as_uri())
            page.evaluate("document.fonts.ready.then(() => 0)")
            picture = Image.open(io.BytesIO(page.screenshot()))
    finally:
        page_file.unlink()
    picture.convert("RGB").quantize(28, dither=Image.Dither.NONE).save(STATIC / "card.png", optimize=True)


if __name__ == "__main__":
    main()
