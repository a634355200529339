"""A Sphinx extension for style sheets and scripts that one kind of page alone needs, so that no other pays for them."""

from pathlib import Path

from sphinx.application import Sphinx

from gmcourse.show.explorer import joined

HERE = Path(__file__).parent
LANDING = "index"
ABOUT = ("instructors", "notation")


def latent_plane() -> str:
    """The landing page's explorer as one script: a decoder, and the lens that reads it."""
    decoder = (HERE / "latent_plane.json").read_text("utf-8").strip()
    return f"const LATENT_PLANE = {decoder};\n{joined(HERE / 'latent_plane.js')}"


def dress(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Give the landing page its style sheet and its explorer, a chapter's index its style sheet."""
    if pagename == LANDING:
        app.add_css_file("landing.css")
        app.add_js_file(None, body=latent_plane(), type="module")
    if pagename in (LANDING, *ABOUT) or pagename.endswith("/index"):
        app.add_css_file("chapter.css")


def setup(app: Sphinx) -> dict:
    """Connect it to Sphinx."""
    app.connect("html-page-context", dress)
    return {"parallel_read_safe": True}
