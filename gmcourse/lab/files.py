"""Where the course lies, and how a file is written: whole, or not at all."""

import os
import tempfile
from pathlib import Path

import gmcourse


def find_course(start: Path | None = None) -> Path:
    """The clone of the course that this package lies in, else the one around the folder `start`, by default this one.

    ValueError where there is none: the package alone holds no lessons.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (Path(gmcourse.__file__).resolve().parents[1], start, *start.parents):
        if (folder / "book.yml").is_file() and (folder / "chapters").is_dir():
            return folder
    raise ValueError(f"the course: got {start}, expected a clone of it: go to the folder that holds book.yml")


def write(path: Path, text: str) -> None:
    """Replace `path` by `text` at once, or leave it as it was."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
