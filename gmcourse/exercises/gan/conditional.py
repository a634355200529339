"""Exercises of lesson 05.6, conditional games."""

import math

import torch
from torch.nn.functional import cross_entropy, softplus

from gmcourse.exercises.drawing import near, picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.gan.conditional import matching_critic_loss, wrong_class
from gmcourse.gan.inversion import invert as search
from gmcourse.laws.broken import require_value
from gmcourse.laws.gan import auxiliary, conditional, inversion


def acgan_losses(h_real, h_fake, real, fake, given, weight):
    """The game of the logits h, and the cross-entropy of the classes: of both sets for the critic, of fakes for G."""
    of_real, of_fake = cross_entropy(real, given), cross_entropy(fake, given)
    critic = softplus(-h_real).mean() + softplus(h_fake).mean() + weight * (of_real + of_fake)
    return critic, softplus(-h_fake).mean() + weight * of_fake


def optimal_q(p, w):
    """max(κp − w, 0) with the κ at which it sums to 1, by bisection."""
    low, high = 0.0, 2.0
    for _ in range(50):
        kappa = (low + high) / 2
        if (kappa * p - w).clamp(min=0).sum() < 1:
            low = kappa
        else:
            high = kappa
    return (high * p - w).clamp(min=0)


def invert(generator, x, z):
    """150 steps of Adam from every start, and of each row the best."""
    mode, z = generator.training, z.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.1)

    def missed():
        return (x - generator(z.flatten(0, 1)).unflatten(0, z.shape[:2])).square().sum(2)

    generator.eval()
    for _ in range(150):
        (z.grad,) = torch.autograd.grad(missed().sum(), z)
        optimizer.step()
    residual = missed().detach()
    generator.train(mode)
    best, rows = residual.argmin(0), torch.arange(len(x))
    return z.detach()[best, rows], residual[best, rows]


def data_accuracy(answer: object) -> None:
    """What the best classifier reads right of data of two classes, N(1, 4) and N(−1, 4)."""
    suspects = {"constant": (1.0, 100.0), "one-to-one": 0.5, "spread": (0.8413, 0.7602, 0.5987), "direction": 0.3085}
    suspects |= {"reduction": (69.15, 69.1, 69.0), "dependence": 0.3829}
    require_value("the accuracy of the best classifier", answer, 0.6915, 0.006, suspects)


def _class_terms(of_critic, of_generator):
    """The two losses with other factors on the class terms of data and of fakes."""

    def losses(h_real, h_fake, real, fake, given, weight):
        terms = cross_entropy(real, given), cross_entropy(fake, given)
        game = softplus(-h_real).mean() + softplus(h_fake).mean()
        critic = game + weight * sum(a * b for a, b in zip(of_critic, terms, strict=True))
        return critic, softplus(-h_fake).mean() + weight * sum(a * b for a, b in zip(of_generator, terms, strict=True))

    return losses


