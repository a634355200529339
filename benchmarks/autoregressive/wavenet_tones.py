"""WaveNet on whole notes and on chords of two, ten times as long as a lesson can: nats a sample, pitch, loudness.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.wavenet_tones --folder runs/wavenet-tones

The lesson's model, R = 255, on all 1,000 samples of each sound. Of chords it is told both classes, whose vectors are
added in each block; the pairs in HELD_OUT are kept from training, and asked for afterwards. The pitch of a note is
that of the judge `gmcourse.metrics.pitch`; a chord is right where the pair of pitches that holds most energy is the one
that was asked for. Sounds are drawn of the trained length and of twice that. The weights are kept, in half precision.
Stopped, it goes on from the checkpoints in the folder.
"""

from functools import partial
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive import WaveNet
from gmcourse.data import load
from gmcourse.data.synthetic import SAMPLE_RATE
from gmcourse.metrics import cents_off, loudness_left, pair_of_classes, pitch_class
from gmcourse.training import fit

CLAIM = "autoregressive/wavenet_tones"
SAMPLES, PART, BATCH = 1_000, 100, 2
DILATIONS = [2**i for i in range(7)] * 2
STEPS = {"tones": 5_000, "chords": 5_000}
PEAK, WARM = 6e-3, 100
HELD_OUT = ((0, 7), (2, 6), (3, 11), (4, 9), (1, 2), (5, 8))


def splits(kind: str) -> dict[str, tuple[Tensor, Tensor]]:
    """Train and test, and of chords the held-out pairs, from all that is there."""
    data = load(kind)
    parts = {split: (getattr(data, split), data.labels[split]) for split in ("train", "test")}
    if kind == "tones":
        return parts
    kept = {
        split: torch.tensor([tuple(pair) not in HELD_OUT for pair in c.tolist()]) for split, (_, c) in parts.items()
    }
    cut = {split: (x[kept[split]], c[kept[split]]) for split, (x, c) in parts.items()}
    x, c = (torch.cat([parts[split][i][~kept[split]] for split in parts]) for i in (0, 1))
    return cut | {"held out": (x, c)}


def nats(model: WaveNet, x: Tensor, classes: Tensor, most: int = 200) -> float:
    with torch.no_grad():
        parts = zip(x[:most].split(20), classes[:most].split(20), strict=True)
        return round(-torch.cat([model.log_prob(*part) for part in parts]).mean().item() / SAMPLES, 4)


def heard(sounds: Tensor, asked: Tensor) -> dict:
    """Is it what was asked for, how many cents off (notes alone), how much loudness is left after 1,000 and 2,000."""
    x = sounds[:, 0]
    judged = pitch_class(x, SAMPLE_RATE) if asked.dim() == 1 else pair_of_classes(x, SAMPLE_RATE)
    right = judged == asked if asked.dim() == 1 else (judged == asked).all(1)
    report = {"sounds": len(x), "right": int(right.sum())}
    if asked.dim() == 1:
        off = cents_off(x, SAMPLE_RATE, asked)[right].abs()
        report |= {"cents off, median": round(off.median().item(), 1), "largest": round(off.max().item(), 1)}
    first, last, left = (round(value, 4) for value in loudness_left(x[:, :SAMPLES], PART))
    return report | {"first": first, "last": last, "left": left, "left of twice": round(loudness_left(x, PART)[2], 4)}


def questions(kind: str) -> dict[str, Tensor]:
    """What is asked for: each class four times, or each pair once."""
    if kind == "tones":
        return {"drawn": torch.arange(12).repeat(4)}
    pairs = [pair for pair in combinations(range(12), 2) if pair not in HELD_OUT]
    return {"drawn": torch.tensor(pairs), "drawn, held out": torch.tensor(HELD_OUT).repeat(8, 1)}


def run(folder: Path, out: Path, *, sounds: str, seed: int) -> dict:
    """One model trained, scored on test, and listened to."""
    parts, steps = splits(sounds), STEPS[sounds]
    torch.manual_seed(seed)
    model = WaveNet(SAMPLES, DILATIONS, classes=12)
    rate = {"lr": lambda k: PEAK * min((k + 1) / WARM, 1 - k / steps), "clip": float(SAMPLES)}
    kept = {"checkpoint": folder / f"{sounds}.pt", "every": 250}
    history = fit(model, parts["train"], steps=steps, batch_size=BATCH, seed=seed, **rate, **kept)["loss"]
    evidence.keep_weights(out.with_name(f"wavenet_{sounds}.safetensors"), model)
    rng, longer = torch.Generator().manual_seed(seed), load(sounds, seconds=2 * SAMPLES / SAMPLE_RATE)
    drawn = {name: (model.sample(len(c), c, length=2 * SAMPLES, rng=rng), c) for name, c in questions(sounds).items()}
    curve = [round(sum(history[i : i + 250]) / 250 / SAMPLES, 3) for i in range(0, steps, 250)]
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "nats a sample": {split: nats(model, *part) for split, part in parts.items()},
        "data": heard(longer.test, longer.labels["test"]),
        **{name: heard(*pair) for name, pair in drawn.items()},
        "training curve, mean of 250 steps": curve,
    }


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    options = parser.parse_args()
    plan = [{"sounds": "tones", "seed": 0}, {"sounds": "chords", "seed": 0}]
    settings = {"steps": STEPS, "batch": BATCH, "peak rate": PEAK, "held out": [list(pair) for pair in HELD_OUT]}
    evidence.rows(CLAIM, plan, partial(run, options.folder, evidence.target(CLAIM, options)), options, **settings)


if __name__ == "__main__":
    main()
