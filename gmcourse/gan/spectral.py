"""Spectral normalisation: a critic whose linear layers stretch nothing."""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import register_parametrization


def with_spectral_norm(critic: nn.Sequential, bound: float = 1.0) -> nn.Sequential:
    """The same critic, in which each linear layer's weight is used divided by its largest singular value, the last one
    then times `bound`.

    The singular value is found by one power iteration in each pass of training, from fifteen at the start.
    Equation: gan-spectral-norm. Miyato et al. 2018, eq. 8.
    """
    linear = [layer for layer in critic.modules() if isinstance(layer, nn.Linear)]
    for layer in linear:
        spectral_norm(layer)
    register_parametrization(linear[-1], "weight", _Times(bound))
    return critic


@torch.no_grad()
def slope_at_most(network: nn.Module) -> float:
    """The product of the largest singular values of its linear layers: where all else in it has slope at most 1, no
    two inputs' outputs lie farther apart than this times their distance.

    Equation: gan-spectral-bound. Miyato et al. 2018, eq. 7.
    """
    linear = (layer for layer in network.modules() if isinstance(layer, nn.Linear))
    return prod(torch.linalg.matrix_norm(layer.weight, ord=2).item() for layer in linear)


class _Times(nn.Module):
    def __init__(self, factor: float):
        super().__init__()
        self.factor = factor

    def forward(self, weight: Tensor) -> Tensor:
        return self.factor * weight
