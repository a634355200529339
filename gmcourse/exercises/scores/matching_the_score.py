"""Exercises of lesson 07.2, matching the score."""

import torch

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.scores import matching, tweedie
from gmcourse.scores.matching import dsm_constant, dsm_target, implicit_loss
from gmcourse.scores.matching import tweedie as clean_moments


def gaussian_constant(variance, sigma, dims):
    """½(D/σ² − I), where I = D/(v + σ²) is the Fisher information of N(0, (v + σ²) I)."""
    return dsm_constant(dims / (variance + sigma**2), sigma, dims)


def slope_without_an_edge(answer: object) -> None:
    """E[½c²x² + c] = c²/6 + c over [0, 1]: c = −3. The score is 0, and the edge at x = 1 would have given −c more."""
    slips = {
        "dependence": 0.0,
        "constant": (-1.5, -6.0, -0.75),
        "sign": (3.0, 1.5),
        "one-to-one": (-2.0, -1.0, -4.0, -12.0, -8.0),
        "not-finite": (-float("inf"), -1e3, -1e4, -1e6),
    }
    require_value("the c that the implicit loss chooses on a uniform density", answer, -3.0, 0.03, slips)


def _grown(score, x):
    x = x.detach().requires_grad_()
    return x, score(x)


def _column_sums(score, x):
    x, s = _grown(score, x)
    (slopes,) = torch.autograd.grad(s.sum(), x, create_graph=True)
    return s.square().sum(1) / 2 + slopes.sum(1)


def _losses(change):
    """What comes of ½‖s‖² and the trace by `change`."""

    def answer(score, x):
        half = score(x).square().sum(1) / 2
        return change(half, implicit_loss(score, x) - half)

    return answer


def _no_graph(score, x):
    return implicit_loss(score, x).detach()


def _still_slope(score, x):
    half = score(x).square().sum(1) / 2
    return half + (implicit_loss(score, x) - half).detach()


def _moments(mean=lambda x, m, o: m, covariance=lambda c, o: c):
    def answer(score, x, sigma):
        first, second = clean_moments(score, x, sigma)
        return mean(x, first, sigma), covariance(second, sigma)

    return answer


def _sum_on_the_diagonal(score, x, sigma):
    mean, covariance = clean_moments(score, x, sigma)
    wide = sigma**2 * torch.eye(2)
    return mean, wide + torch.diag_embed((covariance - wide).sum(1))


def slope_on_another_box(seed: int) -> Variant:
    """c²b²/6 + c over [0, b] is least at c = −3/b²."""
    return first_sound(seed, _box, lesson=-3.0)


def _box(pick: Pick) -> Variant:
    end = pick([k / 20 for k in range(10, 51)])
    right = -3 / end**2
    slips = {
        "dependence": 0.0,
        "constant": (right / 2, 2 * right, right / 4),
        "sign": (-right, -right / 2),
        "one-to-one": (-2 / end, -1 / end, -4 / end**2, -12 / end**2, -8 / end**2, -3 / end, -3.0),
        "not-finite": (-float("inf"), -1e3, -1e4, -1e6),
    }
    ones = (-2 / end, "one-to-one"), (-12 / end**2, "one-to-one")
    return Variant(
        rf"Data uniform on $[0, {end:g}]$, the model $s = c\,x$. The score is 0, so the best $c$ is 0. Which $c$ "
        rf"does the implicit loss choose, to within 1 %? Predict it; then measure it with your `implicit_loss` on a "
        rf"fine grid of $[0, {end:g}]$, for a few values of $c$.",
        laws=(value_law("the c that the implicit loss chooses on a box", right, 0.01 * abs(right), slips),),
        reference=right,
        wrong=((0.0, "dependence"), (right / 2, "constant"), (-right, "sign"), *ones),
        hints=(
            f"For s = c x: what are ½s² and s', and the mean of x² over [0, {end:g}]?",
            f"c² · {end:g}²/6 + c. Where is it least?",
        ),
        causes={
            "dependence": f"That is the truth. What is p·s at x = {end:g}, where the density ends, and who looks "
            "there?",
            "one-to-one": f"The mean of x² over [0, {end:g}]: neither that of x, nor the variance. Which number is it?",
            "not-finite": f"The trace pulls c down, and c²x² costs. Which c makes c² · {end:g}²/6 + c least?",
        },
    )


