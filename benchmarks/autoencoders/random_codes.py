"""What is decoded from codes that no picture has, beside a VAE's samples; and what the codes of digits are good for:

    OMP_NUM_THREADS=1 python -m benchmarks.autoencoders.random_codes

One training a row, all of the same nets, steps and rates: an autoencoder, a denoising one (Gaussian noise of standard
deviation 0.3 on the input), or a Gaussian VAE (`variance` of its decoder, fixed) on the 8×8 digits. Measured on the 540
digits that are held out: Fréchet distance, precision and recall of 2,160 pictures decoded from each law of codes
(`gmcourse.metrics.fidelity`), of a VAE the means of its decoder at draws of its prior, and of a mixture fitted to its
own codes; accuracy of a logistic regression with 10 labels a class, mean over 5 draws of the labels, its penalty chosen
by cross-validation among those labels; precision at 10 neighbours; and at which share of the held-out digits' scores
three pictures lie that are no digits. Beside the networks stand principal components, with the same laws fitted to
them; with 64 of them nothing is lost, and a law is one of pictures. Nothing else was tuned.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.autoencoders import (
    Autoencoder,
    CodeMixture,
    Corruption,
    DenoisingAutoencoder,
    deep_autoencoder,
    fit_gaussian,
    fit_mixture,
)
from gmcourse.autoencoders.anomalies import subspace_error
from gmcourse.autoencoders.autoencoder import squared_error
from gmcourse.autoencoders.codes import between, fill_block, near
from gmcourse.data import Dataset, load
from gmcourse.metrics import fidelity, neighbours_alike
from gmcourse.metrics.fidelity import COUNT
from gmcourse.nets import mlp
from gmcourse.record import held_then_falling_plan
from gmcourse.training import fit
from gmcourse.vae import GaussianVAE
from gmcourse.vae.likelihoods import Gaussian

SHAPE, HIDDEN, STEPS, BATCH, PEAK, SEEDS, PICTURES, NOISE = (1, 8, 8), (256, 128), 2_500, 128, 2e-3, 5, 4 * COUNT, 0.3
VARIANCES = (0.02, 0.05, 0.1)  # of a VAE's decoder
BLOCK = torch.ones(SHAPE, dtype=torch.bool)
BLOCK[:, 2:6, 2:5] = False  # 4 × 3 pixels in the middle are unknown


@cache
def data() -> tuple[Dataset, Tensor, Tensor]:
    """The digits, and the 540 that are held out with their labels."""
    digits = load("digits")
    return digits, torch.cat([digits.valid, digits.test]), evidence.labels(digits, "valid", "test")


def build(model: str, k: int, variance: float) -> Autoencoder | GaussianVAE:
    """The nets of `deep_autoencoder`; a VAE's encoder ends in 2k numbers."""
    if model != "vae":
        plain = deep_autoencoder(SHAPE, k, HIDDEN)
        noisy = DenoisingAutoencoder(plain.encoder, plain.decoder, Corruption("gaussian", NOISE))
        return noisy if model == "denoising" else plain
    sizes = [64, *HIDDEN]
    encoder = nn.Sequential(nn.Flatten(), mlp([*sizes, 2 * k], nn.SiLU))
    decoder = nn.Sequential(mlp([k, *sizes[::-1]], nn.SiLU), nn.Unflatten(1, SHAPE))
    return GaussianVAE(encoder, decoder, Gaussian(std=variance**0.5), k)


def trained(model: str, k: int, seed: int, variance: float) -> Any:
    """One training at the rate `PEAK`, held for half the run, then to 0 in a straight line."""
    torch.manual_seed(seed)
    net = build(model, k, variance)
    plan = held_then_falling_plan(steps=STEPS, batch_size=BATCH, peak=PEAK)
    fit(net, (data()[0].train,), seed=seed, progress=False, **plan)
    return net.eval()


def look(pictures: Tensor) -> dict:
    return evidence.rounded(fidelity(data()[1], pictures.clamp(0, 1)), 4)


