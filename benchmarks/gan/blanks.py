"""Blanks of three tables, filled by means, neighbours, regressions, GAIN and nets without a critic, 10 seeds each.

    GMCOURSE_DATA=<folder> OMP_NUM_THREADS=1 python -m benchmarks.gan.blanks

GMCOURSE_DATA holds Letter and Spam (`gmcourse.data` says where they come from); Breast comes with scikit-learn. Every
row: a fifth of the entries of the whole table is blanked completely at random, by the seed; each column is brought to
[0, 1] by the entries that are left; what was blanked is filled; "rmse" is over the blanks, in those units, and "rmse of
the full range" in units of the range of all entries of a column, as GAIN's authors score; that range is wider, so the
number is smaller. There is no other split: a table with blanks is all there is. "10 neighbours" are means of
scikit-learn's KNNImputer, which is slow: in 6,000 rows of Letter and 2,000 of Spam. "chained ridge" is its
IterativeImputer: each column from all others by ridge regression of weight 0.01, 10 rounds, 3 on Spam.

The nets see the table alone, in 2,000 steps of 128 rows with Adam at 1e-3, held for half of the steps and then brought
to 0; all seeds are trained side by side. "GAIN" has two hidden layers of D, or of "width", in either net, and the
weight 100; "GAIN, α = 10" and "GAIN, α = 1" a smaller weight, so that the game counts for more; "no critic" is its
generator by the squared error of known entries alone; "hidden entries" the same network by the squared error of known
entries that were hidden from it, a fifth of them, anew at each step.

Of GAIN on Breast, "coverage" is the share of blanks within the central 90 % of 20 fillings with other noise, and
"spread" the standard deviation of a blank over them, its mean over the blanks.
"""

import time
import warnings
from functools import cache, lru_cache, partial

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.gan.filler import Filler
from gmcourse.gan.gain import GAIN, gain_networks
from gmcourse.metrics import imputation_coverage, imputation_rmse
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit, fit_adversarial

CLAIM, STEPS, BLANK, SEEDS = "gan/blanks", 2_000, 0.2, 5
TABLES = {"Letter": "letter", "Spam": "spambase", "Breast": "breast-cancer"}
PLAIN = ("mean", "median", "10 neighbours", "chained ridge")
FEW = {"Letter": 6_000, "Spam": 2_000}
NETS = ("GAIN", "no critic", "hidden entries")
LIGHTER = {"GAIN, α = 10": 10.0, "GAIN, α = 1": 1.0}


def asked(table: str, method: str, seed: int, width: int = 0) -> dict:
    return {"table": table, "method": method, "width": width, "seed": seed}


PLAN = [
    *(asked(table, method, seed) for table in TABLES for method in (*NETS, *PLAIN) for seed in range(2 * SEEDS)),
    *(asked("Letter", method, seed, 64) for method in NETS for seed in range(SEEDS)),
    *(asked("Breast", method, seed) for method in LIGHTER for seed in range(2 * SEEDS)),
    *(asked(table, "GAIN, α = 10", seed) for table in ("Letter", "Spam") for seed in range(2 * SEEDS)),
]


@cache
def whole_table(key: str) -> Tensor:
    """All rows, in the units of the source."""
    data = load(key)
    assert data.scale is not None
    assert data.shift is not None
    return (torch.cat([data.train, data.valid, data.test]).double() * data.scale + data.shift).float()


def mask(x: Tensor, seed: int) -> Tensor:
    """m, 0 at a fifth of the entries."""
    return (torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)) >= BLANK).to(x.dtype)


def scaled(x: Tensor, m: Tensor) -> Tensor:
    """Each column to [0, 1] by its known entries."""
    low = torch.where(m > 0, x, torch.inf).amin(0)
    high = torch.where(m > 0, x, -torch.inf).amax(0)
    return (x - low) / (high - low)


def filled_plainly(method: str, blanked: Tensor, table: str) -> Tensor:
    """The table as scikit-learn fills it."""
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
    from sklearn.linear_model import Ridge

    rounds = 3 if table == "Spam" else 10
    ridge = partial(IterativeImputer, Ridge(0.01), max_iter=rounds, min_value=0.0, max_value=1.0, tol=0)
    makers = {
        "mean": SimpleImputer,
        "median": partial(SimpleImputer, strategy="median"),
        "10 neighbours": partial(KNNImputer, n_neighbors=10),
        "chained ridge": ridge,
    }
    warnings.filterwarnings("ignore", message=".*Early stopping criterion")  # the rounds are fixed
    return torch.from_numpy(np.asarray(makers[method]().fit_transform(blanked.double().numpy()))).float()


