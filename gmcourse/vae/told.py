"""What a model is told of a picture of which some pixels are known."""

import torch
from torch import Tensor

from gmcourse.probability import sum_event
from gmcourse.vae.likelihoods import Likelihood


def context(x: Tensor, known: Tensor) -> Tensor:
    """What a model is told of a picture: the known pixels, 0 elsewhere, and the mask itself, (batch, 2C, H, W).

    x is (batch, C, H, W), floating point; `known` is bool, a mask for each row, or one, (C, H, W), for all. The mask is
    told too, since 0 is also a colour. Raises ValueError where the mask has another shape or type.
    """
    if known.dtype != torch.bool or known.shape not in (x.shape, x.shape[1:]) or x.dim() != 4:
        came = f"{known.dtype} of shape {tuple(known.shape)} for x of shape {tuple(x.shape)}"
        raise ValueError(f"known: got {came}, expected bool, (batch, C, H, W) as x, or (C, H, W)")
    mask = known.expand_as(x)
    return torch.cat((torch.where(mask, x, torch.zeros_like(x)), mask.to(x.dtype)), 1)


def keep_known(answer: Tensor, given: Tensor) -> Tensor:
    """The known pixels of `given`, a `context` (batch, 2C, H, W), and elsewhere those of `answer`, (batch, C, H, W).

    An answer may have an axis in front, (S, batch, C, H, W): S answers to each question.
    """
    picture, mask = given.chunk(2, 1)
    return torch.where(mask > 0.5, picture, answer)


def missing_log_prob(likelihood: Likelihood, x: Tensor, parameters: Tensor, given: Tensor) -> Tensor:
    """Σ log p(x_d) over the pixels that `given`, a `context`, does not know, (batch,), nats.

    x and the `parameters` of the likelihood are (batch, C, H, W); the likelihood treats all pixels alike.
    Equation: vae-missing-pixels.
    """
    pixels = likelihood.log_prob(x.reshape(-1, 1), parameters.reshape(-1, 1)).view(x.shape)
    return sum_event(torch.where(given.chunk(2, 1)[1] > 0.5, 0.0, pixels))
