"""A digit that was not seen in training, found."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks import evidence
from benchmarks.budget import train
from benchmarks.comparison.measured.common import (
    ADAM,
    BRIEF,
    LEVELS,
    PIXELS,
    SHAPE,
    Flat,
    counted,
    digits,
    make_vae,
    seeded,
)
from gmcourse.autoencoders import deep_autoencoder
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.metrics import auroc, importance_weighted


@torch.no_grad()
def oddness(model: str, x: Tensor, seed: int) -> tuple[Callable[[Tensor], Tensor], dict]:
    """A score that is high where a picture is unlike x, and how it was trained."""
    net = nn.Module()
    with torch.enable_grad():
        if model == "autoencoder":
            net, plan = deep_autoencoder(SHAPE, 8, (128,)), {**ADAM, "batch_size": 128}
        elif model == "VAE":
            net, plan = make_vae(), ADAM
        elif model == "RealNVP":
            net, plan = Flat(), {**ADAM, "clip": 5.0}
        else:
            net, plan = PixelCNN(SHAPE, LEVELS), PIXELS
        trained = train(net, (x,), BRIEF, seed=seed, **plan)
    scores = {
        "autoencoder": lambda t: net.errors(t),
        "VAE": lambda t: -importance_weighted(net, t, 20, seeded(0)),
        "RealNVP": lambda t: -net.bound(t, 8),
        "PixelCNN": lambda t: -net.log_prob(t),
    }
    net.eval()
    return scores[model], trained


def anomalies(model: str, seed: int) -> dict:
    data = digits()
    labels, held = evidence.labels(data, "train"), torch.cat([data.valid, data.test])
    own, found, steps = evidence.labels(data, "valid", "test"), [], []
    for digit in range(10):
        x = data.train[labels != digit]
        torch.manual_seed(seed)
        if model == "mixture, counted":
            mixture = counted(x, labels[labels != digit])
            values = -mixture.log_prob((held * 16).round()).detach()
        elif model == "nearest digit":
            values = torch.cdist(held.flatten(1), x.flatten(1)).amin(1)
        else:
            score, trained = oddness(model, x, seed)
            values = score(held).detach()
            steps.append(trained["steps"])
        found.append(round(auroc(values[own != digit], values[own == digit]), 4))
    return {"auroc": found, "mean": round(sum(found) / 10, 4), "worst": min(found)} | (
        {"steps": steps} if steps else {}
    )
