"""Text from a Transformer with a cache of keys and values, against reading the whole prefix anew for each character.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.sampling_text

Four layers of width 128, as in transformer_text, with a window as long as the text; weights as they are drawn, which
cost what trained ones do. Both ways use the same uniform numbers; the texts are compared character by character. The
median over rounds of CPU seconds, the two ways in turn.
"""

import statistics
import time

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.discrete import choose, uniforms
from gmcourse.autoregressive.generation import generate
from gmcourse.autoregressive.transformer import TransformerLanguageModel

CLAIM = "autoregressive/sampling_text"
MODEL = {"width": 128, "heads": 4, "layers": 4}
SYMBOLS, ROUNDS = 65, 5


@torch.no_grad()
def reread(model: TransformerLanguageModel, n: int, length: int, rng: torch.Generator) -> Tensor:
    """(n, length): for each character one pass over all before it."""
    u, x = uniforms(n, length, model.places, rng), torch.zeros(n, length, dtype=torch.int64)
    for t in range(length):
        x[:, t] = choose(model.logits(x[:, : t + 1])[:, :, t], u[:, t])
    return x


def run(*, texts: int, length: int, seed: int) -> dict:
    """Milliseconds of both ways, and in how many characters they differ."""
    torch.manual_seed(seed)
    model = TransformerLanguageModel(SYMBOLS, length, **MODEL).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.1)  # else each character is nearly uniform whatever came before
    ways = {
        "cached": lambda rng: generate(model, texts, length, rng=rng),
        "reread": lambda rng: reread(model, texts, length, rng),
    }
    drawn, seconds = {}, {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            drawn[name] = way(torch.Generator().manual_seed(seed))
            seconds[name].append(time.process_time() - start)
    ratios = [naive / cached for cached, naive in zip(seconds["cached"], seconds["reread"], strict=True)]
    return {
        **{f"{name} ms": round(1000 * statistics.median(values)) for name, values in seconds.items()},
        "times faster": round(statistics.median(ratios), 1),
        "times faster, least of the rounds": round(min(ratios), 1),
        "characters that differ": int((drawn["cached"] != drawn["reread"]).sum()),
    }


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    plan = [{"texts": texts, "length": length, "seed": 0} for length in (64, 256) for texts in (1, 16)]
    plan.append({"texts": 1, "length": 512, "seed": 0})
    evidence.rows(CLAIM, plan, run, options, model=MODEL, rounds=ROUNDS)


if __name__ == "__main__":
    main()
