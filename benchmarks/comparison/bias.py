"""The share of a minority in the data, and in the samples of six families; and what mends it: five seeds each.

    OMP_NUM_THREADS=1 python -m benchmarks.comparison.bias

The zeros and ones of MNIST, averaged to "side" x "side" pixels of 17 levels: 4,000 zeros, and so many ones that their
share is the one asked for. Every model has eight CPU seconds at one rate, set before looking and not tuned; 2,000
samples, rounded to the 17 levels. Two classifiers read them, trained on balanced rows that no model saw: "seen" is of
what a classifier of zeros, ones and neither (other digits, blends of a zero and a one) does not call neither, "two-way"
of all samples, by one that knows zeros and ones alone. Both are corrected by the classifier's error rates on MNIST's
test rows. "data" are 2,000 test rows at the share asked for, drawn anew for each seed: the floor.

Claims made before any row was measured: at a share of 0.1, five seeds, against the floor, a VAE's prior draws more of
the minority and RealNVP less; of the others nothing was claimed. A mixture of Gaussians on the VAE's codes brings its
share within 0.015 of 0.1; one Gaussian does not.

Ways to mend, at a share of 0.1: "codes" are other densities of the codes of the same VAE. "oversampled" repeats each
one nine times; "weighted" weighs its loss by nine; "told" is a conditional VAE, asked for as many of both. Precision
and recall are of 150 samples that the classifier calls ones against 150 held-out ones, and "near" is the share of such
samples that lie nearer to a training one than to one of as many held-out ones.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn

from benchmarks import evidence
from benchmarks.budget import train
from benchmarks.comparison.measured.zeros_and_ones import (
    LEVELS,
    SAMPLES,
    ZEROS,
    floor,
    judge,
    of_digit,
    quality_of_the_ones,
    rounded,
    rows,
    seen,
)
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.flows.continuous import MLPVelocity
from gmcourse.flows.coupling import AffineCoupling
from gmcourse.flows.dequantise import Dequantized, Logit
from gmcourse.flows.flow import Flow
from gmcourse.flows.matching import FlowMatching
from gmcourse.gan.gan import GAN
from gmcourse.gan.losses import gan_critic_loss, with_r1
from gmcourse.nets import LeveledMLP, OneHot, Told, mlp
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.diffusion import DDPM
from gmcourse.scores.samplers import cosine_levels
from gmcourse.vae import GaussianVAE
from gmcourse.vae.conditional import CVAE
from gmcourse.vae.likelihoods import Gaussian

SECONDS, SEEDS, TIMES = 8.0, range(5), 9


def make_vae(dims: int) -> GaussianVAE:
    return GaussianVAE(mlp([dims, 256, 32]), mlp([16, 256, dims]), Gaussian(0.1, learned=True), 16)


def make_told(dims: int) -> CVAE:
    """The VAE told the digit, with a prior for each."""
    read, prior = OneHot(2), nn.Sequential(OneHot(2), mlp([2, 32]))
    encoder, decoder = Told(mlp([dims + 2, 256, 32]), read), Told(mlp([18, 256, dims]), read)
    return CVAE(prior, encoder, decoder, Gaussian(0.1, learned=True), 16)


def make_realnvp(dims: int) -> Dequantized:
    couplings = [AffineCoupling(dims, (128, 128), swap=k % 2 == 1) for k in range(8)]
    return Dequantized(Flow([Logit(), *couplings], (dims,)), LEVELS)


def make_gan(dims: int) -> GAN:
    generator = nn.Sequential(*mlp([32, 256, 256, dims]), nn.Sigmoid())
    critic = mlp([dims, 256, 256, 1], partial(nn.LeakyReLU, 0.2))
    return GAN(generator, critic, 32, critic_loss=with_r1(gan_critic_loss, 1.0))


def make_matching(dims: int) -> FlowMatching:
    return FlowMatching(MLPVelocity(dims, [256, 256, 256], nn.SiLU), (dims,))


def make_ddpm(dims: int) -> DDPM:
    x = rows(0.1, round(dims**0.5))[0]
    spread, centre = x.std().item(), x.mean().item()
    sigmas = spread * cosine_levels(80.0, 0.4 / (LEVELS - 1) / spread, 1_000)
    net = Denoiser(LeveledMLP(dims, [256, 256, 256]), spread, centre)
    return DDPM(net, (dims,), sigmas, bounds=(0.0, 1.0), levels=LEVELS)


def make_pixelcnn(dims: int) -> PixelCNN:
    side = round(dims**0.5)
    return PixelCNN((1, side, side), LEVELS, width=32, blocks=4)


FAMILIES = {
    "VAE": (make_vae, {"peak": 1e-3, "batch_size": 64}),
    "GAN": (make_gan, {"peak": 1e-3, "batch_size": 64, "betas": (0.5, 0.999)}),
    "RealNVP": (make_realnvp, {"peak": 1e-3, "batch_size": 64, "clip": 5.0}),
    "flow matching": (make_matching, {"peak": 2e-3, "batch_size": 128}),
    "DDPM": (make_ddpm, {"peak": 2e-3, "batch_size": 96, "clip": 1.0}),
    "PixelCNN": (make_pixelcnn, {"peak": 3e-3, "batch_size": 32, "clip": 50.0}),
}


class Weighted(nn.Module):
    """A model whose loss of a row counts as often as its weight says: −Σ w ELBO / n."""

    def __init__(self, model: GaussianVAE | Dequantized):
        super().__init__()
        self.model = model

    def loss(self, x: Tensor, weight: Tensor) -> Tensor:
        return -(weight * self.model.elbo(x)).mean()


def drawn(model: Any, seed: int, *given: Tensor) -> Tensor:
    """2,000 samples, flat, rounded to the levels."""
    with torch.no_grad():
        x = model.eval().sample(SAMPLES, *given, rng=torch.Generator().manual_seed(seed))
    return rounded(x.flatten(1))


def from_codes(model: GaussianVAE, x: Tensor, seed: int, side: int) -> dict[str, dict]:
    """What is seen where the VAE's codes come from other densities than its prior."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        mean, log_std = model.encode(x)
        codes = mean + log_std.exp() * torch.randn(mean.shape, generator=rng)
        found = {"codes of rows": codes[torch.randint(len(codes), (SAMPLES,), generator=rng)]}
        for name, parts in (("one Gaussian", 1), ("mixture of 8", 8)):
            mixture = GaussianMixture(parts, random_state=seed, reg_covar=1e-3).fit(codes.double().numpy())
            found[name] = torch.from_numpy(mixture.sample(SAMPLES)[0]).float()
        pictures = {name: rounded(model.likelihood.draw(model.decoder(z), rng)) for name, z in found.items()}
    return {name: seen(x, side) | quality_of_the_ones(x, side) for name, x in pictures.items()}


