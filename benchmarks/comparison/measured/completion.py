"""The lower half of a digit, given the upper one."""

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
    """The mean of 20 completions, pixel after pixel."""
    x, rng = binary().test.repeat(DRAWS, 1, 1, 1).clone(), seeded(0)
    for place in range(DIMS // 2, DIMS):
        row, column = divmod(place, 8)
        x[:, 0, row, column] = torch.bernoulli(model.logits(x)[:, 0, row, column].sigmoid(), generator=rng)
    return x.unflatten(0, (DRAWS, -1)).mean(0)


def complete(model: str, seed: int) -> dict:
    data, known = binary(), upper()
    x, valid, test = data.train, data.valid, data.test
    if model == "mixture, counted":
        mixture = NaiveBayes(SHAPE).count(x, evidence.labels(data, "train"))
        return completed(-mixture.complete_log_prob(test, known), mixture_mean(mixture)) | {"settings": "labels"}
    if model == "nearest digit":
        near = torch.cdist(test[:, known], x[:, known]).argmin(1)
        return {"right": round(right(x[near]), 4)}
    net: nn.Module
    if model == "mixture, learned":
        net = NaiveBayes(SHAPE, classes=40)
        row = train(net, (x,), SECONDS, peak=2e-2, batch_size=64, seed=seed, valid=(valid,))
        return row | completed(-net.complete_log_prob(test, known), mixture_mean(net))
    if model == "PixelCNN":
        net = PixelCNN(SHAPE)
        row = train(net, (x,), SECONDS, seed=seed, valid=(valid,), **PIXELS)
        drawn = net.complete(test.repeat(DRAWS, 1, 1, 1), known, rng=seeded(0)).unflatten(0, (DRAWS, -1))
        return row | completed(-net.log_prob_given(test, known), drawn.mean(0))
    if model == "MADE":
        net = BinaryMADE(SHAPE)
        row = train(net, (x,), SECONDS, seed=seed, valid=(valid,), **ADAM)
        return row | completed(lower_nats(net.eval().logits(test)), made_mean(net))
    told = [context(part, known) for part in (x, valid, test)]
    if model == "CVAE":
        net = filling_cvae(SHAPE, 6, dropout=0.2)
        row = train(net, (x, told[0]), SECONDS, seed=seed, valid=(valid, told[1]), peak=3e-3, batch_size=128)
        nats = -importance_weighted(net, test, 300, seeded(0), batch_size=60, chunk=100, given=told[2])
        return row | completed(nats, net.answers(told[2], DRAWS, rng=seeded(0)).mean(0), "at most")
    net = Regressor(nn.Sequential(nn.Flatten(), mlp([128, 128, 64], dropout=0.2), nn.Unflatten(1, SHAPE)), Bernoulli())
    row = train(net, (x, told[0]), SECONDS, seed=seed, valid=(valid, told[1]), peak=3e-3, batch_size=128)
    return row | completed(-net.eval().log_prob(test, told[2]), net.answer(told[2]))


def mixture_mean(mixture: NaiveBayes) -> Tensor:
    """E[x | upper half]: each class's pixels, by the probability of the class."""
    shares = mixture.log_joint(binary().test, upper()).softmax(1)
    return (shares @ mixture.logits.softmax(2)[:, :, 1]).view(-1, *SHAPE)
