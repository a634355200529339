"""Long evidence: the harness goes on where it was and mixes nothing; each file of results has a script and a reader."""

import ast
import importlib
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file

from benchmarks import evidence

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path for path in (ROOT / "benchmarks").glob("*/*.py"))
READ_ELSEWHERE = {  # neither in a lesson nor in the package
    "comparison/peers": "in tests/comparison/test_peers.py",
    "grading/batch": "in the instructor's guide",
    "gan/stage_frames": "by those who change the stage",
    "metrics/digit_classifier": "in tests/metrics/test_classifier.py",
    "training/kill_resume": "by those who change the checkpoints",
}


# The harness


def options(path: Path, *words: str):
    return evidence.parser("Doc.\n").parse_args(["--out", str(path), *words])


def squares(path: Path, *words: str, calls: list | None = None, fail_at: int | None = None, **about):
    """Evidence of three rows, 0, 1 and 4; `calls` gathers what was measured."""

    def run(x: int, seed: int) -> dict:
        if x == fail_at:
            raise KeyboardInterrupt
        if calls is not None:
            calls.append(x)
        return {"square": x * x}

    plan = [{"x": x, "seed": 0} for x in range(3)]
    return evidence.rows("family/squares", plan, run, options(path, *words), **about)


def test_a_script_that_was_stopped_goes_on(tmp_path, capsys):
    path, calls = tmp_path / "squares.json", []
    with pytest.raises(KeyboardInterrupt):
        squares(path, calls=calls, fail_at=2)
    assert [row["square"] for row in json.loads(path.read_text())["rows"]] == [0, 1]
    assert squares(path, calls=calls) == json.loads(path.read_text())["rows"]
    assert calls == [0, 1, 2]
    assert "complete: 3 rows" in capsys.readouterr().out
    assert sorted(file.name for file in tmp_path.iterdir()) == ["squares.json"]


def test_a_complete_file_is_left_and_said_to_be(tmp_path, capsys):
    path, calls = tmp_path / "squares.json", []
    squares(path)
    before = path.read_bytes()
    capsys.readouterr()
    squares(path, calls=calls)
    said = capsys.readouterr().out
    assert calls == []
    assert path.read_bytes() == before
    assert said.startswith("complete: 3 rows in ")
    assert "--fresh" in said
    squares(path, "--fresh", calls=calls)
    assert calls == [0, 1, 2]


def test_only_some_rows_are_asked_for(tmp_path, capsys):
    path, calls = tmp_path / "squares.json", []
    squares(path, "--only", "1", calls=calls)
    assert calls == [1]
    assert "1 row in" in capsys.readouterr().out
    squares(path, calls=calls)
    assert calls == [1, 0, 2]


