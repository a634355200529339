"""WaveNet on tones: what reach is worth at equal depth, equal size and equal steps.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.wavenet_reach

Fourteen blocks, told the class, on the first 0.1 s of each note. Dilations 1, 2, …, 64 twice see 255 samples back, all
dilations 1 see 15, less than a period of the lowest note. Five seeds each; one rule for all rows. Of 48 notes drawn, 4
a class: is the pitch right, and how much of the loudness is left after 0.075 s? Of seed 0 the first twelve are kept.
"""

from base64 import b64encode

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive import WaveNet
from gmcourse.autoregressive.mu_law import encode
from gmcourse.data import load
from gmcourse.data.synthetic import SAMPLE_RATE
from gmcourse.metrics import loudness_left, pitch_class
from gmcourse.training import fit, mean_loss

CLAIM = "autoregressive/wavenet_reach"
SAMPLES, PART = 400, 100  # of a note; of its first and last quarter
DILATIONS = {255: [2**i for i in range(7)] * 2, 15: [1] * 14}
RECIPE = {"steps": 1_000, "batch_size": 4, "peak": 8e-3, "warm": 30}


def trained(x: Tensor, labels: Tensor, reach: int, seed: int) -> WaveNet:
    """Adam; the rate rises over a few steps, then falls to 0 in a straight line."""
    steps = RECIPE["steps"]
    torch.manual_seed(seed)
    model = WaveNet(SAMPLES, DILATIONS[reach], classes=12)
    rate = {"lr": lambda k: RECIPE["peak"] * min((k + 1) / RECIPE["warm"], 1 - k / steps), "clip": float(SAMPLES)}
    fit(model, (x, labels), steps=steps, batch_size=RECIPE["batch_size"], seed=seed, **rate)
    return model


def heard(notes: Tensor, classes: Tensor) -> dict:
    """Pitches that are right, and the loudness of the first and the last part and their ratio."""
    right = (pitch_class(notes, SAMPLE_RATE) == classes).sum().item()
    first, last, left = (round(value, 4) for value in loudness_left(notes, PART))
    return {"notes": len(notes), "pitch right": right, "first": first, "last": last, "left": left}


def run(*, reach: int, seed: int) -> dict:
    """One model trained, its nats a sample on test, and its notes listened to."""
    data = load("tones")
    cut = {split: (getattr(data, split)[..., :SAMPLES], data.labels[split]) for split in ("train", "test")}
    if reach == 0:
        return heard(cut["test"][0][:, 0], cut["test"][1])
    model, classes = trained(*cut["train"], reach, seed), torch.arange(12).repeat(4)
    notes = model.sample(48, classes, rng=torch.Generator().manual_seed(seed))
    nats = {split: round(mean_loss(model, cut[split], 100) / SAMPLES, 4) for split in cut}
    size = sum(p.numel() for p in model.parameters())
    kept = {"one note a class, codes": as_text(notes[:12, 0])} if seed == 0 else {}
    return {"parameters": size, "nats a sample": nats, **heard(notes[:, 0], classes), **kept}


def as_text(notes: Tensor) -> str:
    """Their μ-law codes, a byte a sample, in base64."""
    return b64encode(encode(notes).to(torch.uint8).numpy().tobytes()).decode()


def main() -> None:
    plan = [{"reach": reach, "seed": seed} for seed in range(5) for reach in (255, 15)]
    data = [{"reach": 0, "seed": 0}]  # the data themselves
    evidence.rows(CLAIM, data + plan, run, evidence.parser(__doc__).parse_args(), recipe=RECIPE, samples=SAMPLES)


if __name__ == "__main__":
    main()
