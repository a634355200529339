"""An existing sandbox around the process of the answers: bubblewrap, Podman or Docker; without one, only on request."""

import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import gmcourse
from gmcourse.grading import seccomp
from gmcourse.grading.boundary import Peer
from gmcourse.grading.wire import Greedy

PACKAGE = Path(gmcourse.__file__).resolve().parent
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
KINDS = ("bwrap", "podman", "docker", "none")


@dataclass(frozen=True)
class Limits:
    """What one student's process may use: bytes of memory and of a file, open files, CPU seconds, processes.

    `memory` holds for each process and, where /proc tells, for all of them together.
    """

    memory: int = 3 * 2**30
    file: int = 16 * 2**20
    files: int = 64
    cpu: int = 900
    processes: int = 32


def find_sandbox(trusted: bool = False) -> str:
    """The sandbox of this machine. Raises ValueError where there is none that works and students are not trusted."""
    if trusted:
        return "none"
    said = []
    for kind in KINDS[:-1]:
        if shutil.which(kind):
            if (why := _amiss(kind)) == "":
                return kind
            said.append(f"{kind}: {why}")
    raise ValueError(
        f"sandbox: got {'; '.join(said) or 'neither bubblewrap (bwrap), nor Podman, nor Docker'}, expected one that "
        "works to run students' code in: install bubblewrap, or trust the students with --trust-students"
    )


@lru_cache
def _amiss(kind: str) -> str:
    """Why a sandbox cannot be used, in its last words; nothing where the process of the answers starts in it."""
    probe = ["-c", "import torch, gmcourse.grading.inside"]
    try:
        if kind == "bwrap":
            done = subprocess.run([*_bubblewrap(), *PYTHON, *probe], capture_output=True, timeout=120, env=_bare())
        else:
            done = subprocess.run([kind, "image", "inspect", image()], capture_output=True, timeout=120)
    except subprocess.TimeoutExpired:
        return "no answer in two minutes"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return (lines or [f"exit status {done.returncode}"])[-1] if done.returncode else ""


def _bare() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "")}


def image() -> str:
    """The container's image, which holds this version of the course and torch."""
    return os.environ.get("GMCOURSE_IMAGE", f"gmcourse:{gmcourse.__version__}")


def command(kind: str, limits: Limits, name: str, denied: int | None = None) -> list[str]:
    """The command line that starts the process of the answers; `name` is a container's, `denied` a filter's pipe."""
    told = json.dumps({**asdict(limits), **({"user": 100_000 + os.getpid()} if os.getuid() == 0 else {})})
    if kind in ("podman", "docker"):
        return [*_container(kind, limits, name), "python", "-m", ENTER, told]
    if kind == "none":
        return [*PYTHON, "-m", ENTER, json.dumps({k: v for k, v in asdict(limits).items() if k != "processes"})]
    return [*_bubblewrap(denied), *PYTHON, "-m", ENTER, told]


PYTHON, ENTER = [sys.executable, "-s", "-P"], "gmcourse.grading.enter"


def _packages() -> list[str]:
    return [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages") and os.path.isdir(path)]


def _places() -> list[str]:
    """The folders of Python and of its packages, wherever they lie."""
    found = sorted({sys.prefix, sys.base_prefix, *_packages()} - {"/usr"})
    return [
        place for place in found if not any(Path(place).is_relative_to(above) for above in {*found, "/usr"} - {place})
    ]


def _bubblewrap(denied: int | None = None) -> list[str]:
    """No network, no other process, no file but the system's and Python's, read-only, and a /tmp of its own."""
    apart = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid() == 0:
        apart += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]  # until it is another user
    else:
        apart += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    apart += [] if denied is None else ["--seccomp", f"{denied}"]
    binds: list[str] = []
    for place in SYSTEM:
        if os.path.islink(place):
            binds += ["--symlink", os.readlink(place), place]
        elif os.path.isdir(place):
            binds += ["--ro-bind", place, place]
    room = ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--size", str(64 * 2**20), "--perms", "1777"]
    room += ["--tmpfs", "/tmp", *_installed(), "--remount-ro", "/", "--chdir", "/tmp"]
    named = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "PYTHONPATH": ":".join(["/course", *_packages()]), **THREADS}
    given = [part for name, value in named.items() for part in ("--setenv", name, value)]
    return ["bwrap", *apart, "--die-with-parent", "--new-session", *binds, *room, "--clearenv", *given]


