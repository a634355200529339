"""Texts as rows of codes: what the models of sequences ask of them."""

import torch
from torch import Tensor

from gmcourse.record import Examples, Suits

TEXTS = Suits("texts (codes)", lambda shape, dtype: dtype == torch.int64 and len(shape) <= 1)


def symbols_of(data: Examples) -> int:
    """The number V of symbols: of the alphabet where the data set has one, else the largest code of all splits + 1."""
    if data.alphabet is not None:
        return len(data.alphabet)
    return 1 + max(int(data.batch(split)[0].max()) for split in ("train", "valid", "test"))


def stop_of(data: Examples) -> int | None:
    """The symbol that ends every row of train and fills it up, as the stop of names does; None where there is none."""
    x = data.train
    if x.dim() != 2 or not x.numel() or (x[:, -1] != x[0, -1]).any():
        return None
    stop = int(x[0, -1])
    return None if ((x != stop) & after_stop(x, stop)).any() else stop


def after_stop(x: Tensor, stop: int) -> Tensor:
    """Which symbols of rows (batch, T) stand after the row's first stop symbol, bool."""
    stops = (x == stop).long()
    return stops.cumsum(1) - stops > 0


def require_codes(x: Tensor, levels: int) -> None:
    """Raise ValueError unless x holds codes 0..V−1, int64."""
    if x.is_meta or (x.dtype == torch.int64 and not x.numel()):
        return
    if x.dtype != torch.int64 or x.min() < 0 or x.max() >= levels:
        found = f"{x.dtype} from {x.min().item()} to {x.max().item()}" if x.numel() else f"{x.dtype}"
        raise ValueError(f"x: got {found}, expected int64 codes 0 to {levels - 1}")
