"""Captions: texts spelled by hand, every caption read back, pairs never shown, and pictures that are as they say."""

import pytest
import torch

from gmcourse.data import load
from gmcourse.data.captioned_digits import (
    PALETTE,
    STYLES,
    WORDS,
    attributes_of,
    captions,
    drawn,
    to_text,
    to_tokens,
    unseen,
)

ALL = torch.cartesian_prod(torch.arange(10), torch.arange(4), torch.arange(6))


@pytest.fixture(scope="module")
def data():
    return load("captioned-digits")


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ((7, 0, 5), "a seven, upper left, outlined"),
        ((8, 1, 0), "an eight, upper right, red"),
        ((0, 2, 4), "a zero, lower left, purple"),
        ((9, 3, 2), "a nine, lower right, blue"),
    ],
)
def test_captions_by_hand(attributes, text):
    (row,) = captions(torch.tensor([attributes]))
    assert to_text(row) == text
    assert torch.equal(to_tokens(text), row)


def test_every_caption_is_its_own_and_is_read_back():
    rows = captions(ALL)
    assert len(rows.unique(dim=0)) == len(ALL) == 240
    assert torch.equal(attributes_of(rows), ALL)
    assert set(rows.unique().tolist()) == set(range(len(WORDS)))
    assert len(set(WORDS)) == len(WORDS) == 22
    assert captions(ALL[:0]).shape == (0, 5)


def test_one_style_of_each_digit_is_unseen():
    pairs = ALL[unseen(ALL)]
    assert len(pairs) == 40
    assert pairs[:, [0, 2]].unique(dim=0).tolist() == [[d, d % 6] for d in range(10)]


def test_unseen_pairs_stand_in_every_other_picture_of_test_and_nowhere_else(data):
    for split in ("train", "valid"):
        attributes = attributes_of(data.labels[split])
        assert not unseen(attributes).any()
    assert len(attributes_of(data.labels["train"])[:, [0, 2]].unique(dim=0)) == 50
    hidden = unseen(attributes_of(data.labels["test"]))
    assert torch.equal(hidden, torch.arange(1440) % 2 == 1)
    still = load("digits")
    assert torch.equal(attributes_of(data.labels["test"])[:, 0], still.labels["test"].repeat_interleave(4))


def test_pictures_are_as_their_captions_say(data):
    still = load("digits").test.repeat_interleave(4, 0)[:, 0]
    attributes = attributes_of(data.labels["test"])
    for picture, digit, (_, place, style) in zip(data.test[:80], still, attributes.tolist()):
        top, left = 1 + 6 * (place // 2), 1 + 6 * (place % 2)
        colour = torch.tensor(PALETTE)[style][:, None, None]
        inside = picture[:, top : top + 8, left : left + 8]
        if STYLES[style] == "outlined":
            assert set(picture.unique().tolist()) == {0.0, 1.0}
            assert (inside[:, digit > 0.4] == 0).all()
        else:
            assert torch.equal(inside, digit * colour)
            assert picture.sum() == pytest.approx(float((digit * colour).sum()), rel=1e-5)


def test_an_outline_is_a_closed_ring_round_the_ink():
    dot = torch.zeros(1, 1, 8, 8)
    dot[0, 0, 3, 3] = 1
    (picture,) = drawn(dot, torch.tensor([[1, 0, 5]]))
    expected = torch.zeros(16, 16)
    expected[3:6, 3:6] = 1
    expected[4, 4] = 0
    assert torch.equal(picture, expected.expand(3, -1, -1))


def test_bad_input_is_named():
    for wrong in ((10, 0, 0), (0, 4, 0), (0, 0, 6), (-1, 0, 0)):
        with pytest.raises(ValueError, match="attributes: got .* expected a digit 0..9"):
            captions(torch.tensor([wrong]))
    with pytest.raises(ValueError, match="attributes: got .* expected int64"):
        captions(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="text: got the word 'pink'"):
        to_tokens("a seven, upper left, pink")
    for text in ("an seven, upper left, red", "a seven, left upper, red", "a seven, upper left, zero"):
        with pytest.raises(ValueError, match="tokens: got .* expected a caption"):
            to_tokens(text)
    with pytest.raises(ValueError, match="tokens: got shape"):
        to_tokens("a seven")
    with pytest.raises(ValueError, match="copies must be at least 1"):
        load("captioned-digits", copies=0)
