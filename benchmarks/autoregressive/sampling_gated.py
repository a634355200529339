"""Sampling 16 MNIST images from a gated PixelCNN: each feature computed once, beside a whole pass for every pixel.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.sampling_gated

32 maps, 5 layers, weights as they are at the start, the same seed for both; wall-clock seconds, the median of five
(cached) and one (naive). The two sum in different orders, so that in float32 a draw may fall on the other side of an
edge now and then: the pixels that differ are counted. In float64 the samples are equal (on 12 × 12 images, here).
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.discrete import one_by_one, uniforms
from gmcourse.autoregressive.gated_pixelcnn import GatedPixelCNN

CLAIM = "autoregressive/sampling_gated"
IMAGES = 16


def naive(model: GatedPixelCNN, n: int, seed: int) -> Tensor:
    """The same draws by a whole pass for each pixel."""
    like = next(model.parameters())
    x = torch.zeros(n, *model.event_shape, dtype=like.dtype)
    u = uniforms(n, x[0].numel(), like, torch.Generator().manual_seed(seed))
    return one_by_one(model.logits, x, u, model.levels)


def timed(draw: Callable[[], Tensor], times: int) -> tuple[float, Tensor]:
    seconds, x = [], torch.empty(0)
    for _ in range(times):
        start = time.perf_counter()
        x = draw()
        seconds.append(time.perf_counter() - start)
    return median(seconds), x


def run(*, side: int, precision: str, seed: int) -> dict:
    torch.manual_seed(seed)
    model = GatedPixelCNN((1, side, side), width=32, layers=5).to(getattr(torch, precision)).eval()
    cached, x = timed(lambda: model.sample(IMAGES, rng=torch.Generator().manual_seed(seed)), 5)
    whole, y = timed(lambda: naive(model, IMAGES, seed), 1)
    return {
        "cached, ms": round(1000 * cached, 1),
        "naive, ms": round(1000 * whole, 1),
        "times": round(whole / cached, 1),
        "pixels that differ": int((x != y).sum()),
        "pixels": x.numel(),
    }


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    plan = [
        {"side": 28, "precision": "float32", "seed": 0},
        {"side": 12, "precision": "float64", "seed": 0},
    ]
    evidence.rows(CLAIM, plan, run, options, images=IMAGES)


if __name__ == "__main__":
    main()
