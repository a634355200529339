"""The way into the sandbox: limits first, then the pipes taken away from the answers, then the work.

Started as `python -m gmcourse.grading.enter LIMITS`, where LIMITS is JSON: memory, file (bytes), files, cpu (seconds),
processes, and user, the number of the one to become where this process is the system's first.
"""

import json
import os
import resource
import sys
from typing import Any


def confine(limits: dict[str, int]) -> None:
    """Take the limits, for good, and give up the first user's rights."""
    pairs = {"RLIMIT_AS": "memory", "RLIMIT_FSIZE": "file", "RLIMIT_CPU": "cpu", "RLIMIT_NPROC": "processes"}
    pairs["RLIMIT_NOFILE"] = "files"
    for name, key in pairs.items():
        if key in limits:
            resource.setrlimit(getattr(resource, name), (limits[key], limits[key]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "user" in limits and os.getuid() == 0:
        os.setgroups([])
        os.setgid(limits["user"])
        os.setuid(limits["user"])


def pipes() -> tuple[int, int]:
    """Copies of standard input and output for the grader; what the answers see in their place is empty."""
    reads, writes = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    return reads, writes


def main() -> None:
    """Serve the grader until it is done."""
    reads, writes = pipes()
    confine(json.loads(sys.argv[1]))
    from gmcourse.grading.inside import Inside
    from gmcourse.grading.picking import Notebook

    notebook: dict[str, Notebook] = {}

    def load(header: dict[str, Any]) -> Any:
        if "cells" in header:
            notebook["read"] = Notebook([(source, exercise) for source, exercise in header["cells"]])
        return notebook["read"].answer(header["exercise"], header["name"]) if "exercise" in header else ...

    Inside(reads, writes, load).run()


if __name__ == "__main__":
    main()
