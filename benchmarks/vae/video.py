"""Bouncing digits carried on: a causal VQ-VAE and a Transformer over its codes against a copy, a ruler and a mirror.

    python -m benchmarks.vae.video

Trained on six fresh motions of each training digit; measured on the 360 clips of the test digits, four frames given and
four to come. One row a seed. Lists have one entry a frame to come. The place of a digit is where the clip is most like
it, `gmcourse.metrics.motion`; there the course's classifier reads it. A draw has the
temperature of its row.
"""

import math
from functools import partial

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.choosing import temperature
from gmcourse.data import load
from gmcourse.data.motion import set_in_motion
from gmcourse.metrics.motion import (
    best_path_kept,
    digits_seen,
    distance,
    last_kept,
    last_step_kept,
    places,
    position_error,
)
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.quantizer import perplexity, usage
from gmcourse.vae.video import continuation_nll, continued, known_codes, make_video_vq_vae
from gmcourse.vae.vq import VQVAE, UniformCodes

STEPS, RATE, PRIOR_STEPS, PRIOR_RATE, BATCH, MOTIONS, GIVEN, ROOM = 300, 3e-3, 600, 2e-3, 32, 6, 4, 8


def trained(seed: int) -> tuple[VQVAE, Tensor]:
    """The two trainings, one after the other, and the clips that both have seen."""
    data, still = load("bouncing-digits"), load("digits")
    rng = torch.Generator().manual_seed(1_000 + seed)
    clips = set_in_motion(still.train[:, 0].repeat(MOTIONS, 1, 1), rng=rng).clips
    torch.manual_seed(seed)
    model = make_video_vq_vae(data)
    prior, model.prior = model.prior, UniformCodes(model.quantizer.size, math.prod(model.places))
    plan = {"batch_size": BATCH, "seed": seed, "progress": False}
    fit(model, (clips,), steps=STEPS, lr=held_then_falling(RATE, STEPS), **plan)
    with torch.no_grad():
        codes = torch.cat([model.eval().codes(part).flatten(1) for part in clips.split(500)])
    fit(prior, (codes,), steps=PRIOR_STEPS, lr=held_then_falling(PRIOR_RATE, PRIOR_STEPS), **plan)
    model.prior = prior
    return model.eval(), codes


def by_frame(values: Tensor) -> list[float]:
    """The mean over clips, (n, T) → T numbers."""
    return [round(value, 3) for value in values.double().mean(0).tolist()]


def squared(guess: Tensor, x: Tensor) -> Tensor:
    """Summed over pixels, (n, T)."""
    return (guess - x).square().sum((1, 3, 4))


def measure(seed: int, temperature_of_draw: float) -> dict:
    model, codes = trained(seed)
    model.requires_grad_(False)
    x, images, label = load("bouncing-digits").test, load("digits").test[:, 0], load("digits").labels["test"]
    truth, ahead = places(x, images), slice(GIVEN, None)
    choose = partial(temperature, t=temperature_of_draw)
    drawn = continued(model, x[:, :, :GIVEN], choose=choose, rng=torch.Generator().manual_seed(seed))
    again, copy = model.reconstruct(x), x[:, :, GIVEN - 1 : GIVEN].expand(-1, -1, 4, -1, -1)
    known, coming = truth[:, :GIVEN], truth[:, GIVEN:]
    lines = {"line": last_step_kept(known, 4, ROOM), "best_path": best_path_kept(known, 4, ROOM)}
    half = continuation_nll(model, x, GIVEN // 2)
    read = {"drawn": drawn, "again": again, "data": x}
    return {
        "drawn": by_frame(position_error(drawn, images, truth)[:, ahead]),
        "copy": by_frame(distance(last_kept(known, 4), coming)),
        **{name: by_frame(distance(path, coming)) for name, path in lines.items()},
        "again": by_frame(position_error(again, images, truth)[:, ahead]),
        "drawn_squared": by_frame(squared(drawn, x)[:, ahead]),
        "copy_squared": by_frame(squared(copy, x[:, :, ahead])),
        "again_squared": by_frame(squared(again, x)[:, ahead]),
        "mean_squared": by_frame(squared(x.mean((0, 2), keepdim=True).expand_as(x), x)[:, ahead]),
        **{
            f"{name}_read": by_frame((digits_seen(clip, places(clip, images)) == label[:, None]).float()[:, ahead])
            for name, clip in read.items()
        },
        "half_nats": round(half.mean().item(), 2),
        "half_uniform": round(32 * math.log(model.quantizer.size), 2),
        "whole_nats": round(continuation_nll(model, x, 0).mean().item(), 2),
        "used": int((usage(codes, model.quantizer.size) > 0).sum()),
        "perplexity": round(perplexity(codes, model.quantizer.size), 1),
        "causal": (known_codes(model, x[:, :, :GIVEN]) == model.codes(x).flatten(1)[:, :32]).float().mean().item(),
    }


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    plan = [{"seed": seed, "temperature_of_draw": 0.7} for seed in range(5)]
    settings = {"steps": STEPS, "rate": RATE, "prior_steps": PRIOR_STEPS, "prior_rate": PRIOR_RATE, "batch": BATCH}
    evidence.rows("vae/video", plan, measure, options, motions=MOTIONS, given=GIVEN, **settings)
