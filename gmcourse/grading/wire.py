"""Frames over two pipes: a JSON header and raw bytes, the size of each before it; nothing beyond a limit is read."""

import json
import os
import select
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

LIMIT = 64 * 2**20
"""Bytes of a frame, at most."""

SIZES = struct.Struct("<QQ")


Wait = Callable[[list[int], list[int]], None]
"""Returns once one of these pipes can be read, or written."""


class Stopped(Exception):
    """The process of the answers is of no more use, and is to be ended."""


class Malformed(Stopped):
    """What came is no frame, or holds what no frame may hold: nothing of it was used."""


class Gone(Stopped):
    """The other side has ended, or closed its pipe."""


class Late(Stopped):
    """The other side did not answer in time."""


class Greedy(Stopped):
    """The other side uses more memory than it may."""


def patience(until: float, look: Callable[[], None]) -> Wait:
    """A wait that raises Late after `until` (monotonic), and looks at the other side twice a second."""

    def wait(reads: list[int], writes: list[int]) -> None:
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise Late("no answer in time")
            look()
            if any(select.select(reads, writes, [], min(left, 0.5))):
                return

    return wait


def send(pipe: int, header: dict[str, Any], blobs: Sequence[bytes] = (), wait: Wait | None = None) -> None:
    """Write one frame. Raises ValueError where it is over the limit, Gone, and what `wait` raises."""
    head = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    size = sum(map(len, blobs))
    if len(head) + size > LIMIT:
        raise ValueError(f"got {(len(head) + size) / 2**20:.0f} MB in one answer, expected at most {LIMIT / 2**20:.0f}")
    left = memoryview(b"".join([SIZES.pack(len(head), size), head, *blobs]))
    while left:
        if wait is not None:
            wait([], [pipe])
        try:
            left = left[os.write(pipe, left[: 2**16]) :]
        except OSError as error:
            raise Gone("the pipe is closed") from error


def receive(pipe: int, wait: Wait | None = None) -> tuple[dict[str, Any], list[bytes]]:
    """Read one frame: its header and its bytes. Raises Malformed, Gone, and what `wait` raises."""
    head, body = SIZES.unpack(_read(pipe, SIZES.size, wait))
    if head > LIMIT or body > LIMIT or head + body > LIMIT:
        raise Malformed("a frame over the limit")
    try:
        header = json.loads(_read(pipe, head, wait))
    except (ValueError, RecursionError) as error:
        raise Malformed("a header that is no JSON") from error
    sizes = header.pop("blobs", None) if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not all(type(n) is int and n >= 0 for n in sizes) or sum(sizes) != body:
        raise Malformed("a header without the sizes of its bytes")
    return header, [_read(pipe, size, wait) for size in sizes]


def _read(pipe: int, size: int, wait: Wait | None) -> bytes:
    parts, left = [], size
    while left:
        if wait is not None:
            wait([pipe], [])
        part = os.read(pipe, min(left, 2**20))
        if not part:
            raise Gone("the pipe is closed")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
