"""Pictures from captions: what a classifier reads of them, for pairs that were shown and for pairs never shown.

    python -m benchmarks.vae.captions

Three seeds. A VQ-VAE makes 8 × 8 codes of a picture of 16 × 16, then a Transformer learns rows of a caption and codes.
720 captions of the test split, every other with a pair of digit and style that no training picture has; one picture
each. Shares of pictures in which digit, place and style are read as asked, and all three; lengths in nats. Of the first
seed the weights are kept, in half precision.
"""

import math
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.data.captioned_digits import WORDS, attributes_of, captions, unseen
from gmcourse.metrics.captioned import digit_of, place_of, style_of
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.captioned import CaptionedVQ, captioned_vq
from gmcourse.vae.captions import mixture_log_prob

STEPS, RATE, PRIOR_STEPS, PRIOR_RATE, BATCH, ASKED, WORTH = 600, 3e-3, 1_500, 4e-3, 32, 720, 60
STRENGTHS = (0.0, 1.0, 2.0)
PLAN = [{"seed": seed} for seed in range(3)]


def read(x: Tensor, attributes: Tensor) -> dict[str, float]:
    """The share of pictures in which digit, place and style are those of `attributes`, and all three at once."""
    place, style = place_of(x), style_of(x)
    digit = digit_of(x, place, attributes[:, 2] == 5)
    right = torch.stack([digit, place, style], 1) == attributes
    shares = dict(zip(("digit", "place", "style"), right.float().mean(0).tolist(), strict=True))
    return {name: round(share, 4) for name, share in (shares | {"all": right.all(1).float().mean().item()}).items()}


def split_read(x: Tensor, attributes: Tensor) -> dict[str, dict[str, float]]:
    new = unseen(attributes)
    return {"shown": read(x[~new], attributes[~new]), "unseen": read(x[new], attributes[new])}


@torch.no_grad()
def worth(model: CaptionedVQ, codes: Tensor, given: Tensor) -> dict[str, float]:
    """What the caption saves: against the mixture of all 200 captions that training has, and against no caption."""
    grid = torch.cartesian_prod(torch.arange(10), torch.arange(4), torch.arange(6))
    every = captions(grid[~unseen(grid)])
    told = torch.stack([model.prior.log_prob(row.expand(len(every), -1), every) for row in codes], 1)
    mixed = mixture_log_prob(told, torch.full((len(every),), -math.log(len(every))))
    alone, of_caption = model.prior.log_prob(codes), model.prior.log_prob(codes, given)
    return {
        "worth": round((of_caption - mixed).mean().item(), 3),
        "worth_by_dropped": round((of_caption - alone).mean().item(), 3),
    }


def run(weights: Path, seed: int) -> dict:
    data = load("captioned-digits")
    torch.manual_seed(seed)
    model = captioned_vq(data.event_shape, len(WORDS), 5)
    plan = {"batch_size": BATCH, "seed": seed, "progress": False}
    fit(model.pictures, (data.train,), steps=STEPS, lr=held_then_falling(RATE, STEPS), **plan)
    with torch.no_grad():
        rows = model.eval().codes(data.train)
    lr = held_then_falling(PRIOR_RATE, PRIOR_STEPS)
    fit(model.prior, (rows, data.labels["train"]), steps=PRIOR_STEPS, lr=lr, **plan)
    if seed == 0:
        evidence.keep_weights(weights, model)
    return results(model.eval(), data)


@torch.no_grad()
def results(model: CaptionedVQ, data) -> dict:
    x, given = data.test[:ASKED], data.labels["test"][:ASKED]
    attributes = attributes_of(given)
    new, codes = unseen(attributes), model.codes(x)
    lengths = -model.prior.log_prob(codes, given)
    row = {"data": split_read(x, attributes), "reconstructions": split_read(model.reconstruct(x), attributes)}
    for strength in STRENGTHS:
        drawn = model.sample_mean(ASKED, given, strength=strength, rng=torch.Generator().manual_seed(0))
        row[f"w = {strength:g}"] = split_read(drawn, attributes)
    row["nats"] = {"shown": lengths[~new].mean().item(), "unseen": lengths[new].mean().item()}
    train, told = data.train[:ASKED], data.labels["train"][:ASKED]
    row["nats"]["train"] = -model.prior.log_prob(model.codes(train), told).mean().item()
    row["nats"] = {name: round(value, 2) for name, value in row["nats"].items()}
    few = (~new).nonzero()[:WORTH, 0]
    return row | worth(model, codes[few], given[few])


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    weights = evidence.target("vae/captions", options).with_suffix(".safetensors")
    evidence.rows("vae/captions", PLAN, partial(run, weights), options, steps=STEPS, prior_steps=PRIOR_STEPS)