def _weights_too(generator, x, z):
    z = z.clone().requires_grad_()
    optimizer = torch.optim.Adam([z, *generator.parameters()], lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        (x - generator(z.flatten(0, 1)).unflatten(0, z.shape[:2])).square().sum().backward()
        optimizer.step()
    return search(generator, x, z.detach())


def _best_for_the_batch(generator, x, z):
    return min((search(generator, x, start[None]) for start in z), key=lambda found: found.residual.sum().item())


def accuracy_of_other_data(seed: int) -> Variant:
    """Φ(mean/std) for two classes, whose means are ± a multiple of their standard deviation."""
    pick = picker(seed)
    std = pick((3, 4, 5))
    apart = pick(
        [k / 100 for k in range(20, 147, 3) if k != 50 and abs(_below(k / 100 / std) - _both(k / 100)) > 0.006]
    )
    mean = apart * std
    right, by_variance = _below(apart), _below(apart / std)
    suspects = {"constant": (1.0, 100.0), "one-to-one": 0.5, "direction": 1 - right, "dependence": _both(apart)}
    suspects |= {"spread": (_below(mean), _below(apart * std**0.5), by_variance), "reduction": near(100 * right)}
    return Variant(
        rf"Two classes, equally frequent: $\mathcal{{N}}({mean:g}, {std**2})$ and "
        rf"$\mathcal{{N}}(-{mean:g}, {std**2})$, each "
        f"with a standard deviation of {std}. Which share of the *data* does the best classifier name right? Three "
        f"decimals.",
        laws=(value_law("the accuracy of the best classifier", right, 0.003, suspects),),
        reference=right,
        wrong=((1.0, "constant"), (0.5, "one-to-one"), (by_variance, "spread"), (1 - right, "direction")),
        hints=(
            f"The best classifier says + for x > 0. How often does N({mean:g}, {std**2}) fall below 0?",
            f"0 is {apart:g} standard deviations below the mean: Φ({apart:g}) is the share.",
        ),
        causes={
            "spread": f"{std**2} is the variance. How many standard deviations from the threshold is either mean?",
            "dependence": f"That is the share within {apart:g} deviations, on both sides. Which side counts?",
        },
    )


def _both(z: float) -> float:
    """The share of a standard normal between −z and z."""
    return math.erf(z / math.sqrt(2))


def _below(z: float) -> float:
    """The share of a standard normal below z."""
    return 0.5 + 0.5 * math.erf(z / math.sqrt(2))


EXERCISES = (
    Exercise(
        id="gan.matching_critic_loss",
        stub='''def matching_critic_loss(right, wrong, fake):
    """The loss of a critic that is shown three kinds of pairs, nats, one number.

    Logits h: of data with their own label (n,), of data with a wrong one (m,),
    and of fakes (k,). A logit may be ±200.
    """
    raise NotImplementedError''',
        points=1,
        laws=(conditional.wrong_pairs_count_half,),
        reference=matching_critic_loss,
        hints=(
            "−ln D = softplus(−h), and −ln(1 − D) = softplus(h). Two of the three sets are to be refused.",
            "softplus(−right).mean() + ½ softplus(wrong).mean() + ½ softplus(fake).mean().",
        ),
        wrong=(
            (lambda r, w, f: softplus(-r).mean() + softplus(w).mean() + softplus(f).mean(), "reduction"),
            (lambda r, w, f: softplus(-r).mean() + 0.5 * (softplus(-w).mean() + softplus(f).mean()), "direction"),
            (lambda r, w, f: softplus(-r).mean() + softplus(f).mean(), "dependence"),
            (
                lambda r, w, f: (
                    -r.sigmoid().log().mean() - 0.5 * ((1 - w.sigmoid()).log().mean() + (1 - f.sigmoid()).log().mean())
                ),
                "not-finite",
            ),
        ),
        causes={
            "reduction": "A critic that says ½ of all pays 2 ln 2 here. Yours? How much does each refused set count?",
            "direction": "A right picture with a wrong label: is it to be let in, or refused?",
            "dependence": "Three kinds of visitor come to the door. Which one does your loss not meet?",
            "sign": (
                "The critic minimises. Which way should a higher logit move the loss: of right pairs, of wrong "
                "pairs, of fakes?"
            ),
            "spread": "The loss wants natural logarithms of probabilities. Are yours probabilities, logits, or log₂?",
            "not-finite": (
                "Is it ln of a sigmoid that is 0 to a computer, exp(200), or ln of a logit itself? Each is in "
                "softplus, without an infinity."
            ),
            "": "Take one logit of 0 in each set: ln 2 + ½ ln 2 + ½ ln 2. Now raise one of them: which term moves?",
            "gradient": "The value is right, and one of the three sets teaches nothing. What cuts it off?",
            "overflow": "Right for moderate logits, wrong for ±200. Where do you leave the logarithm?",
            "shape": "One number is asked for: the mean of each set by itself, then their sum.",
        },
    ),
    Exercise(
        id="gan.optimal_q",
        stub='''def optimal_q(p, w):
    """What the generator draws at the best of the game with wrong pairs, (n,).

    p and w are tables (n,) of right and of wrongly labelled pictures; each sums to 1.
    """
    raise NotImplementedError''',
        points=3,
        laws=(conditional.wrong_pairs_sharpen,),
        reference=optimal_q,
        hints=(
            "Try 2p − w. If an entry is negative, it is not drawn; what is left must still sum to 1.",
            "The sum of max(κp − w, 0) grows with κ, and is at least 1 at κ = 2: bisect κ between 0 and 2.",
        ),
        wrong=(
            (lambda p, w: 2 * p - w, "constant"),
            (lambda p, w: (2 * p - w).clamp(min=0), "reduction"),
            (lambda p, w: (2 * p - w).clamp(min=0) / (2 * p - w).clamp(min=0).sum(), "spread"),
            (lambda p, w: p, "dependence"),
        ),
        causes={
            "constant": "An entry is negative. Is it a probability?",
            "reduction": "Your table does not sum to 1. Which κ in κp − w would make it?",
            "spread": (
                "It sums to 1, but is ½(w + q) one multiple of p wherever you draw, and no less elsewhere? (To "
                "divide by the sum changes q, not κ.)"
            ),
            "dependence": "Are wrong pairs free of charge? Where w is large, the critic is already suspicious.",
            "direction": "The mean of w and q is to look like p. Which of the three do you solve for?",
            "sign": "What often comes with a wrong label need be drawn less often. Does yours follow?",
        },
    ),
    Exercise(
        id="gan.wrong_class",
        stub='''def wrong_class(given, classes, noise):
    """A wrong class for each row, (n,): never the one given, the others equally often.

    given (n,) holds 0 to classes − 1; noise (n,) is uniform in [0, 1).
    """
    raise NotImplementedError''',
        points=1,
        laws=(conditional.wrong_class_is_another,),
        reference=wrong_class,
        hints=(
            "Go on by 1 to classes − 1 places, and round the end to the beginning.",
            "(given + 1 + floor(noise · (classes − 1))) % classes, as integers.",
        ),
        wrong=(
            (lambda c, v, u: (u * v).long(), "direction"),
            (lambda c, v, u: c.roll(1), "direction"),
            (lambda c, v, u: (c + 1) % v, "spread"),
            (lambda c, v, u: c + 1 + (u * (v - 1)).long(), "constant"),
        ),
        causes={
            "direction": (
                "Some of your wrong labels are right. Can a draw from all hit its own? A shuffled batch? A noise of 0?"
            ),
            "spread": (
                "Never right, but by even noise not evenly wrong. Can each other class come up, as often as the "
                "next, and is it the noise you are given that decides?"
            ),
            "constant": "A class is a whole number from 0 to classes − 1. What comes after the last?",
        },
    ),
    Exercise(
        id="gan.acgan_losses",
        stub='''def acgan_losses(h_real, h_fake, real, fake, given, weight):
    """(critic's loss, generator's loss) of ACGAN, each one number, nats.

    h_real, h_fake (n,) are logits of "real"; real, fake (n, V) are logits of the
    classes; given (n,) is the class of each row; weight is that of the class terms.
    """
    raise NotImplementedError''',
        points=2,
        laws=(auxiliary.class_terms_are_minimised_by_both,),
        reference=acgan_losses,
        hints=(
            "Both players want the class to be named as given: the cross-entropy has a plus in both losses.",
            "Critic: game + weight · (CE(real) + CE(fake)). Generator: softplus(−h_fake).mean() + weight · CE(fake).",
        ),
        wrong=(
            (_class_terms((1, 1), (0, -1)), "sign"),
            (_class_terms((0, 1), (0, 1)), "direction"),
            (_class_terms((1, 1), (0, 0)), "dependence"),
            (lambda a, b, r, f, c, w: acgan_losses(a, b, r, f, c, 1.0), "reduction"),
        ),
        causes={
            "sign": (
                "Each term is −ln of a probability that its player wants large. The critic: D of data, 1 − D of "
                "fakes, the right name of both. The generator: D of fakes, and their name. Which of yours has "
                "another sign?"
            ),
            "constant": "The generator's game is −E ln D(fake), by the non-saturating loss: softplus(−h_fake).",
            "one-to-one": "The generator draws fakes alone. Which class term of yours can it not change?",
            "spread": (
                "real and fake are logits: cross_entropy takes the softmax itself, over the classes, once. And yours?"
            ),
            "": (
                "Take weight 0 first: is the game right? Then h = 0, so that the game is 2 ln 2 and ln 2: what is "
                "added?"
            ),
            "direction": "Who teaches the teacher? A head that sees fakes alone learns the generator's own labels.",
            "dependence": (
                "A term is missing. The critic: the game, the names of data, those of fakes. The generator: the "
                "game, the names of fakes."
            ),
            "reduction": (
                "Every term is a mean over the batch; the critic's are added, not averaged; the weight belongs to "
                "the class terms, to each of them, alone. Are yours?"
            ),
            "gradient": "The value is right, and one set of logits learns nothing. What cuts it off?",
            "container": "Two losses are asked for: the critic's, then the generator's.",
        },
    ),
    Exercise(
        id="gan.invert",
        stub='''def invert(generator, x, z):
    """(latents (batch, L), residuals Σ(x − G(z))² (batch,)): of each row the best.

    x (batch, d); z (starts, batch, L) is where the searches begin: 150 steps of Adam
    on z, rate 0.1. generator maps (k, L) to (k, d); its weights and the averages of
    its batch norms stay as they are.
    """
    raise NotImplementedError''',
        points=3,
        laws=(inversion.inversion_finds_the_nearest,),
        reference=invert,
        hints=(
            "The latents are the parameters: torch.optim.Adam([z], lr=0.1) on a clone of z that requires a gradient.",
            "Flatten starts and rows, generate, unflatten; sum squares over d; at the end argmin over the starts.",
        ),
        wrong=(
            (_weights_too, "mutation"),
            (lambda g, x, z: search(g, x, z[:1]), "direction"),
            (_best_for_the_batch, "direction"),
            (lambda g, x, z: (search(g, x, z).z, search(g, x, z).residual / x.shape[1]), "reduction"),
        ),
        causes={
            "mutation": (
                "What was handed to you came back changed: z (search on a clone), or the generator: a weight, a "
                "batch norm's statistics, its mode. What may move?"
            ),
            "randomness": "Where does your search begin? z says where: no other starts, and no noise.",
            "": (
                "Of an affine map the least residual is known, and yours is another. A fresh gradient at each step, "
                "downhill, 150 steps of rate 0.1, on Σ(x − G(z))² alone, each latent beside its own row of x?"
            ),
            "direction": "A search can end in the wrong valley. Which start is best, and is it the same for every row?",
            "reduction": "The residual adds the squares of a row. Over what did you take a mean?",
            "spread": "Σ(x − G(z))² is asked for, not its root.",
            "dependence": "Right for a plain generator, wrong behind a batch norm. In which mode does it generate?",
            "one-to-one": "The residual is not that of the latent that you return. At which z was each of them taken?",
            "container": "Two things are asked for: the latents and their residuals.",
        },
    ),
    Exercise(
        id="gan.data_accuracy",
        stub="data_accuracy = ...",
        points=1,
        laws=(data_accuracy,),
        reference=0.6915,
        hints=(
            "The best classifier says + for x > 0. How often does N(1, 4) fall below 0?",
            "0 is half a standard deviation below the mean: Φ(½) = 0.691, the share of a standard normal below ½.",
        ),
        wrong=((1.0, "constant"), (0.5, "one-to-one"), (0.8413, "spread"), (0.3085, "direction")),
        causes={
            "constant": "Do the two classes overlap? Then some of their points cannot be told apart by anyone.",
            "one-to-one": "A coin does that. Where would you put the threshold?",
            "spread": "4 is the variance. How many standard deviations lie between the threshold and either mean?",
            "dependence": "That is the share within half a standard deviation, on both sides. Which side counts?",
            "": "Where is the best threshold, and how many standard deviations is it from either mean?",
            "direction": "That is the share of errors.",
            "reduction": "A share between 0 and 1 is asked for.",
        },
        variant=accuracy_of_other_data,
    ),
)
