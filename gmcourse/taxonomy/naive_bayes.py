"""Class, then independent pixels: naive Bayes, read as a generative model."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.nets import sampling
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, Suits, binary_images, held_then_falling_plan
from gmcourse.taxonomy.tables import draw_cells, draw_each, read_codes, require_codes, smoothed_logits

MOST_LEVELS = 256


class NaiveBayes(nn.Module):
    """p(x) = Σ_y p(y) Π_i p(x_i|y): a class y, then each pixel by itself. Maron 1961.

    x is (batch, *event), whole numbers 0..V−1, floating point or integer; samples are int64 with `codes`, else floating
    point. One class is the model of independent pixels. Trained by gradient as a mixture whose class is unseen, by
    gradient with labels, or by `count`, which sets the logits in closed form. Equation: taxonomy-mixture.
    """

    measures = "probability"

    def __init__(self, event_shape: tuple[int, ...], classes: int = 10, levels: int = 2, codes: bool = False):
        super().__init__()
        if classes < 1 or levels < 2:
            raise ValueError(f"classes, levels: got {classes} and {levels}, expected at least 1 and 2")
        self.event_shape, self.classes, self.levels, self.codes = tuple(event_shape), classes, levels, codes
        self.class_logits = nn.Parameter(0.1 * torch.randn(classes))
        self.logits = nn.Parameter(0.1 * torch.randn(classes, math.prod(event_shape), levels))

    def log_joint(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """ln p(y) + Σ_i ln p(x_i|y) of every class, (batch, classes), nats; with `seen` over those pixels alone.

        `seen` is a mask of the event's shape, bool: what x holds elsewhere has no effect, since a pixel that is summed
        over its values leaves the factor 1. −∞ where a seen pixel is no whole number 0..V−1.
        """
        codes, valid = read_codes(x, self.levels, self.event_shape)
        columns = torch.arange(codes.shape[1], device=codes.device)
        each = self.logits.log_softmax(2)[:, columns, codes].movedim(0, 1)  # (batch, classes, D)
        if seen is not None:
            if seen.dtype != torch.bool or seen.shape != self.event_shape:
                raise ValueError(
                    f"seen: got {seen.dtype} of shape {tuple(seen.shape)}, expected bool, {self.event_shape}"
                )
            each, valid = torch.where(seen.flatten(), each, 0.0), valid | ~seen.flatten()
        joint = self.class_logits.log_softmax(0) + each.sum(2)
        return torch.where(valid.all(1, keepdim=True), joint, -torch.inf)

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x) = ln Σ_y p(x, y), (batch,), nats."""
        return self.log_joint(x).logsumexp(1)

    def complete_log_prob(self, x: Tensor, seen: Tensor) -> Tensor:
        """ln p(rest | seen) = ln Σ_y p(x, y) − ln Σ_y p(seen, y), (batch,), nats. Equation: taxonomy-completion."""
        return self.log_prob(x) - self.log_joint(x, seen).logsumexp(1)

    def loss(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """−ln p(x), or −ln p(x, y) with labels (batch,): mean over the batch, nats. ValueError for x without codes."""
        require_codes(x, self.levels)
        if labels is None:
            return -self.log_prob(x).mean()
        return -self.log_joint(x).gather(1, labels.unsqueeze(1)).mean()

    @torch.no_grad()
    def count(self, x: Tensor, labels: Tensor | None = None, smoothing: float = 0.5) -> "NaiveBayes":
        """Set the logits to what `smoothing` + the counts of x and its labels say, and return the model.

        Labels (n,) are classes, int64; one class needs none. `smoothing` is added to each class, and to each level of
        each pixel of each class. Raises ValueError for other x or labels. Equation: taxonomy-smoothing.
        """
        require_codes(x, self.levels)
        labels = torch.zeros(len(x), dtype=torch.long, device=x.device) if labels is None else labels
        if labels.shape != x.shape[:1] or not bool(((labels >= 0) & (labels < self.classes)).all()):
            raise ValueError(
                f"labels: got shape {tuple(labels.shape)}, expected ({len(x)},), classes 0..{self.classes - 1}"
            )
        member = F.one_hot(labels, self.classes).to(self.logits.dtype)
        level = F.one_hot(read_codes(x, self.levels, self.event_shape)[0], self.levels).to(member.dtype)
        counts = torch.einsum("nc,ndv->cdv", member, level)
        self.class_logits.copy_(smoothed_logits(member.sum(0), smoothing))
        self.logits.copy_(smoothed_logits(counts, smoothing))
        return self

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """A class, then each pixel by itself: (n, *event)."""
        with sampling(self, n, rng):
            return self.draw(draw_cells(self.class_logits, n, rng), rng=rng)

    def draw(self, labels: Tensor, *, rng: Generator | None = None) -> Tensor:
        """Each pixel by itself, given the class of each row: labels (n,) int64 → x (n, *event)."""
        with sampling(self, len(labels), rng):
            x = draw_each(self.logits[labels], rng).view(len(labels), *self.event_shape)
            return x if self.codes else x.to(self.logits.dtype)

    def extra_repr(self) -> str:
        """The table's shape."""
        shape = f"event_shape={self.event_shape}, classes={self.classes}, levels={self.levels}"
        return f"{shape}, codes={self.codes}"


def make_naive_bayes(data: Examples | None = None) -> NaiveBayes:
    """Ten classes, unseen in training, and as many levels as train has. Without data: for binary 8 × 8 images.

    Raises ValueError for values that are no whole numbers, or more than 256 levels.
    """
    if data is None:
        return NaiveBayes((1, 8, 8))
    levels = max(2, int(data.train.max()) + 1)
    try:
        require_codes(data.train, min(levels, MOST_LEVELS))
    except ValueError as error:
        raise ValueError(f"data: {data.key} holds other values than levels; {error}") from error
    return NaiveBayes(tuple(data.event_shape), levels=levels, codes=not data.train.is_floating_point())


def _suits(shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    codes = not (dtype.is_floating_point or dtype.is_complex)
    return (IMAGES(shape, dtype) and shape[0] == 1) or (codes and len(shape) > 0)


NAIVE_BAYES = ModelRecord(
    name="Naive Bayes",
    key="naive-bayes",
    family="taxonomy",
    branch=("explicit density", "tractable", "probability table"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="maron1961",
    year=1961,
    arxiv="",
    lesson="01_taxonomy/01_what_is_a_generative_model",
    suits=Suits("binary images, codes", _suits),
    make=make_naive_bayes,
    plan=partial(held_then_falling_plan, steps=2_000, batch_size=64, peak=2e-2),
    example=binary_images,
)
