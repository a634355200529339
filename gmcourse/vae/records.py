"""The catalogue's records of this family."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.data.dataset import float_event_shape
from gmcourse.nets import conv_decoder, conv_encoder, mlp
from gmcourse.protocols import Bounded, ImportanceWeighted, ModelRecord, Sampler, Trainable
from gmcourse.schedules import held_then_falling
from gmcourse.vae.gaussian import GaussianVAE
from gmcourse.vae.likelihoods import Bernoulli, Gaussian

DIGIT_SHAPE = (1, 8, 8)


def build_gaussian_vae(data: Any = None) -> GaussianVAE:
    """Convolutions for images of at least 16 × 16 pixels, an MLP below; Bernoulli for binary data, else a learned σ.

    Without data: for binary 8 × 8 images.
    """
    shape = float_event_shape(data, DIGIT_SHAPE)
    binary = data is None or bool(((data.train == 0) | (data.train == 1)).all())
    likelihood = Bernoulli() if binary else Gaussian(std=0.1, learned=True)
    if len(shape) == 3 and min(shape[1:]) >= 16:
        latent_size = 32
        return GaussianVAE(
            conv_encoder(shape, 2 * latent_size), conv_decoder(latent_size, shape), likelihood, latent_size
        )
    latent_size, dims = 8, math.prod(shape)
    encoder = nn.Sequential(nn.Flatten(), mlp([dims, 128, 2 * latent_size]))
    decoder = nn.Sequential(mlp([latent_size, 128, dims]), nn.Unflatten(1, shape))
    return GaussianVAE(encoder, decoder, likelihood, latent_size)


def gaussian_vae_recipe(data: Any = None) -> dict[str, Any]:
    """Adam with the rate held for half the run, then brought to 0 in a straight line."""
    large = data is not None and math.prod(data.event_shape) >= 256
    steps, peak = (8_000, 1e-3) if large else (3_000, 2e-3)
    return {
        "steps": steps,
        "batch_size": 128 if large else 64,
        "lr": held_then_falling(peak, steps),
    }


def binary_digits(n: int, seed: int = 0) -> tuple[Tensor]:
    """Random binary images, (n, 1, 8, 8)."""
    return (torch.randint(0, 2, (n, *DIGIT_SHAPE), generator=torch.Generator().manual_seed(seed)).float(),)


RECORDS = (
    ModelRecord(
        name="Gaussian VAE",
        key="gaussian-vae",
        family="vae",
        branch=("explicit density", "approximate", "variational"),
        density="bound",
        claims=(Trainable, Sampler, Bounded, ImportanceWeighted),
        paper="Kingma & Welling, Auto-Encoding Variational Bayes",
        year=2014,
        arxiv="1312.6114",
        lesson="04_vae/01_evidence_lower_bound",
        build=build_gaussian_vae,
        recipe=gaussian_vae_recipe,
        example=binary_digits,
    ),
)
