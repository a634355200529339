"""The fooled metrics as a figure: one way to fool each, with the numbers that say so."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from gmcourse.metrics import density_coverage, frechet_distance, nearest_share, precision_recall
from gmcourse.show.style import COLOURS

_COUNT = 100


def fooled_figure(train: Tensor, held: Tensor, fresh: Tensor, extent: float) -> Figure:
    """Four planes: a Gaussian of the data's moments, a clump about an outlier, a clump with strewn points, copies."""
    rng = torch.Generator().manual_seed(0)
    mean, root = fresh.mean(0), torch.linalg.cholesky(fresh.T.cov())
    noise = torch.randn(_COUNT, 2, generator=rng)
    real, far = held[:_COUNT], mean + 0.85 * extent
    outlying = torch.cat([far[None], real[1:]])
    strewn = mean + 0.1 * noise @ root.T
    strewn[:5] = mean + 0.95 * extent * (2 * torch.rand(5, 2, generator=rng) - 1)
    ways = (
        ("a Gaussian of the data's moments", real, mean + noise @ root.T),
        ("a clump about one real point", outlying, far + 0.05 * noise),
        ("a clump, 5 % strewn", real, strewn),
        ("the training points", real, train[:_COUNT]),
    )
    figure = Figure(figsize=(7.2, 7.6), layout="constrained")
    for ax, (title, data, fakes) in zip(figure.subplots(2, 2).flat, ways, strict=True):
        ax.scatter(*data.T.numpy(), s=14, color=COLOURS["data"], alpha=0.7, linewidths=0)
        ax.scatter(*fakes.T.numpy(), s=14, marker="D", color=COLOURS["samples"], linewidths=0)
        middle = mean.tolist()
        ax.set(xlim=(middle[0] - extent, middle[0] + extent), ylim=(middle[1] - extent, middle[1] + extent))
        ax.set(aspect="equal", title=title, xticks=[], yticks=[], xlabel=_told(data, fakes, train[:_COUNT]))
    return figure


def _told(real: Tensor, fake: Tensor, train: Tensor) -> str:
    precision, recall = precision_recall(real, fake)
    density, coverage = density_coverage(real, fake)
    first = f"Fréchet {frechet_distance(real, fake):.2f}, precision {precision:.2f}, recall {recall:.2f}"
    near = nearest_share(fake, train, real)
    return f"{first}\ndensity {density:.2f}, coverage {coverage:.2f}, nearer to train {near:.2f}"
