"""The sounds on paper: a waveform and a spectrum each, one row under another."""

import numpy as np
from matplotlib.figure import Figure

_ROW = 0.72  # inches


def sounds_figure(waves: list[np.ndarray], rate: int, names: list[str], colours: list[str]) -> Figure:
    """Samples (T,) in [−1, 1], `rate` a second; the spectrum in decibels under its strongest, to −60."""
    figure = Figure(figsize=(6.4, _ROW * len(waves) + 0.5), layout="constrained")
    longest = max(len(samples) for samples in waves) / rate
    rows = figure.subplots(len(waves), 2, squeeze=False, sharex="col")
    for (left, right), samples, name, colour in zip(rows, waves, names, colours, strict=True):
        left.plot(np.arange(len(samples)) / rate, samples, color=colour, linewidth=0.6)
        left.set(xlim=(0, longest), ylim=(-1, 1), yticks=[])
        left.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        right.plot(*spectrum(samples, rate), color=colour, linewidth=0.8)
        right.set(xlim=(0, rate / 2), ylim=(-60, 3), yticks=[])
    for axes, words in zip(rows[-1], ("time [s]", "frequency [Hz], 0 to −60 dB"), strict=True):
        axes.set_xlabel(words, fontsize=9)
        axes.tick_params(labelsize=9)
    return figure


def spectrum(samples: np.ndarray, rate: int, least: int = 4096) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, Hz, and decibels under the strongest: under a Hann window, zeros behind."""
    window = np.sin(np.pi * (np.arange(len(samples)) + 0.5) / len(samples)) ** 2
    size = max(least, 1 << (len(samples) - 1).bit_length())
    power = np.abs(np.fft.rfft(samples * window, size)) ** 2
    decibels = 10 * np.log10(np.maximum(power / max(power.max(), 1e-12), 1e-12))
    return np.fft.rfftfreq(size, 1 / rate), decibels
