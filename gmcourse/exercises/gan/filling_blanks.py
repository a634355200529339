"""Exercises of lesson 05.9, filling blanks."""

import math

import torch
from torch.nn.functional import softplus

from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.gan.gain import gain_critic_loss, hint
from gmcourse.gan.two_bits import PAIRS
from gmcourse.laws.broken import Slips
from gmcourse.laws.gan import blanks


def gain_generator_loss(logits, m, b):
    """The mean of (1 − m) · −ln D over the entries with b = 0."""
    return ((1 - m) * softplus(-logits))[b == 0].mean()


def imputation_rmse(x, filled, m):
    """√ of the mean of the squared errors of all blanks."""
    return (x - filled)[m == 0].square().mean().sqrt()


def mean_filled(blanked):
    """Each blank, NaN, replaced by the mean of its column's known entries."""
    return torch.where(blanked.isnan(), blanked.nanmean(0), blanked)


def mask_critic(laws, p):
    """Bayes' rule: of all filled rows x, the share whose mask has m_i = 1."""
    joint, bits = p[:, None] * laws, torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=laws.dtype)
    return bits.T @ joint / joint.sum(0)


def _put(blanked, values):
    return torch.where(blanked.isnan(), values, blanked)


def _likely_masks(laws, p):
    return mask_critic(laws, torch.full_like(p, 0.25))


def _joint(laws, p):
    return torch.tensor(PAIRS, dtype=laws.dtype).T @ (p[:, None] * laws)


def draw_over_another_mean(seed: int) -> Variant:
    """√(2 / (1 + 1/n)) for the mean of n draws."""
    n = picker(seed)([n for n in range(5, 38) if n != 20])
    square = 2 * n / (n + 1)
    suspects: dict[str, Slips] = {
        "constant": math.sqrt(2),
        "dependence": [1.0, math.sqrt((n + 1) / n)],
        "spread": [square, 2.0],
        "direction": [1 / math.sqrt(square), 1 / square, math.sqrt(0.5)],
        "reduction": [math.sqrt(n), math.sqrt(2 * n), float(n), 2.0 * n],
    }
    law = value_law(f"RMSE of one draw over RMSE of the mean of {n}", math.sqrt(square), 0.0003, suspects)
    roots = (1 / math.sqrt(square), "direction"), (math.sqrt(n), "reduction"), (math.sqrt(2 * n), "reduction")
    return Variant(
        f"The RMSE of one perfect draw, divided by that of the *mean of {n}* independent perfect draws, to four "
        "decimals.",
        laws=(law,),
        reference=math.sqrt(square),
        wrong=((math.sqrt(2), "constant"), (1.0, "dependence"), (square, "spread"), *roots, (1.11, "")),
        hints=(
            "Truth and draw are independent, of one law with variance v. What is the variance of their difference?",
            f"The mean of {n} draws has the variance v/{n} itself. What is the variance of truth minus that mean?",
            f"2v for a draw, v + v/{n} for the mean; the ratio is a root.",
        ),
        causes={
            "constant": f"That is a draw over the conditional mean. Has the mean of {n} draws no error of its own?",
            "reduction": f"The mean of {n} draws varies little, but the truth varies as before, and both count.",
            "": f"E(x − x′)² for two independent draws of one law: how many variances? And for a mean of {n}?",
        },
    )


