"""What both readers of a lesson get, the book and the notebook: its numbers, its times, its glossary terms.

The .md counts figures within the lesson, names equations, exercises and theorems, and says neither how long it takes
nor which words the glossary explains. All this is written into the text here, before either reader makes a page of it.
"""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy

from notebooks.boxes import BOX, Box
from notebooks.minutes import minutes
from notebooks.references import References, call, number_of, within

FIGURE = re.compile(r"\b(Figures?\s)(\d+(?:(?:, |,? and |–)\d+)*)(?![\d.]*\d)")
POINTER = re.compile(r"\{(?:prf:)?ref\}`(?:([^`<]*[^`<\s])\s*<)?([\w.-]+)>?`")
TERM = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+?)>?`")
APART = re.compile(  # what stays as it is: headings, options, tables, formulas, code and roles, links, HTML
    r"^#[^\n]*$|^:[^\n]*$|^\|[^\n]*$|\$\$.*?\$\$|\$[^$]+\$|(?:\{[\w:]+\})?(?P<ticks>`+).+?(?P=ticks)"
    r"|!?\[[^\]]*\](?:\([^)]*\)|\{[^}]*\})|<[^>\n]+>",
    re.M | re.S,
)
ORDINARY = {"bit", "evidence", "law", "mode"}  # everyday words too: a link only where a lesson writes {term} itself


def prepared(notebook, name: str, references: References):
    """A copy of the notebook of a lesson's .md, its text as both readers get it; the code is not touched."""
    notebook, times = deepcopy(notebook), minutes(notebook)
    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    count = Counter[str]()
    terms = Terms(references.terms, "\n".join(cell.source for cell in texts))
    for cell in texts:
        text = cell.source.replace("|reading|", str(times["reading"])).replace("|exercises|", str(times["exercises"]))
        text = BOX.sub(lambda found: _titled(Box.of(found), name, count), number_figures(text, name))
        cell.source = POINTER.sub(lambda found: _point(*found.groups(), references), terms.link(text))
    if texts and number_of(name):
        texts[0].source = re.sub(r"\A# ", f"# {number_of(name)} ", texts[0].source)
    return notebook


def number_figures(text: str, name: str) -> str:
    """Figure 5.2.3 for Figure 3, in captions and where they are spoken of; a number with dots is left alone."""
    return FIGURE.sub(lambda m: m[1] + re.sub(r"\d+", lambda n: within(name, n[0]), m[2]), text)


def _titled(box: Box, name: str, count: Counter[str]) -> str:
    return box.written(call(box, name, count))


def _point(text: str | None, label: str, references: References) -> str:
    """A pointer at a box, in the author's words or in those that it is called by."""
    if label not in references.boxes:
        raise ValueError(f"no lesson has an exercise or a theorem {label!r}")
    return f"{{ref}}`{text or references.boxes[label][0]} <{label}>`"


class Terms:
    """The glossary's terms, each made a link where a lesson first uses it, unless the lesson links it by hand."""

    def __init__(self, terms: dict[str, str], text: str):
        by_hand = {terms.get(name.strip()) for name in TERM.findall(text)}
        self.entries = terms
        self.linked = by_hand | ORDINARY
        names = sorted(terms, key=len, reverse=True)
        self.pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(_spelled, names))})(?![\w-])") if names else None
        self.spelled = [(re.compile(_spelled(name)), entry) for name, entry in terms.items()]

    def link(self, text: str) -> str:
        if self.pattern is None:
            return text
        parts, at = [], 0
        for kept in APART.finditer(text):
            parts += [self.pattern.sub(self._first, text[at : kept.start()]), kept[0]]
            at = kept.end()
        return "".join([*parts, self.pattern.sub(self._first, text[at:])])

    def _first(self, match: re.Match) -> str:
        entry = next(entry for pattern, entry in self.spelled if pattern.fullmatch(match[0]))
        if entry in self.linked:
            return match[0]
        self.linked.add(entry)
        return f"{{term}}`{entry}`" if match[0] == entry else f"{{term}}`{match[0]} <{entry}>`"


def _spelled(name: str) -> str:
    """The pattern of a term: at the start of a sentence, over the end of a line, in the plural."""
    *words, last = name.split()
    last = rf"{re.escape(last[:-1])}(?:y|ies)" if last.endswith("y") else rf"{re.escape(last)}(?:e?s)?"
    text = r"\s+".join([*map(re.escape, words), last])
    return f"[{text[0].upper()}{text[0]}]{text[1:]}" if text[0].islower() else text
