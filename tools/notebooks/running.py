"""Run the cells of a notebook, and give what they made names that a second run gives again."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from gmcourse.lab.merge import WIDGETS

CELL_TIMEOUT = 120


class LessonError(Exception):
    """A lesson that could not be executed: says which cell, and why."""


def execute(notebook, folder: Path) -> float:
    """Run every cell of `notebook` in `folder`, in place, on one thread; the kernel's CPU seconds, imports included.

    CPU seconds and not the clock: other work on the machine lengthens the one and not the other. LessonError names the
    cell that fails.
    """
    os.environ.update(OMP_NUM_THREADS="1", TQDM_DISABLE="1")
    at = {"seconds": 0.0}
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,  # else what is printed is cut where the kernel happened to flush
        extra_arguments=["--IPKernelApp.log_level=40"],
        on_cell_execute=lambda cell, cell_index: at.update(index=cell_index, source=cell.source),
        on_cell_executed=lambda **_: at.update(seconds=cpu_seconds(client.km.provisioner.pid)),
    )
    kept = dict(notebook.metadata)
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        first = at.get("source", "").strip().partition("\n")[0]
        plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
        raise LessonError(f"cell {at.get('index', 0)} ({first!r}) failed:\n{plain}") from error
    widgets = notebook.metadata.get("widgets")
    notebook.metadata = nbformat.from_dict(kept | ({"widgets": widgets} if widgets else {}))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return at["seconds"]


def cpu_seconds(pid: int) -> float:
    """What a process and its ended children have used of the processor."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def number_widgets(notebook, name: str):
    """The widgets named in order within the lesson, not at random: running it again gives the same text."""
    state = notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    text = json.dumps(notebook)
    for number, model in enumerate(state):
        text = text.replace(model, hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:32])
    return nbformat.from_dict(json.loads(text))
