"""JupyterLab in the folder of copies, the welcome page first; and what happens when a lesson is saved."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gmcourse.lab.course import read_course
from gmcourse.lab.files import find_course
from gmcourse.lab.welcome import NAME, write_welcome

CONFIG = "jupyter_config"  # the settings of the lab: welcome.md is rendered, and `saved` is called


def start(root: Path, work: Path, arguments: Sequence[str]) -> None:
    """Run JupyterLab until it is stopped, with its own `arguments` besides those that the course needs."""
    from jupyterlab.labapp import LabApp

    others = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(root / CONFIG), *([others] if others else [])])
    LabApp.launch_instance([*settings(work), *arguments])


def settings(work: Path) -> list[str]:
    """What JupyterLab is told: where to start, and in a container that its user is root."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    place = [f"--ServerApp.root_dir={work}", f"--LabApp.default_url=/lab/workspaces/gmcourse/tree/{NAME}"]
    return [*place, *(["--allow-root"] if is_root else [])]


def saved(model: dict[str, Any], os_path: str, contents_manager: Any, **_: Any) -> None:
    """Jupyter's hook after a file is saved: the welcome page beside a student's lesson is written anew.

    What goes wrong here is logged and no more: the student's notebook has been saved.
    """
    try:
        work = Path(os_path).resolve().parents[1]
        if model["type"] == "notebook" and (work / NAME).is_file():
            root = find_course()
            write_welcome(root, work, read_course(root))
    except Exception as error:
        contents_manager.log.warning("The welcome page was not brought up to date: %s", error)