EXERCISES = (
    Exercise(
        id="scores.implicit_loss",
        stub='''def implicit_loss(score, x):
    """½‖s‖² + tr ∇s at each row of x (batch, D), (batch,); it can be trained.

    score takes a batch alone, (batch, D), and gives s at each row, by torch operations.
    """
    raise NotImplementedError''',
        points=3,
        laws=(matching.implicit_is_explicit,),
        reference=implicit_loss,
        hints=(
            "tr ∇s = Σ_i ∂s_i/∂x_i: a backward pass from each s_i. Which entry of it is ∂s_i/∂x_i?",
            "`x = x.detach().requires_grad_()` before s = score(x). Then, added up over i, "
            "`torch.autograd.grad(s[:, i].sum(), x, create_graph=True)[0][:, i]`.",
        ),
        wrong=(
            (_column_sums, "one-to-one"),
            (_losses(lambda half, trace: 2 * half + trace), "constant"),
            (_losses(lambda half, trace: half - trace), "sign"),
            (_losses(lambda half, trace: (half + trace) / 3), "reduction"),
            (_losses(lambda half, trace: trace), "dependence"),
            (_losses(lambda half, trace: (half + trace).mean()), "shape"),
            (_no_graph, "gradient"),
            (_still_slope, "gradient"),
        ),
        causes={
            "one-to-one": "The gradient of Σ_i s_i has ∂s_i/∂x_j for all i and j in it. Which i and j make a trace?",
            "constant": "Fit s = −kx to N(0, 1): E[½k² − k] is least at k = 1. Where is yours least? Which ½ is gone?",
            "sign": "At a peak of the density s points inwards, and its trace is negative. Should that cost, or gain?",
            "reduction": "A sum over an example's entries, in both terms. Over what did you take a mean?",
            "dependence": "Two terms: one keeps s small, the other asks it to point inwards. Is each of them in yours?",
            "spread": "‖s‖² is a sum of squares. Where did you take a root?",
            "gradient": "To train s, gradients must pass through s and through ∇s. Where is `create_graph=True`?",
            "shape": "One loss for each row.",
        },
    ),
    Exercise(
        id="scores.dsm_target",
        stub='''def dsm_target(x, sigma, noise):
    """The noised x + sigma · noise, and the target of s there; both of the shape of x.

    The target is ∇ ln N(noised; x, sigma²). x and noise (batch, *event); sigma is a
    number or one for each row, (batch,).
    """
    raise NotImplementedError''',
        points=1,
        laws=(matching.target_is_conditional_score,),
        reference=dsm_target,
        hints=(
            "The score of one Gaussian at x̃ is (x − x̃)/σ². What is x − x̃?",
            "`-noise / sigma`, once sigma has the axes of x: `sigma.view(-1, *[1] * (x.dim() - 1))`.",
        ),
        wrong=(
            (lambda x, sigma, noise: (dsm_target(x, sigma, noise)[0], -dsm_target(x, sigma, noise)[1]), "sign"),
            (lambda x, sigma, noise: (dsm_target(x, sigma, noise)[0], -noise), "spread"),
            (lambda x, s, e: (dsm_target(x, s, e)[0], dsm_target(0 * x, s, dsm_target(x, s, e)[1])[1] * -1), "spread"),
            (lambda x, sigma, noise: (x + noise, dsm_target(x, sigma, noise)[1]), "dependence"),
            (lambda x, sigma, noise: (2 * x - dsm_target(x, sigma, noise)[0], dsm_target(x, sigma, noise)[1]), "sign"),
            (lambda x, sigma, noise: dsm_target(x, sigma, noise)[1], "container"),
        ),
        causes={
            "sign": "The target leads from x̃ back to x. In which direction did the noise lead?",
            "spread": "Double σ and all lengths: a score halves. Which power of σ stands below the noise?",
            "direction": "The score of N(x̃; x, σ²) *at x̃*: how far is x from there, and in which direction?",
            "dependence": "x̃ = x + σε. Which of the three does yours leave out?",
            "container": "Two results: the noised points, and the target of each.",
            "shape": "A level may differ from row to row. Which axes must it get, to multiply (batch, *event)?",
        },
    ),
    Exercise(
        id="scores.tweedie",
        stub='''def tweedie(score, x, sigma):
    """Mean (batch, D) and covariance (batch, D, D) of the clean point, given x.

    x (batch, D) is noised: clean + sigma ε, sigma a number. score takes a batch
    alone, (batch, D), and gives ∇ ln p_sigma at each row, by operations of torch.
    """
    raise NotImplementedError''',
        points=3,
        laws=(tweedie.tweedie_is_the_posterior,),
        reference=clean_moments,
        hints=(
            "Mean x + σ²s. Differentiate both sides of it by x: the left gives Cov/σ². And the right?",
            "Covariance `sigma**2 * (eye + sigma**2 * J)`, J[b, i, j] = ∂s_i/∂x_j by a backward pass for each i.",
        ),
        wrong=(
            (_moments(lambda x, m, o: x + (m - x) / o), "spread"),
            (_moments(lambda x, m, o: 2 * x - m), "sign"),
            (_moments(lambda x, m, o: (m - x) / o**2), "constant"),
            (_moments(covariance=lambda c, o: c / o**2), "spread"),
            (_moments(covariance=lambda c, o: c - o**2 * torch.eye(2)), "constant"),
            (_moments(covariance=lambda c, o: 2 * o**2 * torch.eye(2) - c), "sign"),
            (_moments(covariance=lambda c, o: c * torch.eye(2)), "one-to-one"),
            (_sum_on_the_diagonal, "one-to-one"),
            (lambda *a: clean_moments(*a)[:1], "container"),
        ),
        causes={
            "spread": "Halve all lengths, σ too: a score doubles, ∇s is four times as large. And mean and covariance?",
            "sign": "For N(0, v), s = −x/(v + σ²): is your mean v x/(v + σ²), and the variance below σ²?",
            "constant": "Where s = 0 all around, the mean is x and the covariance σ²I. What are yours there?",
            "direction": "s is asked for at the noised x itself. At which point did you ask?",
            "one-to-one": "∇s has each ∂s_i/∂x_j, and not their sum over i. Which are in yours, and is x₁ tied to x₂?",
            "container": "Two results: a mean, and a covariance.",
            "shape": "(batch, D) and (batch, D, D): each row has a matrix of its own.",
        },
    ),
    Exercise(
        id="scores.gaussian_constant",
        stub='''def gaussian_constant(variance, sigma, dims):
    """The least that ½ E‖s(x + sigma ε) + ε/sigma‖² can be, for x ~ N(0, variance I).

    x has dims entries. One number, above 0: what no score can predict of the noise.
    """
    raise NotImplementedError''',
        points=2,
        laws=(tweedie.constant_of_gaussian,),
        reference=gaussian_constant,
        hints=(
            "It is ½(D/σ² − I), I = E‖∇ ln p_σ‖². What is the score of N(0, (v + σ²)I), and its mean square?",
            "`dims / 2 * (1 / sigma**2 - 1 / (variance + sigma**2))`.",
        ),
        wrong=(
            (lambda v, sigma, dims: gaussian_constant(v, sigma, 1), "reduction"),
            (lambda v, sigma, dims: 2 * gaussian_constant(v, sigma, dims), "constant"),
            (lambda v, sigma, dims: dims * v / (v + sigma**2), "constant"),
            (lambda v, sigma, dims: dims / (2 * sigma**2), "constant"),
            (lambda v, sigma, dims: dims / 2 * (1 / sigma**2 - 1 / v), "dependence"),
            (lambda v, sigma, dims: gaussian_constant(v, sigma, dims) * sigma, "spread"),
            (lambda v, sigma, dims: dims / 2 * (1 / sigma**2 + 1 / (v + sigma**2)), "sign"),
        ),
        causes={
            "reduction": "Losses are sums over an example's entries. How many entries are there?",
            "constant": "Let v go to 0: x is known, and nothing is left. Let v grow: ½D/σ². What does yours do?",
            "dependence": "Of which density is I taken: of the clean points, or of the noised ones?",
            "spread": "The target is ε/σ, of size 1/σ. Which power of σ has a loss in it, and is v a variance?",
            "sign": "What the score explains is taken *off* the target's mean square. Is yours above 0?",
            "shape": "One number for all.",
            "container": "One number is asked for, given back with `return`.",
        },
    ),
    Exercise(
        id="scores.slope_on_a_box",
        stub="slope_on_a_box = ...",
        points=1,
        laws=(slope_without_an_edge,),
        reference=-3.0,
        hints=(
            "For s = c x: what are ½s² and s', and the mean of x² over [0, 1]?",
            "c²/6 + c. Where is it least?",
        ),
        wrong=(
            (0.0, "dependence"),
            (-1.5, "constant"),
            (3.0, "sign"),
            (-2.0, "one-to-one"),
            (-12.0, "one-to-one"),
        ),
        causes={
            "dependence": "That is the truth. What is p·s at x = 1, where the density ends, and who looks there?",
            "constant": "The c, and not the loss there. Is the ½ in, before the square alone?",
            "sign": "The trace of c x is c, and it is added. Which sign of c makes the loss smaller?",
            "one-to-one": "The mean of x² over [0, 1]: neither that of x, nor the variance. Which number is it?",
            "not-finite": "The trace pulls c down, and c²x² costs. Which c makes c²/6 + c least?",
            "container": "One number is asked for, as `slope_on_a_box = 0.5`.",
        },
        variant=slope_on_another_box,
    ),
)
