"""The next character: the reader types, an LSTM that runs in the page says what may follow, and goes on writing."""

from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.show.explorer import float_bytes, joined
from gmcourse.show.next_character.figure import next_figure
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = "The ten likeliest next characters, each with a bar as the model gives it, and a bar as it is chosen."
_OPENING = {"t": 1.0, "k": None, "mass": 0.9}


class NextCharacter(Explorer):
    """Type a text; an LSTM gives the next character's probabilities, before and after temperature, top-k and nucleus.

    `model` has no stop symbol; its weights go into the page rounded to 8 bits, with a scale for each row, and no kernel
    is needed. `alphabet` holds the character of each code, `context` is what the text begins with. For print and for
    GitHub there is `still`, or else the two distributions after `context`; `alt` says what is seen. Raises TypeError or
    ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "next_character.js")
    _css = styled(_HERE / "next_character.css")

    sizes = traitlets.Dict().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    alphabet = traitlets.Unicode().tag(sync=True)
    context = traitlets.Unicode().tag(sync=True)
    choice = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        model: LSTMLanguageModel,
        alphabet: str,
        *,
        context: str = "The ",
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        sizes, weights = exported(model)
        if len(alphabet) != model.levels or len(set(alphabet)) != model.levels:
            raise ValueError(f"alphabet: got {len(alphabet)} characters, expected {model.levels}, all different")
        if unknown := sorted(set(context) - set(alphabet)):
            raise ValueError(f"context: got {''.join(unknown)!r}, expected characters of the alphabet")
        super().__init__(
            still=still,
            opening=lambda: png(next_figure(model, alphabet, context, mass=_OPENING["mass"])),
            alt=alt,
            sizes=sizes,
            weights=weights,
            alphabet=alphabet,
            context=context,
            choice=_OPENING,
        )


def rounded(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix (n, m) as int8 numbers, the largest of a row ±127, and the float32 scale of each row, (n,)."""
    scale = matrix.abs().amax(1).clamp(min=torch.finfo(torch.float32).tiny) / 127
    return (matrix / scale[:, None]).round().to(torch.int8), scale.float()


def exported(model: LSTMLanguageModel) -> tuple[dict[str, int], bytes]:
    """What `lstm.js` runs: the sizes of the net; all scales and biases, float32, then the weights, int8.

    Raises TypeError or ValueError for another model than an LSTM without a stop symbol.
    """
    if not isinstance(model, LSTMLanguageModel):
        raise TypeError(f"model: got {type(model).__name__}, expected an LSTMLanguageModel")
    if model.stop is not None:
        raise ValueError(f"model: got the stop symbol {model.stop}, expected a model without one")
    into, back, *added = (weight.detach().cpu() for weight in model.lstm.all_weights[0])
    embed, head = model.embed.weight.detach().cpu(), model.head.weight.detach().cpu()
    numbers, scales = zip(*map(rounded, (embed, into, back, head)), strict=True)
    biases = [added[0] + added[1], model.head.bias.detach().cpu()]
    sizes = {"symbols": model.levels, "embedding": embed.shape[1], "hidden": back.shape[1]}
    exact = float_bytes(torch.cat([*scales, *biases]))
    return sizes, exact + torch.cat([part.flatten() for part in numbers]).numpy().tobytes()
