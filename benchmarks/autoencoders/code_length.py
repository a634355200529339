"""What a code of k numbers loses on the 8 × 8 digits, five seeds each, and what it costs in bits:

    OMP_NUM_THREADS=1 python -m benchmarks.autoencoders.code_length

Deep and convolutional autoencoders, 2,500 steps each, and linear ones, 3,000 steps of Adam on batches or on all
pictures, in which the largest angle between the decoder's columns and the principal subspace is measured. Errors are
sums of squares over the 64 pixels, mean over pictures; codes are rounded to multiples of a step times each number's
own standard deviation. Seconds are CPU time.
"""

from collections.abc import Iterator

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.autoencoders.autoencoder import Autoencoder, conv_autoencoder, deep_autoencoder
from gmcourse.autoencoders.coding import rounded_codes
from gmcourse.autoencoders.linear import covariance, principal_angles, principal_subspace
from gmcourse.data import load
from gmcourse.record import held_then_falling_plan
from gmcourse.training import fit

SEEDS, WIDTHS = range(5), [2.0, 1.5, 1.0, 0.7, 0.5, 0.35, 0.25, 0.18]
DEEP = {"steps": 2500, "batch_size": 128, "peak": 2e-3}
LINEAR = {"steps": 3000, "peak": 1e-2}
MODELS = {"deep": deep_autoencoder, "convolutional": conv_autoencoder}
PLAN = [("deep", 2), ("deep", 4), ("deep", 8), ("deep", 16), ("convolutional", 8)]
DIGITS = load("digits")


def nonlinear(model: str, k: int, seed: int) -> dict:
    """The errors, and bits and error at each width of the steps."""
    torch.manual_seed(seed)
    net = MODELS[model]((1, 8, 8), k)
    fit(net, (DIGITS.train,), seed=seed, progress=False, **held_then_falling_plan(**DEEP))
    with torch.no_grad():
        z_train, z = net.encode(DIGITS.train), net.encode(DIGITS.test)
        std = z_train.std(0)
        coded = [rounded_codes(z_train / std, z / std, lambda u: net.decode(u * std), DIGITS.test, w) for w in WIDTHS]
        errors = {split: round(net.loss(getattr(DIGITS, split)).item(), 4) for split in ("train", "test")}
    return errors | {"coded": [[round(number, 3) for number in point] for point in coded]}


def linear(k: int, batch_size: int, seed: int) -> dict:
    """Mean error on the training pictures, and the largest angle of the decoder's columns, in radians."""
    torch.manual_seed(seed)
    x = DIGITS.train.flatten(1)
    decoder = nn.Linear(k, 64)
    net, plan = Autoencoder(nn.Linear(64, k), decoder), held_then_falling_plan(batch_size=batch_size, **LINEAR)
    fit(net, (x,), seed=seed, progress=False, **plan)
    basis, _ = principal_subspace(covariance(x.double()), k)
    angle = principal_angles(basis, decoder.weight.detach().double()).max()
    return {"train": round(net.loss(x).item(), 4), "angle": round(angle.item(), 4)}


def run(model: str, k: int, seed: int, batch_size: int = 128) -> dict:
    """One model."""
    return linear(k, batch_size, seed) if model == "linear" else nonlinear(model, k, seed)


def plan() -> Iterator[dict]:
    """Every model with every seed."""
    yield from ({"model": model, "k": k, "seed": seed} for model, k in PLAN for seed in SEEDS)
    for batch_size in (128, len(DIGITS.train)):
        yield from ({"model": "linear", "k": 8, "batch_size": batch_size, "seed": seed} for seed in SEEDS)


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    evidence.rows("autoencoders/code_length", plan(), run, options, deep=DEEP, linear=LINEAR, widths=WIDTHS)
