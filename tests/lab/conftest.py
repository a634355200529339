"""A small course in a temporary folder: published as `make lessons` publishes, copied as `gmcourse lab` copies."""

import hashlib
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from gmcourse.lab.copies import refresh
from gmcourse.lab.course import read_course

BOOK = """\
course:
  - folder: 04_vae
    title: Variational autoencoders
    question: "What hides?"
    lessons:
      - {file: 01_bound, title: "The bound", core: true}
      - {file: 02_tight, title: "Tight", core: true}
      - {file: 03_video, title: "Video"}
  - folder: 05_gan
    title: Adversarial networks
    question: "Who wins?"
    lessons:
      - {file: 01_game, title: "The game", core: true}
"""
STUB = "def kl(mean):\n    raise NotImplementedError"
LESSON = ("# The bound", "First, a question.", "import math", "Now the answer.", "math.pi", STUB, 'check("vae.kl", kl)')


def cell(text, said=None):
    """A cell as it is published, named by its text; `said` is what it shows."""
    code = text.startswith(("import ", "math", "def ", "check(", "x = "))
    name = hashlib.sha256(f"{'code' if code else 'markdown'}\n{text}".encode()).hexdigest()[:12]
    if not code:
        return new_markdown_cell(text, id=name)
    outputs = [new_output("execute_result", {"text/plain": said}, execution_count=1)] if said else []
    return new_code_cell(text, id=name, outputs=outputs, execution_count=1)


class Course:
    """A clone of the course, with the copies of one student."""

    def __init__(self, root: Path):
        self.root, self.work = root, root / "work"
        (root / "book.yml").write_text(BOOK, encoding="utf-8")

    def publish(self, *texts, file="04_vae/01_bound", **metadata):
        """A lesson comes out, or comes out anew."""
        path = self.root / "chapters" / f"{file}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".md").write_text("The text.\n", encoding="utf-8")
        told = {"code_sha256": "0" * 64, "minutes": {"reading": 40, "exercises": 25}}
        cells = [cell(*([t] if isinstance(t, str) else t)) for t in texts]
        for number, one in enumerate(cells):
            before = sum(other.id.startswith(one.id) for other in cells[:number])
            one.id += f"-{before + 1}" if before else ""
        notebook = new_notebook(cells=cells)
        notebook.metadata.update(gmcourse=told, **metadata)
        nbformat.write(notebook, path)

    def refresh(self):
        """{lesson: (what became of the copy, the remark)}"""
        done = refresh(self.root, self.work, read_course(self.root))
        return {one.lesson.file: (one.state, one.remark) for one in done}

    def copy(self, file="04_vae/01_bound"):
        return nbformat.read(self.path(file), as_version=4)

    def path(self, file="04_vae/01_bound"):
        return self.work / f"{file}.ipynb"

    def save(self, notebook, file="04_vae/01_bound"):
        """The student saves."""
        nbformat.write(notebook, self.path(file))

    def texts(self, file="04_vae/01_bound"):
        notebook = self.copy(file)
        nbformat.validate(notebook)
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
        return [cell.source for cell in notebook.cells]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """One lesson, published and copied; signatures go to a folder of the test's own."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "clone").mkdir()
    course = Course(tmp_path / "clone")
    course.publish(*LESSON)
    assert course.refresh() == {"04_vae/01_bound": ("new", "")}
    return course
