"""Messages hidden in samples: the decoder of an arithmetic coder, fed the message, draws the images."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Generator, Tensor

from gmcourse.autoregressive.arithmetic_coder import Decoder, Encoder, walk, write_all


def hide(
    model: Any,
    message: Sequence[int],
    n: int,
    *,
    rng: Generator | None = None,
    batch: int = 512,
    precision: int = 16,
) -> Tensor:
    """n images that carry the message, a sequence of bits: samples of the model where the bits are like fair coins.

    Random bits follow the message. Raises ValueError where n images do not settle all of it: about −log₂ p(images) bits
    find room. Chen et al. 2018; Zhang et al. 2021 (Pixel-Stega).
    """
    if strange := [bit for bit in message if bit not in (0, 1)]:
        raise ValueError(f"message: got {strange[0]!r}, expected bits, 0 or 1")
    decoder, encoder = Decoder(chain(message, _coins(rng))), Encoder()

    def visit(_i: int, _place: int, edges: list[int]) -> int:
        return encoder.write(decoder.read(edges), edges)

    images = walk(model, n, visit, batch=batch, precision=precision)
    if len(encoder.bits) < len(message):
        raise ValueError(f"message: got {len(message)} bits, expected at most {len(encoder.bits)} in {n} images")
    return images


def reveal(model: Any, images: Tensor, *, batch: int = 512, precision: int = 16) -> list[int]:
    """The bits that the images settle: the message and what followed it. Model, batch and precision as in `hide`."""
    return write_all(model, images, batch=batch, precision=precision).bits


def _coins(rng: Generator | None) -> Iterator[int]:
    while True:
        yield from torch.randint(2, (256,), generator=rng).tolist()


def to_bits(message: bytes) -> list[int]:
    """Eight bits a byte, the highest first."""
    return [byte >> place & 1 for byte in message for place in range(7, -1, -1)]


def to_bytes(bits: Sequence[int]) -> bytes:
    """The bytes of `to_bits`; bits that fill no byte are left out."""
    return bytes(int("".join(map(str, bits[i : i + 8])), 2) for i in range(0, len(bits) - 7, 8))
