"""Contrastive divergence, short and persistent, beside exact maximum likelihood on binarised 8 × 8 digits. Five seeds:

    OMP_NUM_THREADS=1 python -m benchmarks.scores.rbm_digits

12 hidden units, Adam at the rate held for 1,000 steps, then falling to 0 over 1,000 more, batches of 64, from
independent pixels, each inked as often as in the data. The exact gradient and PCD have a run at three times the rate,
too. The negative log-likelihoods are exact, nats a digit, at the end and, on test, when the rate begins to fall.
"""

import copy

import torch

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.schedules import held_then_falling
from gmcourse.scores.enumerated import log_partition
from gmcourse.scores.rbm import RBM
from gmcourse.training import fit

CLAIM = "scores/rbm_digits"
STEPS, HIDDEN = 2_000, 12
METHODS = {"exact": (1, 1), "PCD": (100, 1), "CD-1": (0, 1), "PCD, 5 sweeps": (100, 5)}
KINDS = [("exact", 0.01), ("exact", 0.03), ("PCD", 0.01), ("PCD", 0.03), ("CD-1", 0.01), ("PCD, 5 sweeps", 0.01)]
PLAN = [{"method": method, "rate": rate, "seed": seed} for method, rate in KINDS for seed in range(5)]


class Exact(RBM):
    """The same machine, its normaliser counted at every step."""

    def loss(self, x):
        return self.energy(x).mean() + log_partition(*self.terms)


@torch.no_grad()
def nll(model, x):
    terms = [term.double() for term in model.terms]
    return round((copy.deepcopy(model).double().energy(x.double()).mean() + log_partition(*terms)).item(), 4)


def run(method, rate, seed):
    digits, (chains, sweeps) = load("binarized-digits"), METHODS[method]
    torch.manual_seed(seed)
    model = (Exact if method == "exact" else RBM)((1, 8, 8), HIDDEN, chains=chains, sweeps=sweeps)
    model.begin_at(digits.train)
    adam, falling, held = torch.optim.Adam(model.parameters()), held_then_falling(rate, STEPS), []
    for half in (0, 1):
        plan = {"optimizer": adam, "seed": 2 * seed + half, "progress": False}
        plan["lr"] = lambda step, start=half * STEPS // 2: falling(start + step)
        fit(model, (digits.train,), steps=STEPS // 2, batch_size=64, **plan)
        held.append(nll(model, digits.test))
    pseudo = model.pseudo_nll(digits.test).mean().item()
    return {"train": nll(model, digits.train), "held": held[0], "test": held[1], "pseudo, test": round(pseudo, 3)}


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args())
