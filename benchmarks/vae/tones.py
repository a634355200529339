"""Tones from captions by two levels and by one: what a level keeps of a note, and whether the pitch asked for sounds.

    python -m benchmarks.vae.tones

Two seeds. A note of 960 samples becomes 30 top codes and 120 bottom codes, by two autoencoders trained apart. A
caption c is a pitch and "short" or "long". Three ways to the bottom codes, which end in the same decoder: p(t|c) and
p(b|t), as in the package; p(t|c) and p(b|t, c), so that the words are handed to each place of both levels; and p(b|c),
without a top. Each prior has 500 updates, so that two levels, with two priors, have twice as many. 240 notes are drawn,
ten of each caption; "nats" are the lengths of the codes of the test notes. Further rows add a spectral term to the loss
of the top. Of the first seed the weights of the package's model are kept, in half precision.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics.sound import energy_kept, pitch_class, ringing, signal_to_noise
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.rows import above
from gmcourse.vae.spectral import SpectralDistance, relative_spectral_error
from gmcourse.vae.tones import captioned_tones, prior_under

SAMPLES, RATE_HZ, HOPS, SIZE = 960, 4_000, (32, 8), 64
STEPS, RATE, PRIOR_STEPS, PRIOR_RATE, BATCH, PRIOR_BATCH, SPECTRAL = 400, 3e-3, 500, 4e-3, 32, 16, 3.0
WORDS, TOP, BOTTOM = 14, SAMPLES // HOPS[0], SAMPLES // HOPS[1]  # twelve pitches, "short", "long"
PLAN = [{"seed": seed, "spectral": weight} for seed in range(2) for weight in (0.0, SPECTRAL)]


def captions(x: Tensor, pitch: Tensor, middle: float) -> Tensor:
    """Pitch and length as words, (n, 2): long where the sound rings on for more than `middle`."""
    return torch.stack([pitch, 12 + (ringing(x[:, 0]) > middle).long()], 1)


def kept(model, x: Tensor, pitch: Tensor) -> dict[str, float]:
    """What a level keeps of the test notes."""
    answer = model.reconstruct(x)
    measures = {"snr": signal_to_noise, "spectral_error": relative_spectral_error, "energy": energy_kept}
    row = {name: measure(answer, x).mean().item() for name, measure in measures.items()}
    right = pitch_class(answer[:, 0], RATE_HZ) == pitch
    return {name: round(value, 4) for name, value in (row | {"pitch": right.float().mean().item()}).items()}


def heard(x: Tensor, given: Tensor, middle: float) -> dict[str, object]:
    """The share of sounds with the pitch and the length that were asked for; of each pitch, its own."""
    pitch = pitch_class(x[:, 0], RATE_HZ) == given[:, 0]
    length = (ringing(x[:, 0]) > middle).long() == given[:, 1] - 12
    return {
        "pitch": round(pitch.float().mean().item(), 4),
        "length": round(length.float().mean().item(), 4),
        "by_pitch": [round(pitch[given[:, 0] == note].float().mean().item(), 3) for note in range(12)],
    }


class WithSpectra(torch.nn.Module):
    """A level whose loss has a spectral term, too."""

    def __init__(self, level, weight: float):
        super().__init__()
        self.level, self.distance = level, SpectralDistance(weight)

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        values, _, terms = self.level.quantizer(self.level.encode(x))
        answer = self.level.decoder(values)
        residual = -self.level.likelihood.log_prob(x, answer).mean()
        return {"residual": residual, "spectral": self.distance(answer, x).mean(), **terms}

    def after_step(self) -> None:
        self.level.after_step()


def run(weights: Path, seed: int, spectral: float) -> dict:
    data = load("tones")
    train, test = data.train[..., :SAMPLES], data.test[..., :SAMPLES]
    pitch = {split: evidence.labels(data, split) for split in ("train", "test")}
    torch.manual_seed(seed)
    model = captioned_tones(SAMPLES, WORDS, 2, HOPS, SIZE)
    plan = {"steps": STEPS, "lr": held_then_falling(RATE, STEPS), "batch_size": BATCH, "seed": seed, "progress": False}
    top, bottom = model.levels.top, model.levels.bottom
    fit(WithSpectra(top, spectral) if spectral else top, (train,), **plan)
    row: dict = {"top": kept(top.eval(), test, pitch["test"])}
    if spectral:
        return row
    fit(bottom, (train,), **plan)
    row["bottom"] = kept(bottom.eval(), test, pitch["test"])
    middle = ringing(train[:, 0]).median().item()
    said = captions(train, pitch["train"], middle), captions(test, pitch["test"], middle)
    single, told = trained_priors(model, train, said[0], seed)
    if seed == 0:
        evidence.keep_weights(weights, model)
    return row | {"nats": nats(model.eval(), single, told, test, said[1])} | drawn(model, single, told, middle)


def words_and_top(given: Tensor, top: Tensor) -> Tensor:
    """One prefix: the words, then the top codes, whose ids come after those of the words."""
    return torch.cat([given, WORDS + top], 1)


def trained_priors(model, train: Tensor, given: Tensor, seed: int) -> tuple[CaptionPrior, CaptionPrior]:
    """The model's p(t|c) and p(b|t) are trained; so are p(b|c) and p(b|t, c), which are given back."""
    with torch.no_grad():
        top, bottom = (codes.flatten(1) for codes in model.levels.codes(train))
    words = torch.ones(BOTTOM, 2)
    single = prior_under(words, WORDS, SIZE)
    told = prior_under(torch.cat([words, above((TOP,), (BOTTOM,))], 1), WORDS + SIZE, SIZE)
    plan = {"steps": PRIOR_STEPS, "lr": held_then_falling(PRIOR_RATE, PRIOR_STEPS), "batch_size": PRIOR_BATCH}
    plan |= {"seed": seed, "progress": False}
    fit(model.prior, (top, given), **plan)
    fit(model.levels.prior, (bottom, top), **plan)
    fit(single, (bottom, given), **plan)
    fit(told, (bottom, words_and_top(given, top)), **plan)
    return single.eval(), told.eval()


