"""The cell that installs the course where a lesson is opened without it, as on Colab: in the .ipynb only."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nbformat

from gmcourse import __version__

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
NEEDS = {  # what lessons import, and who brings it; anywidget brings ipywidgets and traitlets, of 7 as of 8
    "PIL": "pillow",
    "anywidget": "anywidget",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "pooch": "pooch",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "tqdm": "tqdm",
}
TAGS = ["colab-install", "remove-cell"]
CODE = """\
# Where the course is not installed: what it needs and is not there, then the course.
from importlib.util import find_spec

if find_spec("gmcourse") is None:
    needs = {{
{needs}
    }}
    missing = " ".join(pin for name, pin in needs.items() if find_spec(name) is None)
    if missing:
        %pip install -q {{missing}}
    %pip install -q --no-deps "git+{address}@v{version}\""""


def install_cell(address: str):
    """The cell for a course whose repository is at `address`, its code hidden; what is there keeps its version."""
    pins = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["dependencies"]
    asked = {re.split("[=<>]", pin)[0]: pin for pin in pins}
    needs = "\n".join(f'        "{module}": "{asked[name]}",' for module, name in NEEDS.items())
    code = CODE.format(address=address, version=__version__, needs=needs)
    return nbformat.v4.new_code_cell(code, metadata={"tags": list(TAGS), "jupyter": {"source_hidden": True}})


def is_install(cell) -> bool:
    """Whether this is that cell."""
    return TAGS[0] in cell.metadata.get("tags", [])
