"""Diffusion on digits: Fréchet distance against network calls, for three ways to train, three samplers, five seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.scores.digits_diffusion

"clean": the course's denoiser, whose net has to give something of variance 1 at every level, all levels weighted
alike; "clean, paper's weight": the same, its error weighted by 1/σ², which is the error of ε; "noise": the net gives ε
itself, as in the paper, with the same weight. All else is one recipe, that of `gmcourse train ddpm --data digits`.
"""

from functools import cache, partial

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.catalogue import find
from gmcourse.data import load
from gmcourse.metrics import fidelity, mean_elbo
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.diffusion import DDPM
from gmcourse.scores.levels import column
from gmcourse.scores.samplers import ancestral_step, heun, power_levels, spaced, walk
from gmcourse.training import fit

CLAIM = "scores/digits_diffusion"
CALLS = (1, 2, 4, 8, 16, 50)
COUNT = 540
digits = cache(partial(load, "digits"))


class AllAlike(Denoiser):
    """The course's denoiser, with the error of what its net gives for a loss."""

    def matching_errors(self, x: Tensor, sigma: Tensor, noise: Tensor, given: Tensor | None = None) -> Tensor:
        return super().matching_errors(x, sigma, noise, given) * (1 + (sigma / self.spread).square())


class NoisePredictor(AllAlike):
    """x* = x̃ − σ f: the net gives the noise, and its error is the loss."""

    def scales(self, x: Tensor, sigma: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
        _, _, into = super().scales(x, sigma)
        return torch.ones_like(into), -column(sigma, x), into


KINDS = {"clean": AllAlike, "clean, paper's weight": Denoiser, "noise": NoisePredictor}


def trained(kind: str, seed: int) -> DDPM:
    record, data = find("ddpm"), digits()
    torch.manual_seed(seed)
    model = record.build(data)
    model.denoiser.__class__ = model.average.module.__class__ = KINDS[kind]
    fit(model, (data.train,), **record.recipe(data), seed=seed, progress=False)
    return model


def run(*, kind: str, seed: int) -> dict[str, object]:
    """One training; Fréchet distances of 540 samples, by sampler, calls, and whether x* is cut to [0, 1]."""
    model, held = trained(kind, seed), torch.cat([digits().valid, digits().test])
    noised = partial(walk, step=partial(ancestral_step, spread=model.denoiser.spread))
    row: dict[str, object] = {"nats": round(-mean_elbo(model, held.repeat(10, 1, 1, 1), _rng(seed)).mean, 2)}
    for cut, bounds in (("cut", (0.0, 1.0)), ("uncut", None)):
        model.bounds = bounds
        for name, sampler in (("DDIM", walk), ("ancestral", noised)):
            row[f"{name}, {cut}"] = [_distance(model, held, sampler, spaced(model.sigmas, n), seed) for n in CALLS]
        grids = [power_levels(80 * model.denoiser.spread, model.sigmas[-1].item(), n) for n in (4, 8, 25)]
        row[f"Heun, {cut}"] = [_distance(model, held, heun, grid, seed) for grid in grids]
    row["floor"] = round(fidelity(held, digits().train[torch.randperm(1257, generator=_rng(seed))[:COUNT]]).frechet, 2)
    return row


def _distance(model: DDPM, held: Tensor, sampler, levels: Tensor, seed: int) -> float:
    samples = model.sample(COUNT, rng=_rng(seed), sampler=sampler, sigmas=levels).clamp(0, 1)
    return round(fidelity(held, samples).frechet, 2)


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def main() -> None:
    plan = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]
    evidence.rows(CLAIM, plan, run, evidence.parser(__doc__).parse_args(), calls=CALLS, heun_calls=(7, 15, 49))


if __name__ == "__main__":
    main()
