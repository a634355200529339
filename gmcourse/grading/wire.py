"""Frames over two pipes: a JSON header and raw bytes, the size of each before it; nothing beyond a limit is read."""

import json
import os
import select
import struct
import time
from collections.abc import Sequence
from typing import Any

LIMIT = 64 * 2**20
"""Bytes of a frame, at most."""

SIZES = struct.Struct("<QQ")


class Malformed(Exception):
    """What came is no frame, or holds what no frame may hold: nothing of it was used."""


class Gone(Exception):
    """The other side has ended, or closed its pipe."""


class Late(Exception):
    """The other side did not answer in time."""


def send(pipe: int, header: dict[str, Any], blobs: Sequence[bytes] = (), until: float | None = None) -> None:
    """Write one frame. Raises ValueError where it is over the limit, Gone, and Late after `until` (monotonic)."""
    head = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    size = sum(map(len, blobs))
    if len(head) + size > LIMIT:
        raise ValueError(f"got {(len(head) + size) / 2**20:.0f} MB in one answer, expected at most {LIMIT / 2**20:.0f}")
    left = memoryview(b"".join([SIZES.pack(len(head), size), head, *blobs]))
    while left:
        _wait([], [pipe], until)
        try:
            left = left[os.write(pipe, left[: 2**16]) :]
        except OSError as error:
            raise Gone("the pipe is closed") from error


def receive(pipe: int, until: float | None = None) -> tuple[dict[str, Any], list[bytes]]:
    """Read one frame: its header and its bytes. Raises Malformed, Gone, and Late after `until` (monotonic)."""
    head, body = SIZES.unpack(_read(pipe, SIZES.size, until))
    if head > LIMIT or body > LIMIT or head + body > LIMIT:
        raise Malformed("a frame over the limit")
    try:
        header = json.loads(_read(pipe, head, until))
    except (ValueError, RecursionError) as error:
        raise Malformed("a header that is no JSON") from error
    sizes = header.pop("blobs", None) if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not all(type(n) is int and n >= 0 for n in sizes) or sum(sizes) != body:
        raise Malformed("a header without the sizes of its bytes")
    return header, [_read(pipe, size, until) for size in sizes]


def _read(pipe: int, size: int, until: float | None) -> bytes:
    parts, left = [], size
    while left:
        _wait([pipe], [], until)
        part = os.read(pipe, min(left, 2**20))
        if not part:
            raise Gone("the pipe is closed")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _wait(reads: list[int], writes: list[int], until: float | None) -> None:
    if until is None:
        return
    left = until - time.monotonic()
    if left <= 0 or not any(select.select(reads, writes, [], left)):
        raise Late("no answer in time")
