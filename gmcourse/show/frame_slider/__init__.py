"""Frames and a slider: pictures drawn ahead, which move without a kernel."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image

from gmcourse.show.explorer import joined
from gmcourse.show.images import compare
from gmcourse.show.style import palette_png, png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_SIDE = 320  # least side of an enlarged array, in pixels


class FrameSlider(Explorer):
    """Pictures of one size, of which a slider shows one; `index` follows it where a kernel runs. Made by `frames`."""

    _esm = joined(_HERE / "frames.js")
    _css = styled(_HERE / "frames.css")

    pictures = traitlets.List(traitlets.Bytes()).tag(sync=True)
    values = traitlets.List(traitlets.Unicode()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    size = traitlets.List(traitlets.Int()).tag(sync=True)
    drawn = traitlets.Bool().tag(sync=True)
    pace = traitlets.Float(0.0).tag(sync=True)
    index = traitlets.Int().tag(sync=True)


def frames(
    pictures: Sequence[Figure | np.ndarray | torch.Tensor],
    values: Sequence[object],
    label: str,
    alt: str,
    *,
    start: object = None,
    still: Figure | None = None,
    pace: float = 0.0,
) -> FrameSlider:
    """A slider through `pictures`, one for each of `values`, live and in the published page, by mouse and keyboard.

    A picture is a matplotlib figure or an array (height, width) or (height, width, 3) in [0, 1]; `label` names the
    slider, `alt` says in words what is seen. It opens at the value `start` (the first), and that frame is its still
    picture, for print and for GitHub, unless a figure `still` is given. With a `pace`, frames a second, there is a
    button that plays from where the slider stands to the last, and from the first again. Raises ValueError where
    lengths or sizes differ, for fewer than two pictures, for a start that is none of the values, and for a pace that is
    not 0 to 30.
    """
    if len(pictures) != len(values) or len(pictures) < 2:
        raise ValueError(f"pictures: got {len(pictures)} for {len(values)} values, expected as many, at least two")
    if not label.strip():
        raise ValueError(f"label: got {label!r}, expected words for the reader")
    texts = [_text(value) for value in values]
    if start is not None and _text(start) not in texts:
        raise ValueError(f"start: got {start!r}, expected one of the values, {', '.join(texts)}")
    if not 0 <= pace <= 30:
        raise ValueError(f"pace: got {pace}, expected 0 to 30 frames a second")
    files = [_png(picture) for picture in pictures]
    size, *others = sizes = {Image.open(io.BytesIO(file)).size for file in files}
    if others:
        raise ValueError(f"pictures: got the sizes {sorted(sizes)} in pixels, expected one size for all")
    index = 0 if start is None else texts.index(_text(start))
    drawn = all(isinstance(picture, Figure) and not _has_shades(picture) for picture in pictures)
    return FrameSlider(
        **{"pictures": files, "values": texts, "label": label, "size": list(size), "drawn": drawn, "index": index},
        **{"pace": float(pace), "alt": alt, "still": still, "opening": lambda: files[index]},
    )


def film(clips: dict[str, torch.Tensor], alt: str, *, given: int = 0, pace: float = 3.0) -> FrameSlider:
    """Clips that play beside each other in the page, a row a name: {"data": (n, C, T, H, W) in [0, 1], "dreamt": ...}.

    The first `given` frames are called so. For print and for GitHub the first clip of each row lies there frame by
    frame. Raises ValueError for another shape, or clips of unlike lengths.
    """
    shapes = {name: tuple(row.shape) for name, row in clips.items()}
    lengths = {shape[2] for shape in shapes.values() if len(shape) == 5}
    if len(lengths) != 1 or any(len(shape) != 5 for shape in shapes.values()):
        raise ValueError(f"clips: got {shapes}, expected (n, channels, T, height, width) with one T for all")
    (length,) = lengths
    if not 0 <= given <= length:
        raise ValueError(f"given: got {given}, expected 0 to {length} frames")
    pictures = [compare({name: row[:, :, t] for name, row in clips.items()}) for t in range(length)]
    values = [f"{t + 1} of {length}" + (", given" if t < given else "") for t in range(length)]
    still = compare({name: row[0].transpose(0, 1) for name, row in clips.items()})
    return frames(pictures, values, "frame", alt, still=still, pace=pace)


def _has_shades(figure: Figure) -> bool:
    """Whether anything in it is coloured by a value, as pixels and heat maps are: inverted, it would lie."""
    return bool(figure.findobj(lambda artist: getattr(artist, "get_array", lambda: None)() is not None))


def _png(picture: Figure | np.ndarray | torch.Tensor) -> bytes:
    if isinstance(picture, Figure):
        return png(picture, crop=False)
    return palette_png(_enlarged(torch.as_tensor(picture).detach().cpu().numpy()))


def _enlarged(array: np.ndarray) -> Image.Image:
    """Ink on paper, enlarged without smoothing to at least `_SIDE` pixels."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or 0 in array.shape:
        raise ValueError(f"pictures: got an array {array.shape}, expected (height, width) or (height, width, 3)")
    if not (array.min() >= -1e-6 and array.max() <= 1 + 1e-6):
        raise ValueError(f"pictures: got values from {array.min():.3g} to {array.max():.3g}, expected [0, 1]")
    paper = array if array.ndim == 3 else np.repeat(1 - array[..., None], 3, axis=2)
    times = max(1, -(-_SIDE // min(array.shape[:2])))
    pixels = (paper * 255).round().clip(0, 255).astype("uint8")
    return Image.fromarray(pixels.repeat(times, axis=0).repeat(times, axis=1))


def _text(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return "−" + text[1:] if text.startswith("-") else text
