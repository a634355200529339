"""What each of DCGAN's five guidelines is worth on 8x8 digits, over several seeds:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.dcgan_ablations --folder runs/dcgan-ablations

Every guideline is switched off in turn, all else equal; beside them stand resize-then-convolve, a critic that meets
real and fake in one batch, and switches turned in one of the two networks only. A name with a comma and one thing more
differs from the name before it in that thing alone. Seconds are those of the training.
"""

import time
from functools import partial
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.gan.convolution import checkerboard_share
from gmcourse.gan.dcgan import dcgan_critic, dcgan_generator, he_weights
from gmcourse.gan.gan import GAN
from gmcourse.gan.losses import Critic, gan_critic_loss, non_saturating_loss
from gmcourse.metrics import fidelity
from gmcourse.training import fit_adversarial

TRAINING = {"latent_size": 16, "width": 32, "steps": 1000, "batch_size": 64, "lr": 2e-4}
SEEDS = range(5)
OFF = {  # the switches of generator and critic
    "all five": ({}, {}),
    "pooling": ({"strided": False}, {"strided": False}),
    "no batch norm": ({"normalised": False}, {"normalised": False}),
    "fully connected": ({"convolutional": False}, {"convolutional": False}),
    "sigmoids": ({"relu": False}, {}),
    "no leak": ({}, {"leaky": False}),
    "resize": ({"resize": True}, {}),
    "one batch": ({}, {}),
    "pooling, critic only": ({}, {"strided": False}),
    "fully connected, critic only": ({}, {"convolutional": False}),
    "fully connected, generator only": ({"convolutional": False}, {}),
    "all five, He weights": ({}, {}),
    "no batch norm, He weights": ({"normalised": False}, {"normalised": False}),
    "sigmoids, He weights": ({"relu": False}, {}),
    "fully connected, critic only, one batch": ({}, {"convolutional": False}),
}


def both(critic: Critic, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """h(real), h(fake), out of one batch: batch norm takes its means over both."""
    return critic(torch.cat([real, fake])).chunk(2)


def one_batch_critic_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return gan_critic_loss(lambda h: h, *both(critic, real, fake))


def one_batch_generator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return non_saturating_loss(lambda h: h, *both(critic, real, fake))


def build(variant: str, seed: int) -> GAN:
    generator, critic = OFF[variant]
    latent_size, width, shape = TRAINING["latent_size"], TRAINING["width"], load("digits").event_shape
    losses = {"critic_loss": one_batch_critic_loss, "generator_loss": one_batch_generator_loss}
    torch.manual_seed(seed)
    networks = dcgan_generator(latent_size, shape, width, **generator), dcgan_critic(shape, width, **critic)
    model = GAN(*networks, latent_size, **(losses if variant.endswith("one batch") else {}))
    return he_weights(model) if variant.endswith("He weights") else model


def train(variant: str, seed: int, folder: Path) -> tuple[GAN, dict[str, float]]:
    """The trained model, and what the training cost and came to; taken up from `folder` where it is there."""
    model, path = build(variant, seed), folder / f"digits-{variant.replace(',', '').replace(' ', '-')}-{seed}.pt"
    clock, start = path.with_suffix(".seconds"), time.process_time()
    taken = {key: TRAINING[key] for key in ("steps", "batch_size", "lr")} | {"seed": seed, "checkpoint": path}
    history = fit_adversarial(model, (load("digits").train,), every=500, progress=False, **taken)
    if not clock.exists():
        clock.write_text(f"{time.process_time() - start:.1f}")
    last = {name: round(fmean(values[-100:]), 3) for name, values in history.items()}
    return model, {"seconds": float(clock.read_text())} | last


def measure(images: Tensor) -> dict[str, float]:
    """Against all digits that are held out, by the course's protocol."""
    digits = load("digits")
    measured = fidelity(torch.cat([digits.valid, digits.test]), images)
    return evidence.rounded(measured, 3) | {"checkerboard": round(checkerboard_share(images), 5)}


def run(folder: Path, *, variant: str, seed: int) -> dict[str, float]:
    model, spent = train(variant, seed, folder)
    return spent | measure(model.sample(4 * 540, rng=torch.Generator().manual_seed(seed)))


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    evidence.rows(
        "gan/dcgan_ablations",
        [{"variant": variant, "seed": seed} for seed in SEEDS for variant in OFF],
        partial(run, options.folder),
        options,
        training=TRAINING,
        data=lambda: measure(load("digits").train),
    )


if __name__ == "__main__":
    main()
