"""DDPM on MNIST: Fréchet distance, precision and recall against network calls, beside training images and two peers.

    gmcourse train ddpm --data mnist
    gmcourse train gaussian-vae --data mnist
    OMP_NUM_THREADS=1 python -m benchmarks.scores.mnist_diffusion --ddpm runs/ddpm-mnist --vae runs/gaussian-vae-mnist

The averaged weights of the run are kept beside the rows, in half precision, and measured as they are kept. Of the
DCGAN the kept generator is measured, of the VAE the mean pictures, from its run folder. Each row has the course's
protocol, 540 against 540, and "whole", the Fréchet distance of all its images from all 10,000 test images. The headline
is of 10,000 images, the curve of 2,000. Set GMCOURSE_DATA to a folder that holds MNIST, or let it be downloaded.
"""

from functools import cache, partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from benchmarks import evidence
from gmcourse import runs
from gmcourse.catalogue import find
from gmcourse.data import load
from gmcourse.gan.dcgan import make_dcgan
from gmcourse.metrics import features, fidelity, frechet_distance
from gmcourse.scores.diffusion import DDPM
from gmcourse.scores.samplers import ancestral_step, heun, power_levels, spaced, walk

CLAIM = "scores/mnist_diffusion"
PEERS = (("DCGAN", 1), ("VAE", 1), ("Heun", 15))
mnist = cache(partial(load, "mnist"))


@cache
def model(weights: Path) -> DDPM:
    made = find("ddpm").build(mnist())
    made.average.module.load_state_dict(load_file(weights))
    return made.eval()


def images(weights: Path, vae: Path, sampler: str, calls: int, count: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    if sampler == "training data":
        return mnist().train[torch.randperm(len(mnist().train), generator=rng)[:count]]
    if sampler == "DCGAN":
        peer = make_dcgan(mnist())
        peer.generator.load_state_dict(load_file(evidence.RESULTS / "gan" / "dcgan_mnist.safetensors"))
        return peer.sample(count, rng=rng)
    if sampler == "VAE":
        return runs.load_run(vae)[0].sample_mean(count, rng=rng).clamp(0, 1)
    made = model(weights)
    levels = spaced(made.sigmas, calls)
    if sampler == "Heun":
        levels = power_levels(made.sigmas[0].item(), made.sigmas[-1].item(), (calls + 1) // 2)
    ways = {
        "DDIM": walk,
        "Heun": heun,
        "DDPM": partial(walk, step=partial(ancestral_step, spread=made.denoiser.spread)),
    }
    parts = [made.sample(500, rng=rng, sampler=ways[sampler], sigmas=levels) for _ in range(count // 500)]
    return torch.cat(parts).clamp(0, 1)


def quality(drawn: Tensor) -> dict[str, float]:
    """Against the test set: by the course's protocol, and all against all."""
    whole = frechet_distance(features(mnist().test), features(drawn))
    return evidence.rounded(fidelity(mnist().test, drawn), 3) | {"whole": round(whole, 3)}


def run(weights: Path, vae: Path, **asked) -> dict[str, float]:
    """One set of images."""
    return quality(images(weights, vae, **asked))


def cost(folder: Path, weights: Path) -> dict[str, float]:
    """What the training was and took, from its run.json; the averaged weights are kept."""
    trained, info, _ = runs.load_run(folder)
    evidence.keep_weights(weights, trained.average.module)
    names = ("steps", "batch_size", "seed", "seconds", "processor_seconds", "threads", "torch")
    return {name: info[name] for name in names}


def ends(weights: Path) -> dict[str, float]:
    """What the kept weights do not say: the spread of the data, the largest and the smallest level."""
    made = model(weights)
    largest, smallest = made.sigmas[0].item(), made.sigmas[-1].item()
    return {"spread": made.denoiser.spread, "largest": largest, "smallest": smallest}


def plan() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"sampler": "training data", "calls": 0, "count": count} for count in (2_000, 10_000)
    ]
    rows += [{"sampler": name, "calls": n, "count": 10_000} for name, n in PEERS]
    rows += [{"sampler": name, "calls": n, "count": 2_000} for n in (1, 2, 4, 8, 16, 50) for name in ("DDIM", "DDPM")]
    rows += [{"sampler": "Heun", "calls": n, "count": 2_000} for n in (1, 3, 7, 15, 49)]
    return [row | {"seed": 0} for row in rows]


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--ddpm", type=Path, default=Path("runs/ddpm-mnist"), help="run folder")
    parser.add_argument("--vae", type=Path, default=Path("runs/gaussian-vae-mnist"), help="run folder of the VAE")
    options = parser.parse_args()
    path = evidence.target(CLAIM, options)
    weights = path.with_suffix(".safetensors")
    evidence.rows(
        CLAIM,
        plan(),
        partial(run, weights, options.vae),
        options,
        trained_by="gmcourse train ddpm --data mnist",
        training=partial(cost, options.ddpm, weights),
        levels=partial(ends, weights),
    )


if __name__ == "__main__":
    main()
