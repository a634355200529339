"""From the bytes of a file to one array, whatever the packing: gzip or plain, idx, npz, .amat, csv, text.

Readers raise ValueError where the bytes are not what they read. Hashes are taken over the array, so that every packing
of the same data has the same hash.
"""

import gzip
import hashlib
import io
import zipfile
import zlib

import numpy as np

STOP = "."
LETTERS = STOP + "abcdefghijklmnopqrstuvwxyz"
LONGEST_NAME = 15


def digest(array: np.ndarray) -> str:
    """sha256 of an array: its type, shape and little-endian content."""
    content = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    head = f"{array.dtype.kind}{array.dtype.itemsize}{array.shape}".encode()
    return hashlib.sha256(head + content.tobytes()).hexdigest()


def plain(raw: bytes) -> bytes:
    """The bytes, gunzipped where they are gzip."""
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"broken gzip ({error})") from error


def idx(raw: bytes) -> np.ndarray:
    """LeCun's idx format of unsigned bytes: 0, 0, 8, the number of axes, their lengths (big-endian int32), the data."""
    raw = plain(raw)
    if raw[:3] != b"\x00\x00\x08" or len(raw) < 4 + 4 * raw[3]:
        raise ValueError("not an idx file of unsigned bytes")
    start = 4 + 4 * raw[3]
    shape = tuple(np.frombuffer(raw[4:start], ">u4").tolist())
    if len(raw) - start != np.prod(shape, dtype=np.int64):
        raise ValueError(f"idx file holds {len(raw) - start} bytes where its header says {shape}")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape).copy()


def bits(raw: bytes, split: str, pixels: int = 784) -> np.ndarray:
    """Binary images from .amat text or the split's array in an npz, packed to (n, pixels / 8) uint8."""
    raw = plain(raw)
    if raw[:2] == b"PK":
        array = _member(raw, split)
        if array.dtype == np.uint8 and array.shape[1:] == (pixels // 8,):
            return array
    else:
        if raw.translate(None, b"01 \t\r\n"):
            raise ValueError("not .amat text of 0 and 1")
        array = np.frombuffer(raw.translate(None, b" \t\r\n"), np.uint8) - ord("0")
    if array.size % pixels or not np.isin(array, (0, 1)).all():
        raise ValueError(f"not rows of {pixels} bits")
    return np.packbits(array.reshape(-1, pixels).astype(np.uint8), axis=1)


def _member(raw: bytes, split: str) -> np.ndarray:
    try:
        with np.load(io.BytesIO(raw)) as arrays:
            return arrays[next(name for name in arrays.files if split in name)]
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"broken npz ({error})") from error
    except StopIteration:
        raise ValueError(f"npz without an array for {split!r}") from None


def text(raw: bytes) -> np.ndarray:
    """UTF-8 text with one newline for each line end, as bytes: (n,) uint8."""
    return np.frombuffer(plain(raw).decode("utf-8").replace("\r\n", "\n").encode("utf-8"), np.uint8)


def names(raw: bytes) -> np.ndarray:
    """One name a line to (n, 16) int8: a to z are 1 to 26, and 0, the stop symbol, fills every row's end."""
    rows = plain(raw).decode("utf-8").splitlines()
    if not rows or max(map(len, rows)) > LONGEST_NAME or not set("".join(rows)) <= set(LETTERS[1:]):
        raise ValueError(f"not lines of at most {LONGEST_NAME} letters a to z")
    return np.array([[LETTERS.index(c) for c in row.ljust(LONGEST_NAME + 1, STOP)] for row in rows], np.int8)


def table(raw: bytes, columns: slice) -> np.ndarray:
    """The given columns of comma-separated numbers, with or without a header line: (n, columns) float64."""
    rows = [line.split(",") for line in plain(raw).decode("utf-8").splitlines() if line.strip()]
    if rows and any(c.isalpha() for c in rows[0][-1]):
        rows = rows[1:]
    return np.array([[float(cell) for cell in row[columns]] for row in rows])
