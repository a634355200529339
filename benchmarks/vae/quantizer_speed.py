"""The vector quantiser against the package vector-quantize-pytorch: one step, in one process, in turn.

    pip install "gmcourse[peers]"
    python -m benchmarks.vae.quantizer_speed --rounds 15

8,192 vectors of 64 numbers and 512 codes: forward, backward and the running means of the book. The median over rounds
of the peer's time divided by ours in the same round, and the share of vectors to which both give the same code of one
book. Restarts are off, and the gradient passes straight through, in both: by default the peer turns it with the vector.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from vector_quantize_pytorch import VectorQuantize

from benchmarks import evidence
from gmcourse.vae.quantizer import VectorQuantizer

TOKENS, DIMS, SIZE, DECAY = 8_192, 64, 512, 0.99


def pair() -> tuple[VectorQuantizer, VectorQuantize]:
    """Both quantisers, with one book."""
    ours = VectorQuantizer(SIZE, DIMS, decay=DECAY, restart=0, start="noise")
    peer = VectorQuantize(DIMS, SIZE, decay=DECAY, commitment_weight=0.25, rotation_trick=False)
    peer.codebook = ours.book.detach().clone()
    peer._codebook.embed_avg.copy_(peer._codebook.embed)
    return ours, peer


def step_of_ours(quantizer: VectorQuantizer, z: Tensor) -> None:
    values, _, terms = quantizer(z)
    (values.square().sum() + terms["commitment"]).backward()
    quantizer.after_step()


def step_of_peer(quantizer: VectorQuantize, z: Tensor) -> None:
    values, _, loss = quantizer(z[None])
    (values.square().sum() + loss.sum()).backward()


def seconds(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(rounds: int, seed: int) -> dict[str, float]:
    """Medians over rounds; who is first changes from round to round."""
    torch.manual_seed(seed)
    ours, peer = pair()
    z = torch.randn(TOKENS, DIMS, requires_grad=True)
    with torch.no_grad():
        agree = (ours.encode(z) == peer.eval()(z[None])[1][0]).float().mean().item()
    peer.train()
    step_of_ours(ours, z)
    step_of_peer(peer, z)
    times = []
    for round_ in range(rounds):
        runs = {0: lambda: step_of_ours(ours, z), 1: lambda: step_of_peer(peer, z)}
        taken = {who: seconds(runs[who]) for who in ((0, 1) if round_ % 2 else (1, 0))}
        times.append((taken[0], taken[1]))
    return {
        "milliseconds": round(1e3 * statistics.median(mine for mine, _ in times), 1),
        "peer_milliseconds": round(1e3 * statistics.median(theirs for _, theirs in times), 1),
        "times_faster": round(statistics.median(theirs / mine for mine, theirs in times), 2),
        "same_codes": agree,
    }


if __name__ == "__main__":
    parser = evidence.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    plan = [{"rounds": options.rounds, "seed": 0}]
    evidence.rows("vae/quantizer_speed", plan, measure, options, packages=("torch", "vector-quantize-pytorch"))
