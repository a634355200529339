"""What the lessons' text points at: equations, exercises and theorems, papers, glossary terms. Read once a run."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml
from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

from notebooks.boxes import BOX, Box

EQUATION = re.compile(r"^\$\$((?:(?!\$\$).)*?)\$\$ *\(([\w.-]+)\) *$", re.M | re.S)
CODE = re.compile(r"^(`{3,})\{code-cell\}.*?^\1 *$", re.M | re.S)
GLOSSARY = re.compile(r"^:::\{glossary\}\n(.*?)^:::", re.M | re.S)


@dataclass(frozen=True)
class Paper:
    """How a paper is named, and its address if it has one."""

    names: str
    year: str
    url: str


@dataclass(frozen=True)
class References:
    """What may be pointed at, by label, key or name.

    An equation is its number and lesson, a box what it is called and its lesson, a term the entry that explains it, a
    module the page that documents it. `repository` and `book` are public addresses, empty while there are none.
    """

    equations: dict[str, tuple[str, str]]
    boxes: dict[str, tuple[str, str]]
    papers: dict[str, Paper]
    terms: dict[str, str]
    modules: dict[str, str]
    repository: str = ""
    book: str = ""


def lessons(chapters: Path) -> list[Path]:
    """The source of every lesson, NN_family/NN_subject.md, in reading order."""
    return sorted(chapters.glob("[0-9][0-9]_*/[0-9][0-9]_*.md"))


def name_of(path: Path) -> str:
    """A lesson's place under chapters, 05_gan/02_dynamics, of its .md or its .ipynb."""
    return f"{path.parent.name}/{path.stem}"


def number_of(name: str) -> str:
    """5.2 for 05_gan/02_dynamics; nothing for what is no lesson of a chapter."""
    found = re.match(r"(\d\d)_\w+/(\d\d)_", name)
    return f"{int(found[1])}.{int(found[2])}" if found else ""


def within(name: str, number: int | str) -> str:
    """The number of the lesson's own equation, figure or exercise `number`: 5.2.7."""
    return ".".join(filter(None, (number_of(name), str(number))))


def relative(name: str, other: str) -> str:
    """The way from one lesson to another, both named from chapters."""
    return posixpath.relpath(other, posixpath.dirname(name))


def read_references(chapters: Path) -> References:
    """What the lessons under `chapters` may point at; a file that is not there has nothing in it."""
    bibliography, notation, book = chapters / "references.bib", chapters / "notation.md", chapters.parent / "book.yml"
    settings = yaml.safe_load(book.read_text("utf-8")) if book.exists() else {}
    return References(
        {label: found for path in lessons(chapters) for label, found in equations(path).items()},
        {label: found for path in lessons(chapters) for label, found in boxes(path).items()},
        papers(bibliography) if bibliography.exists() else {},
        terms(notation.read_text("utf-8")) if notation.exists() else {},
        api_pages(chapters),
        (settings.get("repository") or {}).get("url") or "",
        (settings.get("book_url") or "").rstrip("/"),
    )


def api_pages(chapters: Path) -> dict[str, str]:
    """The page of the book that documents each module or package."""
    pages = sorted(chapters.glob("api/*.md"))
    found = {page: re.findall(r"<!-- api: ([\w.]+?)(?:\.\*)? -->", page.read_text("utf-8")) for page in pages}
    return {
        name: page.relative_to(chapters).with_suffix(".html").as_posix()
        for page, names in found.items()
        for name in names
    }


def equations(path: Path) -> dict[str, tuple[str, str]]:
    """(number, lesson) of every labelled equation of a lesson."""
    found = EQUATION.finditer(CODE.sub("", path.read_text("utf-8")))
    name = name_of(path)
    return {match[2]: (within(name, count), name) for count, match in enumerate(found, start=1)}


def boxes(path: Path) -> dict[str, tuple[str, str]]:
    """(what it is called, lesson) of every labelled exercise and theorem of a lesson."""
    name, count = name_of(path), Counter[str]()
    found = map(Box.of, BOX.finditer(CODE.sub("", path.read_text("utf-8"))))
    return {box.label: (called, name) for box, called in [(box, call(box, name, count)) for box in found] if box.label}


def call(box: Box, name: str, count: Counter[str]) -> str:
    """Exercise 5.2.1, Theorem 5.2.3: the next box of lesson `name`. Theorems and their kin are counted together."""
    word = box.kind.capitalize()
    if box.kind == "proof":
        return word
    counted = "exercise" if box.kind == "exercise" else "theorem"
    count[counted] += 1
    return f"{word} {within(name, count[counted])}"


def terms(notation: str) -> dict[str, str]:
    """Every name in the glossary, with the first name of its entry; the names of an entry stand line by line."""
    found: dict[str, str] = {}
    for block in GLOSSARY.findall(notation):
        for entry in re.split(r"\n\s*\n", re.sub(r"^:\w+:.*\n", "", block, flags=re.M)):
            names = [line.strip() for line in entry.splitlines() if line[:1].strip()]
            found |= dict.fromkeys(names, names[0])
    return found


def papers(bibliography: Path) -> dict[str, Paper]:
    """Every paper of a BibTeX file, named as the book names it."""
    entries = parse_file(str(bibliography), "bibtex").entries
    return {key: Paper(_names(entry), entry.fields.get("year", ""), _url(entry)) for key, entry in entries.items()}


def _names(entry: Entry) -> str:
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    last = [str(Text.from_latex(" ".join(person.prelast_names + person.last_names))) for person in people]
    if not last:
        return str(Text.from_latex(entry.fields.get("title", "")))
    return f"{last[0]} et al." if len(last) > 2 else " and ".join(last)


def _url(entry: Entry) -> str:
    fields = entry.fields
    if "doi" in fields:
        return f"https://doi.org/{fields['doi']}"
    return f"https://arxiv.org/abs/{fields['eprint']}" if "eprint" in fields else fields.get("url", "")
