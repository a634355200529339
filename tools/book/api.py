"""A Sphinx extension for the API reference: modules and docstrings.

`<!-- api: gmcourse.show -->` stands for what a module or package offers, `<!-- api: gmcourse.laws.* -->` for each
module of a package and of the packages in it. A docstring is plain text with `code`: its formulas are Unicode, so
every sign that reStructuredText would read as markup is escaped, and "Equation: label" becomes a link to that equation
in its lesson. A paragraph in italics that begins with "Figure" is the caption of the figure above it.
"""

import re
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from sphinx.application import Sphinx

RST_MARKUP = re.compile(r"([*|_\\`<])")


def directives(name: str) -> str:
    """The MyST source that documents `name`, or each module of the package before a trailing `.*`."""
    if name.endswith(".*"):
        return "\n".join(f"### `{module}`\n\n{directives(module)}" for module in modules(name.removesuffix(".*")))
    module = import_module(name)
    for offered in getattr(module, "__all__", ()):  # a package that imports when asked shows autodoc what it has by now
        setattr(module, offered, getattr(module, offered))
    imported = "   :imported-members:\n" if hasattr(module, "__path__") else ""
    return f"```{{eval-rst}}\n.. automodule:: {name}\n{imported}```\n"


def modules(package: str) -> list[str]:
    """The modules of a package and of the packages in it, in order, records left out."""
    found = []
    for module in iter_modules(find_spec(package).submodule_search_locations):
        name = f"{package}.{module.name}"
        found += modules(name) if module.ispkg else [name] if module.name != "records" else []
    return found


def expand_api(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the directives in the place of each api line of a page."""
    source[0] = re.sub(r"<!-- api: (\S+) -->", lambda match: directives(match[1]), source[0])


def plain_text(app: Sphinx, what: str, name: str, obj, options, lines: list[str]) -> None:
    """Turn a docstring into reStructuredText that shows what was written; a paragraph set in by four is Python."""
    written = []
    for paragraph in "\n".join(lines).split("\n\n"):
        rows = paragraph.strip("\n").splitlines()
        code = bool(rows) and all(row.startswith("    ") for row in rows)
        written.append("\n".join([".. code-block:: python", "", *rows]) if code else _escaped(rows))
    lines[:] = "\n\n".join(written).splitlines()


def _escaped(rows: list[str]) -> str:
    parts = re.split(r"(`[^`]+`)", "\n".join(row.strip() for row in rows))
    parts[::2] = [RST_MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"`{code}`" for code in parts[1::2]]
    return re.sub(r"Equation: ([\w-]+)", r"Equation :eq:`\1`", "".join(parts))


def bare_protocol(app: Sphinx, what, name, obj, options, signature, returned):
    """A protocol is not called: show no arguments after its name."""
    return ("", None) if getattr(obj, "_is_protocol", False) else None


def setup(app: Sphinx) -> dict:
    """Connect them all to Sphinx."""
    app.connect("source-read", expand_api)
    app.connect("autodoc-process-docstring", plain_text)
    app.connect("autodoc-process-signature", bare_protocol)
    return {"parallel_read_safe": True}