def mended(way: str, family: str, x: Tensor, ones: Tensor, seed: int) -> tuple[Tensor, dict]:
    """Samples of a family whose training was changed in one way, and how it was trained."""
    make, plan = FAMILIES[family]
    if way == "told":
        model = make_told(x.shape[1])
        trained = train(model, (x, ones), SECONDS, seed=seed, **plan)
        return drawn(model, seed, torch.arange(SAMPLES) % 2), trained
    model = make(x.shape[1])
    if way == "oversampled":
        more = torch.cat([x, *[x[ones == 1]] * (TIMES - 1)])
        trained = train(model, (more,), SECONDS, seed=seed, **plan)
        return drawn(model, seed), trained
    weight = torch.where(ones == 1, float(TIMES), 1.0)
    trained = train(Weighted(model), (x, weight / weight.mean()), SECONDS, seed=seed, **plan)
    return drawn(model, seed), trained


def run(way: str, family: str, share: float, side: int, seed: int) -> dict:
    if family == "data":
        samples = floor(share, side, seed)
        return seen(samples, side) | quality_of_the_ones(samples, side)
    x, ones = rows(share, side)
    torch.manual_seed(seed)
    if way != "as it is":
        samples, trained = mended(way, family, x, ones, seed)
        return trained | seen(samples, side) | quality_of_the_ones(samples, side)
    make, plan = FAMILIES[family]
    model = make(side * side)
    shaped = x.view(-1, 1, side, side) if family == "PixelCNN" else x
    row = train(model, (shaped,), SECONDS, seed=seed, **plan)
    samples = drawn(model, seed)
    row |= seen(samples, side) | quality_of_the_ones(samples, side)
    return row | {"codes": from_codes(model, x, seed, side)} if family == "VAE" else row


def plan() -> Iterator[dict]:
    names, usual = ("data", *FAMILIES), {"way": "as it is", "share": 0.1, "side": 7}
    for seed in SEEDS:
        yield from (usual | {"family": name, "seed": seed} for name in names)
    changes = [("oversampled", "VAE"), ("weighted", "VAE"), ("told", "VAE"), ("oversampled", "RealNVP")]
    for way, family in [*changes, ("weighted", "RealNVP")]:
        yield from (usual | {"way": way, "family": family, "seed": seed} for seed in SEEDS)
    for other in ({"side": 14}, {"share": 0.3}, {"share": 0.05}):
        for seed in SEEDS:
            yield from (usual | other | {"family": name, "seed": seed} for name in names)


def judged() -> dict:
    """The error rates of the classifiers on MNIST's test rows, and how often they call a zero, and a one, neither."""
    rates = {}
    for side in (7, 14):
        for name, classes in (("seen", 3), ("two-way", 2)):
            net, false, true = judge(classes, side)
            neither = [(net.calls(of_digit("test", k, side)) == 2).double().mean().item() for k in (0, 1)]
            numbers = {"false": false, "true": true, "neither, zeros": neither[0], "neither, ones": neither[1]}
            rates[f"{name}, {side}"] = {key: round(value, 4) for key, value in numbers.items()}
    return rates


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    about = {"cpu_seconds": SECONDS, "samples": SAMPLES, "zeros": ZEROS, "judge": judged}
    evidence.rows("comparison/bias", plan(), run, options, packages=("torch", "scikit-learn"), **about)
