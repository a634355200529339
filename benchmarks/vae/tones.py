"""Tones from captions by two levels and by one: what a level keeps of a note, and whether the pitch asked for sounds.

    python -m benchmarks.vae.tones

Three seeds. A note of 960 samples becomes 30 top codes and 120 bottom codes, by two autoencoders trained apart. A
caption is a pitch and "short" or "long". Two levels: caption → top codes → bottom codes; one level: caption → bottom
codes. Both end in the same decoder. Each prior has as many updates, so that two levels, with two priors, have twice as
many; and p(b|t) is not told the words, while the rival is told them at each code: two differences, not taken apart
here. 240 samples, ten of each caption. Further rows add a spectral term to the loss of the top. Of the first seed the
weights are kept, in half precision.
"""

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics.sound import energy_kept, pitch_class, ringing, signal_to_noise
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.spectral import SpectralDistance, relative_spectral_error
from gmcourse.vae.tones import captioned_tones, words_prior

SAMPLES, RATE_HZ, HOPS, SIZE = 960, 4_000, (32, 8), 64
STEPS, RATE, PRIOR_STEPS, PRIOR_RATE, BATCH, PRIOR_BATCH, SPECTRAL = 400, 3e-3, 500, 4e-3, 32, 16, 3.0
WORDS = 14  # twelve pitches, "short", "long"


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
    """The share of sounds with the pitch and the length that were asked for; of each pitch and length, its own."""
    pitch = pitch_class(x[:, 0], RATE_HZ) == given[:, 0]
    length = (ringing(x[:, 0]) > middle).long() == given[:, 1] - 12
    return {
        "pitch": round(pitch.float().mean().item(), 4),
        "length": round(length.float().mean().item(), 4),
        "by_pitch": [round(pitch[given[:, 0] == note].float().mean().item(), 3) for note in range(12)],
        "by_length": [round(length[given[:, 1] == word].float().mean().item(), 3) for word in (12, 13)],
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


def measure(seed: int, spectral: float, options) -> dict:
    data = load("tones")
    train, test = data.train[..., :SAMPLES], data.test[..., :SAMPLES]
    torch.manual_seed(seed)
    model = captioned_tones(SAMPLES, WORDS, 2, HOPS, SIZE)
    plan = {"steps": STEPS, "lr": held_then_falling(RATE, STEPS), "batch_size": BATCH, "seed": seed, "progress": False}
    top = model.levels.top
    fit(WithSpectra(top, spectral) if spectral else top, (train,), **plan)
    row = {"top": kept(top.eval(), test, data.labels["test"])}
    if spectral:
        return row
    fit(model.levels.bottom, (train,), **plan)
    row["bottom"] = kept(model.levels.bottom.eval(), test, data.labels["test"])
    return row | priors(model, train, data.labels["train"], seed, options)


def priors(model, train: Tensor, pitch: Tensor, seed: int, options) -> dict:
    """Two levels of priors and one, and what is heard of each."""
    middle = ringing(train[:, 0]).median().item()
    given = captions(train, pitch, middle)
    with torch.no_grad():
        top, bottom = (codes.flatten(1) for codes in model.levels.codes(train))
    single = words_prior(SAMPLES // HOPS[1], SIZE, WORDS, 2)
    plan = {"steps": PRIOR_STEPS, "lr": held_then_falling(PRIOR_RATE, PRIOR_STEPS), "batch_size": PRIOR_BATCH}
    plan |= {"seed": seed, "progress": False}
    fit(model.prior, (top, given), **plan)
    fit(model.levels.prior, (bottom, top), **plan)
    fit(single, (bottom, given), **plan)
    if seed == 0:
        evidence.keep_weights(evidence.target("vae/tones", options).with_suffix(".safetensors"), model)
    asked = torch.cartesian_prod(torch.arange(12), torch.arange(12, 14)).repeat(10, 1)
    two = model.eval().sample_mean(len(asked), asked, rng=torch.Generator().manual_seed(0))
    codes = single.sample(len(asked), asked, rng=torch.Generator().manual_seed(0))
    one = model.levels.bottom.decode(codes)
    data = heard(train, given, middle)
    return {
        "middle": middle,
        "data": data,
        "two levels": heard(two, asked, middle),
        "one level": heard(one, asked, middle),
    }


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    plan = [{"seed": seed, "spectral": weight} for weight in (0.0, SPECTRAL) for seed in range(3)]
    evidence.rows(
        "vae/tones",
        plan,
        lambda seed, spectral: measure(seed, spectral, options),
        options,
        steps=STEPS,
        rate=RATE,
        prior_steps=PRIOR_STEPS,
        prior_rate=PRIOR_RATE,
        batch=BATCH,
        prior_batch=PRIOR_BATCH,
    )
