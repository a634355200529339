"""The player: what it hands to the page and refuses, and its JavaScript in Node against Python's numbers."""

import base64
import io
import json
import shutil
import wave

import numpy as np
import pytest
import torch

from gmcourse import show
from gmcourse.data import load
from gmcourse.show.player import wav
from gmcourse.show.player.figure import sounds_figure, spectrum

RATE = 4000
TIME = torch.arange(1000) / RATE
NOTE = 0.8 * torch.sin(2 * torch.pi * 330 * TIME) * torch.exp(-6 * TIME)
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
READ = """
import { doubled, playable, readWav, writeWav } from "./player/wav.js";
import { spectrumOf, strongest } from "./player/spectrum.js";
const over = ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength);
const view = (text) => over(Buffer.from(text, "base64"));
const text = (file) => Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("base64");
console.log(JSON.stringify(%s));
"""


@pytest.fixture
def page(node):
    """The value of an expression in the functions of the player's modules."""
    return lambda expression, given: node(READ % expression, given)


def opened(file: bytes) -> tuple[int, np.ndarray]:
    with wave.open(io.BytesIO(file)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth()) == (1, 2)
        return reader.getframerate(), np.frombuffer(reader.readframes(reader.getnframes()), "<i2") / 32767


def text(file: bytes) -> str:
    return base64.b64encode(file).decode()


def test_each_sound_is_a_wav_file():
    player = show.Player([NOTE, -NOTE[None, :500]], RATE, ["a note", "half of it"], colours=["data", "model"])
    for file, expected in zip(player.sounds, (NOTE, -NOTE[:500]), strict=True):
        rate, samples = opened(file)
        assert rate == RATE
        assert np.abs(samples - expected.numpy()).max() < 1 / 32767
    assert player.names == ["a note", "half of it"]
    assert player.colours == [show.COLOURS["data"], show.COLOURS["model"]]
    assert "a note, half of it" in player.alt
    assert show.Player(NOTE[None, None], RATE, ["a"]).sounds == [wav(NOTE.numpy(), RATE)]


def test_the_state_is_small():
    state = show.Player(NOTE[None], RATE, ["a"]).get_state()
    assert sum(len(json.dumps(part, default=str)) for part in state.values()) < 40_000


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (([NOTE], RATE, ["a", "b"]), ValueError, "names: got 2 for 1 sounds"),
        (([], RATE, []), ValueError, "names: got 0"),
        (([NOTE], 0, ["a"]), ValueError, "rate: got 0"),
        (([NOTE], 4e3, ["a"]), ValueError, "rate: got 4000.0"),
        (([2 * NOTE], RATE, ["a"]), ValueError, r"sounds: got \(1000,\), expected .* within \[-1, 1\]"),
        (([torch.nan * NOTE], RATE, ["a"]), ValueError, "sounds: got"),
        (([NOTE[:1]], RATE, ["a"]), ValueError, r"sounds: got \(1,\)"),
        (([NOTE.expand(2, -1)], RATE, ["a"]), ValueError, r"sounds: got \(2, 1000\)"),
        (([NOTE.numpy()], RATE, ["a"]), TypeError, "sounds: got ndarray"),
        (([torch.zeros(151_000)], RATE, ["a"]), ValueError, "sounds: got 302,044 bytes, expected at most 300,000"),
    ],
)
def test_what_does_not_fit_is_named(given, error, message):
    with pytest.raises(error, match=message):
        show.Player(*given)


def test_colours_have_names():
    for colours in (["red"], ["data", "model"]):
        with pytest.raises(ValueError, match="colours: got"):
            show.Player([NOTE], RATE, ["a"], colours=colours)


def test_on_paper_each_sound_has_a_row():
    figure = sounds_figure([NOTE.numpy(), NOTE.numpy()[:300]], RATE, ["a", "b"], ["red", "blue"])
    assert len(figure.axes) == 4
    assert [axes.get_ylabel() for axes in figure.axes] == ["a", "", "b", ""]
    frequency, decibels = spectrum(NOTE.numpy(), RATE)
    assert frequency[decibels.argmax()] == pytest.approx(330, abs=1)
    assert decibels.max() == 0


@needs_node
def test_the_page_reads_and_writes_the_file(page):
    file = text(wav(NOTE.numpy(), RATE))
    seen = page("[readWav(view(given)).rate, Array.from(readWav(view(given)).samples)]", file)
    assert seen[0] == RATE
    np.testing.assert_allclose(seen[1], opened(base64.b64decode(file))[1], atol=1e-7)
    assert page("text(writeWav(readWav(view(given)).samples, 4000))", file) == file
    rate, clipped = opened(base64.b64decode(page("text(writeWav([2, -2, 0], 8000))", None)))
    assert (rate, clipped.tolist()) == (8000, [1, -1, 0])


@needs_node
def test_the_page_doubles_what_browsers_would_not_play(page):
    def sine(rate, samples):
        return 0.8 * np.sin(2 * np.pi * 1400 * np.arange(samples) / rate)

    fine = np.array(page("Array.from(doubled(given))", sine(RATE, 400).tolist()))
    assert len(fine) == 800
    assert np.abs(fine - sine(2 * RATE, 800))[60:-60].max() < 0.01
    for rate, expected in ((1000, 8000), (4000, 8000), (8000, 8000), (11_025, 11_025)):
        heard = opened(base64.b64decode(page("text(playable(view(given)))", text(wav(NOTE.numpy(), rate)))))
        assert heard[0] == expected
        assert len(heard[1]) == 1000 * expected // rate


@needs_node
@pytest.mark.parametrize("samples", [400, 1000, 5000])
def test_the_page_s_spectrum_is_numpy_s(page, samples):
    notes = load("tones", seconds=samples / RATE, size=10)
    x = notes.train[0, 0].numpy()
    frequency, decibels = spectrum(x, RATE)
    seen = page("spectrumOf(given, 4000)", x.tolist())
    assert seen["step"] == pytest.approx(frequency[1])
    np.testing.assert_allclose(seen["decibels"], decibels, atol=0.01)
    strong = page("strongest(spectrumOf(given, 4000))", x.tolist())
    assert strong == pytest.approx(frequency[decibels.argmax()])


@needs_node
def test_silence_has_a_spectrum_too(page):
    assert page("spectrumOf(given, 4000).decibels[5]", [0.0] * 50) == -120
