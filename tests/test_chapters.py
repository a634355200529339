"""Every lesson: the pair in sync, executed, readable anywhere, its references resolved; each check shown to fail."""

import ast
import functools
import importlib
import json
import re
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import jupytext
import lessons as tool
import nbformat
import pytest
from notebooks.install import is_install
from notebooks.pairing import code_cells, is_stale, keep_outputs, publish, read
from notebooks.prepare import FIGURE as SPOKEN
from notebooks.references import lessons, name_of, read_references

from gmcourse.lab.course import read_course

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"
LABEL = r"[A-Za-z0-9_.-]+"
MACHINE_PATH = re.compile(r"(?<![\w.:/])(?:/(?:home|Users|root|tmp|work|opt|private)/\w|[A-Z]:\\\\?Users)")


# What a lesson is: its .md, what it publishes, and its .ipynb


class Lesson(NamedTuple):
    """The notebook of the .md, in MyST; the plain one that is made of it, without outputs; the .ipynb."""

    source: nbformat.NotebookNode
    published: nbformat.NotebookNode
    executed: nbformat.NotebookNode


@functools.cache
def references(chapters: Path):
    return read_references(chapters)


def lesson(path: Path) -> Lesson:
    source = read(path)
    published = publish(source, name_of(path), references(path.parents[1]))
    return Lesson(source, published, nbformat.read(path.with_suffix(".ipynb"), as_version=4))


one_of_ours = functools.cache(lesson)


