"""CycleGAN on unpaired digits whose true pairs are hidden, with the cycle and without, and where none can be exact:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.cycles

A are 8×8 digits; B are others of them: "edges", "invert"ed, in "colour" (blue ink on yellow paper), "mirror"ed, or
"coarse", means of 2 × 2 pixels, which nothing inverts. The digits of train and valid are cut into two halves by the
seed, so that no row of A has its partner in B. Errors are mean distances on [−1, 1] to the hidden partners of the 360
digits of test; "of the mean" is the error of B's mean picture. λ = 10, or 0: no cycle. On "coarse", N(0, noise²) may
stand between G and F. The rate rises to its peak over the first 100 steps: where it began there, a map with a plain
tanh answered black within twenty steps on colour (seed 1) and mirror (seed 0), and stayed. The maps end with 1.1 tanh,
those of "plain tanh" with 1: their black is the tanh's end. The two maps of some rows of seed 0 are kept beside the
results.
"""

from collections.abc import Iterator

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.checkpoint import write
from gmcourse.data import load
from gmcourse.gan.cycle import CycleGAN, small_cycle
from gmcourse.gan.pairs import coarse, edges, inside_blocks, on_paper, unpaired
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit_adversarial

STEPS, BATCH, PEAK, WARM, WIDTH, BUFFER, SEEDS = 800, 32, 2e-3, 100, 24, 50, tuple(range(5))
TASKS = {"edges": edges, "invert": lambda x: 1 - x, "colour": on_paper, "coarse": coarse, "mirror": lambda x: x.flip(3)}
PLAIN = ", plain tanh"
TASKS |= {task + PLAIN: TASKS[task] for task in ("edges", "invert", "colour")}
NOISES = (0.05, 0.2)
MAPS, KEPT = "gan/cycles.safetensors", {("colour", 10.0), ("colour", 0.0), ("coarse", 10.0), ("mirror", 10.0)}


def train(task: str, weight: float, noise: float, seed: int) -> tuple[CycleGAN, Tensor]:
    """The trained pair of maps, and B's mean picture."""
    data = load("digits")
    split = unpaired(torch.cat([data.train, data.valid]), seed)
    a, b = split.a, TASKS[task](split.b)
    torch.manual_seed(seed)
    shapes, reach = ((1, 8, 8), (b.shape[1], 8, 8)), 1.0 if task.endswith(PLAIN) else 1.1
    game = small_cycle(*shapes, WIDTH, reach, weight=weight, noise=noise, size=BUFFER)
    options = {"steps": STEPS, "batch_size": BATCH, "lr": held_then_falling(PEAK, STEPS, WARM), "seed": seed}
    fit_adversarial(game, (b, a), progress=False, **options)
    return game, b.mean(0, keepdim=True)


@torch.no_grad()
def look(game: CycleGAN, mean: Tensor, task: str) -> dict:
    """Errors on the hidden pairs of test; of "coarse" also what travels inside the blocks."""
    a = load("digits").test
    b = TASKS[task](a)
    there, back = game.to_b(a), game.to_a(b)
    found = {"there": away(there, b), "back": away(back, a), "cycle": away(game.to_a(there), a)}
    found |= {"of the mean": away(mean.expand_as(b), b)}
    if task == "mirror":
        found["kept"] = away(there, a)
    if task == "coarse":
        rng = torch.Generator().manual_seed(0)
        draws = torch.randn(there.shape, generator=rng)
        found["inside"] = 2 * inside_blocks(there).abs().mean().item()
        found["projected"] = away(game.to_a(coarse(there)), a)
        found |= {f"noise {n}": away(game.to_a(there + 0.5 * n * draws), a) for n in NOISES}
    return {name: round(value, 4) for name, value in found.items()}


def away(x: Tensor, truth: Tensor) -> float:
    """Mean |x − truth| on [−1, 1]."""
    return 2 * (x - truth).abs().mean().item()


def plan() -> Iterator[dict]:
    for seed in SEEDS:
        for task in ("edges", "invert", "colour"):
            yield from ({"task": task, "weight": weight, "noise": 0.0, "seed": seed} for weight in (10.0, 0.0))
        yield from ({"task": "coarse", "weight": 10.0, "noise": noise, "seed": seed} for noise in (0.0, 0.1))
        for task in ("mirror", "edges" + PLAIN, "invert" + PLAIN, "colour" + PLAIN):
            yield {"task": task, "weight": 10.0, "noise": 0.0, "seed": seed}


def run(task: str, weight: float, noise: float, seed: int) -> dict:
    game, mean = train(task, weight, noise, seed)
    if seed == 0 and not noise and (task, weight) in KEPT:
        keep(f"{task}, λ = {weight:g}", game)
    return look(game, mean, task)


def keep(name: str, game: CycleGAN) -> None:
    """Both maps go to the file, beside those that are there."""
    path = evidence.RESULTS / MAPS
    kept = load_file(path) if path.exists() else {}
    maps = nn.ModuleDict({"to_b": game.to_b, "to_a": game.to_a}).state_dict()
    write(path, save(kept | {f"{name}: {part}": value.contiguous() for part, value in maps.items()}))


if __name__ == "__main__":
    evidence.rows(
        "gan/cycles",
        plan(),
        run,
        evidence.parser(__doc__).parse_args(),
        training={
            "steps": STEPS,
            "batch_size": BATCH,
            "lr": PEAK,
            "warm_up": WARM,
            "betas": [0.5, 0.999],
            "width": WIDTH,
        },
    )
