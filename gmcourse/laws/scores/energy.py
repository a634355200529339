"""Laws of an energy of bits: its sum over hidden units, its normaliser, its gradient, its walk, and its annealing."""

import math
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_parts, require_shape
from gmcourse.laws.rows import draw, further, pooled, within

SIZES = ((3, 2, 1.0), (4, 4, 1.0), (2, 5, 1.5), (3, 3, 150.0))
"""Pixels, hidden units, and the size of the weights: two sides alike, more units than pixels, energies of hundreds."""


def _machine(dims: int, hidden: int, scale: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """W, b and c, float32, none of them small beside the others."""
    weight, bias = scale * draw(dims, hidden, seed=seed), scale * draw(dims, seed=seed + 1)
    return weight, bias, scale * draw(hidden, seed=seed + 2)


def _strings(n: int) -> Tensor:
    return torch.tensor(list(product([0.0, 1.0], repeat=n)), dtype=torch.float64)


def _energies(x: Tensor, weight: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """E(x, h) = −b·x − c·h − xWh of every row of x and every string h, (batch, 2^H)."""
    h = _strings(len(hidden_bias))
    pairs = torch.einsum("nd,dj,mj->nm", x, weight, h)
    return -torch.einsum("nd,d->n", x, bias)[:, None] - torch.einsum("mj,j->m", h, hidden_bias) - pairs


def free_energy_sums_hidden(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(x, weight, bias, hidden_bias) = F(x) = −ln Σ_h e^{−E(x, h)}, (batch,), by all 2^H strings h."""
    for case, (dims, hidden, scale) in enumerate(SIZES):
        terms = _machine(dims, hidden, scale, seed + 10 * case)
        x = (draw(3 + case, dims, seed=seed + 5) > 0).float()
        law = f"F(x) = −ln Σ_h e^(−E(x, h)), {dims} pixels, {hidden} hidden units" + ", large weights" * (scale > 10)
        names = dict(zip(("weight", "bias", "hidden_bias"), terms, strict=True))
        observed = require_shape(law, ask(candidate, x=x, **names), (len(x),)).detach().double()
        weight, bias, hidden_bias = (term.double() for term in terms)
        exact = x.double(), weight, bias, hidden_bias
        expected = -(-_energies(*exact)).logsumexp(1)
        slips, left = (_free_slips(*exact, expected), "") if scale < 10 else ({}, "overflow")
        require_close(law, observed, expected, within(expected), slips, given={"x": x}, deduced=left)


def _free_slips(
    x: Tensor, weight: Tensor, bias: Tensor, hidden_bias: Tensor, right: Tensor
) -> dict[str, Tensor | list[Tensor]]:
    """Signs, terms left out, the wrong bias or side, a hidden string in the place of the sum, slips of an axis."""
    inputs, straight = hidden_bias + x @ weight, x @ bias
    soft = inputs.exp().log1p()
    whole, units = soft.sum(1), soft.shape[1]
    slips: dict[str, Tensor | list[Tensor]] = {
        "sign": [-right, whole - straight, straight - whole]
        + [-straight - side * (-inputs).exp().log1p().sum(1) for side in (1, -1)],
        "constant": [-whole, -straight - (x @ weight).exp().log1p().sum(1), -straight, -straight - inputs.exp().sum(1)]
        + [right - hidden_bias.sum(), -straight - hidden_bias.sum() - (x @ weight).exp().log1p().sum(1)],
        "reduction": [-straight - soft.mean(1), -(x * bias).mean(1) - soft.mean(1), right / units]
        + [-(x * bias).mean(1) - whole],
        "one-to-one": [
            -straight - inputs.clamp(min=0).sum(1),
            -straight - (inputs.sigmoid() * inputs).sum(1),
            -straight - inputs.sum(1),
        ],
        "log-mean": [-straight - inputs.sum(1).exp().log1p(), -straight - whole + units * math.log(2)]
        + [-straight - inputs.logsumexp(1)],
        "shape": [*pooled(right), -straight - soft.sum(), -straight.sum() - whole],
    }
    if weight.shape[0] == weight.shape[1]:
        turned = hidden_bias + x @ weight.T
        slips["direction"] = [
            -straight - turned.exp().log1p().sum(1),
            -(x @ hidden_bias) - (bias + x @ weight).exp().log1p().sum(1),
            -(x @ hidden_bias) - (bias + x @ weight.T).exp().log1p().sum(1),
        ]
    return slips


def partition_counts_all(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(weight, bias, hidden_bias) = ln Z = ln Σ_x Σ_h e^{−E(x, h)}, a number, by all 2^(D+H) strings.

    Where one side has 17 units and the other 2, the strings of the shorter one are listed.
    """
    for case, (dims, hidden, scale) in enumerate((*SIZES, (9, 2, 0.7), (1, 6, 0.7))):
        terms = _machine(dims, hidden, scale, seed + 10 * case + 1)
        law = f"ln Z = ln Σ_x Σ_h e^(−E(x, h)), {dims} pixels, {hidden} hidden units" + ", large weights" * (scale > 10)
        names = dict(zip(("weight", "bias", "hidden_bias"), terms, strict=True))
        observed = require_shape(law, ask(candidate, **names), ()).detach().double()
        weight, bias, hidden_bias = (term.double() for term in terms)
        minus = -_energies(_strings(dims), weight, bias, hidden_bias)
        whole, free = minus.flatten().logsumexp(0), minus.logsumexp(1)
        slips: dict[str, list[Tensor]] = {
            "sign": [-whole, (-minus).flatten().logsumexp(0), (-free).logsumexp(0)],
            "constant": [whole + hidden * math.log(2), whole + dims * math.log(2)],
            "log-mean": [whole - dims * math.log(2), whole - (dims + hidden) * math.log(2), free.mean()]
            + [whole - hidden * math.log(2), minus.mean()],
            "one-to-one": [minus.max(), minus.amax(1).logsumexp(0), free.max(), free.sum()]
            + [part.logsumexp(0) for way in (free, minus.logsumexp(0)) for part in (way[1:], way[:-1]) if len(way) > 2],
            "not-finite": [whole.exp()],
        }
        if dims == hidden:
            swapped = [(weight.T, bias, hidden_bias), (weight, hidden_bias, bias)]
            slips["direction"] = [(-_energies(_strings(dims), *way)).flatten().logsumexp(0) for way in swapped]
        slips, left = (slips, "") if scale < 10 else ({}, "overflow")
        require_close(law, observed, whole, within(whole), slips, deduced=left)
    _lists_the_shorter_side(candidate, seed)


def _lists_the_shorter_side(candidate: Callable[..., Tensor], seed: int) -> None:
    for dims, hidden in ((17, 2), (2, 17)):
        terms = _machine(dims, hidden, 0.3, seed + dims)
        with _Written(most=2**16) as written:
            observed = ask(candidate, **dict(zip(("weight", "bias", "hidden_bias"), terms, strict=True)))
        law = f"the shorter side is listed, {dims} pixels, {hidden} hidden units"
        if written.numbers > written.most:
            raise LawBroken(law, f"more than {written.most} numbers written", "2² strings listed", "reduction")
        weight, bias, hidden_bias = (term.double() for term in (terms if dims < hidden else _exchanged(*terms)))
        inputs = hidden_bias + _strings(2) @ weight
        whole = (_strings(2) @ bias + inputs.exp().log1p().sum(1)).logsumexp(0)
        require_close(law, require_shape(law, observed, ()).detach().double(), whole, within(whole))


def _exchanged(weight: Tensor, bias: Tensor, hidden_bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return weight.T, hidden_bias, bias


class _Written(TorchFunctionMode):
    """Counts the numbers in the tensors that torch gives back."""

    def __init__(self, most: int):
        super().__init__()
        self.most, self.numbers = most, 0

    def __torch_function__(self, func: Callable, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        self.numbers += output.numel() if isinstance(output, Tensor) else 0
        return output


def phases_point_uphill(candidate: Callable[..., tuple[Tensor, ...]], *, seed: int = 0) -> None:
    """candidate(x, fantasies, weight, bias, hidden_bias): mean of −∇F over x less that over fantasies, in W, b and c.

    By autograd of F. The two batches differ in size: each phase is a mean of its own.
    """
    for case, (dims, hidden, n, m) in enumerate(((3, 2, 4, 7), (4, 4, 5, 2), (2, 5, 1, 3))):
        terms = _machine(dims, hidden, 1.0, seed + 10 * case + 2)
        x, fantasies = ((draw(rows, dims, seed=seed + rows) > -0.3).float() for rows in (n, m))
        law = f"data's statistics less the fantasies', {n} rows and {m}"
        names = dict(zip(("weight", "bias", "hidden_bias"), terms, strict=True))
        parts = require_parts(law, ask(candidate, x=x, fantasies=fantasies, **names), 3)
        again = require_parts(law, ask(candidate, x=x, fantasies=fantasies, **names), 3)
        expected, slips = _phases(x.double(), fantasies.double(), [term.double() for term in terms])
        for place, (name, part) in enumerate(zip("Wbc", parts, strict=True)):
            observed, repeated = (
                require_shape(f"{law}: {name}", way, tuple(terms[place].shape)).detach().double()
                for way in (part, again[place])
            )
            require_close(f"equal batches, equal updates: {name}", repeated, observed, 1e-5, deduced="randomness")
            suspects = {cause: [way[place] for way in ways] for cause, ways in slips.items()}
            require_close(f"{law}: {name}", observed, expected[place], 1e-5, suspects)


def _phases(x: Tensor, fantasies: Tensor, terms: list[Tensor]) -> tuple[list[Tensor], dict[str, list[list[Tensor]]]]:
    """∇ of the mean of −F over x, less that over the fantasies, and what slips give in its place."""
    leaves = [term.clone().requires_grad_() for term in terms]

    def slopes(rows: Tensor) -> list[Tensor]:
        free = -(-_energies(rows, *leaves)).logsumexp(1).mean()
        return list(torch.autograd.grad(-free, leaves))

    data, model, n, m = slopes(x), slopes(fantasies), len(x), len(fantasies)
    right = [a - b for a, b in zip(data, model, strict=True)]
    half = slopes(torch.full_like(x[:1], 0.5))
    return right, {
        "sign": [[-part for part in right], [a + b for a, b in zip(data, model, strict=True)]],
        "reduction": [[(n * a - m * b) / count for a, b in zip(data, model, strict=True)] for count in (1, n, m, n + m)]
        + [[part * count for part in right] for count in (n, 1 / n)],
        "dependence": [data, model, [torch.zeros_like(part) for part in right]]
        + [[a - b for a, b in zip(data, half, strict=True)]],
        "direction": [[part.mT if part.dim() > 1 else part for part in right]],
        "log-mean": [[_apart(x, leaves) - _apart(fantasies, leaves), *right[1:]]],
    }


def _apart(rows: Tensor, terms: list[Tensor]) -> Tensor:
    """The mean of x times that of p(h = 1|x), in the place of the mean of their product."""
    return torch.outer(rows.mean(0), (terms[2] + rows @ terms[0]).sigmoid().mean(0)).detach()


def sweep_draws_its_conditionals(candidate: Callable[..., Tensor], *, draws: int = 4_000, seed: int = 0) -> None:
    """candidate(x, u, v, weight, bias, hidden_bias): h ~ p(h|x) by u, then x' ~ p(x'|h) by v, both uniform.

    The share of each x' after each x is T[x, x'] = Σ_h p(h|x) p(x'|h), within 4.5 standard errors.
    """
    for case, (dims, hidden) in enumerate(((3, 2), (3, 3), (2, 4))):
        terms = _machine(dims, hidden, 2.0, seed + 10 * case + 3)
        strings = _strings(dims)
        x, rng = strings.repeat_interleave(draws, 0).float(), torch.Generator().manual_seed(seed)
        u, v = torch.rand(len(x), hidden, generator=rng), torch.rand(len(x), dims, generator=rng)
        names = dict(zip(("weight", "bias", "hidden_bias"), terms, strict=True))
        law = f"x' after a sweep is bits, {dims} pixels, {hidden} hidden units"
        after = require_shape(law, ask(candidate, x=x, u=u, v=v, **names), tuple(x.shape)).detach().double()
        if not ((after == 0) | (after == 1)).all():
            raise LawBroken(law, f"{after[(after != 0) & (after != 1)][0]:.3g}", "0 or 1", "randomness")
        place = (after @ 2.0 ** torch.arange(dims - 1, -1, -1, dtype=torch.float64)).long().view(len(strings), draws)
        shares = torch.nn.functional.one_hot(place, len(strings)).double().mean(1)
        expected, slips = _sweeps(strings, [term.double() for term in terms])
        tolerance = 4.5 * (expected * (1 - expected) / draws).sqrt() + 2 / draws
        law = "P(x'|x) = Σ_h p(h|x) p(x'|h)"
        require_close(law, shares, expected, tolerance, slips, given={"x": strings.float()}, fit=2.5 / math.sqrt(draws))


def _sweeps(strings: Tensor, terms: list[Tensor]) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """T of all strings, and what a sweep gives that leaves out a draw, a bias, or a half of itself."""
    weight, bias, hidden_bias = terms
    h = _strings(len(hidden_bias))

    def table(logits: Tensor, bits: Tensor) -> Tensor:
        p = logits.sigmoid()[:, None]
        return torch.where(bits > 0, p, 1 - p).prod(2)

    inputs = hidden_bias + strings @ weight
    down, up = table(inputs, h), table(bias + h @ weight.T, strings)
    likely = table(1e3 * inputs.sign(), h)
    slips = {
        "randomness": [table(bias + inputs.sigmoid() @ weight.T, strings), likely @ up],
        "constant": [table(strings @ weight, h) @ up, down @ table(h @ weight.T, strings)]
        + [table(strings @ weight, h) @ table(h @ weight.T, strings)],
        "sign": [(down @ up).flip(1), down.flip(1) @ up],
        "one-to-one": [down @ up @ down @ up],
        "dependence": [torch.eye(len(strings), dtype=torch.float64), table(bias + 0 * strings, strings)],
    }
    if len(bias) == len(hidden_bias):
        slips["direction"] = [down @ table(bias + h @ weight, strings), table(bias + strings @ weight, h) @ up]
    return down @ up, slips


def weights_follow_the_path(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(x, betas, energy, move) = Σ_i F(x_i, β_i) − F(x_i, β_{i+1}), x_{i+1} = move(x_i, β_{i+1}), (batch,).

    The weight is taken before the move: x_i was drawn for β_i, and stands in both terms.
    """
    for case, betas in enumerate(([0.0, 1.0], [0.0, 0.2, 0.5, 0.9, 1.0], [1.0, 0.6, 0.5, 0.0])):
        x, steps = 0.4 * draw(3 + case, 2, seed=seed + case), torch.tensor(betas)

        def energy(at: Tensor, beta: float) -> Tensor:
            return (1 + 2 * beta) * at.square().sum(1) + beta**2 * at[:, 0] * (at[:, 1] + 2)

        def move(at: Tensor, beta: float) -> Tensor:
            return (1.3 * at + beta).sin() + 0.4 * at.flip(1)

        law = f"ln w = Σ F(x_i, β_i) − F(x_i, β_(i+1)) along β = {betas}"
        observed = require_shape(law, ask(candidate, x=x, betas=steps, energy=energy, move=move), (len(x),))
        expected, slips = _along(x, steps.tolist(), energy, move)
        require_close(law, observed.detach().double(), expected, within(expected), slips, given={"x": x})


def _along(x: Tensor, betas: list[float], energy: Callable, move: Callable) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """ln w, and what it becomes with the energies at other points, temperatures or signs."""
    gains, late, early, still, behind, across = [], [], [], [], [], []
    walker = lagging = x.double()
    for here, there in pairwise(betas):
        after, before = move(walker, there), move(walker, here)
        gains.append(energy(walker, here) - energy(walker, there))
        late.append(energy(after, here) - energy(after, there))
        early.append(energy(before, here) - energy(before, there))
        still.append(energy(x.double(), here) - energy(x.double(), there))
        behind.append(energy(lagging, here) - energy(lagging, there))
        across.append(energy(walker, here) - energy(after, there))
        walker, lagging = after, move(lagging, here)
    whole, (first, *_) = torch.stack(gains).sum(0), gains
    slips = {
        "sign": [-whole, -torch.stack(late).sum(0)],
        "dependence": [torch.stack(way).sum(0) for way in (late, early, still, behind, across)],
        "constant": [whole - first, whole - gains[-1], first, gains[-1], torch.stack(gains).mean(0)],
        "log-mean": [whole.exp()],
        "shape": pooled(whole),
    }
    if len(gains) == 1:
        slips["constant"], slips["dependence"] = [torch.zeros_like(whole)], [late[0], early[0], across[0]]
    return whole, slips


def mean_weight_in_logs(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log_w) = ln (1/n) Σ e^{ln w}, a number, for log-weights (n,) of hundreds too."""
    fixed = [0.3, -1.2, 2.0], [0.7, 0.7], [-900.0, -901.0, -905.0, -900.5], [812.0, 800.0, 811.0]
    more = further(seed, lambda rng: [rng.uniform(-6, 6) for _ in range(5)])
    for log_w in (*fixed, *more):
        weights = torch.tensor(log_w)
        law = f"ln of the mean weight, ln w = {log_w}"
        observed = require_shape(law, ask(candidate, log_w=weights), ()).detach().double()
        exact, n = weights.double(), len(log_w)
        whole = exact.logsumexp(0)
        slips = {
            "log-mean": [exact.mean(), exact.median()],
            "constant": [whole, whole + math.log(n), whole - math.log(n - 1), whole / n]
            + [whole - math.log(n) - exact.max()],
            "sign": [math.log(n) - whole],
            "one-to-one": [exact.max(), exact.max() - math.log(n)],
            "not-finite": [(whole - math.log(n)).exp()],
        }
        left = "not-finite" if abs(whole) > 100 else ""  # the same was right where e^{ln w} is a number
        require_close(law, observed, whole - math.log(n), 1e-4 * (1 + abs(whole)), slips, deduced=left)
