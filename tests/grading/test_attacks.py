"""Hostile submissions: each is contained, scores nothing by it, and the rest of the batch is graded as ever."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest

import gmcourse
from gmcourse.grading.batch import file_name
from gmcourse.grading.grading import run
from tests.grading.made import DRAW, KL, RIGHT, code, handed_out, notebook

pytestmark = pytest.mark.timeout(900)
SECONDS = 6.0
SPOILT, KEPT = "vae.gaussian_kl", "vae.reparameterize"
HEAD = "import ctypes, gc, os, pickle, resource, shutil, signal, socket, subprocess, sys, threading, torch\n"


def inside(*lines):
    """An answer to the first exercise that runs these lines, and then answers right."""
    held = "\n    ".join("\n".join(lines).splitlines())
    right = "return 0.5 * (mean**2 + (2 * log_std).exp() - 1 - 2 * log_std).sum(1)"
    return f"{HEAD}\ndef gaussian_kl(mean, log_std):\n    {held}\n    {right}\n"


def instead(*lines):
    """One that runs these lines, which give its value."""
    held = "\n    ".join("\n".join(lines).splitlines())
    return f"{HEAD}\ndef gaussian_kl(mean, log_std):\n    {held}\n"


FILL = """full = []
for place in ("tmp", "dev/shm", "var/tmp", ".", "course", "dev", "run"):
    try:
        with open(f"/{place}/full", "wb") as file:
            full.append(file.name)
            for _ in range(4096):
                file.write(bytes(2**20))
    except OSError:
        continue
if sum(os.path.getsize(name) for name in full if os.path.isfile(name)) < 2**27:
    raise ValueError("little room")"""
STACK = """frame = sys._getframe()
while frame is not None:
    for name in ("expected", "exact", "right"):
        if isinstance(frame.f_locals.get(name), torch.Tensor):
            return frame.f_locals[name].float()
    frame = frame.f_back
for held in gc.get_objects():
    if type(held).__name__ == "function" and "kl_of" in getattr(held, "__name__", ""):
        raise ValueError("a law is here")
return mean.sum(1)"""
FORGED = """import json, struct
for told in ({"status": "correct", "points": 2}, {"value": None, "answers": 1, "tensors": [], "correct": True}):
    head = json.dumps({**told, "blobs": []}).encode()
    for number in range(3, 20):
        try:
            os.write(number, struct.pack("<QQ", len(head), 0) + head)
        except OSError:
            continue"""
SUBCLASS = """class Sure(torch.Tensor):
    def __eq__(self, other): return torch.ones(self.shape, dtype=torch.bool)
    def __sub__(self, other): return torch.zeros(self.shape)
    def __rsub__(self, other): return torch.zeros(self.shape)
    def abs(self): return torch.zeros(self.shape)
return torch.zeros(len(mean)).as_subclass(Sure)"""
PICKLE = """class Evil:
    def __reduce__(self): return os.system, ("touch {witness}.pickled",)
return Evil()"""
BOMB = """class Bomb(set):
    def __iter__(self): return iter(k * (2**61 - 1) for k in range(60_000))
return Bomb({1})"""
KEYS = """call = ctypes.CDLL(None).syscall
if call({"x86_64": 250, "aarch64": 219}[os.uname().machine], 0, -3, 1) < 0: raise ValueError("no keyring")"""
SHUT = """import torch, gmcourse.laws.broken, gmcourse.laws
torch.allclose = lambda *given, **named: True
torch.equal = torch.allclose
gmcourse.laws.broken.require_close = gmcourse.laws.broken.require_shape = lambda *given, **named: None
gmcourse.laws.LawBroken.__init__ = lambda self, *given: None
try:
    import gmcourse.laws.vae.bound
except ImportError:
    shut = 1

