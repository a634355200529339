"""Laws of captions: ids with one meaning, captions dropped whole, guidance in logits, and what a caption is worth."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape
from gmcourse.laws.rows import draw, pooled, within


def ids_have_one_meaning(candidate: Callable[[Tensor, Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(caption, codes, words) = (c_1 … c_C, W + k_1 … W + k_T): words first, no id with two meanings.

    Caption (batch, C), codes (batch, T), int64; the largest word and the largest code need not be among them.
    """
    rng = torch.Generator().manual_seed(seed)
    for batch, length, places, words, levels in ((4, 3, 5, 7, 6), (2, 2, 2, 11, 30), (1, 4, 3, 9, 5), (3, 2, 6, 20, 8)):
        caption = torch.randint(words - 1, (batch, length), generator=rng)
        codes = torch.randint(levels, (batch, places), generator=rng)
        caption[0, 0], codes[0, 0] = words - 2, 0
        law = f"(words, W + codes), W = {words}, {length} words, {places} codes"
        output = ask(candidate, caption=caption, codes=codes, words=words)
        observed = require_shape(law, output, (batch, length + places)).detach().double()
        expected = torch.tensor(
            [[*row, *(words + k for k in own)] for row, own in zip(caption.tolist(), codes.tolist(), strict=True)]
        ).double()
        slips = _row_slips(caption.double(), codes.double(), words)
        require_close(law, observed, expected, 0.0, slips, given={"caption": caption, "codes": codes}, fit=1e-6)


def _row_slips(caption: Tensor, codes: Tensor, words: int) -> dict[str, list[Tensor]]:
    def row(*parts: Tensor) -> Tensor:
        return torch.cat(parts, 1)

    length = caption.shape[1]
    shifts = [length, words - 1, float(caption.max()), float(caption.max()) + 1, caption.amax(1, keepdim=True) + 1]
    levels, right = float(codes.max()) + 1, row(caption, words + codes)
    return {
        "one-to-one": [row(caption, codes), row(caption, words * codes), *(row(caption, codes + by) for by in shifts)],
        "spread": [row(caption, words + 1 + codes)],
        "direction": [row(codes, caption), row(words + codes, caption), row(codes, words + caption), right.flip(1)]
        + [row(caption[:, :at], words + codes, caption[:, at:]) for at in range(1, length)],
        "constant": [row(words + caption, codes), row(words + caption, words + codes), row(levels + caption, codes)]
        + [row(caption + 1, words + 1 + codes)],
        "sign": [row(caption, codes - words)],
        "dependence": [row(caption[:1].expand(len(codes), -1), words + codes)],
    }


def captions_drop_whole(candidate: Callable[[Tensor, Tensor, float, int], Tensor], *, seed: int = 0) -> None:
    """candidate(caption, u, share, none) = `none` at each place of the captions whose u is below `share`.

    Caption (batch, C) int64, u (batch,), on [0, 1). The others are as they were. Squares among the batches: u is one
    number for each caption, not for each place.
    """
    rng = torch.Generator().manual_seed(seed)
    for batch, length, share, none in ((9, 3, 0.3, 12), (4, 4, 0.6, 0), (6, 2, 0.0, 9), (5, 5, 0.4, 7)):
        caption = torch.randint(1, 7, (batch, length), generator=rng)
        u = (torch.arange(batch) + 0.25) / batch
        u = u[torch.randperm(batch, generator=rng)]
        law = f"{share:g} of {batch} captions dropped, whole"
        observed = require_shape(law, ask(candidate, caption=caption, u=u, share=share, none=none), (batch, length))
        rows = zip(caption.tolist(), u.tolist(), strict=True)
        expected = torch.tensor([[none] * length if v < share else words for words, v in rows]).double()
        slips = _drop_slips(caption, u, share, none)
        given, made = {"caption": caption, "u": u}, observed.detach().double()
        left = _what_is_left(made, caption, u < share, none)
        require_close(law, made, expected, 0.0, slips, given, fit=1e-6, deduced=left)


def _what_is_left(made: Tensor, caption: Tensor, dropped: Tensor, none: int) -> str:
    """Words dropped one by one, whole captions but others than u says, or something else in the place of `none`."""
    gone, kept = made == none, made == caption
    if (gone | kept).all():
        return "dependence" if (gone.all(1) | kept.all(1)).all() else "reduction"
    return "constant" if kept[~dropped].all() else ""


def _drop_slips(caption: Tensor, u: Tensor, share: float, none: int) -> dict[str, list[Tensor]]:
    def where(dropped: Tensor, filled: int = none) -> Tensor:
        return torch.where(dropped, filled, caption).double()

    by_row = u[:, None].expand(caption.shape)
    slips = {
        "sign": [where(by_row > share), where(by_row < 1 - share), where(by_row > 1 - share)],
        "constant": [where(by_row < share, other) for other in (0, -1, none + 1, none - 1)],
        "dependence": [where((u < share).any().expand(caption.shape)), caption.double()],
    }
    first = torch.zeros(caption.shape, dtype=torch.bool)
    first[:, 0] = True
    slips["reduction"] = [where((by_row < share) & first), where((by_row < share) & first.roll(-1, 1))]
    if len(u) == caption.shape[1]:
        slips["shape"] = [where((u < share)[None].expand(caption.shape))]
    return slips


