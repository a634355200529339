"""Exercises of lesson 04.5, hierarchy and captions."""

import math

import torch
from torch import Tensor

from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import Slips, require_value
from gmcourse.laws.vae import captions, hierarchy, spectral
from gmcourse.vae.captions import caption_row, drop_captions, guided_logits
from gmcourse.vae.hierarchy import total_bits
from gmcourse.vae.spectral import spectral_distance


def most_that_captions_help(answer: object) -> None:
    """ln 50 nats: fifty captions, equally likely, are worth at most their entropy."""
    suspects: dict[str, Slips] = {"constant": (50.0, 1 / 50), "reduction": math.log(60)}
    suspects |= {
        "spread": (math.log2(50), 5.6, math.log10(50)),
        "sign": (-math.log(50), -math.log2(50)),
        "direction": (math.log(200), math.log2(200)),
        "one-to-one": tuple(map(math.log, (4, 5, 6))),
        "log-mean": (50 * math.log(50), math.log(50) / 50),
    }
    require_value("the most that fifty equal captions save", answer, math.log(50), 0.015, suspects)


def some_captions_help(seed: int) -> Variant:
    """ln n nats for n captions; 60 and 200 are numbers of the lesson's."""
    n = picker(seed)([n for n in range(22, 259, 4) if n not in (50, 58, 62, 198, 202)])
    suspects: dict[str, Slips] = {"constant": (float(n), 1 / n), "reduction": math.log(60)}
    suspects |= {
        "spread": (math.log2(n), round(math.log2(n), 1), math.log10(n)),
        "sign": (-math.log(n), -math.log2(n)),
        "direction": (math.log(200), math.log2(200)),
        "one-to-one": tuple(map(math.log, (4, 5, 6))),
        "log-mean": (n * math.log(n), math.log(n) / n),
    }
    return Variant(
        r"The code of a picture is shorter by $\ln p(k \mid c) - \ln p(k)$ nats where the caption $c$ is told. "
        f"There are {n} captions, all equally likely: what is the largest mean saving, in nats, of an exact prior?",
        laws=(value_law(f"the most that {n} equal captions save", math.log(n), 0.007, suspects),),
        reference=math.log(n),
        wrong=((math.log2(n), "spread"), (n, "constant"), (math.log(60), "reduction"), (-math.log(n), "sign")),
        hints=(
            "ln p(k|c) − ln p(k) ≤ −ln p(c), in each row, since p(k) is a sum with the term p(c) p(k|c) in it.",
            f"−ln p(c) = ln {n} for each of them.",
        ),
        causes={
            "constant": f"{n} is how many there are. What does it cost to say which?",
            "reduction": f"Sixty is the lesson's number of pairs. Here {n} captions are there to choose from.",
            "log-mean": f"Each caption is worth the same. What is the mean of {n} equal numbers?",
        },
    )


def _each_window_squared(ours, theirs):
    return torch.stack([(x.abs() - y.abs()).square().flatten(1).sum(1) for x, y in zip(ours, theirs)]).mean(0)


def _complex_difference(ours, theirs):
    return torch.stack([(x - y).abs().square().flatten(1).sum(1).sqrt() for x, y in zip(ours, theirs)]).mean(0)


def _mixed(conditional: Tensor, unconditional: Tensor, strength: float) -> Tensor:
    p, q = conditional.softmax(1), unconditional.softmax(1)
    return ((1 + strength) * p - strength * q).clamp(min=1e-9).log()


