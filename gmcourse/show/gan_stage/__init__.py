"""The GAN stage: a generator and a critic that train in the page, on data that the reader may draw."""

import copy
import math
from pathlib import Path
from typing import Any

import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from gmcourse.gan.losses import Loss, lsgan_generator_loss, non_saturating_loss, saturating_loss, wgan_generator_loss
from gmcourse.show.explorer import check_sizes, checked_points, float_bytes, joined, layers_of, window_of
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

LOSSES: dict[str, Loss] = {  # the generator's loss in each game that the page can play
    "non-saturating": non_saturating_loss,
    "saturating": saturating_loss,
    "least-squares": lsgan_generator_loss,
    "wasserstein": wgan_generator_loss,
}
_HERE = Path(__file__).parent
_MOST_POINTS = 1000
_ALT = (
    "A plane with real points in blue, fakes as green diamonds on the generator's bent grid, and an orange arrow from "
    "each fake to where the generator is told to move it. The ground is blue where the critic says real, green where "
    "it says fake."
)


class GANStage(Explorer):
    """Watch and steer a GAN of the plane that trains in the page, with no kernel: play, step, scrub, draw its data.

    `generator` (`latent_size` numbers to 2) and `critic` (2 to 1, a logit) are MLPs of Linear, ReLU, Tanh, Sigmoid and
    LeakyReLU(0.2): the page starts from their weights. `data` (n, 2), of which at most 1,000 rows are kept, called
    `name` in the menu. `losses` is one of LOSSES, `lr` Adam's rate (β₁ = 0.5) for both players or (critic, generator),
    `steps` the critic's and the generator's steps in a round, `extent` the half-width of the window: about the origin,
    or about data that lie far from it. Equal seeds give equal runs. For print and for GitHub there is `still`, or the
    `stage_figure` of the start; `alt` says what is seen. Raises TypeError or ValueError with the name of what does not
    fit.
    """

    _esm = joined(_HERE / "stage.js")
    _css = styled(_HERE / "gan_stage.css")

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
    centre = traitlets.List(traitlets.Float()).tag(sync=True)
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
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        both = {"generator": generator, "critic": critic}
        players = {player: layers_of(network, player, learns=True) for player, network in both.items()}
        check_sizes(players["generator"][0], "generator", latent_size, 2)
        check_sizes(players["critic"][0], "critic", 2, 1)
        if players["critic"][0][-1] == "sigmoid":
            raise ValueError("critic: got a Sigmoid at its end, expected the logit: the page takes the sigmoid itself")
        rates = [float(rate) for rate in lr] if isinstance(lr, (tuple, list)) else [float(lr)] * 2
        _check_settings(losses, rates, list(steps), batch_size)
        points = checked_points(data, "data", most=_MOST_POINTS, seed=seed)
        centre, extent = window_of(points, extent)
        start = copy.deepcopy(generator).cpu().eval(), copy.deepcopy(critic).cpu().eval(), points
        super().__init__(
            still=still,
            opening=lambda: _opening(*start, losses=losses, latent_size=latent_size, extent=extent, seed=seed),
            alt=alt,
            **{f"{player}_{part}": value for player, parts in players.items() for part, value in _named(parts).items()},
            points=float_bytes(points),
            name=name,
            latent_size=latent_size,
            losses=losses,
            rates=rates,
            steps=list(steps),
            batch_size=batch_size,
            centre=centre,
            extent=extent,
            seed=seed,
        )


def _opening(generator: nn.Module, critic: nn.Module, points: Tensor, **settings: Any) -> bytes:
    from gmcourse.show.gan_stage.figure import stage_figure  # which reads LOSSES

    figure = stage_figure(generator, critic, points, **settings)
    assert figure is not None  # no axes were given
    return png(figure)


def _named(parts: tuple[list, bytes]) -> dict[str, list | bytes]:
    return dict(zip(("layers", "weights"), parts, strict=True))


def _check_settings(losses: str, rates: list[float], steps: list[int], batch_size: int) -> None:
    if losses not in LOSSES:
        raise ValueError(f"losses: got {losses!r}, expected one of {', '.join(LOSSES)}")
    if len(rates) != 2 or not all(math.isfinite(rate) and rate > 0 for rate in rates):
        raise ValueError(f"lr: got {rates}, expected a positive number or two, the critic's and the generator's")
    if len(steps) != 2 or any(not isinstance(count, int) or count < 1 for count in steps):
        raise ValueError(f"steps: got {steps}, expected two whole numbers, at least 1 each")
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size: got {batch_size}, expected a whole number, at least 1")
