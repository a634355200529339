"""NCSN on digits: the Fréchet distance of 540 samples against the walk's step, its levels, and its start, five seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.scores.ncsn_digits

Each walk ends with the denoiser's answer, but for one number that says what it is without. One level is walked from
noise, as wide as noised digits are, and from noised training digits. "carried" is the most, over the levels, of
E‖x − x*(x, σ)‖² at a level's end over that of noised held-out digits: 1 if the walkers are distributed as they are.
"""

from functools import cache, partial

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import fidelity
from gmcourse.scores.langevin import annealed_langevin
from gmcourse.scores.ncsn import NCSN, NOISE_CONDITIONAL_SCORE_NETWORK, make_ncsn
from gmcourse.training import fit

CLAIM = "scores/ncsn_digits"
COUNT = 540
STEPS = 600
ALL_LEVELS = ((5, 0.2), (5, 0.05), (20, 0.05))
ONE_LEVEL = (0.1, 0.5)
digits = cache(partial(load, "digits"))


def run(*, seed: int) -> dict[str, object]:
    """One training, and its walks."""
    torch.manual_seed(seed)
    model = make_ncsn(digits())
    fit(
        model,
        (digits().train,),
        **NOISE_CONDITIONAL_SCORE_NETWORK.recipe(digits(), steps=STEPS),
        seed=seed,
        progress=False,
    )
    model.eval()
    row: dict[str, object] = {}
    for steps, r in ALL_LEVELS:
        row[f"20 × {steps}, r = {r}"] = walked(model, wide(model, model.sigmas[0], seed), model.sigmas, steps, r, seed)
    for sigma in ONE_LEVEL:
        sigmas = torch.tensor([sigma])
        starts = {"noise": wide(model, sigmas[0], seed), "data": noised(digits().train[:COUNT], sigmas[0], seed)}
        for name, x in starts.items():
            row[f"σ = {sigma} alone, from {name}"] = walked(model, x, sigmas, 100, 0.2, seed)
    return row


@torch.no_grad()
def walked(model: NCSN, x: Tensor, sigmas: Tensor, steps: int, r: float, seed: int) -> dict[str, float]:
    held, generator, ratios = held_out(), rng(seed + 1), []
    for sigma in sigmas:
        x = annealed_langevin(model.score, x, [sigma], steps, r, rng=generator)
        ratios.append(carried(model, x, sigma) / carried(model, noised(held, sigma, seed + 2), sigma))
    ended, raw = fidelity(held, model.denoiser(x, sigmas[-1]).clamp(0, 1)), fidelity(held, x.clamp(0, 1))
    found = {**ended._asdict(), "not denoised": raw.frechet, "carried": max(ratios)}
    return {name: round(value, 2) for name, value in found.items()}


def carried(model: NCSN, x: Tensor, sigma: Tensor) -> float:
    return ((x - model.denoiser(x, sigma)).square().sum() / len(x)).item()


def wide(model: NCSN, sigma: Tensor, seed: int) -> Tensor:
    """Noise as wide as digits are that were noised by σ."""
    width = (model.denoiser.spread**2 + sigma.square()).sqrt()
    return model.denoiser.centre + width * torch.randn(COUNT, *model.event_shape, generator=rng(seed))


def noised(x: Tensor, sigma: Tensor, seed: int) -> Tensor:
    return x + sigma * torch.randn(x.shape, generator=rng(seed))


def held_out() -> Tensor:
    return torch.cat([digits().valid, digits().test])


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def floors() -> list[float]:
    """Of two sets of training digits."""
    return [round(fidelity(held_out(), digits().train[i : i + COUNT]).frechet, 2) for i in (0, COUNT)]


def main() -> None:
    plan = [{"seed": seed} for seed in range(5)]
    evidence.rows(CLAIM, plan, run, evidence.parser(__doc__).parse_args(), training_steps=STEPS, floors=floors)


if __name__ == "__main__":
    main()
