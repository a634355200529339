"""The player: sounds that are heard in the page, with their waveforms and spectra."""

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from gmcourse.show.explorer import joined
from gmcourse.show.player.figure import sounds_figure
from gmcourse.show.style import COLOURS, png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
MOST_BYTES = 300_000  # of all sounds of a player


class Player(Explorer):
    """Press a sound to hear it, and see its waveform and spectrum: it plays in the page, no kernel is needed.

    `sounds` are Tensors (T,) or (1, T) in [−1, 1] with `rate` samples a second, `names` a name each, `colours` a name
    of `show.COLOURS` each (default: "samples"). The page is handed WAV files of 16 bits, at most 300 kB of them. Where
    a kernel runs, `chosen` is the number of the sound that is drawn. For print and for GitHub there is `still`, or else
    every waveform and spectrum; `alt` says what is seen. Raises TypeError or ValueError with the name of what does not
    fit.
    """

    _esm = joined(_HERE / "player.js")
    _css = styled(_HERE / "player.css")

    sounds = traitlets.List(traitlets.Bytes()).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        sounds: Sequence[Tensor] | Tensor,
        rate: int,
        names: Sequence[str],
        *,
        colours: Sequence[str] | None = None,
        still: Figure | None = None,
        alt: str | None = None,
    ):
        if len(sounds) != len(names) or not len(names):
            raise ValueError(f"names: got {len(names)} for {len(sounds)} sounds, expected one each, at least one")
        if isinstance(rate, bool) or not isinstance(rate, int) or not 1_000 <= rate <= 48_000:
            raise ValueError(f"rate: got {rate!r}, expected a whole number of samples a second, 1,000 to 48,000")
        waves = [_checked(sound) for sound in sounds]
        shades = _checked_colours(colours, len(names))
        files = [wav(samples, rate) for samples in waves]
        if sum(map(len, files)) > MOST_BYTES:
            raise ValueError(f"sounds: got {sum(map(len, files)):,} bytes, expected at most {MOST_BYTES:,}")
        listed = ", ".join(names)
        words = f"A player of {len(names)} sounds, {listed}, with the waveform and the spectrum of the one chosen."
        super().__init__(
            still=still,
            opening=lambda: png(sounds_figure(waves, rate, list(names), shades), colours=32),
            alt=words if alt is None else alt,
            sounds=files,
            names=list(names),
            colours=shades,
        )


def wav(samples: np.ndarray, rate: int) -> bytes:
    """A WAV file, mono, 16 bits, of samples (T,) in [−1, 1]."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes((32767 * samples).round().astype("<i2").tobytes())
    return file.getvalue()


def _checked(sound: Tensor) -> np.ndarray:
    if not isinstance(sound, Tensor):
        raise TypeError(f"sounds: got {type(sound).__name__}, expected Tensors (T,)")
    samples = sound.detach().cpu().float().numpy()
    samples = samples[0] if samples.ndim == 2 and len(samples) == 1 else samples
    if samples.ndim != 1 or len(samples) < 2 or not np.abs(samples).max() <= 1:
        raise ValueError(f"sounds: got {tuple(sound.shape)}, expected (T,) or (1, T), T at least 2, within [-1, 1]")
    return samples


def _checked_colours(colours: Sequence[str] | None, count: int) -> list[str]:
    named = ["samples"] * count if colours is None else list(colours)
    if len(named) != count or not set(named) <= COLOURS.keys():
        raise ValueError(f"colours: got {named}, expected {count} of {', '.join(COLOURS)}")
    return [COLOURS[name] for name in named]
