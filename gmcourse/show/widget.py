"""An explorer as a notebook keeps it: the widget, and in the same output a still picture for where widgets are dead."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from matplotlib.figure import Figure

from gmcourse.show.style import png

_SHARED = Path(__file__).parent / "js" / "explorer.css"


def styled(sheet: Path) -> str:
    """A style sheet after the one that all explorers share."""
    return _SHARED.read_text("utf-8") + sheet.read_text("utf-8")


class Explorer(anywidget.AnyWidget):
    """A widget with `alt`, what is seen in words, and a still picture, `image/png` beside the widget in one output.

    JupyterLab and the page of the book run the widget; GitHub and print show the picture: `still`, a matplotlib figure,
    or what `opening` gives, a PNG, when it is first displayed. Raises TypeError or ValueError for another `still` or an
    empty `alt`.
    """

    alt = traitlets.Unicode().tag(sync=True)
    _ipython_display_ = None  # that of ipywidgets 7 would show the widget alone

    def __init__(self, *, still: Figure | None, opening: Callable[[], bytes], alt: str, **traits: Any):
        if still is not None and not isinstance(still, Figure):
            raise TypeError(f"still: got {type(still).__name__}, expected a matplotlib Figure, or None")
        if not alt.strip():
            raise ValueError(f"alt: got {alt!r}, expected words for a reader who does not see the picture")
        self._still = opening if still is None else lambda: png(still)
        super().__init__(alt=alt, **traits)
        if still is not None:
            _put_away(still)

    def _repr_mimebundle_(self, **kwargs: dict) -> tuple[dict, dict] | None:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        data["text/plain"] = self.alt  # not an address, which differs from run to run
        data["image/png"] = b64encode(self._still()).decode("ascii")
        metadata["image/png"] = {"alt": self.alt}
        return data, metadata


def _put_away(figure: Figure) -> None:
    """Else a notebook shows every figure that pyplot holds open at the end of the cell, a second time."""
    import matplotlib.pyplot as plt  # asks for a screen where there is one

    plt.close(figure)
