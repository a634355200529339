"""The share of a minority in a model's samples: read through a classifier that errs, bent by sampling, mended."""

import math

import torch
from torch import Tensor


def corrected_share(seen: float, false_positives: float, true_positives: float) -> float:
    """(s − f)/(t − f): the share behind one that a classifier with these rates has seen. May leave [0, 1] by chance.

    Raises ValueError for rates outside [0, 1], and for a classifier no better than chance. Rogan and Gladen 1978.
    """
    if not 0 <= false_positives < true_positives <= 1 or not 0 <= seen <= 1:
        raise ValueError(f"rates: got {seen}, {false_positives}, {true_positives}, expected in [0, 1] and f < t")
    return (seen - false_positives) / (true_positives - false_positives)


def tempered_shares(shares: Tensor, temperature: float) -> Tensor:
    """w_k^{1/T} / Σ_j w_j^{1/T}, (K,): what sampling at a temperature makes of shares; the small ones shrink below 1.

    Raises ValueError for shares that are no distribution, or a temperature that is not positive.
    """
    if shares.dim() != 1 or (shares < 0).any() or not torch.isclose(shares.sum(), shares.new_ones(())):
        raise ValueError(f"shares: got {shares.tolist()}, expected numbers from 0 on that sum to 1")
    if not temperature > 0:
        raise ValueError(f"temperature: got {temperature}, expected a positive number")
    return (shares.log() / temperature).softmax(0)


def acceptance(shares: Tensor, wanted: Tensor) -> tuple[Tensor, float]:
    """The probability (K,) with which to keep a sample of each group, and the draws that one kept sample costs.

    a_k = c · wanted_k/share_k with the largest c that keeps every a_k ≤ 1; the cost is 1/c. Raises ValueError for a
    wanted group that is never drawn.
    """
    if shares.shape != wanted.shape or ((shares <= 0) & (wanted > 0)).any():
        said = f"got {shares.tolist()} and {wanted.tolist()}, expected no wanted group that is never drawn"
        raise ValueError(f"shares, wanted: {said}")
    ratio = torch.where(wanted > 0, wanted / shares, 0)
    return ratio / ratio.max(), ratio.max().item()


def minority_recall(share: float, distance: float = 1.0) -> float:
    """Φ(d − ln((1 − w)/w)/2d): the recall of the class N(d, 1) of share w against N(−d, 1), by Bayes' rule.

    The rule calls x the minority where x > ln((1 − w)/w)/2d. Raises ValueError for a share or a distance that is not
    positive, or a share of 1 or more. Equation: comparison-minority-recall.
    """
    if not 0 < share < 1 or not distance > 0:
        raise ValueError(f"share, distance: got {share} and {distance}, expected in (0, 1), and above 0")
    threshold = math.log((1 - share) / share) / (2 * distance)
    return torch.special.ndtr(torch.tensor(distance - threshold, dtype=torch.float64)).item()
