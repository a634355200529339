"""VAE and IWAE with the architecture of Burda et al. 2016 on MNIST in its fixed binarisation: nats an image.

    OMP_NUM_THREADS=1 python -m benchmarks.vae.mnist_draws --folder runs/mnist-draws

One network, 784–200–200–50–200–200–784, and equal numbers of steps; "k" is the number of draws in the loss: the VAE
takes the mean of their ln w (with one draw its KL is in closed form), the IWAE the logarithm of the mean of w. So VAE
and IWAE of five draws differ in the bound alone. Model, batches and rate are those of the command line, which looks at
other rows of valid, and more often (and has no VAE of five draws):

    gmcourse train gaussian-vae --data binarized-mnist --steps 6000 --seed 0
    gmcourse train iwae --data binarized-mnist --steps 6000 --seed 0

A run ends with the weights whose own bound was best on every fifth validation image; nothing is chosen on test images.
"test" is −ln (1/500) Σ w on every fifth test image, or on all after a long run; "elbo" is the mean of −ELBO over
5 draws: both are upper bounds on −ln p on average. "further" says how much the first falls from 500 draws to the 5,000
of the paper, on every hundredth; "train" is as "test", on every fiftieth training image. "active" counts latents with
Var E[z] > 0.01 on train; "curve" holds steps, CPU seconds and the run's own bound on valid.
Stopped, it goes on from the checkpoints in the folder. Set GMCOURSE_DATA to a folder that holds the data, or let it be
downloaded.
"""

import json
import time
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import estimate, importance_weighted, mean_elbo
from gmcourse.training import fit
from gmcourse.vae import GaussianVAE
from gmcourse.vae.balanced import active_latents
from gmcourse.vae.gaussian import GAUSSIAN_VAE, make_gaussian_vae, parts_for
from gmcourse.vae.importance import IWAE_RECORD, make_iwae

CLAIM = "vae/mnist_draws"
SHORT, LONG, EVERY = 6_000, 90_000, 1_000
KINDS = [("VAE", 1), ("IWAE", 5)]
PLAN = [{"kind": kind, "k": k, "steps": SHORT, "seed": seed} for seed in range(3) for kind, k in KINDS]
PLAN += [{"kind": kind, "k": k, "steps": LONG, "seed": 0} for kind, k in reversed(KINDS)]
PLAN += [{"kind": "VAE", "k": 5, "steps": SHORT, "seed": seed} for seed in range(3)]
data = cache(partial(load, "binarized-mnist"))


class AveragedVAE(GaussianVAE):
    """Trained on the mean of five ln w: the ELBO, with less noise."""

    def loss(self, x: Tensor) -> Tensor:
        return -self.log_weights(x, 5).mean()


def model_of(kind: str, k: int) -> GaussianVAE:
    """As the command line builds it."""
    if kind == "IWAE":
        return make_iwae(data())
    return make_gaussian_vae(data()) if k == 1 else AveragedVAE(*parts_for(data()))


def trained(folder: Path, kind: str, k: int, steps: int, seed: int) -> tuple[GaussianVAE, list[list[float]]]:
    """The model, and its curve; in legs, so that the CPU seconds of what a checkpoint holds are known."""
    name, record = f"{kind}-{k}-{steps}-{seed}", {"VAE": GAUSSIAN_VAE, "IWAE": IWAE_RECORD}[kind]
    torch.manual_seed(seed)
    model = model_of(kind, k)
    plan = record.recipe(data(), steps=steps) | {"seed": seed, "every_valid": EVERY, "progress": False}
    plan |= {"checkpoint": folder / f"{name}.pt", "every": EVERY, "valid": (data().valid[::5],)}
    go_on = partial(fit, model, (data().train,), **plan)
    clock = folder / f"{name}.json"
    seconds = json.loads(clock.read_text()) if clock.exists() else []
    for end in range(EVERY * (len(seconds) + 1), steps + 1, EVERY):
        start = time.process_time()
        go_on(steps=end)
        seconds.append(round(time.process_time() - start, 1))
        clock.write_text(json.dumps(seconds))
    history = go_on(steps=steps)  # no step is left
    spent = torch.tensor(seconds).cumsum(0).tolist()
    rows = zip(history["valid_step"], spent, history["valid_loss"], strict=True)
    return model, [[int(step), round(second), round(value, 2)] for step, second, value in rows]


def report(name: str, nats: Tensor) -> dict[str, float]:
    mean, error = estimate(nats)
    return {name: round(mean, 3), f"{name}_error": round(error, 3)}


def run(folder: Path, kind: str, k: int, steps: int, seed: int) -> dict:
    """One run, and both bounds on test images; the draws that measure have a seed of their own."""
    model, curve = trained(folder, kind, k, steps, seed)
    rng, test = torch.Generator().manual_seed(1), data().test
    x = test if steps == LONG else test[::5]
    few, many = (-importance_weighted(model, test[::100], draws, rng) for draws in (500, 5_000))
    with torch.no_grad():
        used = active_latents(model.encode(data().train)[0]).sum().item()
    return {
        **report("test", -importance_weighted(model, x, 500, rng)),
        "images": len(x),
        "elbo": round(-mean_elbo(model, test.repeat(5, 1, 1, 1), rng).mean, 3),
        **report("train", -importance_weighted(model, data().train[::50], 500, rng)),
        **report("further", few - many),
        "active": used,
        "seconds": curve[-1][1],
        "curve": curve,
    }


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    evidence.rows(CLAIM, PLAN, partial(run, options.folder), options)


if __name__ == "__main__":
    main()
