"""Glow on MNIST for longer: bits/dim and the fidelity of its samples against the CPU time of the training.

    OMP_NUM_THREADS=1 python -m benchmarks.flows.glow_digits --folder runs/glow-digits

One run with learned noise. Its rate is held, and what is measured is a running average of its weights: each row is the
end of a training of its own length, and a longer plan goes on where a shorter one ended. Stopped, it goes on from the
checkpoint in the folder. The averaged weights of the last row are kept beside the rows, in half precision. Set
GMCOURSE_DATA to a folder that holds the data, or let it be downloaded.
"""

import time
from copy import deepcopy
from functools import partial
from pathlib import Path

import torch
from torch import nn

from benchmarks import evidence
from benchmarks.flows.glow_mnist import BITS, IMAGES, K, measure, medians, report
from gmcourse.data import load
from gmcourse.flows.dequantise import Dequantized, Logit, VariationalNoise
from gmcourse.flows.glow import Glow
from gmcourse.metrics import fidelity
from gmcourse.training import fit

CLAIM = "flows/glow_digits"
SETTINGS = {"steps_of_flow": [4, 8], "width": [32, 64], "noise_width": 16, "batch": 16, "rate": 1.5e-3, "decay": 0.999}
STEPS = (1_000, 2_000, 4_000, 8_000, 16_000)  # then 32_000 …: a row more for each doubling
TEMPERATURES, SAMPLES = (1.0, 0.7), 1080


def deeper_glow() -> Dequantized:
    """Few steps at 14 × 14, where a step is dear, and more and wider ones at 7 × 7."""
    steps, width = SETTINGS["steps_of_flow"], SETTINGS["width"]
    flow = Glow((1, 28, 28), scales=2, steps=steps, width=width, before=[Logit()])
    noise = VariationalNoise(flow.event_shape, width=SETTINGS["noise_width"])
    return Dequantized(flow, 256, noise).to(memory_format=torch.channels_last)


class Averaged(nn.Module):
    """A model, the running average of its weights, and the CPU seconds that its training has taken."""

    seconds: torch.Tensor
    steps: torch.Tensor

    def __init__(self, model: Dequantized, decay: float):
        super().__init__()
        self.model, self.average, self.decay = model, deepcopy(model).requires_grad_(False), decay
        self.register_buffer("seconds", torch.zeros((), dtype=torch.float64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.clock = time.process_time()

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        return self.model.loss(x)

    @torch.no_grad()
    def after_step(self) -> None:
        """The average forgets slowly; early on, faster."""
        self.steps += 1
        weight = max(1 - self.decay, 10 / (10 + self.steps.item()))
        if self.steps == 1:
            self.average.load_state_dict(self.model.state_dict())  # actnorm has just seen its first batch
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), weight)
        now = time.process_time()
        self.seconds += now - self.clock
        self.clock = now


def run(folder: Path, kept: Path, *, seed: int, steps: int) -> dict:
    """Train up to `steps`, measure the average and keep it."""
    data = load("mnist")
    torch.manual_seed(seed)
    model = Averaged(deeper_glow(), SETTINGS["decay"])

    def lr(k: int) -> float:
        return SETTINGS["rate"] * min(1.0, (k + 1) / 200)

    plan = {"steps": steps, "batch_size": SETTINGS["batch"], "seed": seed, "clip": 50.0, "every": 100}
    optimizer = torch.optim.Adam(model.model.parameters())
    losses = fit(model, (data.train,), lr=lr, optimizer=optimizer, checkpoint=folder / f"{seed}.pt", **plan)["loss"]
    average = model.average.eval()
    evidence.keep_weights(kept, average)
    values = measure(average, data.test[:: len(data.test) // IMAGES], K, seed)
    return {
        "training CPU seconds": round(model.seconds.item()),
        "parameters": sum(p.numel() for p in average.parameters()),
        "bits_per_dim": {key: report(v) for key, v in values.items()},
        "fidelity": {str(T): faithful(average, data.test, T, seed) for T in TEMPERATURES},
        "floor": evidence.rounded(fidelity(data.test, data.train[:SAMPLES]), 4),
        "training curve, median of the last steps": medians([value / BITS for value in losses[-1000:]], 1000)[-1],
    }


def faithful(model: Dequantized, test: torch.Tensor, temperature: float, seed: int) -> dict:
    rng = torch.Generator().manual_seed(seed)
    parts = [model.sample(SAMPLES // 10, rng=rng, temperature=temperature) for _ in range(10)]
    return evidence.rounded(fidelity(test, torch.cat(parts)), 4)


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoint")
    options = parser.parse_args()
    kept = evidence.target(CLAIM, options).with_suffix(".safetensors")
    plan = [{"seed": 0, "steps": steps} for steps in STEPS]
    evidence.rows(CLAIM, plan, partial(run, options.folder, kept), options, test_images=IMAGES, **SETTINGS)


if __name__ == "__main__":
    main()
