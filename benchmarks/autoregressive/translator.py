"""The translator of numbers over five seeds: exact match, alignment, a source without order, a mask that leaks, years.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.translator

Each row trains one translator of the lesson's size for the lesson's number of steps. "whole" and "leaking" are scored
on the 1,000 test numbers; "bag", whose source has no positions, on all 9,999, as its bound is about all of them;
"years" on 100 years that were not trained on, with beams of 1, 2 and 4. An attention map is chosen on valid: of the
heads, or of the heads and their mean. The second rule was made when the first five seeds had been seen, so that five
fresh ones are there to test it.
"""

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.translator import Translator, attention_map, beam
from gmcourse.data import load
from gmcourse.data.number_words import ALPHABET, alignments, english, to_rows, year_spellings
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

CLAIM = "autoregressive/translator"
PLAN = {"steps": 500, "batch": 64, "peak": 3e-3}
SEEDS, FRESH = range(5), range(5, 10)
HELD = 100  # years


class Leaking(Translator):
    """Its decoder may look at every place, the one it is to write among them."""

    mask = staticmethod(lambda n, device=None: torch.ones(n, n, dtype=torch.bool, device=device))


def trained(model: Translator, y: Tensor, given: Tensor, seed: int) -> Translator:
    rate = held_then_falling(PLAN["peak"], PLAN["steps"])
    fit(model, (y, given), steps=PLAN["steps"], batch_size=PLAN["batch"], lr=rate, seed=seed)
    return model


def exact_match(model: Translator, y: Tensor, given: Tensor) -> float:
    return (beam(model, given)[0] == y).all(1).float().mean().item()


def aligned(model: Translator, y: Tensor, given: Tensor) -> Tensor:
    """Share of German words with a counterpart at which the largest weight lies on it: each head, then their mean."""
    looks, known = attention_map(model, y, given)[-1], alignments(y)
    maps = torch.cat([looks, looks.mean(1, keepdim=True)], 1).argmax(-1)
    return (maps == known[:, None]).transpose(0, 1)[:, known >= 0].float().mean(1)


def of_numbers(kind: str, seed: int) -> dict:
    """A translator of numbers: trained, and scored."""
    data = load("number-words")
    make = Leaking if kind == "leaking" else Translator
    model = make(len(ALPHABET), 8, 6, positions=kind != "bag")
    trained(model, data.train, data.labels["train"], seed)
    y, given = data.test, data.labels["test"]
    found = {"nll": round(-model.log_prob(y, given).mean().item(), 4)}
    if kind == "bag":
        y, given = (torch.cat([t[s] for s in ("train", "valid", "test")]) for t in (vars(data), data.labels))
    if kind == "whole":
        valid, maps = aligned(model, data.valid, data.labels["valid"]), aligned(model, y, given).tolist()
        found["aligned, mean of heads"] = round(maps[-1], 4)
        found["aligned, head chosen on valid"] = round(maps[int(valid[:-1].argmax())], 4)
        found["aligned, head or mean chosen on valid"] = round(maps[int(valid.argmax())], 4)
        found |= {"aligned, each head": [round(share, 4) for share in maps[:-1]]}
    return found | {"exact match": round(exact_match(model, y, given), 4), "numbers": len(y)}


def of_years(seed: int) -> dict:
    """A translator of years that are said in three ways, 4 : 3 : 3: what greedy, a beam and samples say."""
    years = [year for year in range(1101, 2000) if year % 100]
    years = [years[i] for i in torch.randperm(len(years), generator=torch.Generator().manual_seed(seed))]
    said = torch.stack([to_rows([words for _, words in year_spellings(year)], 9) for year in years])
    given = to_rows([[word for word, _ in english(year)] for year in years], 6)
    y = said[HELD:, [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]].flatten(0, 1)
    model = trained(Translator(len(ALPHABET), 9, 6), y, given[HELD:].repeat_interleave(10, 0), seed)
    said, given = said[:HELD], given[:HELD]
    each = torch.stack([model.log_prob(said[:, way], given) for way in range(3)], 1)
    found, greedy = {"probability of each way": [round(p, 3) for p in each.exp().mean(0).tolist()]}, None
    for k in (1, 2, 4):
        y, log_p = beam(model, given, k)
        greedy = log_p if greedy is None else greedy
        ways = (y[:, None] == said).all(2)
        likeliest = (ways & (each == each.amax(1, keepdim=True))).any(1)
        found[f"beam {k}"] = {
            "ways": [round(share, 3) for share in ways.float().mean(0).tolist()],
            "likeliest of the three": round(likeliest.float().mean().item(), 3),
            "gain, nats": round((log_p - greedy).mean().item(), 4),
            "least gain": round((log_p - greedy).min().item(), 4),
        }
    samples = model.sample(10 * HELD, given.repeat(10, 1), rng=torch.Generator().manual_seed(seed))
    ways = (samples[:, None] == said.repeat(10, 1, 1)).all(2).float().mean(0)
    return found | {"samples": [round(share, 3) for share in ways.tolist()]}


def run(*, kind: str, seed: int) -> dict:
    torch.manual_seed(seed)
    return of_years(seed) if kind == "years" else of_numbers(kind, seed)


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    plan = [{"kind": kind, "seed": seed} for seed in SEEDS for kind in ("whole", "bag", "leaking", "years")]
    plan += [{"kind": "whole", "seed": seed} for seed in FRESH]
    evidence.rows(CLAIM, plan, run, options, training=PLAN)


if __name__ == "__main__":
    main()
