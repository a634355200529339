"""Flows against zuko, nflows and normflows: the same architecture, batch and threads, in one process, in turn.

    pip install "gmcourse[peers]"
    python -m benchmarks.flows.peers --rounds 9

For training steps (log-likelihood, backward, Adam) and for sampling, the median over rounds of our time divided by the
fastest peer's in the same round, and the largest difference between our incremental inverse and each peer's with the
peer's weights copied.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

import nflows.flows
import nflows.transforms as nft
import normflows as nf
import torch
import torch.nn.functional as F
import zuko
from nflows.distributions import StandardNormal
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.flows.autoregressive import MaskedAutoregressive, maf
from gmcourse.flows.coupling import realnvp
from gmcourse.flows.flow import Flow
from gmcourse.nets import MADE, mlp

BINS, BOUND = 8, 5.0
PEERS = ("zuko", "nflows", "normflows")
LogProb, Sample = Callable[[Tensor], Tensor], Callable[[int], Tensor]
Model = tuple[nn.Module, LogProb, Sample]


def ours(flow: Flow) -> Model:
    return flow, flow.log_prob, flow.sample


def of_zuko(flow: nn.Module) -> Model:
    return flow, lambda x: flow().log_prob(x), lambda n: flow().sample((n,))


def of_nflows(layers: list[nn.Module], dims: int) -> Model:
    flow = nflows.flows.Flow(nft.CompositeTransform(layers), StandardNormal([dims]))
    return flow, flow.log_prob, flow.sample


def of_normflows(layers: list[nn.Module], dims: int) -> Model:
    """`layers` as normflows has them, from noise to data."""
    flow = nf.NormalizingFlow(nf.distributions.DiagGaussian(dims, trainable=False), layers)
    return flow, flow.log_prob, lambda n: flow.sample(n)[0]


def halves(dims: int, layer: int) -> Tensor:
    """1 where a coordinate is changed: the second half, then the first, in turn."""
    return ((torch.arange(dims) < dims // 2) == (layer % 2 == 1)).long()


class Net(nn.Sequential):
    """A plain MLP that takes nflows' second argument."""

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return super().forward(x)


def maf_models(dims: int, width: int, layers: int = 5) -> dict[str, Model]:
    made = {"features": dims, "hidden_features": width, "num_blocks": 1, "use_residual_blocks": False}
    nflows_layers, normflows_layers = [], []
    for _ in range(layers):
        nflows_layers += [nft.ReversePermutation(dims), nft.MaskedAffineAutoregressiveTransform(**made)]
        # Reverse: normflows goes from noise to data, and its autoregressive layer is quick in that direction
        normflows_layers += [nf.flows.base.Reverse(normflows_layer(**made)), reverse(dims)]
    return {
        "gmcourse": ours(maf(dims, layers, (width, width))),
        "zuko": of_zuko(zuko.flows.MAF(dims, transforms=layers, hidden_features=(width, width))),
        "nflows": of_nflows(nflows_layers, dims),
        "normflows": of_normflows(normflows_layers, dims),
    }


def normflows_layer(**made: int | bool) -> nn.Module:
    """Its network has no activation behind the first layer: one is added, so that the architectures are equal."""
    layer = nf.flows.MaskedAffineAutoregressive(**made)
    net = layer.autoregressive_net
    net.initial_layer = nn.Sequential(net.initial_layer, nn.ReLU())
    return layer


def reverse(dims: int) -> nn.Module:
    """normflows' own layer of a fixed permutation, reversing."""
    layer = nf.flows.Permute(dims, mode="shuffle")
    layer.perm.copy_(torch.arange(dims).flip(0))
    layer.inv_perm.copy_(torch.arange(dims).flip(0))
    return layer


