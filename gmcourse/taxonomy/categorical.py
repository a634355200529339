"""The categorical model: one probability for every state that x can be in."""

import math
from functools import partial

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import sampling
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import Examples, ModelRecord, Suits, held_then_falling_plan
from gmcourse.taxonomy.tables import draw_cells, read_codes, require_codes, smoothed_logits, strides

MOST_STATES = 1 << 16


def categorical_nll(counts: Tensor, logits: Tensor) -> Tensor:
    """−Σ_k (c_k/n) ln softmax(l)_k: the mean −ln q of n = Σ c_k examples, scalar, nats; counts and logits (K,).

    A state without counts adds nothing, whatever its logit. Raises ValueError for other shapes, counts below 0, or none
    above 0. Equation: taxonomy-counts.
    """
    if counts.dim() != 1 or counts.shape != logits.shape:
        raise ValueError(f"counts, logits: got {tuple(counts.shape)}, {tuple(logits.shape)}, expected (K,) for both")
    if not bool((counts >= 0).all()) or not bool(counts.any()):
        raise ValueError("counts: got none above 0, or one below, expected numbers of examples")
    seen = counts > 0
    return -(counts[seen] * logits.log_softmax(0)[seen]).sum() / counts.sum()


class Categorical(nn.Module):
    """q(x) = softmax(l)_k for the state k of x: a table over all V^D joint states of D codes 0..V−1.

    x is (batch, *event), whole numbers, integer or floating point; samples are int64. Trained by gradient, or by
    `count`, which sets the logits in closed form. Raises ValueError for more than 65,536 states. Fisher 1922.
    """

    measures = "probability"

    def __init__(self, event_shape: tuple[int, ...], levels: int):
        super().__init__()
        self.event_shape, self.levels, self.dims = tuple(event_shape), levels, math.prod(event_shape)
        if levels < 1 or self.dims * math.log(levels) > math.log(MOST_STATES) + 1e-9:
            raise ValueError(
                f"event_shape, levels: got {self.event_shape} and {levels}, {levels}^{self.dims} joint states, "
                f"expected 1 to {MOST_STATES:,}"
            )
        self.logits = nn.Parameter(0.1 * torch.randn(levels**self.dims))

    def states(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The place of each row in the table, (batch,), the first code the slowest; and whether it has one."""
        codes, valid = read_codes(x, self.levels, self.event_shape)
        return (codes * strides(self.dims, self.levels, x.device)).sum(1), valid.all(1)

    def log_prob(self, x: Tensor) -> Tensor:
        """ln q(x), (batch,), nats; −∞ where x holds something else than whole numbers 0..V−1."""
        states, valid = self.states(x)
        return torch.where(valid, self.logits.log_softmax(0)[states], -torch.inf)

    def loss(self, x: Tensor) -> Tensor:
        """−ln q(x), mean over the batch, nats. Raises ValueError for x that holds no codes."""
        require_codes(x, self.levels)
        return -self.log_prob(x).mean()

    @torch.no_grad()
    def count(self, x: Tensor, smoothing: float = 0.5) -> "Categorical":
        """Set the logits to what `smoothing` + the counts of x say, and return the model.

        Raises ValueError for x that holds no codes. Equation: taxonomy-smoothing.
        """
        require_codes(x, self.levels)
        counts = torch.bincount(self.states(x)[0], minlength=len(self.logits)).to(self.logits.dtype)
        self.logits.copy_(smoothed_logits(counts, smoothing))
        return self

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """A state by its probability: (n, *event), int64 codes."""
        with sampling(self, n, rng):
            states = draw_cells(self.logits, n, rng).unsqueeze(1)
            return (states // strides(self.dims, self.levels, states.device) % self.levels).view(n, *self.event_shape)

    def extra_repr(self) -> str:
        """The table's shape."""
        return f"event_shape={self.event_shape}, levels={self.levels}"


def code_rows(n: int, seed: int = 0) -> tuple[Tensor]:
    """Random rows of three codes 0..3, (n, 3) int64."""
    return (torch.randint(0, 4, (n, 3), generator=torch.Generator().manual_seed(seed)),)


def make_categorical(data: Examples | None = None) -> Categorical:
    """As many levels as train has. Without data: for three codes of four levels.

    Raises ValueError where the data have too many joint states.
    """
    if data is None:
        return Categorical((3,), levels=4)
    shape, levels = tuple(data.event_shape), int(data.train.max()) + 1
    try:
        require_codes(data.train, levels)
        return Categorical(shape, levels)
    except ValueError as error:
        raise ValueError(f"data: {data.key} holds codes 0..{levels - 1} of shape {shape}; {error}") from error


CATEGORICAL = ModelRecord(
    name="Categorical",
    key="categorical",
    family="taxonomy",
    branch=("explicit density", "tractable", "probability table"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="fisher1922",
    year=1922,
    arxiv="",
    lesson="01_taxonomy/01_what_is_a_generative_model",
    suits=Suits("codes (few states)", lambda shape, dtype: not (dtype.is_floating_point or dtype.is_complex)),
    make=make_categorical,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=1_024, peak=5e-2),
    example=code_rows,
)
