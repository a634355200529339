"""pix2pix against the same generator without a critic, where something is hidden and where nothing is:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.translation

8×8 digits; every task makes its pairs out of them. "coin": an outline is to be painted, red by a coin of the
probability p that stands in the row, else blue. "stripes": a digit is to be put under stripes of one of four phases.
"coarse": means of 4 × 4 pixels are to become pixels. "edges": the outline alone. Trained on train, measured on the 540
digits of valid and test. "L2" and "L1" are the generator alone; "dropout, λ = 100" is the paper's noise and weight,
"λ = …" has four planes of noise in its place. One recipe for all; the number of steps, the rate and the widths were
chosen on the coin, seed 0. The weights of the painters of the fair coin, seed 0, are kept beside the results.
"""

from collections.abc import Iterator

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from benchmarks import evidence
from gmcourse.checkpoint import write
from gmcourse.data import load
from gmcourse.gan.answers import counted
from gmcourse.gan.pairs import coarse, edges, inked, redness, striped
from gmcourse.gan.pix2pix import Alone, PictureGenerator, pix2pix
from gmcourse.metrics import fidelity
from gmcourse.metrics.classifier import digit_class
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit, fit_adversarial

STEPS, BATCH, PEAK, WIDTH, SEEDS = 600, 16, 2e-3, 8, tuple(range(5))
CLAIM, PAINTERS, PHASES, BLOCK = "gan/translation", "gan/translation.safetensors", 4, 4
ALONE = {"L2": 2, "L1": 1}
WEIGHTS = {"dropout, λ = 100": 100.0, "λ = 10": 10.0, "λ = 1": 1.0}
PLAN = {
    "coin 0.7": ("L1", *WEIGHTS),
    "coin 0.5": ("L2", "L1", *WEIGHTS),
    "stripes": ("L1", "λ = 10"),
    "coarse": ("L2", "L1", "λ = 10"),
    "edges": ("L1", "λ = 10"),
}
KEPT = {("coin 0.5", "L2"), ("coin 0.5", "L1"), ("coin 0.5", "λ = 10")}


def pairs(task: str, x: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """(what is wanted, what is given)."""
    rng = torch.Generator().manual_seed(seed)
    if task.startswith("coin"):
        return inked(x, torch.rand(len(x), generator=rng) < float(task.split()[1])), edges(x)
    if task == "stripes":
        return striped(x, torch.randint(PHASES, (len(x),), generator=rng), PHASES), x
    return x, coarse(x, BLOCK) if task == "coarse" else edges(x)


def train(task: str, setting: str, seed: int) -> nn.Module:
    """One training at the rate `PEAK`, held for half the run, then to 0 in a straight line."""
    wanted, given = pairs(task, load("digits").train, seed)
    torch.manual_seed(seed)
    sizes = given.shape[1], wanted.shape[1]
    rate = held_then_falling(PEAK, STEPS)
    options = {"steps": STEPS, "batch_size": BATCH, "lr": rate, "seed": seed, "progress": False}
    if setting in ALONE:
        model = Alone(PictureGenerator(*sizes, WIDTH, 1), ALONE[setting])
        fit(model, (wanted, given), **options)
        return model
    game = pix2pix(*sizes, WEIGHTS[setting], width=WIDTH, noise="dropout" if "dropout" in setting else "planes")
    fit_adversarial(game, (wanted, given), **options)
    return game


def look(model: nn.Module, task: str, seed: int) -> dict:
    """What all tasks share, then what is hidden in this one."""
    data = load("digits")
    x = torch.cat([data.valid, data.test])
    wanted, given = pairs(task, x, 1_000 + seed)
    drawn, again = (model.sample(len(x), given, rng=torch.Generator().manual_seed(s)) for s in (0, 1))
    found = {
        "error": 2 * (drawn - wanted).abs().mean().item(),
        "psnr": -10 * (drawn - wanted).square().mean().log10().item(),
        "detail": detail(drawn) / detail(wanted),
        "redrawn": 2 * (drawn - again).abs().mean().item(),
    }
    if task.startswith("coin"):
        found |= colours(drawn, again, wanted)
    elif task == "stripes":
        found |= phases(drawn, x)
    else:
        labels = evidence.labels(data, "valid", "test")
        found |= {"class": (digit_class(drawn) == labels).double().mean().item(), **fidelity(x, drawn)._asdict()}
    return {name: round(v, 4) if isinstance(v, float) else v for name, v in found.items()}


def detail(x: Tensor) -> float:
    """E (x − its 3 × 3 mean)²: what an average smooths away."""
    return (x - avg_pool2d(x, 3, stride=1, padding=1)).square().mean().item()


def colours(drawn: Tensor, again: Tensor, wanted: Tensor) -> dict:
    """Pure answers and the share of red among them, the mean and spread of the redness, and how often it flips."""
    k, other, truth = redness(drawn), redness(again), redness(wanted)
    answers = counted(k, (truth.min().item(), truth.max().item()), 0.2)
    return {
        "pure": answers.pure,
        "red": answers.shares[1],
        "mean": k.mean().item(),
        "spread": k.std().item(),
        "flips": ((k > 0) != (other > 0)).double().mean().item(),
    }


def phases(drawn: Tensor, x: Tensor) -> dict:
    """Pictures nearer than 0.1 to the digit under the best of the phases, and how many of those are of each phase."""
    ways = torch.stack([striped(x, torch.full((len(x),), p), PHASES) for p in range(PHASES)])
    away = 2 * (ways - drawn).abs().mean((2, 3, 4))
    least, best = away.min(0)
    right = least < 0.1
    return {"right": right.double().mean().item(), "phases": torch.bincount(best[right], minlength=PHASES).tolist()}


def plan() -> Iterator[dict]:
    for seed in SEEDS:
        for task, settings in PLAN.items():
            yield from ({"task": task, "setting": setting, "seed": seed} for setting in settings)


def run(task: str, setting: str, seed: int) -> dict:
    model = train(task, setting, seed)
    if seed == 0 and (task, setting) in KEPT:
        keep(setting, model.generator)
    return look(model, task, seed)


def keep(setting: str, generator: nn.Module) -> None:
    """The generator goes to the file of painters, beside those that are there."""
    path = evidence.RESULTS / PAINTERS
    kept = load_file(path) if path.exists() else {}
    own = {f"{setting}: {name}": v.float().contiguous() for name, v in generator.state_dict().items()}
    write(path, save(kept | own))


if __name__ == "__main__":
    evidence.rows(
        CLAIM,
        plan(),
        run,
        evidence.parser(__doc__).parse_args(),
        training={"steps": STEPS, "batch_size": BATCH, "lr": PEAK, "betas": [0.5, 0.999], "width": WIDTH},
    )
