"""The package against named libraries at equal architectures: training steps, sampling, and NLL at equal CPU seconds.

    pip install "gmcourse[peers]"
    OMP_NUM_THREADS=1 python -m benchmarks.comparison.peers --rounds 7

One process, one thread, ours and the peers in turn; the ratio is the median over rounds of our time divided by that of
the fastest peer in the same round. The command ends with the geometric means, whose targets are 1.0 for steps and 0.5
for samples. The flows are the cases of benchmarks/flows/peers.py (zuko, nflows, normflows), MADE's masked networks are
those of the same three, none of which draws bits: they are asked for all logits 784 times. pythae's VAE gives means of
pixels, and so does ours here. vector-quantize-pytorch has no sampler. x-transformers has its cache of keys and values
on. pytorch-generative, which has a PixelCNN and a gated PixelCNN, is not on the package index: they have no peer here.

"equal seconds": a flow of 64 dimensions and the peer whose step was the fastest in the race at 64 dimensions, on the
8 × 8 digits with noise: the same rows and the same noise at step k of both, Adam at one rate, which falls to 0 with the
CPU seconds spent. A tenth of the time each, in turn; after each the valid digits are scored, off the clock, and the
weights that are best there are scored on test: nats a picture, an upper bound for its 17 levels. Least is best. Two
peers are left out here, since the slope of their layers is at most 1.001, which is another model: nflows' affine
coupling and normflows' autoregressive layer. The others differ in their first weights and in how they bound the slope.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import normflows as nf
import pythae.models
import pythae.samplers
import torch
import x_transformers
import zuko
from nflows.transforms.made import MADE as NflowsMADE
from torch import Tensor, nn

from benchmarks import equal_seconds, evidence
from benchmarks.autoregressive.sampling_belief_nets import DIMS, IMAGES, SHAPE, scattered, whole_passes
from benchmarks.flows import peers as flows
from benchmarks.flows.peers import Model, race, sampler, trainer
from benchmarks.vae import quantizer_speed
from gmcourse.autoregressive.generation import generate
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.nets import mlp
from gmcourse.probability import bernoulli_log_prob
from gmcourse.vae.gaussian import GaussianVAE
from gmcourse.vae.likelihoods import Bernoulli

CLAIM = "comparison/peers"
PACKAGES = ("torch", "zuko", "nflows", "normflows", "pythae", "vector-quantize-pytorch", "x-transformers")
TARGETS = {"step": 1.0, "sample": 0.5}
Ways = dict[str, Callable]


def both(models: dict[str, Model], x: Tensor, samples: int) -> dict[str, Ways]:
    """What is raced: a step on the batch x, and `samples` samples."""
    steps = {name: trainer(model, x) for name, model in models.items()}
    return {"step": steps, "sample": {name: sampler(model, samples) for name, model in models.items()}}


def of_flows(case: str) -> dict[str, Ways]:
    build, dims, width, _ = flows.CASES[case]
    return both(build(dims, width), torch.randn(256, dims), 1000)


def of_made() -> dict[str, Ways]:
    """784–500–500–784; a peer's network has no activation behind its first layer in normflows: one is added."""
    made = scattered(BinaryMADE(SHAPE, (500, 500), direct=False))
    narrow = {"num_blocks": 1, "use_residual_blocks": False}
    of_normflows = nf.nets.made.MADE(DIMS, 500, **narrow)
    of_normflows.initial_layer = nn.Sequential(of_normflows.initial_layer, nn.ReLU())
    triangle = torch.ones(DIMS, DIMS, dtype=torch.bool).tril(-1)
    nets = {
        "zuko": zuko.nn.MaskedMLP(triangle, (500, 500)),
        "nflows": NflowsMADE(DIMS, 500, **narrow),
        "normflows": of_normflows,
    }
    models = {"gmcourse": (made, lambda x: -made.loss(x.view(-1, *SHAPE)), made.sample)}
    for name, net in nets.items():
        models[name] = (net, partial(_bits, net), partial(whole_passes, net, seed=0))
    return both(models, bits(128).flatten(1), IMAGES)


def _bits(net: nn.Module, x: Tensor) -> Tensor:
    return bernoulli_log_prob(x, net(x))


def bits(n: int) -> Tensor:
    """With as much ink as MNIST has."""
    return (torch.rand(n, *SHAPE) < 0.13).float()


def of_vae() -> dict[str, Ways]:
    """784–512–(16)–512–784, pythae's own networks; means of pixels are drawn."""
    encoder = nn.Sequential(nn.Flatten(), mlp([DIMS, 512, 32]))
    ours = GaussianVAE(encoder, nn.Sequential(mlp([16, 512, DIMS]), nn.Unflatten(1, SHAPE)), Bernoulli(), 16)
    config = pythae.models.VAEConfig(input_dim=SHAPE, latent_dim=16, reconstruction_loss="bce")
    peer = pythae.models.VAE(config)
    draw = partial(pythae.samplers.NormalSampler(peer).sample, batch_size=1000)
    models = {
        "gmcourse": (ours, lambda x: -ours.loss(x), ours.sample_mean),
        "pythae": (peer, lambda x: -peer({"data": x}).loss, lambda n: draw(num_samples=n)),
    }
    return both(models, bits(128), 1000)


def of_quantizer() -> dict[str, Ways]:
    """8,192 vectors of 64 numbers, 512 codes."""
    ours, peer = quantizer_speed.pair()
    z = torch.randn(quantizer_speed.TOKENS, quantizer_speed.DIMS, requires_grad=True)
    steps = {
        "gmcourse": partial(quantizer_speed.step_of_ours, ours, z),
        "vector-quantize-pytorch": partial(quantizer_speed.step_of_peer, peer, z),
    }
    return {"step": steps}


