"""A run in a folder: run.json (settings and results), history.json, checkpoint.pt, weights.safetensors."""

import copy
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from gmcourse import __version__
from gmcourse import data as sets
from gmcourse.catalogue import find
from gmcourse.checkpoint import write
from gmcourse.data import Dataset
from gmcourse.data.packing import digest
from gmcourse.protocols import Adversarial
from gmcourse.record import ModelRecord
from gmcourse.training import fit, fit_adversarial
from gmcourse.training.descent import require_sound

RUN, HISTORY, CHECKPOINT, WEIGHTS = FILES = ("run.json", "history.json", "checkpoint.pt", "weights.safetensors")
EVERY = 200  # steps between two checkpoints: the most that a kill can cost
VALID_ROWS = 2_000  # at most so many rows of valid choose the best weights
KEPT: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "data": str,
    "steps": (int, type(None)),
    "batch_size": (int, type(None)),
    "lr": (int, float, type(None)),
    "seed": int,
    "seconds": (int, float),
    "processor_seconds": (int, float),
}


class Trained(NamedTuple):
    """A model in evaluation mode, the run.json of its training, and the data that it was trained on."""

    model: nn.Module
    info: dict[str, Any]
    data: Dataset


def load_run(folder: str | Path, device: str = "cpu", data: Dataset | None = None) -> Trained:
    """The model of a finished run of `gmcourse train`, in evaluation mode on `device`, its run.json and its data.

    The weights are those that were best on valid (the last ones of an adversarial pair). `data` stands in for the set
    that run.json names, where a file of your own has moved. Raises FileNotFoundError where the run is not there or
    not finished, ValueError where a file of it is damaged or the data are not those that it was trained on.
    """
    folder = Path(folder)
    info = _read(folder)
    if not (folder / WEIGHTS).is_file():
        raise FileNotFoundError(
            f"run: {folder} is not finished; go on with: "
            f"gmcourse train {info['model']} --data {info['data']} --run {folder} --resume"
        )
    require_device(device)
    record = find(info["model"])
    data = record.prepare(data or sets.load(info["data"]))
    if "data_sha256" in info and info["data_sha256"] != (seen := _digest(data)):
        raise ValueError(f"data: sha256 of train is {seen}, but {folder} was trained on {info['data_sha256']}")
    model = _build(record, data, info["seed"])
    try:
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).partition("\n")[0].rstrip(": ")
        raise ValueError(f"run: {folder / WEIGHTS} is damaged, or not of {info['model']} ({reason})") from error
    return Trained(model.to(device).eval(), info, data)


