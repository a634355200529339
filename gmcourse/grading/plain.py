"""Values as plain data and back: numbers, strings, tensors, lists, tuples, sets and dicts; all else by its type's name.

A value becomes a node of JSON beside a table of tensors. What is read is checked in full, and nothing of it is run.
"""

import json
import keyword
from collections import namedtuple
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gmcourse.grading.wire import LIMIT, Malformed

DEEPEST = 24
MOST_NODES, MOST_KEYS, MOST_STEPS = 200_000, 10_000, 10**6
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    )
}


def bytes_of(tensor: Tensor) -> bytes:
    """The numbers of a tensor in order. Raises ValueError where they are too many, or of no plain kind."""
    if tensor.numel() * tensor.element_size() > LIMIT:
        raise ValueError(f"got {tensor.numel():,} numbers in one tensor, expected at most {LIMIT / 2**20:.0f} MB")
    plain = torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach())
    return plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""


def kind_of(tensor: Tensor) -> list[Any]:
    """Its dtype and shape, as `tensor_of` takes them. Raises ValueError for a dtype or a layout that does not pass."""
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in DTYPES or tensor.layout is not torch.strided:
        raise ValueError(f"got a tensor of {tensor.dtype}, {tensor.layout}, expected a dense one of plain numbers")
    return [name, list(tensor.shape)]


def tensor_of(kind: Any, blob: bytes) -> Tensor:
    """The tensor of this dtype and shape with these bytes. Raises Malformed where they do not fit."""
    if not (isinstance(kind, list) and len(kind) >= 2 and isinstance(kind[0], str) and kind[0] in DTYPES):
        raise Malformed("a tensor of no known dtype")
    dtype, shape = DTYPES[kind[0]], kind[1]
    if not (isinstance(shape, list) and len(shape) <= 64 and all(type(n) is int and 0 <= n < 2**40 for n in shape)):
        raise Malformed("a tensor of no shape")
    count = 1
    for n in shape:
        count *= n
    if count * dtype.itemsize != len(blob):
        raise Malformed("a tensor whose bytes do not fit its shape")
    flat = torch.frombuffer(bytearray(blob), dtype=torch.uint8) if blob else torch.empty(0, dtype=torch.uint8)
    if dtype is torch.bool and bool((flat > 1).any()):
        raise Malformed("a truth value that is neither")
    return (flat.view(dtype) if blob else torch.empty(0, dtype=dtype)).reshape(shape)


class Packing:
    """Values on their way out: `node` gives one as JSON, `tensors` and `lists` hold what it speaks of by number.

    `other(value, packing)` gives the node of what is not plain.
    """

    def __init__(self, other: Callable[[Any, "Packing"], list[Any]] | None = None):
        self.tensors: list[Tensor] = []
        self.lists: list[list[Any] | dict[Any, Any]] = []
        self.other = other or (lambda value, packing: ["opaque", type(value).__name__])
        self._places: dict[int, int] = {}

    def tensor(self, tensor: Tensor) -> int:
        """The number of a tensor in the table: one that comes twice has one number."""
        if id(tensor) not in self._places:
            self._places[id(tensor)] = len(self.tensors)
            self.tensors.append(tensor)
        return self._places[id(tensor)]

    def node(self, value: Any, depth: int = 0) -> Any:
        """`value` as JSON. Raises ValueError where it is nested too deeply."""
        if depth > DEEPEST:
            raise ValueError(f"got a value nested more than {DEEPEST} deep")
        if value is None or value is True or value is False:
            return value
        if isinstance(value, int):
            return int(value) if value.bit_length() < 4_096 else ["opaque", "int"]
        if isinstance(value, float):
            return float(value)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, Tensor):
            return ["tensor", self.tensor(value)]
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            return self._container(value, depth + 1)
        return self._scalar(value)

    def _container(self, value: Any, depth: int) -> list[Any]:
        if isinstance(value, (list, dict)):
            self.lists.append(value)
        if isinstance(value, dict):
            return ["dict", [[self.node(k, depth), self.node(v, depth)] for k, v in value.items()]]
        items = [self.node(part, depth) for part in value]
        if isinstance(value, tuple) and (fields := getattr(value, "_fields", None)) is not None:
            return ["named", type(value).__name__, list(fields), items]
        kinds = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
        return [next(name for kind, name in kinds.items() if isinstance(value, kind)), items]

    def _scalar(self, value: Any) -> list[Any]:
        if value is ...:
            return ["..."]
        if isinstance(value, complex):
            return ["complex", value.real, value.imag]
        if isinstance(value, Fraction):
            return ["fraction", self.node(value.numerator), self.node(value.denominator)]
        if isinstance(value, Decimal):
            return ["decimal", str(value)]
        if isinstance(value, range) and len(value) <= 10**6:
            return ["range", value.start, value.stop, value.step]
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
            array = np.array(value)  # a copy: torch takes no array that is turned round
            try:
                return ["array" if isinstance(value, np.ndarray) else "number", self.tensor(torch.from_numpy(array))]
            except TypeError:
                return ["opaque", type(value).__name__]
        if isinstance(value, np.ndarray) and value.size <= 10_000 and all(isinstance(v, str) for v in value.flat):
            return ["texts", self.node(value.tolist())]
        return self.other(value, self)


