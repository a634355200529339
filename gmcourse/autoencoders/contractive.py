"""The contractive autoencoder: a code that hardly moves when the example does."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from gmcourse.autoencoders.autoencoder import autoencoding, require_code, squared_error
from gmcourse.nets import evaluating
from gmcourse.record import IMAGES, VECTORS, Examples, held_then_falling_plan, shape_of


def contractive_penalty(weight: Tensor, h: Tensor) -> Tensor:
    """‖∂h/∂x‖²_F = Σ_j (h_j(1 − h_j))² ‖w_j‖² of a sigmoid layer h = s(Wx + b), (batch,).

    weight (k, D) has a row for each unit, h is (batch, k).

    Equation: autoencoders-contractive-penalty. Rifai et al. 2011.
    """
    return (h * (1 - h)).square() @ weight.square().sum(1)


def jacobians(encode: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """∂e/∂x at each row by autograd, (batch, k, D): `encode` maps (batch, *event) to (batch, k), any network."""
    per_row = torch.func.vmap(torch.func.jacrev(lambda row: encode(row.unsqueeze(0)).squeeze(0)))
    return per_row(x).flatten(2)


class ContractiveAutoencoder(nn.Module):
    """h = s(Wx + b), d(h) = Wᵀh + c: min E[‖x − d(h)‖² + γ ‖∂h/∂x‖²_F]. Rifai et al. 2011.

    The decoder's weights are tied to the encoder's; of its own, they could undo a small code, whose penalty is small,
    too. For examples of `shape`, a code of k numbers in (0, 1), and a penalty of weight γ = `gamma`.
    """

    def __init__(self, shape: Sequence[int], k: int, gamma: float):
        super().__init__()
        require_code(k)
        if not 0 <= gamma < math.inf:
            raise ValueError(f"gamma: got {gamma}, expected a weight of at least 0")
        self.shape, self.gamma = tuple(shape), gamma
        self.layer = nn.Linear(math.prod(shape), k)
        self.offset = nn.Parameter(torch.zeros(math.prod(shape)))

    def extra_repr(self) -> str:
        """What its layer does not tell."""
        return f"shape={self.shape}, gamma={self.gamma}"

    def encode(self, x: Tensor) -> Tensor:
        """The codes h = s(Wx + b), (batch, k)."""
        return self.layer(x.flatten(1)).sigmoid()

    def decode(self, z: Tensor) -> Tensor:
        """Wᵀz + c, (batch, *event), of codes z (batch, k)."""
        return (z @ self.layer.weight + self.offset).unflatten(1, self.shape)

    def errors(self, x: Tensor) -> Tensor:
        """‖x − d(e(x))‖² of each example, (batch,)."""
        return squared_error(x, self.decode(self.encode(x)))

    def penalties(self, x: Tensor) -> Tensor:
        """‖∂e/∂x‖²_F at each example, (batch,)."""
        return contractive_penalty(self.layer.weight, self.encode(x))

    def loss(self, x: Tensor) -> Tensor:
        """The mean of errors + γ penalties over the batch.

        Equation: autoencoders-contractive-loss. Rifai et al. 2011.
        """
        return (self.errors(x) + self.gamma * self.penalties(x)).mean()

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """d(e(x)), without gradients."""
        with evaluating(self):
            return self.decode(self.encode(x))


def make_contractive(data: Examples | None = None) -> ContractiveAutoencoder:
    """128 units and γ = 0.1, without data for 8 × 8 images."""
    return ContractiveAutoencoder(shape_of(data, (1, 8, 8)), 128, 0.1)


CONTRACTIVE_AUTOENCODER = autoencoding(
    name="Contractive autoencoder",
    key="contractive-autoencoder",
    paper="rifai2011",
    year=2011,
    arxiv="",
    lesson="03_autoencoders/02_denoising_and_contractive",
    suits=VECTORS | IMAGES,
    make=make_contractive,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=128, peak=5e-3),
)
