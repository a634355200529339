"""What training with K weights does to the model and to its encoder: binarised 8 × 8 digits, five seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.vae.more_draws

One network, 64–128–8 latents–128–64, Adam at 2e-3 held and then falling, 1,000 steps of 64 digits: kinds differ in the
loss and in the number of draws. "VAE" with K = 1 has the KL in closed form, with K = 50 the mean of 50 ln w; "IWAE" the
logarithm of the mean of K weights, with autograd's gradient or the doubly reparameterised one (DReG). So VAE and IWAE
of K = 50 differ in the bound alone, and IWAE of K = 1 and VAE of K = 50 in the number of draws alone. "nll" is
−ln (1/1000) Σ w on the test digits, "train_nll" on 360 training digits, "elbo" the mean of −ELBO over 20 draws: upper
bounds on −ln p, nats an image. "at_100", "at_1000" and "at_10000" are −ln of the mean of that many weights, of the same
10,000 draws, on 120 test digits, for the VAE: how far its bound still falls.
"""

from functools import cache

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import estimate, importance_weighted, mean_elbo
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae import IWAE, GaussianVAE
from gmcourse.vae.gaussian import log_evidence
from gmcourse.vae.likelihoods import Bernoulli

STEPS = 1_000
KINDS = {"VAE": (1, 50), "IWAE": (1, 5, 50), "DReG": (5, 50)}
PLAN = [{"kind": kind, "k": k, "seed": seed} for seed in range(5) for kind, ks in KINDS.items() for k in ks]
digits = cache(lambda: load("binarized-digits"))


class AveragedVAE(GaussianVAE):
    """Trained on the mean of 50 ln w: the ELBO, with less noise."""

    def loss(self, x: Tensor) -> Tensor:
        return -self.log_weights(x, 50).mean()


def model_of(kind: str, k: int) -> GaussianVAE:
    """The network with the loss of this kind."""
    encoder = nn.Sequential(nn.Flatten(), mlp([64, 128, 16]))
    decoder = nn.Sequential(mlp([8, 128, 64]), nn.Unflatten(1, (1, 8, 8)))
    if kind == "VAE":
        return (AveragedVAE if k == 50 else GaussianVAE)(encoder, decoder, Bernoulli(), 8)
    return IWAE(encoder, decoder, Bernoulli(), 8, draws=k, doubly=kind == "DReG")


@torch.no_grad()
def ladder(model: GaussianVAE) -> dict:
    """−L_K of the first 120 test digits at K = 100, 1,000 and 10,000, all of the same draws."""
    rng = torch.Generator().manual_seed(2)
    parts = [model.log_weights(x, 10_000, rng=rng) for x in digits().test[:120].split(10)]
    log_w = torch.cat(parts, 1)
    bounds = {k: log_evidence(log_w.view(-1, k, 120).transpose(0, 1)).mean().item() for k in (100, 1_000, 10_000)}
    return {f"at_{k}": round(-bound, 3) for k, bound in bounds.items()}


def run(kind: str, k: int, seed: int) -> dict:
    """Bounds on −ln p, of test and of training digits."""
    torch.manual_seed(seed)
    model = model_of(kind, k)
    plan = {"batch_size": 64, "lr": held_then_falling(2e-3, STEPS), "seed": seed, "progress": False}
    fit(model, (digits().train,), steps=STEPS, **plan)
    rng = torch.Generator().manual_seed(1)
    return {
        "nll": round(-estimate(importance_weighted(model, digits().test, 1000, rng)).mean, 3),
        "elbo": round(-mean_elbo(model, digits().test.repeat(20, 1, 1, 1), rng).mean, 3),
        "train_nll": round(-estimate(importance_weighted(model, digits().train[:360], 1000, rng)).mean, 3),
    } | (ladder(model) if kind == "VAE" else {})


if __name__ == "__main__":
    evidence.rows("vae/more_draws", PLAN, run, evidence.parser(__doc__).parse_args())