def markdown(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def fixed(cell) -> tuple:
    """What follows from the .md: all of a cell but its outputs and their count."""
    return cell.cell_type, cell.source, cell.id, cell.metadata


def texts(output) -> str:
    """What an output says in words, embedded pictures left out."""
    data = {kind: value for kind, value in output.get("data", {}).items() if kind.startswith("text/")}
    said = json.dumps([data, output.get("text", ""), output.get("traceback", "")], ensure_ascii=False)
    return re.sub(r"data:[\w/+-]+;base64,[A-Za-z0-9+/=]+", "", said)


def outputs(notebook):
    """(index, cell, output) of everything that was displayed."""
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            yield index, cell, output


# The checks: each takes a lesson and returns what is amiss, in words


def in_sync(lesson):
    left, right = ([fixed(cell) for cell in notebook.cells] for notebook in (lesson.published, lesson.executed))
    wrong = [f"cell {i} differs: {a[1][:60]!r}, {b[1][:60]!r}" for i, (a, b) in enumerate(zip(left, right)) if a != b]
    same = {**lesson.executed.metadata, "widgets": None} == {**lesson.published.metadata, "widgets": None}
    wrong += [] if same else ["the metadata differ"]
    return wrong + ([f"{len(left)} cells in the .md, {len(right)} in the .ipynb"] if len(left) != len(right) else [])


def not_stale(lesson):
    stale = is_stale(lesson.source, lesson.executed)
    return ["executed with other code than the .md holds: run make lessons"] if stale else []


def reads_plain(lesson):
    myst = r"^:{3,}.*|\{[\w:-]+\}`[^`]*`|^\$\$ *\([\w.-]+\)|^`{3,}\{.*|\|(?:reading|exercises)\||\.md\)"
    wrong = re.findall(myst, markdown(lesson.executed), re.M)
    return [f"{sign!r} is left in the .ipynb" for sign in wrong] + (
        ["the .ipynb is paired: an author would write MyST into it"] if "jupytext" in lesson.executed.metadata else []
    )


def figures_in_order(lesson):
    text = markdown(lesson.source)
    captions = [number for which in re.findall(r"^\*Figures? ([^.]*)\.", text, re.M) for number in numbers(which)]
    ordered = captions == list(range(1, len(captions) + 1))
    said = {number for found in SPOKEN.finditer(text) for number in numbers(found[2])}
    wrong = [] if ordered else [f"captions are numbered {captions}"]
    wrong += [f"{short!r}: write Figure" for short in re.findall(r"\bFigs?\. ?\d+", text)]
    return wrong + [f"Figure {number} is spoken of, and there is none" for number in sorted(said - set(captions))]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def says_what_it_takes(lesson):
    goals, line = r"^- [^\n]+(?:\n[^*\n][^\n]*)*\n\n", r"\*What it takes: \|reading\| minutes to read, [^*]*\*$"
    found = re.search(goals + rf"(?P<line>{line})", markdown(lesson.source), re.M)
    exercises = ("|exercises| minutes for the exercises",) if ":::{exercise}" in markdown(lesson.source) else ()
    wanted = (*exercises, "to run on one core", "You should know ", "Data: ")
    said = " ".join(found["line"].split()) if found else ""
    return [f"*What it takes*, after the goals: no {words!r}" for words in wanted if words not in said]


def without_errors(lesson):
    failed = [(i, output) for i, _, output in outputs(lesson.executed) if output.output_type == "error"]
    return [f"cell {i} failed: {output.ename}: {output.evalue}" for i, output in failed]


def short_cells(lesson):
    long = {i: len(c.source.splitlines()) for i, c in enumerate(lesson.source.cells) if c.cell_type == "code"}
    return [f"cell {i} has {lines} lines, at most 30" for i, lines in long.items() if lines > 30]


def pictures(cell) -> list:
    return [o for o in cell.get("outputs", []) if any(kind.startswith("image/") for kind in o.get("data", {}))]


def captioned(cells) -> bool:
    """Whether what follows a figure is its caption, or more figures and then the caption of them all."""
    after = next((i for i, cell in enumerate(cells) if not pictures(cell)), None)
    return after is not None and cells[after].source.startswith("*Figures " if after else ("*Figure ", "*Figures "))


def described(output, cell) -> str:
    """The alt text of a picture: its own, as an explorer's picture has it, or else that of its cell."""
    own = [settings.get("alt", "") for kind, settings in output.metadata.items() if kind.startswith("image/")]
    return "".join(own) or cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def figures_described(lesson):
    wrong = []
    for index, cell in enumerate(lesson.executed.cells):
        shown = pictures(cell)
        texts_of = [described(output, cell) for output in shown]
        if any(len(alt) < 15 for alt in texts_of):
            wrong.append(f"cell {index}: a figure without alt text (mystnb: image: alt, or its output's own)")
        if shown and not captioned(lesson.executed.cells[index + 1 :]):
            wrong.append(f"cell {index}: a figure without a caption (a cell that starts with '*Figure ')")
        if len(set(texts_of)) < len(shown):
            wrong.append(f"cell {index}: {len(shown)} figures share one alt text")
    tags = [(i, tag) for i, _, o in outputs(lesson.executed) for tag in re.findall(r"<img\b[^>]*>", texts(o))]
    return wrong + [f"cell {i}: <img> without alt text" for i, tag in tags if not re.search(r'\balt=\\?["\']\w', tag)]


def images_described(lesson):
    text = markdown(lesson.source)
    bare = re.findall(r"!\[\s*\]\([^)]*\)", text) + re.findall(r"<img\b(?![^>]*\balt=.\w)[^>]*>", text)
    blocks = re.findall(r"^(:{3,})\{(?:figure|image)\}[^\n]*\n(.*?)^\1", text, re.M | re.S)
    return [f"{image}: no alt text" for image in bare + [body.strip() for _, body in blocks if ":alt:" not in body]]


def colon_fences(lesson):
    return [
        f"{line!r}: write a colon fence" for line in re.findall(r"^\s*`{3,}\{[^}]*\}", markdown(lesson.source), re.M)
    ]


def names_resolve(lesson):
    names = set(re.findall(r"(?<![\w/.-])gmcourse(?:\.[A-Za-z_]\w*)+", markdown(lesson.source)))
    return [f"{name} does not exist" for name in sorted(names) if not resolves(name)]


def outputs_compared(lesson):
    marked = sum("nbval-check-output" in cell.metadata.get("tags", []) for cell in lesson.source.cells)
    return [] if marked >= 3 else [f"{marked} cells tagged nbval-check-output, at least 3"]


def within_budget(lesson):
    text = nbformat.writes(lesson.executed)
    size = len(text.encode()) / 1000
    return [f"{size:.0f} kB, at most {tool.budget(text)}"] if size > tool.budget(text) else []


def no_machine_path(lesson):
    metadata = {key: value for key, value in lesson.executed.metadata.items() if key != "widgets"}
    said = [texts(output) for _, _, output in outputs(lesson.executed)] + [cell.source for cell in lesson.source.cells]
    found = MACHINE_PATH.findall("\n".join([*said, json.dumps(metadata)]))
    return [f"{path}...: a path of the machine it ran on" for path in found]


CHECKS = [
    in_sync,
    not_stale,
    reads_plain,
    figures_in_order,
    says_what_it_takes,
    without_errors,
    short_cells,
    figures_described,
    images_described,
    colon_fences,
    names_resolve,
    outputs_compared,
    within_budget,
    no_machine_path,
]


@functools.cache
def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or what a module holds."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        return all((found := getattr(found, part, None)) is not None for part in parts[cut:])
    return False


# The checks over the whole course: labels, citations, and the equations that docstrings name


def sources(chapters: Path) -> dict[str, str]:
    """The prose of every page, code cells left out, by its path in `chapters`."""
    pages = [path for path in sorted(chapters.rglob("*.md")) if not {"_build", "node_modules"} & set(path.parts)]
    return {path.relative_to(chapters).as_posix(): markdown(jupytext.read(path, fmt="md:myst")) for path in pages}


def equation_labels(pages: dict[str, str]) -> list[tuple[str, str]]:
    """(label, page) of every labelled equation: `$$ ... $$ (label)` and the math directive."""
    found = []
    for page, text in pages.items():
        found += [(label, page) for label in re.findall(rf"\$\$ *\(({LABEL})\) *$", text, re.M)]
        blocks = re.findall(rf"^:{{3,}}\{{math\}}[^\n]*\n:label: *({LABEL})", text, re.M)
        found += [(label, page) for label in blocks]
    return found


def labels_amiss(chapters: Path) -> list[str]:
    """Labels given twice or without their family's name, references to none, and keys that the bibliography lacks."""
    pages = sources(chapters)
    equations = equation_labels(pages)
    names, wrong = [label for label, _ in equations], []
    wrong += [f"equation label {name} is given twice" for name in sorted(set(names)) if names.count(name) > 1]
    for label, page in equations:
        family = re.match(r"\d\d_(\w+)/", page)
        if family and not label.startswith(family[1] + "-"):
            wrong.append(f"{page}: equation label {label} does not start with {family[1]}-")
    boxes = re.findall(rf"^:label: *({LABEL})", "\n".join(pages.values()), re.M)
    wrong += [f"label {name} is given twice" for name in sorted(set(boxes)) if boxes.count(name) > 1]
    anchors = {a for t in pages.values() for a in re.findall(rf"^\(({LABEL})\)=|^:(?:label|name): *({LABEL})", t, re.M)}
    anchors = {name for found in anchors for name in found if name} | set(names)
    bibliography = chapters / "references.bib"
    keys = (
        set(re.findall(r"^@\w+\{ *([^, ]+)", bibliography.read_text("utf-8"), re.M)) if bibliography.exists() else set()
    )
    for page, text in pages.items():
        wrong += [f"{page}: no equation {n}" for n in re.findall(r"\{eq\}`([^`<]+)`", text) if n not in names]
        roles = re.findall(rf"\{{(?:ref|numref|prf:ref)\}}`(?:[^`<]*<)?({LABEL})>?`", text)
        wrong += [f"{page}: no label {name}" for name in roles if name not in anchors]
        cited = [key.strip() for found in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text) for key in found.split(",")]
        wrong += [f"{page}: references.bib has no {key}" for key in cited if key not in keys]
    return wrong


