"""A restricted Boltzmann machine of 500 hidden units on binarised MNIST, its likelihood estimated by annealing:

    OMP_NUM_THREADS=1 python -m benchmarks.scores.rbm_mnist --folder runs/rbm

Persistent contrastive divergence, one seed: 100 chains, a sweep a step, 90,000 steps in batches of 100, Adam at a rate
that falls from 1e-3 to 0 in a straight line, from independent pixels, each inked as often as in the data. ln Z is ln of
the mean of 100 weights from walks of 14,500 temperatures, those of Salakhutdinov & Murray (2008): 500 of them evenly up
to 0.5, 4,000 up to 0.9, 10,000 up to 1, from the base of those independent pixels. Its mean is at most ln Z, so that
the likelihoods are, on average, too good by as much. Stopped, it goes on from its checkpoint in the folder. Set
GMCOURSE_DATA to a folder that holds the data, or let it be downloaded.
"""

import time
from functools import partial
from pathlib import Path

import torch

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.scores.annealed import effective_size, log_mean, log_partition_below
from gmcourse.scores.rbm import RBM
from gmcourse.training import fit

CLAIM = "scores/rbm_mnist"
EVERY, WALKS = 1_000, 100
PLAN = [{"method": "PCD", "hidden": 500, "sweeps": 1, "steps": 90_000, "rate": 1e-3, "seed": 0}]


def temperatures():
    """14,500 of them, and the 0 before."""
    parts = torch.linspace(0, 0.5, 501), torch.linspace(0.5, 0.9, 4_001)[1:], torch.linspace(0.9, 1, 10_001)[1:]
    return torch.cat(parts)


def falling(rate, steps, step):
    return rate * (1 - step / steps)


@torch.no_grad()
def mean_energy(model, x):
    values = torch.cat([model.energy(part) for part in x.split(1_000)]).double()
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()


def run(folder, *, method, hidden, sweeps, steps, rate, seed):
    data, start = load("binarized-mnist"), time.process_time()
    torch.manual_seed(seed)
    model = RBM(data.event_shape, hidden, chains=100, sweeps=sweeps)
    model.begin_at(data.train)
    folder.mkdir(parents=True, exist_ok=True)
    plan = {"batch_size": 100, "lr": partial(falling, rate, steps), "seed": seed, "progress": False}
    fit(model, (data.train,), steps=steps, checkpoint=folder / f"{method}-{hidden}-{rate}.pt", every=EVERY, **plan)
    trained = time.process_time() - start
    rng = torch.Generator().manual_seed(seed)
    below = log_partition_below(model, WALKS, temperatures(), rng).double()
    log_z, error = log_mean(below)
    row = {"ln Z": log_z, "error of ln Z": error, "effective size": effective_size(below)}
    row["mean of logs"] = below.mean().item()
    for split, x in (("valid", data.valid), ("test", data.test), ("train, every 5th", data.train[::5])):
        energy, spread = mean_energy(model, x)
        row[split], row[f"error, {split}"] = energy + log_z, spread
    row = {name: round(value, 3) for name, value in row.items()}
    row["seconds"] = round(trained, 1)  # of this call: a run that was stopped has more
    return row | {"seconds of scoring": round(time.process_time() - start - trained, 1)}


def main():
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    options = parser.parse_args()
    evidence.rows(CLAIM, PLAN, partial(run, options.folder), options)


if __name__ == "__main__":
    main()
