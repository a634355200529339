"""Pictures from captions, by a game: how words reach generator and critic. Reed et al. 2016."""

import math
from functools import partial

import torch
from torch import Tensor, nn

from gmcourse.data.captioned_digits import DIGITS, PLACES, STYLES, WORDS, attributes_of, captions
from gmcourse.gan.auxiliary import ACGAN
from gmcourse.gan.conditional import CGAN, Deaf, Projection
from gmcourse.nets import Told

SHAPE, FACTS = (3, 16, 16), (len(DIGITS), len(PLACES), len(STYLES))
_leaky = partial(nn.LeakyReLU, 0.2)


class CaptionEncoder(nn.Module):
    """W Σ_t e(token_t)/√T + b, (batch, outputs): the words of a caption, (batch, T) int64, in no order."""

    def __init__(self, outputs: int, size: int = 32):
        super().__init__()
        self.words = nn.Embedding(len(WORDS), size)
        self.out = nn.Linear(size, outputs)

    def forward(self, given: Tensor) -> Tensor:
        """(batch, T) → (batch, outputs)."""
        return self.out(self.words(given).sum(1) / math.sqrt(given.shape[1]))


class FromLast(nn.Module):
    """last(φ(x) beside what is read): the usual place at which a critic is told a caption."""

    def __init__(self, features: nn.Module, last: nn.Module, read: nn.Module):
        super().__init__()
        self.features, self.last = features, Told(last, read)

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        """(batch, 1)."""
        return self.last(self.features(x), given)


def one_fact_wrong(given: Tensor, which: Tensor, noise: Tensor) -> Tensor:
    """Captions that are wrong in one fact: `which` (n,) of digit, place and style is drawn anew by `noise` (n,).

    given (n, 5) int64; noise is uniform in [0, 1), and each other value of that fact is drawn equally often.
    """
    attributes, counts = attributes_of(given), torch.tensor(FACTS)[which]
    rows = torch.arange(len(given))
    steps = 1 + (noise * (counts - 1)).long()
    attributes[rows, which] = (attributes[rows, which] + steps) % counts
    return captions(attributes)


def some_fact_wrong(given: Tensor) -> Tensor:
    """`one_fact_wrong` with a fact and a noise from torch's global state: the `wrong` of a captioned `CGAN`."""
    return one_fact_wrong(given, torch.randint(0, len(FACTS), (len(given),)), torch.rand(len(given)))


def caption_generator(latent_size: int, told_size: int = 24, width: int = 24) -> Told:
    """z beside an encoded caption → (batch, 3, 16, 16) in [0, 1], by two transposed convolutions."""
    layers = nn.Sequential(
        nn.Linear(latent_size + told_size, 256),
        nn.ReLU(),
        nn.Linear(256, 2 * width * 16),
        nn.Unflatten(1, (2 * width, 4, 4)),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1),
        nn.Sigmoid(),
    )
    return Told(layers, CaptionEncoder(told_size))


def caption_features(size: int = 128, width: int = 24) -> nn.Sequential:
    """(batch, 3, 16, 16) → (batch, size): two convolutions of stride 2, and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(3, width, 4, stride=2, padding=1),
        _leaky(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        _leaky(),
        nn.Flatten(),
        nn.Linear(2 * width * 16, size),
        _leaky(),
    )


def concatenating_cgan(latent_size: int = 16, *, matching: bool = False, r1: float = 0.1) -> CGAN:
    """The critic is told the caption before its last hidden layer; with `matching`, it is shown wrong ones too."""
    last = nn.Sequential(nn.Linear(128 + 24, 128), _leaky(), nn.Linear(128, 1))
    critic = FromLast(caption_features(), last, CaptionEncoder(24))
    return CGAN(caption_generator(latent_size), critic, latent_size, wrong=some_fact_wrong if matching else None, r1=r1)


def projecting_cgan(latent_size: int = 16, *, matching: bool = False, r1: float = 0.1) -> CGAN:
    """The critic's features are multiplied with the encoded caption."""
    critic = Projection(caption_features(), CaptionEncoder(128), 128)
    return CGAN(caption_generator(latent_size), critic, latent_size, wrong=some_fact_wrong if matching else None, r1=r1)


def naming_acgan(latent_size: int = 16, *, weight: float = 1.0, r1: float = 0.1) -> ACGAN:
    """The critic is told no caption; it names digit, place and style of a picture, by three heads."""
    critic = Deaf(nn.Sequential(*caption_features(), nn.Linear(128, 1 + sum(FACTS))))
    return ACGAN(
        caption_generator(latent_size),
        critic,
        latent_size,
        FACTS,
        facts=attributes_of,
        weight=weight,
        fakes=False,
        r1=r1,
    )
