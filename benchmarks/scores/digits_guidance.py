"""Digits by class: bits per dimension of the probability flow, and what the strength of guidance does, five seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.scores.digits_guidance

One network a seed, told the class of nine rows in ten. The bound on bits is of all 360 test digits, one draw and one
probe each, by the network that is told no class. Of 540 guided draws, as
many of each class as there are among the 540 digits that are held out: "right" is the share whose nearest training
digit has the class that was asked for, "spread" the standard deviation of a pixel within a class, mean over classes
and pixels; Fréchet distance, precision and recall are the course's."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks import evidence
from benchmarks.evidence import labels
from gmcourse.data import Dataset, load
from gmcourse.flows.continuous import draw_probe, hutchinson_trace
from gmcourse.metrics import fidelity
from gmcourse.nets import UNet
from gmcourse.schedules import held_then_falling
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.guidance import guided
from gmcourse.scores.sde import ScoreSDE, reverse_sde
from gmcourse.training import fit

SEEDS, STEPS, BATCH, RATE, LOW = range(5), 1_200, 96, 3e-3, 0.02
CALLS, STRENGTHS = 50, {0.0: (0.0, 1.0, 3.0, 7.0), 1.0: (0.0, 1.0, 3.0)}


def bits(model: ScoreSDE, x: Tensor, rng: torch.Generator) -> Tensor:
    """A bound on the code length of each picture, bits per pixel."""
    noise = torch.randn(x.shape, generator=rng)
    y = x + LOW * noise
    probe = draw_probe(y.flatten(1), "rademacher", rng)
    log_p = model.log_prob(y, trace=partial(hutchinson_trace, probe=probe)).detach()
    logits = -((y[..., None] - torch.arange(17) / 16) ** 2) / (2 * LOW**2)
    log_back = logits.log_softmax(-1).gather(-1, (x * 16).round().long()[..., None]).flatten(1).sum(1)
    log_q = -(noise.square() / 2 + math.log(LOW * math.tau**0.5)).flatten(1).sum(1)
    return -(log_p + log_back - log_q) / (64 * math.log(2))


def draws(model: ScoreSDE, churn: float, strength: float, seed: int) -> Tensor:
    """As many of each class as are held out, from the same noise at every strength and churn."""
    rng, told = torch.Generator().manual_seed(seed), labels(load("digits"), "valid", "test")
    high, spread = model.ends[1], model.denoiser.spread
    noise = torch.randn(len(told), 1, 8, 8, generator=rng)
    sigmas = torch.logspace(math.log10(high), math.log10(LOW), CALLS + 1)
    with torch.no_grad():
        score = guided(model.denoiser.score, told, strength)
        start = model.denoiser.centre + math.hypot(spread, high) * noise
        return reverse_sde(score, start, sigmas, churn=churn, rng=rng).clamp(0, 1)


def judged(digits: Dataset, drawn: Tensor) -> dict[str, float]:
    """Right, spread, Fréchet distance, precision, recall of pictures that should have the held-out digits' classes."""
    told = labels(digits, "valid", "test")
    nearest = torch.cdist(drawn.flatten(1), digits.train.flatten(1)).argmin(1)
    quality = fidelity(torch.cat([digits.valid, digits.test]), drawn)
    return {
        "right": round((labels(digits, "train")[nearest] == told).double().mean().item(), 4),
        "spread": round(torch.stack([drawn[told == c].std(0).mean() for c in range(10)]).mean().item(), 4),
        "frechet": round(quality.frechet, 2),
        "precision": round(quality.precision, 4),
        "recall": round(quality.recall, 4),
    }


def run(seed: int) -> dict[str, Any]:
    """One network, all strengths and both samplers."""
    digits = load("digits")
    torch.manual_seed(seed)
    spread, centre = digits.train.std().item(), digits.train.mean().item()
    model = ScoreSDE(Denoiser(UNet(1, (16, 32), classes=10), spread, centre), (1, 8, 8), smallest=LOW / spread)
    rate = held_then_falling(RATE, STEPS)
    batch = digits.batch("train", told=True)
    fit(model, batch, steps=STEPS, batch_size=BATCH, lr=rate, seed=seed, clip=10.0, progress=False)
    found = bits(model, digits.test, torch.Generator().manual_seed(seed))
    row: dict[str, Any] = {"bits": round(found.mean().item(), 4)}
    for churn, strengths in STRENGTHS.items():
        for strength in strengths:
            row[f"{churn:g}, {strength:g}"] = judged(digits, draws(model, churn, strength, seed))
    return row


def plan() -> Iterator[dict]:
    yield from ({"seed": seed} for seed in SEEDS)


if __name__ == "__main__":
    about = {"steps": STEPS, "batch_size": BATCH, "lr": RATE, "low": LOW, "calls": CALLS}
    evidence.rows("scores/digits_guidance", plan(), run, evidence.parser(__doc__).parse_args(), **about)
