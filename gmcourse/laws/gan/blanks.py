"""Laws of filling blanks: what a hint gives away, who is paid for what, what is measured, what is left as it was.

A mask m is 1 where an entry is known and 0 where it is blank; b is 1 where the critic is told which of the two it is.
"""

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, require_value, show_value
from gmcourse.laws.rows import pooled, within

Judged = Callable[[Tensor, Tensor, Tensor], Any]


def hint_leaves_some_open(candidate: Callable[[Tensor, Tensor], Any], *, seed: int = 0) -> None:
    """candidate(m, b) is m where b is 1 and ½ where b is 0, (batch, D), float32; m and b hold 0 and 1."""
    for m, b in _masks(seed):
        expected = torch.tensor(
            [[known if told else 0.5 for known, told in zip(*pair, strict=True)] for pair in _listed(m, b)]
        )
        observed = require_shape("an entry for each entry of the mask", ask(candidate, m=m, b=b), tuple(m.shape))
        suspects: dict[str, Slips] = {
            "direction": torch.where(b > 0, torch.full_like(m, 0.5), m),
            "dependence": m,
            "constant": [b * m, b * m + (1 - b), m + 0.5 * (1 - b)],
            "one-to-one": [0.5 * (b * m), 0.5 * (m + b), 0.5 * m + 0.5 * (1 - b)],
            "sign": b * m - 0.5 * (1 - b),
        }
        told = torch.equal(observed.to(m)[b > 0], m[b > 0])  # right where b is 1: it is the ½ that is amiss
        law, deduced = "h is m where b = 1, ½ where b = 0", "constant" if told else "one-to-one"
        require_close(law, observed.to(m), expected, 1e-6, suspects, {"m": m, "b": b}, deduced=deduced)


def critic_is_scored_where_nothing_is_told(candidate: Judged, *, seed: int = 0) -> None:
    """candidate(logits, m, b), all (batch, D), is −E[m ln D + (1 − m) ln(1 − D)] over b = 0, with its gradient."""
    for logits, m, b in _judgements(seed):
        log_d, log_not = _log_sigmoid(logits), _log_sigmoid(-logits)
        parts = -(m * log_d + (1 - m) * log_not)
        suspects: dict[str, Slips] = {
            **_share_slips(parts, b),
            "direction": [_mean_over(-(m * log_not + (1 - m) * log_d), b == 0), _mean_over(parts, b == 1)],
            "one-to-one": [_mean_over(-m * log_d, b == 0), _mean_over(-(1 - m) * log_not, b == 0)],
        }
        _judged("−E[m ln D + (1 − m) ln(1 − D)] over b = 0", candidate, (logits, m, b), parts, suspects)


def generator_is_paid_for_blanks(candidate: Judged, *, seed: int = 0) -> None:
    """candidate(logits, m, b), all (batch, D), is −E[(1 − m) ln D] over b = 0, with its gradient."""
    for logits, m, b in _judgements(seed):
        log_d, log_not = _log_sigmoid(logits), _log_sigmoid(-logits)
        parts = -(1 - m) * log_d
        shared = _share_slips(parts, b)
        suspects: dict[str, Slips] = {
            **shared,
            "direction": [_mean_over(-m * log_d, b == 0), _mean_over(parts, b == 1)],
            "one-to-one": [_mean_over(-log_d, b == 0)]
            + [_mean_over(k * (m * log_d + (1 - m) * log_not), b == 0) for k in (1, -1)]
            + [_mean_over(-((1 - m) * log_d + m * log_not), b == 0)],
            "sign": [-_mean_over(parts, b == 0)] + [_mean_over(k * (1 - m) * log_not, b == 0) for k in (1, -1)],
            "constant": _mean_over(-log_d, (b == 0) & (m == 0)),
            "log-mean": -_mean_over((1 - m) * log_d.exp(), b == 0).log(),
            "dependence": [*shared["dependence"], _mean_over(-log_d, m == 0)],
            "spread": [*shared["spread"], *(_mean_over((1 - m) * v, b == 0) for v in _no_logs(logits))],
        }
        _judged("−E[(1 − m) ln D] over b = 0", candidate, (logits, m, b), parts, suspects)


