"""A Sphinx extension for the API reference: which modules a page documents, and how docstrings and signatures are set.

`<!-- api: gmcourse.show -->` stands for what a module or package offers, `<!-- api: gmcourse.vae.* -->` for each module
of a package and of the packages in it, `<!-- api package: gmcourse.vae -->` for what is imported from a package whose
modules are documented one by one, `<!-- api page: vae -->` for a page and a line on each of its modules, and
`<!-- commands -->` for the help of the command line. A docstring is plain text with `code`: its formulas are Unicode,
so every sign that reStructuredText would read as markup is escaped, and "Equation: label" becomes a link to that
equation in its lesson.
"""

import inspect
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

import tyro
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import inspect as sphinx_inspect

LINE = 80  # characters of a signature that fit beside the link to its source
RST_MARKUP = re.compile(r"([*|_\\`<])")


def directives(name: str) -> str:
    """The MyST source that documents `name`, or each module of the package before a trailing `.*`."""
    if name.endswith(".*"):
        return "\n".join(directives(module) for module in modules(name.removesuffix(".*")))
    module = import_module(name)
    for offered in getattr(module, "__all__", ()):  # a package that imports when asked shows autodoc what it has by now
        setattr(module, offered, getattr(module, offered))
    imported = "   :imported-members:\n" if hasattr(module, "__path__") else ""
    return f"## `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n{imported}```\n"


def modules(package: str) -> list[str]:
    """The modules of a package and of the packages in it, in order, records left out."""
    found = []
    for module in iter_modules(find_spec(package).submodule_search_locations):
        name = f"{package}.{module.name}"
        found += modules(name) if module.ispkg else [name] if module.name != "records" else []
    return found


def offered(package: str) -> str:
    """The docstring of a package, and links to all that is imported from it."""
    names = ", ".join(f"{{py:obj}}`~{package}.{name}`" for name in import_module(package).__all__)
    docstring = f"```{{eval-rst}}\n.. automodule:: {package}\n   :no-members:\n```\n"
    return f"{docstring}\nImported from `{package}`: {names}.\n"


def listing(page: Path) -> str:
    """The title of a page of the reference, linked, and one line on each module that it documents."""
    text = page.read_text("utf-8")
    title = re.search(r"^# (.+)$", text, re.M)[1]
    lines = [f"- {{py:mod}}`{name}`: {first_line(name)}" for name in documented(text)]
    return "\n".join([f"### [{title}]({page.name})", "", *lines, ""])


def first_line(module: str) -> str:
    """What a module says of itself first, safe in Markdown."""
    return re.sub(r"([*_<$])", r"\\\1", (import_module(module).__doc__ or "").strip().splitlines()[0])


def documented(text: str) -> list[str]:
    """The modules that a page of the reference documents, in its order."""
    return re.findall(r"^\.\. automodule:: (\S+)$(?!\n   :no-members:)", expanded(text, None), re.M)


def command_help() -> str:
    """What each command of the package says of itself and of its arguments."""
    from gmcourse.cli import COMMANDS

    found = []
    for name, command in COMMANDS.items():
        said, _, told = inspect.getdoc(command).partition("\n\nArgs:\n")
        arguments = dict(re.findall(r"^    (\w+): (.+(?:\n     +.+)*)", told, re.M))
        words = {word: _typed(parameter) for word, parameter in inspect.signature(command).parameters.items()}
        places = [typed for typed in words.values() if not typed.startswith("--")]
        terms = [f"`{words[word]}`\n: {' '.join(text.split())}\n" for word, text in arguments.items()]
        found.append("\n".join([f"## `{' '.join(['gmcourse', name, *places])}`", "", said, "", *terms]))
    return "\n".join(found)


def _typed(parameter: inspect.Parameter) -> str:
    """How an argument of a command is typed: MODEL where its place tells, else `--batch-size`."""
    marks = getattr(parameter.annotation, "__metadata__", ())
    shown = next((mark.metavar for mark in marks if getattr(mark, "metavar", None)), "")
    return shown if tyro.conf.Positional in marks else f"--{parameter.name.replace('_', '-')} {shown}".strip()


def expanded(text: str, folder: Path | None) -> str:
    """A page with the directives in the place of each of its api lines; without its folder, listings are left out."""
    text = re.sub(r"<!-- api: (\S+) -->", lambda match: directives(match[1]), text)
    text = re.sub(r"<!-- api package: (\S+) -->", lambda match: offered(match[1]), text)
    if folder is None:
        return text
    text = re.sub(r"<!-- api page: (\S+) -->", lambda match: listing(folder / f"{match[1]}.md"), text)
    return re.sub(r"<!-- commands -->", lambda _: command_help(), text)


def expand_api(app: Sphinx, docname: str, source: list[str]) -> None:
    """Expand the page that Sphinx has just read."""
    source[0] = expanded(source[0], Path(app.env.doc2path(docname)).parent)


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


def own_signature(app: Sphinx, what, name, obj, options, signature, returned):
    """None after a protocol, which is not called; those of `__init__` where a foreign `__new__` hides them."""
    if getattr(obj, "_is_protocol", False):
        return "", None
    if what == "class" and obj.__init__.__name__ == "_no_init_or_replace_init":  # it inherits from a protocol
        return "()", None
    if what == "class" and "__init__" in vars(obj) and obj.__new__ is not object.__new__:
        found = sphinx_inspect.signature(obj.__init__, bound_method=True)
        return sphinx_inspect.stringify_signature(found, unqualified_typehints=True), None
    return None


def skip_fields(app: Sphinx, what, name, obj, skip, options) -> bool | None:
    """Leave out the fields of a named tuple, which its signature tells."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def one_line_each(app: Sphinx, doctree: nodes.document) -> None:
    """Mark a long signature, whose parameters the style sheet sets on a line each: Sphinx's own list has no terms."""
    for signature in doctree.findall(addnodes.desc_signature):
        written = [text for text in signature.findall(nodes.Text) if text.parent.get("condition") != "*"]
        if sum(map(len, written)) + 2 * len(list(signature.findall(addnodes.desc_parameter))) > LINE:
            signature["classes"].append("gm-long")


def short_contents(app: Sphinx, doctree: nodes.document) -> None:
    """Name the modules of a page by their last part in the contents beside it."""
    for text in list(app.env.tocs[app.env.docname].findall(nodes.Text)):
        if text.startswith("gmcourse."):
            text.parent.replace(text, nodes.Text(text.rpartition(".")[2]))


def follow_import(app: Sphinx, env, node: addnodes.pending_xref, shown: nodes.Element) -> nodes.reference | None:
    """Link a name that a package passes on, `gmcourse.metrics.modes`, to where it is documented."""
    package, _, name = node.get("reftarget", "").rpartition(".")
    if node.get("refdomain") != "py" or not package.startswith("gmcourse"):
        return None
    try:
        target = inspect.unwrap(getattr(import_module(package), name))
    except (ImportError, AttributeError):
        return None
    home = f"{getattr(target, '__module__', '')}.{getattr(target, '__qualname__', '')}"
    domain = env.domains.python_domain
    if home not in domain.objects or home == node["reftarget"]:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", home, node, shown)


def setup(app: Sphinx) -> dict:
    """Connect them all to Sphinx."""
    app.connect("source-read", expand_api)
    app.connect("autodoc-process-docstring", plain_text)
    app.connect("autodoc-process-signature", own_signature)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("doctree-read", one_line_each)
    app.connect("doctree-read", short_contents, priority=600)  # when Sphinx has made the contents
    app.connect("missing-reference", follow_import)
    return {"parallel_read_safe": True}
