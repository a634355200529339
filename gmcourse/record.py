"""The record of a model: where it stands in the taxonomy, what data it suits, how to build and to train it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

from gmcourse.probability import after_stop
from gmcourse.schedules import held_then_falling

BRANCHES = (
    ("explicit density", "tractable", "probability table"),
    ("explicit density", "tractable", "fully visible belief net"),
    ("explicit density", "tractable", "normalising flow"),
    ("explicit density", "tractable", "continuous flow"),
    ("explicit density", "approximate", "variational"),
    ("explicit density", "approximate", "discrete codes"),
    ("explicit density", "approximate", "dequantised flow"),
    ("explicit density", "approximate", "diffusion"),
    ("explicit density", "approximate", "score"),
    ("explicit density", "approximate", "Markov chain"),
    ("implicit density", "adversarial"),
    ("implicit density", "distilled"),
    ("implicit density", "Markov chain"),
    ("no density", "autoencoder"),
)
"""The leaves of the family tree, after Goodfellow (2017, figure 9) and what came since: a record stands on one."""


class Examples(Protocol):
    """What a record asks of a data set: `gmcourse.data.Dataset` has it."""

    @property
    def key(self) -> str: ...
    @property
    def train(self) -> Tensor: ...
    @property
    def event_shape(self) -> tuple[int, ...]: ...
    @property
    def alphabet(self) -> str | tuple[str, ...] | None: ...
    def batch(self, split: str, told: bool = False) -> tuple[Tensor, ...]: ...
    def windows(self, length: int) -> Self: ...


Data = TypeVar("Data", bound=Examples)


@dataclass(frozen=True)
class Suits:
    """A predicate on the shape and type of one example, and the words that say it; `|` joins two."""

    words: str
    holds: Callable[[tuple[int, ...], torch.dtype], bool]

    def __call__(self, event_shape: tuple[int, ...], dtype: torch.dtype) -> bool:
        return self.holds(tuple(event_shape), dtype)

    def __or__(self, other: "Suits") -> "Suits":
        return Suits(f"{self.words}, {other.words}", lambda shape, dtype: self(shape, dtype) or other(shape, dtype))

    def __str__(self) -> str:
        return self.words


def _of_axes(axes: int, least: int = 1) -> Callable[[tuple[int, ...], torch.dtype], bool]:
    return lambda shape, dtype: dtype.is_floating_point and len(shape) == axes and min(shape) >= least


VECTORS = Suits("vectors", _of_axes(1))
VECTORS_FROM_2 = Suits("vectors (from 2)", _of_axes(1, least=2))
IMAGES = Suits("images", lambda shape, dtype: _of_axes(3)(shape, dtype) and shape[0] in (1, 3))
BINARY_IMAGES = Suits("binary images", lambda shape, dtype: IMAGES(shape, dtype) and shape[0] == 1)
TEXTS = Suits("texts (codes)", lambda shape, dtype: dtype == torch.int64 and len(shape) <= 1)


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """A model of the catalogue: everything that speaks of "every model" reads this.

    `branch` is its path in the family tree. `density` says what it knows of log p(x); `claims` are the protocols that
    it keeps. `paper` is a key of the bibliography. `suits` tells the data that it can be built for. `make(data)` gives
    a ready module, fitted in shape to a data set when given one, and `plan(data)` the arguments that suit it of `fit`,
    or of `fit_adversarial` where it claims `Adversarial`: `build` and `recipe` call them. `example(n, seed)` is a tuple
    that its losses accept: (x,), or (x, given) of a conditional model. `told` says that what it is given are the
    labels of a data set; `window`, that a stream is cut into rows of so many symbols: `prepare` and `batch` see to it.
    `pairs(data, split)` makes (x, given) of a model that translates, out of the data themselves where need be.
    """

    name: str
    key: str
    family: str
    branch: tuple[str, ...]
    density: Literal["exact", "bound", "unnormalised", "implicit", "none"]
    claims: tuple[type, ...]
    paper: str
    year: int
    arxiv: str
    lesson: str
    suits: Suits
    make: Callable[[Examples | None], nn.Module]
    plan: Callable[[Examples | None], dict[str, Any]]
    example: Callable[..., tuple[Tensor, ...]]
    told: bool = False
    window: int | None = None
    pairs: Callable[[Examples, str], tuple[Tensor, ...]] | None = None

    def prepare(self, data: Data) -> Data:
        """The data set as the model takes it: a stream is cut into rows of `window` symbols."""
        return data.windows(self.window) if self.window and tuple(data.event_shape) == () else data

    def batch(self, data: Examples, split: str = "train") -> tuple[Tensor, ...]:
        """What `fit` is given of a split: (x,), (x, labels) of a model that is told them, or what `pairs` makes."""
        return self.pairs(data, split) if self.pairs else data.batch(split, self.told)

    def build(self, data: Examples | None = None) -> nn.Module:
        """A ready module, small by default. Raises ValueError where the model does not suit the data."""
        if data is not None:
            self.require_suited(data)
        return self.make(data)

    def recipe(self, data: Examples | None = None, *, steps: int | None = None) -> dict[str, Any]:
        """The arguments of `fit`; with `steps`, the schedule of the learning rate is stretched over so many."""
        plan = self.plan(data)
        planned, rate = plan["steps"], plan["lr"]
        if steps is None or steps == planned:
            return plan
        stretched = (lambda step: rate(step * planned / steps)) if callable(rate) else rate
        return plan | {"steps": steps, "lr": stretched}

    def require_suited(self, data: Examples) -> None:
        """Raise TypeError unless `data` is a data set, ValueError unless the model suits it."""
        if not hasattr(data, "train") or not hasattr(data, "event_shape"):
            raise TypeError(
                f"data: got {type(data).__name__}, expected a Dataset: gmcourse.data.load(key), or "
                "Dataset.from_tensors(x) for tensors of your own"
            )
        shape, dtype = tuple(data.event_shape), data.train.dtype
        if not self.suits(shape, dtype):
            kind = str(dtype).removeprefix("torch.")
            raise ValueError(f"data: {data.key} holds {kind} of shape {shape}; {self.key} is for {self.suits}")


def shape_of(data: Examples | None, default: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one example of a data set; `default` where there is none."""
    return default if data is None else tuple(data.event_shape)