def _judged(law: str, candidate: Judged, given: tuple[Tensor, ...], parts: Tensor, suspects: dict[str, Slips]) -> None:
    """The value, then the gradient in the logits, of the mean of `parts` over b = 0."""
    logits, m, b = given
    expected = _mean_over(parts, b == 0)
    (right,) = torch.autograd.grad(expected, logits)
    asked = logits.detach().float().requires_grad_()
    value = require_shape("one number for the batch", ask(candidate, logits=asked, m=m, b=b), ())
    found = {cause: _detached(slips) for cause, slips in suspects.items()}
    told = {"logits": logits.detach(), "m": m, "b": b}
    require_close(law, value.detach().double(), expected.detach(), within(expected.detach()), found, told)
    moved = slope(value, asked).double()
    require_close(f"the gradient of {law}", moved, right, 1e-5, {"gradient": 0 * right}, deduced="gradient")


def _detached(slips: Slips) -> Slips:
    return [torch.as_tensor(slip).detach() for slip in (slips if isinstance(slips, (list, tuple)) else [slips])]


def _share_slips(parts: Tensor, b: Tensor) -> dict[str, list[Tensor]]:
    """Another sum, mean or sign of the same entries."""
    total, right = (parts * (b == 0)).sum(), _mean_over(parts, b == 0)
    return {
        "sign": [-right],
        "reduction": [total, total / parts.numel(), total / len(parts), _by_row(parts, b == 0)],
        "dependence": [parts.mean(), parts.sum(), parts.sum() / (b == 0).sum()],  # what a hint gives away is in it
        "spread": [right / math.log(2), right / math.log(10)],
    }


def _no_logs(logits: Tensor) -> list[Tensor]:
    """What stands where −ln D should: 1 − D, −D, −h."""
    return [1 - logits.sigmoid(), -logits.sigmoid(), -logits]


def _by_row(values: Tensor, where: Tensor) -> Tensor:
    """The mean over all rows of each row's mean over its entries chosen, 0 in a row without any."""
    return ((values * where).sum(1) / where.sum(1).clamp(min=1)).mean()


def error_of_blanks_alone(candidate: Callable[[Tensor, Tensor, Tensor], Any], *, seed: int = 0) -> None:
    """candidate(x, filled, m), all (n, D), is √ of the mean of (x − filled)² over m = 0, of all columns together.

    `filled` holds other numbers than x where m is 1, too: they count for nothing.
    """
    rng = torch.Generator().manual_seed(seed)
    for rows, columns in ((6, 2), (5, 3)):
        x = torch.randn(rows, columns, generator=rng)
        filled = x + torch.randn(rows, columns, generator=rng) * (0.5 + torch.arange(columns))
        m = (torch.rand(rows, columns, generator=rng) < 0.6).float()
        m[0], m[1], m[2, 0] = 1, 0, 0  # a row without blanks, one of blanks alone, unequal numbers in the columns
        pairs = zip(x.flatten().tolist(), filled.flatten().tolist(), m.flatten().tolist(), strict=True)
        squares = [(a - c) ** 2 for a, c, here in pairs if here == 0]
        exact = math.sqrt(sum(squares) / len(squares))
        observed = ask(candidate, x=x, filled=filled, m=m)
        observed = require_shape("one number for the table", observed, ()).double()
        law = f"√ of the mean of (x − filled)² over {len(squares)} blanks of {x.numel()} entries"
        suspects, told = _error_slips((x - filled).double(), m), {"x": x, "filled": filled, "m": m}
        require_close(law, observed, torch.tensor(exact).double(), 1e-5, suspects, told)


def _error_slips(errors: Tensor, m: Tensor) -> dict[str, Slips]:
    """Another mean, root or choice of entries; errors (n, D)."""
    blank, square, (rows, columns) = (m == 0).double(), errors.square(), errors.shape
    total, count, whole = (square * blank).sum().item(), int(blank.sum()), errors.numel()
    by_column, by_row = (((square * blank).sum(d) / blank.sum(d)).sqrt() for d in (0, 1))
    by_row = by_row[by_row.isfinite()]  # a row without blanks has no error
    wrong = errors[m == 0]
    divided = [math.sqrt(total / n) for n in (whole, rows, columns, count - 1, whole - count, 2 * count)]
    slips = {
        "reduction": [*divided, math.sqrt(total), math.sqrt(total) / count, total, total / whole],
        "dependence": [square.mean().sqrt(), square.mean(), (square.sum() / count).sqrt()],
        "direction": [_mean_over(square, m == 1).sqrt(), _mean_over(square, m == 1), (square * m).mean().sqrt()],
        "spread": [total / count, wrong.abs().mean(), wrong.abs().mean().sqrt()],
        "sign": [wrong.mean().abs(), wrong.mean(), wrong.std(), wrong.std(unbiased=False)],
        "one-to-one": [each for parts in (by_column, by_row) for each in (parts.mean(), parts.square().mean().sqrt())],
    }
    return {cause: [torch.tensor(float(v), dtype=torch.float64) for v in values] for cause, values in slips.items()}


