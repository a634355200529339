"""The laws of a spectral distance pass right answers and catch each planted bug."""

import torch

from gmcourse.laws.vae import spectral as laws
from gmcourse.vae.spectral import SpectralDistance, relative_spectral_error, spectra, spectral_distance


def over(value, reduce=torch.mean):
    """A distance of one scale, (batch,), put together over the scales."""
    return lambda ours, theirs: reduce(torch.stack([value(x, y) for x, y in zip(ours, theirs, strict=True)]), 0)


def length(z):
    return z.abs().square().flatten(1).sum(1).sqrt()


def moduli(x, y):
    return length(x.abs() - y.abs())


def by_numpy(ours, theirs):
    values = [abs(abs(x.numpy()) - abs(y.numpy())) for x, y in zip(ours, theirs, strict=True)]
    return sum((v**2).reshape(len(v), -1).sum(1) ** 0.5 for v in values) / len(values)


def between(distance):
    return lambda answer, x: distance(spectra(answer), spectra(x))


def waveform(answer, x):
    return (answer - x).square().flatten(1).sum(1).sqrt()


RIGHT = {
    laws.moduli_are_compared: (spectral_distance, over(moduli), by_numpy),
    laws.phase_is_free: (
        SpectralDistance(2.0).forward,
        lambda answer, x: SpectralDistance(scales=((128, 32),))(answer, x),
        between(lambda ours, theirs: over(lambda x, y: (x.abs() - y.abs()).abs().mean((1, 2)))(ours, theirs)),
    ),
}
BUGS = {
    laws.moduli_are_compared: {
        "the complex numbers compared": (over(lambda x, y: length(x - y)), "direction"),
        "real parts": (over(lambda x, y: length(x.real - y.real)), "direction"),
        "powers": (over(lambda x, y: length(x.abs().square() - y.abs().square())), "spread"),
        "squared": (over(lambda x, y: moduli(x, y).square()), "spread"),
        "logarithms": (over(lambda x, y: length(x.abs().log() - y.abs().log())), "log-mean"),
        "difference of norms": (over(lambda x, y: (length(x) - length(y)).abs()), "log-mean"),
        "sum over scales": (over(moduli, torch.sum), "reduction"),
        "mean over entries": (over(lambda x, y: (x.abs() - y.abs()).square().mean((1, 2)).sqrt()), "reduction"),
        "one window": (lambda ours, theirs: moduli(ours[0], theirs[0]), "dependence"),
        "the first row for all": (
            lambda ours, theirs: spectral_distance(ours, theirs)[:1].expand(len(ours[0])),
            "shape",
        ),
        "over the batch": (lambda ours, theirs: spectral_distance(ours, theirs).mean(), "shape"),
        "L1": (over(lambda x, y: (x.abs() - y.abs()).abs().sum((1, 2))), "spread"),
        "singular value": (over(lambda x, y: torch.linalg.matrix_norm(x.abs() - y.abs(), ord=2)), "one-to-one"),
    },
    laws.phase_is_free: {
        "the complex numbers compared": (between(over(lambda x, y: length(x - y))), "direction"),
        "the waveforms compared": (waveform, "direction"),
        "half of each": (
            lambda answer, x: between(spectral_distance)(answer, x) + 9 * waveform(answer, x),
            "direction",
        ),
        "loudness alone": (lambda answer, x: (answer.norm(dim=(1, 2)) - x.norm(dim=(1, 2))).abs(), "dependence"),
        "nothing": (lambda answer, x: 0 * x[:, 0, 0], "constant"),
        "relative": (lambda answer, x: relative_spectral_error(answer, x), "not-finite"),
        "a constant more": (lambda answer, x: between(spectral_distance)(answer, x) + 1.0, ""),
    },
}
