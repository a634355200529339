"""Exercises of lesson 04.4, discrete codes."""

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import LawBroken, Slips, require_value
from gmcourse.laws.vae import codes
from gmcourse.probability import bits_per_dim
from gmcourse.vae.quantizer import ema_step, nearest, perplexity, straight_through

EXCESS = 0.18970
"""E ln(1 + e^{−2|x|}) of x ~ ½N(−1, 1) + ½N(1, 1), by quadrature."""


def total_bits(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    """−(Σ_t ln p(k_t|k_<t) + Σ_d ln p(x_d|k)) / (D ln 2)."""
    total = log_prior.sum(1) + log_likelihood.flatten(1).sum(1)
    return bits_per_dim(total, math.prod(log_likelihood.shape[1:]))


def excess_at_one(answer: object) -> None:
    """E[−ln p(k(x)|x)] at σ = 1, from 0.175 to 0.205."""
    law = "what the hard choice costs at σ = 1, in nats"
    if isinstance(answer, int | float) and answer < 0:
        raise LawBroken(law, f"your {answer:.4g}", "another number", "sign")
    slips = {
        "constant": (math.log(2), 1.0),
        "one-to-one": (0.0, 0.026),
        "dependence": math.log1p(math.exp(-2)),
        "sign": -EXCESS,
        "spread": EXCESS / math.log(2),
        "reduction": (1.7558, 1.9455),
        "log-mean": -math.log1p(-0.15866),  # of the mean of p(k(x)|x)
        "direction": 0.35632,  # H(k|x)
    }
    require_value(law, answer, EXCESS, 0.015, slips, fit=0.012)


def excess_elsewhere(seed: int) -> Variant:
    """E[−ln p(k(x)|x)] at another σ."""
    std = picker(seed)([k / 1000 for k in range(660, 1180, 15) if k not in (750, 1005)])
    excess, slips = _slips_of_excess(std)
    what = f"what the hard choice costs at σ = {std:g}, in nats"
    near_one = math.log1p(math.exp(-2 / std**2))
    ones = (0.0, "one-to-one"), (0.027, "one-to-one"), (near_one, "dependence"), (-excess, "sign"), (-0.17, "sign")
    return Variant(
        r"Two codes stand at −1 and 1, and $x \sim \frac12 \mathcal N(-1, \sigma^2) + \frac12 \mathcal N(1, \sigma^2)$."
        r" Taking the nearer code, $k(x)$, costs $\mathrm{E}[-\ln p(k(x) \mid x)]$: 0.026 nats at $\sigma = \frac12$. "
        rf"What does it cost at $\sigma = {std:g}$, in nats? An answer within 0.003 passes.",
        laws=(partial(_costs_nothing_below_0, what), value_law(what, excess, 0.003, slips, 0.0015)),
        reference=excess,
        wrong=((math.log(2), "constant"), *ones),
        hints=(
            "What is paid too much is −ln p(k(x)|x), on average. Of two codes, the nearer one has p(k|x) ≥ ½.",
            "p(k(x)|x) = 1/(1 + e^{−2|x|/σ²}); take the mean of ln(1 + e^{−2|x|/σ²}) over x, on a grid.",
        ),
        causes={
            "one-to-one": f"At σ = ½ it is 0.026, and the bells overlap more at σ = {std:g}. Does doubt rise or fall?"
        },
    )


def _costs_nothing_below_0(law: str, answer: object) -> None:
    if isinstance(answer, int | float) and answer < 0:
        raise LawBroken(law, f"your {answer:.4g}", "another number", "sign")


def _slips_of_excess(std: float) -> tuple[float, dict[str, Slips]]:
    """The excess at this σ, by quadrature, and what slips give."""
    x = torch.linspace(-14, 14, 14_001, dtype=torch.float64)
    bells = (-0.5 * ((x - torch.tensor([[-1.0], [1.0]])) / std) ** 2).exp() / (std * math.sqrt(2 * math.pi))
    p, odds = bells.mean(0), 2 * x.abs() / std**2
    weight = p / p.sum()
    excess = float(weight @ softplus(-odds))
    entropy = float(weight @ -p.log())
    return excess, {
        "constant": (math.log(2), 1.0),
        "one-to-one": (0.0, 0.026, 0.027),
        "dependence": math.log1p(math.exp(-2 / std**2)),
        "spread": excess / math.log(2),
        "reduction": (entropy, entropy + excess),
        "log-mean": -math.log(0.5 + 0.5 * math.erf(1 / std / math.sqrt(2))),  # of the mean of p(k(x)|x)
        "direction": excess + float(weight @ (odds * torch.sigmoid(-odds))),  # H(k|x)
    }


def _squares(z, book):
    return (z[:, None] - book).square().sum(2)


def _mean_of_codes(count, total, n, sums, decay):
    new, m, _ = ema_step(count, total, n, sums, decay)
    old, mean = (total / count[:, None]).nan_to_num(), (sums / n[:, None]).nan_to_num()
    return new, m, decay * old + (1 - decay) * mean


def _by_the_old_count(count, total, n, sums, decay):
    new, m, _ = ema_step(count, total, n, sums, decay)
    return new, m, m / count[:, None]


def _added(count, total, n, sums, decay):
    new, m = decay * count + n, decay * total + sums
    return new, m, m / new[:, None]


def _with_zeros(k, size):
    shares = torch.bincount(k.flatten(), minlength=size) / k.numel()
    return (-(shares * shares.log()).sum()).exp()


EXERCISES = (
    Exercise(
        id="vae.nearest",
        stub='''def nearest(z, book):
    """The number of the nearest code of each vector, (n,) int64.

    z is (n, d), book (V, d).
    """
    raise NotImplementedError''',
        points=1,
        laws=(codes.codes_are_nearest,),
        reference=nearest,
        hints=(
            "‖z − e‖² = ‖z‖² − 2 z·e + ‖e‖². Which of the three is the same for each code, and which is not?",
            "`(book.square().sum(1) - 2 * z @ book.T).argmin(1)`.",
        ),
        wrong=(
            (lambda z, book: (z @ book.T).argmax(1), "constant"),
            (lambda z, book: _squares(z, book).argmax(1), "sign"),
            (lambda z, book: (book.square().sum(1) - z @ book.T).argmin(1), "spread"),
            (lambda z, book: (z[:, None] - book).abs().amax(2).argmin(1), "dependence"),
            (_squares, "shape"),
        ),
        causes={
            "constant": "Scale one code by 10: a dot product now favours it. What does a distance have besides?",
            "sign": "The least distance is asked for. Is yours the least?",
            "spread": "Open the brackets of ‖z − e‖². With which factor does z·e stand in it, and with which ‖e‖²?",
            "dependence": "All coordinates take part, each by its square. Which do yours look at?",
            "direction": "The angle between two vectors does not know how long they are. Does a distance?",
            "one-to-one": "A code is a number from 0 to V − 1. Along which axis did you look for the least?",
            "container": "Numbers of codes are asked for, integers, not distances or vectors.",
            "shape": "One code for each vector. Which axis is left over?",
        },
    ),
    Exercise(
        id="vae.straight_through",
        stub='''def straight_through(z, e):
    """e forward; backward z gets the gradient that arrives, unchanged, and e none.

    Both are (n, d); `.detach()` is the stop-gradient.
    """
    raise NotImplementedError''',
        points=1,
        laws=(codes.gradient_passes_the_choice,),
        reference=straight_through,
        hints=(
            "Write e as z plus something. Which part may the gradient see?",
            "`z + (e - z).detach()`: to the gradient it is z plus a constant.",
        ),
        wrong=(
            (lambda z, e: e, "gradient"),
            (lambda z, e: e.detach(), "gradient"),
            (lambda z, e: e + (z - e).detach(), "direction"),
            (lambda z, e: z + (e - z), "gradient"),
        ),
        causes={
            "gradient": "Pass a gradient of ones back. How much of it arrives at z, and how much at e?",
            "direction": "Forward, the decoder is to see e. What does it see in yours?",
            "constant": "Forward it is e and nothing else. What has been added?",
            "sign": "The gradient is handed on as it comes. Was its sign changed on the way?",
            "dependence": "At which point is the decoder's slope taken: at z, or at e?",
            "shape": "A vector for each vector: (n, d).",
        },
    ),
    Exercise(
        id="vae.ema_step",
        stub='''def ema_step(count, total, n, sums, decay):
    """One step of a book's running means: the new count, total and codes.

    count (V,) and total (V, d) are N and m; a batch adds n (V,) vectors with the
    sums (V, d); decay is γ. A code whose count is still 0 gives 0/0, and may.
    """
    raise NotImplementedError''',
        points=2,
        laws=(codes.means_are_followed,),
        reference=ema_step,
        hints=(
            "Two averages with one memory: of how many vectors a code gets, and of their sum. A mean is their ratio.",
            "`count = decay * count + (1 - decay) * n`, the same for total with sums; then `total / count[:, None]`.",
        ),
        wrong=(
            (lambda N, m, n, s, g: ema_step(N, m, n, s, 1 - g), "direction"),
            (_by_the_old_count, "dependence"),
            (_mean_of_codes, "log-mean"),
            (_added, "constant"),
        ),
        causes={
            "direction": "With γ = 0.9, nine tenths of the past stay. What share of it stays in yours?",
            "dependence": "The codes are m/N after both have moved. Which N and m do yours use?",
            "log-mean": "A code with 5 new vectors moves further than one with 1. Do you average sums, or means?",
            "constant": "γ and 1 − γ: both parts of an average have a weight. Which one of yours has none?",
            "reduction": "m follows the *sum* of a code's vectors, and is divided by that code's own N.",
            "not-finite": "A code with n = 0 in this batch has N > 0. By which of the two do you divide?",
            "overflow": "Here N is a few thousandths. What does a number added to it, or a floor under it, do to m/N?",
            "container": "Three parts are asked for: the new count, the new total, the codes.",
            "shape": "Count is (V,), total and codes are (V, d). Where does a new axis belong?",
        },
    ),
    Exercise(
        id="vae.perplexity",
        stub='''def perplexity(codes, size):
    """e to the entropy of how often each of the `size` codes stands in codes.

    codes is int64, of any shape; a code that is not there adds nothing.
    """
    raise NotImplementedError''',
        points=1,
        laws=(codes.perplexity_is_effective_number,),
        reference=perplexity,
        hints=(
            "First the share of each code among all of them; then H = −Σ p ln p; then e^H. What is 0 ln 0?",
            "`p = codes.flatten().bincount(minlength=size) / codes.numel()`; `torch.special.entr(p).sum().exp()`.",
        ),
        wrong=(
            (lambda k, size: torch.tensor(1.0), "log-mean"),
            (lambda k, size: math.log(perplexity(k, size)), "constant"),
            (lambda k, size: math.exp(math.log2(perplexity(k, size))), "constant"),
            (lambda k, size: float(len(k.unique())), "one-to-one"),
            (_with_zeros, "not-finite"),
        ),
        causes={
            "log-mean": "One place has one code, and no entropy. Which comes first: the mean over places, or H?",
            "constant": "Six codes, each as frequent: H = ln 6 = 1.79, perplexity 6. Which is yours? Is e with ln?",
            "one-to-one": "A code that stands once in a thousand is hardly used. Does it count in full?",
            "sign": "An entropy is not below 0, so a perplexity is not below 1.",
            "spread": "The shares of all codes sum to 1. Do yours, whatever the shape of `codes`?",
            "reduction": "H sums p ln p over the codes. Did you divide?",
            "not-finite": "A code that never stands there has p = 0. What does your code make of 0 ln 0?",
            "shape": "One number for all of them together.",
        },
    ),
    Exercise(
        id="vae.code_length",
        stub='''def code_length(log_prior, log_likelihood):
    """Bits/dim of each picture, (batch,): its codes and the rest of it.

    log_prior (batch, T) holds ln p(k_t | k_<t) of each code, log_likelihood
    (batch, C, H, W), or (batch, D), ln p(x_d | k) of each value of the picture.
    """
    raise NotImplementedError''',
        points=2,
        laws=(codes.lengths_add,),
        reference=total_bits,
        hints=(
            "Both are log-probabilities in nats, and both are paid. How many numbers has one picture?",
            "The sum of all T + D log-probabilities of a row, times −1, divided by D ln 2; D counts values of x.",
        ),
        wrong=(
            (lambda p, r: total_bits(p, 0 * r), "dependence"),
            (lambda p, r: total_bits(0 * p, r), "dependence"),
            (lambda p, r: total_bits(p, r) * math.log(2), "constant"),
            (lambda p, r: -(p.mean(1) + r.flatten(1).mean(1)) / math.log(2), "reduction"),
            (lambda p, r: -total_bits(p, r), "sign"),
            (lambda p, r: total_bits(p, r) * r.shape[1] if r.dim() == 4 else total_bits(p, r), "reduction"),
            (lambda p, r: total_bits(p, r).mean(), "shape"),
        ),
        causes={
            "dependence": "Whoever reads the message needs the codes *and* the rest. Which part did you leave unpaid?",
            "constant": "A fair coin costs ln 2 nats, or one bit. In which unit is yours, and a share of what?",
            "reduction": "Nats of codes and of pixels are added first. Then by what? D counts all values, C·H·W.",
            "sign": "A length is above 0, and so is each of its two parts.",
            "not-finite": "Both are logarithms already, and below 0. Of what do you take one more?",
            "shape": "One length for each picture. Over which axes did you sum?",
        },
    ),
    Exercise(
        id="vae.hard_choice",
        stub="excess = ...",
        points=1,
        laws=(excess_at_one,),
        reference=0.19,
        hints=(
            "What is paid too much is −ln p(k(x)|x), on average. Of two codes, the nearer one has p(k|x) ≥ ½.",
            "p(k(x)|x) = 1/(1 + e^{−2|x|}) at σ = 1; take the mean of ln(1 + e^{−2|x|}) over x, on a grid.",
        ),
        wrong=(
            (math.log(2), "constant"),
            (0.0, "one-to-one"),
            (0.027, "one-to-one"),
            (math.log1p(math.exp(-2)), "dependence"),
            (-0.19, "sign"),
            (-0.17, "sign"),
        ),
        causes={
            "constant": "That is the most it can cost, where both codes are as likely. Is k(x) in doubt at x = ±5?",
            "one-to-one": "At σ = ½ it is 0.026, and the two bells overlap more at σ = 1. Does doubt rise or fall?",
            "dependence": "That is the cost at x = ±1 alone. What is it at 0, and which x are there?",
            "sign": "The total length is never below the entropy.",
            "spread": "Nats, not bits.",
            "log-mean": "The mean of a logarithm is asked for. Which comes first in yours, the logarithm or the mean?",
            "direction": "That is H(k|x), where k is drawn from p(k|x). Which k is named here?",
            "": "Put numbers in: what is p(k(x)|x) at x = 0, at 1 and at 3? Then the mean of −ln of it over x.",
            "reduction": "The excess is asked for: the length less the entropy, not one of the two.",
            "container": "One number, as `excess = 0.5`.",
        },
        variant=excess_elsewhere,
    ),
)
