"""The autoencoder: a code of few numbers for each example, and what can be drawn back from it."""

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from gmcourse.nets import conv_decoder, conv_encoder, evaluating, mlp
from gmcourse.protocols import Trainable
from gmcourse.record import IMAGES, VECTORS, Examples, ModelRecord, Suits, grey_images, held_then_falling_plan, shape_of


def squared_error(x: Tensor, y: Tensor) -> Tensor:
    """‖x − y‖², (batch, *event) twice → (batch,): the sum over an example's entries, not their mean.

    Raises ValueError for two shapes.
    """
    if x.shape != y.shape:
        raise ValueError(f"y: got shape {tuple(y.shape)}, expected {tuple(x.shape)}, that of x")
    return (x - y).square().flatten(1).sum(1)


class Autoencoder(nn.Module):
    """x → z = e(x) → d(z): min E‖x − d(e(x))‖². Hinton & Salakhutdinov 2006.

    `encoder` maps (batch, *event) to (batch, k), `decoder` maps (batch, k) to (batch, *event). There is no `sample`
    and no `log_prob`: the loss says nothing of codes that no example has.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def encode(self, x: Tensor) -> Tensor:
        """The codes z = e(x), (batch, k)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """d(z), (batch, *event), of codes z (batch, k)."""
        return self.decoder(z)

    def errors(self, x: Tensor) -> Tensor:
        """‖x − d(e(x))‖² of each example, (batch,).

        Equation: autoencoders-reconstruction-error.
        """
        return squared_error(x, self.decode(self.encode(x)))

    def loss(self, x: Tensor) -> Tensor:
        """The mean of `errors` over the batch."""
        return self.errors(x).mean()

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """d(e(x)), without gradients and without dropout."""
        with evaluating(self):
            return self.decode(self.encode(x))


def require_code(k: int) -> None:
    """Raise ValueError unless a code of k numbers has any."""
    if k < 1:
        raise ValueError(f"k: got {k}, expected a code of at least one number")


def deep_autoencoder(shape: Sequence[int], k: int, hidden: Sequence[int] = (256, 128)) -> Autoencoder:
    """Layers `hidden` down to a code of k numbers, and mirrored up again; linear at the code and at the end."""
    require_code(k)
    sizes = [math.prod(shape), *hidden, k]
    encoder = nn.Sequential(nn.Flatten(), mlp(sizes, nn.SiLU))
    return Autoencoder(encoder, nn.Sequential(mlp(sizes[::-1], nn.SiLU), nn.Unflatten(1, tuple(shape))))


def conv_autoencoder(shape: tuple[int, int, int], k: int, width: int = 32) -> Autoencoder:
    """Strided convolutions down to a code of k numbers, transposed ones up again. The sides are divisible by 4.

    Masci et al. 2011 tie the kernels of both sides and pool by the maximum; here neither is done.
    """
    require_code(k)
    return Autoencoder(conv_encoder(shape, k, width), conv_decoder(k, shape, width))


def make_deep(data: Examples | None = None) -> Autoencoder:
    """A code of 8 numbers; of 2 for examples of fewer than 16."""
    shape = shape_of(data, (1, 8, 8))
    return deep_autoencoder(shape, 8 if math.prod(shape) >= 16 else 2)


def make_convolutional(data: Examples | None = None) -> Autoencoder:
    """A code of 8 numbers."""
    channels, height, width = shape_of(data, (1, 8, 8))
    return conv_autoencoder((channels, height, width), 8)


def _in_fours(shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    return IMAGES(shape, dtype) and not any(side % 4 for side in shape[1:])


autoencoding = partial(
    ModelRecord,
    family="autoencoders",
    branch=("no density", "autoencoder"),
    density="none",
    claims=(Trainable,),
    example=grey_images,
)
"""The record of a model that codes and decodes, and knows no density."""

DEEP_AUTOENCODER = autoencoding(
    name="Deep autoencoder",
    key="deep-autoencoder",
    paper="hinton2006",
    year=2006,
    arxiv="",
    lesson="03_autoencoders/01_bottleneck",
    suits=VECTORS | IMAGES,
    make=make_deep,
    plan=partial(held_then_falling_plan, steps=2_500, batch_size=128, peak=2e-3),
)

CONVOLUTIONAL_AUTOENCODER = autoencoding(
    name="Convolutional autoencoder",
    key="convolutional-autoencoder",
    paper="masci2011",
    year=2011,
    arxiv="",
    lesson="03_autoencoders/01_bottleneck",
    suits=Suits("images (sides in fours)", _in_fours),
    make=make_convolutional,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=128, peak=2e-3),
)
