"""Laws of discrete codes: the nearest is chosen, gradients pass the choice, a book follows means, lengths add."""

import math
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_parts, require_shape, show_value
from gmcourse.laws.rows import draw, pooled, within


def codes_are_nearest(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(z (n, d), book (V, d)) → k (n,), integer, with ‖z − e_k‖ least: by every distance, one at a time.

    Books of several lengths, one with a code ten times as long, one far from the origin.
    """
    for n, size, dims in ((23, 5, 3), (12, 9, 2)):
        z, book = draw(n, dims, seed=seed), draw(size, dims, seed=seed + 1)
        longer = torch.where(torch.arange(size)[:, None] == 2, 10 * book, book)
        for vectors, codes in ((z, book), (z, longer), (z + 20, book + 20)):
            squares = torch.tensor([[sum((a - b) ** 2 for a, b in zip(p, q)) for q in codes.double()] for p in vectors])
            chosen = require_shape("one code for each vector", ask(candidate, z=vectors, book=codes), (n,))
            if chosen.is_floating_point() or chosen.dtype == torch.bool:
                raise LawBroken("codes are integers", f"{chosen.dtype}", "int64", "container")
            if ((chosen < 0) | (chosen >= size)).any():
                raise LawBroken("codes are 0 to V − 1", show_value(chosen), f"0 to {size - 1}", "one-to-one")
            nearest = squares.argmin(1)
            lengths, products, off = codes.square().sum(1), vectors @ codes.T, vectors[:, None] - codes
            slips = {
                "spread": (
                    (lengths - products).argmin(1),
                    (lengths / 2 - 2 * products).argmin(1),
                    (lengths.sqrt() - 2 * products).argmin(1),
                    (-lengths - 2 * products).argmin(1),
                ),
                "constant": products.argmax(1),
                "sign": (squares.argmax(1), (lengths + 2 * products).argmin(1)),
                "dependence": (
                    *(off.abs().sum(2).argmin(1), off.abs().amax(2).argmin(1), off.sum(2).argmin(1)),
                    *(off.sum(2).abs().argmin(1), off[:, :, 0].abs().argmin(1)),
                ),
                "one-to-one": nearest + 1,
                "shape": nearest[-1:].expand(n),
                "direction": (vectors @ codes.T / codes.norm(dim=1)).argmax(1),
            }
            _same_codes(chosen, nearest, slips, {"z": vectors, "book": codes})


def _same_codes(chosen: Tensor, nearest: Tensor, slips: dict[str, Slips], given: dict[str, Tensor]) -> None:
    require_close("k = argmin ‖z − e_k‖", chosen.double(), nearest.double(), 0.1, _doubled(slips), given)


def _doubled(slips: dict[str, Slips]) -> dict[str, Slips]:
    return {
        cause: tuple(way.double() for way in ways) if isinstance(ways, tuple) else ways.double()  # type: ignore[union-attr]
        for cause, ways in slips.items()
    }


def _decoder(v: Tensor) -> Tensor:
    """A smooth function of rows whose coordinates take part together, (n, d) → (n,)."""
    return (v.sin() * v.roll(1, 1)).sum(1) + 0.5 * v.square().sum(1)


def gradient_passes_the_choice(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(z, e) is e forward; backward it hands z the slope of f(z + c), c = e − z held still, and e nothing.

    The slope is taken by central differences, a coordinate at a time.
    """
    for n, dims in ((4, 3), (3, 2)):
        z, e = (draw(n, dims, seed=seed + k).double().requires_grad_() for k in range(2))
        v = require_shape("a vector for each vector", ask(candidate, z=z, e=e), (n, dims))
        given = {"z": z.detach(), "e": e.detach()}
        slips: dict[str, Slips] = {
            "direction": (z.detach(), 2 * z.detach() - e.detach()),
            "constant": z.detach() + e.detach(),
        }
        require_close("forward it is e", v, e.detach(), 1e-6, slips, given, deduced="direction")
        if not v.requires_grad:
            raise LawBroken("a gradient reaches z", "none", "that of f(z + c)", "gradient")
        to_z, to_e = torch.autograd.grad(_decoder(v).sum(), (z, e), materialize_grads=True)
        right = _slope(z.detach(), (e - z).detach())
        slips = {"gradient": (0 * right, 2 * right), "sign": -right, "dependence": _slope(z.detach(), 0 * right)}
        law = "∂f/∂z is the slope of f(z + c), c held still"
        require_close(law, to_z, right, 1e-5, slips, given, deduced="gradient")
        require_close("nothing reaches e by this way", to_e, 0 * right, 1e-9, {"gradient": to_e}, given)


def _slope(z: Tensor, c: Tensor, step: float = 1e-5) -> Tensor:
    columns = []
    for j in range(z.shape[1]):
        moved = torch.zeros_like(z)
        moved[:, j] = step
        columns.append((_decoder(z + moved + c) - _decoder(z - moved + c)) / (2 * step))
    return torch.stack(columns, 1)


def each_side_is_pulled(candidate: Callable[[Tensor, Tensor, Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(z (n, d), book (V, d), k (n,), β) = mean of ‖sg z − e_k‖² + β‖z − sg e_k‖², with its gradients.

    Code k gets 2 n_k (e_k − mean of its z)/n, and one that none has chosen 0; z gets 2β(z − e_k)/n.
    """
    for n, size, dims, beta in ((6, 4, 3, 0.25), (5, 3, 2, 0.7)):
        z, book = (
            draw(n, dims, seed=seed).double().requires_grad_(),
            draw(size, dims, seed=seed + 1).double().requires_grad_(),
        )
        codes = torch.arange(n).remainder(size - 1)
        value = require_shape("one number", ask(candidate, z=z, book=book, codes=codes, commitment=beta), ())
        own = book.detach()[codes]
        off = z.detach() - own
        square = off.square().sum(1).mean()
        given = {"commitment": beta}
        slips: dict[str, Slips] = {
            "reduction": ((1 + beta) * square / dims, (1 + beta) * square * n),
            "constant": (square, beta * square, 2 * square, 2 * beta * square),
        }
        require_close("(1 + β) ‖z − e‖², the mean over vectors", value, (1 + beta) * square, 1e-6, slips, given)
        if not value.requires_grad:
            raise LawBroken("the terms carry gradients", "none", "one for each side", "gradient")
        to_z, to_book = torch.autograd.grad(value, (z, book), materialize_grads=True)
        pull = torch.zeros_like(own[:1]).expand(size, dims).clone().index_add_(0, codes, -2 * off / n)
        slips = {"gradient": (0 * pull, beta * pull, (1 + beta) * pull), "sign": -pull}
        require_close("the book's gradient is 2 n_k (e_k − mean)/n", to_book, pull, 1e-6, slips)
        push = 2 * beta * off / n
        slips = {"gradient": (0 * push, push / beta, push / beta * (1 + beta)), "sign": -push}
        require_close("the gradient of z is 2β(z − e)/n", to_z, push, 1e-6, slips)


def means_are_followed(candidate: Callable[..., tuple[Tensor, Tensor, Tensor]], *, seed: int = 0) -> None:
    """candidate(N (V,), m (V, d), n (V,), Σz (V, d), γ) → the new N, m and codes m/N, in float64; once by hand."""
    toy = torch.tensor([[0.0], [10.0]])
    count, n = 1 + draw(4, seed=seed).abs(), torch.tensor([3.0, 1.0, 0.0, 5.0])
    total, sums = draw(4, 3, seed=seed + 1), n[:, None] * draw(4, 3, seed=seed + 2)
    cases = [(count, total, n, sums, 0.9), (0 * count, 0 * total, n + 1, sums, 0.999), (count, total, n + 1, sums, 0.0)]
    cases += [(torch.ones(2), toy, torch.tensor([2.0, 1.0]), torch.tensor([[3.0], [9.0]]), 0.5)]
    for before in cases:
        names = ("count", "total", "n", "sums", "decay")
        given: dict[str, object] = dict(zip(names, before, strict=True))
        parts = require_parts("N, m and the codes", ask(candidate, **given), 3)
        for law, part, right, slips in zip(
            ("N ← γN + (1 − γ)n", "m ← γm + (1 − γ)Σz", "e = m/N"), parts, *_followed(*before), strict=True
        ):
            observed = require_shape(law, part, tuple(right.shape)).double()
            require_close(law, observed, right, within(right), slips, given)


def _followed(count: Tensor, total: Tensor, n: Tensor, sums: Tensor, decay: float):
    """The three parts of a step, and for each what the usual slips would give in its place."""
    count, total, n, sums = (t.double() for t in (count, total, n, sums))
    new, m = decay * count + (1 - decay) * n, decay * total + (1 - decay) * sums
    swapped, swapped_m = (1 - decay) * count + decay * n, (1 - decay) * total + decay * sums
    old = (total / count[:, None]).nan_to_num(posinf=0.0, neginf=0.0)
    mean = (sums / n[:, None]).nan_to_num(posinf=0.0, neginf=0.0)
    slips_n = {
        "direction": (swapped, torch.where(n > 0, new, count)),
        "constant": (decay * count + n, count + (1 - decay) * n, count + n),
        "dependence": (n, count),
    }
    slips_m = {
        "direction": swapped_m,
        "constant": (decay * total + sums, total + (1 - decay) * sums, total + sums),
        "dependence": (sums, total),
        "container": m / new[:, None],
        "reduction": decay * total + (1 - decay) * mean,
    }
    slips_e = {
        "direction": (swapped_m / swapped[:, None]).nan_to_num(posinf=0.0, neginf=0.0),
        "dependence": (
            *(old, mean, m / n.clamp(min=1)[:, None]),
            *((m / by[:, None]).nan_to_num(posinf=0.0, neginf=0.0) for by in (count, n)),
        ),
        "log-mean": (decay * old + (1 - decay) * mean, decay * old + (1 - decay) * sums / n.clamp(min=1)[:, None]),
        "overflow": [m / (new + small)[:, None] for small in (1e-3, 1e-4, 1e-5, 1e-6)]
        + [m / new.clamp(min=1)[:, None], m / _smoothed(new)[:, None]],
        "reduction": m / new.sum(),
        "constant": m,
    }
    return (new, m, m / new[:, None]), (slips_n, slips_m, slips_e)


def _smoothed(count: Tensor, small: float = 1e-5) -> Tensor:
    """Laplace's smoothing, as codebooks on the net have it."""
    return (count + small) / (count.sum() + len(count) * small) * count.sum()


def perplexity_is_effective_number(candidate: Callable[[Tensor, int], Tensor | float], *, seed: int = 0) -> None:
    """candidate(codes, V), codes of any shape → e^H of their shares: V where all are as frequent, 1 for one code."""
    rng = torch.Generator().manual_seed(seed)
    uneven = torch.multinomial(torch.tensor([5.0, 3.0, 0.0, 1.0, 0.5]), 40, True, generator=rng).view(10, 4)
    for codes, size in (
        (uneven, 5),
        (uneven.flatten(), 7),
        (torch.arange(6).view(2, 3), 6),
        (torch.full((3, 2), 1), 4),
    ):
        shares = torch.tensor([(codes == k).double().mean() for k in range(size)])
        entropy = -sum(p * math.log(p) for p in shares.tolist() if p)
        used = float((shares > 0).sum())
        rows = [_effective(torch.bincount(row, minlength=size) / len(row)) for row in codes.view(len(codes), -1)]
        counts, ones = shares * codes.numel(), torch.nn.functional.one_hot(codes, size).double()
        unnormed = (counts, counts / size, counts / len(codes), counts.softmax(0), ones.mean(0))
        slips: dict[str, Slips] = {
            "log-mean": (1.0, float(torch.stack(rows).mean()), float(torch.stack(rows).log().mean().exp())),
            "constant": (
                *(entropy, 2**entropy, entropy / math.log(2), math.exp(entropy / math.log(2))),
                *(entropy / math.log(size), 10**entropy),
            ),
            "spread": tuple(float(_effective(p)) for p in unnormed),
            "sign": (math.exp(-entropy), -math.exp(entropy)),
            "reduction": (math.exp(entropy / size), math.exp(entropy) / size),
            "one-to-one": (used, float(size), 1 / float(shares.square().sum())),
        }
        value = require_shape("one number", ask(candidate, codes=codes, size=size), ()).double()
        given = {"codes": codes, "size": size}
        require_close("e^H of the shares", value, math.exp(entropy), 1e-4, slips, given)


def _effective(shares: Tensor) -> Tensor:
    """e^H of shares, whether they sum to 1 or not."""
    return torch.special.entr(shares.double()).sum().exp()


def rows_share_one(log_prob: Callable[[Tensor], Tensor], *, size: int, length: int, tolerance: float = 1e-5) -> None:
    """Σ exp log_prob(k) = 1 over all V^T rows of codes (V^T ≤ 65,536); log_prob takes (V^T, T) int64."""
    if size**length > 65_536:
        raise ValueError(f"size, length: got {size} and {length}, expected V^T of at most 65,536 rows")
    rows = torch.tensor(list(product(range(size), repeat=length)))
    values = require_shape("one log-probability for each row", ask(log_prob, rows=rows), (len(rows),))
    require_close("Σ p(k) = 1 over all rows of codes", values.double().exp().sum(), 1.0, tolerance)


def lengths_add(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(ln p(k_t|k_<t) (batch, T), ln p(x_d|k) (batch, *event)) → bits a dimension of x, (batch,).

    The codes' nats and the values' nats are summed, and divided by D ln 2, D the number of values of one x.
    """
    for batch, length, event in ((4, 3, (3, 2, 5)), (3, 6, (7,))):
        log_prior, log_rest = (-draw(batch, *shape, seed=seed + k).abs() for k, shape in enumerate(((length,), event)))
        dims = math.prod(event)
        codes, rest = -log_prior.double().sum(1), -log_rest.double().flatten(1).sum(1)
        right = (codes + rest) / (dims * math.log(2))
        slips: dict[str, Slips] = {
            "sign": (-right, (rest - codes) / (dims * math.log(2))),
            "constant": (
                *((codes + rest) / dims, (codes + rest) / math.log(2), codes + rest, right * math.log(2) ** 2),
                *(right / math.log(2), (codes / math.log(2) + rest) / dims, (codes + rest / math.log(2)) / dims),
            ),
            "reduction": (
                (codes / length + rest / dims) / math.log(2),
                (codes + rest) / ((dims + length) * math.log(2)),
                (codes / length + rest) / (dims * math.log(2)),
                (codes + rest) / (length * math.log(2)),
                *((codes + rest) / (n * math.log(2)) for n in (event[-1], math.prod(event[1:]))),
                (codes + rest) / (batch * dims * math.log(2)),
                (codes + rest / dims) / math.log(2),
                (codes + rest / dims) / (dims * math.log(2)),
            ),
            "dependence": (
                *(codes / (dims * math.log(2)), rest / (dims * math.log(2)), codes / (length * math.log(2))),
                (rest - log_prior[:, -1].double()) / (dims * math.log(2)),
            ),
            "shape": [*pooled(right), (codes.sum() + rest) / (dims * math.log(2))],
        }
        given = {"log_prior": log_prior, "log_likelihood": log_rest}
        observed = require_shape("one length for each x", ask(candidate, **given), (batch,)).double()
        require_close("bits a dimension: codes and rest", observed, right, within(right), slips, given)
