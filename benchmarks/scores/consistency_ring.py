"""Consistency models of a ring of eight Gaussians, taught by its exact denoiser: one change at a time, five seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.scores.consistency_ring

"weight" multiplies the squared disagreement of a pair of levels: "none" 1, "gap" 1/(σ − l), "output" 1/c_out(σ)².
"target" is what gives the target: the weights of this very step ("now"), their average of decay 0.95 ("mean"), or those
of this step with a gradient through the target ("moving"). "teacher": Heun's step with the exact denoiser, or none.
2,000 steps of 256 points. Of 4,000 samples, by 1, 2 and 4 calls: the share within 3 standard deviations of a mode, the
modes found, and the sliced Wasserstein distance to 4,000 draws of the density.
"disagreement" is the mean of 4,000 squared disagreements without a weight, the same pairs for all rows.
"""

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import modes, sliced_wasserstein
from gmcourse.nets import LeveledMLP
from gmcourse.schedules import held_then_falling
from gmcourse.scores.average import WeightAverage
from gmcourse.scores.consistency import ConsistencyModel, Jump, consistency_errors, heun_step
from gmcourse.scores.levels import perturb
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.scores.samplers import heun, power_levels, walk
from gmcourse.training import fit

CLAIM, COUNT, STEPS = "scores/consistency_ring", 4_000, 2_000
TOP, LOW = 20.0, 0.02
WAYS = [
    *(
        {"weight": w, "target": t, "teacher": "Heun", "n": 18}
        for w in ("none", "gap", "output")
        for t in ("now", "mean")
    ),
    {"weight": "output", "target": "moving", "teacher": "Heun", "n": 18},
    *({"weight": "output", "target": target, "teacher": "none", "n": 18} for target in ("now", "moving")),
    {"weight": "output", "target": "now", "teacher": "Heun", "n": 10},
]
PLAN = [way | {"seed": seed} for seed in range(5) for way in WAYS]


class Variant(ConsistencyModel):
    """With another weight; with a target by averaged weights where `slow` is one, or with a gradient through it."""

    kind, moves = "output", False

    def weight(self, sigma: Tensor, lower: Tensor) -> Tensor:
        if self.kind == "none":
            return torch.ones_like(sigma)
        return 1 / (sigma - lower) if self.kind == "gap" else super().weight(sigma, lower)

    def loss(self, x: Tensor) -> Tensor:
        own = self.f.forward

        def target(*told):
            with torch.set_grad_enabled(self.moves):
                return (self.slow or own)(*told)

        self.f.forward = lambda *told: own(*told) if torch.is_grad_enabled() else target(*told)
        try:
            return super().loss(x)
        finally:
            self.f.__dict__.pop("forward", None)

    def after_step(self) -> None:
        super().after_step()
        if self.slow is not None:
            self.slow.update(self.f)


def ring():
    data = load("ring-of-8", noise=0.1)
    return data, NoisedMixture(data.density.means.float(), 0.1)


def run(*, weight: str, target: str, teacher: str, n: int, seed: int) -> dict:
    data, mixture = ring()
    torch.manual_seed(seed)
    f = Jump(LeveledMLP(2, [128, 128, 128]), LOW, data.train.std().item())
    model = Variant(f, (2,), power_levels(TOP, LOW, n), mixture.denoise if teacher == "Heun" else None)
    model.kind, model.moves = weight, target == "moving"
    model.slow = WeightAverage(f, 0.95) if target == "mean" else None  # no name of the class: it would hide the module
    fit(model, (data.train,), steps=STEPS, batch_size=256, lr=held_then_falling(3e-3, STEPS), seed=seed, progress=False)
    model.eval()
    row: dict = {"disagreement": round(disagreement(model, mixture, data.test[:COUNT]), 5)}
    for calls, levels in ((1, [TOP]), (2, [TOP, 0.5]), (4, [TOP, 2.0, 0.5, 0.2])):
        at = torch.stack([model.sigmas[(model.sigmas / s).log().abs().argmin()] for s in levels])
        row[f"calls_{calls}"] = quality(model.sample(COUNT, rng=_rng(seed), sigmas=at), seed)
    return row


@torch.no_grad()
def disagreement(model: ConsistencyModel, mixture: NoisedMixture, x: Tensor) -> float:
    """Mean of ‖f(x̃, σ) − f(x̂, l)‖² over pairs on the exact paths, of 18 levels."""
    sigmas, rng = power_levels(TOP, LOW, 18).float(), _rng(0)
    place = torch.randint(17, (len(x),), generator=rng)
    noised = perturb(x, sigmas[place], torch.randn(x.shape, generator=rng))
    pair = heun_step(mixture.denoise, noised, sigmas[place], sigmas[place + 1])
    return consistency_errors(model.average, noised, sigmas[place], pair, sigmas[place + 1]).mean().item()


def quality(samples: Tensor, seed: int) -> dict:
    data, _ = ring()
    found = modes(samples, data.density.means, 0.1)
    truth = data.density.sample(COUNT, rng=_rng(1_000 + seed))
    apart = sliced_wasserstein(samples, truth, 200, _rng(seed))
    return {"share": round(found.quality, 4), "modes": found.found, "distance": round(apart, 4)}


def teachers() -> dict:
    """The exact denoiser's own samplers, by calls."""
    _, mixture = ring()
    start = TOP * torch.randn(COUNT, 2, generator=_rng(0))
    found = {}
    for n in (1, 2, 4, 8, 16, 50):
        found[f"Euler, {n}"] = quality(walk(mixture.denoise, start, power_levels(TOP, LOW, n)), 0)
    for n in (4, 8, 16):
        found[f"Heun, {2 * n - 1}"] = quality(heun(mixture.denoise, start, power_levels(TOP, LOW, n)), 0)
    return found


def floors() -> list:
    return [quality(ring()[0].density.sample(COUNT, rng=_rng(seed)), seed) for seed in range(5)]


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args(), teachers=teachers, floors=floors)