EXERCISES = (
    Exercise(
        id="vae.caption_row",
        stub='''def caption_row(caption, codes, words):
    """One row for each caption (batch, C) with its codes (batch, T), int64.

    Captions have ids 0 … words − 1. In the row the caption stands first, and no
    id means two things.
    """
    raise NotImplementedError''',
        points=1,
        laws=(captions.ids_have_one_meaning,),
        reference=caption_row,
        hints=(
            "One table of embeddings serves the whole row. Which row of it belongs to word 3, and which to code 3?",
            "Words keep their ids, code k becomes words + k; then torch.cat along the places.",
        ),
        wrong=(
            (lambda caption, codes, words: torch.cat([caption, codes], 1), "one-to-one"),
            (lambda caption, codes, words: torch.cat([caption, codes + caption.shape[1]], 1), "one-to-one"),
            (lambda caption, codes, words: torch.cat([codes + words, caption], 1), "direction"),
            (lambda caption, codes, words: torch.cat([caption + words, codes], 1), "constant"),
        ),
        causes={
            "one-to-one": "Each id has one meaning, and no id is left over. Which is the first that is no word's?",
            "direction": "A causal model reads from the left. What can the codes know of a caption that comes after?",
            "constant": "Words keep their ids. Which of the two has to be moved?",
            "spread": "Yours leaves an id that means nothing. Which is the first that is no word's?",
            "sign": "An id is the number of a row in a table. Is one of yours below 0?",
            "dependence": "Each row has a caption of its own. Whose stands in yours?",
            "shape": "A row has a place for each word and each code, (batch, C + T). What shape has yours?",
        },
    ),
    Exercise(
        id="vae.drop_captions",
        stub='''def drop_captions(caption, u, share, none):
    """The captions (batch, C), `none` in every place of those that are dropped.

    u is (batch,), uniform on [0, 1); a caption is dropped where it is below share.
    """
    raise NotImplementedError''',
        points=1,
        laws=(captions.captions_drop_whole,),
        reference=drop_captions,
        hints=(
            "The model must learn p(codes) without any word. How many words of a dropped caption may be left?",
            "torch.where with a condition of shape (batch, 1).",
        ),
        wrong=(
            (lambda caption, u, share, none: torch.where(u[:, None] > share, none, caption), "sign"),
            (lambda caption, u, share, none: torch.where(u[:, None] < share, 0, caption), "constant"),
            (
                lambda caption, u, share, none: torch.cat(
                    [torch.where(u[:, None] < share, none, caption)[:, :1], caption[:, 1:]], 1
                ),
                "reduction",
            ),
            (lambda caption, u, share, none: caption, "dependence"),
        ),
        causes={
            "sign": "Yours keeps the captions that were to be dropped. On which side of the share is u?",
            "constant": "`none` says that there is no word. What stands there in yours?",
            "reduction": "A caption of which a word is left still says something. Which places of the row have `none`?",
            "dependence": "Each caption has its own u. Does yours look at it?",
            "shape": "u is one number for each caption, (batch,). Along which axis does yours lie?",
        },
    ),
    Exercise(
        id="vae.guided_logits",
        stub='''def guided_logits(conditional, unconditional, strength):
    """Logits (batch, V) whose softmax is ∝ p(k|c)^(1+w) / p(k)^w, w = strength.

    What comes in are logits of p(k|c) and of p(k), (batch, V) each.
    """
    raise NotImplementedError''',
        points=2,
        laws=(captions.guidance_sharpens,),
        reference=guided_logits,
        hints=(
            "A logit is a logarithm of a probability, up to a number that the softmax removes.",
            "ln of a product of powers: (1 + w) ln p(k|c) − w ln p(k).",
        ),
        wrong=(
            (lambda p, q, w: q + w * (p - q), "constant"),
            (_mixed, "log-mean"),
            (lambda p, q, w: (1 + w) * p + w * q, "sign"),
            (lambda p, q, w: (1 + w) * p, "spread"),
            (lambda p, q, w: (1 + w) * q - w * p, "direction"),
        ),
        causes={
            "constant": "At w = 0 nothing is guided: it is p(k|c). What is yours? Some papers' w is our 1 + w.",
            "log-mean": "Yours mixes probabilities. The exponents of p(k|c) and p(k) are factors of which numbers?",
            "sign": "p(k) stands below the line. With which sign does its logarithm come in?",
            "spread": "At w = 1 it is p(k|c)² / p(k). Is each of the two in yours, with its own power?",
            "direction": "Which of the two is taken away, what is said with the caption or without it?",
            "overflow": "Logits are asked for, and the softmax is still to come. Are yours probabilities already?",
            "not-finite": "Logits, and a difference of probabilities, can be below 0. Of what did you take a logarithm "
            "or a power?",
            "shape": "Each row has its own logits. Were rows mixed, or did one speak for all?",
        },
    ),
    Exercise(
        id="vae.spectral_distance",
        stub='''def spectral_distance(ours, theirs):
    """Mean over the scales of ‖ |X| − |Y| ‖, (batch,).

    Each list has a complex spectrum for each scale, (batch, frequencies, frames),
    of another size each.
    """
    raise NotImplementedError''',
        points=2,
        laws=(spectral.moduli_are_compared,),
        reference=spectral_distance,
        hints=(
            "What should it cost to begin a tone half a period later? Which part of a complex number knows of it?",
            "Of x.abs() − y.abs() the squares, their sum over frequencies and frames, its root; then the mean. "
            "(For a matrix, a norm with ord=2 is another one: the largest singular value.)",
        ),
        wrong=(
            (_complex_difference, "direction"),
            (_each_window_squared, "spread"),
            (lambda ours, theirs: spectral_distance(ours, theirs) * len(ours), "reduction"),
            (lambda ours, theirs: spectral_distance(ours[:1], theirs[:1]), "dependence"),
            (lambda ours, theirs: spectral_distance(ours, theirs).mean(), "shape"),
        ),
        causes={
            "direction": "A tone that begins half a period later has the same moduli. What is the distance in yours?",
            "spread": "‖·‖ is a root of a sum of squares, of moduli's differences. Which squares and roots has yours?",
            "reduction": "Of one scale a sum over all entries, of the scales a mean. Which did you take?",
            "dependence": "A long window hears pitch, a short one when it began. Which of the scales does yours use?",
            "log-mean": "Moduli are subtracted entry by entry, as they are. What came first in yours?",
            "one-to-one": "A spectrum has one root, of the sum over all its entries. Has yours a root for each row, or "
            "is it the largest singular value?",
            "constant": "A distance is asked for, and no share. By what did you divide?",
            "complex": "The square of a complex number is complex, too. What are the moduli of |X| − |Y| made of?",
            "shape": "Each sound has a distance of its own, (batch,). Over which axes did you sum?",
        },
    ),
    Exercise(
        id="vae.total_bits",
        stub='''def total_bits(top, bottom, residual):
    """The whole code length of each picture, (batch,), bits.

    Log-probabilities, nats: top (batch, T) of each top code, bottom (batch, 4T) of
    each bottom code, residual (batch, *event) of each pixel, on any number of axes.
    """
    raise NotImplementedError''',
        points=1,
        laws=(hierarchy.lengths_add,),
        reference=total_bits,
        hints=(
            "p(t) p(b|t) p(x|t, b) is a product over codes and pixels. What becomes of its logarithm?",
            "Minus the sum of all entries of a row, divided by ln 2.",
        ),
        wrong=(
            (lambda t, b, r: -(t.sum(1) + b.sum(1) + r.flatten(1).sum(1)), "spread"),
            (lambda t, b, r: total_bits(t.repeat(1, 4), b, r), "constant"),
            (lambda t, b, r: -(t.mean(1) + b.mean(1) + r.flatten(1).mean(1)) / math.log(2), "reduction"),
            (lambda t, b, r: total_bits(t, b, 0 * r), "dependence"),
        ),
        causes={
            "spread": "Nats and bits: by what did you divide, and which of the three parts?",
            "constant": "The top has T codes, however many bottom codes stand below each. How often did you count it?",
            "reduction": "Each code and each pixel has to be sent. Is a mean what is sent?",
            "dependence": "Three parts are sent. Could someone rebuild the picture from what you have counted?",
            "sign": "A length is minus a logarithm, of a density above 1, too. Which sign has each of your parts?",
            "log-mean": "Logarithms come in, and that of a product is a sum. What did you do before, or instead?",
            "shape": "Each picture has a length of its own, (batch,). Over which axes did you sum?",
        },
    ),
    Exercise(
        id="vae.caption_worth",
        stub="answer = ...  # nats a picture, on average, of an exact prior with fifty captions",
        points=1,
        laws=(most_that_captions_help,),
        reference=math.log(50),
        hints=(
            "ln p(k|c) − ln p(k) ≤ −ln p(c), in each row, since p(k) is a sum with the term p(c) p(k|c) in it.",
            "−ln p(c) = ln 50 for each of them.",
        ),
        wrong=((math.log2(50), "spread"), (50.0, "constant"), (math.log(60), "reduction"), (-math.log(50), "sign")),
        causes={
            "spread": "Nats are asked for. Which base has your logarithm?",
            "constant": "Fifty is how many there are. What does it cost to say which?",
            "reduction": "Sixty pairs exist, and fifty are ever shown. How many captions are there to choose from?",
            "sign": "A saving is asked for. Can a caption make the codes longer, for an exact prior?",
            "direction": "That is for 200 captions. How many are there here?",
            "one-to-one": "That is a single word's worth. How many whole captions are there?",
            "log-mean": "Each caption is worth the same. What is the mean of fifty equal numbers?",
        },
        variant=some_captions_help,
    ),
)