def known_entries_come_back(candidate: Callable[..., Any], *, columns: int = 3, seed: int = 0) -> None:
    """candidate(blanked, rng=…), NaN in the blanks of (n, columns), fills these and leaves the rest, bit for bit.

    Equal generators give equal numbers, and a row without blanks comes back whole.
    """
    rng = torch.Generator().manual_seed(seed)
    x = torch.rand(7, columns, generator=rng)
    m = torch.rand(7, columns, generator=rng) < 0.6
    m[0], m[1] = True, False
    blanked = torch.where(m, x, torch.nan)

    def filled() -> Tensor:
        told = torch.Generator().manual_seed(seed + 1)
        given = blanked.clone()
        output = require_shape("a row for each row", candidate(given, rng=told), (7, columns))
        if not torch.equal(given.isnan(), ~m) or not torch.equal(given[m], x[m]):
            law = "what is handed to a function stays as it was"
            raise LawBroken(law, "other numbers or blanks in it", "the same", "mutation")
        return output

    first = filled()
    if not torch.equal(first[m], x[m]):
        raise LawBroken("known entries come back as they were", show_value(first[m]), show_value(x[m]), "dependence")
    if not torch.equal(first, filled()):
        raise LawBroken("equal generators, equal fillings", "others", "the same", "randomness")