def laws(codes: Tensor, seed: int) -> dict[str, Callable[[int, torch.Generator], Tensor]]:
    """Ways to draw n codes."""
    k = codes.shape[1]
    return {
        "standard normal": lambda n, rng: torch.randn(n, k, generator=rng),
        "fitted Gaussian": lambda n, rng: fit_gaussian(codes).sample(n, rng=rng),
        "between two codes": lambda n, rng: between(codes, n, rng=rng),
        "hull of k + 1 codes": lambda n, rng: between(codes, n, k + 1, rng),
        "fitted mixture": lambda n, rng: fit_mixture(codes, seed=seed).sample(n, rng=rng),
        "near a code": lambda n, rng: near(codes, n, rng=rng),
    }


def to_training(pictures: Tensor) -> float:
    """Mean squared distance to the nearest training digit."""
    rows = data()[0].train.flatten(1)
    return round(torch.cdist(pictures.flatten(1), rows).amin(1).square().mean().item(), 4)


@torch.no_grad()
def from_codes(net: Autoencoder, seed: int) -> dict:
    """Fidelity of what each law of codes is decoded to, how far it is from the nearest code, and copies."""
    digits, held, _ = data()
    codes, held_codes = net.encode(digits.train), net.encode(held)
    to_code = torch.cdist(held_codes, codes).amin(1).mean()
    not_back = (net.encode(net.decode(held_codes)) - held_codes).norm(dim=1).mean()
    found = {}
    for name, drawn in ({"held-out codes": lambda n, rng: held_codes} | laws(codes, seed)).items():
        z = drawn(PICTURES, torch.Generator().manual_seed(seed))
        pictures = net.decode(z)
        away = torch.cdist(z, codes).amin(1).mean() / to_code
        moved = (net.encode(pictures) - z).norm(dim=1).mean() / not_back
        measured = {"away": away, "moved": moved}
        found[name] = look(pictures) | {name: round(value.item(), 4) for name, value in measured.items()}
        found[name]["to training"] = to_training(pictures)
    spread = {"held out to training": to_training(held), "norm": round(codes.norm(dim=1).mean().item(), 3)}
    return {"fidelity": found, **spread, "deviations": [round(s, 3) for s in codes.std(0).sort().values.tolist()]}


def few_labels(codes: Tensor, held_codes: Tensor, per_class: int = 10, draws: int = 5) -> float:
    """Mean accuracy of a logistic regression with `per_class` labels of each class.

    Codes are centred and divided by one number; each draw chooses the penalty by cross-validation among its labels.
    """
    digits, _, wanted = data()
    labels, right = evidence.labels(digits, "train"), 0.0
    mean = codes.mean(0)
    scale = (codes - mean).square().mean().sqrt()
    for draw in range(draws):
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(draw))
        few = torch.cat([order[labels[order] == digit][:per_class] for digit in range(10)])
        judge = GridSearchCV(LogisticRegression(max_iter=2_000), {"C": [0.01, 0.1, 1, 10, 100]}, cv=5)
        judge.fit(((codes[few] - mean) / scale).numpy(), labels[few].numpy())
        guessed = torch.from_numpy(judge.predict(((held_codes - mean) / scale).numpy()))
        right += (guessed == wanted).double().mean().item()
    return round(right / draws, 4)


def usefulness(codes: Tensor, held_codes: Tensor) -> dict:
    digits, _, wanted = data()
    alike = neighbours_alike(codes, evidence.labels(digits, "train"), held_codes, wanted)
    return {"accuracy": few_labels(codes, held_codes), "alike": round(alike, 4)}


def verdicts(net: Autoencoder, law: CodeMixture) -> dict:
    """The share of held-out digits whose score lies below that of a picture that is no digit."""
    digits, held, _ = data()
    mean = digits.train.mean(0)
    odd = torch.stack([mean, torch.zeros(SHAPE), torch.full(SHAPE, mean.mean().item())])
    scores = {
        "error": net.errors,
        "code": lambda x: -law.log_prob(net.encode(x)),
        "error of PCA": lambda x: subspace_error(digits.train, x, net.encode(odd).shape[1]),
    }
    shares = {name: (score(held)[:, None] < score(odd)).double().mean(0) for name, score in scores.items()}
    return {name: [round(share, 4) for share in value.tolist()] for name, value in shares.items()}


