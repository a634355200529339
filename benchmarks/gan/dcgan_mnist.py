"""DCGAN on MNIST: Fréchet distance, precision and recall of its samples, beside those of training images.

    gmcourse train dcgan --data mnist
    OMP_NUM_THREADS=1 python -m benchmarks.gan.dcgan_mnist --dcgan runs/dcgan-mnist

The generator of the finished run is kept beside the rows, in half precision, and measured as it is kept; where there
is no such folder, the one that is there is measured again. Set GMCOURSE_DATA to a folder that holds MNIST, or let it be
downloaded.
"""

import json
from functools import cache, partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from benchmarks import evidence
from gmcourse import runs
from gmcourse.data import load
from gmcourse.gan.dcgan import make_dcgan
from gmcourse.metrics import fidelity

CLAIM = "gan/dcgan_mnist"
IMAGES = 10_000
mnist = cache(partial(load, "mnist"))


def images(of: str, seed: int, weights: Path) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    if of == "training data":
        return mnist().train[torch.randperm(len(mnist().train), generator=rng)[:IMAGES]]
    model = make_dcgan(mnist())
    model.generator.load_state_dict(load_file(weights))
    return model.sample(IMAGES, rng=rng)


def run(weights: Path, *, of: str, seed: int) -> dict[str, float]:
    """One set of images against the test set, by the course's protocol."""
    return evidence.rounded(fidelity(mnist().test, images(of, seed, weights)), 3)


def cost(folder: Path, path: Path) -> dict[str, float]:
    """What the training was and took, from its run.json; without a folder, as the file has it."""
    if not folder.exists():
        return json.loads(path.read_text("utf-8"))["training"]
    names = ("steps", "batch_size", "seed", "seconds", "processor_seconds", "threads", "torch")
    return {name: runs.load_run(folder)[1][name] for name in names}


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--dcgan", type=Path, default=Path("runs/dcgan-mnist"), help="run folder")
    options = parser.parse_args()
    path = evidence.target(CLAIM, options)
    weights = path.with_suffix(".safetensors")
    if options.dcgan.exists():
        evidence.keep_weights(weights, runs.load_run(options.dcgan)[0].generator)
    evidence.rows(
        CLAIM,
        [{"of": of, "seed": 0} for of in ("training data", "DCGAN")],
        partial(run, weights),
        options,
        trained_by="gmcourse train dcgan --data mnist",
        images=IMAGES,
        training=partial(cost, options.dcgan, path),
    )


if __name__ == "__main__":
    main()
