"""Laws of games about pairs: three kinds of visitor, what wrong pairs do to the equilibrium, whose label is whose."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.distributions import Bernoulli
from torch.nn.functional import softplus

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape
from gmcourse.laws.gan.exact import best_table
from gmcourse.laws.rows import draw, within


def wrong_pairs_count_half(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(right, wrong, fake) is −E ln D(right) − ½ E ln(1 − D(wrong)) − ½ E ln(1 − D(fake)), D = sigmoid(h).

    Of logits (n,), (m,) and (k,), with the gradients of all three; logits of ±200 give neither infinity nor NaN.
    """
    for n, m, k in ((6, 4, 5), (3, 3, 3)):
        h = [1.5 * draw(size, seed=seed + size + i) + 0.6 - 0.5 * i for i, size in enumerate((n, m, k))]
        right, wrong, fake = (part.requires_grad_() for part in h)
        given = {"right": right, "wrong": wrong, "fake": fake}
        observed = require_shape("one number", ask(candidate, **given), ())
        expected, suspects = _three_sets(*(part.detach().double() for part in h))
        law = f"−E ln D − ½ E ln(1 − D) − ½ E ln(1 − D), of {n} right, {m} wrong and {k} fake logits"
        require_close(law, observed.double(), expected, 1e-4, suspects)
        slopes = ((right.sigmoid() - 1) / n, 0.5 * wrong.sigmoid() / m, 0.5 * fake.sigmoid() / k)
        for (name, part), right_slope in zip(given.items(), slopes, strict=True):
            law = f"the gradient on the {name} logits"
            require_close(law, slope(observed, part), right_slope.detach(), 1e-4, deduced="gradient")
    zero, far = torch.zeros(4), torch.full((4,), 200.0)
    require_close("logits of 0 cost 2 ln 2", _number(candidate, zero, zero, zero), 1.3862944, 1e-4)
    require_close("a sure critic that is right", _number(candidate, far, -far, -far), 0.0, 1e-3, deduced="overflow")
    require_close("a sure critic that is wrong", _number(candidate, -far, far, far), 400.0, 1e-2, deduced="overflow")


def _number(candidate: Callable[..., Tensor], right: Tensor, wrong: Tensor, fake: Tensor) -> Tensor:
    return require_shape("one number", ask(candidate, right=right, wrong=wrong, fake=fake), ()).double()


def _three_sets(right: Tensor, wrong: Tensor, fake: Tensor) -> tuple[Tensor, dict[str, Slips]]:
    """The loss, and what the usual slips would give in its place."""
    one = torch.ones(())
    r, w, f = (-Bernoulli(logits=h).log_prob(one).mean() for h in (right, -wrong, -fake))
    as_real, expected = -Bernoulli(logits=wrong).log_prob(one).mean(), r + (w + f) / 2
    both = -Bernoulli(logits=torch.cat([-wrong, -fake])).log_prob(one).mean()
    return expected, {
        "reduction": (r + w + f, (r + w + f) / 3, r + both, expected / 2, len(right) * expected, 2 * r + w + f)
        + (r / 2 + w / 2 + f, r + w / 2 + f, r + w + f / 2, (r + w + f) / 2)
        + (r * len(right) + w * len(wrong) / 2 + f * len(fake) / 2, r * len(right) + w * len(wrong) + f * len(fake)),
        "direction": (r + as_real + f, r / 2 + as_real / 2 + f, (r + as_real) / 2 + f / 2, r + (as_real + f) / 2),
        "dependence": (r + f, r + f / 2, r + w, r + w / 2, (w + f) / 2),
        "sign": (-expected, -r + (w + f) / 2, r - (w + f) / 2, *_turned(right, wrong, fake)),
        "spread": (
            1 - right.sigmoid().mean() + (wrong.sigmoid().mean() + fake.sigmoid().mean()) / 2,
            -right.mean() + (wrong.mean() + fake.mean()) / 2,
            expected / math.log(2),
        ),
    }


def _turned(right: Tensor, wrong: Tensor, fake: Tensor) -> tuple[Tensor, ...]:
    """The loss with the logits of right pairs, of fakes, or of all three turned round."""
    r, w, f = (softplus(h).mean() for h in (right, wrong, fake))
    back, let_in, passed = (softplus(-h).mean() for h in (right, wrong, fake))
    return r + (w + f) / 2, back + (w + passed) / 2, r + (let_in + passed) / 2