def filling(net: Autoencoder) -> dict:
    """Mean squared error, summed over the block, after so many passes from the mean's block."""
    digits, held, _ = data()
    start = torch.where(BLOCK, held, digits.train.mean(0))
    tried = {passes: fill_block(net.reconstruct, start, BLOCK, passes) for passes in (0, 1, 5, 30)}
    return {str(passes): round(squared_error(held, x).mean().item(), 4) for passes, x in tried.items()}


@torch.no_grad()
def run(model: str, seed: int, k: int = 8, variance: float = 0.0) -> dict:
    digits, held, _ = data()
    if model == "pixels":
        return usefulness(digits.train.flatten(1), held.flatten(1))
    if model == "pca":
        return of_pca(k, seed)
    with torch.enable_grad():
        net = trained(model, k, seed, variance)
    if model == "vae":
        return of_vae(net, seed)
    codes = net.encode(digits.train)
    found = usefulness(codes, net.encode(held)) | {"filled": filling(net)}
    found["error"] = round(net.errors(held).mean().item(), 4)
    if model == "denoising":
        return found
    return found | from_codes(net, seed) | {"verdicts": verdicts(net, fit_mixture(codes, seed=seed))}


def of_pca(k: int, seed: int) -> dict:
    """Pictures of k principal components: of held-out digits, and of draws of two laws fitted to the training ones."""
    digits, held, _ = data()
    centre = digits.train.flatten(1).mean(0)
    axes = torch.linalg.svd(digits.train.flatten(1) - centre, full_matrices=False)[2][:k]
    codes, held_codes = ((x.flatten(1) - centre) @ axes.T for x in (digits.train, held))
    found = {"held-out codes": held_codes}
    for name, law in {"fitted Gaussian": fit_gaussian(codes), "fitted mixture": fit_mixture(codes, seed=seed)}.items():
        found[name] = law.sample(PICTURES, rng=torch.Generator().manual_seed(seed))
    pictures = {name: (z @ axes + centre).view(-1, *SHAPE) for name, z in found.items()}
    seen = {name: look(x) | {"to training": to_training(x.clamp(0, 1))} for name, x in pictures.items()}
    return {"fidelity": seen, **usefulness(codes, held_codes)}


def of_vae(net: GaussianVAE, seed: int) -> dict:
    """Means of the decoder at draws of the prior, and of a mixture fitted to draws of q(z|x), a code a picture."""
    digits, rng = data()[0], torch.Generator().manual_seed(seed)
    mean, log_std = net.encode(digits.train)
    codes = mean + log_std.exp() * torch.randn(mean.shape, generator=rng)
    latents = fit_mixture(codes, seed=seed).sample(PICTURES, rng=rng)
    found = {"prior": look(net.sample_mean(PICTURES, rng=rng)), "fitted mixture": look(net.decode(latents))}
    return {"fidelity": found | {"samples": look(net.sample(PICTURES, rng=rng))}}


def plan() -> Iterator[dict]:
    yield {"model": "pixels", "seed": 0}
    yield from ({"model": "autoencoder", "k": 8, "seed": seed} for seed in range(SEEDS))
    yield from ({"model": "denoising", "k": 8, "seed": seed} for seed in range(SEEDS))
    yield from ({"model": "pca", "k": k, "seed": seed} for k in (8, 64, 32) for seed in range(SEEDS))
    yield from ({"model": "vae", "k": 8, "variance": v, "seed": seed} for v in VARIANCES for seed in range(SEEDS))


if __name__ == "__main__":
    evidence.rows(
        "autoencoders/random_codes",
        plan(),
        run,
        evidence.parser(__doc__).parse_args(),
        packages=("torch", "scikit-learn"),
        training={"hidden": HIDDEN, "steps": STEPS, "batch_size": BATCH, "lr": PEAK, "noise": NOISE},
        floor=look(load("digits").train),
    )
