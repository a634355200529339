"""The book, configured by book.yml alone: this file only hands its keys to Sphinx."""

import sys
from pathlib import Path

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tools"))  # `vendor`, and our extensions in `book`
from book.contents import contents  # noqa: E402
from vendor import sphinx_settings  # noqa: E402

book = yaml.safe_load((HERE.parent / "book.yml").read_text("utf-8"))
project = html_title = book["title"]
author, copyright = book["author"], book["copyright"]
html_baseurl = book["book_url"]
globals().update(book["sphinx"])
globals().update(sphinx_settings(HERE / "_static"))

notebooks = [path.relative_to(HERE) for path in HERE.glob("*/*.ipynb")]
exclude_patterns += [p.with_suffix(".md").as_posix() for p in notebooks]  # noqa: F821

toc = HERE.parent / "_build" / "toc.yml"
toc.parent.mkdir(exist_ok=True)
toc.write_text(
    yaml.safe_dump(contents(HERE.parent, book["reference"]), allow_unicode=True),
    "utf-8",
)
external_toc_path = str(toc)

repository = book["repository"]
if repository["url"]:
    html_theme_options |= {  # noqa: F821
        "repository_url": repository["url"],
        "repository_branch": repository["branch"],
        "path_to_docs": HERE.name,
        "launch_buttons": book["launch_buttons"],
        "use_repository_button": True,
        "use_source_button": True,
        "use_edit_page_button": True,
        "use_issues_button": True,
    }
