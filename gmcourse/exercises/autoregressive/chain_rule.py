"""Exercises of lesson 02.1, the chain rule."""

import math
from itertools import pairwise

import torch
from torch import Tensor

from gmcourse.autoregressive.fvsbn import fvsbn_log_prob, fvsbn_logits
from gmcourse.autoregressive.made import ensemble_log_prob, made_masks
from gmcourse.exercises.record import Exercise
from gmcourse.laws.autoregressive import chain, degrees, nade
from gmcourse.laws.broken import LawBroken, require_close, require_numbers
from gmcourse.probability import bernoulli_log_prob


def nade_backward(
    x: Tensor, weight: Tensor, output: Tensor, bias: Tensor, hidden_bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Forwards with all activations kept; backwards, `after` being what stands behind bit d."""
    activations = [hidden_bias.expand(len(x), -1)]
    for bit, row in zip(x.T, weight):
        activations.append(activations[-1] + bit[:, None] * row)
    of_weight, of_output, of_bias = torch.zeros_like(weight), torch.zeros_like(output), torch.zeros_like(bias)
    after = torch.zeros_like(activations[0])
    for d in reversed(range(len(bias))):
        h = activations[d].sigmoid()
        error = (h @ output[d] + bias[d]).sigmoid() - x[:, d]
        of_weight[d], of_output[d], of_bias[d] = x[:, d] @ after, error @ h, error.sum()
        after = after + error[:, None] * output[d] * h * (1 - h)
    return of_weight, of_output, of_bias, after.sum(0)


def and_makes_parity_linear(answer: object) -> None:
    """3 ln 2, 2 ln 2 and 2 ln 2: x_3 = x_1 + x_2 − 2 x_4 is a line, once x_4 is known.

    In the third order x_1 has a free logit for each of the three things that can stand before it, and
    x_2 = x_3 + 2 x_4 − x_1.
    """
    law = "what each of the three orders costs, in nats"
    coins = torch.tensor([3.0, 2.0, 2.0]).double()
    observed = require_numbers(law, answer, 3)
    other = {
        "constant": [[2, 2, 2]],
        "dependence": [[3, 3, 3]],
        "one-to-one": [[3, 2, 3], [3, 3, 2], [3, 2, 2.5], [3, 3, 2.5]],
        "direction": [[2, 3, 2], [2, 3, 3], [2, 2, 3], [2, 3, 2.5]],
        "reduction": [[1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 0, 1]],
        "spread": [[4, 4, 4], [4, 3, 3], [4, 3, 4], [4, 2, 2], [4, 2, 4]],
    }
    nats = math.log(2)
    slips = {cause: [nats * torch.tensor(way).double() for way in ways] for cause, ways in other.items()}
    try:
        require_close(law, observed, coins * nats, 0.025, slips | {"log-mean": [coins]})
    except LawBroken as broken:
        below = "reduction" if (observed < 2 * nats - 0.02).any() else ""
        raise LawBroken(law, f"your {broken.observed}", "other numbers", broken.cause or below) from None


def _scored(change):
    return lambda x, weight, bias: bernoulli_log_prob(x, x @ change(weight).T + bias)


def _by_logs(x, weight, bias):
    p = fvsbn_logits(x, weight, bias).sigmoid()
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(1)


def _held_off_zero(x, weight, bias):
    p = fvsbn_logits(x, weight, bias).sigmoid().clamp(1e-6, 1 - 1e-6)
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(1)


def _part_changed(place, change):
    def answer(*inputs):
        parts = list(nade_backward(*inputs))
        parts[place] = change(parts[place])
        return tuple(parts)

    return answer


def _with_own(late, steep=lambda h: h * (1 - h)):
    """The backward pass with G_{d+1−late} at W."""

    def answer(x, weight, output, bias, hidden_bias):
        before = torch.ones(len(bias), len(bias)).tril(-1)
        h = (hidden_bias + torch.einsum("de,ne,eh->ndh", before, x, weight)).sigmoid()
        error = ((h * output).sum(2) + bias).sigmoid() - x
        own = error[:, :, None] * output * steep(h)
        of_weight = torch.einsum("ne,de,ndh->eh", x, torch.ones_like(before).tril(-1 + late), own)
        return of_weight, torch.einsum("nd,ndh->dh", error, h), error.sum(0), own.sum((0, 1))

    return answer


def _other_outputs(order, layers):
    """≥ in the last layer, too."""
    return [*made_masks(order, layers)[:-1], order[:, None] + 1 >= layers[-1]]


def _strict(order, layers):
    """> in all layers."""
    return [after[:, None] > before for before, after in pairwise([order + 1, *layers, order + 1])]


EXERCISES = (
    Exercise(
        id="autoregressive.fvsbn_log_prob",
        stub='''def fvsbn_log_prob(x, weight, bias):
    """ln p(x), (batch,), nats, of bits x (batch, D), 0. and 1., in their own order.

    weight (D, D): row d belongs to bit d. Only weights of earlier bits are used.
    bias (D,).
    """
    raise NotImplementedError''',
        points=1,
        laws=(chain.bits_in_turn,),
        reference=fvsbn_log_prob,
        hints=(
            "Cut the matrix to a strict triangle, then all logits are one product. ln p of a bit is −softplus of "
            "∓ its logit.",
            "`logits = x @ weight.tril(-1).T + bias`, then `-F.binary_cross_entropy_with_logits(logits, x, "
            'reduction="none").sum(1)`.',
        ),
        wrong=(
            (_scored(lambda w: w), "dependence"),
            (_scored(lambda w: w.tril(0)), "dependence"),
            (_scored(lambda w: w.triu(1)), "direction"),
            (lambda x, w, b: fvsbn_log_prob(x, w, b) / x.shape[1], "reduction"),
            (lambda x, w, b: (x * fvsbn_logits(x, w, b).sigmoid().log()).sum(1), "one-to-one"),
            (_by_logs, "not-finite"),
            (_held_off_zero, "overflow"),
            (lambda x, w, b: fvsbn_log_prob(x, w, 0 * b), "constant"),
            (lambda x, w, b: -fvsbn_log_prob(x, w, b), "sign"),
            (lambda x, w, b: fvsbn_log_prob(x, w, b).mean(), "shape"),
        ),
        causes={
            "dependence": "Does a bit take part in its own prediction, or a later bit? `tril(0)` keeps the diagonal.",
            "direction": "Row d is for bit d, and column j for the bit it sees. Which bits are the *earlier* ones?",
            "reduction": "ln p of an image is the *sum* over its bits, not their mean.",
            "one-to-one": "A bit that is 0 has a probability, too: 1 − σ(l). Is it in your sum?",
            "constant": "Put in x = 0: what is left of a logit then? Each bit has a bias, and its weights.",
            "sign": "σ(l) is the probability of a 1. And is ln p above 0 or below?",
            "log-mean": "ln p in nats is asked for. Is yours p, or in bits?",
            "not-finite": "σ(−200) is 0 to a computer, and its logarithm −∞. Take ln σ in one step: −softplus(−l).",
            "overflow": "Right for small logits. What does your ln p give for a bit that has the logit −200 and is 1?",
            "shape": "One number for each row of x. Over which axis did you add?",
        },
    ),
    Exercise(
        id="autoregressive.ensemble_log_prob",
        stub='''def ensemble_log_prob(log_probs):
    """ln p(x), (batch,), nats, of the mixture, from ln p_k(x), (K, batch)."""
    raise NotImplementedError''',
        points=1,
        laws=(chain.orders_are_mixed,),
        reference=ensemble_log_prob,
        hints=(
            "A mean of probabilities, and then the logarithm. e^−1000 is 0 to a computer: what does that for you?",
            "`log_probs.logsumexp(0) - math.log(len(log_probs))`.",
        ),
        wrong=(
            (lambda log_probs: log_probs.mean(0), "log-mean"),
            (lambda log_probs: log_probs.logsumexp(0), "constant"),
            (lambda log_probs: log_probs.exp().mean(0).log(), "not-finite"),
            (lambda log_probs: (log_probs.exp().mean(0) + 1e-30).log(), "overflow"),
            (lambda log_probs: log_probs.amax(0), "one-to-one"),
            (lambda log_probs: log_probs.sum(0), "reduction"),
            (lambda log_probs: log_probs.exp().mean(0), "spread"),
        ),
        causes={
            "log-mean": "Mix Bern(0.9) with Bern(0.1): the mean of logarithms has the mass 0.6. What do you average?",
            "constant": "K orders that all say 0.5: what does their mixture say? Where does ln K go?",
            "one-to-one": "All K orders are in the mixture, with 1/K each. Which of them is in yours?",
            "reduction": "A product of the p_k is no mixture. Add probabilities, not logarithms.",
            "spread": "Is yours p(x), or ln p(x)?",
            "direction": "The first axis is the order's, the second the batch's. Over which one is the mean?",
            "sign": "ln p is asked for, not −ln p.",
            "not-finite": "e^−1000 is 0 to a computer. `torch.logsumexp` takes each column's largest out first.",
            "overflow": "Right for small images. What does yours give where all ln p_k are near −1000?",
            "shape": "One number for each image of the batch.",
        },
    ),
    Exercise(
        id="autoregressive.made_masks",
        stub='''def made_masks(order, degrees):
    """The masks of all layers, a list: 1 where a weight stays, (outputs, inputs) each.

    order (D,) int64: order[i] is the place of input i, 0 to D - 1, and of output i.
    degrees: a list with one (units,) int64 for each hidden layer, 1 to D - 1.
    """
    raise NotImplementedError''',
        points=2,
        laws=(degrees.degrees_rise,),
        reference=made_masks,
        hints=(
            "The degrees of all layers in one list: the inputs' (their places, from 1), the hidden ones, and "
            "the inputs' again. Each two neighbours make a mask.",
            "`after[:, None] >= before` for each two neighbours, and for the last `order[:, None] + 1 > degrees[-1]`.",
        ),
        wrong=(
            (_other_outputs, "dependence"),
            (lambda order, layers: made_masks(order.argsort(), layers), "direction"),
            (lambda order, layers: made_masks(torch.arange(len(order)), layers), "direction"),
            (lambda order, layers: made_masks(order - 1, layers), "constant"),
            (_strict, "reduction"),
            (lambda order, layers: [~mask for mask in made_masks(order, layers)], "sign"),
            (lambda order, layers: made_masks(order, layers)[:-1], "container"),
            (lambda order, layers: [mask.T for mask in made_masks(order, layers)], "shape"),
        ),
        causes={
            "dependence": "Follow your path from an input to an output. Where must the degree rise, to make it none?",
            "direction": "`order[i]` is the place of input i. Did you take it for the input at place i?",
            "constant": "Places are counted from 0, degrees from 1: the first input has the degree 1. Has it in yours?",
            "reduction": "Between hidden layers the degree may stay the same, ≥. Which weights did you cut there?",
            "sign": "The receiver knows as much as the sender, or more. Which of the two is the row of a mask?",
            "container": "A mask for each layer of weights: one more than there are hidden layers.",
            "shape": "(outputs, inputs), as `nn.Linear` keeps its weights.",
        },
    ),
    Exercise(
        id="autoregressive.nade_backward",
        stub='''def nade_backward(x, weight, output, bias, hidden_bias):
    """The gradients of -ln p(x), summed over the batch, in W, V, b and c: four.

    x (batch, D) of 0. and 1.; weight W and output V (D, H); bias b (D,);
    hidden_bias c (H,). Each gradient has the shape of its parameter.
    """
    raise NotImplementedError''',
        points=3,
        laws=(nade.nade_gradients,),
        reference=nade_backward,
        hints=(
            "Forwards: keep a_d for each d. Backwards: G begins as 0; use it for W_d *before* you add what l_d gives.",
            "In the loop backwards: `of_weight[d] = x[:, d] @ g`, then "
            "`g = g + error[:, None] * output[d] * h * (1 - h)`.",
        ),
        wrong=(
            (_with_own(1), "dependence"),
            (_with_own(0, lambda h: h), "constant"),
            (lambda *inputs: tuple(-part for part in nade_backward(*inputs)), "sign"),
            (lambda x, *inputs: tuple(part / len(x) for part in nade_backward(x, *inputs)), "reduction"),
            (lambda *inputs: tuple(nade_backward(*inputs)[k] for k in (1, 0, 2, 3)), "direction"),
            (_part_changed(3, lambda part: part[:1]), "shape"),
            (lambda *inputs: nade_backward(*inputs)[:3], "container"),
        ),
        causes={
            "dependence": "Which logits does x_d reach? Only those after l_d: is G at W_d the one before or after d?",
            "constant": "σ′ = h (1 − h): at a = 0 it is ¼. What is yours there?",
            "one-to-one": "A bit that is 0 adds nothing to a: what is the gradient in its W_d?",
            "log-mean": "The slope of −ln p of a bit in its logit is σ(l) − x: no square, no σ′. What is your error?",
            "sign": "The loss is −ln p: a bit that is 1 pulls its logit up. What is the sign of σ(l) − x then?",
            "reduction": "Summed over the batch is asked for. Is yours a mean?",
            "direction": "The order is W, V, b, c. Which one did you give first?",
            "shape": "Each gradient has the shape of its parameter. Is the batch summed over, and nothing else?",
            "container": "Four gradients: in W, V, b and c.",
            "not-finite": "The error σ(l) − x needs no logarithm. Where does your infinity come from?",
            "overflow": "Right for small logits, wrong for large ones. The error is σ(l) − x: no logarithm is needed.",
        },
    ),
    Exercise(
        id="autoregressive.parity",
        stub="parity = ...",
        points=2,
        laws=(and_makes_parity_linear,),
        reference=(3 * math.log(2), 2 * math.log(2), 2 * math.log(2)),
        hints=(
            "Write down the four rows. Which bits are weighted sums of those before them, as x₁ + x₂ − 2x₄?",
            "x₃ = x₁ + x₂ − 2x₄ and x₂ = x₃ + 2x₄ − x₁ are lines. What no line finds costs ln 2 here, as a coin.",
        ),
        wrong=(
            ([math.log(2) * k for k in (2, 2, 2)], "constant"),
            ([math.log(2) * k for k in (3, 3, 3)], "dependence"),
            ([math.log(2) * k for k in (3, 2, 3)], "one-to-one"),
            ([math.log(2) * k for k in (2, 3, 2)], "direction"),
            ([math.log(2) * k for k in (1, 0, 0)], "reduction"),
            ((3, 2, 2), "log-mean"),
            ([math.log(2) * k for k in (4, 3, 3)], "spread"),
            (math.log(2), "shape"),
        ),
        causes={
            "constant": "The chain rule holds in every order, a line does not. What does x₃ cost after x₁, x₂?",
            "dependence": "Once x₄ is known, parity is another question. What is x₁ + x₂ − 2x₄?",
            "one-to-one": "Write down what can stand before each bit, and what it is then. Is there a line?",
            "direction": "In the first order parity comes before x₄, in the second after it. Where does x₄ help?",
            "reduction": "The whole negative log-likelihood is asked for. Can one be below the entropy, 2 ln 2?",
            "spread": "Given the bits before them, some bits are certain. Which ones does a line find, x₄ = 1 for one?",
            "log-mean": "Nats are asked for. How many nats is a fair coin?",
            "container": "Three numbers are asked for, as in (0.1, 0.2, 0.3).",
            "shape": "Three numbers are asked for, as in (0.1, 0.2, 0.3).",
        },
    ),
)