def of_transformer(symbols: int = 65, window: int = 64) -> dict[str, Ways]:
    """Four layers of width 128 with four heads; a step of 32 rows, 16 texts of 63 characters."""
    ours = TransformerLanguageModel(symbols, window, width=128, heads=4, layers=4)
    layers = x_transformers.Decoder(dim=128, depth=4, heads=4, attn_dim_head=32)
    net = x_transformers.TransformerWrapper(num_tokens=symbols + 1, max_seq_len=window + 1, attn_layers=layers)
    peer, start = x_transformers.AutoregressiveWrapper(net), torch.full((32, 1), symbols)

    def theirs(n: int) -> Tensor:
        return peer.generate(start[:n], window - 1, filter_logits_fn=lambda logits: logits, cache_kv=True)

    models = {
        "gmcourse": (ours, lambda x: -ours.loss(x), lambda n: generate(ours, n, window - 1)),
        "x-transformers": (peer, lambda x: -peer(torch.cat([start, x], 1)), theirs),
    }
    return both(models, torch.randint(symbols, (32, window)), 16)


CASES: dict[str, Callable[[], dict[str, Ways]]] = {case: partial(of_flows, case) for case in flows.CASES} | {
    "MADE 784-500-500: step of 128, sample 16": of_made,
    "VAE 784-512-16: step of 128, sample 1000": of_vae,
    "quantiser, 8192 × 64, 512 codes": of_quantizer,
    "Transformer 4×128: step of 32 × 64, 16 texts of 63": of_transformer,
}

SEEDS = range(5)
FLOWS = {  # for equal seconds: the networks, the race whose steps tell the fastest peer, and who has a slope below 1
    "RealNVP 8×64, D=64": (flows.realnvp_models, "RealNVP 8×256, D=64", "nflows"),
    "MAF 5×64, D=64": (flows.maf_models, "MAF 5×256, D=64", "normflows"),
    "spline coupling 8×64, D=64": (flows.spline_models, "spline coupling 8×256, D=64", ""),
}


def trained(case: str, peer: str, seed: int) -> dict:
    """Both trained in turn for equal seconds, and scored on test."""
    torch.manual_seed(seed)
    models = FLOWS[case][0](64, 64)
    runs = equal_seconds.in_turn({name: models[name] for name in ("gmcourse", peer)}, seed)
    test = equal_seconds.scored("test")
    scores = {name: round(equal_seconds.nats(run.log_prob, test), 3) for name, run in runs.items()}
    return {
        "test, nats": scores,
        "ours - peer, nats": round(scores["gmcourse"] - scores[peer], 3),
        "steps": {name: run.steps for name, run in runs.items()},
        "valid, nats": {name: run.curve for name, run in runs.items()},
    }


def plan(done: list[dict]) -> Iterator[dict]:
    """The races, then those at equal seconds: against the fastest peer that is the same model."""
    yield from ({"case": case, "seed": 0} for case in CASES)
    steps = {row["case"]: row["step"] for row in done if "step" in row}
    for case, (_, like, capped) in FLOWS.items():
        if like in steps:
            able = [name for name in flows.PEERS if name != capped]
            peer = min(able, key=steps[like].__getitem__)
            yield from ({"case": case, "peer": peer, "seed": seed} for seed in SEEDS)


def run(rounds: int, *, case: str, seed: int, peer: str = "") -> dict:
    """A race of each kind, in milliseconds, or one training at equal seconds."""
    if peer:
        return trained(case, peer, seed)
    torch.manual_seed(seed)
    return {what: race(ways, rounds, time.process_time) for what, ways in CASES[case]().items()}


def summary(rows: list[dict]) -> str:
    """The ratios, their geometric means, and the differences at equal seconds."""
    lines = [f"{'ours / the fastest peer':<52}{'step':>7}{'sample':>9}"]
    races = [row for row in rows if "step" in row]
    for row in races:
        found = [f"{row[what]['ratio']:.3f}" if what in row else "–" for what in TARGETS]
        named = dict.fromkeys(row[what]["fastest peer"] for what in TARGETS if what in row)
        lines.append(f"{row['case']:<52}{found[0]:>7}{found[1]:>9}  {', '.join(named)}")
    for what, target in TARGETS.items():
        ratios = [row[what]["ratio"] for row in races if what in row]
        mean = statistics.geometric_mean(ratios) if ratios else math.nan
        lines.append(f"{what}: geometric mean of {len(ratios)} ratios {mean:.3f}, target at most {target}")
    for case in FLOWS:
        gaps = [row["ours - peer, nats"] for row in rows if row["case"] == case]
        if len(gaps) > 1:
            error = statistics.stdev(gaps) / math.sqrt(len(gaps))
            middle = f"median {statistics.median(gaps):+.2f}, from {min(gaps):+.2f} to {max(gaps):+.2f}"
            words = f"{statistics.mean(gaps):+.2f} nats a picture, s.e. {error:.2f}, {len(gaps)} seeds, {middle}"
            peer = next(row["peer"] for row in rows if row["case"] == case)
            lines.append(f"{case}, {equal_seconds.SECONDS:.0f} CPU seconds each: ours − {peer} = {words}")
    return "\n".join(lines)


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="interleaved runs, at least 7")
    options = parser.parse_args()
    if options.rounds < 7 or options.threads != 1:
        parser.error(f"--rounds, --threads: got {options.rounds}, {options.threads}, expected at least 7, and 1")
    setting = {"seconds each": equal_seconds.SECONDS, "rate": equal_seconds.RATE, "batch": equal_seconds.BATCH}
    rows = evidence.rows(CLAIM, plan, partial(run, options.rounds), options, packages=PACKAGES, equal_seconds=setting)
    print(summary(rows))


if __name__ == "__main__":
    main()
