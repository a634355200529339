"""How well blanks of a table are filled: the error of one guess, and the coverage of many."""

import torch
from torch import Tensor


def imputation_rmse(x: Tensor, filled: Tensor, m: Tensor) -> float:
    """√ of the mean of (x − filled)² over the blanks, m = 0, of all columns together; the units are those of x.

    x, the truth, `filled` and the mask m are (n, D). Known entries count for nothing, whatever stands there. Columns
    must have one scale: the paper of GAIN has [0, 1]. Raises ValueError for other shapes, and where nothing is blank.
    Equation: gan-imputation-rmse.
    """
    blanks = _blanks(x, m)
    if filled.shape != x.shape:
        raise ValueError(f"filled: got shape {tuple(filled.shape)}, expected {tuple(x.shape)}, that of x")
    return (x[blanks].double() - filled[blanks].double()).square().mean().sqrt().item()


def imputation_coverage(x: Tensor, draws: Tensor, m: Tensor, level: float = 0.9) -> float:
    """The share of blanks that lie within the central `level` of their draws, (S, n, D): from quantile to quantile.

    With S draws from the true law of a blank it is about 1 − 2k/(S + 1), k = 1 + (S − 1)(1 − level)/2: the truth is
    then one of S + 1 draws, of any rank. That is 0.81 at S = 20, and `level` for large S. Raises ValueError as
    `imputation_rmse`.
    """
    blanks = _blanks(x, m)
    if draws.shape[1:] != x.shape or not 0 < level < 1:
        came = f"{tuple(draws.shape)} and {level}"
        raise ValueError(f"draws, level: got {came}, expected (S, *{tuple(x.shape)}) and a share between 0 and 1")
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = torch.quantile(draws[:, blanks].double(), ends, dim=0)
    truth = x[blanks].double()
    return ((low <= truth) & (truth <= high)).double().mean().item()


def _blanks(x: Tensor, m: Tensor) -> Tensor:
    if m.shape != x.shape or x.dim() != 2:
        raise ValueError(f"m: got shape {tuple(m.shape)} for x of shape {tuple(x.shape)}, expected (n, D) twice")
    blanks = m == 0
    if not blanks.any():
        raise ValueError("m: got a mask without a blank, expected at least one")
    return blanks
