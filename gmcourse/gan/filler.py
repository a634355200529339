"""A filler of blanks without a critic: squared error alone, on entries that it was shown, or on hidden ones."""

import torch
from torch import Generator, Tensor, nn

from gmcourse.gan.gain import NOISE, guesses, impute, known, leave_one_out, squared_error_of
from gmcourse.nets import evaluating


class Filler(nn.Module):
    """min E (x − G(x̃, s))² over known entries: over those shown, s, or, with `hide`, over those that were hidden.

    `network` maps (batch, 2D) to (batch, D); rows hold NaN where they are blank. With hide = 0 every known entry is
    shown and scored: the generator of `GAIN` without its critic. With hide > 0 each known entry is hidden with this
    probability, anew at every loss, and the hidden ones alone are scored: a denoising autoencoder (Vincent et al. 2008)
    that is told which entries are spoilt.
    Equation: gan-hidden-entries.
    """

    def __init__(self, network: nn.Module, hide: float = 0.0):
        super().__init__()
        if not 0 <= hide < 1:
            raise ValueError(f"hide: got {hide}, expected 0 up to, but not, 1")
        self.network, self.hide = network, hide

    def loss(self, x: Tensor) -> Tensor:
        """The squared error of an entry that is scored, its mean over the batch."""
        m, noise, toss = known(x), NOISE * torch.rand_like(x), torch.rand_like(x)
        shown = m * (toss >= self.hide)
        scored = m - shown if self.hide else m
        return squared_error_of(x, guesses(self.network, x, shown, noise), scored)

    def impute(self, blanked: Tensor, *, rng: Generator | None = None) -> Tensor:
        """The rows with their blanks, NaN, filled: (batch, D), known entries as they are, bit for bit."""
        with torch.no_grad(), evaluating(self):
            return impute(self.network, blanked, rng)

    def errors(self, x: Tensor) -> Tensor:
        """Σ_d (x_d − x̂_d)², (batch,), each entry of the complete rows x blanked alone, and filled."""
        return leave_one_out(self.network, x)

    def extra_repr(self) -> str:
        """What the network does not tell."""
        return f"hide={self.hide}"