class SideBySide(nn.Module):
    """A linear layer for each seed, (n, seeds, inputs) → (n, seeds, outputs): ten cost little more than one."""

    def __init__(self, layers: list[nn.Linear]):
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])[:, None])

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x.transpose(0, 1), self.weight).transpose(0, 1)


def side_by_side(networks: tuple[nn.Sequential, ...]) -> nn.Sequential:
    """Networks of one shape as one."""
    layers = zip(*networks, strict=True)
    return nn.Sequential(*(SideBySide(list(same)) if isinstance(same[0], nn.Linear) else same[0] for same in layers))


def trained(method: str, blanked: Tensor, width: int, seeds: int) -> GAIN | Filler:
    """The model of every seed, trained on its own blanks, (n, seeds, D), in the same steps."""
    pairs = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        pairs.append(gain_networks(blanked.shape[2], width or None))
    generator, critic = map(side_by_side, zip(*pairs, strict=True))
    options = {"steps": STEPS, "batch_size": 128, "lr": held_then_falling(1e-3, STEPS), "progress": False}
    if method.startswith("GAIN"):
        model = GAIN(generator, critic, weight=LIGHTER.get(method, 100.0))
        fit_adversarial(model, (blanked,), betas=(0.9, 0.999), **options)
        return model
    model = Filler(generator, hide=BLANK if method == "hidden entries" else 0.0)
    fit(model, (blanked,), **options)
    return model


@lru_cache(maxsize=1)
def answers(table: str, method: str, width: int) -> tuple[list[Tensor], float]:
    """The table of each seed as a net fills it, with 20 draws of its noise, (20, n, D), and the CPU seconds it took."""
    start, seeds = time.process_time(), SEEDS if width else 2 * SEEDS
    x, m = zip(*(task(table, seed) for seed in range(seeds)), strict=True)
    blanked = torch.where(torch.stack(m, 1) > 0, torch.stack(x, 1), torch.nan)
    model = trained(method, blanked, width, seeds)
    draws = 20 if table == "Breast" and method.startswith("GAIN") else 1
    filled = [model.impute(blanked, rng=torch.Generator().manual_seed(k)) for k in range(draws)]
    return list(torch.stack(filled).unbind(2)), (time.process_time() - start) / seeds


def errors(x: Tensor, filled: Tensor, m: Tensor, full: Tensor) -> dict[str, float]:
    """The error over the blanks in units of the known entries' range, and of the full one of each column, (D,)."""
    return {
        "rmse": imputation_rmse(x, filled, m),
        "rmse of the full range": imputation_rmse(x / full, filled / full, m),
    }


def task(table: str, seed: int) -> tuple[Tensor, Tensor]:
    """The truth in [0, 1], and its mask."""
    rows = whole_table(TABLES[table])
    m = mask(rows, seed)
    return scaled(rows, m), m


def run(table: str, method: str, width: int, seed: int) -> dict:
    x, m = task(table, seed)
    few = FEW.get(table, len(x)) if method == "10 neighbours" else len(x)  # the loader's rows are in random order
    full = x.amax(0) - x.amin(0)  # 1 or more: the known entries span [0, 1]
    x, m, blanked = x[:few], m[:few], torch.where(m > 0, x, torch.nan)[:few]
    if method in PLAIN:
        found = errors(x, filled_plainly(method, blanked, table), m, full)
        return {name: round(value, 4) for name, value in found.items()}
    tables, seconds = answers(table, method, width)
    filled = tables[seed]
    found = errors(x, filled[0], m, full)
    if len(filled) > 1:
        found |= {"rmse of the mean": imputation_rmse(x, filled.mean(0), m)}
        found |= {"coverage": imputation_coverage(x, filled, m), "spread": filled[:, m == 0].std(0).mean().item()}
    return {name: round(value, 4) for name, value in found.items()} | {"seconds": round(seconds, 1)}


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args(), packages=("torch", "scikit-learn"))
