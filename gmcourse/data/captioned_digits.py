"""Digits with a caption: which digit, where it stands and how it is drawn, in words; some pairs are never shown."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from gmcourse.data.dataset import SPLITS, Entry
from gmcourse.data.embedded import digits

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PLACES = ("upper left", "upper right", "lower left", "lower right")
STYLES = ("red", "green", "blue", "yellow", "purple", "outlined")
WORDS = ("a", "an", *DIGITS, "upper", "lower", "left", "right", *STYLES)
"""The word of each token of a caption."""

PALETTE = ((1, 0.1, 0.1), (0.1, 0.9, 0.1), (0.2, 0.4, 1), (1, 0.9, 0.1), (0.7, 0.2, 0.9), (1, 1, 1))
"""Red, green and blue of each style; outlines are white."""

LENGTH = 5
_TOKEN = {word: token for token, word in enumerate(WORDS)}
_OUTLINED, _MARGIN, _SHIFT, _DIGIT = len(STYLES) - 1, 1, 6, 8
SIDE = 2 * _MARGIN + _SHIFT + _DIGIT
"""Pixels along a side of a picture: a digit stands in rows and columns 1 to 8, or 7 to 14."""


def captions(attributes: Tensor) -> Tensor:
    """Digit, place and style, (n, 3) int64 → the tokens of "a seven, upper left, outlined", (n, 5) int64.

    The article adds nothing: it is "an" before eight alone. Raises ValueError for attributes that there are not.
    """
    digit, place, style = _checked(attributes).T
    columns = (
        (digit == DIGITS.index("eight")).long(),
        _TOKEN["zero"] + digit,
        _TOKEN["upper"] + place // 2,
        _TOKEN["left"] + place % 2,
        _TOKEN["red"] + style,
    )
    return torch.stack(columns, 1)


def attributes_of(tokens: Tensor) -> Tensor:
    """The tokens of captions, (n, 5) → digit, place and style, (n, 3). Raises ValueError for tokens of no caption."""
    if tokens.dim() != 2 or tokens.shape[1] != LENGTH:
        raise ValueError(f"tokens: got shape {tuple(tokens.shape)}, expected (n, {LENGTH})")
    _, digit, row, column, style = tokens.T
    place = 2 * (row - _TOKEN["upper"]) + column - _TOKEN["left"]
    attributes = torch.stack([digit - _TOKEN["zero"], place, style - _TOKEN["red"]], 1)
    known = ((attributes >= 0) & (attributes < torch.tensor([len(DIGITS), len(PLACES), len(STYLES)]))).all(1)
    known[known.clone()] = (captions(attributes[known]) == tokens[known]).all(1)
    if not known.all():
        words = " ".join(WORDS[t] if 0 <= t < len(WORDS) else f"<{t}>" for t in tokens[~known][0].tolist())
        raise ValueError(f"tokens: got {words!r}, expected a caption such as 'a seven upper left outlined'")
    return attributes


def to_tokens(text: str) -> Tensor:
    """ "a seven, upper left, outlined" → its tokens, (5,) int64. Raises ValueError for what is no caption."""
    words = text.replace(",", " ").split()
    if unknown := [word for word in words if word not in _TOKEN]:
        raise ValueError(f"text: got the word {unknown[0]!r}, expected words of {', '.join(WORDS)}")
    tokens = torch.tensor([[_TOKEN[word] for word in words]])
    attributes_of(tokens)
    return tokens[0]


def to_text(tokens: Tensor | Sequence[int]) -> str:
    """The tokens of one caption, (5,) → "a seven, upper left, outlined"."""
    article, digit, row, column, style = (WORDS[int(token)] for token in tokens)
    return f"{article} {digit}, {row} {column}, {style}"


def unseen(attributes: Tensor) -> Tensor:
    """Whether the pair of digit and style is one of the ten that no picture of train or valid has: (n,) bool.

    Digit d is never shown in style d mod 6: no zero is red, no five is outlined.
    """
    digit, _, style = _checked(attributes).T
    return style == digit % len(STYLES)


def corner(place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where digits stand in pictures (n, 16, 16), one place each, (n,): an index whose pixels are (n, 8, 8)."""
    rows, columns = ((_MARGIN + _SHIFT * far)[:, None] + torch.arange(_DIGIT) for far in (place // 2, place % 2))
    return torch.arange(len(place))[:, None, None], rows[:, :, None], columns[:, None, :]


def drawn(images: Tensor, attributes: Tensor) -> Tensor:
    """Digits (n, 1, 8, 8) put in a corner of (n, 3, 16, 16) and painted: in a colour, or a white outline of the ink.

    Attributes are digit, place and style, (n, 3); the outline is the ring of one pixel round all that is above 0.4.
    """
    _, place, style = _checked(attributes).T
    canvas = torch.zeros(len(images), SIDE, SIDE)
    canvas[corner(place)] = images[:, 0]
    ink = (canvas > 0.4).float()
    ring = F.max_pool2d(ink[:, None], 3, stride=1, padding=1)[:, 0] - ink
    grey = torch.where((style == _OUTLINED)[:, None, None], ring, canvas)
    return grey[:, None] * torch.tensor(PALETTE)[style][:, :, None, None]


def captioned_digits(copies: int = 4) -> dict:
    """Digits in one of four corners and six styles, float32 in [0, 1], (3, 16, 16), with captions as labels, (5,).

    Each digit is drawn `copies` times in a row, place and style at random with seed 0, in the digits' splits. Ten of
    the sixty pairs of digit and style are unseen in train and valid; in test every other picture has one of these.
    Licence: CC BY 4.0. Source: UCI Optical Recognition of Handwritten Digits, coloured, outlined and captioned by
    gmcourse.
    """
    if copies < 1:
        raise ValueError(f"copies must be at least 1, got {copies}")
    still, rng = digits(), torch.Generator().manual_seed(0)
    pictures, said = {}, {}
    for split in SPLITS:
        digit = still["labels"][split].repeat_interleave(copies)
        place, other = (torch.randint(most, digit.shape, generator=rng) for most in (len(PLACES), len(STYLES) - 1))
        style = (digit + 1 + other) % len(STYLES)
        if split == "test":
            style[1::2] = digit[1::2] % len(STYLES)
        attributes = torch.stack([digit, place, style], 1)
        pictures[split] = drawn(still[split].repeat_interleave(copies, 0), attributes)
        said[split] = captions(attributes)
    return {**pictures, "labels": said}


def _checked(attributes: Tensor) -> Tensor:
    """Attributes (n, 3) that there are. Raises ValueError, naming the first that is none."""
    if attributes.dim() != 2 or attributes.shape[1] != 3 or attributes.is_floating_point():
        raise ValueError(f"attributes: got {attributes.dtype} {tuple(attributes.shape)}, expected int64 (n, 3)")
    most = torch.tensor([len(DIGITS), len(PLACES), len(STYLES)])
    if (wrong := ((attributes < 0) | (attributes >= most)).any(1)).any():
        shown = tuple(attributes[wrong][0].tolist())
        raise ValueError(f"attributes: got {shown}, expected a digit 0..9, a place 0..3, a style 0..{_OUTLINED}")
    return attributes


ENTRIES = (
    Entry(
        "captioned-digits",
        "Digits with captions (place and style)",
        "embedded",
        captioned_digits,
        "CC BY 4.0",
        "UCI Optical Recognition of Handwritten Digits, coloured, outlined and captioned by gmcourse",
        (3, 16, 16),
        torch.float32,
        (5028, 720, 1440),
    ),
)
