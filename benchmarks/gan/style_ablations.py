"""What mapping, AdaIN, noise, mixing and fading are each worth on 8x8 digits, beside a GAN without styles:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.style_ablations

Each row changes one thing of "full". Beside the course's three numbers it holds: truncation and which layers decide
what (models with styles that are told apart), a detector of fakes before and after a copy of another size ("full" and
the GAN without styles), and the generator's loss around the switch of resolutions. Seconds are those of a row.
"""

from collections.abc import Callable
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.gan.detection import fit_detector, resampled, spectrum_features
from gmcourse.gan.editing import ink, shares, slant, thickness
from gmcourse.gan.style import mix
from gmcourse.gan.stylegan import StyleGAN
from gmcourse.metrics import auroc, fidelity
from gmcourse.metrics.classifier import digit_class
from gmcourse.training import fit_adversarial

TRAINING: dict[str, Any] = {"channels": [32, 16], "held": 100, "faded": 100, "steps": 500, "batch_size": 32}
TRAINING |= {"lr": 7e-3, "betas": [0.0, 0.99]}
SEEDS = range(5)
VARIANTS: dict[str, dict[str, Any]] = {
    "full": {},
    "no styles": {"styled": False, "mixing": 0.0},
    "no mapping": {"mapped": False},
    "no normalisation": {"normalised": False},
    "no noise": {"noisy": False},
    "no mixing": {"mixing": 0.0},
    "no fading": {"faded": 0, "held": 200},
}
PSI = (0.0, 0.3, 0.5, 0.7, 0.85, 1.15)
ATTRIBUTES: dict[str, Callable[[Tensor], Tensor]] = {"slant": slant, "thickness": thickness, "ink": ink}


def held_out() -> Tensor:
    digits = load("digits")
    return torch.cat([digits.valid, digits.test])


def train(variant: str, seed: int) -> tuple[StyleGAN, dict[str, Any]]:
    """The trained model; the generator's loss ten steps before the switch to 8x8, ten after, and the largest of 50."""
    options = {key: TRAINING[key] for key in ("channels", "held", "faded")} | VARIANTS[variant]
    torch.manual_seed(seed)
    model, steps, rate = StyleGAN((1, 8, 8), **options), TRAINING["steps"], TRAINING["lr"]
    history = fit_adversarial(
        model,
        (load("digits").train,),
        steps=steps,
        batch_size=TRAINING["batch_size"],
        lr=lambda step: rate * min(1.0, 4 * (1 - step / steps)),
        betas=tuple(TRAINING["betas"]),
        seed=seed,
        progress=False,
    )["generator_loss"]
    at = options["held"]
    switch = (
        [fmean(history[max(0, at - 10) : at]), fmean(history[at : at + 10]), max(history[at : at + 50])] if at else []
    )
    return model, {"switch": [round(value, 3) for value in switch]}


def truncated(model: StyleGAN, seed: int) -> dict[str, Any]:
    """Fréchet distance, precision and recall of 540 samples for each ψ."""
    rng = torch.Generator()
    found = {psi: fidelity(held_out(), model.sample(540, rng=rng.manual_seed(seed), psi=psi)) for psi in PSI}
    return {"truncation": {str(psi): [round(value, 3) for value in f] for psi, f in found.items()}}


def layers(model: StyleGAN, seed: int, pairs: int = 500) -> dict[str, Any]:
    """For styles of the donor at 4x4, then at 8x8: share of its class, of the receiver's, slopes of attributes."""
    rng = torch.Generator().manual_seed(seed)
    first, second = (model.styles(model.latents(pairs, rng)) for _ in range(2))
    noise = model.noise(pairs, rng)
    receiver, donor = model.draw(first, noise), model.draw(second, noise)
    coarse, fine = mix(second, first, 2), mix(first, second, 2)
    differ = digit_class(receiver) != digit_class(donor)
    table = {}
    for name, styles in {"4": coarse, "8": fine}.items():
        mixed = model.draw(styles, noise)
        became = digit_class(mixed)[differ]
        row = {"class": [_share(became == digit_class(x)[differ]) for x in (receiver, donor)]}
        slopes = {key: shares(f(mixed), f(receiver), f(donor)) for key, f in ATTRIBUTES.items()}
        table[name] = row | {key: [round(value, 3) for value in pair] for key, pair in slopes.items()}
    return {"layers": table}


def detected(model: StyleGAN, seed: int) -> dict[str, Any]:
    """AUROC on held-out digits against new fakes: as they are, resampled by way of 11 x 11, and trained on such."""
    train, real = load("digits").train, held_out()
    fakes = model.sample(len(train) + len(real), rng=torch.Generator().manual_seed(seed + 100))
    known, new = fakes.split([len(train), len(real)])

    def score(learn: Callable[[Tensor], Tensor], judge: Callable[[Tensor], Tensor]) -> float:
        detector = fit_detector(spectrum_features(learn(train)), spectrum_features(learn(known)))
        scores = (detector(spectrum_features(judge(x)))[:, 0] for x in (real, new))
        return round(auroc(*scores), 4)

    def plain(x: Tensor) -> Tensor:
        return x

    def copied(x: Tensor) -> Tensor:
        return resampled(x, 11)

    return {"detector": [score(plain, plain), score(plain, copied), score(copied, copied)]}


def _share(hits: Tensor) -> float:
    return round(hits.double().mean().item(), 3)


def run(*, variant: str, seed: int) -> dict[str, Any]:
    try:
        model, row = train(variant, seed)
    except FloatingPointError:
        return {"diverged": True}
    samples = model.sample(4 * 540, rng=torch.Generator().manual_seed(seed))
    row |= evidence.rounded(fidelity(held_out(), samples), 3)
    if variant in ("full", "no mixing", "no normalisation"):
        row |= layers(model, seed)
    if variant in ("full", "no styles"):
        row |= detected(model, seed)
    return row | (truncated(model, seed) if variant == "full" else {})


def main() -> None:
    evidence.rows(
        "gan/style_ablations",
        [{"variant": variant, "seed": seed} for seed in SEEDS for variant in VARIANTS],
        run,
        evidence.parser(__doc__).parse_args(),
        training=TRAINING,
        data=lambda: evidence.rounded(fidelity(held_out(), load("digits").train), 3),
    )


if __name__ == "__main__":
    main()
