"""A prior over codes that is told what to show: the words of a caption stand first in one row, the codes follow."""

from typing import Any, Protocol

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.generation import Stepwise
from gmcourse.nets import sampling


class RowModel(Stepwise, Protocol):
    """A causal model of rows of ids, (batch, T) int64: an autoregressive model of symbols is one."""

    def logits(self, x: Tensor, /) -> Tensor: ...


def caption_row(caption: Tensor, codes: Tensor, words: int) -> Tensor:
    """(c_1 … c_C, W + k_1 … W + k_T): caption (batch, C) and codes (batch, T), int64 → one row of ids, (batch, C + T).

    W is `words`, the number of ids that a caption can hold; codes come after them, so that no id has two meanings.
    Ramesh et al. 2021, section 2, have text and picture in one row too. Equation: vae-caption-row.
    """
    if caption.dim() != 2 or codes.dim() != 2 or len(caption) != len(codes):
        got = f"{tuple(caption.shape)} and {tuple(codes.shape)}"
        raise ValueError(f"caption, codes: got shapes {got}, expected (batch, C) and (batch, T)")
    return torch.cat([caption, words + codes], 1)


def drop_captions(caption: Tensor, u: Tensor, share: float, none: int) -> Tensor:
    """Captions (batch, C) with `none` at every place of those whose u, (batch,) uniform on [0, 1), is below `share`.

    A caption is dropped as a whole. Ho & Salimans 2022, algorithm 1.
    """
    if u.shape != caption.shape[:1]:
        raise ValueError(f"u: got shape {tuple(u.shape)}, expected ({len(caption)},), one number for each caption")
    return torch.where(u[:, None] < share, none, caption)


def guided_logits(conditional: Tensor, unconditional: Tensor, strength: float) -> Tensor:
    """(1 + w) l(k|c) − w l(k), of the shape of both: w = 0 is the prior as it is, w = −1 the one without a caption.

    The softmax is in proportion to p(k|c)^{1+w} / p(k)^w, k one code. A row drawn code by code from it does not follow
    that power of the whole row, since each code is normalised by itself. Others write g for our 1 + w.
    Equation: vae-guided-logits.
    """
    return (1 + strength) * conditional - strength * unconditional


def mixture_log_prob(log_given: Tensor, log_caption: Tensor) -> Tensor:
    """ln p(k) = ln Σ_c p(c) p(k|c): ln p(k|c) (captions, batch) and ln p(c) (captions,) → (batch,), nats.

    Since no term of the sum is larger than the sum, ln p(k|c) − ln p(k) ≤ −ln p(c), in each row: a caption is worth at
    most what it costs to say, and on average at most H(c). Raises ValueError where Σ p(c) is not 1.
    Equation: vae-caption-worth.
    """
    if log_caption.shape != log_given.shape[:1]:
        got = f"{tuple(log_given.shape)} and {tuple(log_caption.shape)}"
        raise ValueError(f"log_given, log_caption: got shapes {got}, expected (captions, batch) and (captions,)")
    total = log_caption.exp().sum().item()
    if not abs(total - 1) < 1e-4:
        raise ValueError(f"log_caption: got probabilities that sum to {total:.4g}, expected 1")
    return (log_caption[:, None] + log_given).logsumexp(0)


