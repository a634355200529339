"""StyleGAN for longer, on 8x8 digits and on MNIST at 16x16; both averaged generators are kept in half precision:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.style_weights --folder runs/style

MNIST's 28x28 pixels are framed to 32x32 and averaged over 2x2. A run that was stopped goes on. Set GMCOURSE_DATA to a
folder that holds MNIST, or let it be downloaded.
"""

import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.gan.stylegan import StyleGAN
from gmcourse.metrics import fidelity
from gmcourse.training import fit_adversarial

CLAIM = "gan/style_weights"
RUNS: dict[str, dict[str, Any]] = {
    "digits": {"model": {}, "steps": 1950, "lr": 7e-3},
    "mnist": {
        "model": {"channels": [32, 32, 16], "gamma": 1.0, "mixing": 0.3, "held": 300, "faded": 300},
        "steps": 6000,
        "lr": 5e-3,
    },
}


def pictures(data: str) -> tuple[Tensor, Tensor]:
    """Training and held-out pictures."""
    loaded = load(data)
    if data == "digits":
        return loaded.train, torch.cat([loaded.valid, loaded.test])
    train, test = (avg_pool2d(pad(x, (2, 2, 2, 2)), 2) for x in (loaded.train[:20_000], loaded.test))
    return train, test


def run(folder: Path, weights: Path, *, data: str, seed: int) -> dict[str, Any]:
    train, real = pictures(data)
    plan = RUNS[data]
    torch.manual_seed(seed)
    model, steps = StyleGAN(tuple(train.shape[1:]), **plan["model"]), plan["steps"]
    start = time.process_time()
    fit_adversarial(
        model,
        (train,),
        steps=steps,
        batch_size=32,
        lr=lambda step: plan["lr"] * min(1.0, 4 * (1 - step / steps)),
        betas=(0.0, 0.99),
        seed=seed,
        checkpoint=folder / f"style-{data}.pt",
        every=500,
        progress=False,
    )
    evidence.keep_weights(weights.with_suffix(".safetensors"), model.averaged, data)
    samples = model.sample(4 * 540, rng=torch.Generator().manual_seed(seed))
    row = {"seconds": round(time.process_time() - start, 1), "floor": evidence.rounded(fidelity(real, train), 3)}
    return plan | row | evidence.rounded(fidelity(real, samples), 3)


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    evidence.rows(
        CLAIM,
        [{"data": data, "seed": 0} for data in RUNS],
        partial(run, options.folder, evidence.target(CLAIM, options)),
        options,
    )


if __name__ == "__main__":
    main()
