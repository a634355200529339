"""Every embedded set and toy loads as its docstring says; keys and options are checked."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from itertools import combinations

import pytest
import torch

from gmcourse.data import KEYS, describe, load

OFFLINE = [key for key in KEYS if describe(key).kind != "download"]
SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def loaded():
    return {key: load(key) for key in OFFLINE}


def test_the_promised_keys_are_there():
    promised = """digits binarized-digits wine breast-cancer diabetes two-moons rings ring-of-8 grid-of-25 checkerboard
    spirals pinwheel bouncing-digits coloured-digits number-words sentences python-docs tones chords mnist fashion-mnist
    binarized-mnist shakespeare names letter spambase usps wine-quality"""
    assert set(promised.split()) == set(KEYS)


@pytest.mark.parametrize("key", OFFLINE)
def test_shapes_types_and_ranges(loaded, key):
    data = loaded[key]
    for split in SPLITS:
        rows = getattr(data, split)
        assert len(rows) > 0
        assert tuple(rows.shape[1:]) == data.event_shape
        assert rows.dtype in (torch.float32, torch.int64)
        assert torch.isfinite(rows.float()).all()
        if data.labels is not None:
            assert len(data.labels[split]) == len(rows)


@pytest.mark.parametrize("key", OFFLINE)
def test_the_entry_says_what_is_loaded(loaded, key):
    entry, data = describe(key), loaded[key]
    assert (entry.event_shape, entry.dtype) == (data.event_shape, data.train.dtype)
    assert entry.rows == (None if key == "python-docs" else tuple(len(getattr(data, split)) for split in SPLITS))


@pytest.mark.parametrize("key", OFFLINE)
def test_loading_twice_gives_the_same(loaded, key):
    again = load(key)
    assert all(torch.equal(getattr(again, split), getattr(loaded[key], split)) for split in SPLITS)


@pytest.mark.parametrize("key", KEYS)
def test_docstring_states_licence_and_source(key):
    entry = describe(key)
    text = " ".join(entry.build.__doc__.split())
    assert f"Licence: {entry.licence}." in text
    assert f"Source: {entry.source}." in text


def test_a_record_is_frozen_and_prints_in_one_line(loaded):
    with pytest.raises(FrozenInstanceError):
        loaded["digits"].train = None
    assert repr(loaded["digits"]) == (
        "Dataset('digits': train 1,257, valid 180, test 360; event (1, 8, 8) float32; CC BY 4.0)"
    )


def test_misspelt_key_names_the_close_ones():
    with pytest.raises(ValueError, match="no data set 'two-mons'; did you mean two-moons"):
        load("two-mons")
    with pytest.raises(ValueError, match="no data set 'zzzz'; the sets are digits, .*, wine-quality, or a path"):
        load("zzzz")
    with pytest.raises(TypeError, match="key must be a string"):
        load(3)


@pytest.mark.parametrize("key", ["Two-Moons", "two_moons", "TWO_MOONS"])
def test_case_and_underscores_do_not_matter(key):
    assert describe(key) is describe("two-moons")
    assert load(key, size=10).key == "two-moons"


def test_unknown_or_wrong_options_are_named():
    with pytest.raises(TypeError, match="two-moons has no option 'sigma'; its options: noise, size, seed"):
        load("two-moons", sigma=0.1)
    with pytest.raises(TypeError, match="digits has no option 'size'; its options: none"):
        load("digits", size=3)
    with pytest.raises(ValueError, match="noise must be a positive number, got -1"):
        load("rings", noise=-1)
    with pytest.raises(ValueError, match=r"size must be an integer of at least 10 .* got 3"):
        load("checkerboard", size=3)


def test_importing_the_package_stays_light():
    slow = "sklearn, scipy.stats, IPython, ipywidgets, requests".split(", ")
    code = f"import sys, gmcourse.data; assert not [m for m in {slow} if m in sys.modules]"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_split_of_the_digits(loaded):
    from sklearn.datasets import load_digits

    order = torch.randperm(1797, generator=torch.Generator().manual_seed(0))
    images = torch.from_numpy(load_digits().images)
    assert torch.equal(loaded["digits"].test[:, 0] * 16, images[order[-360:]].float())
    assert torch.equal(loaded["digits"].train[:, 0] * 16, images[order[:1257]].float())


def test_independent_bernoulli_pixels_reach_the_known_value(loaded):
    data = loaded["binarized-digits"]
    known = torch.cat([data.train, data.valid])
    p = (known.sum(0) + 1) / (len(known) + 2)
    nll = -(data.test * p.log() + (1 - data.test) * (1 - p).log()).sum((1, 2, 3)).mean()
    assert float(nll) == pytest.approx(25.34, abs=0.02)


@pytest.mark.parametrize("key", ["wine", "breast-cancer", "diabetes"])
def test_tables_are_standardised_on_train(loaded, key):
    train = loaded[key].train
    assert train.mean(0).abs().max() < 1e-5
    assert (train.std(0, correction=0) - 1).abs().max() < 1e-4
    ages = loaded["diabetes"].train[:, 0] * loaded["diabetes"].scale[0] + loaded["diabetes"].shift[0]
    assert (ages - ages.round()).abs().max() < 1e-4
    assert ages.min() > 18


def test_python_docs_decode(loaded):
    data = loaded["python-docs"]
    text = "".join(data.alphabet[code] for code in data.train.tolist())
    assert "assert" in text
    assert "statement" in text


def test_bouncing_digits_move_whole_and_stay_on_the_canvas(loaded):
    data, still = loaded["bouncing-digits"], loaded["digits"]
    assert data.event_shape == (1, 8, 16, 16)
    ink = data.test.sum((1, 3, 4))
    assert torch.allclose(ink, still.test.sum((1, 2, 3))[:, None].expand_as(ink))
    assert (data.test[:, :, 1:] != data.test[:, :, :-1]).flatten(1).any(1).float().mean() > 0.99
    assert load("bouncing-digits", frames=4, canvas=24).event_shape == (1, 4, 24, 24)


def test_coloured_digits_are_pairs(loaded):
    data = loaded["coloured-digits"]
    outline = data.labels["test"]
    assert outline.shape == (360, 1, 16, 16)
    assert set(outline.unique().tolist()) == {0.0, 1.0}
    assert data.test.min() >= 0
    assert data.test.max() <= 1
    ink = data.test.amax(1, keepdim=True)[outline == 1]
    assert (ink > 0).all()


def test_tones_have_the_pitch_of_their_class(loaded):
    data = load("tones", seconds=1.0)
    spectrum = torch.fft.rfft(data.test[:, 0]).abs()
    frequency = 220 * 2 ** (data.labels["test"] / 12)
    near = [(frequency * harmonic).round().long()[:, None] + torch.arange(-3, 4) for harmonic in (1, 2, 3)]
    around = torch.stack([spectrum.gather(1, bins).amax(1) for bins in near]).amax(0)
    assert (around > 0.95 * spectrum.amax(1)).all()
    assert data.test.abs().max() <= 1


def test_chords_sound_the_two_tones_of_their_label():
    data = load("chords", seconds=1.0)
    pair = data.labels["test"]
    assert (pair[:, 0] < pair[:, 1]).all()
    assert {tuple(row) for row in data.labels["train"].tolist()} == set(combinations(range(12), 2))
    spectrum = torch.fft.rfft(data.test[:, 0]).abs()
    cycles = 220 * 2 ** (pair / 12)[:, :, None] * torch.arange(1, 4)
    near = (cycles.round().long()[..., None] + torch.arange(-8, 9)).flatten(1)
    elsewhere = spectrum.scatter(1, near, 0.0)
    assert (elsewhere.square().sum(1) < 0.15 * spectrum.square().sum(1)).all()
    assert data.test.abs().amax((1, 2)).tolist() == pytest.approx([0.9] * 200)
