"""The two files of a lesson: the notebook that the .md describes, and the .ipynb made of it and of its outputs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import jupytext

from gmcourse.lab.merge import name_cells
from notebooks.install import install_cell, is_install
from notebooks.minutes import is_hidden, minutes
from notebooks.plain import plain
from notebooks.prepare import prepared
from notebooks.references import References, number_of


def read(source: Path):
    """The notebook that a lesson's .md describes, in MyST, without outputs."""
    notebook = jupytext.read(source, fmt="md:myst")
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def code_cells(notebook) -> list:
    """The code cells that stand in the .md."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and not is_install(cell)]


def code_sha256(notebook) -> str:
    """The hash of what is executed: source and tags of every code cell."""
    code = [[cell.source, sorted(cell.metadata.get("tags", []))] for cell in code_cells(notebook)]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()


def is_stale(source, executed) -> bool:
    """Whether `executed` ran other code than `source` holds, or did not run to its end."""
    counts = [cell.execution_count for cell in code_cells(executed)]
    stamp = executed.metadata.get("gmcourse", {}).get("code_sha256")
    ran = counts == list(range(1, len(counts) + 1))
    return not (ran and stamp == code_sha256(executed) == code_sha256(source))


def keep_outputs(source, executed):
    """`source` with the outputs of `executed`, whose code cells are the same."""
    for new, old in zip(code_cells(source), code_cells(executed)):
        new.outputs = old.outputs
    for count, cell in enumerate(code_cells(source), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    if "widgets" in executed.metadata:
        source.metadata["widgets"] = executed.metadata.widgets
    return source


def publish(notebook, name: str, references: References):
    """The .ipynb of the lesson `name`, from the notebook of its .md with its outputs: in plain Markdown."""
    published = prepared(notebook, name, references)
    title = published.cells[0].source.partition("\n")[0].lstrip("# ") if published.cells else ""
    for cell in published.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, name, references)
        elif is_hidden(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}
    published.metadata.pop("jupytext", None)
    published.metadata["gmcourse"] = {
        "code_sha256": code_sha256(notebook),
        "number": number_of(name),
        "title": title.removeprefix(number_of(name)).strip(),
        "minutes": minutes(notebook),
    }
    if references.repository:
        published.cells.insert(1, install_cell(references.repository))
    return name_cells(published)
