"""Laws of answers to a question: how one is drawn, which of several is the best, and how much they differ."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_shape
from gmcourse.laws.rows import pooled, within

Statistics = Callable[[Tensor], tuple[Tensor, Tensor]]


def answer_is_drawn_from_prior(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(x, known, prior, decode, noise) = x where it is known, elsewhere decode(m + e^t ε, c).

    c (batch, 2C, H, W) holds the known pixels, 0 elsewhere, and behind them the mask; m, t = prior(c), each (batch, L).
    Some of the known pixels are 0, so that they and the missing ones differ in the mask alone.
    """
    rng = torch.Generator().manual_seed(seed)
    for batch, latents, (c, h, w) in ((4, 3, (1, 2, 3)), (3, 2, (1, 4, 2))):
        weight = 0.4 * torch.randn(2 * c * h * w, 2 * latents, generator=rng)
        back = torch.randn(2 * c * h * w + latents, c * h * w, generator=rng)
        x = torch.randint(0, 2, (batch, c, h, w), generator=rng).float()
        known = torch.rand(batch, c, h, w, generator=rng) < 0.6
        known[:, 0, 0, 0], known[:, 0, 0, 1] = True, False
        noise = torch.randn(batch, latents, generator=rng)

        def prior(told: Tensor, weight: Tensor = weight) -> tuple[Tensor, Tensor]:
            mean, log_std = (told.flatten(1) @ weight.to(told.dtype)).chunk(2, 1)
            return 0.7 + mean, log_std - 0.2

        def decode(z: Tensor, told: Tensor, back: Tensor = back, shape: tuple[int, int, int] = (c, h, w)) -> Tensor:
            return (torch.cat((z, told.flatten(1).to(z.dtype)), 1) @ back.to(z.dtype)).sigmoid().view(len(z), *shape)

        observed = ask(candidate, x=x, known=known, prior=prior, decode=decode, noise=noise)
        observed = require_shape("a picture for each row", observed, tuple(x.shape))
        told = torch.cat((x * known, known.float()), 1)
        mean, log_std = prior(told)
        answer = decode(mean + log_std.exp() * noise, told)
        expected, slips = torch.where(known, x, answer), _filling_slips(x, known, prior, decode, noise)
        law = "known pixels are kept, the others decoded from a draw of p(z|c)"
        require_close(law, observed.float(), expected, within(expected), slips)


def _filling_slips(
    x: Tensor, known: Tensor, prior: Statistics, decode: Callable[[Tensor, Tensor], Tensor], noise: Tensor
) -> dict[str, Slips]:
    """What the usual slips would give."""
    mask = known.float()
    told = torch.cat((x * known, mask), 1)
    mean, log_std = prior(told)
    z = mean + log_std.exp() * noise

    def filled(z: Tensor, told: Tensor = told) -> Tensor:
        return torch.where(known, x, decode(z, told))

    def all_of(told: Tensor) -> Tensor:
        mean, log_std = prior(told)
        return decode(mean + log_std.exp() * noise, told)

    def with_context(told: Tensor) -> Tensor:
        return torch.where(known, x, all_of(told))

    turned = torch.cat((x * ~known, 1 - mask), 1)

    return {
        "dependence": decode(z, told),
        "direction": with_context(torch.cat((x, mask), 1)),
        "constant": [filled(noise), filled(log_std.exp() * noise)],
        "spread": [filled(mean + (f * log_std).exp() * noise) for f in (0.5, 2, -1)] + [filled(mean + log_std * noise)],
        "randomness": [filled(mean), filled(mean + noise)],
        "sign": [torch.where(known, all_of(part), x) for part in (told, turned)] + [with_context(turned)],
        "container": [with_context(torch.cat((mask, x * known), 1)), with_context(torch.cat((x * known, 1 - mask), 1))],
        "shape": [filled(mean + log_std.exp() * noise[:1]), filled(mean[:1] + log_std[:1].exp() * noise)],
    }


def best_is_the_least_error(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(answers, truth) = min_s Σ_d (answer_sd − truth_d)², (batch,); answers (S, batch, *event).

    The answers are probabilities and the truth is 0 or 1. With one answer it is its squared error.
    """
    rng = torch.Generator().manual_seed(seed)
    for count, batch, event in ((5, 4, (1, 2, 3)), (3, 2, (4,)), (1, 3, (1, 2, 2))):
        answers = torch.rand(count, batch, *event, generator=rng)
        truth = torch.randint(0, 2, (batch, *event), generator=rng).float()
        squares = (answers - truth).double() ** 2
        errors = squares.flatten(2).sum(2)
        observed = ask(candidate, answers=answers, truth=truth)
        observed = require_shape("one error for each question", observed, (batch,)).double()
        expected, dims = errors.amin(0), truth[0].numel()
        slips: dict[str, Slips] = {
            "dependence": squares.amin(0).flatten(1).sum(1),
            "log-mean": errors.mean(0),
            "direction": [errors.amax(0), (answers.double().mean(0) - truth).square().flatten(1).sum(1)],
            "reduction": [expected / dims, errors.mean(0) / dims],
            "spread": expected.sqrt(),
            "one-to-one": errors[0],
            "constant": squares.sqrt().flatten(2).sum(2).amin(0),
            "shape": pooled(expected),
        }
        given = {"truth": truth.flatten(1)}
        law = f"the least squared error of {count} answers"
        require_close(law, observed, expected, within(expected), slips, given)


def diversity_is_what_z_brings(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """Var(x|c) = E_z Var(x|z, c) + Var_z E(x|z, c): candidate(answers) is the second term, summed over the pixels.

    answers (S, batch, *event) are the probabilities of ink of S values of z, each as likely; the result is (batch,).
    The total p̄(1 − p̄) and the noise, the mean of p(1 − p), are known exactly. S answers that agree have none.
    """
    rng = torch.Generator().manual_seed(seed)
    for count, batch, event in ((4, 3, (1, 2, 3)), (7, 5, (4,))):
        answers = torch.rand(count, batch, *event, generator=rng)
        answers[:, 1] = answers[:1, 1]
        p = answers.double().flatten(2)
        mean = p.mean(0)
        total, noise = (mean * (1 - mean)).sum(1), (p * (1 - p)).mean(0).sum(1)
        expected = total - noise
        observed = require_shape("one number for each question", ask(candidate, answers=answers), (batch,)).double()
        dims = p.shape[2]
        slips: dict[str, Slips] = {
            "randomness": [total, noise, total + noise],
            "spread": [p.std(0, correction=c).sum(1) for c in (0, 1)] + [expected.sqrt()],
            "constant": expected * count / (count - 1),
            "reduction": [expected / dims, expected / dims * count / (count - 1)],
            "dependence": [p.sum(2).var(0, correction=c) for c in (0, 1)],
            "direction": [0 * expected + p.var(1, correction=c).mean(0).sum() for c in (0, 1)],
            "shape": pooled(expected),
            "sign": -expected,
        }
        law = "diversity = Var(x|c) − E Var(x|z, c)"
        require_close(law, observed, expected, within(expected), slips)