def _installed() -> list[str]:
    """Python, its packages and the course, without the answers in numbers and what is asked of them."""
    places, binds = _places(), []
    parents = {str(parent) for place in (*places, "/etc/x", "/course/x") for parent in Path(place).parents} - {
        "/",
        "/tmp",
    }
    for parent in sorted(parents):  # bubblewrap's own would be closed to all but the first user
        binds += ["--perms", "0755", "--dir", parent]
    for place in places:
        binds += ["--ro-bind", place, place]
    binds += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind", str(PACKAGE), "/course/gmcourse"]
    copies = ["/course/gmcourse", *([str(PACKAGE)] if any(PACKAGE.is_relative_to(place) for place in places) else [])]
    for copy in copies:
        for room in ("exercises", "laws"):
            names = [f.name for f in pkgutil.iter_modules([str(PACKAGE / room)]) if f.ispkg]
            binds += [part for name in names for part in ("--tmpfs", f"{copy}/{room}/{name}")]
            binds += [part for name in names for part in ("--remount-ro", f"{copy}/{room}/{name}")]
    return binds


THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}


def _container(kind: str, limits: Limits, name: str) -> list[str]:
    given = [part for name, value in THREADS.items() for part in ("--env", f"{name}={value}")]
    bounds = ["--memory", str(limits.memory), "--pids-limit", str(limits.processes), "--cpus", "1"]
    shut = ["--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    room = ["--tmpfs", "/tmp:size=64m", "--user", "65534:65534", "--workdir", "/tmp"]
    return [kind, "run", "--rm", "--name", name, "--interactive", "--init", *shut, *bounds, *room, *given, image()]


@contextmanager
def started(kind: str, limits: Limits) -> Iterator[Peer]:
    """A peer whose other side runs in the sandbox; at the end the whole group is killed, whatever it does."""
    name, pipes = f"gmcourse-{uuid.uuid4().hex}", _filter() if kind == "bwrap" else ()
    own = {**THREADS, **_bare(), "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), *sys.path])}
    process = subprocess.Popen(
        command(kind, limits, name, *pipes),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"none": own, "bwrap": _bare()}.get(kind, {**os.environ}),
        start_new_session=True,
        pass_fds=pipes,
        bufsize=0,
    )
    _close(pipes)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        peer = Peer(process.stdout.fileno(), process.stdin.fileno())
        os.set_blocking(peer.writes, False)
        peer.look = Memory(process.pid, limits.memory)
        yield peer
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if kind in ("podman", "docker"):
            subprocess.run([kind, "rm", "--force", name], capture_output=True, check=False)
        process.stdin.close()
        process.stdout.close()
        process.wait()


def _filter() -> tuple[int, ...]:
    """A pipe that holds the filter of system calls, where this processor has one."""
    if (program := seccomp.program()) is None:
        return ()
    reads, writes = os.pipe()
    os.write(writes, program)
    os.close(writes)
    return (reads,)


def _close(pipes: Sequence[int]) -> None:
    for pipe in pipes:
        os.close(pipe)


class Memory:
    """Looks at the memory of a process and of all below it, twice a second at most; raises Greedy over `most`."""

    def __init__(self, root: int, most: int):
        self.root, self.most, self.last = root, most, 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self.last < 0.4:
            return
        self.last = now
        if (used := sum(map(_used, _family(self.root)))) > self.most:
            raise Greedy(f"{used / 2**30:.1f} GiB of memory in use, at most {self.most / 2**30:.1f}")


def _family(root: int) -> list[int]:
    """A process and all below it, where the system tells."""
    found, waiting = [], [root]
    while waiting and len(found) < 10_000:
        found.append(process := waiting.pop())
        for path in Path(f"/proc/{process}/task").glob("*/children"):
            with suppress(OSError):
                waiting += map(int, path.read_text().split())
    return found


def _used(process: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon", "RssShmem")))
    return 0
