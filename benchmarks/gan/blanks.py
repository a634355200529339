"""Blanks of three tables, filled by means, neighbours, regressions, GAIN and nets without a critic, 10 seeds each.

    GMCOURSE_DATA=<folder> OMP_NUM_THREADS=1 python -m benchmarks.gan.blanks

GMCOURSE_DATA holds Letter and Spam (`gmcourse.data` says where they come from); Breast comes with scikit-learn. Every
row: a fifth of the entries of the whole table is blanked completely at random, by the seed; each column is brought to
[0, 1] by the entries that are left; what was blanked is filled; "rmse" is over the blanks, in those units. There is no
other split: a table with blanks is all there is. "10 neighbours" are means of scikit-learn's KNNImputer, on Letter,
where it is slow, in 6,000 rows. "chained ridge" is its IterativeImputer: each column from all others by Bayesian ridge
regression, 10 rounds, 3 on Spam.

The nets see the table alone, in 2,500 steps of 128 rows with Adam at 1e-3, held for half of the steps and then brought
to 0; all seeds are trained side by side. "GAIN" has two hidden layers of D, or of "width", in either net, and the
weight 100; "no critic" is its generator by the squared error of known entries alone; "hidden entries" the same network
by the squared error of known entries that were hidden from it, a fifth of them, anew at each step.

Then, on Breast, 5 seeds. "coverage" is the share of blanks within the central 90 % of 20 draws: of GAIN's own noise, of
GAIN with noise from U(0, 1), of chained ridge with draws from its posterior. "at random" blanks a row's entries, but
for the first one, the more often the larger the first one is; "not at random" an entry the more often the larger it is;
either way a fifth in all. There "auroc" is that of logistic regression on the filled table, malignant against benign,
learned on every other row and asked on the rest, both ways round.
"""

import time
import warnings
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.gan.filler import Filler
from gmcourse.gan.gain import GAIN, NOISE, gain_networks
from gmcourse.metrics import auroc, imputation_coverage, imputation_rmse
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit, fit_adversarial

CLAIM, STEPS, BLANK, SEEDS = "gan/blanks", 2_500, 0.2, 5
CHANCE, DRAWN = "completely at random", "chained ridge, draws"
TABLES = {"Letter": "letter", "Spam": "spambase", "Breast": "breast-cancer"}
PLAIN = ("mean", "median", "10 neighbours", "chained ridge")
NETS = ("GAIN", "no critic", "hidden entries")


def asked(table: str, method: str, seed: int, width: int = 0, setting: str = CHANCE) -> dict:
    return {"setting": setting, "table": table, "method": method, "width": width, "seed": seed}


PLAN = [
    *(asked("Breast", method, seed) for method in (*PLAIN, *NETS) for seed in range(2 * SEEDS)),
    *(asked(table, method, seed) for table in ("Letter", "Spam") for method in NETS for seed in range(2 * SEEDS)),
    *(asked("Letter", method, seed, 64) for method in NETS for seed in range(SEEDS)),
    *(asked(table, method, seed) for table in ("Letter", "Spam") for method in PLAIN for seed in range(2 * SEEDS)),
    *(
        asked("Breast", method, seed, setting="coverage")
        for method in ("GAIN", "GAIN, noise U(0, 1)", DRAWN)
        for seed in range(SEEDS)
    ),
    *(
        asked("Breast", method, seed, setting=setting)
        for setting in ("at random", "not at random")
        for method in ("mean", "chained ridge", "GAIN", "hidden entries")
        for seed in range(SEEDS)
    ),
]


def whole_table(key: str) -> tuple[Tensor, Tensor | None]:
    """All rows in the units of the source, and their labels."""
    data = load(key)
    assert data.scale is not None
    assert data.shift is not None
    rows = torch.cat([data.train, data.valid, data.test]).double() * data.scale + data.shift
    return rows.float(), None if data.labels is None else evidence.labels(data, "train", "valid", "test")


def blanks(x: Tensor, setting: str, seed: int) -> Tensor:
    """m, 0 at a fifth of the entries, by the rule that the setting names."""
    chance = torch.full_like(x, BLANK)
    if setting == "at random":  # the other columns, by the first one, which stays
        rank = x[:, 0].argsort().argsort() / len(x)
        chance = (2 * BLANK * rank)[:, None].expand_as(x) * x.shape[1] / (x.shape[1] - 1)
    if setting == "not at random":
        chance = 2 * BLANK * x.argsort(0).argsort(0) / len(x)
    m = (torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)) >= chance).to(x.dtype)
    if setting == "at random":
        m[:, 0] = 1
    return m


