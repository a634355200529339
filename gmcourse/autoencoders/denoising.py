"""The denoising autoencoder, and the best denoiser of all where the data's density is known."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from gmcourse.autoencoders.autoencoder import Autoencoder, autoencoding, require_code, squared_error
from gmcourse.autoencoders.corruption import Corruption
from gmcourse.record import IMAGES, VECTORS, Examples, held_then_falling_plan, shape_of


class DenoisingAutoencoder(Autoencoder):
    """x̃ ~ C(x̃|x), min E‖x − d(e(x̃))‖²: from a spoilt example back to the clean one. Vincent et al. 2008.

    `encoder` maps (batch, *event) to (batch, k), `decoder` maps back. The corruption is drawn anew at every loss, from
    torch's global state. `errors` is of examples that are not corrupted, `denoising_errors` of those that are.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, corruption: Corruption):
        super().__init__(encoder, decoder)
        self.corruption = corruption

    def extra_repr(self) -> str:
        """What the two networks do not tell."""
        return repr(self.corruption)

    def denoising_errors(self, x: Tensor, corrupted: Tensor) -> Tensor:
        """‖x − d(e(x̃))‖² of each pair, (batch,).

        Equation: autoencoders-denoising-loss.
        """
        return squared_error(x, self.decode(self.encode(corrupted)))

    def loss(self, x: Tensor) -> Tensor:
        """The mean of `denoising_errors` over the batch, each x corrupted anew."""
        return self.denoising_errors(x, self.corruption.draw(x)).mean()


def denoising_autoencoder(
    shape: Sequence[int], k: int, corruption: Corruption, activation: Callable[[], nn.Module] = nn.Sigmoid
) -> DenoisingAutoencoder:
    """One layer of k units, as in the paper sigmoids, and a linear one back with weights of its own."""
    require_code(k)
    dims = math.prod(shape)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(dims, k), activation())
    return DenoisingAutoencoder(encoder, nn.Sequential(nn.Linear(k, dims), nn.Unflatten(1, tuple(shape))), corruption)


def optimal_denoiser(x: Tensor, means: Tensor, weights: Tensor, std: float, sigma: float | Tensor) -> Tensor:
    """E[clean | x] for data Σ_k w_k N(m_k, τ²I), τ = `std`, and x = clean + σε: (batch, D) → (batch, D).

    Σ_k π_k (τ²x + σ²m_k)/(τ² + σ²), with π_k the share of component k in the *smoothed* density at x. means (K, D),
    weights (K,) of sum 1, sigma > 0 a number or (batch,).

    Equation: autoencoders-mixture-denoiser.
    """
    noise = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).square().reshape(-1, 1)
    whole = noise + std**2
    logits = weights.log() - (x[:, None] - means).square().sum(2) / (2 * whole)
    return (std**2 * x + noise * (logits.softmax(1) @ means)) / whole


def score_from_denoiser(denoiser: Callable[[Tensor], Tensor], x: Tensor, sigma: float | Tensor) -> Tensor:
    """(r(x) − x)/σ², (batch, D): of the best denoiser, the score of the density smoothed by σ, a number or (batch,).

    Equation: autoencoders-tweedie. Vincent 2011; Efron 2011 tells of its discovery.
    """
    noise = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).square().reshape(-1, 1)
    return (denoiser(x) - x) / noise


def make_denoising(data: Examples | None = None) -> DenoisingAutoencoder:
    """A quarter of the entries blanked; 128 units, without data for 8 × 8 images."""
    return denoising_autoencoder(shape_of(data, (1, 8, 8)), 128, Corruption("masking", 0.25))


DENOISING_AUTOENCODER = autoencoding(
    name="Denoising autoencoder",
    key="denoising-autoencoder",
    paper="vincent2008",
    year=2008,
    arxiv="",
    lesson="03_autoencoders/02_denoising_and_contractive",
    suits=VECTORS | IMAGES,
    make=make_denoising,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=128, peak=5e-3),
)
