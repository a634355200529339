"""The edge painter: the reader draws an outline, and generators that run in the page paint it."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from gmcourse.gan.pix2pix import PictureGenerator
from gmcourse.nets import evaluating
from gmcourse.show.explorer import float_bytes, joined
from gmcourse.show.images import checked_images, grid
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_DRAWING = _HERE.parent / "noisy_drawing" / "noisy_drawing.css"
_ALT = "An outline of a digit, and beside it the digit as each generator paints it."


class EdgePainter(Explorer):
    """Draw an outline c, and see x̂ = G(c, z) of each generator in the page: no kernel is needed.

    `painters` are `PictureGenerator`s by their names, from one channel to three, with noise "planes"; `images` outlines
    (n, H, W) or (n, 1, H, W) in [0, 1] to begin with; `modes` the rednesses of blue and of red ink. z, the same for all
    of them, is drawn by `seed`, and anew by a button. For print and for GitHub there is `still`, or else the pictures
    it opens with; `alt` says what is seen. Raises TypeError or ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "edge_painter.js")
    _css = styled(_DRAWING) + (_HERE / "edge_painter.css").read_text("utf-8")

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    plans = traitlets.List().tag(sync=True)
    weights = traitlets.List(traitlets.Bytes()).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)
    noise = traitlets.Bytes().tag(sync=True)
    modes = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(
        self,
        painters: dict[str, PictureGenerator],
        images: Tensor,
        *,
        modes: Sequence[float] = (-1.0, 1.0),
        seed: int = 0,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        if not painters:
            raise ValueError("painters: got an empty dict, expected names and generators")
        pictures = checked_images("images", images)
        if pictures.shape[-1] != 1:
            raise ValueError(f"images: got {tuple(images.shape)}, expected (n, H, W) or (n, 1, H, W)")
        outlines = pictures[..., 0]
        _, rows, columns = outlines.shape
        plans = [_plan(f"painters[{name!r}]", net, (rows, columns)) for name, net in painters.items()]
        z = torch.randn(max(net.planes for net in painters.values()), generator=torch.Generator().manual_seed(seed))
        shown = _painted(painters, outlines[:1, None], z)
        super().__init__(
            still=still,
            opening=lambda: png(grid(shown, titles=["outline", *painters])),
            alt=alt,
            names=list(painters),
            plans=plans,
            weights=[float_bytes(folded(net)) for net in painters.values()],
            shape=[rows, columns],
            images=float_bytes(outlines),
            noise=float_bytes(z),
            modes=list(modes),
        )


def folded(net: PictureGenerator) -> Tensor:
    """Weight and bias of each layer in turn, one vector: batch norm, at rest, is a part of the layer before it."""
    numbers: list[Tensor] = []
    for module in (net.first, *net.down, net.bottom, *net.up, net.last):
        stack = cast(nn.Sequential, module)
        conv = cast(nn.Conv2d | nn.ConvTranspose2d, stack[0])
        weight, bias = conv.weight.detach(), conv.bias
        bias = torch.zeros(conv.out_channels) if bias is None else bias.detach()
        if len(stack) > 1 and isinstance(norm := stack[1], nn.BatchNorm2d):
            mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
            scale = norm.weight.detach() / (variance + norm.eps).sqrt()
            across = (1, -1, 1, 1) if isinstance(conv, nn.ConvTranspose2d) else (-1, 1, 1, 1)
            weight, bias = weight * scale.view(across), norm.bias.detach() + (bias - mean) * scale
        numbers += [weight.flatten(), bias.flatten()]
    return torch.cat([part.float().cpu() for part in numbers])


def _plan(name: str, net: PictureGenerator, shape: tuple[int, int]) -> dict[str, int]:
    """What `painter.js` needs to cut the numbers up. Raises TypeError or ValueError with the `name` of the argument."""
    if not isinstance(net, PictureGenerator):
        raise TypeError(f"{name}: got {type(net).__name__}, expected a PictureGenerator")
    first, last, halvings = cast(nn.Conv2d, net.first[0]), cast(nn.Conv2d, net.last[0]), net.halvings
    if first.in_channels - net.planes != 1 or last.out_channels != 3 or net.noise == "dropout":
        came = f"{first.in_channels - net.planes} to {last.out_channels} channels, noise {net.noise!r}"
        raise ValueError(f"{name}: got {came}, expected 1 to 3, and planes or none")
    if any(side % 2**halvings for side in shape):
        raise ValueError(f"images: got {shape[0]} × {shape[1]} pixels, expected sides divisible by {2**halvings}")
    return {"outputs": 3, "wide": first.out_channels, "halvings": halvings, "planes": net.planes}


def _painted(painters: dict[str, PictureGenerator], outline: Tensor, z: Tensor) -> Tensor:
    """The outline as ink on paper and what each makes of it, (1 + painters, 3, H, W)."""
    pictures = [1 - outline.expand(-1, 3, -1, -1)]
    for net in painters.values():
        with torch.no_grad(), evaluating(net):
            pictures.append(net(outline, z[None, : net.planes]))
    return torch.cat(pictures).clamp(0, 1)