def scaled(x: Tensor, m: Tensor) -> Tensor:
    """Each column to [0, 1] by its known entries."""
    low = torch.where(m > 0, x, torch.inf).amin(0)
    high = torch.where(m > 0, x, -torch.inf).amax(0)
    return (x - low) / (high - low)


def filled_plainly(method: str, blanked: Tensor, table: str, seed: int) -> Tensor:
    """The table as scikit-learn fills it; the seed is for draws alone."""
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

    rounds = 3 if table == "Spam" else 10
    ridge = partial(IterativeImputer, max_iter=rounds, min_value=0.0, max_value=1.0, random_state=seed, tol=0)
    makers = {
        "mean": SimpleImputer,
        "median": partial(SimpleImputer, strategy="median"),
        "10 neighbours": partial(KNNImputer, n_neighbors=10),
        "chained ridge": ridge,
        DRAWN: partial(ridge, sample_posterior=True),
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
        model = GAIN(generator, critic, noise=1.0 if method.endswith("U(0, 1)") else NOISE)
        fit_adversarial(model, (blanked,), betas=(0.9, 0.999), **options)
        return model
    model = Filler(generator, hide=BLANK if method == "hidden entries" else 0.0)
    fit(model, (blanked,), **options)
    return model


@lru_cache(maxsize=1)
def answers(setting: str, table: str, method: str, width: int, draws: int = 1) -> tuple[list[Tensor], float]:
    """The table of each seed as a net fills it, (draws, n, D), and the CPU seconds that a seed took."""
    start = time.process_time()
    seeds = SEEDS if setting != CHANCE or width else 2 * SEEDS
    x, m, _ = zip(*(task(table, setting, seed) for seed in range(seeds)), strict=True)
    blanked = torch.where(torch.stack(m, 1) > 0, torch.stack(x, 1), torch.nan)
    model = trained(method, blanked, width, seeds)
    filled = [model.impute(blanked, rng=torch.Generator().manual_seed(k)) for k in range(draws)]
    return list(torch.stack(filled).unbind(2)), (time.process_time() - start) / seeds


def task(table: str, setting: str, seed: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """The truth in [0, 1], its mask, and labels."""
    rows, labels = whole_table(TABLES[table])
    m = blanks(rows, setting, seed)
    return scaled(rows, m), m, labels


def run(setting: str, table: str, method: str, width: int, seed: int) -> dict:
    x, m, labels = task(table, setting, seed)
    few = 6_000 if (table, method) == ("Letter", "10 neighbours") else len(x)  # the loader's rows are in random order
    x, m, blanked = x[:few], m[:few], torch.where(m > 0, x, torch.nan)[:few]
    draws, spent = 20 if setting == "coverage" else 1, {}
    if method in (*PLAIN, DRAWN):
        filled = torch.stack([filled_plainly(method, blanked, table, 100 * seed + k) for k in range(draws)])
    else:
        tables, seconds = answers(setting, table, method, width, draws)
        filled, spent = tables[seed], {"seconds": round(seconds, 1)}
    found = {"rmse": imputation_rmse(x, filled[0], m)}
    if setting == "coverage":
        found |= {"rmse of the mean": imputation_rmse(x, filled.mean(0), m)}
        found |= {"coverage": imputation_coverage(x, filled, m), "spread": filled[:, m == 0].std(0).mean().item()}
    elif setting != CHANCE and labels is not None:
        found |= {"auroc": downstream(filled[0], labels), "of the truth": downstream(x, labels)}
    return {name: round(value, 4) for name, value in found.items()} | spent


def downstream(filled: Tensor, labels: Tensor) -> float:
    """The AUROC of logistic regression on a filled table, learned on one half of the rows and asked on the other."""
    from sklearn.linear_model import LogisticRegression

    half, scores = torch.arange(len(filled)) % 2 == 0, torch.zeros(len(filled), dtype=torch.float64)
    for part in (half, ~half):
        judge = LogisticRegression(C=10.0, max_iter=1_000).fit(filled[part].numpy(), labels[part].numpy())
        scores[~part] = torch.from_numpy(judge.decision_function(filled[~part].numpy()))
    return auroc(scores[labels == 0], scores[labels == 1])


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args(), packages=("torch", "scikit-learn"))
