"""Pictures from captions by a game: which facts of its caption does each critic hear?

    OMP_NUM_THREADS=1 python -m benchmarks.gan.captions

The captioned digits, 16 × 16 in colour; ten of the sixty pairs of digit and style are in no training picture. 1,440
captions of the test split, every other with such a pair, one sample each. Shares of samples in which digit, place and
style are read as asked by `gmcourse.metrics.captioned`, which has seen no sample, for pairs that were shown and for
pairs that were not; the same shares of the test pictures themselves. Of the first seed of "projection" the generator's
weights are kept, in half precision.
"""

from functools import partial

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.data.captioned_digits import attributes_of, unseen
from gmcourse.gan.captioned import concatenating_cgan, naming_acgan, projecting_cgan
from gmcourse.metrics.captioned import digit_of, place_of, style_of
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit_adversarial

STEPS, BATCH, PEAK, SEEDS = 1_500, 64, 2e-3, 5
GAMES = {
    "concatenation": concatenating_cgan,
    "projection": projecting_cgan,
    "three heads": naming_acgan,
}


def read(x: Tensor, attributes: Tensor) -> dict[str, float]:
    """The share of pictures in which digit, place and style are those of `attributes`."""
    place, style = place_of(x), style_of(x)
    digit = digit_of(x, place, attributes[:, 2] == 5)
    right = (torch.stack([digit, place, style], 1) == attributes).float().mean(0)
    return {name: round(share, 4) for name, share in zip(("digit", "place", "style"), right.tolist(), strict=True)}


def run(game: str, seed: int, options) -> dict:
    data = load("captioned-digits")
    given = data.labels["test"]
    attributes = attributes_of(given)
    x, new = data.test, unseen(attributes)
    if game != "data":
        torch.manual_seed(seed)
        model = GAMES[game]()
        plan = {"steps": STEPS, "batch_size": BATCH, "lr": held_then_falling(PEAK, STEPS), "betas": (0.5, 0.99)}
        fit_adversarial(model, (data.train, data.labels["train"]), seed=seed, progress=False, **plan)
        x = model.sample(len(given), given, rng=torch.Generator().manual_seed(seed))
        if (game, seed) == ("projection", 0):
            evidence.keep_weights(evidence.target("gan/captions", options).with_suffix(".safetensors"), model.generator)
    return {"shown": read(x[~new], attributes[~new]), "unseen": read(x[new], attributes[new])}


if __name__ == "__main__":
    given = evidence.parser(__doc__).parse_args()
    evidence.rows(
        "gan/captions",
        [{"game": "data", "seed": 0}, *({"game": game, "seed": seed} for seed in range(SEEDS) for game in GAMES)],
        partial(run, options=given),
        given,
        training={"steps": STEPS, "batch_size": BATCH, "lr": PEAK, "betas": [0.5, 0.99]},
    )
