"""One look for every figure: a colour each for data, model and samples, readable on a phone."""

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.colors import Colormap, LinearSegmentedColormap, get_named_colors_mapping, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from PIL import Image

from gmcourse.show.vector import svg

COLOURS = {
    "data": "#2b6cb0",
    "model": "#dd6b20",
    "samples": "#2f855a",
    "ink": "#1a202c",
    "muted": "#718096",
    "faint": "#cbd5e0",
}
# Petroff (2021), arXiv:2107.02270: ten colours told apart with every common colour blindness.
CLASS_COLOURS = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
_FONTS = Path(__file__).parent / "fonts"
IMAGE_MAP = "gray_r"  # ink on paper: 0 is white, 1 is black

_STYLE: dict[Any, Any] = {
    "figure.figsize": (5.4, 3.2),
    "figure.dpi": 144,
    "savefig.dpi": 144,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "font.family": ["Course Sans", "DejaVu Sans"],  # the second for signs that the first lacks
    "mathtext.fontset": "custom",
    **dict.fromkeys(("mathtext.rm", "mathtext.sf"), "Course Sans"),
    **dict.fromkeys(("mathtext.it", "mathtext.cal"), "Course Sans:italic"),
    **dict.fromkeys(("mathtext.bf", "mathtext.bfit"), "Course Sans:bold"),
    "mathtext.tt": "DejaVu Sans Mono",
    "mathtext.fallback": "stixsans",
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelpad": 1.5,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.prop_cycle": cycler(color=[COLOURS[name] for name in ("data", "model", "samples", "muted", "ink")]),
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.labelspacing": 0.2,
    "legend.fontsize": 11,
    "image.cmap": IMAGE_MAP,
    "image.interpolation": "nearest",
}


def use_style() -> None:
    """Set matplotlib's defaults to the course's look, and name its colours: `color="model"`.

    A notebook shows each `Figure` as SVG, with the letters of the book.
    """
    import matplotlib.pyplot as plt  # asks for a screen where there is one, so not on import of the package
    from IPython import get_ipython

    plt.switch_backend(mpl.get_backend())  # loads the notebook's backend, which registers the display of figures
    known = {entry.fname for entry in fontManager.ttflist}
    for font in {str(path) for path in _FONTS.glob("*.ttf")} - known:
        fontManager.addfont(font)
    mpl.rcParams.update(_STYLE)
    get_named_colors_mapping().update(COLOURS)
    if (shell := get_ipython()) is not None:
        formatters = shell.display_formatter.formatters
        formatters["image/png"].pop(Figure, None)
        formatters["image/svg+xml"].for_type(Figure, svg)


def png(figure: Figure, crop: bool = True, colours: int = 128) -> bytes:
    """The figure as PNG with a palette of so many colours: 128 take a third of the bytes of all, letters need fewer."""
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight" if crop else None)
    return palette_png(Image.open(file), colours)


def palette_png(image: Image.Image, colours: int = 128) -> bytes:
    """An image as PNG with a palette."""
    file = io.BytesIO()
    image.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(file, "png", optimize=True)
    return file.getvalue()


def sequential(colour: str = "model") -> Colormap:
    """A colour map from white through `COLOURS[colour]` to its dark shade, for densities."""
    if colour not in COLOURS:
        raise ValueError(f"colour: got {colour!r}, expected one of {', '.join(COLOURS)}")
    red, green, blue = to_rgb(COLOURS[colour])
    dark = (0.35 * red, 0.35 * green, 0.35 * blue)
    return LinearSegmentedColormap.from_list(f"gmcourse-{colour}", ["white", COLOURS[colour], dark])
