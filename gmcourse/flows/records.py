"""The catalogue's records of this family."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.flows.autoregressive import iaf, maf
from gmcourse.flows.continuous import Continuous, MLPVelocity
from gmcourse.flows.coupling import nice, realnvp
from gmcourse.flows.dequantise import Dequantized, Logit, VariationalNoise
from gmcourse.flows.distillation import Distilled
from gmcourse.flows.flow import Flow
from gmcourse.flows.glow import Glow
from gmcourse.flows.matching import FlowMatching
from gmcourse.flows.ode import rk4
from gmcourse.flows.planar import Planar, Radial
from gmcourse.flows.spline_flows import spline_autoregressive, spline_coupling
from gmcourse.protocols import Bijection, Bounded, Density, ImportanceWeighted, ModelRecord, Sampler, Trainable
from gmcourse.schedules import held_then_falling


def build_cnf(data: Any = None) -> Flow:
    """A continuous flow by Runge–Kutta in 8 steps, its trace exact up to 8 dimensions and Hutchinson's above.

    Above 8 dimensions log_prob is an unbiased estimate, not the density. Without data: for points of the plane.
    """
    shape = (2,) if data is None else tuple(data.event_shape)
    dims = math.prod(shape)
    probe = None if dims <= 8 else "rademacher"
    return Flow([Continuous(MLPVelocity(dims, [64, 64]), partial(rk4, steps=8), probe)], shape)


def build_flow_matching(data: Any = None) -> FlowMatching:
    """A field of three layers of 128, followed by Runge–Kutta in 16 steps. Without data: for points of the plane."""
    shape = (2,) if data is None else tuple(data.event_shape)
    return FlowMatching(MLPVelocity(math.prod(shape), [128, 128, 128], nn.SiLU), shape)


def _stacked(kind: type[nn.Module], layers: int, data: Any = None) -> Flow:
    """Layers of one kind, one after another. Without data: for points of the plane."""
    shape = (2,) if data is None else tuple(data.event_shape)
    return Flow([kind(math.prod(shape)) for _ in range(layers)], shape)


def _autoregressive(build: Callable[..., Flow], layers: int, data: Any = None, bound: float = 5.0) -> Flow:
    shape = (2,) if data is None else tuple(data.event_shape)
    dims = math.prod(shape)
    return build(dims, layers, (max(32, dims),) * 2, shape, bound)


def build_student(data: Any = None) -> Distilled:
    """An inverse autoregressive student of four layers, its teacher a masked autoregressive flow of three."""
    return Distilled(_autoregressive(iaf, 4, data), _autoregressive(maf, 3, data, bound=1.0))


def _coupled(build: Callable[..., Flow], layers: int, data: Any = None) -> Flow:
    """Couplings for vectors. Without data: for points of the plane. Raises ValueError for events of other shapes."""
    shape = (2,) if data is None else tuple(data.event_shape)
    if len(shape) != 1 or shape[0] < 2:
        raise ValueError(f"data: got events of shape {shape}, expected vectors (dims,), dims at least 2")
    return build(shape[0], layers)


def _splines(build: Callable[..., Flow], layers: int, data: Any = None) -> Flow:
    """Splines of 8 bins on a box that holds the training data. Raises ValueError for events that are no vectors."""
    shape = (2,) if data is None else tuple(data.event_shape)
    if len(shape) != 1 or shape[0] < 2:
        raise ValueError(f"data: got events of shape {shape}, expected vectors (dims,), dims at least 2")
    bound = 3.0 if data is None else max(3.0, 1.1 * data.train.abs().max().item())
    return build(shape[0], layers, bound=bound)


def build_glow(data: Any = None) -> Dequantized:
    """Two scales of four steps behind a logit, with variational noise; the levels are counted in the data.

    Without data: for 8 × 8 images of 17 levels.
    """
    shape, levels = (1, 8, 8), 17
    if data is not None:
        shape = tuple(data.event_shape)
        if len(shape) != 3:
            raise ValueError(f"data: got events of shape {shape}, expected images (channels, height, width)")
        levels = round(1 / data.train[:1000].unique().diff().min().item()) + 1
    flow = Glow(shape, scales=2, steps=4, width=32, dropout=0.1, before=[Logit()])
    return Dequantized(flow, levels, VariationalNoise(shape, width=16))


def grey_images(n: int, seed: int = 0) -> tuple[Tensor]:
    """Random images of 17 levels k/16, (n, 1, 8, 8)."""
    return (torch.randint(0, 17, (n, 1, 8, 8), generator=torch.Generator().manual_seed(seed)) / 16,)


def _falling(steps: int, batch_size: int, peak: float, data: Any = None) -> dict[str, Any]:
    """Arguments of `fit`: the rate held for half the run, then brought to 0 in a straight line."""
    rows = batch_size if data is None else len(data.train)
    return {
        "steps": steps,
        "batch_size": min(batch_size, rows),
        "lr": held_then_falling(peak, steps),
    }


def plane_points(n: int, seed: int = 0) -> tuple[Tensor]:
    """Points of the plane off the origin, (n, 2)."""
    return (1.5 + 0.5 * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)),)


exact_flow = partial(
    ModelRecord,
    family="flows",
    branch=("explicit density", "tractable", "normalising flow"),
    density="exact",
    claims=(Trainable, Sampler, Density, Bijection),
    example=plane_points,
)

RECORDS: tuple[ModelRecord, ...] = (
    exact_flow(
        name="Planar flow",
        key="planar-flow",
        paper="Rezende & Mohamed, Variational Inference with Normalizing Flows",
        year=2015,
        arxiv="1505.05770",
        lesson="06_flows/01_change_of_variables",
        build=partial(_stacked, Planar, 24),
        recipe=partial(_falling, 2_000, 256, 2e-2),
    ),
    exact_flow(
        name="Radial flow",
        key="radial-flow",
        paper="Rezende & Mohamed, Variational Inference with Normalizing Flows",
        year=2015,
        arxiv="1505.05770",
        lesson="06_flows/01_change_of_variables",
        build=partial(_stacked, Radial, 24),
        recipe=partial(_falling, 2_000, 256, 2e-2),
    ),
    exact_flow(
        name="NICE",
        key="nice",
        paper="Dinh et al., NICE: Non-linear Independent Components Estimation",
        year=2015,
        arxiv="1410.8516",
        lesson="06_flows/02_coupling",
        build=partial(_coupled, nice, 6),
        recipe=partial(_falling, 1_500, 256, 3e-3),
    ),
    exact_flow(
        name="RealNVP",
        key="realnvp",
        paper="Dinh et al., Density Estimation Using Real NVP",
        year=2017,
        arxiv="1605.08803",
        lesson="06_flows/02_coupling",
        build=partial(_coupled, realnvp, 8),
        recipe=partial(_falling, 1_500, 256, 3e-3),
    ),
    exact_flow(
        name="Neural spline flow, coupling",
        key="spline-coupling-flow",
        paper="Durkan et al., Neural Spline Flows",
        year=2019,
        arxiv="1906.04032",
        lesson="06_flows/03_splines",
        build=partial(_splines, spline_coupling, 4),
        recipe=partial(_falling, 2_000, 256, 3e-3),
    ),
    exact_flow(
        name="Neural spline flow, autoregressive",
        key="spline-autoregressive-flow",
        paper="Durkan et al., Neural Spline Flows",
        year=2019,
        arxiv="1906.04032",
        lesson="06_flows/03_splines",
        build=partial(_splines, spline_autoregressive, 3),
        recipe=partial(_falling, 2_000, 256, 3e-3),
    ),
    exact_flow(
        name="MAF",
        key="maf",
        paper="Papamakarios et al., Masked Autoregressive Flow for Density Estimation",
        year=2017,
        arxiv="1705.07057",
        lesson="06_flows/05_autoregressive_flows",
        build=partial(_autoregressive, maf, 5),
        recipe=partial(_falling, 3_000, 128, 3e-3),
    ),
    exact_flow(
        name="IAF",
        key="iaf",
        paper="Kingma et al., Improving Variational Inference with Inverse Autoregressive Flow",
        year=2016,
        arxiv="1606.04934",
        lesson="06_flows/05_autoregressive_flows",
        build=partial(_autoregressive, iaf, 5),
        recipe=partial(_falling, 1_000, 128, 3e-3),
    ),
    exact_flow(
        name="Parallel WaveNet student",
        key="parallel-wavenet-student",
        paper="van den Oord et al., Parallel WaveNet: Fast High-Fidelity Speech Synthesis",
        year=2018,
        arxiv="1711.10433",
        lesson="06_flows/05_autoregressive_flows",
        build=build_student,
        recipe=partial(_falling, 3_000, 128, 2e-3),
    ),
    exact_flow(
        name="Continuous normalising flow",
        key="cnf",
        paper="Grathwohl et al., FFJORD: Free-form Continuous Dynamics for Scalable Reversible Generative Models",
        year=2019,
        arxiv="1810.01367",
        lesson="06_flows/06_continuous_flows",
        build=build_cnf,
        recipe=partial(_falling, 1_000, 128, 5e-3),
    ),
    exact_flow(
        name="Flow matching",
        key="flow-matching",
        paper="Lipman et al., Flow Matching for Generative Modeling",
        year=2023,
        arxiv="2210.02747",
        lesson="06_flows/07_flow_matching",
        build=build_flow_matching,
        recipe=partial(_falling, 3_000, 512, 3e-3),
    ),
    ModelRecord(
        name="Glow",
        key="glow",
        family="flows",
        branch=("explicit density", "approximate", "dequantised flow"),
        density="bound",
        claims=(Trainable, Sampler, Bounded, ImportanceWeighted),
        paper="Kingma & Dhariwal, Glow: Generative Flow with Invertible 1×1 Convolutions",
        year=2018,
        arxiv="1807.03039",
        lesson="06_flows/04_images",
        build=build_glow,
        recipe=partial(_falling, 3_000, 64, 2e-3),
        example=grey_images,
    ),
)
