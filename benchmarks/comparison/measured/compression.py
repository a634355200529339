"""Digits in as few bits as a model can say."""

import io
import lzma
import math
import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import evidence
from benchmarks.budget import train
from benchmarks.comparison.measured.common import (
    ADAM,
    DIFFUSING,
    DIMS,
    LEVELS,
    PIXELS,
    SECONDS,
    SHAPE,
    Flat,
    counted,
    digits,
    make_ddpm,
    make_vae,
    seeded,
)
from gmcourse.autoregressive.arithmetic_coder import compress
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.metrics import importance_weighted
from gmcourse.taxonomy.naive_bayes import NaiveBayes


def bits(nats: Tensor | float) -> float:
    """Bits a pixel."""
    return round(float(torch.as_tensor(nats).double().mean()) / DIMS / math.log(2), 4)


def packed(name: str) -> dict:
    """Bits a pixel of general-purpose files: one byte a pixel, and a sheet of all pictures as PNG."""
    from PIL import Image

    codes = (digits().test * 16).round().byte().numpy()
    if name == "PNG":
        sheet, file = codes.reshape(15, 24, 8, 8).transpose(0, 2, 1, 3).reshape(120, 192), io.BytesIO()
        Image.fromarray(sheet, "L").save(file, "PNG", optimize=True)
        size = file.tell()
    else:
        raw = np.ascontiguousarray(codes).tobytes()
        size = len(zlib.compress(raw, 9) if name == "zlib" else lzma.compress(raw, preset=9))
    return {"coded": round(8 * size / codes.size, 4)}


LEARNED = {
    "PixelCNN": (lambda: PixelCNN(SHAPE, LEVELS), PIXELS),
    "mixture, learned": (lambda: NaiveBayes(SHAPE, 40, LEVELS), {"peak": 2e-2, "batch_size": 64}),
    "VAE": (make_vae, ADAM),
    "RealNVP": (Flat, {**ADAM, "clip": 5.0}),
    "DDPM": (make_ddpm, DIFFUSING),
}


def as_taken(model: str, x: Tensor) -> Tensor:
    """The digits as the model takes them: flat, as codes, or as they are."""
    return {"DDPM": x.flatten(1), "mixture, learned": (x * 16).round()}.get(model, x)


def of_counts(model: str) -> dict:
    """The table of each pixel, and the mixture of the ten digits, whose smoothing is chosen on valid."""
    data = digits()
    mixture = counted(data.train, evidence.labels(data, "train"))
    if model == "histogram":
        codes, held = (data.train * 16).round(), (data.valid * 16).round()
        fits = [NaiveBayes(SHAPE, 1, LEVELS).count(codes, smoothing=a) for a in (0.03, 0.1, 0.3, 1.0)]
        mixture = max(fits, key=lambda fit: fit.log_prob(held).mean().item())
    return {"bits": bits(-mixture.log_prob((data.test * 16).round()).detach())}


@torch.no_grad()
def lengths(model: str, net: Any, test: Tensor) -> dict:
    """Bits a pixel: of the file, of the probability, or at most, by one draw in the mean and by many."""
    if model == "PixelCNN":
        return {"bits": bits(-net.log_prob(test)), "coded": round(len(compress(net, test)) / test.numel(), 4)}
    if model == "mixture, learned":
        return {"bits": bits(-net.log_prob(test))}
    if model == "VAE":
        elbo = torch.stack([net.elbo(test, rng=seeded(k)) for k in range(20)]).mean(0)
        tight = importance_weighted(net, test, 300, seeded(0), batch_size=60, chunk=100)
        return {"at most": bits(-elbo), "tighter": bits(-tight)}
    if model == "RealNVP":
        return {"at most": bits(-net.bound(test, 1)), "tighter": bits(-net.bound(test, 32))}
    return {"at most": bits(-torch.stack([net.elbo(test, rng=seeded(k)) for k in range(50)]))}


def compression(model: str, seed: int, rate: float = 1.0) -> dict:
    if model in ("zlib", "lzma", "PNG"):
        return packed(model)
    if model in ("histogram", "mixture, counted"):
        return of_counts(model)
    make, plan = LEARNED[model]
    net, data = make(), digits()
    x, valid, test = (as_taken(model, part) for part in (data.train, data.valid, data.test))
    row = train(net, (x,), SECONDS, seed=seed, valid=(valid,), **{**plan, "peak": rate * plan["peak"]})
    return row | lengths(model, net.eval(), test)
