"""The cell that installs the course where a lesson is opened without it, as on Colab: in the .ipynb only."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import nbformat

from gmcourse import __version__

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
SMALL = ("anywidget", "pooch", "safetensors", "tyro")  # what lessons import and a hosted notebook may lack
TAGS = ["colab-install", "remove-cell"]
CODE = """\
# Where the course is not installed yet: the version that this lesson was made with.
from importlib.util import find_spec

if find_spec("gmcourse") is None and find_spec("torch") is None:
    %pip install -q "git+{address}@v{version}"
elif find_spec("gmcourse") is None:  # a hosted notebook keeps its own torch and widgets
    %pip install -q --no-deps "git+{address}@v{version}"
    pins = {pins}
    missing = " ".join(pin for pin in pins if find_spec(pin.split("==")[0]) is None)
    if missing:
        %pip install -q {{missing}}"""


def install_cell(address: str):
    """The cell for a course whose repository is at `address`, its code hidden."""
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    pins = [pin for pin in project["dependencies"] if pin.partition("==")[0] in SMALL]
    code = CODE.format(address=address, version=__version__, pins=json.dumps(pins))
    return nbformat.v4.new_code_cell(code, metadata={"tags": list(TAGS), "jupyter": {"source_hidden": True}})


def is_install(cell) -> bool:
    """Whether this is that cell."""
    return TAGS[0] in cell.metadata.get("tags", [])
