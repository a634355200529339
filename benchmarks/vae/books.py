"""How the book of a VQ-VAE is kept, on 8 × 8 digits: codes used, total length, and how sharp its pictures are.

    python -m benchmarks.vae.books

Four books and, with the same networks, a Gaussian VAE; five seeds each. The prior of the codes, an LSTM, is trained
after the VQ-VAE. Lengths are nats a picture of the test split; codes are counted on the training split.
"""

import math

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.data import load
from gmcourse.probability import gaussian_kl
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.gaussian import GaussianVAE
from gmcourse.vae.likelihoods import Categorical
from gmcourse.vae.quantizer import perplexity, usage
from gmcourse.vae.vq import UniformCodes, image_networks, make_vq_vae

STEPS, PRIOR_STEPS, BATCH, RATE, SIZE, DIMS, LEVELS = 500, 250, 64, 2e-3, 64, 8, 17
BOOKS = {
    "gradient, start U(±1/V)": {"decay": None, "start": "small", "restart": 0},
    "means, start N(0, 1)": {"start": "noise", "restart": 0},
    "means, start at outputs": {"restart": 0},
    "means, outputs, restarts": {},
}
GAUSSIAN = "Gaussian VAE"


def sharpness(x: Tensor) -> float:
    """The mean square of the difference of two neighbouring pixels, in a row or in a column."""
    return ((x.diff(dim=-1).square().mean() + x.diff(dim=-2).square().mean()) / 2).item()


def gaussian_vae() -> GaussianVAE:
    """The networks of the VQ-VAE; the 32 numbers between them have a mean and a spread each, and no book."""
    encoder, _, places = image_networks((1, 8, 8), 2 * DIMS, LEVELS)
    _, decoder, _ = image_networks((1, 8, 8), DIMS, LEVELS)
    decoder = nn.Sequential(nn.Unflatten(1, (DIMS, *places)), *decoder, nn.Unflatten(1, (LEVELS, 1)))
    return GaussianVAE(nn.Sequential(encoder, nn.Flatten()), decoder, Categorical(LEVELS), DIMS * math.prod(places))


def pictures(model, x: Tensor) -> dict[str, float]:
    """How sharp: the test pictures, their reconstructions, means of samples and samples."""
    rng = torch.Generator().manual_seed(0)
    return {
        "sharp_data": sharpness(x),
        "sharp_reconstructions": sharpness(model.reconstruct(x)),
        "sharp_residual": sharpness(x - model.reconstruct(x)),
        "sharp_means": sharpness(model.sample_mean(1_000, rng=rng)),
        "sharp_samples": sharpness(model.sample(1_000, rng=rng)),
    }


@torch.no_grad()
def gaussian_row(model: GaussianVAE, x: Tensor) -> dict[str, float]:
    rng = torch.Generator().manual_seed(0)
    rate = gaussian_kl(*model.encode(x)).mean().item()
    total = -model.elbo(x.repeat(20, 1, 1, 1), rng=rng).mean().item()
    return {"prior": rate, "residual": total - rate, "bits_per_dim": total / 64 / math.log(2)}


def measure(book: str, seed: int) -> dict[str, float]:
    data = load("digits")
    torch.manual_seed(seed)
    model = gaussian_vae() if book == GAUSSIAN else make_vq_vae(data, SIZE, DIMS, **BOOKS[book])
    plan = {"steps": STEPS, "batch_size": BATCH, "lr": held_then_falling(RATE, STEPS), "seed": seed, "progress": False}
    if book != GAUSSIAN:
        model.prior = UniformCodes(SIZE, 4)
    fit(model, (data.train,), **plan)
    model.eval()
    if book == GAUSSIAN:
        row = gaussian_row(model, data.test)
    else:
        row = vq_row(model, data, plan)
    return {name: round(value, 5) for name, value in (row | pictures(model, data.test)).items()}


def vq_row(model, data, plan) -> dict[str, float]:
    with torch.no_grad():
        codes, uniform = model.codes(data.train), model.lengths(data.test)
        counts = torch.bincount(codes.flatten(), minlength=SIZE) + 0.5
        frequencies = -(counts / counts.sum()).log()[model.codes(data.test)].flatten(1).sum(1).mean().item()
    model.prior = LSTMLanguageModel(SIZE, 4, embedding=32, hidden=64)
    lr = held_then_falling(5e-3, PRIOR_STEPS)
    fit(model.prior, (codes.flatten(1),), **plan | {"steps": PRIOR_STEPS, "lr": lr})
    with torch.no_grad():
        prior, residual = (length.mean().item() for length in model.lengths(data.test))
    return {
        "used": int((usage(codes, SIZE) > 0).sum()),
        "perplexity": perplexity(codes, SIZE),
        "residual": residual,
        "uniform": uniform.codes.mean().item(),
        "frequencies": frequencies,
        "prior": prior,
        "bits_per_dim": (prior + residual) / 64 / math.log(2),
    }


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    books = (*BOOKS, GAUSSIAN)
    plan = [{"book": book, "seed": seed} for seed in range(5) for book in books]
    evidence.rows("vae/books", plan, measure, options, steps=STEPS, prior_steps=PRIOR_STEPS, batch=BATCH, rate=RATE)
