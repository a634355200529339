"""Bouncing digits carried on by a VQ-VAE and a Transformer over its codes, against a copy, a ruler and a mirror.

    OMP_NUM_THREADS=1 python -m benchmarks.vae.clips

Trained on fresh motions of the training digits, 7 clips of each for the VQ-VAE and 20 for the prior; measured on the
360 clips of the test digits, four frames given and four to come. One row a seed and a "reach" of the prior: 1, whose
input at each place holds the codes beside it, or null, whose input does not; but for rounding the VQ-VAE is the same.
Lists have one entry a frame to come, means over the clips; positions in pixels, read from the frames by
`gmcourse.metrics.motion.places`. "line" carries the last step on, "path" the best bouncing path; "line_decoded" and
"path_decoded" read the given frames after the VQ-VAE, so that they know what its codes know. "read": the share of
frames in which the classifier reads the digit. Draws at the temperatures 1, 0.7 and 0.05. "mean_16": the mean picture
of 16 draws at temperature 0.7, of the first 60 clips. "nats": by slot of two frames, from codes before.
"""

import math
from functools import partial

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.choosing import temperature
from gmcourse.data import load
from gmcourse.data.motion import set_in_motion
from gmcourse.metrics.motion import best_path_kept, digits_seen, distance, last_kept, last_step_kept, places
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.quantizer import perplexity, usage
from gmcourse.vae.video import continuation_nll, continued, make_video_vq_vae
from gmcourse.vae.vq import VQVAE, UniformCodes

STEPS, PRIOR_STEPS, BATCH, RATE, SIZE, GIVEN, ROOM = 500, 800, 32, 6e-3, 128, 4, 8
DRAWS = {"drawn_100": 1.0, "drawn_70": 0.7, "drawn_5": 0.05}


def trained(seed: int, reach: int | None) -> tuple[VQVAE, Tensor]:
    """The two trainings, one after the other, and the codes that the prior has seen."""
    images, rng = load("digits").train[:, 0], torch.Generator().manual_seed(1_000 + seed)
    torch.manual_seed(seed)
    model = make_video_vq_vae(load("bouncing-digits"), SIZE, reach=reach)
    prior, model.prior = model.prior, UniformCodes(SIZE, math.prod(model.places))
    plan = {"batch_size": BATCH, "seed": seed, "progress": False}
    clips = set_in_motion(images.repeat(7, 1, 1), rng=rng).clips
    fit(model, (clips,), steps=STEPS, lr=held_then_falling(RATE, STEPS), **plan)
    model.eval()
    with torch.no_grad():
        codes = torch.cat([model.codes(set_in_motion(images, rng=rng).clips).flatten(1) for _ in range(20)])
    if reach is not None:
        prior.begin_with(model.quantizer.book)
    fit(prior, (codes,), steps=PRIOR_STEPS, lr=held_then_falling(RATE, PRIOR_STEPS), **plan)
    model.prior = prior
    return model.eval().requires_grad_(False), codes


def by_frame(values: Tensor) -> list[float]:
    """The mean over clips of what is to come, (n, T) → T − 4 numbers."""
    return [round(value, 3) for value in values[:, -GIVEN:].double().mean(0).tolist()]


def seen(clips: Tensor, x: Tensor, images: Tensor, label: Tensor, name: str) -> dict[str, list[float]]:
    """Position, squared error and reading, by frame."""
    found, truth = places(clips, images), places(x, images)
    return {
        name: by_frame(distance(found, truth)),
        f"{name}_squared": by_frame((clips - x).square().sum((1, 3, 4))),
        f"{name}_read": by_frame((digits_seen(clips, found) == label[:, None]).float()),
    }


def without_learning(given: Tensor, truth: Tensor, suffix: str = "") -> dict[str, list[float]]:
    ways = {
        "copy": last_kept(given, GIVEN),
        "line": last_step_kept(given, GIVEN, ROOM),
        "path": best_path_kept(given, GIVEN, ROOM),
    }
    return {name + suffix: by_frame(distance(way, truth[:, GIVEN:])) for name, way in ways.items()}


def measure(seed: int, reach: int | None) -> dict:
    model, codes = trained(seed, reach)
    x, images, label = load("bouncing-digits").test, load("digits").test[:, 0], load("digits").labels["test"]
    first, truth, again = x[:, :, :GIVEN], places(x, images), model.reconstruct(x)
    copy = torch.cat([first, first[:, :, -1:].expand(-1, -1, GIVEN, -1, -1)], 2)
    row = without_learning(truth[:, :GIVEN], truth)
    row |= without_learning(places(again, images)[:, :GIVEN], truth, "_decoded")
    row |= {k: v for k, v in seen(copy, x, images, label, "copy").items() if k != "copy"}
    row |= seen(x, x, images, label, "data") | seen(again, x, images, label, "again")
    for name, t in DRAWS.items():
        rng = torch.Generator().manual_seed(seed)
        drawn = continued(model, first, choose=partial(temperature, t=t), rng=rng)
        row |= seen(drawn, x, images, label, name)
    rng, few = torch.Generator().manual_seed(seed), slice(60)
    many = continued(model, first[few].repeat_interleave(16, 0), choose=partial(temperature, t=0.7), rng=rng)
    row |= seen(many.unflatten(0, (60, 16)).mean(1), x[few], images[few], label[few], "mean_16")
    left = torch.stack([continuation_nll(model, x, slot).mean() for slot in range(5)])
    return row | {
        "nats": [round(value, 2) for value in (left[:-1] - left[1:]).tolist()],
        "used": int((usage(codes, SIZE) > 0).sum()),
        "perplexity": round(perplexity(codes, SIZE), 1),
    }


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    settings = {"steps": STEPS, "prior_steps": PRIOR_STEPS, "batch": BATCH, "rate": RATE, "size": SIZE}
    plan = [{"seed": seed, "reach": reach} for reach, count in ((1, 5), (None, 3)) for seed in range(count)]
    evidence.rows("vae/clips", plan, measure, options, given=GIVEN, **settings)