def cited_equations(package: Path) -> list[tuple[str, str, str]]:
    """(label, module, function or class) of every docstring line `Equation: label`."""
    found = []
    for path in sorted(package.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                lists = re.findall(r"Equations?:\s*([\w-]+(?:(?:, | and )[\w-]+)*)", ast.get_docstring(node) or "")
                labels = [label for found in lists for label in re.split(", | and ", found)]
                name = getattr(node, "name", path.stem)
                found += [(label, path.relative_to(package).as_posix(), name) for label in labels]
    return found


def equations_amiss(chapters: Path, package: Path) -> list[str]:
    """Docstrings that name an equation which no lesson has, or whose lesson never names them back."""
    homes = dict(equation_labels(sources(chapters)))
    wrong = []
    for label, module, name in cited_equations(package):
        if label not in homes:
            wrong.append(f"{module}: {name} names equation {label}, which no lesson has")
        elif not re.search(rf"\b{name}\b", (chapters / homes[label]).read_text("utf-8")):
            wrong.append(f"{homes[label]} has equation {label} and never names {name} ({module}), which implements it")
    return wrong


# The course passes them


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", lessons(CHAPTERS), ids=name_of)
def test_lesson(path, check):
    wrong = check(one_of_ours(path))
    assert not wrong, "\n".join([name_of(path), *wrong])


@pytest.mark.parametrize("entry", [entry for chapter in read_course(ROOT) for entry in chapter.open_lessons])
def test_what_it_takes_leads_to_the_open_lessons_that_it_needs(entry):
    text = (CHAPTERS / f"{entry.file}.md").read_text("utf-8")
    line = re.search(r"^\*What it takes:.*?\*$", text, re.M | re.S)[0]
    known = {other.number: other for chapter in read_course(ROOT) for other in chapter.lessons}
    for number in entry.needs:
        if known[number].is_open:
            assert f"{Path(known[number].file).name}.md)" in line, f"{entry.number} needs {number}"


def test_every_notebook_has_its_text_and_every_text_its_notebook():
    files = {path for kind in ("md", "ipynb") for path in CHAPTERS.glob(f"[0-9][0-9]_*/[0-9][0-9]_*.{kind}")}
    lonely = [path.name for path in files if not {path.with_suffix(".md"), path.with_suffix(".ipynb")} <= files]
    assert files
    assert not lonely, f"no pair: {lonely}"


def test_labels_and_citations_resolve():
    assert not (wrong := labels_amiss(CHAPTERS)), "\n".join(wrong)


def test_equations_and_docstrings_name_each_other():
    assert not (wrong := equations_amiss(CHAPTERS, ROOT / "gmcourse")), "\n".join(wrong)


def page(path: Path) -> Lesson:
    """A page that is no lesson: a text alone."""
    notebook = jupytext.read(path, fmt="md:myst")
    return Lesson(notebook, notebook, notebook)


@pytest.mark.parametrize("name", ["index.md", "notation.md", "../README.md"])
def test_pages_beside_the_lessons(name):
    wrong = [line for check in (colon_fences, images_described, names_resolve) for line in check(page(CHAPTERS / name))]
    assert not wrong, "\n".join(wrong)


# Each check can fail: a small lesson that is right, and the faults that each check must see


HEADER = "---\nkernelspec:\n  display_name: Python 3\n  name: python3\n---\n\n"
FIGURE = '```{code-cell} ipython3\n---\nmystnb:\n  image:\n    alt: a straight line going up\n---\nshow("line")\n```\n'
CODE = "```{code-cell} ipython3\n:tags: [nbval-check-output]\n\nprint(%d)\n```\n\n"
TAKES = (
    "*What it takes: |reading| minutes to read, under a minute to run on one\n"
    "core. You should know how to count. Data: none.*"
)
LESSON = (
    f"{HEADER}# A lesson\n\nAfter this lesson you will be able to\n\n- tell one\n  from two.\n\n{TAKES}\n\n"
    "$$x = 1$$ (vae-one)\n\nBy {eq}`vae-one` and `gmcourse.probability.gaussian_log_prob`, "
    "{cite:p}`kingma2014`: PLACE\n\n"
    + "".join(CODE % number for number in (1, 2, 3))
    + FIGURE
    + "\n*Figure 1. A line.*\n"
)
PICTURE = nbformat.v4.new_output("display_data", {"image/png": "iVBORw0KGgo="})
PRINTED = nbformat.v4.new_output("stream", name="stdout", text="1\n")
BROKEN = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])


