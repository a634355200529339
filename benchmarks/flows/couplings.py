"""Flow matching on two moons with noise and data paired at random, or by optimal transport within groups of a batch.

    OMP_NUM_THREADS=1 python -m benchmarks.flows.couplings

The size of the group is the one change: network, batch of 256, steps and rate are the same in every row, fixed before
the first was measured. Distances are sliced Wasserstein distances of 4,000 samples, by Euler steps and by Runge-Kutta
in 16, to 4,000 fresh draws; the floor is that of 4,000 other fresh draws. "bend" is the mean over time and samples of
‖dx/dt − (x(1) − x(0))‖², which is 0 where paths are straight and walked at constant speed (Liu et al. 2023).
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.flows.continuous import MLPVelocity
from gmcourse.flows.matching import FlowMatching, paired
from gmcourse.flows.ode import Solver, dormand_prince, euler, rk4, trajectory
from gmcourse.metrics import nll, sliced_wasserstein
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

GROUPS, SEEDS, STEPS, BATCH, RATE, DRAWS = (1, 16, 64, 256), range(5), 2_000, 256, 3e-3, 4_000
SOLVERS: dict[str, Solver] = {f"euler_{n}": partial(euler, steps=n) for n in (1, 2, 4)}
SOLVERS["rk4_16"] = partial(rk4, steps=16)


def run(group: int, seed: int) -> dict[str, Any]:
    """One row: trained with pairs of this group, measured against draws that no training has seen."""
    moons = load("two-moons")
    rng = torch.Generator().manual_seed(seed + 1)
    fresh, other = (moons.density.sample(DRAWS, rng=rng) for _ in range(2))
    noise = torch.randn(DRAWS, 2, generator=rng)
    torch.manual_seed(seed)
    model = FlowMatching(MLPVelocity(2, [128, 128, 128], nn.SiLU), (2,), group=group)
    rate = held_then_falling(RATE, STEPS)
    fit(model, (moons.train,), steps=STEPS, batch_size=BATCH, lr=rate, seed=seed, progress=False)
    far = {name: distance(model.bijections[0].decode(noise, solver), fresh) for name, solver in SOLVERS.items()}
    model.bijections[0].solver = partial(dormand_prince, rtol=1e-5, atol=1e-5)
    excess = nll(model, fresh) + moons.density.log_prob(fresh)
    apart = (fresh - paired(noise, fresh, group)).square().sum(1).mean()
    numbers = far | {"floor": distance(other, fresh), "bend": bend(model.field, noise), "apart": apart.item()}
    return {name: round(number, 4) for name, number in (numbers | {"excess": excess.mean().item()}).items()}


@torch.no_grad()
def distance(samples: Tensor, reference: Tensor) -> float:
    """Sliced Wasserstein, the same 200 directions in every row."""
    return float(sliced_wasserstein(samples.detach(), reference, 200, torch.Generator().manual_seed(0)))


@torch.no_grad()
def bend(field: nn.Module, noise: Tensor, moments: int = 50) -> float:
    """∫ E ‖f(t, x(t)) − (x(1) − x(0))‖² dt, by the middles of equal intervals."""
    middles = [(k + 0.5) / moments for k in range(moments)]
    path = trajectory(partial(rk4, steps=1), field, noise, [0.0, *middles, 1.0])
    speeds = torch.stack([field(torch.tensor(t), x) for t, x in zip(middles, path[1:-1], strict=True)])
    return (speeds - (path[-1] - path[0])).square().sum(2).mean().item()


def plan() -> Iterator[dict]:
    for seed in SEEDS:
        yield from ({"group": group, "seed": seed} for group in GROUPS)


if __name__ == "__main__":
    about = {"steps": STEPS, "batch_size": BATCH, "lr": RATE, "draws": DRAWS}
    evidence.rows("flows/couplings", plan(), run, evidence.parser(__doc__).parse_args(), **about)