def realnvp_models(dims: int, width: int, layers: int = 8) -> dict[str, Model]:
    sizes = [dims - dims // 2, width, width, 2 * (dims // 2)]
    nflows_layers = [
        nft.AffineCouplingTransform(halves(dims, k), lambda i, o: Net(*mlp([i, width, width, o])))
        for k in range(layers)
    ]
    normflows_layers = []
    for _ in range(layers):
        normflows_layers += [nf.flows.AffineCouplingBlock(nf.nets.MLP(sizes)), nf.flows.Permute(dims, mode="swap")]
    return {
        "gmcourse": ours(realnvp(dims, layers, (width, width))),
        "zuko": of_zuko(zuko.flows.RealNVP(dims, transforms=layers, hidden_features=(width, width))),
        "nflows": of_nflows(nflows_layers, dims),
        "normflows": of_normflows(normflows_layers, dims),
    }


def spline_models(dims: int, width: int, layers: int = 8) -> dict[str, Model]:
    from normflows.flows.neural_spline.coupling import PiecewiseRationalQuadraticCoupling

    from gmcourse.flows.spline_flows import spline_coupling

    def net(inputs: int, outputs: int) -> nn.Module:
        return Net(*mlp([inputs, width, width, outputs]))

    options = {"num_bins": BINS, "tails": "linear", "tail_bound": BOUND}
    zuko_flow = zuko.flows.RealNVP(
        dims,
        transforms=layers,
        hidden_features=(width, width),
        univariate=zuko.transforms.MonotonicRQSTransform,
        shapes=[(BINS,), (BINS,), (BINS - 1,)],
    )
    coupling = nft.PiecewiseRationalQuadraticCouplingTransform
    return {
        "gmcourse": ours(spline_coupling(dims, layers, (width, width), bins=BINS, bound=BOUND)),
        "zuko": of_zuko(zuko_flow),
        "nflows": of_nflows([coupling(halves(dims, k), net, **options) for k in range(layers)], dims),
        "normflows": of_normflows(
            [PiecewiseRationalQuadraticCoupling(halves(dims, k), net, **options) for k in range(layers)], dims
        ),
    }


CASES = {
    "MAF 5×64, D=6": (maf_models, 6, 64, "step ≤ 1.05"),
    "MAF 5×256, D=64": (maf_models, 64, 256, "step ≤ 1.05, sample ≤ 1/12"),
    "RealNVP 8×64, D=2": (realnvp_models, 2, 64, "step ≤ 1.05"),
    "RealNVP 8×256, D=64": (realnvp_models, 64, 256, "step ≤ 1.05"),
    "spline coupling 8×64, D=2": (spline_models, 2, 64, "step ≤ 0.7"),
    "spline coupling 8×256, D=64": (spline_models, 64, 256, "step ≤ 0.7"),
}


def trainer(model: Model, x: Tensor) -> Callable[[], None]:
    network, log_prob, _ = model
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        (-log_prob(x).mean()).backward()
        optimizer.step()

    return step


def sampler(model: Model, n: int) -> Callable[[], Tensor]:
    @torch.no_grad()
    def draw() -> Tensor:
        return model[2](n)

    return draw


def race(runners: dict[str, Callable], rounds: int, clock: Callable[[], float]) -> dict[str, float | str]:
    """Milliseconds of each, median over rounds, and the median of ours / the peer with the least median."""
    repeats = dict.fromkeys(runners, 1)
    for name, runner in runners.items():
        runner()
        start = clock()
        runner()
        repeats[name] = max(1, round(0.1 / max(clock() - start, 1e-4)))
    times = {name: [] for name in runners}
    for round_ in range(rounds):
        names = list(runners)
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            start = clock()
            for _ in range(repeats[name]):
                runners[name]()
            times[name].append(1e3 * (clock() - start) / repeats[name])
    medians = {name: round(statistics.median(values), 3) for name, values in times.items()}
    fastest = min((name for name in medians if name != "gmcourse"), key=medians.__getitem__)
    ratios = [mine / theirs for mine, theirs in zip(times["gmcourse"], times[fastest])]
    return {**medians, "fastest peer": fastest, "ratio": round(statistics.median(ratios), 4)}


class ScaleShift:
    """A peer's standardisation, z = scale(r) x + shift, its numbers copied into our conditioner."""

    width = 2

    def __init__(self, scale: Callable[[Tensor], Tensor]):
        self.scale = scale

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        shift, r = h.chunk(2, 1)
        scale = self.scale(r)
        return scale * x + shift, scale.log()

    def inverse(self, z: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        shift, r = h.chunk(2, 1)
        scale = self.scale(r)
        return (z - shift) / scale, -scale.log()


@torch.no_grad()
def copy_conditioner(ours: MADE, theirs: list[nn.Linear], shift_row: int) -> None:
    """Weights of a peer's network: its hidden units sorted by degree, its outputs by number and not by coordinate."""
    degrees = [(torch.arange(len(layer.weight)) % max(ours.dims - 1, 1)).argsort(stable=True) for layer in theirs[:-1]]
    rows = torch.arange(2 * ours.dims).view(-1, 2)
    out = torch.cat([rows[:, shift_row], rows[:, 1 - shift_row]])
    columns = torch.arange(ours.dims)
    for layer, other, units in zip(ours.layers[::2], theirs, [*degrees, out]):
        layer.weight.copy_(other.weight[units][:, columns])
        layer.bias.copy_(other.bias[units])
        columns = units


def inverse_differences(dims: int = 64, width: int = 256, n: int = 1000) -> dict[str, float]:
    """Largest |our incremental inverse − the peer's| over one layer with the peer's weights, for each peer."""
    made = {"features": dims, "hidden_features": width, "num_blocks": 1, "use_residual_blocks": False}
    soft = torch.tensor(1e-3).log()
    lazy = zuko.flows.MaskedAutoregressiveTransform(dims, hidden_features=(width, width))
    theirs = {
        "zuko": (lazy.hyper, lambda z: lazy().inv(z), 0, lambda r: (r / (1 + (r / soft).abs())).exp()),
        "nflows": (nft.MaskedAffineAutoregressiveTransform(**made), None, 1, lambda r: F.softplus(r) + 1e-3),
        "normflows": (normflows_layer(**made), None, 1, lambda r: (r + 2).sigmoid() + 1e-3),
    }
    torch.manual_seed(0)
    z, differences = torch.randn(n, dims), {}
    for name, (network, invert, shift_row, scale) in theirs.items():
        layer = MaskedAutoregressive(dims, (width, width), transform=ScaleShift(scale))
        copy_conditioner(layer.conditioner, [m for m in network.modules() if isinstance(m, nn.Linear)], shift_row)
        with torch.no_grad():
            theirs_x = invert(z) if invert else network.inverse(z)[0]
            differences[name] = float((layer.inverse(z)[0] - theirs_x).abs().max())
    return differences


def run(rounds: int, clock: Callable[[], float], *, case: str, seed: int) -> dict:
    """Both races of one architecture."""
    build, dims, width, target = CASES[case]
    torch.manual_seed(seed)
    models, x = build(dims, width), torch.randn(256, dims)
    steps = race({name: trainer(model, x) for name, model in models.items()}, rounds, clock)
    draws = race({name: sampler(model, 1000) for name, model in models.items()}, rounds, clock)
    return {"target": target, "step of 256, ms": steps, "sample 1000, ms": draws}


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved runs, at least 7")
    options = parser.parse_args()
    if options.rounds < 7:
        parser.error(f"--rounds: got {options.rounds}, expected at least 7")
    # one thread: the processor time of this process, which other processes on the machine do not lengthen
    clock = time.process_time if options.threads == 1 else time.perf_counter
    evidence.rows(
        "flows/peers",
        [{"case": case, "seed": 0} for case in CASES],
        partial(run, options.rounds, clock),
        options,
        packages=("torch", *PEERS),
        clock=clock.__name__,
        rounds=options.rounds,
        ratio="median over rounds of gmcourse / fastest peer, that with the least median",
        **{"largest difference of the MAF inverse, weights copied": inverse_differences},
    )


if __name__ == "__main__":
    main()