def run(notebook):
    """The notebook as if it had been run: numbers printed, the figure shown."""
    notebook = deepcopy(notebook)
    for cell in code_cells(notebook):
        cell.outputs = [deepcopy(PICTURE if cell.source.startswith("show") else PRINTED)]
    return keep_outputs(notebook, deepcopy(notebook))


def write_text(folder: Path, text: str = LESSON) -> Path:
    path = folder / "chapters" / "04_vae" / "01_lesson.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    (folder / "chapters" / "references.bib").write_text("@article{kingma2014,\n  title = {x}\n}\n")
    return path


def write_lesson(folder: Path, text: str = LESSON) -> Path:
    path = write_text(folder, text)
    references.cache_clear()
    nbformat.write(publish(run(read(path)), name_of(path), references(path.parents[1])), path.with_suffix(".ipynb"))
    return path


def said(text):
    return lambda notebook: notebook.cells[1].update(outputs=[nbformat.v4.new_output("stream", text=text)])


IN_THE_TEXT = [
    (short_cells, "print(1)", "\n".join(["print(1)"] * 31)),
    (figures_described, "a straight line going up", "line"),
    (figures_described, "*Figure 1. A line.*", "A line."),
    (figures_in_order, "*Figure 1. A line.*", "*Figure 2. A line.*"),
    (figures_in_order, "*Figure 1. A line.*", "*Figure 1. A line, unlike Figure 2.*"),
    (figures_in_order, "*Figure 1. A line.*", "*Figure 1. A line, unlike Figures 1, 1 and 2.*"),
    (figures_in_order, "*Figure 1. A line.*", "*Figure 1. A line, as in Fig. 1.*"),
    (says_what_it_takes, "PLACE", "\n\n:::{exercise} Count\n:label: vae.gaussian_kl\n\nTry.\n:::"),
    (says_what_it_takes, "\n\n*What", "\n\nAnd more.\n\n*What"),
    (says_what_it_takes, "*What it takes", "*It takes"),
    (images_described, "PLACE", "<img src='plot.png'>"),
    (names_resolve, "gaussian_log_prob", "gaussian_log_probability"),
    (names_resolve, "gmcourse.probability", "gmcourse.probabilities"),
    (outputs_compared, "nbval-check-output", "other"),
    (no_machine_path, "print(1)", 'open("/' + 'home/me/x.csv")'),
]
IN_A_PAGE = [  # a lesson cannot be published with them
    (images_described, "PLACE", "![](plot.png)"),
    (images_described, "PLACE", "\n\n:::{figure} plot.png\n:width: 3cm\nCaption.\n:::"),
    (colon_fences, "PLACE", "\n\n```{note}\nThis.\n```"),
]
IN_THE_NOTEBOOK = [
    (in_sync, lambda notebook: notebook.cells.pop()),
    (in_sync, lambda notebook: notebook.cells[1].update(source="print(7)")),
    (in_sync, lambda notebook: notebook.cells[0].update(source="# Another lesson")),
    (in_sync, lambda notebook: notebook.cells[1].metadata.update(tags=["hide-input"])),
    (in_sync, lambda notebook: notebook.cells[1].update(id="another")),
    (in_sync, lambda notebook: notebook.metadata.gmcourse.update(number="4.2")),
    (reads_plain, lambda notebook: notebook.cells[0].update(source="By {eq}`vae-one`")),
    (reads_plain, lambda notebook: notebook.cells[0].update(source=":::{note}\nA note.\n:::")),
    (reads_plain, lambda notebook: notebook.cells[0].update(source="$$\nx\n$$ (vae-one)")),
    (reads_plain, lambda notebook: notebook.metadata.update(jupytext={"formats": "ipynb,md:myst"})),
    (not_stale, lambda notebook: notebook.cells[1].update(source="print(7)")),
    (not_stale, lambda notebook: notebook.cells[2].update(execution_count=None)),
    (not_stale, lambda notebook: notebook.metadata.gmcourse.update(code_sha256="0" * 64)),
    (not_stale, lambda notebook: notebook.metadata.pop("gmcourse")),
    (without_errors, lambda notebook: notebook.cells[1].outputs.append(BROKEN)),
    (figures_described, lambda notebook: notebook.cells[4].outputs.append(PICTURE)),
    (
        figures_described,
        lambda notebook: notebook.cells[4].outputs.append(html("<img src='data:image/png;base64,aa'>")),
    ),
    (figures_described, lambda notebook: notebook.cells.insert(5, deepcopy(notebook.cells[4]))),
    (within_budget, said("x" * 410_000)),
    (no_machine_path, said('File "/' + 'home/me/lesson.py", line 1')),
    (no_machine_path, lambda notebook: notebook.metadata.kernelspec.update(argv=["/" + "Users/me/python"])),
]


