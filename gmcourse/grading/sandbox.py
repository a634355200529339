"""An existing sandbox around the process of the answers: bubblewrap, Podman or Docker; without one, only on request."""

import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import gmcourse
from gmcourse.grading.boundary import Peer
from gmcourse.grading.wire import Greedy

PACKAGE = Path(gmcourse.__file__).resolve().parent
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
KINDS = ("bwrap", "podman", "docker", "none")


@dataclass(frozen=True)
class Limits:
    """What one student's process may use: bytes of memory, of a file and of /tmp, seconds of the processor, processes.

    `memory` holds for each process and, where /proc tells, for all of them together.
    """

    memory: int = 3 * 2**30
    file: int = 64 * 2**20
    cpu: int = 900
    processes: int = 32


def find_sandbox(trusted: bool = False) -> str:
    """The sandbox of this machine. Raises ValueError where there is none and students are not trusted."""
    if trusted:
        return "none"
    for kind in KINDS[:-1]:
        if shutil.which(kind) and _works(kind):
            return kind
    raise ValueError(
        "sandbox: got no bubblewrap (bwrap), Podman or Docker that works, expected one to run students' code in: "
        "install bubblewrap, or trust the students with --trust-students"
    )


def _works(kind: str) -> bool:
    if kind == "bwrap":
        probe = [*_bubblewrap(), "true"]
    else:
        probe = [kind, "image", "inspect", image()]
    return not subprocess.run(probe, capture_output=True, timeout=60, check=False).returncode


def image() -> str:
    """The container's image, which holds this version of the course and torch."""
    return os.environ.get("GMCOURSE_IMAGE", f"gmcourse:{gmcourse.__version__}")


def command(kind: str, limits: Limits) -> list[str]:
    """The command line that starts the process of the answers."""
    told = json.dumps({**asdict(limits), **({"user": 100_000 + os.getpid()} if os.getuid() == 0 else {})})
    if kind in ("podman", "docker"):
        return [*_container(kind, limits), "python", "-m", "gmcourse.grading.enter", told]
    inner = [sys.executable, "-s", "-P", "-m", "gmcourse.grading.enter"]
    if kind == "none":
        return [*inner, json.dumps({key: value for key, value in asdict(limits).items() if key != "processes"})]
    return [*_bubblewrap(), *inner, told]


def _bubblewrap() -> list[str]:
    """No network, no other process, no file but the system's and Python's, read-only, and a /tmp of its own."""
    apart = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid() == 0:
        apart += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]  # until it is another user
    else:
        apart += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    binds: list[str] = []
    for place in SYSTEM:
        if os.path.islink(place):
            binds += ["--symlink", os.readlink(place), place]
        elif os.path.isdir(place):
            binds += ["--ro-bind", place, place]
    places = sorted({sys.prefix, sys.base_prefix} - {"/usr"})
    parents = {str(parent) for place in (*places, "/etc/x", "/course/x") for parent in Path(place).parents} - {"/"}
    for parent in sorted(parents):  # bubblewrap's own would be closed to all but the first user
        binds += ["--perms", "0755", "--dir", parent]
    for place in places:
        binds += ["--ro-bind", place, place]
    binds += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind", str(PACKAGE), "/course/gmcourse"]
    for room in ("exercises", "laws"):  # the answers in numbers, and what is asked of them
        folders = [f.name for f in pkgutil.iter_modules([str(PACKAGE / room)]) if f.ispkg]
        binds += [part for name in folders for part in ("--tmpfs", f"/course/gmcourse/{room}/{name}")]
        binds += [part for name in folders for part in ("--remount-ro", f"/course/gmcourse/{room}/{name}")]
    room = ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--size", str(64 * 2**20), "--perms", "1777"]
    room += ["--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"]
    named = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "PYTHONPATH": "/course", **THREADS}
    given = [part for name, value in named.items() for part in ("--setenv", name, value)]
    return ["bwrap", *apart, "--die-with-parent", "--new-session", *binds, *room, "--clearenv", *given]


THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}


def _container(kind: str, limits: Limits) -> list[str]:
    given = [part for name, value in THREADS.items() for part in ("--env", f"{name}={value}")]
    bounds = ["--memory", str(limits.memory), "--pids-limit", str(limits.processes), "--cpus", "1"]
    shut = ["--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    room = ["--tmpfs", "/tmp:size=64m", "--user", "65534:65534", "--workdir", "/tmp"]
    return [kind, "run", "--rm", "--interactive", "--init", *shut, *bounds, *room, *given, image()]


@contextmanager
def started(kind: str, limits: Limits) -> Iterator[Peer]:
    """A peer whose other side runs in the sandbox; at the end the whole group is killed, whatever it does."""
    own = {**THREADS, "PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(PACKAGE.parent)}
    process = subprocess.Popen(
        command(kind, limits),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=own if kind == "none" else {**os.environ},
        start_new_session=True,
        bufsize=0,
    )
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
        process.stdin.close()
        process.stdout.close()
        process.wait()


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
        with suppress(OSError):
            waiting += map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
    return found


def _used(process: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon", "RssShmem")))
    return 0