def wrong_pairs_sharpen(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(p, w), tables (n,), is the q that brings JS(p, ½(w + q)) to its least: max(κp − w, 0), sum 1.

    The oracle searches, mass moved from entry to entry.
    """
    tables = (
        ((0.6, 0.4), (0.4, 0.6)),
        ((0.8, 0.2), (0.2, 0.8)),
        ((0.4, 0.35, 0.25), (0.3, 0.3, 0.4)),
        ((0.5, 0.3, 0.2), (0.2, 0.3, 0.5)),
        ((0.55, 0.45, 0.0), (0.1, 0.0, 0.9)),
        ((0.15, 0.1, 0.45, 0.3), (0.4, 0.3, 0.1, 0.2)),
        ((0.5, 0.2, 0.1, 0.2), (0.02, 0.0, 0.18, 0.8)),  # 2p > w at the third, and it is not drawn: κ is 1.46
    )
    for right, wrong in tables:
        p, w = torch.tensor(right), torch.tensor(wrong)
        observed = require_shape("a table like p", ask(candidate, p=p, w=w), (len(p),)).double()
        expected = best_table(partial(_apart, p.double(), w.double()), len(p))
        twice = (2 * p - w).double()
        clipped = twice.clamp(min=0)
        suspects = {
            "sign": ((2 * p + w).double() / 3,),
            "constant": twice,
            "dependence": (p.double(), (p / p.sum()).double()),
            "reduction": clipped,
            "direction": (w.double(), (2 * w - p).double(), (2 * w - p).double().clamp(min=0)),
        }
        deduced = "spread"
        if (observed < -2e-3).any() or (observed.sum() - 1).abs() > 2e-3:
            deduced = "constant" if (observed < -2e-3).any() else "reduction"
        law = f"q is the best answer to p = {list(right)} and w = {list(wrong)}"
        require_close(law, observed, torch.where(expected < 1e-4, 0.0, expected), 2e-3, suspects, deduced=deduced)


def _apart(p: Tensor, w: Tensor, q: Tensor) -> Tensor:
    """JS(p, ½(w + q)) of each row of q."""
    m = (w + q) / 2
    middle = (p + m) / 2
    return (torch.xlogy(p, p / middle) + torch.xlogy(m, m / middle)).nan_to_num().sum(-1) / 2


def wrong_class_is_another(candidate: Callable[[Tensor, int, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(given, classes, noise), (n,): never the class given, and by even noise each other one equally often."""
    for classes in (2, 3, 10):
        others = classes - 1
        given = torch.arange(classes).repeat_interleave(20 * others)
        noise = (torch.arange(20 * others) / (20 * others)).repeat(classes)  # 0 is one of the numbers in [0, 1)
        noise = torch.where(noise > 0, noise + 0.5 / (20 * others), noise)
        order = torch.randperm(len(given), generator=torch.Generator().manual_seed(seed))
        given, noise = given[order], noise[order]
        law = f"a wrong class for each of {classes} classes"
        output = require_shape(law, ask(candidate, given=given, classes=classes, noise=noise), (len(given),))
        wrong = output.long()
        case = f"{classes} classes"
        if (
            not torch.equal(wrong, output.long())
            or (wrong != output).any()
            or wrong.min() < 0
            or wrong.max() >= classes
        ):
            raise LawBroken(law, "another number", f"0 to {classes - 1}", "constant", case)
        same = int((wrong == given).sum())
        if same:
            raise LawBroken(
                "a wrong class is never the right one", f"{same} of {len(given)} right", "none", "direction", case
            )
        counts = torch.zeros(classes, classes).index_put_((given, wrong), torch.ones(()), accumulate=True)
        expected = 20.0 * (1 - torch.eye(classes))
        law = f"each wrong class equally often, {classes} classes"
        require_close(law, counts, expected, 1.01, deduced="spread")


def given_rules_its_row(
    candidate: Callable[[Tensor, Tensor], Tensor], z: Tensor, given: Tensor, shape: tuple[int, ...]
) -> None:
    """candidate(z, given): labels permuted, z held, the rows come permuted; another label, another row.

    z is one latent, (1, L); `given` (n, …) holds different conditions; a row has this shape.
    """
    many = z.expand(len(given), -1)
    with torch.no_grad():
        rows = ask(candidate, z=many.clone(), given=given)
        order = torch.randperm(len(given), generator=torch.Generator().manual_seed(1))
        if torch.equal(order, torch.arange(len(given))):
            order = order.roll(1)
        moved = ask(candidate, z=many.clone(), given=given[order])
        alone = torch.cat([candidate(z, row[None]) for row in given])
    rows = require_shape("a row for each condition", rows, (len(given), *shape))
    require_close("each row alone is as in the batch", alone, rows, within(rows), deduced="dependence")
    require_close("labels permuted, rows permuted", moved, rows[order], within(rows), deduced="one-to-one")
    for i in range(len(given)):
        for j in range(i):
            if (rows[i] - rows[j]).abs().max() < 1e-6:
                raise LawBroken(
                    "another condition, another row", f"rows {j} and {i} are equal", "different", "constant"
                )
