"""A classifier that learns from samples too."""

import math

import torch
from torch import Tensor

from benchmarks import evidence
from benchmarks.budget import train
from benchmarks.comparison.measured.common import ADAM, DIMS, EACH, SECONDS, digits, seeded
from gmcourse.gan.conditional import make_cgan
from gmcourse.nets import LeveledMLP
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.sde import ScoreSDE
from gmcourse.vae.conditional import make_cvae


def told_diffusion(x: Tensor) -> ScoreSDE:
    spread, centre = x.std().item(), x.mean().item()
    net = LeveledMLP(DIMS, [128, 128, 128], classes=10)
    return ScoreSDE(Denoiser(net, spread, centre), (DIMS,), smallest=0.02 / spread)


def drawn(model: str, x: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor, dict]:
    """100 samples of each class, flat, from a model trained on these rows, and how it was trained."""
    asked, rng = torch.arange(10).repeat_interleave(EACH), seeded(seed)
    if model == "PCA Gaussian":
        return torch.cat([pca_draws(x[labels == c].flatten(1), rng) for c in range(10)]), asked, {}
    flat = model == "diffusion"
    net = told_diffusion(x) if flat else {"CVAE": make_cvae, "CGAN": make_cgan}[model](digits())
    rows = x.flatten(1) if flat else x
    plan = {"CVAE": ADAM, "CGAN": {"peak": 1e-3, "batch_size": 64}, "diffusion": {"peak": 3e-3, "batch_size": 96}}
    row = train(net, (rows, labels), SECONDS, seed=seed, **plan[model])
    with torch.no_grad():
        return net.eval().sample(len(asked), asked, rng=rng).flatten(1).clamp(0, 1), asked, row


def pca_draws(x: Tensor, rng: torch.Generator) -> Tensor:
    """Eight factors and a noise for all pixels: N(m, UΛU′ + v(I − UU′))."""
    k, centred = min(8, len(x) - 1), x - x.mean(0)
    _, values, axes = torch.linalg.svd(centred / math.sqrt(max(1, len(x) - 1)), full_matrices=False)
    noise = (values[k:].square().sum() / (DIMS - k)).sqrt()
    z, rest = (torch.randn(EACH, size, generator=rng) for size in (k, DIMS))
    rest = noise * (rest - rest @ axes[:k].T @ axes[:k])
    return (x.mean(0) + z * values[:k] @ axes[:k] + rest).clamp(0, 1)


def augmentation(model: str, labels: int, seed: int) -> dict:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    data = digits()
    rows = torch.randperm(len(data.train), generator=seeded(seed))[:labels]
    x, y = data.train[rows], evidence.labels(data, "train")[rows]
    torch.manual_seed(seed)
    fake, asked, row = drawn(model, x, y, seed)
    test, truth = data.test.flatten(1).numpy(), evidence.labels(data, "test").numpy()
    sets = {"real": (x.flatten(1), y), "drawn": (fake, asked)}
    sets["both"] = tuple(torch.cat(pair) for pair in zip(*sets.values(), strict=True))
    for name, (rows, told) in sets.items():
        for of, judge in (("", LogisticRegression(max_iter=2000)), (", kernel", SVC())):
            fitted = judge.fit(rows.numpy(), told.numpy())
            row[name + of] = round(float((fitted.predict(test) == truth).mean()), 4)
    return row