def guidance_sharpens(candidate: Callable[[Tensor, Tensor, float], Tensor], *, seed: int = 0) -> None:
    """softmax of candidate(l_c, l, w) is in proportion to p(k|c)^{1+w} / p(k)^w, for w = 0.7, 0, −1, 1 and 3.

    Logits (batch, V) of p(k|c) and p(k); what is returned may differ from (1 + w) l_c − w l by a number a row.
    """
    for w, (batch, levels) in ((0.7, (3, 7)), (0.0, (4, 5)), (-1.0, (4, 5)), (1.0, (5, 4)), (3.0, (1, 6))):
        given, plain = draw(batch, levels, seed=seed + levels), draw(batch, levels, seed=seed + levels + 40) * 0.8
        law = f"p(k) ∝ p(k|c)^(1+w) / p(k)^w, w = {w:g}"
        output = ask(candidate, conditional=given, unconditional=plain, strength=w)
        observed = require_shape(law, output, (batch, levels)).detach().double().softmax(1)
        p, q = given.double().softmax(1), plain.double().softmax(1)
        expected = p ** (1 + w) / q**w
        expected = expected / expected.sum(1, keepdim=True)
        require_close(law, observed, expected, 1e-5, _guidance_slips(given.double(), plain.double(), w, expected))


def _guidance_slips(given: Tensor, plain: Tensor, w: float, right: Tensor) -> dict[str, list[Tensor]]:
    p, q = given.softmax(1), plain.softmax(1)
    mixed = (1 + w) * p - w * q
    return {
        "constant": [(plain + w * (given - plain)).softmax(1), (given + (1 + w) * (given - plain)).softmax(1)]
        + [(w * (given - plain)).softmax(1), (2 * given - plain).softmax(1)],
        "overflow": [
            right.softmax(1),
            (p ** (1 + w) / q**w).softmax(1),
            ((1 + w) * given - w * plain).exp().softmax(1),
        ],
        "log-mean": [mixed.clamp(min=1e-9).log().softmax(1), mixed.softmax(1), mixed],
        "sign": [((1 + w) * given + w * plain).softmax(1)],
        "direction": [((1 + w) * plain - w * given).softmax(1), ((1 - w) * given + w * plain).softmax(1)],
        "spread": [(given * by).softmax(1) for by in (1 + w, 1.0, 1 / (1 + w) if w != -1 else 0.0)]
        + [(given - w * plain).softmax(1)],
        "shape": [*pooled(right), ((1 + w) * given.log_softmax(0) - w * plain.log_softmax(0)).softmax(1)]
        if len(right) > 1
        else [],
    }


def captions_mix(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(ln p(k|c), ln p(c)) = ln Σ_c p(c) p(k|c): (captions, batch) and (captions,) → (batch,), nats.

    Then ln p(k|c) − ln p(k) ≤ −ln p(c) in every row: a caption helps by no more than it takes to say it. Code rows of
    e^{−900} do not underflow.
    """
    for captions, batch, shift in ((5, 4, -30.0), (3, 3, -900.0), (4, 1, -60.0)):
        log_given = shift + 3 * draw(captions, batch, seed=seed + captions)
        log_caption = draw(captions, seed=seed + batch + 9).log_softmax(0)
        law = f"ln Σ p(c) p(k|c), {captions} captions"
        output = ask(candidate, log_given=log_given, log_caption=log_caption)
        observed = require_shape(law, output, (batch,)).detach().double()
        terms = (log_given.double() + log_caption.double()[:, None] - shift).exp()
        expected = shift + terms.sum(0).log()
        slips = _mixture_slips(log_given.double(), log_caption.double(), expected)
        require_close(law, observed, expected, within(expected, 1e-5), slips)
        excess = (log_given.double() - observed + log_caption.double()[:, None]).max()
        require_close("ln p(k|c) − ln p(k) ≤ −ln p(c)", excess.clamp(min=0), 0.0, 1e-2)


def _mixture_slips(log_given: Tensor, log_caption: Tensor, right: Tensor) -> dict[str, list[Tensor]]:
    count, joint = len(log_given), log_given + log_caption[:, None]
    return {
        "log-mean": [(log_caption.exp()[:, None] * log_given).sum(0), log_given.mean(0), joint.mean(0)],
        "constant": [log_given.logsumexp(0), (log_given - torch.tensor(float(count)).log()).logsumexp(0)],
        "reduction": [joint.amax(0), log_given.amax(0), joint.sum(0)],
        "sign": [-right, (log_given - log_caption[:, None]).logsumexp(0)],
        "shape": pooled(right) if len(right) > 1 else [],
    }
