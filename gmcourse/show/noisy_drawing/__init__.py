"""The noisy drawing: the reader draws a digit and adds noise, and a network that runs in the page takes it off."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from gmcourse.nets import evaluating
from gmcourse.show.explorer import check_sizes, float_bytes, joined, layers_of
from gmcourse.show.images import checked_images, grid
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = "A digit, the same digit under noise, and the picture that a denoising network makes of the noisy one."
_STEPS = 20  # of the slider, from 0 to 1
_NOISES = ("gaussian", "masking")


class NoisyDrawing(Explorer):
    """Draw a digit x, add noise, and see what a network r makes of the noisy x̃, in the page: no kernel is needed.

    `denoiser` (layers that `layers_of` knows, as many numbers out as in), or several by their names, of which the
    reader chooses one; `images` (n, H, W) or (n, 1, H, W) in [0, 1], digits to begin with. It opens on the first, under
    `noise`: "gaussian", x + level ε, or "masking", entries set to 0 with probability `level`; both by `seed`, and the
    level a multiple of 0.05 up to 1. Beside the pictures stand the lengths ‖x̃ − x‖, ‖r(x̃) − x̃‖ and ‖r(x̃) − x‖. For
    print and for GitHub there is `still`, or else the pictures it opens with; `alt` says what is seen. Raises TypeError
    or ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "noisy_drawing.js")
    _css = styled(_HERE / "noisy_drawing.css")

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    layers = traitlets.List().tag(sync=True)
    weights = traitlets.List(traitlets.Bytes()).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)
    normal = traitlets.Bytes().tag(sync=True)
    uniform = traitlets.Bytes().tag(sync=True)
    noise = traitlets.Unicode().tag(sync=True)
    level = traitlets.Float().tag(sync=True)

    def __init__(
        self,
        denoiser: nn.Sequential | dict[str, nn.Sequential],
        images: Tensor,
        *,
        noise: str = "gaussian",
        level: float = 0.5,
        seed: int = 0,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        pictures = _checked_pictures(images)
        shape = tuple(pictures.shape[1:])
        networks = _checked_networks(denoiser, math.prod(shape))
        _check_noise(noise, level)
        rng = torch.Generator().manual_seed(seed)
        normal, uniform = torch.randn(shape, generator=rng), torch.rand(shape, generator=rng)
        clean = pictures[0]
        noisy = clean + level * normal if noise == "gaussian" else clean * (uniform >= level)
        first = next(iter(denoiser.values())) if isinstance(denoiser, dict) else denoiser
        super().__init__(
            still=still,
            opening=_opening(first, clean, noisy),
            alt=alt,
            names=list(networks),
            layers=[layers for layers, _ in networks.values()],
            weights=[weights for _, weights in networks.values()],
            shape=list(shape),
            images=float_bytes(pictures),
            normal=float_bytes(normal),
            uniform=float_bytes(uniform),
            noise=noise,
            level=float(level),
        )


def _checked_pictures(images: Tensor) -> Tensor:
    """`images` as (n, H, W) on the CPU."""
    pictures = checked_images("images", images)
    if pictures.shape[-1] != 1:
        raise ValueError(f"images: got {tuple(images.shape)}, expected (n, H, W) or (n, 1, H, W)")
    return pictures[..., 0]


def _checked_networks(
    denoiser: nn.Sequential | dict[str, nn.Sequential], pixels: int
) -> dict[str, tuple[list[list[int] | str], bytes]]:
    """What the page runs of each network, by its name."""
    if isinstance(denoiser, dict) and not denoiser:
        raise ValueError("denoiser: got an empty dict, expected names and networks")
    given = denoiser if isinstance(denoiser, dict) else {"": denoiser}
    networks = {}
    for name, network in given.items():
        place = f"denoiser[{name!r}]" if isinstance(denoiser, dict) else "denoiser"
        networks[name] = layers_of(network, place)
        check_sizes(networks[name][0], place, pixels, pixels)
    return networks


def _check_noise(noise: str, level: float) -> None:
    if noise not in _NOISES:
        raise ValueError(f"noise: got {noise!r}, expected one of {', '.join(_NOISES)}")
    if not 0 <= level <= 1 or abs(_STEPS * level - round(_STEPS * level)) > 1e-9:
        raise ValueError(f"level: got {level}, expected a multiple of {1 / _STEPS} from 0 to 1")


def _opening(denoiser: nn.Sequential, clean: Tensor, noisy: Tensor) -> Callable[[], bytes]:
    """The three pictures as the network is now, with how far the two others lie from the first."""
    with torch.no_grad(), evaluating(denoiser):
        denoised = denoiser(noisy.reshape(1, -1).to(next(denoiser.parameters()))).reshape(clean.shape).float().cpu()
    away = [(picture - clean).norm().item() for picture in (noisy, denoised)]
    titles = ["Picture $x$", rf"$\tilde{{x}}$, {away[0]:.2f} from $x$", rf"$r(\tilde{{x}})$, {away[1]:.2f} from $x$"]
    return lambda: png(grid(torch.stack([clean, noisy, denoised]).clamp(0, 1), titles=titles))
