"""Files that are whole or absent: a digest before the payload, written aside and moved into place."""

import hashlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

DIGEST = hashlib.sha256().digest_size


class CheckpointError(ValueError):
    """A checkpoint that is truncated, altered, or not one of ours."""


def save(path: str | os.PathLike, payload: dict[str, Any]) -> None:
    """Write `payload` (tensors and plain Python values) to `path`; the file it replaces stays as `<path>.previous`.

    A process killed at any moment leaves either the old file or the new one at `path`, never a part of one.
    """
    path = Path(path)
    buffer = io.BytesIO()
    torch.save(payload, buffer)
    content = buffer.getvalue()
    if path.exists():
        write(path.with_name(path.name + ".previous"), path.read_bytes())
    write(path, hashlib.sha256(content).digest() + content)


def write(path: str | os.PathLike, content: bytes) -> None:
    """Write a file that is whole at every moment: aside, to the disk, then moved into place."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def load(path: str | os.PathLike) -> dict[str, Any]:
    """The payload saved at `path`. Raises CheckpointError if a byte differs, FileNotFoundError if there is no file."""
    path = Path(path)
    raw = path.read_bytes()
    digest, content = raw[:DIGEST], raw[DIGEST:]
    previous = path.with_name(path.name + ".previous")
    remedy = f"go on from {previous} by renaming it" if previous.exists() else "remove it to start anew"
    if hashlib.sha256(content).digest() != digest:
        raise CheckpointError(f"path: {path} is truncated or altered (its digest does not match); {remedy}")
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise CheckpointError(f"path: {path} is whole but holds no readable payload ({error}); {remedy}") from error


def identity(model: nn.Module, data: tuple[Tensor, ...], *, seed: int, batch_size: int) -> dict[str, str | int]:
    """What must not change between a run and its continuation: model, data (sha256), seed and batch size."""
    shapes = [f"{name} {tuple(value.shape)}" for name, value in model.state_dict().items()]
    digest = hashlib.sha256()
    for tensor in data:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return {
        "model": f"{type(model).__name__}: {', '.join(shapes)}",
        "data": digest.hexdigest(),
        "seed": seed,
        "batch_size": batch_size,
    }


def require_identity(path: str | os.PathLike, found: dict[str, str | int], expected: dict[str, str | int]) -> None:
    """Raise a ValueError that names what differs between the checkpoint at `path` and the run asked for."""
    for name, value in expected.items():
        if found.get(name) != value:
            raise ValueError(
                f"checkpoint: {path} was written with another {name}: it has {found.get(name)!s:.200}, "
                f"this run {value!s:.200}; give another path or the same {name}"
            )
