"""PixelCNN draws 16 images of 28 × 28: features kept against a whole pass a pixel, equal samples for equal seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.sampling_pixels

The weights are fresh: time does not depend on them. The shape "64 channels, 5 blocks" is that of the library
pytorch-generative, whose sampler makes a whole pass a pixel.
"""

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.discrete import one_by_one, uniforms
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.nets import sampling

CLAIM = "autoregressive/sampling_pixels"
SHAPES = {
    "of the benchmark on MNIST": {"width": 64, "blocks": 8},
    "64 channels, 5 blocks": {"width": 64, "blocks": 5, "positions": False},
}
IMAGES = 16


def timed(draw: Callable[[], Tensor]) -> tuple[Tensor, float, float]:
    """What is drawn, milliseconds by the clock, and milliseconds of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    x = draw()
    return x, 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


def run(*, shape: str, seed: int) -> dict:
    """Both samplers, and the share of pixels in which they agree."""
    torch.manual_seed(seed)
    model = PixelCNN((1, 28, 28), **SHAPES[shape])
    model.sample(1)
    kept, wall, cpu = timed(lambda: model.sample(IMAGES, rng=torch.Generator().manual_seed(seed)))

    def whole_passes() -> Tensor:
        u = uniforms(IMAGES, math.prod(model.event_shape), model.first.weight, torch.Generator().manual_seed(seed))
        with sampling(model, IMAGES):
            return one_by_one(model.logits, torch.zeros(IMAGES, *model.event_shape), u, model.levels)

    naive, naive_wall, naive_cpu = timed(whole_passes)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "kept, ms": {"clock": round(wall), "processor": round(cpu)},
        "naive, ms": {"clock": round(naive_wall), "processor": round(naive_cpu)},
        "times as fast, by processor time": round(naive_cpu / cpu, 1),
        "pixels that differ": int((kept != naive).sum()),
    }


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    plan = [{"shape": shape, "seed": seed} for shape in SHAPES for seed in range(3)]
    evidence.rows(CLAIM, plan, run, options, images=IMAGES)


if __name__ == "__main__":
    main()
