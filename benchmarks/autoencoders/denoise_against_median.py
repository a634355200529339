"""Denoising MNIST: networks against a median filter, for three kinds of noise:

    OMP_NUM_THREADS=1 python -m benchmarks.autoencoders.denoise_against_median

A layer of 512 units (denoising autoencoder, the noise anew at every visit), a stack of 3 × 3 convolutions with the same
loss, median filters of 3 × 3 and 5 × 5 pixels, and nothing at all. The networks are trained for the kind and level that
they are tested at; steps and rates are the same for all. Errors are sums of squares over the 784 pixels, mean over
2,000 test pictures, each under one draw of noise, the same for all rivals. Seconds are CPU time.
"""

from collections.abc import Iterator
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.autoencoders.autoencoder import squared_error
from gmcourse.autoencoders.corruption import Corruption, Kind
from gmcourse.autoencoders.denoising import DenoisingAutoencoder, denoising_autoencoder
from gmcourse.data import load
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

SEEDS = range(3)
LEVELS = {"gaussian": (0.1, 0.3), "salt-and-pepper": (0.02, 0.1, 0.3), "masking": (0.1, 0.5)}
RECIPES = {
    "layer": {"steps": 1500, "batch_size": 128, "peak": 2e-3},
    "convolutions": {"steps": 600, "batch_size": 32, "peak": 3e-3},
}
digits = cache(lambda: load("mnist"))


def median(x: Tensor, side: int) -> Tensor:
    """The median of side × side pixels around each; the border is repeated."""
    wider = F.pad(x, (side // 2,) * 4, mode="replicate")
    return wider.unfold(2, side, 1).unfold(3, side, 1).flatten(4).median(4).values


def network(kind: str, corruption: Corruption) -> DenoisingAutoencoder:
    """An untrained one."""
    if kind == "layer":
        return denoising_autoencoder((1, 28, 28), 512, corruption, nn.SiLU)
    encoder = nn.Sequential(nn.Conv2d(1, 24, 3, padding=1), nn.SiLU(), nn.Conv2d(24, 24, 3, padding=1), nn.SiLU())
    return DenoisingAutoencoder(encoder, nn.Conv2d(24, 1, 3, padding=1), corruption)


def run(rival: str, noise: Kind, level: float, seed: int) -> dict:
    """The error of one rival."""
    x, corruption = digits().test[:2000], Corruption(noise, level)
    spoilt = corruption.draw(x, torch.Generator().manual_seed(1))
    if rival.startswith("median"):
        answer = median(spoilt, int(rival[-1]))
    elif rival == "nothing":
        answer = spoilt
    else:
        torch.manual_seed(seed)
        model, plan = network(rival, corruption), dict(RECIPES[rival])
        rate = held_then_falling(plan.pop("peak"), plan["steps"])
        fit(model, (digits().train,), lr=rate, seed=seed, progress=False, **plan)
        answer = torch.cat([model.reconstruct(part) for part in spoilt.split(250)])
    return {"test": round(squared_error(answer, x).mean().item(), 3)}


def plan() -> Iterator[dict]:
    """Every rival at every level; the networks with every seed."""
    for noise, levels in LEVELS.items():
        for level in levels:
            for rival in ("nothing", "median of 3", "median of 5", *RECIPES):
                seeds = SEEDS if rival in RECIPES else (0,)
                yield from ({"rival": rival, "noise": noise, "level": level, "seed": seed} for seed in seeds)


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    evidence.rows("autoencoders/denoise_against_median", plan(), run, options, recipes=RECIPES)
