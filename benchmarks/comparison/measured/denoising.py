"""Digits, given their noisy pictures."""

import torch
from torch import Tensor, nn

from benchmarks.budget import train
from benchmarks.comparison.measured.common import DIFFUSING, DIMS, NOISE, SECONDS, SHAPE, digits, make_ddpm, seeded
from gmcourse.autoencoders import Corruption, denoising_autoencoder
from gmcourse.scores.mixture import NoisedMixture


def psnr(x: Tensor) -> float:
    error = (x.clamp(0, 1) - digits().test.repeat(5, 1, 1, 1)).square().flatten(1).mean(1)
    return round((-10 * error.mean().log10()).item(), 3)


def denoising(model: str, seed: int, rate: float = 1.0) -> dict:
    data = digits()
    clean = data.test.repeat(5, 1, 1, 1)
    noisy = clean + NOISE * torch.randn(clean.shape, generator=seeded(0))
    if model == "nothing":
        return {"psnr": psnr(noisy)}
    flat, mean = data.train.flatten(1), data.train.flatten(1).mean(0)
    if model == "linear":
        cov = flat.T.cov()
        gain = cov @ torch.linalg.inv(cov + NOISE**2 * torch.eye(DIMS))
        return {"psnr": psnr((mean + (noisy.flatten(1) - mean) @ gain.T).view_as(clean))}
    if model == "mean of training digits":
        return {"psnr": psnr(NoisedMixture(flat, 0.1).denoise(noisy.flatten(1), NOISE).view_as(clean))}
    if model == "denoising autoencoder":
        net = denoising_autoencoder(SHAPE, 128, Corruption("gaussian", NOISE), nn.SiLU)
        row = train(net, (data.train,), SECONDS, seed=seed, valid=(data.valid,), peak=1e-2 * rate, batch_size=128)
        return row | {"psnr": psnr(net.reconstruct(noisy))}
    net, valid = make_ddpm(), (data.valid.flatten(1),)
    plan = {**DIFFUSING, "peak": rate * DIFFUSING["peak"]}
    row = train(net, (flat,), SECONDS, seed=seed, valid=valid, **plan)
    with torch.no_grad():
        return row | {"psnr": psnr(net.eval().denoise(noisy.flatten(1), NOISE).view_as(clean))}