class CaptionPrior(nn.Module):
    """p(k|c) and p(c), both from one causal model of rows (c_1 … c_C, k_1 … k_T): the words first, then the codes.

    `rows` is a model of W + 1 + V ids, the W words, `none`, the V codes, of which it sees C + T in a row. A caption is
    left out, `none` in each of its places, of `drop` of the rows of a loss: this teaches p(k|nothing), which guidance
    wants. At a place only the ids that can stand there share the probability, so that Σ_k p(k|c) = 1. The terms of
    `loss` are nats; `weight` is that of the caption's (Ramesh et al. 2021 say 1/8 for text and 7/8 for the picture, of
    means over tokens). The prefix may be the codes of another level: `words` are then the codes of its book.
    """

    def __init__(
        self, rows: RowModel, words: int, levels: int, length: tuple[int, int], drop: float = 0.1, weight: float = 1.0
    ):
        super().__init__()
        if min(words, levels, *length) < 1:
            raise ValueError(f"words, levels, length: got {words}, {levels}, {length}, expected at least 1 of each")
        if not 0 <= drop < 1 or not weight >= 0:
            raise ValueError(f"drop, weight: got {drop} and {weight}, expected a share below 1, and at least 0")
        self.rows: RowModel = rows
        self.words, self.levels, self.length = words, levels, tuple(length)
        self.drop, self.weight, self.none = drop, weight, words

    def symbol_log_prob(self, codes: Tensor, given: Tensor | None) -> tuple[Tensor, Tensor]:
        """ln p of each word, (batch, C), 0 where it is `none`, and of each code, (batch, T), after all before it.

        Codes and `given` as in `log_prob`.
        """
        _require_ids("codes", codes, self.length[1], self.levels)
        given = self._caption(len(codes), given)
        words, codes_logits = self.rows.logits(caption_row(given, codes, self.words + 1)).split(self.length, 2)
        of_words = _chosen(words[:, : self.words], given.clamp(max=self.words - 1))
        return of_words.masked_fill(given == self.none, 0.0), _chosen(codes_logits[:, self.words + 1 :], codes)

    def log_prob(self, codes: Tensor, given: Tensor | None = None) -> Tensor:
        """ln p(k|c), (batch,), nats, of codes (batch, T), c = `given` (batch, C); None: ln p(k|nothing)."""
        return self.symbol_log_prob(codes, given)[1].sum(1)

    def prefix_log_prob(self, given: Tensor) -> Tensor:
        """ln p(c), (batch,), nats: it hangs on no code."""
        codes = torch.zeros(len(given), self.length[1], dtype=torch.int64, device=given.device)
        return self.symbol_log_prob(codes, given)[0].sum(1)

    def loss(self, codes: Tensor, given: Tensor) -> dict[str, Tensor]:
        """−ln p(k|c), or without c where it is dropped, and `weight` times −ln p(c); nats, means over the batch."""
        u = torch.rand(len(given), device=given.device)
        words, symbols = self.symbol_log_prob(codes, drop_captions(given, u, self.drop, self.none))
        return {"codes": -symbols.sum(1).mean(), "caption": -self.weight * words.sum(1).mean()}

    def sample(
        self, n: int, given: Tensor | None = None, *, strength: float = 0.0, rng: Generator | None = None
    ) -> Tensor:
        """k ~ p(k|c), (n, T) int64, c = `given` (n, C) or (C,); with w = `strength` from the guided logits, two passes.

        Where no caption is given, nothing guides.
        """
        with sampling(self, n, rng):
            caption = self._caption(n, given)
            guided = given is not None and strength != 0
            read = torch.cat([caption, torch.full_like(caption, self.none)]) if guided else caption
            logits, state = self._begin(len(read))
            for word in read.T:
                logits, state = self.rows.step(word, state)
            codes = []
            for place in range(self.length[1]):
                if place:
                    last = self.words + 1 + codes[-1]
                    logits, state = self.rows.step(last.repeat(1 + guided), state)
                own = logits[:, self.words + 1 :]
                codes.append(_drawn(_guided(own, strength) if guided else own, rng))
            return torch.stack(codes, 1)

    def sample_prefix(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """c ~ p(c), (n, C) int64."""
        with sampling(self, n, rng):
            logits, state = self._begin(n)
            words: list[Tensor] = []
            for place in range(self.length[0]):
                if place:
                    logits, state = self.rows.step(words[-1], state)
                words.append(_drawn(logits[:, : self.words], rng))
            return torch.stack(words, 1)

    def extra_repr(self) -> str:
        return f"words={self.words}, levels={self.levels}, length={self.length}, drop={self.drop}, weight={self.weight}"

    def _begin(self, batch: int) -> tuple[Tensor, Any]:
        return self.rows.step(None, self.rows.begin(batch))

    def _caption(self, n: int, given: Tensor | None) -> Tensor:
        """The captions of n rows, (n, C): `none` in each place where there are none."""
        places, device = self.length[0], next(self.parameters()).device
        if given is None:
            return torch.full((n, places), self.none, device=device)
        if given.shape not in ((n, places), (places,)):
            wanted = f"({n}, {places}) or ({places},)"
            raise ValueError(f"given: got {given.dtype} {tuple(given.shape)}, expected int64 {wanted}")
        rows = given.expand(n, places).to(device)
        _require_ids("given", rows, places, self.words + 1)  # a larger id would be read as a code
        return rows


def _guided(both: Tensor, strength: float) -> Tensor:
    """Guided logits of the first half of the rows, told a caption, and the second, told none."""
    conditional, unconditional = both.chunk(2)
    return guided_logits(conditional, unconditional, strength)


def _require_ids(name: str, ids: Tensor, length: int, most: int) -> None:
    if ids.is_floating_point() or ids.dim() != 2 or ids.shape[1] != length:
        raise ValueError(f"{name}: got {ids.dtype} {tuple(ids.shape)}, expected int64 (batch, {length})")
    if not ids.is_meta and ids.numel() and not (ids.min() >= 0 and ids.max() < most):
        raise ValueError(f"{name}: got ids {ids.min()} to {ids.max()}, expected 0 to {most - 1}")


def _chosen(logits: Tensor, ids: Tensor) -> Tensor:
    """ln softmax(l)[id] at each place: logits (batch, V, T), ids (batch, T) → (batch, T)."""
    return logits.log_softmax(1).gather(1, ids[:, None]).squeeze(1)


def _drawn(logits: Tensor, rng: Generator | None) -> Tensor:
    """One id a row, (batch, V) → (batch,)."""
    return torch.multinomial(logits.softmax(1), 1, generator=rng).squeeze(1)
