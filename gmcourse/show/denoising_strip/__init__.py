"""The denoising strip: noise becomes a digit level by level, by a U-Net that runs in the page."""

import copy
from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from gmcourse.nets import UNet
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.levels import Level, descending, noised_gaussian
from gmcourse.scores.samplers import clipped, spaced, walk
from gmcourse.show.explorer import float_bytes, joined
from gmcourse.show.images import compare
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_CALLS = (1, 2, 4, 8, 16, 32, 50, 100)  # as in denoising_strip.js
_SHOWN = 10
_ALT = (
    "A walk from noise to a digit. Above, where it is: noise, out of which a digit appears near the end. Below, what "
    "the network takes it for at that moment: first a grey blur, then a sharper and sharper digit."
)


class DenoisingStrip(Explorer):
    """Scrub through the walk of a denoiser from noise to a picture, in the page: no kernel is needed.

    `denoiser` is a `Denoiser` around a `UNet` of one channel, without classes and attention, and `sigmas` (n,) are its
    levels, the largest first; its answers are cut to `bounds`, (low, high), or None. The walk is DDIM's in `calls`
    steps (1, 2, 4, 8, 16, 32, 50 or 100), or DDPM's with the posterior's deviation; the reader chooses both, and draws
    other noise. Pictures have the size `shape`. It opens on the noise of `seed`, at the share `along` of the steps. For
    print and for GitHub there is `still`, or this walk in ten pictures; `alt` says what is seen. Raises TypeError or
    ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "denoising_strip.js")
    _css = styled(_HERE / "denoising_strip.css")

    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    widths = traitlets.List(traitlets.Int()).tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    spread = traitlets.Float().tag(sync=True)
    centre = traitlets.Float().tag(sync=True)
    bounds = traitlets.List(traitlets.Float()).tag(sync=True)
    sigmas = traitlets.Bytes().tag(sync=True)
    noise = traitlets.Bytes().tag(sync=True)
    calls = traitlets.Int().tag(sync=True)
    along = traitlets.Float().tag(sync=True)

    def __init__(
        self,
        denoiser: Denoiser,
        sigmas: Tensor,
        *,
        shape: tuple[int, int] = (8, 8),
        bounds: tuple[float, float] | None = (0.0, 1.0),
        calls: int = 50,
        along: float = 0.6,
        seed: int = 0,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        widths, weights = exported(denoiser)
        levels = descending(sigmas).detach().cpu().float()
        _check_walk(shape, len(widths), levels, calls, along)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        kept = copy.deepcopy(denoiser).cpu().float().eval()
        super().__init__(
            still=still,
            opening=lambda: png(_strip(kept, noise, spaced(levels, calls), bounds), colours=64),
            alt=alt,
            shape=list(shape),
            widths=widths,
            weights=weights,
            spread=float(denoiser.spread),
            centre=denoiser.centre.item(),
            bounds=[float(end) for end in bounds or ()],
            sigmas=float_bytes(levels),
            noise=float_bytes(noise),
            calls=calls,
            along=float(along),
        )


def exported(denoiser: Denoiser) -> tuple[list[int], bytes]:
    """What `unet.js` runs: the widths of the net, and its weights in the order of its state, float32.

    Raises TypeError or ValueError for another network than a UNet of one channel without classes and attention.
    """
    if not isinstance(denoiser, Denoiser) or not isinstance(denoiser.net, UNet):
        kind = denoiser.net if isinstance(denoiser, Denoiser) else denoiser
        raise TypeError(f"denoiser: got {type(kind).__name__}, expected a Denoiser around a UNet")
    net = denoiser.net
    attends = not isinstance(net.look, nn.Identity)
    if net.first.in_channels != 1 or net.classes or attends:
        raise ValueError(
            f"denoiser: got {net.first.in_channels} channels, {net.classes} classes, "
            f"attention {attends}, expected 1, 0 and none"
        )
    widths = [net.first.out_channels, *(shrink.out_channels for shrink in net.shrink)]
    return widths, float_bytes(torch.cat([part.float().flatten() for part in net.state_dict().values()]))


def _check_walk(shape: tuple[int, int], sizes: int, levels: Tensor, calls: int, along: float) -> None:
    halvings = 2 ** (sizes - 1)
    if len(shape) != 2 or any(side < 1 or side % halvings for side in shape):
        raise ValueError(f"shape: got {shape}, expected two sizes divisible by {halvings}")
    if calls not in _CALLS or calls > len(levels):
        raise ValueError(f"calls: got {calls}, expected one of {', '.join(map(str, _CALLS))}, at most {len(levels)}")
    if not 0 <= along <= 1:
        raise ValueError(f"along: got {along}, expected a share from 0 to 1")


def walk_of(
    denoiser: Denoiser, noise: Tensor, levels: Tensor, bounds: tuple[float, float] | None
) -> list[tuple[float, Tensor, Tensor]]:
    """σ, x̃ and x* before each step of DDIM, and at the end, from one draw of noise (height, width)."""
    denoise = clipped(denoiser, *bounds) if bounds else denoiser
    moments: list[tuple[float, Tensor, Tensor]] = []

    def watched(x: Tensor, sigma: Level) -> Tensor:
        moments.append((float(sigma), x, denoise(x, sigma)))
        return moments[-1][2]

    with torch.no_grad():
        x = walk(watched, noised_gaussian(noise[None, None], levels[0], denoiser.spread, denoiser.centre), levels)
    return [*moments, (0.0, x, x)]


def _strip(denoiser: Denoiser, noise: Tensor, levels: Tensor, bounds: tuple[float, float] | None) -> Figure:
    """Ten moments of the walk: x̃, scaled to the spread of data, and x*."""
    moments = walk_of(denoiser, noise, levels, bounds)
    shown = [moments[round(k * (len(moments) - 1) / (_SHOWN - 1))] for k in range(_SHOWN)]
    middle, spread = denoiser.centre, denoiser.spread
    scaled = [middle + (x - middle) * spread / (spread**2 + sigma**2) ** 0.5 for sigma, x, _ in shown]
    rows = {"x̃, scaled": torch.cat(scaled), "x*": torch.cat([clean for *_, clean in shown])}
    return compare({name: row.clamp(0, 1) for name, row in rows.items()})