def new(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The settings of a run that starts; ValueError where the folder holds a run, or is none."""
    _require_folder(folder)
    if any((folder / name).exists() for name in FILES):
        raise ValueError(f"run: {folder} holds a run; add --resume to go on with it, or name another folder with --run")
    return {**asked, "seed": asked["seed"] or 0, "seconds": 0.0, "processor_seconds": 0.0}


def resumed(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The settings of the run in the folder; ValueError where something else was asked for (None: nothing was)."""
    info = _read(folder)
    for name, value in asked.items():
        if value is not None and value != info[name]:
            raise ValueError(f"{name}: got {value}, but {folder} was started with {info[name]}; leave it out to go on")
    return info


class Plan(NamedTuple):
    """What is about to be trained, and was tried: a first loss was taken of a copy of the model."""

    model: nn.Module
    recipe: dict[str, Any]
    train: tuple[Tensor, ...]
    valid: tuple[Tensor, ...] | None


def plan(record: ModelRecord, data: Dataset, info: dict[str, Any], device: str) -> Plan:
    """The model, its first weights drawn from the seed, and the arguments of its training, all tried; writes nothing.

    Raises ValueError where an argument is out of range, the model does not suit the data, or has no finite loss there.
    """
    require_device(device)
    require_seed(info["seed"])
    model = _build(record, data, info["seed"])
    recipe = record.recipe(data, steps=info["steps"])
    recipe |= {name: info[name] for name in ("batch_size", "lr") if info[name] is not None}
    if recipe["steps"] < 1:
        raise ValueError(f"steps: got {recipe['steps']}, expected at least 1")
    sizes = {name: recipe[name] for name in ("steps", "batch_size")}
    rows = record.batch(data)
    require_sound(model, rows, **sizes, name="train")
    if info["lr"] is not None and not 0 <= info["lr"] < math.inf:
        raise ValueError(f"lr: got {info['lr']}, expected a rate of at least 0")
    valid = None if isinstance(model, Adversarial) else tuple(t[:VALID_ROWS] for t in record.batch(data, "valid"))
    if valid is not None:
        recipe["every_valid"] = max(1, 2 * len(valid[0]) // recipe["batch_size"])  # seldom enough to cost little
    _try(model, record, data, recipe["batch_size"], info["seed"], device)
    return Plan(model, recipe, rows, valid)


def train(folder: Path, info: dict[str, Any], planned: Plan, data: Dataset, device: str) -> dict[str, Any] | None:
    """Train with a checkpoint in the folder and write the results there; None where Ctrl-C came first.

    Returns the history. A run that fails before its first checkpoint leaves nothing.
    """
    model, recipe, rows, valid = planned
    fresh = not (folder / RUN).exists()
    info = info | {"steps": recipe["steps"], "batch_size": recipe["batch_size"], "device": device}
    info |= {"gmcourse": __version__, "torch": torch.__version__, "threads": torch.get_num_threads()}
    if Path(data.key).is_absolute():
        info["data_sha256"] = _digest(data)
    _write_json(folder / RUN, info)
    start = time.perf_counter(), time.process_time()
    places = {"checkpoint": folder / CHECKPOINT, "device": device, "progress": sys.stderr.isatty()}
    held_out = {} if valid is None else {"valid": valid}
    loop: Callable[..., dict[str, list[float]]] = fit_adversarial if valid is None else fit
    try:
        history = loop(model, rows, seed=info["seed"], every=EVERY, **held_out, **places, **recipe)
    except BaseException:
        if fresh and not (folder / CHECKPOINT).exists():
            _forget(folder)
        raise
    spent = {"seconds": time.perf_counter() - start[0], "processor_seconds": time.process_time() - start[1]}
    info |= {name: round(info[name] + value, 1) for name, value in spent.items()}
    if len(next(iter(history.values()))) < recipe["steps"]:
        _write_json(folder / RUN, info)
        return None
    _write_json(folder / RUN, info | {"best_step": best_step(history)})
    _write_json(folder / HISTORY, history)
    write(folder / WEIGHTS, save({name: value.cpu().contiguous() for name, value in model.state_dict().items()}))
    return history


def best_step(history: dict[str, list[float]]) -> int | None:
    """The steps taken when the loss on valid was least, where it was measured."""
    if not history.get("valid_loss"):
        return None
    losses = [value if math.isfinite(value) else math.inf for value in history["valid_loss"]]
    return int(history["valid_step"][losses.index(min(losses))])


def record(folder: Path, info: dict[str, Any], evaluation: dict[str, Any]) -> None:
    """Add an evaluation to run.json."""
    _write_json(folder / RUN, info | {"evaluations": [*info.get("evaluations", []), evaluation]})


def require_device(name: str) -> None:
    """ValueError where torch cannot compute on a device of this name."""
    try:
        if torch.zeros(1, device=name).is_meta:
            raise RuntimeError("it holds no values")
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        reason = "it knows no such kind" if reason.startswith("Expected one of") else reason
        raise ValueError(f"device: got {name!r}, which this torch cannot use ({reason}); try cpu") from error


def require_seed(seed: int) -> None:
    """ValueError where the seed is none that every generator takes."""
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed: got {seed}, expected 0 to 2^32 - 1")


def _build(record: ModelRecord, data: Dataset, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return record.build(data)


def _try(model: nn.Module, record: ModelRecord, data: Dataset, batch_size: int, seed: int, device: str) -> None:
    """The losses of one batch, of a copy in train mode: nothing is drawn from the random state that training uses."""
    trial = copy.deepcopy(model).to(device).train()
    names = ("critic_loss", "generator_loss") if isinstance(model, Adversarial) else ("loss",)
    batch = tuple(t[:batch_size].to(device) for t in record.batch(data))
    with torch.random.fork_rng([device] if device.startswith("cuda") else []):
        torch.manual_seed(seed)
        try:
            losses = [getattr(trial, name)(*batch) for name in names]
        except (RuntimeError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"data: {record.key} cannot be trained on {data.key}: {reason}") from error
    terms = [term for loss in losses for term in (loss.values() if isinstance(loss, dict) else [loss])]
    if not all(torch.isfinite(term).all() for term in terms):
        raise ValueError(f"data: {record.key} has no finite loss on {data.key} with its first weights")


def _require_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"run: {folder} is a file, expected a folder")


def _read(folder: Path) -> dict[str, Any]:
    _require_folder(folder)
    path = folder / RUN
    if not path.is_file():
        raise FileNotFoundError(f"run: no {RUN} in {folder}; `gmcourse train` makes such a folder")
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"run: {path} is no JSON ({error}); remove the folder and train again") from error
    for name, kind in KEPT.items():
        if not isinstance(info, dict) or not isinstance(info.get(name, ...), kind):
            raise ValueError(f"run: {path} has no sound {name!r}; remove the folder and train again")
    return info


def _forget(folder: Path) -> None:
    (folder / RUN).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _digest(data: Dataset) -> str:
    return digest(data.train.numpy())


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write(path, (json.dumps(_sound(content), indent=1, allow_nan=False) + "\n").encode())


def _sound(value: Any) -> Any:
    """JSON knows neither NaN nor infinity: null stands for them."""
    if isinstance(value, dict):
        return {name: _sound(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sound(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