def gaussian_kl(mean, log_std):
    return torch.zeros(len(mean))"""

ATTACKS = {
    "loop": inside("while True:", "    continue"),
    "deaf": inside(
        "for number in range(1, 32):",
        "    if number not in (9, 19):",
        "        signal.signal(number, signal.SIG_IGN)",
        "while True:",
        "    try:",
        "        while True: continue",
        "    except BaseException: continue",
    ),
    "asleep": inside("os.kill(os.getpid(), signal.SIGSTOP)"),
    "forks": inside("while True:", "    os.fork()"),
    "threads": inside("while True:", "    threading.Thread(target=lambda: signal.pause() or 1).start()"),
    "hog": inside("held = []", "while True:", "    held.append(bytearray(os.urandom(2**10) * 2**16))"),
    "hogs": inside("for _ in range(8):", "    os.fork()", "held = b'x' * 2**31", "signal.pause()"),
    "disk": inside(FILL),
    "flood": inside(
        "for _ in range(2_000):", "    os.write(1, b'x' * 2**16)", "    print('y' * 2**16, file=sys.stderr)"
    ),
    "delete": inside("shutil.rmtree('/', ignore_errors=True)", "os.remove({witness!r})"),
    "spy": inside("for path in {secrets!r}:", "    if os.path.exists(path): return mean", "raise ValueError('none')"),
    "socket": inside("socket.create_connection(('127.0.0.1', {port}), 2)"),
    "abstract": inside("s = socket.socket(socket.AF_UNIX)", "s.connect({abstract!r})"),
    "exit": inside("os._exit(0)"),
    "sysexit": inside("sys.exit(0)"),
    "crash": inside("ctypes.string_at(0)"),
    "killer": inside("os.kill(-1, 9)"),
    "parent": inside("os.kill(os.getppid(), 9)", "os.kill(1, 9)", "while True: continue"),
    "patched": SHUT,
    "subclass": instead(SUBCLASS),
    "stack": instead(STACK),
    "forged": instead(FORGED, "return mean.sum(1)"),
    "pickle": instead(PICKLE),
    "markup": inside("raise ValueError('<script>alert(1)</script>')"),
    "nan": instead("return mean.sum(1) * float('nan')"),
    "words": instead("return ['a'] * len(mean)"),
    "integers": instead("return torch.ones(len(mean), dtype=torch.int64)"),
    "huge": instead("return torch.zeros(1).expand(2**40)"),
    "large": instead("return torch.zeros(2**26)"),
    "deep": instead("held = []", "for _ in range(10**5): held = [held]", "return held"),
    "endless": instead("held = []", "held.append(held)", "return held"),
    "recursion": instead("return gaussian_kl(mean, log_std)"),
    "text": instead("return 'x' * 2**27"),
    "number": instead("return 10 ** 10**6"),
    "limits": inside("resource.setrlimit(resource.RLIMIT_AS, (-1, -1))"),
    "rights": inside("os.setuid(0)"),
    "program": inside("subprocess.run(['bwrap', 'true'], check=True)"),
    "memory": inside("os.memfd_create('hidden')"),
    "keyring": inside(KEYS),
    "namespace": inside("subprocess.run(['unshare', '-Urm', 'true'], check=True)"),
    "network": inside("socket.socket(socket.AF_INET)"),
    "secrets": inside("if {token!r} not in open('/proc/1/environ').read(): raise ValueError('none')"),
    "bomb": instead(BOMB),
    "objects": instead("return [object() for _ in range(300_000)]"),
    "texts": instead("import numpy", "return numpy.array(['x' * 2**20] + [''] * 900, dtype=object)"),
    "ranges": instead("return [range(10**6)] * 1_000"),
    "interrupt": inside("raise KeyboardInterrupt"),
    "definition": "raise SystemExit\n" + KL,
    "nested": "gaussian_kl = " + "(" * 3000 + ")" * 3000,
}
PASSES = {"flood", "definition"}
"""What does no harm: what is printed goes nowhere, and a statement that the answer does not need is not run."""


@pytest.fixture(scope="module")
def batch(sandbox, once):
    """All attacks, and an honest student before and after them, graded once."""
    root = once("attacks", attacked)
    return root, {r["student"]: r for r in json.loads((root / "out" / "grades.json").read_text("utf-8"))}


def attacked(root):
    (root / "in").mkdir()
    (root / "key.txt").write_text("a secret of the instructor's")
    (witness := root / "witness").write_text("here")
    seen, server = [], socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: seen.append(server.accept()), daemon=True).start()
    hall = socket.socket(socket.AF_UNIX)
    hall.bind(name := f"\0gmcourse-test-{os.getpid()}")
    hall.listen()
    package = Path(gmcourse.__file__).parent
    secrets = [root / "key.txt", root / "in" / "honest.ipynb", package / "exercises/vae/conditional.py", "/etc/passwd"]
    secrets += ["/course/gmcourse/exercises/vae/conditional.py", "/course/gmcourse/laws/vae/bound.py", Path.home()]
    os.environ["GMCOURSE_TEST_TOKEN"] = token = "a token of the instructor's"
    told = {"token": token, "witness": f"{witness}", "port": server.getsockname()[1], "abstract": name}
    told["secrets"] = [f"{path}" for path in secrets if path != Path("/root")]
    for student, source in ATTACKS.items():
        for name, value in told.items():
            source = source.replace(f"{{{name}!r}}", repr(value)).replace(f"{{{name}}}", str(value))
        (root / "in" / f"{student}.ipynb").write_text(handed_out({SPOILT: source, KEPT: DRAW}))
    honest = handed_out({id: RIGHT[id] for id in (SPOILT, KEPT)})
    for student in ("a", "honest", "zz", "<script>alert(1)", "=1+1", "..", "ünï cødé"):
        (root / "in" / student).mkdir() if student != ".." else None
        (root / "in" / f"{student}/x.ipynb" if student != ".." else root / "in" / "...ipynb").write_text(honest)
    (root / "in" / "thief.ipynb").symlink_to("honest/x.ipynb")
    (root / "in" / "burglar").mkdir()
    (root / "in" / "burglar" / "x.ipynb").symlink_to(root / "key.txt")
    (root / "in" / " .ipynb").write_text(honest)
    (root / "in" / "PIA.IPYNB").write_text(honest)
    Path(os.fsdecode(os.fsencode(root / "in") + b"/bad\xff.ipynb")).write_text(honest)
    (root / "in" / "letters.ipynb").write_text(notebook(code("'" + "é" * 12 * 2**20 + "'")), "utf-8")
    (root / "in" / "broken.ipynb").write_text('{"cells": [')
    (root / "in" / "brackets.ipynb").write_text("[" * 10**6)
    with open(root / "in" / "large_file.ipynb", "wb") as file:
        file.truncate(200 * 2**20)
    run(root / "in", root / "out", of=(SPOILT, KEPT), key=root / "key.txt", jobs=2, seconds=SECONDS)
    (root / "reached").write_text(f"{len(seen)}")


def rows(batch, student):
    return {row["exercise"]: row for row in batch[1][student]["rows"]}


def test_the_sandbox_is_one_that_exists(sandbox):
    assert sandbox in ("bwrap", "podman", "docker")


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_scores_nothing_and_spoils_nothing(batch, attack):
    found = rows(batch, attack)
    assert (found[SPOILT]["status"] == "correct") is (attack in PASSES), found[SPOILT]
    assert found[KEPT]["status"] == "correct", found[KEPT]


@pytest.mark.parametrize("student", ["a", "honest", "zz", "<script>alert(1)", "=1+1", "ünï cødé", "PIA"])
def test_the_honest_are_graded(batch, student):
    assert {row["status"] for row in batch[1][student]["rows"]} == {"correct"}


@pytest.mark.parametrize("student", ["thief", "burglar", "broken", "brackets", "large_file"])
def test_what_is_no_notebook_is_told_and_scores_nothing(batch, student):
    assert {row["points"] for row in batch[1][student]["rows"]} == {0}
    assert batch[1][student]["amiss"]


def test_nothing_outside_was_touched(batch):
    root = batch[0]
    assert (root / "witness").read_text() == "here"
    assert (root / "reached").read_text() == "0"
    assert not (root / "witness.pickled").exists()
    assert (root / "key.txt").exists()
    assert Path(gmcourse.__file__).exists()


def test_no_markup_and_no_formula_of_a_student_is_live(batch):
    root = batch[0]
    pages = list((root / "out").rglob("*.html"))
    assert len(pages) == len(batch[1]) + 1
    for page in pages:
        assert page.resolve().is_relative_to((root / "out").resolve())
        assert "<script" not in page.read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in (root / "out" / "feedback" / f"{file_name('markup')}.html").read_text("utf-8")
    for name in ("grades.csv", "gradebook.csv"):
        assert not any(
            line.startswith(("=", "+", "@")) for line in (root / "out" / name).read_text("utf-8").splitlines()
        )


def test_secrets_stand_in_no_output(batch):
    for path in (batch[0] / "out").rglob("*"):
        assert path.is_dir() or b"a secret of the instructor's" not in path.read_bytes()


def test_a_name_that_is_no_text_and_a_notebook_too_large_to_send_end_nothing(batch):
    assert [student for student in batch[1] if student.startswith("bad")]
    assert {row["status"] for row in batch[1]["letters"]["rows"]} == {"could not run"}
    assert " " not in batch[1]
    assert "neither a notebook nor a folder" in (batch[0] / "out" / "summary.html").read_text("utf-8")