def means_leave_blanks_out(candidate: Callable[[Tensor], Any], *, seed: int = 0) -> None:
    """candidate(blanked) is the table (n, D) with each blank, NaN, replaced by the mean of what its column knows."""
    rng = torch.Generator().manual_seed(seed)
    for rows, columns in ((6, 2), (5, 4)):
        x = torch.randn(rows, columns, generator=rng) + 3 * torch.arange(columns)
        m = torch.rand(rows, columns, generator=rng) < 0.6
        m[0], m[1], m[1, 0], m[2, 0] = True, False, True, False
        x[0, 0] = 0.0  # a 0 is a number like others, and no blank
        blanked = torch.where(m, x, torch.nan)
        held = [[row[d] for row in blanked.tolist() if not math.isnan(row[d])] for d in range(columns)]

        def put(values: Tensor, m: Tensor = m, x: Tensor = x) -> Tensor:
            return torch.where(m, x, values.to(x).expand_as(x))

        means = torch.tensor([sum(column) / len(column) for column in held])
        counts, whole = m.sum(0), m.all(1)
        other = torch.stack([torch.tensor([v for v in column if v]).mean() for column in held])  # of what is not 0
        suspects: dict[str, Slips] = {
            "reduction": [put(means * counts / rows), put(means * counts), put(means * counts / (counts - 1))]
            + [means * counts / rows + 0 * x, put(other), torch.where(m & (x != 0), x, other)]
            + [put(means * counts / (rows - counts).clamp(min=1)), put(x[whole].mean(0))],
            "direction": put(blanked.nanmean(1)[:, None]),
            "one-to-one": [put(value) for value in (blanked.nanmean(), means.mean(), means[0])],
            "spread": [put(torch.stack([torch.tensor(c).median() for c in held]))]
            + [put(torch.tensor([sorted(c)[len(c) // 2] for c in held])), put(blanked.nanquantile(0.5, dim=0))],
            "constant": put(torch.zeros(())),
            "dependence": [means.expand_as(x), torch.where(m, x, 0) + means],
        }
        observed = require_shape("the whole table", _ask_blanked(candidate, blanked), (rows, columns))
        told = {"blanked": blanked}
        require_close("blanks hold the mean of what is known", observed, put(means), 1e-5, suspects, told)


def _ask_blanked(candidate: Callable[[Tensor], Any], blanked: Tensor) -> Any:
    """candidate(blanked) on a clone, which it must leave as it was; NaN equals NaN here."""
    clone = blanked.clone()
    output = candidate(clone)
    same = torch.equal(clone.isnan(), blanked.isnan()) and torch.equal(clone.nan_to_num(), blanked.nan_to_num())
    if not same:
        raise LawBroken("what is handed to a function stays as it was", "changed", "blanks as NaN", "mutation")
    return output


def critic_reads_filled_rows(candidate: Callable[[Tensor, Tensor], Any], *, seed: int = 0) -> None:
    """candidate(laws, p), of M masks of two bits, is D_i(x) = P(m_i = 1 | x), (2, 4): nothing is told but the row.

    laws (4 masks, 4 rows) are the laws of the filled rows; p (4,) the probability of each mask, all in the order (0,0),
    (0,1), (1,0), (1,1). The oracle is Bayes' rule in loops.
    """
    rng = torch.Generator().manual_seed(seed)
    for _ in range(2):
        laws = torch.rand(4, 4, generator=rng, dtype=torch.float64) + 0.1
        laws = laws / laws.sum(1, keepdim=True)
        p = torch.rand(4, generator=rng, dtype=torch.float64) + 0.1
        p = p / p.sum()
        expected = _bayes(laws, p)
        joint = p[:, None] * laws
        ones = [torch.tensor([m[i] for m in product((0, 1), repeat=2)]) == 1 for i in range(2)]
        suspects: dict[str, Slips] = {
            "direction": [1 - expected, expected.flip(0), torch.stack([joint[one].sum(0) for one in ones])],
            "dependence": [_bayes(laws, torch.full((4,), 0.25).double())]
            + [torch.stack([p[one].sum().expand(4) for one in ones])],
            "reduction": [torch.stack([laws[one].mean(0) for one in ones])]
            + [torch.stack([joint[one].sum(0) / p[one].sum() for one in ones])]
            + [torch.stack([joint[one].sum(0) / joint[~one].sum(0) for one in ones])],
            "shape": [expected.mean(1, keepdim=True).expand(2, 4)],
        }
        suspects |= {"one-to-one": pooled(expected)}
        observed = require_shape("D of either bit at each row", ask(candidate, laws=laws, p=p), (2, 4)).double()
        require_close("D_i(x) = P(m_i = 1 | x)", observed, expected, 1e-6, suspects)


def _bayes(laws: Tensor, p: Tensor) -> Tensor:
    """P(m_i = 1 | x) by loops."""
    table = torch.zeros(2, 4, dtype=torch.float64)
    for i, x in product(range(2), range(4)):
        weights = [(p[k] * laws[k, x]).item() for k in range(4)]
        table[i, x] = sum(w for w, m in zip(weights, product((0, 1), repeat=2), strict=True) if m[i]) / sum(weights)
    return table


def one_draw_pays_more_than_their_mean(answer: object) -> None:
    """The RMSE of one perfect draw over that of the mean of 20: √(2 / (1 + 1/20)).

    E(x − x′)² = 2 Var for independent x, x′ of one law; E(x − x̄)² = Var + Var/20 for the mean x̄ of 20.
    """
    suspects: dict[str, Slips] = {
        "constant": math.sqrt(2),
        "dependence": [1.0, math.sqrt(21 / 20)],
        "spread": [40 / 21, 2.0],
        "direction": [math.sqrt(21 / 40), 21 / 40, math.sqrt(0.5)],
        "reduction": [math.sqrt(20), math.sqrt(40), 20.0, 40.0],
    }
    require_value("RMSE of one draw over RMSE of the mean of 20", answer, math.sqrt(40 / 21), 0.005, suspects)


def _masks(seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Masks in which each of the four cases occurs, in two shapes."""
    rng = torch.Generator().manual_seed(seed)
    for rows, columns in ((5, 3), (4, 4)):
        m, b = ((torch.rand(rows, columns, generator=rng) < 0.6).float() for _ in range(2))
        m[0, :2], b[0, :2] = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 0.0])
        m[1, :2], b[1, :2] = torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0])
        yield m, b


def _judgements(seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Logits, float64 with a gradient, and masks; unequal numbers of each case."""
    rng = torch.Generator().manual_seed(seed)
    for m, b in _masks(seed):
        logits = 1.5 * torch.randn(m.shape, generator=rng) + 0.4
        yield logits.double().requires_grad_(), m, b


def _listed(m: Tensor, b: Tensor) -> list[tuple[list[float], list[float]]]:
    return list(zip(m.tolist(), b.tolist(), strict=True))


def _log_sigmoid(h: Tensor) -> Tensor:
    return torch.log(1 / (1 + torch.exp(-h)))


def _mean_over(values: Tensor, where: Tensor) -> Tensor:
    """The mean of the entries chosen."""
    return values[where].mean() if values[where].numel() else values.new_zeros(())
