"""Every likelihood model beside the values of the papers: fixed-binarised MNIST, nats an image, the whole test set.

    OMP_NUM_THREADS=1 python -m benchmarks.comparison.published

Prints the table; what the file lacks is measured first, so that a complete file is printed at once. Rows of earlier
evidence are read from the course's results, and their scripts are run (hours) where those lack them. The rest is
trained here, one run each, in at most six CPU minutes: the model and the recipe of the catalogue, the schedule
stretched over the steps, with the weights that are best on every tenth validation image; test is read once. "seconds"
are CPU seconds of training. A paper's value stands here only where the course has seen it quoted ("where" says how):
MADE's 32 masks and two layers, the Row LSTM and FVSBN have values that we know from memory alone, and so they are left
out. A model that bits do not suit has the reason instead, and what its paper reports on other data as a quotation.
`--device cuda` trains there; seconds are those of the processor all the same. Set GMCOURSE_DATA to a folder that holds
the data, or let it be downloaded.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.catalogue import CATALOGUE
from gmcourse.data import Dataset, load
from gmcourse.metrics import estimate, importance_weighted, mean_elbo, nll
from gmcourse.protocols import Density, ImportanceWeighted
from gmcourse.taxonomy.naive_bayes import NaiveBayes
from gmcourse.training import fit

CLAIM = "comparison/published"
LIKELIHOODS = ("exact", "bound", "unnormalised")
RECORDS = {record.key: record for record in CATALOGUE if record.density in LIKELIHOODS}
DRAWS = 100
EXACT, BOUND, BELOW = "exact", "upper bound, 500 draws", "estimate, on average too low"

RUNS = "autoregressive/binarized_mnist_made_nade"
READ = {  # model, variant → the claim, what the row holds there, and the kind of number
    ("nade", "500 units"): (RUNS, {"model": "NADE"}, EXACT),
    ("made", "2 layers of 1,000, 8 masks"): (RUNS, {"model": "MADE"}, EXACT),
    ("made", "1 layer of 2,000, 1 mask"): (RUNS, {"model": "MADE, one mask"}, EXACT),
    ("pixelcnn", "64 maps, 8 blocks"): ("autoregressive/pixelcnn_mnist", {"steps": 16_000}, EXACT),
    ("gated-pixelcnn", "24 maps, 6 layers"): ("autoregressive/gated_mnist", {"model": "gated"}, EXACT),
    ("gaussian-vae", "50 latents, 1 draw"): ("vae/mnist_draws", {"kind": "VAE", "k": 1, "steps": 90_000}, BOUND),
    ("iwae", "50 latents, 5 draws"): ("vae/mnist_draws", {"kind": "IWAE", "k": 5, "steps": 90_000}, BOUND),
    ("restricted-boltzmann-machine", "500 units, PCD"): ("scores/rbm_mnist", {"method": "PCD"}, BELOW),
}
TRAINED = {  # model, variant → steps, and what differs from the recipe
    ("naive-bayes", "independent pixels, by counting"): (0, {}),
    ("naive-bayes", "10 unseen classes"): (2_000, {}),
    ("fvsbn", "raster order"): (6_000, {}),
    ("row-lstm", "h = 16, 1 layer"): (3_500, {"batch_size": 16}),
    ("diagonal-bilstm", "h = 16, 1 layer"): (3_500, {"batch_size": 16, "every_valid": 200}),
    ("beta-vae", "β = 4, 50 latents"): (15_000, {}),
    ("vq-vae", "7 × 7 codes of 64, LSTM prior"): (13_000, {}),
}
README = "as the README of pytorch-generative quotes it"
PUBLISHED = {  # nats, the paper's key in the bibliography, where the value stands or was seen
    "nade": (88.33, "uria2016", "fixed binarisation"),
    "made": (88.04, "germain2015", README),
    "pixelcnn": (81.30, "vandenoord2016pixel", "its results on binary MNIST; " + README),
    "diagonal-bilstm": (79.20, "vandenoord2016pixel", "its best PixelRNN, results on binary MNIST"),
    "gaussian-vae": (88.71, "burda2016", "appendix D, fixed binarisation, 1 draw, 5,000 to measure"),
    "iwae": (87.63, "burda2016", "appendix D, fixed binarisation, 5 draws, 5,000 to measure"),
    "restricted-boltzmann-machine": (86.34, "salakhutdinov2008", "CD-25, 500 units, annealed importance sampling"),
}
WHY = {  # where ours is worse: what differs; no row is a change of one thing, so none says what which costs
    "nade": "one run of 30 epochs at one rate, not searched; it overfits: training images cost 81.1",
    "made": "one run at one rate, not searched; the small one overfits (78.9 on train), the large one less (85.6)",
    "pixelcnn": "5.1 epochs of a small network (165,186 weights); training images cost 83.9, over the paper's test",
    "diagonal-bilstm": "1.1 epochs of one layer with 11,586 weights: six minutes, far from the end",
    "gaussian-vae": "180 epochs at one rate, not searched; measured by 500 draws, which read 0.5 more than 5,000",
    "iwae": "180 epochs at one rate, not searched; measured by 500 draws, which read 0.7 more than 5,000",
    "restricted-boltzmann-machine": "PCD with one sweep, not CD-25, its rate not searched; it overfits (84.1 on train)",
}
ALONE = {  # rows of bits without a value of a paper at this protocol
    "naive-bayes": "no paper; the baseline that every model must beat",
    "fvsbn": "frey1996 has other data; later values on these bits we know from memory alone",
    "row-lstm": "vandenoord2016pixel has a value that we know from memory alone",
    "gated-pixelcnn": "vandenoord2016conditional has none on MNIST; pytorch-generative's 81.50 is of bits drawn anew",
    "beta-vae": "higgins2017 has no likelihoods; trained on another sum than the bound, it pays in nats",
    "vq-vae": "vandenoord2017 has none on bits; 16.6 epochs here; CIFAR-10 (quoted): 4.67 bits/dim",
}
DENSITY = "a density of real numbers: on bits it grows without limit as it narrows round 0 and 1: no probability"
CIFAR = "; CIFAR-10 (quoted): {} bits/dim"
TABLES = "; POWER, GAS, HEPMASS, MINIBOONE, BSDS300 (quoted, log-likelihoods): {}"
TEXT = "reads rows of symbols, not pictures"
TOLD = "is told labels or captions, which the binarised digits lack"
REASONS = {
    "histogram": "a grid has cells for three axes at most, not for 784",
    "categorical": "a table over joint states would have 2⁷⁸⁴ rows",
    "pixelcnn-pp": "made for 256 levels: with two, its mixture of logistics is one Bernoulli" + CIFAR.format(2.92),
    "lstm-language-model": TEXT,
    "transformer-language-model": TEXT + "; Shakespeare (quoted, nanoGPT on a GPU): 1.4697 nats a character",
    "sequence-to-sequence-translator": "translates rows of symbols",
    "wavenet": "models sounds",
    "cvae": TOLD,
    "vq-vae-2": "its bound is a VQ-VAE's; at 28 × 28 a step of its recipe takes over a second: not in six minutes",
    "jukebox": "models sounds",
    "text-conditioned-codes": TOLD,
    "video-vq-vae": "models clips",
    "sentence-vae": TEXT,
    **dict.fromkeys(("planar-flow", "radial-flow", "iaf", "parallel-wavenet-student", "cnf"), DENSITY),
    **dict.fromkeys(("residual-flow", "flow-matching", "spline-coupling-flow"), DENSITY),
    "nice": DENSITY + CIFAR.format(4.48),
    "realnvp": DENSITY + CIFAR.format(3.49) + TABLES.format("0.17, 8.33, −18.71, −13.84, 153.28"),
    "maf": DENSITY + TABLES.format("0.14, 9.07, −17.70, −11.75, 155.69"),
    "spline-autoregressive-flow": DENSITY + TABLES.format("0.66, 13.09, −14.01, −9.22, 157.31"),
    "glow": "a bound for grey levels with noise added; on two levels none is published" + CIFAR.format(3.35),
    "ddpm": "a bound for grey levels; on two levels none is published" + CIFAR.format("≤ 3.75"),
    "ddim": "the bound of a DDPM: another way to sample the same model",
    "score-sde": DENSITY + CIFAR.format(2.99),
}


def plan() -> Iterator[dict]:
    """In the order of the catalogue: what is read, what is trained, and what has a reason instead."""
    for key in RECORDS:
        yield from ({"model": key, "variant": variant, "seed": 0} for name, variant in READ if name == key)
        for (name, variant), (steps, _) in TRAINED.items():
            if name == key:
                yield {"model": key, "variant": variant, "steps": steps, "seed": 0}
        if key in REASONS:
            yield {"model": key, "seed": None}


def run(device: str, *, model: str, seed: int | None, variant: str = "", steps: int | None = None) -> dict:
    """One row: measured, or with the reason why not."""
    if not variant:
        return {"not compared": REASONS[model], "seconds": 0.0}
    row = read(model, variant) if steps is None else trained(device, model, variant, steps, seed or 0)
    if model not in PUBLISHED:
        return row | {"published": None, "why": ALONE[model]}
    nats, paper, where = PUBLISHED[model]
    behind = round(row["test"]["mean"] - nats, 2)
    row |= {"published": {"nats": nats, "paper": paper, "where": where}, "behind": behind}
    return row | ({"why": WHY[model]} if behind > 0 else {})


def read(model: str, variant: str) -> dict:
    """A row of earlier evidence, whose script is run where the file has none."""
    claim, asked, kind = READ[model, variant]
    path = evidence.RESULTS / f"{claim}.json"
    command = f"benchmarks.{claim.replace('/', '.')}"
    found = _matching(path, asked)
    if found is None:
        folder = [] if claim.endswith("gated_mnist") else ["--folder", f"runs/{claim}"]
        subprocess.run([sys.executable, "-m", command, *folder], check=True)
        found = _matching(path, asked)
    if found is None:
        raise LookupError(f"{path.name}: got no row with {asked}, expected one of {command}")
    mean, error = test_of(found)
    pace = found.get("CPU seconds a step, looks at the validation set included")
    seconds = found["steps"] * pace if pace else found.get("training seconds", found["seconds"])
    test = {"mean": mean, "error": error, "images": 10_000}
    return {"test": test, "kind": kind, "trained for": found["steps"], "from": claim, "seconds": round(seconds)}


def _matching(path, asked: dict) -> dict | None:
    rows = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    return next((row for row in rows if asked.items() <= row.items()), None)


def test_of(row: dict) -> tuple[float, float]:
    """Mean and standard error over the 10,000 test images, however the script names them."""
    test = row.get("test, nats", row.get("test"))
    if isinstance(test, dict):
        return test["mean"], test["error"]
    if row.get("images", 10_000) != 10_000:
        raise ValueError(f"images: got {row['images']}, expected the whole test set")
    return test, row["test_error"] if "test_error" in row else row["error, test"]


def trained(device: str, model: str, variant: str, steps: int, seed: int) -> dict:
    """One training here, then the whole test set."""
    data, record = load("binarized-mnist"), RECORDS[model]
    torch.manual_seed(seed)
    net = record.build(data) if steps else NaiveBayes(data.event_shape, classes=1)
    start = time.process_time()
    if steps:
        how = record.recipe(data, steps=steps) | {"every_valid": max(1, steps // 8)} | TRAINED[model, variant][1]
        held = (data.valid[::10],)
        fit(net, (data.train,), **how, valid=held, seed=seed, device=device, progress=False)
    else:
        net.count(data.train)
    seconds = time.process_time() - start
    parameters = sum(p.numel() for p in net.parameters())
    return scored(net, data, seed) | {"trained for": steps, "parameters": parameters, "seconds": round(seconds, 1)}


def scored(net: nn.Module, data: Dataset, seed: int) -> dict:
    """−ln p of the test images, exact or as tight a bound as the model has."""
    rng = torch.Generator(next(net.parameters()).device).manual_seed(seed)
    if isinstance(net, Density):
        (mean, error), kind = estimate(nll(net, data.test, 200)), EXACT
    elif isinstance(net, ImportanceWeighted):
        (mean, error), kind = estimate(-importance_weighted(net, data.test, DRAWS, rng)), f"upper bound, {DRAWS} draws"
    else:
        (mean, error), kind = mean_elbo(net, data.test, rng), "upper bound: minus the ELBO"
        mean = -mean
    return {"test": {"mean": round(mean, 3), "error": round(error, 3), "images": len(data.test)}, "kind": kind}


def table(rows: list[dict]) -> str:
    """What stands in the file, in the order of the catalogue."""
    order = [*map(dict.items, plan())]
    rows = sorted(rows, key=lambda row: next((i for i, asked in enumerate(order) if asked <= row.items()), len(order)))
    head = f"{'model':<33}{'variant':<33}{'paper':>7}{'ours':>9}{'s.e.':>7}{'CPU s':>7}"
    lines = [f"{head}  kind of number; paper; what differs"]
    for row in (row for row in rows if "test" in row):
        paper, test = row["published"], row["test"]
        notes = [row["kind"], *(["{paper}, {where}".format(**paper)] if paper else []), row.get("why", "")]
        value = f"{paper['nats']:.2f}" if paper else "–"
        numbers = f"{value:>7}{test['mean']:>9.2f}{test['error']:>7.2f}{row['seconds']:>7.0f}"
        lines.append(f"{row['model']:<33}{row['variant']:<33}{numbers}  {'; '.join(filter(None, notes))}")
    lines += [f"{row['model']:<33}not compared: {row['not compared']}" for row in rows if "not compared" in row]
    return "\n".join(lines)


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--device", default="cpu", help="where what is missing is trained")
    options = parser.parse_args()
    rows = evidence.rows(CLAIM, plan(), partial(run, options.device), options, device=options.device)
    print(table(rows))


if __name__ == "__main__":
    main()
