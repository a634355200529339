"""Pictures for captions: the reader types a caption, or picks its words, and sees what a model drew for it."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from gmcourse.show.explorer import joined
from gmcourse.show.style import palette_png, png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent


class CaptionedPictures(Explorer):
    """Type a caption, or pick a word of each group, and see the pictures that were drawn for it ahead of time.

    `groups` are the choices, a list of words or phrases each; `pictures` (N, k, 3, H, W) in [0, 1] holds k pictures for
    each of the N combinations, the last group changing fastest, and `captions` the words of each, N texts. Where
    `marked` (N,) is true, `mark` is said beside the caption. No model runs in the page. It opens at the combination
    `index`, which follows where a kernel runs. For print and for GitHub there is `still`, or else the pictures as it
    opens; `alt` says what is seen. Raises TypeError or ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "captioned_pictures.js")
    _css = styled(_HERE / "captioned_pictures.css")

    groups = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    captions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    marked = traitlets.List(traitlets.Bool()).tag(sync=True)
    mark = traitlets.Unicode().tag(sync=True)
    sheet = traitlets.Bytes().tag(sync=True)
    size = traitlets.List(traitlets.Int()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        pictures: Tensor,
        groups: Sequence[Sequence[str]],
        captions: Sequence[str],
        *,
        marked: Sequence[bool] | Tensor | None = None,
        mark: str = "",
        index: int = 0,
        still: Figure | None = None,
        alt: str = "A caption, and the pictures that were drawn for it.",
    ):
        count = math.prod(map(len, groups))
        if not isinstance(pictures, Tensor) or pictures.dim() != 5 or pictures.shape[2] != 3:
            came = tuple(pictures.shape) if isinstance(pictures, Tensor) else type(pictures).__name__
            raise TypeError(f"pictures: got {came}, expected a Tensor (N, k, 3, height, width)")
        if len(pictures) != count or not pictures.shape[1]:
            raise ValueError(f"pictures: got {len(pictures)} rows, expected {count}, one for each choice of words")
        if not (pictures.min() >= -1e-6 and pictures.max() <= 1 + 1e-6):
            raise ValueError(f"pictures: got {pictures.min():.3g} to {pictures.max():.3g}, expected [0, 1]")
        if len(captions) != count:
            raise ValueError(f"captions: got {len(captions)}, expected {count}, one for each choice of words")
        marks = [False] * count if marked is None else [bool(value) for value in marked]
        if len(marks) != count:
            raise ValueError(f"marked: got {len(marks)} values, expected {count}, one for each choice of words")
        if not 0 <= index < count:
            raise ValueError(f"index: got {index}, expected 0 to {count - 1}")
        super().__init__(
            still=still,
            opening=lambda: png(_opening(pictures[index], captions[index])),
            alt=alt,
            groups=[list(group) for group in groups],
            captions=list(captions),
            marked=marks,
            mark=mark,
            sheet=sheet_of(pictures),
            size=[pictures.shape[1], count, pictures.shape[4], pictures.shape[3]],
            index=index,
        )


def sheet_of(pictures: Tensor) -> bytes:
    """All pictures (N, k, 3, H, W) on one sheet of N rows and k columns, a PNG with a palette."""
    rows = pictures.detach().cpu().clamp(0, 1).permute(0, 3, 1, 4, 2)  # (N, H, k, W, 3)
    pixels = (255 * rows.flatten(2, 3).flatten(0, 1)).round().to(torch.uint8).numpy()
    return palette_png(Image.fromarray(pixels), 256)


def _opening(pictures: Tensor, caption: str) -> Figure:
    figure = Figure(figsize=(1.3 * len(pictures), 1.7), layout="constrained")
    for axes, picture in zip(figure.subplots(1, len(pictures), squeeze=False)[0], pictures, strict=True):
        axes.imshow(picture.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy())
        axes.set(xticks=[], yticks=[])
    figure.suptitle(f"“{caption}”", fontsize=11)
    return figure
