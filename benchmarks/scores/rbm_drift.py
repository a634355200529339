"""Where persistent contrastive divergence drifts: bars and stripes of 3 × 3 pixels, exact at every look. Five seeds:

    OMP_NUM_THREADS=1 python -m benchmarks.scores.rbm_drift

9 hidden units, full batch, Adam, 4,000 steps. "fresh" is PCD with its walk replaced by exact draws, as many as there
are chains; "falling" is PCD whose rate falls to 0 over the second half; "CD-1" begins its walk at the data, and
"exact" has the gradient itself. Each row has the exact negative log-likelihood every 500 steps (the best there is,
ln 14 = 2.639; independent coins, 6.238), and of the last machine the second eigenvalue of its sweep and the mean
squared error of a picture that comes back from its own hidden units.
"""

import torch

from benchmarks import evidence
from benchmarks.scores.rbm_digits import Exact
from gmcourse.autoencoders.finite_chain import second_eigenvalue
from gmcourse.schedules import held_then_falling
from gmcourse.scores.enumerated import all_bits, exact_draws, log_partition, sweep_matrix
from gmcourse.scores.rbm import RBM
from gmcourse.training import fit

CLAIM = "scores/rbm_drift"
STEPS, LOOK, RATE = 4_000, 500, 0.01
METHODS = {"PCD": (100, 1), "fresh": (100, 1), "falling": (100, 1), "exact": (1, 1), "CD-1": (0, 1)}
PLAN = [{"method": method, "seed": seed} for method in METHODS for seed in range(5)]


class Fresh(RBM):
    """PCD with exact draws in the place of its walk."""

    def after_step(self):
        self.fantasies.copy_(exact_draws(len(self.fantasies), *self.terms))


def bars_and_stripes(side=3):
    rows = all_bits(side, torch.zeros(1))[:, :, None].expand(-1, side, side)
    return torch.cat([rows, rows.mT]).flatten(1).unique(dim=0).view(-1, 1, side, side)


@torch.no_grad()
def nll(model, x):
    return round((model.energy(x).mean() + log_partition(*model.terms)).item(), 3)


def run(method, seed):
    x, (chains, sweeps) = bars_and_stripes(), METHODS[method]
    torch.manual_seed(seed)
    model = {"exact": Exact, "fresh": Fresh}.get(method, RBM)((1, 3, 3), 9, chains=chains, sweeps=sweeps)
    adam, curve = torch.optim.Adam(model.parameters()), []
    rate = held_then_falling(RATE, STEPS) if method == "falling" else lambda step: RATE
    for start in range(0, STEPS, LOOK):
        plan = {"optimizer": adam, "seed": seed + start, "progress": False}
        fit(model, (x,), steps=LOOK, batch_size=len(x), lr=lambda step, start=start: rate(start + step), **plan)
        curve.append(nll(model, x))
    terms = [term.detach().double() for term in model.terms]
    with torch.no_grad():
        h = (model.hidden_bias + x.flatten(1) @ model.weight).sigmoid()
        back = (model.bias + h @ model.weight.T).sigmoid()
    lost = (back - x.flatten(1)).square().sum(1).mean().item()
    return {"nll": curve, "eigenvalue": round(second_eigenvalue(sweep_matrix(*terms)), 5), "lost": round(lost, 5)}


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args())
