"""MyST to Markdown that every notebook program reads, with no extension: what stands in a lesson's .ipynb.

Each construct that lessons use has its plain form here; any other is an error, so that none reaches a reader raw.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from functools import partial

from references import EQUATION, Paper, References, number_of, relative

BLOCK = re.compile(r"^(:{3,})\{([\w-]+)\} *([^\n]*)\n((?::[\w-]+:[^\n]*\n)*)(.*?)^\1 *$", re.M | re.S)
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:)([^)\s#]+)\.md(#[^)\s]*)?\)")
LEFT = re.compile(  # directives, roles, equation labels, targets, classes
    r"^:{3,}.*$|^`{3,}\{.*$|\{[\w:-]+\}`|^\$\$ *\([\w.-]+\) *$|^\([\w.-]+\)= *$|\]\{[.#][^}]*\}", re.M
)
ITEM = re.compile(r"(?:[-*+]|\d+\.) ")


def plain(text: str, name: str, references: References) -> str:
    """The prepared Markdown of lesson `name` without a sign of MyST; ValueError at what has no plain form."""
    text = EQUATION.sub(lambda found: _equation(found[1], _numbered(found[2], references)[0]), text)
    text = ROLE.sub(lambda found: role(found[1], " ".join(found[2].split()), name, references), text)
    text = LINK.sub(partial(_link, name=name, references=references), BLOCK.sub(_block, text))
    if left := LEFT.search(text):
        raise ValueError(f"no plain form for {left[0]!r}")
    return text


def role(kind: str, content: str, name: str, references: References) -> str:
    """The plain form of {kind}`content`."""
    if kind == "eq":
        number, home = _numbered(content, references)
        return f"({number})" if home == name else f"[({number})]({relative(name, home)}.ipynb)"
    if kind in ("cite:t", "cite:p"):
        return cited(kind, [_paper(key.strip(), references) for key in content.split(",")])
    shown, target = _shown(content)
    if kind == "term":
        return _to_book(shown, f"notation.html#term-{_anchor(references.terms.get(target, target))}", references)
    if kind.startswith("py:"):
        return _code(shown, target.lstrip("~"), references)
    raise ValueError(f"no plain form for the role {{{kind}}}`{content}`")


def cited(kind: str, papers: list[Paper]) -> str:
    """Kingma and Welling (2014), or in brackets (Kingma and Welling, 2014), as in the book; each leads to its paper."""
    form = "{0.names}, {0.year}" if kind == "cite:p" else "{0.names} ({0.year})"
    shown = [(form.format(paper), paper.url) for paper in papers]
    linked = ", ".join(f"[{text}]({url})" if url else text for text, url in shown)
    return f"({linked})" if kind == "cite:p" else linked


def _code(shown: str, target: str, references: References) -> str:
    """The name of an object, which leads to the page of the module that holds it."""
    code = f"`{shown.rpartition('.')[2] if shown.startswith('~') else shown}`"
    homes = [module for module in references.modules if f"{target}.".startswith(f"{module}.")]
    return _to_book(code, f"{references.modules[max(homes, key=len)]}#{target}", references) if homes else code


def _shown(content: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*\S)\s*<([^<>]+)>", content)
    return (found[1], found[2]) if found else (content, content)


def _to_book(text: str, place: str, references: References) -> str:
    return f"[{text}]({references.book}/{place})" if references.book else text


def _anchor(term: str) -> str:
    """The id that Sphinx gives a term of the glossary."""
    letters = unicodedata.normalize("NFKD", term).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-zA-Z0-9._]+", "-", letters).strip("-")


def _numbered(label: str, references: References) -> tuple[str, str]:
    if label not in references.equations:
        raise ValueError(f"no lesson has an equation {label!r}")
    return references.equations[label]


def _paper(key: str, references: References) -> Paper:
    if key not in references.papers:
        raise ValueError(f"references.bib has no {key!r}")
    return references.papers[key]


def _equation(formula: str, number: str) -> str:
    end = "\n" if "\n" in formula else ""
    return f"$${formula.rstrip()} \\tag{{{number}}}{end}$$"


def _block(found: re.Match) -> str:
    """A box becomes a quote, its title a heading; within, each paragraph is one line.

    JupyterLab takes formulas out of the text before it reads quotes: in a formula over two lines the second would keep
    its quote sign.
    """
    _, kind, title, _, body = found.groups()
    if kind not in ("admonition", "note", "tip", "warning", "important"):
        raise ValueError(f"no plain form for the directive {{{kind}}}")
    if wrong := re.search(r"\$\$[^$\n]*\n[^$]*\$\$|^[`~]{3,}", body, re.M):
        raise ValueError(f"{title}: within a box a display stands on one line, and code in a cell: {wrong[0]!r}")
    paragraphs = [_joined(part) for part in re.split(r"\n\s*\n", body.strip())]
    return "\n>\n".join([f"> ### {title or kind.capitalize()}", *paragraphs])


def _joined(paragraph: str) -> str:
    lines: list[str] = []
    for line in paragraph.splitlines():
        if lines and not (ITEM.match(line.lstrip()) or line.startswith("|")):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(f"> {line}")
    return "\n".join(lines)


def _link(found: re.Match, name: str, references: References) -> str:
    """A link to another lesson leads to its notebook; one to any other page, to the book."""
    text, target, anchor = found[1], found[2], found[3] or ""
    page = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return (
        f"[{text}]({target}.ipynb{anchor})" if number_of(page) else _to_book(text, f"{page}.html{anchor}", references)
    )
