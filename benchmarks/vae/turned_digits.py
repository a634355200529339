"""A rare group lifted by drawing rows that are rare in the latent: 8 × 8 digits, 3 % of them turned, five seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.vae.turned_digits

Of the training digits 3 %, other ones for each seed, are turned by a right angle; the task is the ten classes, and
nobody is told which are turned. A VAE (64–128–6 latents, σ² = 0.05, 700 steps) learns the latent of all rows; a
classifier (64–64–10, Adam at 3e-3, 500 steps of 64 rows) learns from rows drawn with replacement. "uniform" draws all
alike, "product" and "largest" by `rare_row_weights` with the smoothing "alpha"; "groups" knows the groups and draws
half and half. Errors are shares of the test digits, as they are and all turned; "share" is the turned rows' share of
what is drawn, by the weights, and "rows" the effective size.
"""

import math
from functools import cache, lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.nets import mlp
from gmcourse.training import fit
from gmcourse.vae import GaussianVAE
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.rebalanced import draw_rows, effective_size, rare_row_weights

RARE = 0.03
WAYS = (
    ("uniform", 0.0),
    ("product", 1.0),
    ("product", 0.1),
    ("product", 0.01),
    ("largest", 0.01),
    ("groups", 0.0),
)
PLAN = [{"way": way, "alpha": alpha, "seed": seed} for seed in range(5) for way, alpha in WAYS]
digits = cache(lambda: load("digits"))


class Classifier(nn.Module):
    """64–64–10."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), mlp([64, 64, 10]))

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self.net(x), y)

    @torch.no_grad()
    def error(self, x: Tensor, y: Tensor) -> float:
        return (self.net(x).argmax(1) != y).float().mean().item()


def turned(x: Tensor) -> Tensor:
    """By a right angle."""
    return x.rot90(1, (2, 3))


@lru_cache(maxsize=1)
def biased(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """The training digits with 3 % turned, which those are, and the mean code of each row."""
    x = digits().train.clone()
    rare = torch.rand(len(x), generator=torch.Generator().manual_seed(seed)) < RARE
    x[rare] = turned(x[rare])
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Flatten(), mlp([64, 128, 12]))
    decoder = nn.Sequential(mlp([6, 128, 64]), nn.Unflatten(1, (1, 8, 8)))
    vae = GaussianVAE(encoder, decoder, Gaussian(math.sqrt(0.05)), 6)
    fit(vae, (x,), steps=700, batch_size=64, lr=2e-3, seed=seed, progress=False)
    with torch.no_grad():
        return x, rare, vae.encode(x)[0]


def weights_of(way: str, alpha: float, codes: Tensor, rare: Tensor) -> Tensor:
    """How often each row is drawn, (n,), summing to 1."""
    if way == "uniform":
        return torch.full((len(codes),), 1 / len(codes))
    if way == "groups":
        return torch.where(rare, 0.5 / rare.sum(), 0.5 / (~rare).sum())
    return rare_row_weights(codes, smoothing=alpha, largest=way == "largest")


def run(way: str, alpha: float, seed: int) -> dict:
    """The errors of both groups, the turned rows' share of what is drawn, and the effective size."""
    x, rare, codes = biased(seed)
    weights = weights_of(way, alpha, codes, rare)
    rows = draw_rows(weights, 64 * 500, rng=torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    classifier = Classifier()
    labels = evidence.labels(digits(), "train")
    fit(classifier, (x[rows], labels[rows]), steps=500, batch_size=64, lr=3e-3, seed=seed, progress=False)
    test, named = digits().test, evidence.labels(digits(), "test")
    return {
        "upright": round(classifier.error(test, named), 4),
        "turned": round(classifier.error(turned(test), named), 4),
        "share": round(weights[rare].sum().item(), 4),
        "rows": round(effective_size(weights).item(), 1),
    }


if __name__ == "__main__":
    evidence.rows("vae/turned_digits", PLAN, run, evidence.parser(__doc__).parse_args())
