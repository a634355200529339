"""MADE and NADE of 28 × 28 bits: samples one by one against whole passes, and NADE's gradient in four ways.

    pip install "gmcourse[peers]"
    python -m benchmarks.autoregressive.sampling_belief_nets --rounds 5

All ways of a row run in one process, in turn, on one thread; processor time, median over rounds of each, and of its
ratio to the first, ours, in the same round. Samples of equal seeds are compared. The peers are the masked networks of
zuko and nflows, of the same widths, asked D times: neither draws bits.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
import zuko
from nflows.transforms.made import MADE as NflowsMADE
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.bits import draw_bit
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.nade import NADE
from gmcourse.autoregressive.nade_passes import nade_logits, nade_logits_by_state

CLAIM = "autoregressive/sampling_belief_nets"
SHAPE, DIMS, IMAGES = (1, 28, 28), 784, 16
PLAN = [
    {"case": "MADE 500, 500: sample 16", "target": "whole passes ≥ 15", "seed": 0},
    {"case": "NADE 500: sample 16", "target": "whole passes ≥ 4", "seed": 0},
    {"case": "NADE 500: gradient of 32", "target": "cumulative sum ≥ 6", "seed": 0},
]


@torch.no_grad()
def whole_passes(logits: Callable[[Tensor], Tensor], n: int, seed: int) -> Tensor:
    """Bit after bit in raster order, all the logits computed for each."""
    u = torch.rand(n, DIMS, generator=torch.Generator().manual_seed(seed))
    x = torch.zeros(n, DIMS)
    for d in range(DIMS):
        x[:, d] = draw_bit(logits(x)[:, d], u[:, d])
    return x


def scattered(model: BinaryMADE | NADE) -> BinaryMADE | NADE:
    """Samples with about as much ink as digits have."""
    bias = model.bias if isinstance(model, NADE) else model.layers[-1].bias
    bias.data.fill_(-2.0)
    return model


def samplers(model: BinaryMADE | NADE, seed: int) -> dict[str, Callable[[], Tensor]]:
    return {
        "ours": lambda: model.sample(IMAGES, rng=torch.Generator().manual_seed(seed)).flatten(1),
        "whole passes": lambda: whole_passes(lambda x: model.logits(x.view(-1, *SHAPE)).flatten(1), IMAGES, seed),
    }


def made_samplers(seed: int) -> dict[str, Callable[[], Tensor]]:
    of_zuko = zuko.nn.MaskedMLP(torch.ones(DIMS, DIMS, dtype=torch.bool).tril(-1), (500, 500))
    of_nflows = NflowsMADE(DIMS, 500, num_blocks=1, use_residual_blocks=False)
    model = scattered(BinaryMADE(SHAPE, (500, 500), direct=False))
    peers = {"zuko": of_zuko, "nflows": of_nflows}
    return samplers(model, seed) | {name: partial(whole_passes, net, IMAGES, seed) for name, net in peers.items()}


def cumulative(x: Tensor, weight: Tensor, output: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """NADE's logits by a cumulative sum over bits: (batch, D, H) is stored, three times."""
    added = (x[:, :, None] * weight).cumsum(1)
    a = hidden_bias + F.pad(added, (0, 0, 1, -1))
    return (a.sigmoid() * output).sum(2) + bias


def loop(x: Tensor, weight: Tensor, output: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """NADE's logits bit after bit."""
    a, logits = hidden_bias.expand(len(x), -1), []
    for d, (row, out) in enumerate(zip(weight.unbind(), output.unbind())):
        logits.append(a.sigmoid() @ out)
        a = a + x[:, d : d + 1] * row
    return torch.stack(logits, 1) + bias


def gradients(seed: int) -> dict[str, Callable[[], Tensor]]:
    """Each gives ∂/∂W; the images have 13 % ink, as MNIST has."""
    model = NADE(SHAPE, 500)
    weights = (model.weight, model.output, model.bias, model.hidden_bias)
    x = (torch.rand(32, DIMS, generator=torch.Generator().manual_seed(seed)) < 0.13).float()

    def gradient(logits: Callable[..., Tensor]) -> Tensor:
        loss = F.binary_cross_entropy_with_logits(logits(x, *weights), x, reduction="sum")
        return torch.autograd.grad(loss, weights)[0]

    ways = {"ours": nade_logits, "by state": nade_logits_by_state, "loop": loop, "cumulative sum": cumulative}
    return {name: partial(gradient, way) for name, way in ways.items()}


def race(ways: dict[str, Callable[[], Tensor]], rounds: int) -> dict:
    """Milliseconds of each, median over rounds, and the median ratio to ours."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(rounds + 1):
        for name, way in ways.items():
            start = time.process_time()
            way()
            times[name] += [1e3 * (time.process_time() - start)] * (round_ > 0)
    ratios = {name: [a / b for a, b in zip(times[name], times["ours"])] for name in ways if name != "ours"}
    return {
        "ms": {name: round(statistics.median(values), 1) for name, values in times.items()},
        "times ours": {name: round(statistics.median(values), 1) for name, values in ratios.items()},
    }


def run(rounds: int, *, case: str, target: str, seed: int) -> dict:
    """One race, and whether what ours gives is what the others give."""
    torch.manual_seed(seed)
    if case.startswith("MADE"):
        ways = made_samplers(seed)
    else:
        ways = samplers(scattered(NADE(SHAPE, 500)), seed) if "sample" in case else gradients(seed)
    row = race(ways, rounds)
    first, second = ways["ours"](), list(ways.values())[-1 if "gradient" in case else 1]()
    if "gradient" in case:
        return row | {"largest difference": float((first - second).abs().max() / second.abs().max())}
    return row | {"ink": round(first.mean().item(), 3), "bits that differ": int((first != second).sum())}


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs")
    options = parser.parse_args()
    evidence.rows(CLAIM, PLAN, partial(run, options.rounds), options, packages=("torch", "zuko", "nflows"))


if __name__ == "__main__":
    main()
