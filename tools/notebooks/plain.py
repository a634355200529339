"""MyST to Markdown that every notebook program reads, with no extension: what stands in a lesson's .ipynb.

Each construct that lessons use has its plain form here; any other is an error, so that none reaches a reader raw.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from functools import partial

from notebooks.boxes import DISPLAY
from notebooks.references import EQUATION, Paper, References, number_of, relative

BLOCK = re.compile(r"^(:{3,})\{([\w-]+)\} *([^\n]*)\n((?::[\w-]+:[^\n]*\n)*)(.*?)^\1 *$", re.M | re.S)
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:)([^)\s#]+)\.md(#[^)\s]*)?\)")
VERBATIM = re.compile(r"(?P<ticks>`+)(?!`)[^`].*?(?P=ticks)|~~~.*?~~~|(?P<maths>\$\$?)[^$]+(?P=maths)", re.S)
NUMBERED = re.compile(
    r"\\(?:label|tag|eqref|ref)\b.*|\\begin\{(?:align|alignat|eqnarray|equation|flalign|gather|multline)\*?\}"
)
REFUSED = {  # what MyST would read in its own way, and what to write
    r"^[> \t-]*:{3,}.*$": "a box that begins its line, is closed by as many colons, and holds no other box",
    r"^[> \t-]*`{3,}\{.*$": "colons for a box, a cell for code",
    r"\{[\w:-]+\}`": "eq, ref, term, cite:t, cite:p or py: as a role",
    r"\$\$[ \t]*\([\w.-]+\)[ \t]*$": "a labelled formula as a paragraph of its own, in no list and no quote",
    r"^\([\w.-]+\)= *$": "the label of an equation, an exercise or a theorem",
    r"!\[[^\]]*\]\([^)]*\)": "a cell that draws the figure: no file comes along with a student's copy",
    r"[\])]\{[^}\n]+\}|^\{[.#%][^}\n]*\} *$": "text without attributes",
    r"\[\^[^\]\n]+\]": "the note in the text",
    r"^ {0,3}\[[^\]\n]+\]: .*$": "the address beside the link",
    r"\]\((?!\w+:)[^)\n]*\.md\b[^)\n]*\)": "a link to a page as [text](page.md)",
    r"\]\((?!\w+:)[^)\s]*#[^)\n]*\)": "a link to the lesson, and the section's name: programs disagree on ids",
    r"^: .*$": "a list or a table",
    r"^%.*$": "no comment, which a notebook would show",
    r"\{\{.*?\}\}": "the text itself",
}
PLAIN_BOXES = ("note", "tip", "warning", "important")
ITEM = re.compile(r"(?:[-*+]|\d+\.) ")


def plain(text: str, name: str, references: References) -> str:
    """The prepared Markdown of lesson `name` without a sign of MyST; ValueError at what has no plain form."""
    if found := NUMBERED.search(text):
        raise ValueError(
            f"got {found[0]!r}, expected $$ \\begin{{aligned}} … \\end{{aligned}} $$ (label), numbered by itself"
        )
    text = EQUATION.sub(lambda found: _equation(found[1], _numbered(found[2], references)[0]), text)
    text = ROLE.sub(lambda found: role(found[1], " ".join(found[2].split()), name, references), text)
    text = LINK.sub(partial(_link, name=name, references=references), BLOCK.sub(_block, text))
    _require_plain(text)
    return text


def _require_plain(text: str) -> None:
    """ValueError for the first sign of MyST that is left outside formulas and code."""
    bare = VERBATIM.sub(_emptied, text)
    for sign, wanted in REFUSED.items():
        if left := re.search(sign, bare, re.M):
            raise ValueError(f"no plain form for {left[0]!r}: expected {wanted}")


def _emptied(found: re.Match) -> str:
    """Code or a formula without what it says; the first line of code is its language, or a directive."""
    sign = found["ticks"] or found["maths"] or "~~~"
    return found[0].partition("\n")[0] if len(sign) > 2 else sign * 2


def role(kind: str, content: str, name: str, references: References) -> str:
    """The plain form of {kind}`content`."""
    if kind == "eq":
        number, home = _numbered(content, references)
        return f"({number})" if home == name else f"[({number})]({relative(name, home)}.ipynb)"
    if kind in ("cite:t", "cite:p"):
        return cited(kind, [_paper(key.strip(), references) for key in content.split(",")])
    shown, target = _shown(content)
    if kind == "ref" and target in references.boxes:
        home = references.boxes[target][1]
        return shown if home == name else f"[{shown}]({relative(name, home)}.ipynb)"
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
    if kind not in ("admonition", *PLAIN_BOXES):
        raise ValueError(f"no plain form for the directive {{{kind}}}: expected one of {', '.join(PLAIN_BOXES)}")
    if kind in PLAIN_BOXES and title:
        raise ValueError(f"{kind}: got the title {title!r}, expected none: {{admonition}} is a box with a title")
    if re.search(r"^\s*(`{3}|~{3})", body, re.M):
        raise ValueError(f"{title or kind}: got code, expected it in a cell: a quote holds none")
    body = DISPLAY.sub(lambda display: " ".join(display[0].split()), body.strip())
    paragraphs = [_joined(part) for part in re.split(r"\n\s*\n", body)]
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
    page = posixpath.normpath(posixpath.join("/", posixpath.dirname(name), target)).lstrip("/")
    if not number_of(page):
        return _to_book(text, f"{page}.html{anchor}", references)
    return f"[{text}]({relative(name, page)}.ipynb{anchor})"