def html(text):
    return nbformat.v4.new_output("display_data", {"text/html": text})


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_right_lesson_passes(check, tmp_path):
    assert check(lesson(write_lesson(tmp_path))) == []


@pytest.mark.parametrize("address", ["", "https://example.org/course"])
def test_the_install_cell_is_the_tools_own(address, tmp_path):
    path = write_lesson(tmp_path)
    known = replace(references(path.parents[1]), repository=address)
    published = publish(run(read(path)), name_of(path), known)
    assert not_stale(Lesson(read(path), published, published)) == []
    assert [is_install(cell) for cell in published.cells].count(True) == bool(address)


def test_an_explorers_picture_has_its_own_alt_text(tmp_path):
    found = lesson(write_lesson(tmp_path))
    [cell] = [cell for cell in found.executed.cells if cell.source.startswith("show")]
    del cell.metadata["mystnb"]
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "image/png": "iVBORw0KGgo="}
    alt = {"image/png": {"alt": "a straight line going up"}}
    cell.outputs = [nbformat.v4.new_output("display_data", view, metadata=alt)]
    assert figures_described(found) == []
    cell.outputs[0].metadata["image/png"]["alt"] = ""
    assert figures_described(found)


@pytest.mark.parametrize(("check", "right", "wrong"), IN_THE_TEXT)
def test_a_fault_in_the_text_is_seen(check, right, wrong, tmp_path):
    assert right in LESSON
    assert check(lesson(write_lesson(tmp_path, LESSON.replace(right, wrong))))