class Unpacking:
    """Values on their way in: `value` gives that of a node. Raises Malformed at anything that `Packing` does not say.

    `other(node, unpacking)` gives the value of a node of the caller's own.
    """

    def __init__(self, tensors: list[Tensor], other: Callable[[list[Any], "Unpacking"], Any] | None = None):
        self.tensors, self.other = tensors, other
        self.nodes = self.steps = 0
        self.lists: list[list[Any] | dict[Any, Any]] = []

    def value(self, node: Any, depth: int = 0) -> Any:
        """The value of a node."""
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            raise Malformed("a value nested too deeply, or of too many parts")
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if not (isinstance(node, list) and node and isinstance(node[0], str)):
            raise Malformed("a value of no known kind")
        try:
            return self._tagged(node, depth + 1)
        except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
            raise Malformed(f"a {node[0][:20]} that is none") from error

    def _tagged(self, node: list[Any], depth: int) -> Any:
        match node:
            case ["tensor" | "array" | "number" as tag, int(place)] if 0 <= place < len(self.tensors):
                tensor = self.tensors[place]
                return tensor if tag == "tensor" else tensor.numpy() if tag == "array" else tensor.numpy()[()]
            case ["list", list(items)]:
                self.lists.append(held := [])
                held += [self.value(item, depth) for item in items]
                return held
            case ["set" | "frozenset" | "dict", list(items)] if len(items) > MOST_KEYS:
                raise Malformed("a set of too many things")  # whose hashes may all be the same
            case ["tuple" | "set" | "frozenset" as tag, list(items)]:
                kind = {"tuple": tuple, "set": set, "frozenset": frozenset}[tag]
                return kind([self.value(item, depth) for item in items])
            case ["named", str(name), list(fields), list(items)] if len(fields) == len(items) <= 64:
                return _named(name, fields)(*[self.value(item, depth) for item in items])
            case ["dict", list(pairs)]:
                self.lists.append(named := {})
                named |= {self.value(k, depth): self.value(v, depth) for k, v in pairs}
                return named
            case ["range", int(start), int(stop), int(step)]:
                self.steps += len(found := range(start, stop, step))
                if self.steps > MOST_STEPS:
                    raise Malformed("ranges that are too long")
                return found
        return self._scalar(node)

    def _scalar(self, node: list[Any]) -> Any:
        match node:
            case ["..."]:
                return ...
            case ["complex", float(real), float(imaginary)]:
                return complex(real, imaginary)
            case ["fraction", int(above), int(below)]:
                return Fraction(above, below)
            case ["decimal", str(text)] if len(text) < 1_000:
                return Decimal(text)
            case ["texts", list(node)]:
                texts = self.value(node)
                if len(json.dumps(texts)) * max(1, len(node)) > LIMIT:
                    raise Malformed("an array of too many letters")
                return np.array(texts)
            case ["opaque", str(name), *reference]:
                known = {"_of_the_answer": reference[0]} if reference and isinstance(reference[0], int) else {}
                return type(name[:80] if name.isprintable() else "object", (), known)()
        if self.other is None:
            raise Malformed("a value of no known kind")
        return self.other(node, self)


def _named(name: str, fields: list[Any]) -> Any:
    if not all(isinstance(f, str) and len(f) < 80 and f.isidentifier() and not keyword.iskeyword(f) for f in fields):
        raise Malformed("a named tuple without names")
    return _class(name if name.isidentifier() and not keyword.iskeyword(name) else "Named", tuple(fields))


@lru_cache(maxsize=256)
def _class(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


def listed(header: dict[str, Any], name: str) -> list[Any]:
    """The list that a header holds under `name`. Raises Malformed where it holds none."""
    found = header.get(name)
    if not isinstance(found, list):
        raise Malformed(f"a frame without {name}")
    return found
