"""Make a deck of slides of each lesson, from its executed notebook, under _build/slides: `python tools/slides.py`.

The decks carry what they need with them: reveal.js, maths, letters and explorers, as tools/vendor.py has fetched them.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import nbformat
import yaml
from deck.export import HERE, contents, page, style
from vendor import CDN, pins, sphinx_settings

from gmcourse.lab.course import read_course

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "chapters" / "_static"
OUT = ROOT / "_build" / "slides"


def places(static: Path) -> tuple[dict[str, str], dict]:
    """The addresses of what a deck loads, as from its folder, and MathJax's configuration."""
    settings = sphinx_settings(static)
    here, startup = "../_static/", settings["mathjax_path"]
    reveal = f"{here}vendor/reveal/"
    if "://" in startup:
        return {
            "static": here,
            "reveal": f"{CDN}reveal.js@{pins()['reveal.js']}/dist/",
            "startup": startup,
        }, settings["mathjax4_config"]
    return {"static": here, "reveal": reveal, "startup": here + startup}, settings["mathjax4_config"]


def carry(static: Path, out: Path) -> None:
    """Copy what the decks share into out/_static."""
    target = out / "_static"
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for name in ("widgets.js", "gmcourse.css"):
        shutil.copy2(static / name, target)
    if (static / "vendor").exists():
        shutil.copytree(static / "vendor", target / "vendor")
    shutil.copy2(HERE / "deck.js", target)
    (target / "deck.css").write_text(style(), "utf-8")


def build(root: Path, out: Path, wanted: list[str]) -> dict[str, int]:
    """Write the decks of the lessons named by their files, all where none is; how many slides each has."""
    course, counts = read_course(root), {}
    lessons = [lesson for chapter in course for lesson in chapter.lessons if lesson.is_open]
    if unknown := set(wanted) - {lesson.file for lesson in lessons}:
        raise ValueError(f"lessons: got {sorted(unknown)}, expected such as {lessons[0].file}")
    carry(root / "chapters" / "_static", out)
    addresses, mathjax = places(root / "chapters" / "_static")
    for lesson in lessons:
        if not wanted or lesson.file in wanted:
            notebook = nbformat.read(root / "chapters" / f"{lesson.file}.ipynb", 4)
            text, counts[lesson.file] = page(notebook, lesson, addresses, mathjax)
            file = out / f"{lesson.file}.html"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    title = yaml.safe_load((root / "book.yml").read_text("utf-8"))["title"]
    (out / "index.html").write_text(contents(course, counts, title), "utf-8")
    return counts


def main(arguments: list[str] | None = None) -> int:
    """Every lesson, or those named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help="such as 05_gan/02_dynamics (default: all)")
    try:
        counts = build(ROOT, OUT, parser.parse_args(arguments).lessons)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(counts)} decks, {sum(counts.values())} slides: open {OUT.relative_to(ROOT).as_posix()}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
