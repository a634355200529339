"""The command line: `gmcourse models | data | train | sample | evaluate | compare | lab | assignment | grade`."""

import inspect
import sys
from collections.abc import Sequence

import tyro

from gmcourse.cli.commands import assignment, compare, data, evaluate, grade, lab, models, sample, train

__all__ = ["main"]

COMMANDS = {
    "models": models,
    "data": data,
    "train": train,
    "sample": sample,
    "evaluate": evaluate,
    "compare": compare,
    "lab": lab,
    "assignment": assignment,
    "grade": grade,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 1 if it could not be done, 2 if asked wrongly, 130 after Ctrl-C."""
    about = "Read the course, and train, sample and measure its models."
    argv = _marked(sys.argv[1:] if argv is None else argv)
    plain = (tyro.conf.FlagCreatePairsOff,)
    try:
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="gmcourse", description=about, args=argv, config=plain)
    except ValueError as error:
        return _failed(error, 2)
    except (OSError, FloatingPointError, ModuleNotFoundError) as error:
        return _failed(error, 1)
    except (MemoryError, RuntimeError) as error:
        if "memory" not in str(error):
            raise
        return _failed("out of memory: ask for less at a time, a smaller batch or fewer samples", 1)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)
    return 0


def _marked(argv: Sequence[str]) -> list[str]:
    """`argv`; in that of `lab`, a bare -- before the first option that is JupyterLab's and not its own."""
    own = {"-h", "--help", "--", *(f"--{name.replace('_', '-')}" for name in inspect.signature(lab).parameters)}
    foreign = (k for k, word in enumerate(argv) if word.startswith("-") and word.partition("=")[0] not in own)
    at = next(foreign, None)
    if at is None or argv[0] != "lab" or "--" in argv[:at]:
        return [*argv]
    return [*argv[:at], "--", *argv[at:]]


def _failed(error: Exception | str, status: int) -> int:
    print("gmcourse:", *str(error).split(), file=sys.stderr)
    return status
