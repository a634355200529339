"""Laws of sentences: what fills a row adds nothing, words are dropped where they are read, and no bound beats H."""

import math
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, as_tensor, require_close, require_shape, standard_error
from gmcourse.laws.rows import draw, pooled, within
from gmcourse.protocols import Bounded


class Writer(Protocol):
    """Scores a sentence at once, ln p(x|z), and word by word."""

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor: ...
    def begin(self, z: Tensor) -> Any: ...
    def step(self, word: Tensor | None, state: Any) -> tuple[Tensor, Any]: ...


class Composed(Bounded, Protocol):
    """A bound that is made of an encoder, μ(x) and s(x), and of a decoder."""

    decoder: Any

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]: ...


def words_add_up(candidate: Callable[[Tensor, Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(x, logits, stop) = Σ ln softmax(l_t)[x_t] over the words up to the first stop, (batch,), nats.

    x (batch, T) int64, logits (batch, V, T). After its stop a row holds stops alone; one row has none.
    """
    for stop, levels, lengths in ((0, 5, (3, 7, 5, 2)), (2, 4, (1, 6, 4, 3, 2))):
        x = _rows(stop, levels, lengths, seed)
        logits = 2 * draw(len(x), levels, x.shape[1], seed=seed + 1)
        right, slips = _sums(x, logits.double(), stop, lengths)
        if stop:
            slips["direction"] = _up_to_first(x, logits.double(), 0)
        observed = ask(candidate, x=x, logits=logits, stop=stop)
        observed = require_shape("one number a sentence", observed, (len(x),)).double()
        law, near = "ln p(x) = Σ ln p(x_t) up to the first stop", within(right)
        require_close(law, observed, right, near, slips, {"x": x, "stop": stop}, fit=near)


def _rows(stop: int, levels: int, lengths: tuple[int, ...], seed: int) -> Tensor:
    """Sentences of so many words and stops in all, filled up with stops; the longest has no stop."""
    words = torch.randint(0, levels - 1, (len(lengths), max(lengths)), generator=torch.Generator().manual_seed(seed))
    words = words + (words >= stop)  # any but the stop
    before = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None] - 1
    before[lengths.index(max(lengths))] = True
    return torch.where(before, words, stop)


def _sums(x: Tensor, logits: Tensor, stop: int, lengths: tuple[int, ...]) -> tuple[Tensor, dict[str, Slips]]:
    """The right sums, and what the usual slips would give."""
    one, across, over = (logits.log_softmax(axis).gather(1, x[:, None])[:, 0] for axis in (1, 2, 0))
    raw = logits.gather(1, x[:, None])[:, 0]
    counts = (torch.arange(x.shape[1]) < torch.tensor(lengths)[:, None]).double()
    right = (one * counts).sum(1)
    first, places = (x == stop).int().argmax(1)[:, None], torch.arange(x.shape[1])  # 0 where there is no stop
    shortest = places < min(lengths)
    late = logits[:, :, :-1].log_softmax(1).gather(1, x[:, None, 1:])[:, 0]
    return right, {
        "overflow": ((one * (places <= first)).sum(1), (one * (places < first)).sum(1)),
        "dependence": one.sum(1),
        "reduction": (right / counts.sum(1), one.mean(1)),
        "one-to-one": (one * (x != stop)).sum(1),
        "spread": ((late * counts[:, 1:]).sum(1), (late * counts[:, :-1]).sum(1)),
        "sign": (-right, -one.sum(1)),
        "constant": ((raw * counts).sum(1), (across * counts).sum(1), (over * counts).sum(1)),
        "log-mean": ((one.exp() * counts).sum(1), (one.exp() * counts).sum(1).log()),
        "shape": [*pooled(right), (one * shortest).sum(1)],
    }


def _up_to_first(x: Tensor, logits: Tensor, stop: int) -> Tensor:
    one = logits.log_softmax(1).gather(1, x[:, None])[:, 0]
    return (one * ((x == stop).cumsum(1) - (x == stop).long() == 0)).sum(1)


def weight_rises_to_one(candidate: Callable[[Tensor, int, int], Tensor]) -> None:
    """candidate(step, wait, ramp): 0 at the first `wait` steps, then a straight line, 1 from step wait + ramp on.

    `step` (n,) int64, from 0. Whether the line begins or ends its rise one step sooner does not matter.
    """
    for wait, ramp in ((200, 100), (0, 40), (30, 0)):
        step = torch.arange(2 * (wait + ramp) + 20)
        observed = require_shape(
            "one weight a step", ask(candidate, step=step, wait=wait, ramp=ramp), tuple(step.shape)
        )
        observed, given = observed.double(), {"wait": wait, "ramp": ramp}
        line = (step - wait).double() / max(ramp, 1)
        early, late = step < wait, step >= wait + ramp
        suspects: dict[str, Slips] = {
            "direction": (1 - line).clamp(0, 1),
            "dependence": (
                (step.double() / max(wait + ramp, 1)).clamp(0, 1),
                (step.double() / max(ramp, 1)).clamp(0, 1),
            ),
            "overflow": line,
            "sign": (line.clamp(max=1), -line.clamp(0, 1)),
        }
        near = 1.001 / max(ramp, 1) if ramp else 1e-6
        cause = next((name for name, slips in suspects.items() if _like(observed, slips, near)), "")
        for law, rows, right, slack, left in (
            ("β = 0 while it waits", early, torch.zeros_like(line), 1e-6, "dependence"),
            ("β = 1 once it has risen", late, torch.ones_like(line), 1e-6, "constant"),
            ("β rises in a straight line", ~early & ~late, line, near, "log-mean"),
        ):
            seen = {"step": step[rows]} | given
            require_close(law, observed[rows], right[rows], slack, {}, seen, deduced=cause or left)


def _like(observed: Tensor, slips: Slips, near: float) -> bool:
    ways = slips if isinstance(slips, (tuple, list)) else (slips,)
    return any(bool(((observed - torch.as_tensor(way)).abs() <= near).all()) for way in ways)


def words_are_dropped_where_they_are_read(
    candidate: Callable[[Tensor, Tensor, float, int, int], Tensor], *, seed: int = 0
) -> None:
    """candidate(x, noise, keep, start, unknown): the start, then x without its last word, each kept where noise < keep.

    x (batch, T) int64, noise (batch, T) in [0, 1), column t for the t-th word that is read. x stays as it was.
    """
    rng = torch.Generator().manual_seed(seed)
    for keep, rows, places, start, unknown in (
        (0.7, 4, 9, 20, 21),
        (1.0, 3, 5, 33, 22),
        (0.0, 2, 6, 20, 40),
        (0.3, 5, 7, 9, 8),
    ):
        x, noise = torch.randint(0, 20, (rows, places), generator=rng), torch.rand(rows, places, generator=rng)
        noise[0, 0], noise[1, 1] = 0.95, 0.0  # a start that is not to be dropped; a word that is, at keep = 0
        given = {"x": x, "noise": noise, "keep": keep, "start": start, "unknown": unknown}
        output = ask(candidate, **given)
        read = require_shape("a word is read for each that is written", output, (rows, places)).double()
        again = as_tensor(candidate(x.clone(), noise.clone(), keep, start, unknown))
        if again is None or not torch.equal(read, again.double()):
            raise LawBroken("equal noise, equal words", "other words", "the same", "randomness")
        right, slips = _readings(x, noise, keep, start, unknown)
        law = "the decoder reads the start, then each word before it where noise < keep"
        try:
            require_close(law, read, right, 1e-6, slips, given)
        except LawBroken as broken:  # rows of words are shown from their first wrong one
            row, column = (read - right).abs().nonzero()[0].tolist()
            seen, due = (f"word {float(words[row, column]):g} in column {column}" for words in (read, right))
            raise LawBroken(law, seen, due, broken.cause, broken.case) from None


def _readings(x: Tensor, noise: Tensor, keep: float, begin: int, unknown: int) -> tuple[Tensor, dict[str, Slips]]:
    """What is to be read of x, and what the usual slips would read."""
    start, kept = torch.full_like(x[:, :1], begin), noise < keep
    known, first = torch.cat([start, x[:, :-1]], 1), torch.ones_like(start, dtype=torch.bool)

    def reading(words: Tensor, *kept: Tensor) -> Tensor:
        return torch.where(torch.cat(kept, 1), words, unknown).double()

    wide = [part.expand(len(x), x.shape[1] - 1) for part in (kept[:, 1:2], kept[:1, 1:], kept[:, :1])]
    return reading(known, first, kept[:, 1:]), {
        "spread": (known.double(), reading(known, first, noise[:, 1:] <= keep)),
        "dependence": (reading(x, kept), reading(torch.cat([start, x[:, 1:]], 1), first, kept[:, 1:]), x.double()),
        "direction": (
            reading(known, first, ~kept[:, 1:]),
            reading(known, ~kept),
            reading(known, first, noise[:, 1:] < 1 - keep),
        ),
        "constant": (reading(known, kept), reading(x.roll(1, 1), kept), reading(x.roll(1, 1), first, kept[:, 1:])),
        "one-to-one": reading(known, first, kept[:, :-1]),
        "shape": [reading(known, first, part) for part in wide],
    }


def owners_follow_bayes(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(z, mean, log_std, log_prob) = ln p(i|z), (n, N), where p(i|z) ∝ p_i q(z|x_i).

    z (n, L); mean and log_std (N, L), of q(z|x_i) = N(mean, e^{2 log_std}); log_prob (N,) of shares that sum to 1.
    """
    for n, examples, latents in ((5, 4, 3), (3, 6, 2)):
        mean, log_std = draw(2, examples, latents, seed=seed)
        log_std, log_prob = 0.4 * log_std - 0.3, draw(examples, seed=seed + 1).log_softmax(0)
        z = draw(n, latents, seed=seed + 2) + torch.tensor([0.5, -0.3, 0.2])[:latents]

        joint = _log_q(z, mean, log_std).sum(2) + log_prob.double()
        right = joint.log_softmax(1)
        inputs = {"z": z, "mean": mean, "log_std": log_std, "log_prob": log_prob}
        observed = require_shape("one number for each z and example", ask(candidate, **inputs), (n, examples)).double()
        slips, near = _owners(z, mean, log_std, log_prob.double()), within(right, 1e-3)
        require_close("ln p(i|z)", observed, right, near, slips, {"z": z}, fit=near)
        far = _finite_far(candidate(z + 60, mean, log_std, log_prob), (n, examples))
        exact = (_log_q(z + 60, mean, log_std).sum(2) + log_prob.double()).log_softmax(1)
        require_close("ln p(i|z), far from every mean", far, exact, within(exact, 1e-3), {}, deduced="overflow")


def _finite_far(output: object, shape: tuple[int, ...]) -> Tensor:
    try:
        return require_shape("far from every mean", output, shape).double()
    except LawBroken as broken:
        cause = "overflow" if broken.cause == "not-finite" else broken.cause
        raise LawBroken(broken.law, broken.observed, broken.expected, cause) from None


def _log_q(z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """ln q of each latent, (n, N, L), float64."""
    return Normal(mean.double(), log_std.double().exp()).log_prob(z.double()[:, None])


def _owners(z: Tensor, mean: Tensor, log_std: Tensor, log_prob: Tensor) -> dict[str, Slips]:
    """What the usual slips would give for ln p(i|z)."""
    each, log_std = _log_q(z, mean, log_std), log_std.double()
    log_q = each.sum(2)
    joint = log_q + log_prob
    return {
        "dependence": (
            *(
                log_q.log_softmax(1),
                (each.mean(2) + log_prob).log_softmax(1),
                (each[:, :, 0] + log_prob).log_softmax(1),
            ),
            *(log_q - joint.logsumexp(1, True), joint - log_q.logsumexp(1, True)),
        ),
        "constant": (
            *(joint, joint - joint.amax(1, True), joint - joint.sum(1, True), joint - joint.exp().sum(1, True)),
            *(
                joint - joint.logsumexp(1, True) + math.log(joint.shape[1]),
                joint - _log_q(z, 0 * mean[:1], 0 * log_std[:1]).sum(2),
            ),
        ),
        "shape": (joint.log_softmax(0), joint - joint.logsumexp((0, 1))),
        "spread": [(parts.sum(2) + log_prob).log_softmax(1) for parts in _wrong_spreads(z, mean, log_std)],
        "log-mean": (
            *(joint.softmax(1), (log_q + log_prob.exp()).log_softmax(1), (log_q * log_prob).log_softmax(1)),
            (log_q * log_prob.exp()).log_softmax(1),
        ),
        "sign": ((log_q - log_prob).log_softmax(1), -joint.log_softmax(1)),
    }


def _wrong_spreads(z: Tensor, mean: Tensor, log_std: Tensor) -> list[Tensor]:
    """ln q of each latent by what is not σ, or without a part of it."""
    each, square, std = _log_q(z, mean, log_std), (z[:, None] - mean).double().square(), log_std.exp()
    return [
        *(each + log_std, _log_q(z, mean, log_std / 2), _log_q(z, mean, 2 * log_std), each + 2 * log_std),
        *(-square / 2, -square / 2 / std - log_std, -square / std.square() - log_std),
        *(-square / 2 / std, -square / 2 / log_std.square() - log_std, -square / 2 / log_std.square()),
    ]


def bound_is_above_entropy(
    candidate: Bounded, sentences: Tensor, entropy: float, *, draws: int = 4, seed: int = 0
) -> None:
    """E[−ELBO] ≥ H: over `sentences` drawn afresh from a distribution of that entropy, within 4 standard errors.

    A bound that is lower has seen what it is to guess, or leaves out a part of what it costs. A split of the data will
    not do: the floor is one of draws with repetition, seen ones among them, and not of what was kept apart.
    """
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        values = [candidate.elbo(sentences, rng=rng) for _ in range(draws)]
    elbo = torch.stack([require_shape("one bound a sentence", value, (len(sentences),)) for value in values]).mean(0)
    mean, error = -elbo.mean().item(), standard_error(elbo).item()
    if mean < entropy - 4 * error - 1e-6:
        cause = "sign" if mean < 0 else "dependence"
        raise LawBroken("E[−ELBO] ≥ the entropy", f"{mean:.4g} ± {error:.1g}", f"at least {entropy:.4g}", cause)


def steps_add_up(candidate: Writer, x: Tensor, z: Tensor, *, stop: int) -> None:
    """ln p(x|z) = Σ_t ln p(x_t | x_<t, z), each factor by one more `step`, up to the first stop; x (batch, T).

    It asks the decoder alone: what a model makes of it in its bound is for `bound_adds_up`.
    """
    with torch.no_grad():
        whole = require_shape("one number a sentence", candidate.log_likelihood(x, z), (len(x),))
        total = _stepped(candidate, x, z, stop)
        slips = {"sign": -total, "reduction": total / x.shape[1]}
        require_close("ln p(x|z) = Σ_t ln p(x_t | x_<t, z)", whole, total, within(total), slips)


def bound_adds_up(candidate: Composed, x: Tensor, *, stop: int, seed: int = 0) -> None:
    """ELBO(x) = Σ_t ln p(x_t | x_<t, z) − KL, each factor by one more `step` of the decoder; x (batch, T).

    z = μ(x) + e^{s(x)} ε with one draw ε = `torch.randn`, of the shape of μ, from the `rng` that `elbo` gets. A model
    that reads in its bound what it is to write cannot read it here.
    """
    observed_rng, own_rng = (torch.Generator().manual_seed(seed) for _ in range(2))
    with torch.no_grad():
        observed = require_shape("one bound a sentence", candidate.elbo(x, rng=observed_rng), (len(x),))
        mean, log_std = candidate.encode(x)
        z = mean + log_std.exp() * torch.randn(mean.shape, generator=own_rng, dtype=mean.dtype)
        words = _stepped(candidate.decoder, x, z, stop)
        parts = (mean.square() + (2 * log_std).exp() - 1) / 2 - log_std
        kl, right = parts.sum(1), words - parts.sum(1)
        slips: dict[str, Slips] = {
            "sign": (-right, words + kl),
            "reduction": (words - parts.mean(1), words / x.shape[1] - kl),
            "constant": words,
        }
        law, near = "ELBO(x) = Σ_t ln p(x_t | x_<t, z) − KL", within(right)
        require_close(law, observed, right, near, slips, fit=near, deduced="dependence")


def _stepped(decoder: Writer, x: Tensor, z: Tensor, stop: int) -> Tensor:
    """ln p(x|z) word by word, (batch,): a word is read after it has been scored."""
    total, going = x.new_zeros(len(x), dtype=z.dtype), torch.ones(len(x), dtype=torch.bool)
    logits, state = decoder.step(None, decoder.begin(z))
    for t in range(x.shape[1]):
        one = logits.log_softmax(1).gather(1, x[:, t : t + 1])[:, 0]
        total, going = total + torch.where(going, one, 0.0), going & (x[:, t] != stop)
        logits, state = decoder.step(x[:, t], state)
    return total
