"""How well a score ranks: strange rows above normal ones, and neighbours of one's own kind first."""

import torch
from torch import Tensor


def auroc(normal: Tensor, anomalous: Tensor) -> float:
    """P(a > s) + ½ P(a = s) over all pairs of an anomalous score a (m,) and a normal one s (n,): no threshold.

    It is the area under the curve of true against false alarms, and the Mann–Whitney statistic over nm. Raises
    ValueError for an empty set or scores that are NaN. Hanley & McNeil 1982. Equation: autoencoders-auroc.
    """
    for name, scores in (("normal", normal), ("anomalous", anomalous)):
        if scores.dim() != 1 or not len(scores) or scores.isnan().any():
            came = f"{tuple(scores.shape)}, {int(scores.isnan().sum())} of them NaN"
            raise ValueError(f"{name}: got scores of shape {came}, expected (n,) with at least one, none NaN")
    levels, place = torch.cat([normal, anomalous]).unique(return_inverse=True)
    s, a = (torch.bincount(part, minlength=len(levels)).double() for part in place.split([len(normal), len(anomalous)]))
    below = s.cumsum(0) - s
    return (a @ (below + s / 2) / (len(normal) * len(anomalous))).item()


def neighbours_alike(codes: Tensor, labels: Tensor, queries: Tensor, wanted: Tensor, k: int = 10) -> float:
    """Precision at k: the share of the k codes nearest to each query, (m, d), that have its label `wanted` (m,).

    `codes` (n, d) are searched by Euclidean distance; `labels` (n,) are theirs. NaN is refused: it has no neighbours.
    """
    for name, points, kinds in (("codes, labels", codes, labels), ("queries, wanted", queries, wanted)):
        shapes = f"{tuple(points.shape)} and {tuple(kinds.shape)}"
        if points.dim() != 2 or not len(points) or kinds.shape != points.shape[:1] or points.isnan().any():
            raise ValueError(f"{name}: got shapes {shapes}, expected (n, d) without NaN and (n,), n ≥ 1")
    if not 1 <= k <= len(codes):
        raise ValueError(f"k: got {k}, expected 1 to {len(codes)}, the number of codes")
    nearest = torch.cdist(queries.double(), codes.double()).topk(k, largest=False).indices
    return (labels[nearest] == wanted[:, None]).double().mean().item()
