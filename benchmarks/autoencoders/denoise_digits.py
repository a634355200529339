"""Denoising the 8 × 8 digits: the learning rate, chosen on the validation digits, and more steps at the least noise.

    OMP_NUM_THREADS=1 python -m benchmarks.autoencoders.denoise_digits

One layer of 128 units, batches of 128. Rows of the split "valid" choose one rate for all kinds and levels, by two seeds
of their own; rows of the split "test" keep that rate and ask, under Gaussian noise of 0.05, for the layer with and
without its SiLU ("none" is a linear network) at 500 and at 2,000 steps, five seeds. The error is the sum of squares
over the 64 pixels, mean over five draws of noise for each digit of the split.
"""

from functools import cache

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.autoencoders.autoencoder import squared_error
from gmcourse.autoencoders.corruption import Corruption, Kind
from gmcourse.autoencoders.denoising import denoising_autoencoder
from gmcourse.data import load
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

LEVELS = {"gaussian": (0.05, 0.2), "salt-and-pepper": (0.02, 0.1), "masking": (0.05, 0.25)}
ACTIVATIONS = {"SiLU": nn.SiLU, "none": nn.Identity}
LEAST = {"noise": "gaussian", "level": 0.05, "peak": 2e-2, "split": "test"}
PLAN = [
    *(
        {"noise": noise, "level": level, "peak": peak, "split": "valid", "act": "SiLU", "steps": 500, "seed": seed}
        for noise, levels in LEVELS.items()
        for level in levels
        for peak in (5e-3, 1e-2, 2e-2, 4e-2)
        for seed in (10, 11)
    ),
    *(LEAST | {"act": act, "steps": n, "seed": s} for act in ACTIVATIONS for n in (500, 2000) for s in range(5)),
]
digits = cache(lambda: load("digits"))


def run(noise: Kind, level: float, peak: float, split: str, act: str, steps: int, seed: int) -> dict:
    """The error on the split."""
    torch.manual_seed(seed)
    corruption = Corruption(noise, level)
    model = denoising_autoencoder((1, 8, 8), 128, corruption, ACTIVATIONS[act])
    plan = {"batch_size": 128, "lr": held_then_falling(peak, steps), "seed": seed, "progress": False}
    fit(model, (digits().train,), steps=steps, **plan)
    x = getattr(digits(), split).repeat(5, 1, 1, 1)
    spoilt = corruption.draw(x, torch.Generator().manual_seed(1))
    return {"error": round(squared_error(model.reconstruct(spoilt), x).mean().item(), 4)}


if __name__ == "__main__":
    evidence.rows("autoencoders/denoise_digits", PLAN, run, evidence.parser(__doc__).parse_args())
