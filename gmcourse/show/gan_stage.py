"""The GAN stage: a generator and a critic that train in the page, on data that the reader may draw."""

import math
from pathlib import Path

import anywidget
import torch
import traitlets
from torch import Tensor, nn

from gmcourse.show.latent_map import join_modules, layers_of

_JS = Path(__file__).parent / "js"
_MODULES = (
    *("mlp", "keys", "plot", "gan_network", "gan_losses", "gan_training", "gan_data", "gan_history", "gan_scene"),
    *("gan_picture", "gan_state", "gan_chart", "gan_controls", "gan_page", "gan_stage"),
)
LOSSES = ("non-saturating", "saturating", "least-squares", "wasserstein")
_MOST_POINTS = 1000


class GANStage(anywidget.AnyWidget):
    """Watch and steer a GAN of the plane that trains in the page, with no kernel: play, step, scrub, draw its data.

    `generator` (`latent_size` numbers to 2) and `critic` (2 to 1, a logit) are MLPs of Linear, ReLU, Tanh, Sigmoid and
    LeakyReLU(0.2): the page starts from their weights. `data` (n, 2), of which at most 1,000 rows are kept, called
    `name` in the menu. `losses` is one of LOSSES, `lr` Adam's rate (β₁ = 0.5) for both players or (critic, generator),
    `steps` the critic's and the generator's steps in a round, `extent` the half-width of the window. Equal seeds give
    equal runs. Raises TypeError or ValueError with the name of what does not fit.
    """

    _esm = join_modules(*(f"{name}.js" for name in _MODULES))
    _css = (_JS / "gan_stage.css").read_text("utf-8")

    generator_layers = traitlets.List().tag(sync=True)
    generator_weights = traitlets.Bytes().tag(sync=True)
    critic_layers = traitlets.List().tag(sync=True)
    critic_weights = traitlets.Bytes().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    latent_size = traitlets.Int().tag(sync=True)
    losses = traitlets.Unicode().tag(sync=True)
    rates = traitlets.List(traitlets.Float()).tag(sync=True)
    steps = traitlets.List(traitlets.Int()).tag(sync=True)
    batch_size = traitlets.Int().tag(sync=True)
    extent = traitlets.Float().tag(sync=True)
    seed = traitlets.Int().tag(sync=True)

    def __init__(
        self,
        generator: nn.Sequential,
        critic: nn.Sequential,
        data: Tensor,
        *,
        latent_size: int = 2,
        losses: str = "non-saturating",
        lr: float | tuple[float, float] = 4e-3,
        steps: tuple[int, int] = (1, 1),
        batch_size: int = 128,
        extent: float | None = None,
        name: str = "the lesson’s data",
        seed: int = 0,
    ):
        players = {"generator": layers_of(generator, "generator"), "critic": layers_of(critic, "critic")}
        _check_sizes("generator", players["generator"][0], latent_size, 2)
        _check_sizes("critic", players["critic"][0], 2, 1)
        rates = [float(rate) for rate in lr] if isinstance(lr, (tuple, list)) else [float(lr)] * 2
        _check_settings(losses, rates, list(steps), batch_size)
        points = checked_points(data, seed)
        super().__init__(
            **{f"{player}_{part}": value for player, parts in players.items() for part, value in _named(parts).items()},
            points=points.numpy().astype("<f4").tobytes(),
            name=name,
            latent_size=latent_size,
            losses=losses,
            rates=rates,
            steps=list(steps),
            batch_size=batch_size,
            extent=checked_extent(extent, points),
            seed=seed,
        )


def _named(parts: tuple[list, bytes]) -> dict[str, list | bytes]:
    return dict(zip(("layers", "weights"), parts, strict=True))


def checked_points(data: Tensor, seed: int, most: int = _MOST_POINTS) -> Tensor:
    """`data` on the CPU, at most `most` rows of it drawn by `seed`; ValueError where it is not (n, 2) and finite."""
    if not isinstance(data, Tensor):
        raise TypeError(f"data: got {type(data).__name__}, expected a Tensor (n, 2)")
    if data.ndim != 2 or data.shape[1] != 2 or not len(data) or not data.isfinite().all():
        raise ValueError(f"data: got {tuple(data.shape)}, expected (n, 2), n at least 1, all finite")
    points = data.detach().cpu().float()
    if len(points) > most:
        points = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))[:most]]
    return points


def checked_extent(extent: float | None, points: Tensor) -> float:
    """The half-width of the window: a third more than the points need where none is given."""
    if extent is None:
        return max(0.1, math.ceil(10 * 1.35 * points.abs().max().item()) / 10)
    if not (math.isfinite(extent) and extent > 0):
        raise ValueError(f"extent: got {extent}, expected a positive number")
    return float(extent)


def _check_sizes(name: str, layers: list[list[int] | str], inputs: int, outputs: int) -> None:
    linear = [layer for layer in layers if not isinstance(layer, str)]
    if not linear or linear[0][0] != inputs or linear[-1][1] != outputs:
        came = f"{linear[0][0]} to {linear[-1][1]}" if linear else "no linear layer"
        raise ValueError(f"{name}: got {came}, expected {inputs} to {outputs} numbers")
    for (_, before), (after, _) in zip(linear, linear[1:], strict=False):
        if before != after:
            raise ValueError(f"{name}: got a layer of {after} inputs, expected the {before} outputs before it")
    if name == "critic" and layers[-1] == "sigmoid":
        raise ValueError("critic: got a Sigmoid at its end, expected the logit: the page takes the sigmoid itself")


def _check_settings(losses: str, rates: list[float], steps: list[int], batch_size: int) -> None:
    if losses not in LOSSES:
        raise ValueError(f"losses: got {losses!r}, expected one of {', '.join(LOSSES)}")
    if len(rates) != 2 or not all(math.isfinite(rate) and rate > 0 for rate in rates):
        raise ValueError(f"lr: got {rates}, expected a positive number or two, the critic's and the generator's")
    if len(steps) != 2 or any(not isinstance(count, int) or count < 1 for count in steps):
        raise ValueError(f"steps: got {steps}, expected two whole numbers, at least 1 each")
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size: got {batch_size}, expected a whole number, at least 1")
