"""Laws of a class term beside the game: both players minimise it, and it tilts what the generator draws."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Categorical

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import Slips, require_close, require_parts, require_shape
from gmcourse.laws.gan.exact import best_table
from gmcourse.laws.rows import draw


def class_terms_are_minimised_by_both(candidate: Callable[..., Any], *, seed: int = 0) -> None:
    """candidate(h_real, h_fake, real, fake, given, weight) is (critic's loss, generator's), each one number.

    The game's −E ln D(real) − E ln(1 − D(fake)) and −E ln D(fake), of logits h, (n,), D = sigmoid(h); and beside it
    weight · the mean cross-entropy of the classes given, (n,): for the critic of `real` and of `fake`, class logits
    (n, V), for the generator of `fake`. With the gradients.
    """
    n, classes = 5, 4
    given = torch.tensor([2, 0, 3, 3, 1])
    for weight in (1.0, 0.3):
        h_real, h_fake = 1.5 * draw(n, seed=seed) + 0.7, 1.5 * draw(n, seed=seed + 1) - 0.4
        real, fake = draw(n, classes, seed=seed + 2), 1.4 * draw(n, classes, seed=seed + 3)
        inputs = {"h_real": h_real, "h_fake": h_fake, "real": real, "fake": fake}
        for part in inputs.values():
            part.requires_grad_()
        output = ask(candidate, **inputs, given=given, weight=weight)
        losses = [require_shape("one number", loss, ()) for loss in require_parts("two losses", output, 2)]
        fixed = [part.detach().double() for part in inputs.values()]
        expected, suspects = _losses(fixed[0], fixed[1], fixed[2], fixed[3], given, weight)
        for name, loss, right, slips in zip(("critic", "generator"), losses, expected, suspects, strict=True):
            law = f"the {name}'s loss, weight {weight:g}"
            require_close(law, loss.double(), right.detach(), 1e-4, slips)
        _same_slopes(losses, inputs, given, weight)


def _losses(
    h_real: Tensor, h_fake: Tensor, real: Tensor, fake: Tensor, given: Tensor, weight: float
) -> tuple[tuple[Tensor, Tensor], tuple[dict[str, Slips], dict[str, Slips]]]:
    """Both losses, and what the usual slips would give."""
    one, (n, classes) = torch.ones(()), real.shape
    data, seen, passed, missed = (-Bernoulli(logits=h).log_prob(one).mean() for h in (h_real, -h_fake, h_fake, -h_real))
    twice = [-Categorical(logits=logits.softmax(1)).log_prob(given).mean() for logits in (real, fake)]
    raw = [-logits.gather(1, given[:, None]).mean() for logits in (real, fake)]
    of_real, of_fake = (-Categorical(logits=logits).log_prob(given).mean() for logits in (real, fake))
    critic, generator, both = data + seen, passed, of_real + of_fake
    right = critic + weight * both, generator + weight * of_fake
    of_critic: dict[str, Slips] = {
        "container": (generator + weight * of_fake,),
        "sign": (critic - weight * both, critic + weight * (of_real - of_fake), critic + weight * (of_fake - of_real))
        + (-critic - weight * both, weight * both - critic, missed + passed + weight * both),
        "direction": (critic + weight * of_fake,),
        "dependence": (critic + weight * of_real, critic, weight * both),
        "reduction": (weight * (critic + both), critic + both, critic + weight * n * both, n * (critic + weight * both))
        + (critic + weight * both / 2, critic / 2 + weight * both, (critic + weight * both) / 2)
        + (n * critic + weight * both,)
        + (critic + weight * of_real + of_fake, critic + of_real + weight * of_fake, critic + weight * both / classes)
        + ((1 - weight) * critic + weight * both,),
        "spread": [critic + weight * sum(terms) for terms in (twice, raw)],
    }
    of_generator: dict[str, Slips] = {
        "sign": (generator - weight * of_fake, -generator + weight * of_fake, -generator - weight * of_fake),
        "dependence": (generator, weight * of_fake),
        "one-to-one": (generator + weight * of_real, generator + weight * both),
        "constant": (-seen + weight * of_fake, seen + weight * of_fake, -critic - weight * both),
        "spread": [generator + weight * terms[1] for terms in (twice, raw)],
        "reduction": (weight * (generator + of_fake), generator + of_fake, generator + weight * len(given) * of_fake),
    }
    return right, (of_critic, of_generator)


def _same_slopes(losses: list[Tensor], inputs: dict[str, Tensor], given: Tensor, weight: float) -> None:
    """The gradients of what each player can move: all four for the critic, those of the fakes for the generator."""
    twins = [part.detach().double().requires_grad_() for part in inputs.values()]
    right = _losses(twins[0], twins[1], twins[2], twins[3], given, weight)[0]
    for name, loss, value, own in zip(
        ("critic", "generator"), losses, right, (inputs, ("h_fake", "fake")), strict=True
    ):
        for key, part, twin in zip(inputs, inputs.values(), twins, strict=True):
            if key in own:
                law = f"the gradient of the {name}'s loss on {key}"
                require_close(law, slope(loss, part).double(), slope(value, twin), 1e-4, deduced="gradient")


def class_term_tilts(candidate: Callable[[Tensor, Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(p, posterior, weight) is the q at which 2 KL(½(p + q) ‖ p) − weight · E_q ln P(c|x) is least, (n,).

    p is a table (n,), `posterior` P(c|x) at each entry. The oracle searches, mass moved from entry to entry.
    """
    cases = (
        ((0.588, 0.412), (0.588, 0.412), 1.0),
        ((0.5, 0.3, 0.2), (0.9, 0.5, 0.2), 0.5),
        ((0.25, 0.45, 0.2, 0.1), (0.3, 0.6, 0.9, 0.5), 1.0),
        ((0.4, 0.4, 0.2), (0.8, 0.5, 0.1), 2.0),
        ((0.4, 0.4, 0.2), (0.8, 0.5, 0.1), 0.0),
    )
    for table, named, weight in cases:
        p, posterior = torch.tensor(table), torch.tensor(named)
        given = {"p": p, "posterior": posterior, "weight": weight}
        observed = require_shape("a table like p", ask(candidate, **given), (len(p),)).double()
        p, posterior = p.double(), posterior.double()

        tilted, back = p * posterior**weight, p / posterior**weight
        suspects = {
            "dependence": p if weight else None,
            "direction": tilted / tilted.sum(),
            "sign": back / back.sum(),
            "constant": p * posterior / (p * posterior).sum(),
            "reduction": tilted,
        }
        kept = {cause: slip for cause, slip in suspects.items() if slip is not None}
        expected = best_table(partial(_cost, p, weight * posterior.log()), len(p))
        require_close("q is the best answer", observed, expected, 2e-3, kept, given={"p": p, "posterior": posterior})


def _cost(p: Tensor, reward: Tensor, q: Tensor) -> Tensor:
    """2 KL(½(p + q) ‖ p) − Σ q · reward of each row of q."""
    m = (p + q) / 2
    return 2 * (m * (m / p).log()).sum(-1) - (q * reward).sum(-1)
