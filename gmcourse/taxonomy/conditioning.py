"""What one part of a Gaussian says of the rest."""

import torch
from torch import Tensor


def condition(mean: Tensor, cov: Tensor, known: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the coordinates outside `known`, given that those in it are `value`.

    μ_a + Σ_ab Σ_bb⁻¹ (v − μ_b) and Σ_aa − Σ_ab Σ_bb⁻¹ Σ_ba. mean (D,), cov (D, D), known (D,) bool, value (known,);
    the others keep their order. Raises TypeError or ValueError for other types or shapes.
    Equation: taxonomy-conditioning.
    """
    if known.dtype != torch.bool:
        raise TypeError(f"known: got dtype {known.dtype}, expected bool")
    dims = len(mean)
    if cov.shape != (dims, dims) or known.shape != (dims,) or value.shape != (int(known.sum()),):
        shapes = ", ".join(str(tuple(t.shape)) for t in (mean, cov, known, value))
        raise ValueError(
            f"mean, cov, known, value: got {shapes}, expected (D,), (D, D), (D,), and a value for each known"
        )
    between = cov[~known][:, known]
    gain = torch.linalg.solve(cov[known][:, known], between.T).T
    return mean[~known] + gain @ (value - mean[known]), cov[~known][:, ~known] - gain @ between.T