def classes_of(data: Examples | None, default: int) -> int:
    """The number V of classes 0..V−1 that are the labels of a data set; `default` where there is none.

    Raises ValueError where the labels are no classes.
    """
    if data is None:
        return default
    labels = data.batch("train", told=True)[1]
    if labels.dim() != 1 or labels.is_floating_point() or labels.min() < 0:
        came = f"labels of {labels.dtype} and shape {tuple(labels.shape)}"
        raise ValueError(f"data: {data.key} has {came}, expected classes 0, 1, ..., (n,)")
    return int(labels.max()) + 1


def symbols_of(data: Examples) -> int:
    """The number V of symbols: of the alphabet where the data set has one, else the largest code of all splits + 1."""
    if data.alphabet is not None:
        return len(data.alphabet)
    return 1 + max(int(data.batch(split)[0].max()) for split in ("train", "valid", "test"))


def stop_of(data: Examples) -> int | None:
    """The symbol that ends every row of train and fills it up, as the stop of names does; None where there is none."""
    x = data.train
    if x.dim() != 2 or not x.numel() or (x[:, -1] != x[0, -1]).any():
        return None
    stop = int(x[0, -1])
    return None if ((x != stop) & after_stop(x, stop)).any() else stop


def held_then_falling_plan(
    data: Examples | None = None, *, steps: int, batch_size: int, peak: float, warm: int = 1, **more: Any
) -> dict[str, Any]:
    """Arguments of `fit`: the rate reaches `peak` in `warm` steps, is held to half the run, and falls to 0."""
    rows = batch_size if data is None else len(data.train)
    return {"steps": steps, "batch_size": min(batch_size, rows), "lr": held_then_falling(peak, steps, warm), **more}


def plane_points(n: int, seed: int = 0) -> tuple[Tensor]:
    """Points of the plane off the origin, (n, 2)."""
    return (1.5 + 0.5 * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)),)


def grey_images(n: int, seed: int = 0) -> tuple[Tensor]:
    """Random images of 17 levels k/16, (n, 1, 8, 8)."""
    return (torch.randint(0, 17, (n, 1, 8, 8), generator=torch.Generator().manual_seed(seed)) / 16,)


def binary_images(n: int, seed: int = 0) -> tuple[Tensor]:
    """Random binary images, (n, 1, 8, 8)."""
    return (torch.randint(0, 2, (n, 1, 8, 8), generator=torch.Generator().manual_seed(seed)).float(),)


def code_rows(n: int, seed: int = 0) -> tuple[Tensor]:
    """Random rows of five symbols, (n, 6) int64."""
    return (torch.randint(0, 5, (n, 6), generator=torch.Generator().manual_seed(seed)),)
