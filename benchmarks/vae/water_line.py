"""Rate and distortion of trained β-VAEs beside the water line: grey 8 × 8 digits, five seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.vae.water_line

σ² = 0.1 and θ = βσ², so that β = 10 θ; 16 latents, Adam at 5e-3 held and then falling, 1,500 steps of 128 digits.
"linear" has one linear map each way, "net" 64–128–16 and back. Rows with a "floor" have free bits, 8 latents, and say
besides what the plain ELBO is. Rate (nats) and distortion (squared error summed over the pixels) are means over the
training digits, which the water line is made of, with ten draws of z each; "used" counts latents of more than 0.05
nats.
"""

import math
from functools import cache

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import mean_elbo
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae import BetaVAE
from gmcourse.vae.balanced import latent_kl, rate_distortion
from gmcourse.vae.likelihoods import Gaussian

STEPS, SIXTEEN = 1_500, {"floor": 0.0, "latents": 16, "noise": 0.1}
PLAN = [
    *(
        {"kind": kind, "theta": theta, **SIXTEEN, "seed": seed}
        for seed in range(5)
        for theta in (0.1, 0.4, 0.8)
        for kind in ("linear", "net")
    ),
    *(
        {"kind": "net", "theta": 0.8, "floor": floor, "latents": 8, "noise": 0.1, "seed": seed}
        for seed in range(5)
        for floor in (0.0, 0.25)
    ),
]
digits = cache(lambda: load("digits"))


def model_of(kind: str, theta: float, floor: float, latents: int, noise: float) -> BetaVAE:
    """The β-VAE with β = θ/σ²."""
    hidden = {"linear": [], "net": [128]}[kind]
    encoder = nn.Sequential(nn.Flatten(), mlp([64, *hidden, 2 * latents]))
    decoder = nn.Sequential(mlp([latents, *hidden, 64]), nn.Unflatten(1, (1, 8, 8)))
    return BetaVAE(encoder, decoder, Gaussian(math.sqrt(noise)), latents, beta=theta / noise, floor=floor)


def run(kind: str, theta: float, floor: float, latents: int, noise: float, seed: int) -> dict:
    """Rate, distortion, latents in use, and the plain ELBO, on the training digits."""
    torch.manual_seed(seed)
    model = model_of(kind, theta, floor, latents, noise)
    plan = {"batch_size": 128, "lr": held_then_falling(5e-3, STEPS), "seed": seed, "progress": False}
    fit(model, (digits().train,), steps=STEPS, **plan)
    x, rng = digits().train.repeat(10, 1, 1, 1), torch.Generator().manual_seed(1)
    seen = rate_distortion(model, x, rng=rng)
    with torch.no_grad():
        used = int((latent_kl(*model.encode(digits().train)).mean(0) > 0.05).sum())
    return evidence.rounded(seen, 3) | {"used": used, "elbo": round(mean_elbo(model, x, rng).mean, 2)}


if __name__ == "__main__":
    evidence.rows("vae/water_line", PLAN, run, evidence.parser(__doc__).parse_args())
