"""What training with K weights does to the model and to its encoder: binarised 8 × 8 digits, five seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.vae.more_draws

One network, 64–128–8 latents–128–64, Adam at 2e-3 held and then falling, 1,000 steps of 64 digits: kinds differ in the
loss alone. "VAE" has the KL in closed form; "IWAE" K weights, with autograd's gradient or the doubly reparameterised
one (DReG). "nll" is −ln (1/1000) Σ w on the test digits, "elbo" the mean of −ELBO over 20 draws: both are upper bounds
on −ln p, nats an image, and the first is the tighter one. "active" counts latents with Var E[z] > 0.01 on the training
digits.
"""

from functools import cache

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import estimate, importance_weighted, mean_elbo
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae import IWAE, GaussianVAE
from gmcourse.vae.balanced import active_latents
from gmcourse.vae.likelihoods import Bernoulli

STEPS = 1_000
KINDS = {"VAE": (1,), "IWAE": (1, 5, 50), "DReG": (5, 50)}
PLAN = [{"kind": kind, "k": k, "seed": seed} for seed in range(5) for kind, ks in KINDS.items() for k in ks]
digits = cache(lambda: load("binarized-digits"))


def model_of(kind: str, k: int) -> GaussianVAE:
    """The network with the loss of this kind."""
    encoder = nn.Sequential(nn.Flatten(), mlp([64, 128, 16]))
    decoder = nn.Sequential(mlp([8, 128, 64]), nn.Unflatten(1, (1, 8, 8)))
    if kind == "VAE":
        return GaussianVAE(encoder, decoder, Bernoulli(), 8)
    return IWAE(encoder, decoder, Bernoulli(), 8, draws=k, doubly=kind == "DReG")


def run(kind: str, k: int, seed: int) -> dict:
    """Both bounds on −ln p, of test and of training digits, and the latents in use."""
    torch.manual_seed(seed)
    model = model_of(kind, k)
    plan = {"batch_size": 64, "lr": held_then_falling(2e-3, STEPS), "seed": seed, "progress": False}
    fit(model, (digits().train,), steps=STEPS, **plan)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        used = active_latents(model.encode(digits().train)[0]).sum().item()
    return {
        "nll": round(-estimate(importance_weighted(model, digits().test, 1000, rng)).mean, 3),
        "elbo": round(-mean_elbo(model, digits().test.repeat(20, 1, 1, 1), rng).mean, 3),
        "train_nll": round(-estimate(importance_weighted(model, digits().train[:360], 1000, rng)).mean, 3),
        "active": used,
    }


if __name__ == "__main__":
    evidence.rows("vae/more_draws", PLAN, run, evidence.parser(__doc__).parse_args())
