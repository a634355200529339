"""Every lesson: the pair in sync, executed, readable anywhere, its references resolved; each check shown to fail."""

import ast
import functools
import importlib
import json
import re
from copy import deepcopy
from pathlib import Path

import jupytext
import lessons as tool
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"
LABEL = r"[A-Za-z0-9_.-]+"
MACHINE_PATH = re.compile(r"(?<![\w.:/])(?:/(?:home|Users|root|tmp|work|opt|private)/\w|[A-Z]:\\\\?Users)")


# What a lesson is: its .md and its .ipynb, read


def pair(path: Path, address: str = ""):
    """(the notebook of the .md, the notebook of the .ipynb) of one lesson."""
    return tool.read(path, address), nbformat.read(path.with_suffix(".ipynb"), as_version=4)


def markdown(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def tagged(cell) -> tuple:
    """What must be the same in both files: type, source, tags and the figure's alt text."""
    return cell.cell_type, cell.source, sorted(cell.metadata.get("tags", [])), cell.metadata.get("mystnb")


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


# The checks: each takes the pair and returns what is amiss, in words


def in_sync(source, executed):
    left, right = ([tagged(cell) for cell in notebook.cells] for notebook in (source, executed))
    wrong = [f"cell {i} differs: {a[1][:60]!r}, {b[1][:60]!r}" for i, (a, b) in enumerate(zip(left, right)) if a != b]
    return wrong + ([f"{len(left)} cells in the .md, {len(right)} in the .ipynb"] if len(left) != len(right) else [])


def not_stale(source, executed):
    return ["executed with other code than the .md holds: run make lessons"] if tool.is_stale(source, executed) else []


def without_errors(_, executed):
    return [f"cell {i} failed: {o.ename}: {o.evalue}" for i, _, o in outputs(executed) if o.output_type == "error"]


def short_cells(source, _):
    long = {i: len(c.source.splitlines()) for i, c in enumerate(source.cells) if c.cell_type == "code"}
    return [f"cell {i} has {lines} lines, at most 30" for i, lines in long.items() if lines > 30]


def pictures(cell) -> list:
    return [o for o in cell.get("outputs", []) if any(kind.startswith("image/") for kind in o.get("data", {}))]


def captioned(cells) -> bool:
    """Whether what follows a figure is its caption, or more figures and then the caption of them all."""
    after = next((i for i, cell in enumerate(cells) if not pictures(cell)), None)
    return after is not None and cells[after].source.startswith("*Figures " if after else ("*Figure ", "*Figures "))


def figures_described(_, executed):
    wrong = []
    for index, cell in enumerate(executed.cells):
        shown = pictures(cell)
        if shown and len(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")) < 15:
            wrong.append(f"cell {index}: a figure without alt text (mystnb: image: alt)")
        if shown and not captioned(executed.cells[index + 1 :]):
            wrong.append(f"cell {index}: a figure without a caption (a cell that starts with '*Figure ')")
        if len(shown) > 1:
            wrong.append(f"cell {index}: {len(shown)} figures share one alt text")
    tags = [(i, tag) for i, _, o in outputs(executed) for tag in re.findall(r"<img\b[^>]*>", texts(o))]
    return wrong + [f"cell {i}: <img> without alt text" for i, tag in tags if not re.search(r'\balt=\\?["\']\w', tag)]


def images_described(source, _):
    text = markdown(source)
    bare = re.findall(r"!\[\s*\]\([^)]*\)", text) + re.findall(r"<img\b(?![^>]*\balt=.\w)[^>]*>", text)
    blocks = re.findall(r"^(:{3,})\{(?:figure|image)\}[^\n]*\n(.*?)^\1", text, re.M | re.S)
    return [f"{image}: no alt text" for image in bare + [body.strip() for _, body in blocks if ":alt:" not in body]]


def colon_fences(source, _):
    return [f"{line!r}: write a colon fence" for line in re.findall(r"^\s*`{3,}\{[^}]*\}", markdown(source), re.M)]


def names_resolve(source, _):
    names = set(re.findall(r"(?<![\w/.-])gmcourse(?:\.[A-Za-z_]\w*)+", markdown(source)))
    return [f"{name} does not exist" for name in sorted(names) if not resolves(name)]


def outputs_compared(source, _):
    marked = sum("nbval-check-output" in cell.metadata.get("tags", []) for cell in source.cells)
    return [] if marked >= 3 else [f"{marked} cells tagged nbval-check-output, at least 3"]


def within_budget(_, executed):
    text = nbformat.writes(executed)
    size = len(text.encode()) / 1000
    return [f"{size:.0f} kB, at most {tool.budget(text)}"] if size > tool.budget(text) else []


def no_machine_path(source, executed):
    metadata = {key: value for key, value in executed.metadata.items() if key != "widgets"}
    said = [texts(output) for _, _, output in outputs(executed)] + [cell.source for cell in source.cells]
    found = MACHINE_PATH.findall("\n".join([*said, json.dumps(metadata)]))
    return [f"{path}...: a path of the machine it ran on" for path in found]


CHECKS = [
    in_sync,
    not_stale,
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
@pytest.mark.parametrize("path", tool.lessons(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_lesson(path, check):
    wrong = check(*pair(path, tool.repository()))
    assert not wrong, "\n".join([f"{path.parent.name}/{path.stem}", *wrong])


def test_every_notebook_has_its_text_and_every_text_its_notebook():
    files = {path for kind in ("md", "ipynb") for path in CHAPTERS.glob(f"[0-9][0-9]_*/[0-9][0-9]_*.{kind}")}
    lonely = [path.name for path in files if not {path.with_suffix(".md"), path.with_suffix(".ipynb")} <= files]
    assert files
    assert not lonely, f"no pair: {lonely}"


def test_labels_and_citations_resolve():
    assert not (wrong := labels_amiss(CHAPTERS)), "\n".join(wrong)


def test_equations_and_docstrings_name_each_other():
    assert not (wrong := equations_amiss(CHAPTERS, ROOT / "gmcourse")), "\n".join(wrong)


@pytest.mark.parametrize("page", ["index.md", "notation.md", "../README.md"])
def test_pages_beside_the_lessons(page):
    notebook = jupytext.read(CHAPTERS / page, fmt="md:myst")
    wrong = [line for check in (colon_fences, images_described, names_resolve) for line in check(notebook, notebook)]
    assert not wrong, "\n".join(wrong)


# Each check can fail: a small lesson that is right, and the faults that each check must see


HEADER = "---\njupytext:\n  formats: ipynb,md:myst\nkernelspec:\n  display_name: Python 3\n  name: python3\n---\n\n"
FIGURE = '```{code-cell} ipython3\n---\nmystnb:\n  image:\n    alt: a straight line going up\n---\nshow("line")\n```\n'
CODE = "```{code-cell} ipython3\n:tags: [nbval-check-output]\n\nprint(%d)\n```\n\n"
LESSON = (
    f"{HEADER}# A lesson\n\n$$x = 1$$ (vae-one)\n\nBy {{eq}}`vae-one` and `gmcourse.probability.gaussian_log_prob`, "
    "{cite:p}`kingma2014`: ![a plot](plot.png)\n\n"
    + "".join(CODE % number for number in (1, 2, 3))
    + FIGURE
    + "\n*Figure 1. A line.*\n"
)
PICTURE = nbformat.v4.new_output("display_data", {"image/png": "iVBORw0KGgo="})
PRINTED = nbformat.v4.new_output("stream", name="stdout", text="1\n")
BROKEN = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])


def executed(source):
    """`source` as if it had been run: numbers printed, the figure shown."""
    notebook = deepcopy(source)
    for cell in tool.code_cells(notebook):
        cell.outputs = [deepcopy(PICTURE if cell.source.startswith("show") else PRINTED)]
    return tool.keep_outputs(notebook, deepcopy(notebook))


def write_lesson(folder: Path, text: str = LESSON) -> Path:
    path = folder / "chapters" / "04_vae" / "01_lesson.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    (folder / "chapters" / "references.bib").write_text("@article{kingma2014,\n  title = {x}\n}\n")
    nbformat.write(executed(tool.read(path)), path.with_suffix(".ipynb"))
    return path


def said(text):
    return lambda notebook: notebook.cells[1].update(outputs=[nbformat.v4.new_output("stream", text=text)])


IN_THE_TEXT = [
    (short_cells, "print(1)", "\n".join(["print(1)"] * 31)),
    (figures_described, "a straight line going up", "line"),
    (figures_described, "*Figure 1. A line.*", "A line."),
    (images_described, "![a plot]", "![]"),
    (images_described, "![a plot](plot.png)", "<img src='plot.png'>"),
    (images_described, "![a plot](plot.png)", "\n\n:::{figure} plot.png\n:width: 3cm\nCaption.\n:::"),
    (colon_fences, "![a plot](plot.png)", "\n\n```{note}\nThis.\n```"),
    (names_resolve, "gaussian_log_prob", "gaussian_log_probability"),
    (names_resolve, "gmcourse.probability", "gmcourse.probabilities"),
    (outputs_compared, "nbval-check-output", "other"),
    (no_machine_path, "print(1)", 'open("/' + 'home/me/x.csv")'),
]
IN_THE_NOTEBOOK = [
    (in_sync, lambda notebook: notebook.cells.pop()),
    (in_sync, lambda notebook: notebook.cells[1].update(source="print(7)")),
    (in_sync, lambda notebook: notebook.cells[0].update(source="# Another lesson")),
    (in_sync, lambda notebook: notebook.cells[1].metadata.update(tags=["hide-input"])),
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
    assert check(*pair(write_lesson(tmp_path))) == []


@pytest.mark.parametrize("address", ["", "https://example.org/course"])
def test_the_install_cell_is_the_tools_own(address, tmp_path):
    path = write_lesson(tmp_path)
    nbformat.write(executed(tool.read(path, address)), path.with_suffix(".ipynb"))
    assert [check(*pair(path, address)) for check in (in_sync, not_stale)] == [[], []]
    assert any(map(tool.is_install, pair(path)[1].cells)) == bool(address)


@pytest.mark.parametrize(("check", "right", "wrong"), IN_THE_TEXT)
def test_a_fault_in_the_text_is_seen(check, right, wrong, tmp_path):
    assert right in LESSON
    assert check(*pair(write_lesson(tmp_path, LESSON.replace(right, wrong))))


@pytest.mark.parametrize(("check", "spoil"), IN_THE_NOTEBOOK)
def test_a_fault_in_the_notebook_is_seen(check, spoil, tmp_path):
    source, notebook = pair(write_lesson(tmp_path))
    spoil(notebook)
    assert check(source, notebook)


def test_every_check_is_shown_to_fail():
    assert {check for check, *_ in IN_THE_TEXT + IN_THE_NOTEBOOK} == set(CHECKS)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("{eq}`vae-one`", "{eq}`vae-two`"),
        ("{eq}`vae-one`", "{ref}`nowhere`"),
        ("{cite:p}`kingma2014`", "{cite:p}`kingma2014, nobody1999`"),
        ("$$x = 1$$ (vae-one)", "$$x = 1$$ (vae-one)\n\n$$y = 1$$ (vae-one)"),
        ("vae-one", "one"),
    ],
)
def test_a_reference_to_nothing_is_seen(right, wrong, tmp_path):
    assert labels_amiss(write_lesson(tmp_path).parents[1]) == []
    assert labels_amiss(write_lesson(tmp_path, LESSON.replace(right, wrong)).parents[1])


@pytest.mark.parametrize(
    ("name", "label", "amiss"),
    [("show", "vae-one", 0), ("show", "two", 1), ("show", "vae-one, vae-two", 1), ("f", "vae-one", 1)],
)
def test_a_docstring_that_names_no_equation_is_seen(name, label, amiss, tmp_path):
    chapters = write_lesson(tmp_path).parents[1]
    (tmp_path / "module.py").write_text(f'def {name}():\n    """What it does. Equation: {label}."""\n')
    assert len(equations_amiss(chapters, tmp_path)) == amiss
