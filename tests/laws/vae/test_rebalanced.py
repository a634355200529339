"""Every law of rows drawn by rarity passes the right answer and catches each planted bug."""

import torch

from gmcourse.laws.vae import rebalanced
from gmcourse.vae.rebalanced import bin_shares, effective_size, rare_row_weights


def to_one(weights):
    return weights / weights.sum()


def by_histc(codes, bins, smoothing):
    """With torch's own histogram, column by column."""
    weights = torch.ones(len(codes))
    for column in codes.T:
        low, high = column.min().item(), column.max().item()
        if low == high:
            continue  # one factor for all
        counts = torch.histc(column, bins, low, high)
        place = ((column - low) / (high - low) * bins).long().clamp(max=bins - 1)
        weights = weights / (counts[place] / len(codes) + smoothing)
    return to_one(weights)


def joint(codes, bins, smoothing):
    """One histogram of all latents together: nearly every bin that is not empty holds one row."""
    low, width = codes.amin(0), (codes.amax(0) - codes.amin(0)).clamp(min=1e-9)
    place = ((codes - low) / width * bins).long().clamp(max=bins - 1)
    same = (place[:, None] == place[None]).all(2).float().mean(1)
    return to_one(1 / (same + smoothing))


RIGHT = {
    rebalanced.rare_rows_weigh_more: (rare_row_weights, by_histc),
    rebalanced.effective_size_counts: (effective_size, lambda w: 1 / (w / w.sum()).square().sum()),
}
BUGS = {
    rebalanced.rare_rows_weigh_more: {
        "frequent rows": (lambda z, b, a: to_one((bin_shares(z, b) + a).prod(1)), "direction"),
        "not brought to 1": (lambda z, b, a: (1 / (bin_shares(z, b) + a)).prod(1), "constant"),
        "added, not multiplied": (lambda z, b, a: to_one((1 / (bin_shares(z, b) + a)).sum(1)), "reduction"),
        "the largest factor": (lambda z, b, a: rare_row_weights(z, b, a, largest=True), "reduction"),
        "counts, not shares": (
            lambda z, b, a: to_one((1 / (len(z) * bin_shares(z, b) + a)).prod(1)),
            "dependence",
        ),
        "the first latent": (lambda z, b, a: rare_row_weights(z[:, :1], b, a), "one-to-one"),
        "one bin more": (lambda z, b, a: rare_row_weights(z, b + 1, a), ""),
        "one histogram of all": (joint, ""),
        "α left out": (lambda z, b, a: to_one((1 / bin_shares(z, b)).prod(1)), ""),
    },
    rebalanced.effective_size_counts: {
        "upside down": (lambda w: (w**2).sum() / w.sum() ** 2, "direction"),
        "a share": (lambda w: effective_size(w) / len(w), "constant"),
        "for weights that sum to 1": (lambda w: 1 / (w**2).sum(), "spread"),
        "one by the largest": (lambda w: w.sum() / w.max(), "one-to-one"),
        "the number of rows": (lambda w: torch.tensor(float(len(w))), "constant"),
        "by the entropy": (lambda w: torch.special.entr(w / w.sum()).sum().exp(), "one-to-one"),
    },
}