def test_the_head_says_what_made_it(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path, called = tmp_path / "squares.json", []
    squares(path, training={"lr": 0.1}, once=lambda: called.append(0) or 7)
    squares(path, training={"lr": 0.1}, once=lambda: called.append(0) or 8)
    report = json.loads(path.read_text())
    assert report["command"] == "OMP_NUM_THREADS=1 python -m benchmarks.family.squares"
    assert report["versions"]["torch"] == torch.__version__
    assert report["processor"].endswith(", one thread")
    assert report["training"] == {"lr": 0.1}
    assert report["once"] == 7
    assert called == [0]
    assert list(report["rows"][0]) == ["x", "seed", "square", "seconds"]


def test_the_command_has_the_script_s_own_options(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    parser = evidence.parser("Doc.")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args(["--out", str(tmp_path / "rows.json"), "--threads", "2"])
    threads = torch.get_num_threads()
    try:
        evidence.rows("flows/peers", [], dict, given)
    finally:
        torch.set_num_threads(threads)
    report = json.loads((tmp_path / "rows.json").read_text())
    assert report["command"] == "python -m benchmarks.flows.peers --threads 2 --rounds 9"
    assert report["processor"].endswith(", 2 threads")


def test_other_settings_or_versions_are_not_mixed(tmp_path, monkeypatch):
    path = tmp_path / "squares.json"
    squares(path, "--only", "1", training={"lr": 0.1})
    before = path.read_bytes()
    with pytest.raises(SystemExit, match="training: .* was made with .*0.1.*this is .*0.2.*--fresh"):
        squares(path, training={"lr": 0.2})
    monkeypatch.setattr(evidence, "version", lambda name: "9.9")
    with pytest.raises(SystemExit, match=r"versions: .*this is .*9\.9"):
        squares(path, training={"lr": 0.1})
    assert path.read_bytes() == before
    squares(path, "--only", "1", training={"lr": 0.1})  # nothing is missing, so nothing would be mixed


def test_what_is_measured_is_rounded_by_name():
    class Found(NamedTuple):
        modes: float
        quality: float

    assert evidence.rounded(Found(8, 0.98765), 2) == {"modes": 8, "quality": 0.99}


def test_weights_are_kept_in_half_precision(tmp_path):
    module = torch.nn.BatchNorm1d(3)
    evidence.keep_weights(tmp_path / "weights.safetensors", module)
    kept = load_file(tmp_path / "weights.safetensors")
    assert kept.keys() == module.state_dict().keys()
    assert kept["weight"].dtype == torch.float16
    assert kept["num_batches_tracked"].dtype == torch.int64
    module.load_state_dict(kept)


def test_a_plan_may_follow_from_the_rows(tmp_path):
    def plan(done):
        yield from ({"x": x, "steps": 1} for x in (3, -1, 2))
        yield {"x": min(done, key=lambda row: row["loss"])["x"], "steps": 9}

    found = evidence.rows("family/chosen", plan, lambda x, steps: {"loss": x}, options(tmp_path / "rows.json"))
    assert [(row["x"], row["steps"]) for row in found] == [(3, 1), (-1, 1), (2, 1), (-1, 9)]


def test_rows_of_a_process_beside_are_kept(tmp_path):
    path = tmp_path / "squares.json"

    def run(x: int) -> dict:
        if x == 0:  # meanwhile another process measures what is next
            report = json.loads(path.read_text())
            path.write_text(json.dumps(report | {"rows": [{"x": 1, "by": "the other"}]}))
        return {"by": "us"}

    found = evidence.rows("family/beside", [{"x": 0}, {"x": 1}], run, options(path))
    assert [(row["x"], row["by"]) for row in found] == [(1, "the other"), (0, "us")]


def test_seconds_are_cpu_time_of_children_too(tmp_path):
    work = "import time\nwhile time.process_time() < 0.6:\n    pass"

    def run(kind: str) -> dict:
        if kind == "child":
            os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", f"exec({work!r})".replace('"', "'")])
        elif kind == "wait":
            time.sleep(0.6)
        return {"seconds": 0.125} if kind == "own" else {}

    plan = [{"kind": kind} for kind in ("child", "wait", "own")]
    child, wait, own = (row["seconds"] for row in evidence.rows("a/b", plan, run, options(tmp_path / "rows.json")))
    assert child >= 0.5
    assert wait < 0.4
    assert own == 0.125


# The evidence


def results() -> dict[str, Path]:
    return {
        path.relative_to(evidence.RESULTS).with_suffix("").as_posix(): path for path in evidence.RESULTS.rglob("*.json")
    }


def readers(claim: str) -> list[Path]:
    """The lessons, and the modules of the package, that read this claim's file or the weights beside it."""
    family, name = claim.split("/")
    files = [*(ROOT / "chapters").glob("[0-9]*/*.md"), *(ROOT / "gmcourse").rglob("*.py")]
    named = re.compile(rf"results\W+(?:{family}\b.*?)\b{name}\.(?:json|safetensors)", re.S)
    return [path for path in files if named.search(path.read_text("utf-8"))]


def keys(value) -> set[str]:
    """The names of all that a row holds, in the dicts inside it too."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (set(value) if isinstance(value, dict) else set()).union(*map(keys, inner))


@pytest.mark.parametrize("claim", sorted(results()))
def test_a_file_of_results_has_its_script_and_its_readers(claim):
    report = json.loads(results()[claim].read_text("utf-8"))
    if claim.startswith("comparison/digits"):
        assert report["command"].startswith("gmcourse compare")
    else:
        module = re.search(r"python -m ([\w.]+)", report["command"])[1]
        assert module == f"benchmarks.{claim.replace('/', '.')}"
        assert ROOT / f"{module.replace('.', '/')}.py" in SCRIPTS
    assert {"python", "torch"} <= set(report["versions"])
    assert all("seed" in row for row in report["rows"])
    if claim not in READ_ELSEWHERE:
        measured = keys(report["rows"]) - {"seed", "steps", "seconds"}
        read = "\n".join(path.read_text("utf-8") for path in readers(claim))
        assert any(re.search(rf"[\"']{re.escape(key)}[\"']", read) for key in measured), "nobody reads its numbers"


def test_nobody_is_said_to_read_what_is_not_there():
    assert set(READ_ELSEWHERE) <= set(results())


def test_every_weight_kept_stands_beside_its_rows():
    weights = {path.with_suffix(".json") for path in evidence.RESULTS.rglob("*.safetensors")}
    assert weights
    assert weights <= set(results().values())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_uses_the_harness_and_names_its_claim(path):
    claim = path.relative_to(ROOT / "benchmarks").with_suffix("").as_posix()
    assert claim in results(), "its results are not in the package"
    tree = ast.parse(path.read_text("utf-8"))
    assert claim in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert f"python -m benchmarks.{claim.replace('/', '.')}" in ast.get_docstring(tree)


PEERS = {
    "peers": ("nflows", "normflows", "pythae", "vector_quantize_pytorch", "x_transformers"),
    "quantizer_speed": ("vector_quantize_pytorch",),
    "sampling_belief_nets": ("nflows",),
    "stage_frames": ("playwright",),
}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_imports(path):
    for library in PEERS.get(path.stem, ()):
        pytest.importorskip(library)
    importlib.import_module(f"benchmarks.{path.parent.name}.{path.stem}")
