"""What walkback and longer training do for a generative stochastic network: its samples' test, its strays. Five seeds:

OMP_NUM_THREADS=1 python -m benchmarks.autoencoders.walkback
"""

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoencoders.gsn import make_gsn
from gmcourse.data import load
from gmcourse.laws.autoencoders.chain import permutation_test
from gmcourse.metrics import features
from gmcourse.record import held_then_falling_plan
from gmcourse.training import fit

CLAIM = "autoencoders/walkback"
LENGTHS = ((4, 1_000), (2, 1_000), (3, 1_000), (6, 1_000), (4, 3_000))
PLAN = [{"seed": seed, "walkback": length, "steps": steps} for length, steps in LENGTHS for seed in range(5)]


def refused(rows: Tensor, held: Tensor, n: int) -> float:
    """Share of the tests at 1 % that tell n of the rows from n held-out digits."""
    rng, tries = torch.Generator().manual_seed(5), 50 if n <= 90 else 20
    p = []
    for seed in range(tries):
        ours = rows[torch.randperm(len(rows), generator=rng)[:n]]
        test = held[torch.randperm(len(held), generator=rng)[:n]]
        p.append(permutation_test(ours, test, permutations=199, seed=seed)[2])
    return sum(value <= 0.01 for value in p) / tries


def run(seed: int, walkback: int, steps: int) -> dict:
    digits = load("binarized-digits")
    torch.manual_seed(seed)
    model = make_gsn(digits)
    model.walkback = walkback
    recipe = held_then_falling_plan(digits, steps=steps, batch_size=100, peak=2e-3)
    fit(model, (digits.train,), seed=seed, progress=False, **recipe)
    rng = torch.Generator().manual_seed(seed)
    drawn, stored = model.sample(720, rng=rng), digits.train.flatten(1)
    seen, held = features(drawn), features(digits.test)
    coins = (torch.rand(360, 1, 8, 8, generator=rng) < 0.5).float()
    strays = model.chains(coins, 100, rng=rng)[-1].flatten(1)
    return {
        "refused": {str(n): refused(seen, held, n) for n in (23, 45, 90, 180, 360)},
        "nearest": torch.cdist(drawn.flatten(1), stored).square().amin(1).mean().item(),
        "lost": (torch.cdist(strays, stored).square().amin(1) > 10).float().mean().item(),
    }


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args())
