"""The lower half of a digit, given the upper one."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import evidence
from benchmarks.budget import train
from benchmarks.comparison.measured.common import ADAM, DIMS, DRAWS, PIXELS, SECONDS, SHAPE, binary, seeded
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.metrics import importance_weighted
from gmcourse.nets import mlp
from gmcourse.taxonomy.naive_bayes import NaiveBayes
from gmcourse.vae.answers import Regressor
from gmcourse.vae.conditional import filling_cvae
from gmcourse.vae.likelihoods import Bernoulli
from gmcourse.vae.told import context


def upper() -> Tensor:
    """The mask of what is known."""
    known = torch.zeros(SHAPE, dtype=torch.bool)
    known[:, :4] = True
    return known


def right(mean: Tensor) -> float:
    """The share of the lower half's pixels that the thresholded mean (n, 1, 8, 8) gets right."""
    lower = ~upper()
    return ((mean > 0.5).float() == binary().test)[:, lower].double().mean().item()


def completed(nats: Tensor, mean: Tensor, name: str = "nats") -> dict[str, float]:
    return {name: round(nats.double().mean().item(), 4), "right": round(right(mean), 4)}


def lower_nats(logits: Tensor) -> Tensor:
    """−ln p(lower half | upper half), (n,), of the logits of a raster-ordered model."""
    each = nn.functional.binary_cross_entropy_with_logits(logits, binary().test, reduction="none")
    return (each * ~upper()).flatten(1).sum(1)


def made_mean(model: BinaryMADE) -> Tensor:
    """The mean of many completions, pixel after pixel."""
    x, rng = binary().test.repeat(DRAWS, 1, 1, 1).clone(), seeded(0)
    for place in range(DIMS // 2, DIMS):
        row, column = divmod(place, 8)
        x[:, 0, row, column] = torch.bernoulli(model.logits(x)[:, 0, row, column].sigmoid(), generator=rng)
    return x.unflatten(0, (DRAWS, -1)).mean(0)


def complete(model: str, seed: int, rate: float = 1.0) -> dict:
    data, known = binary(), upper()
    x, test = data.train, data.test
    if model == "mixture, counted":
        mixture = NaiveBayes(SHAPE).count(x, evidence.labels(data, "train"))
        return completed(-mixture.complete_log_prob(test, known), mixture_mean(mixture)) | {"settings": "labels"}
    if model == "nearest digit":
        near = torch.cdist(test[:, known], x[:, known]).argmin(1)
        return {"right": round(right(x[near]), 4)}
    make, plan = LEARNED[model]
    net, told = make(), [(context(part, known),) if model in TOLD else () for part in (x, data.valid, test)]
    plan = {**plan, "peak": rate * plan["peak"]}
    row = train(net, (x, *told[0]), SECONDS, seed=seed, valid=(data.valid, *told[1]), **plan)
    with torch.no_grad():
        return row | filled(model, net.eval(), *told[2])


def filled(model: str, net: Any, *told: Tensor) -> dict:
    """What the lower halves of test cost, and how many of their pixels are right."""
    test, known = binary().test, upper()
    if model == "mixture, learned":
        return completed(-net.complete_log_prob(test, known), mixture_mean(net))
    if model == "PixelCNN":
        parts = [net.complete(test.repeat(20, 1, 1, 1), known, rng=seeded(k)) for k in range(DRAWS // 20)]
        return completed(-net.log_prob_given(test, known), torch.cat(parts).unflatten(0, (DRAWS, -1)).mean(0))
    if model == "MADE":
        return completed(lower_nats(net.logits(test)), made_mean(net))
    if model == "CVAE":
        nats = -importance_weighted(net, test, 300, seeded(0), batch_size=60, chunk=100, given=told[0])
        return completed(nats, net.answers(told[0], DRAWS, rng=seeded(0)).mean(0), "at most")
    return completed(-net.log_prob(test, told[0]), net.answer(told[0]))


def make_regressor() -> Regressor:
    net = nn.Sequential(nn.Flatten(), mlp([128, 128, 64], dropout=0.2), nn.Unflatten(1, SHAPE))
    return Regressor(net, Bernoulli())


LEARNED: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "mixture, learned": (lambda: NaiveBayes(SHAPE, classes=40), {"peak": 2e-2, "batch_size": 64}),
    "PixelCNN": (lambda: PixelCNN(SHAPE), PIXELS),
    "MADE": (lambda: BinaryMADE(SHAPE), ADAM),
    "CVAE": (lambda: filling_cvae(SHAPE, 6, dropout=0.2), {"peak": 3e-3, "batch_size": 128}),
    "one answer": (make_regressor, {"peak": 3e-3, "batch_size": 128}),
}
TOLD = ("CVAE", "one answer")


def mixture_mean(mixture: NaiveBayes) -> Tensor:
    """E[x | upper half]: each class's pixels, by the probability of the class."""
    shares = mixture.log_joint(binary().test, upper()).softmax(1)
    return (shares @ mixture.logits.softmax(2)[:, :, 1]).view(-1, *SHAPE)