@torch.no_grad()
def nats(model, single: CaptionPrior, told: CaptionPrior, x: Tensor, given: Tensor) -> dict[str, float]:
    """What the codes of a note cost, by each prior, the mean over the notes."""
    top, bottom = (codes.flatten(1) for codes in model.levels.codes(x))
    log_probs = {
        "t|c": model.prior.log_prob(top, given),
        "b|t": model.levels.prior.log_prob(bottom, top),
        "b|t, c": told.log_prob(bottom, words_and_top(given, top)),
        "b|c": single.log_prob(bottom, given),
    }
    return {name: round(-log_p.mean().item(), 2) for name, log_p in log_probs.items()}


def drawn(model, single: CaptionPrior, told: CaptionPrior, middle: float) -> dict[str, dict]:
    """What is heard of the notes that are drawn in each of the three ways."""
    asked = torch.cartesian_prod(torch.arange(12), torch.arange(12, 14)).repeat(10, 1)
    n, rng = len(asked), torch.Generator().manual_seed(0)
    top = model.prior.sample(n, asked, rng=rng)
    ways = {
        "two levels": model.levels.prior.sample(n, top, rng=rng),
        "two levels, words below": told.sample(n, words_and_top(asked, top), rng=rng),
        "one level": single.sample(n, asked, rng=rng),
    }
    return {name: heard(model.levels.bottom.decode(codes), asked, middle) for name, codes in ways.items()}


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    weights = evidence.target("vae/tones", options).with_suffix(".safetensors")
    evidence.rows("vae/tones", PLAN, partial(run, weights), options, steps=STEPS, prior_steps=PRIOR_STEPS)