EXERCISES = (
    Exercise(
        id="gan.hint",
        stub='''def hint(m, b):
    """What the critic is told: the mask where b is 1, ½ where b is 0; (batch, columns)."""
    raise NotImplementedError''',
        points=1,
        laws=(blanks.hint_leaves_some_open,),
        reference=hint,
        hints=(
            "There are three values: 1 for known, 0 for blank, ½ for: find out. b says which entries have the last.",
            "b * m is right where b is 1, and 0 where b is 0. What must be added there?",
        ),
        wrong=(
            (lambda m, b: b * m, "constant"),
            (lambda m, b: (1 - b) * m + 0.5 * b, "direction"),
            (lambda m, b: m.clone(), "dependence"),
            (lambda m, b: m + 0.5 * (1 - b), "constant"),
            (lambda m, b: 0.5 * (m + b), "one-to-one"),
        ),
        causes={
            "constant": "What does yours say of an entry with b = 0? It should say ½, whatever m is there.",
            "direction": "Where is the mask told, at b = 1 or at b = 0? Yours gives away what the critic has to guess.",
            "dependence": "Yours gives the whole mask away. What is left for the critic to find out?",
            "not-finite": "½ is a number, NaN is none: what could a network make of it?",
            "one-to-one": "Take one entry of each kind: m and b both 0 or 1. Which of your four values is off?",
            "sign": "½ is added where b is 0. Did you take it away?",
        },
    ),
    Exercise(
        id="gan.gain_generator_loss",
        stub='''def gain_generator_loss(logits, m, b):
    """−E[(1 − m) ln D] over the entries with b = 0, D = sigmoid(logits); one number.

    All are (batch, columns). E divides by the number of entries with b = 0, known ones too.
    """
    raise NotImplementedError''',
        points=2,
        laws=(blanks.generator_is_paid_for_blanks,),
        reference=gain_generator_loss,
        hints=(
            "The generator wants its fillings to be taken for known entries. Of which entries can it change anything?",
            "−ln sigmoid(a) = softplus(−a). Multiply by (1 − m) and (1 − b), sum, divide by (1 − b).sum().",
        ),
        wrong=(
            (lambda h, m, b: softplus(-h)[b == 0].mean(), "one-to-one"),
            (lambda h, m, b: gain_critic_loss(h, m, b), "one-to-one"),
            (lambda h, m, b: ((1 - m) * softplus(-h)).mean(), "dependence"),
            (lambda h, m, b: (m * softplus(-h))[b == 0].mean(), "direction"),
            (lambda h, m, b: -((1 - m) * softplus(h))[b == 0].mean(), "sign"),
            (lambda h, m, b: ((1 - m) * softplus(-h))[b == 0].sum(), "reduction"),
            (lambda h, m, b: softplus(-h)[(b == 0) & (m == 0)].mean(), "constant"),
        ),
        causes={
            "one-to-one": "Known entries are in yours. The generator cannot change them: what is that push for?",
            "not-finite": "The logarithm of a logit, or of a 0? Or a mean over no entry, of a row that has none with "
            "b = 0?",
            "": "Take one entry with b = 0, m = 0 and logit 0: ln 2. Add one with m = 1: the half of it. Add one with "
            "b = 1: no change. Which of the three is not so in yours?",
            "dependence": "Entries with b = 1 are in yours. There the critic has been told, and cannot be deceived.",
            "direction": "Which does the generator fill, entries with m = 1 or m = 0? Which are told, b = 1 or 0?",
            "sign": "That is the saturating loss, or the wrong sign. The generator minimises −ln D where m is 0.",
            "reduction": "Is it the mean over the entries with b = 0? Yours divides by another number, or by none.",
            "constant": "You divide by the number of blanks. E here is over all entries with b = 0.",
            "gradient": "The value is right, and the generator learns nothing from it. What cuts the logits off?",
            "spread": "What is averaged is −ln D, D = sigmoid(logits), in nats: not D, not the logits, not log₂.",
        },
    ),
    Exercise(
        id="gan.imputation_rmse",
        stub='''def imputation_rmse(x, filled, m):
    """√ of the mean of (x − filled)² over the blanks, m = 0, of the whole table: one
    number. All are (n, columns); `filled` may hold anything where m = 1."""
    raise NotImplementedError''',
        points=1,
        laws=(blanks.error_of_blanks_alone,),
        reference=imputation_rmse,
        hints=(
            "How many entries are counted: all of them, or those that were filled?",
            "(x − filled)[m == 0] are the errors. Square, mean, root.",
        ),
        wrong=(
            (lambda x, f, m: ((1 - m) * (x - f)).square().mean().sqrt(), "reduction"),
            (lambda x, f, m: (x - f).square().mean().sqrt(), "dependence"),
            (lambda x, f, m: (x - f)[m == 1].square().mean().sqrt(), "direction"),
            (lambda x, f, m: (x - f)[m == 0].square().mean(), "spread"),
            (lambda x, f, m: (x - f)[m == 0].abs().mean(), "spread"),
        ),
        causes={
            "": "Take two blanks with errors 3 and −4, and one known entry: √12.5. What does yours give?",
            "sign": "Errors of 3 and −3 are no perfect filling. Did you square before the mean, and take away no mean?",
            "reduction": "You divided by another number than that of the blanks, or by none. With a fifth blank, "
            "division by all entries makes an error √0.2 = 0.45 times what it is.",
            "dependence": "Known entries are in yours. They were not filled: what does their error say?",
            "direction": "That is the error of known entries. Is m = 1 known or blank?",
            "spread": "Is it a root, of a mean of squares?",
            "one-to-one": "One mean over all blanks of the table, or one of each column, of each row? These have "
            "unequal numbers of blanks.",
        },
    ),
    Exercise(
        id="gan.mean_filled",
        stub='''def mean_filled(blanked):
    """The table (n, columns) with every blank, NaN, replaced by the mean of the known
    entries of its column; known entries as they are."""
    raise NotImplementedError''',
        points=1,
        laws=(blanks.means_leave_blanks_out,),
        reference=mean_filled,
        hints=(
            "A mean over a column that holds NaN is NaN. torch.nanmean leaves them out.",
            "torch.where(blanked.isnan(), blanked.nanmean(0), blanked)",
        ),
        wrong=(
            (lambda x: _put(x, x.nan_to_num().mean(0)), "reduction"),
            (lambda x: _put(x, x.nanmean(1, keepdim=True)), "direction"),
            (lambda x: _put(x, x.nanmean()), "one-to-one"),
            (lambda x: _put(x, x.nanmedian(0).values), "spread"),
            (lambda x: x.nanmean(0).expand_as(x), "dependence"),
            (lambda x: x.nan_to_num(), "constant"),
        ),
        causes={
            "reduction": "Every known entry of the column counts, a 0 and one beside a blank too; a blank does not. "
            "Of how many is yours the mean?",
            "": "Take one column: 1, 3, NaN. Yours should be 1, 3, 2. And with a second column beside it?",
            "direction": "The mean of the row mixes columns that have nothing in common. Along which axis is yours?",
            "one-to-one": "One number for all columns? Each has its own mean.",
            "spread": "That is the median of the column. Which of the two minimises the squared error?",
            "dependence": "Known entries have changed. Only blanks are filled.",
            "constant": "You put 0 in. What is the mean of the column?",
            "not-finite": "Some entry is NaN or infinite still. What does a mean make of NaN? And is NaN == NaN?",
            "mutation": "You wrote into the table that you were given. Give back a new one.",
        },
    ),
    Exercise(
        id="gan.mask_critic",
        stub='''def mask_critic(laws, p):
    """D_i(x) = P(m_i = 1 | x): (2 bits, 4 rows). A critic without hints.

    laws (4 masks, 4 rows): row k is the law of the filled rows with mask k; p (4,): how
    often each mask comes. Masks and rows: (0,0), (0,1), (1,0), (1,1).
    """
    raise NotImplementedError''',
        points=2,
        laws=(blanks.critic_reads_filled_rows,),
        reference=mask_critic,
        hints=(
            "Bayes: P(m | x) = p(m) q_m(x) / Σ over all masks of the same. Then add the masks that have m_i = 1.",
            "joint = p[:, None] * laws; masks 2, 3 have m_1 = 1, masks 1, 3 have m_2 = 1; divide by joint.sum(0).",
        ),
        wrong=(
            (lambda q, p: 1 - mask_critic(q, p), "direction"),
            (_likely_masks, "dependence"),
            (_joint, "direction"),
            (lambda q, p: mask_critic(q, p) / (1 - mask_critic(q, p)), "reduction"),
        ),
        causes={
            "direction": "Which masks have m_i = 1, and what is the order of the bits? And is the sum over masks of "
            "P(m, x), or of P(m | x)?",
            "dependence": "Masks do not come equally often, nor all rows. Where are p and x in yours?",
            "reduction": "By what do you divide? By the weight of all four masks at this row x.",
            "one-to-one": "Yours says the same of all bits, or all rows.",
            "": "Take one row x and write down four numbers, p(m) q_m(x), one for each mask. Which two of them "
            "belong to m_1 = 1? What do all four add up to?",
            "shape": "One number for each bit and row: (2, 4).",
        },
    ),
    Exercise(
        id="gan.draw_over_mean",
        stub="draw_over_mean = ...",
        points=1,
        laws=(blanks.one_draw_pays_more_than_their_mean,),
        reference=math.sqrt(40 / 21),
        hints=(
            "Truth and draw are independent, of one law with variance v. What is the variance of their difference?",
            "The mean of 20 draws has the variance v/20 itself. What is the variance of truth minus that mean?",
            "2v for a draw, v + v/20 for the mean of twenty; the ratio is a root.",
        ),
        wrong=(
            (math.sqrt(2), "constant"),
            (1.0, "dependence"),
            (40 / 21, "spread"),
            (math.sqrt(21 / 40), "direction"),
            (math.sqrt(20), "reduction"),
            (math.sqrt(40), "reduction"),
            (1.25, ""),
        ),
        causes={
            "constant": "That is a draw over the conditional mean. Has the mean of twenty draws no error of its own?",
            "dependence": "The mean of draws misses by the truth's spread. Has one draw no spread of its own?",
            "spread": "That is the ratio of the mean squares. The RMSE is a root.",
            "direction": "Which of the two has the larger error? The ratio is that of the draw, over that of the mean.",
            "reduction": "The mean of twenty draws varies little, but the truth varies as before, and both count.",
            "": "E(x − x′)² for two independent draws of one law: how many variances are that? And for a mean of 20?",
        },
        variant=draw_over_another_mean,
    ),
)