@pytest.mark.parametrize(("check", "right", "wrong"), IN_A_PAGE)
def test_a_fault_in_a_page_is_seen(check, right, wrong, tmp_path):
    assert right in LESSON
    assert check(page(write_text(tmp_path))) == []
    assert check(page(write_text(tmp_path, LESSON.replace(right, wrong))))


@pytest.mark.parametrize(("check", "spoil"), IN_THE_NOTEBOOK)
def test_a_fault_in_the_notebook_is_seen(check, spoil, tmp_path):
    found = lesson(write_lesson(tmp_path))
    spoil(found.executed)
    assert check(found)


def test_every_check_is_shown_to_fail():
    assert {check for check, *_ in IN_THE_TEXT + IN_A_PAGE + IN_THE_NOTEBOOK} == set(CHECKS)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("{eq}`vae-one`", "{eq}`vae-two`"),
        ("{eq}`vae-one`", "{ref}`nowhere`"),
        ("{cite:p}`kingma2014`", "{cite:p}`kingma2014, nobody1999`"),
        ("$$x = 1$$ (vae-one)", "$$x = 1$$ (vae-one)\n\n$$y = 1$$ (vae-one)"),
        ("vae-one", "one"),
        ("PLACE", "\n\n:::{prf:lemma}\n:label: vae-sum\n\n:::\n\n:::{prf:remark}\n:label: vae-sum\n\n:::\n"),
    ],
)
def test_a_reference_to_nothing_is_seen(right, wrong, tmp_path):
    assert labels_amiss(write_text(tmp_path).parents[1]) == []
    assert labels_amiss(write_text(tmp_path, LESSON.replace(right, wrong)).parents[1])


@pytest.mark.parametrize(
    ("name", "label", "amiss"),
    [("show", "vae-one", 0), ("show", "two", 1), ("show", "vae-one, vae-two", 1), ("f", "vae-one", 1)],
)
def test_a_docstring_that_names_no_equation_is_seen(name, label, amiss, tmp_path):
    chapters = write_text(tmp_path).parents[1]
    (tmp_path / "module.py").write_text(f'def {name}():\n    """What it does. Equation: {label}."""\n')
    assert len(equations_amiss(chapters, tmp_path)) == amiss
