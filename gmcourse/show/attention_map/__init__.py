"""The attention map: a translator that runs in the page writes a number in German, and shows where it looks."""

from collections.abc import Iterator
from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from gmcourse.autoregressive.translator import Translator, attention_map, beam
from gmcourse.data.number_words import ALPHABET, NUMBERS, english, german, to_rows
from gmcourse.nets.attention import MultiHeadAttention, TransformerBlock
from gmcourse.show.explorer import joined
from gmcourse.show.style import COLOURS, png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = "The German words of a number over the English ones, and lines between them as dark as the weights are large."
_LONGEST = [max(len(spell(number)) for number in (1, 7777)) for spell in (english, german)]


class AttentionMap(Explorer):
    """Type a number: `model` writes it in German, and shows, word by word, how much it looks at each English word.

    `model` is a `Translator` of the number words; its weights go into the page as float16, where no kernel is needed.
    It opens with `number`. For print and for GitHub there is `still`, or else a picture of that number with the mean of
    the heads; `alt` says what is seen. Raises TypeError or ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "attention_map.js")
    _css = styled(_HERE / "attention_map.css")

    shape = traitlets.Dict().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    number = traitlets.Int().tag(sync=True)

    def __init__(self, model: Translator, *, number: int = 347, still: Figure | None = None, alt: str = _ALT):
        shape, weights = exported(model)
        if number not in NUMBERS:
            raise ValueError(f"number: got {number}, expected {NUMBERS[0]} to {NUMBERS[-1]}")
        super().__init__(
            still=still,
            opening=lambda: png(_map(model, number)),
            alt=alt,
            shape=shape,
            weights=weights,
            words=list(ALPHABET),
            number=number,
        )


def exported(model: Translator) -> tuple[dict[str, int], bytes]:
    """What `translator.js` runs: the sizes of the net, and its weights as the passes use them, float16, in their order.

    Raises TypeError or ValueError for another model than a `Translator` of the number words, with room for all of them.
    """
    if not isinstance(model, Translator):
        raise TypeError(f"model: got {type(model).__name__}, expected a Translator")
    sizes = {"levels": model.levels, "places": model.event_shape[0], "sourcePlaces": model.source_places}
    least = {"levels": len(ALPHABET), "places": _LONGEST[1], "sourcePlaces": _LONGEST[0]}
    if sizes["levels"] != least["levels"] or any(sizes[name] < least[name] for name in sizes):
        raise ValueError(f"model: got {sizes}, expected the number words, {least} or more places")
    width, layers = model.embed.embedding_dim, len(model.decoder)
    sizes |= {"width": width, "heads": model.decoder[0].attend.heads, "layers": layers}
    numbers = torch.cat([part.detach().flatten().cpu() for part in _parts(model)])
    return sizes, numbers.numpy().astype("<f2").tobytes()


def _parts(model: Translator) -> Iterator[Tensor]:
    """The weights in the order in which the page takes them."""
    positions = model.source_positions
    yield from (model.embed.weight, model.places)
    yield positions if positions is not None else torch.zeros(model.source_places, model.embed.embedding_dim)
    for block in model.encoder:
        yield from _block(block)
    yield from model.source_norm.parameters()
    for block in model.decoder:
        yield from _block(block)
        yield from _attention(block.cross_norm, block.cross)
    yield from (*model.norm.parameters(), *model.head.parameters())


def _block(block: nn.Module) -> Iterator[Tensor]:
    assert isinstance(block, TransformerBlock)
    yield from _attention(block.norm, block.attend)
    yield from (*block.mlp_norm.parameters(), *block.mlp.parameters())


def _attention(norm: nn.LayerNorm, attend: MultiHeadAttention) -> Iterator[Tensor]:
    yield from (*norm.parameters(), attend.query.weight, attend.key_value.weight, *attend.out.parameters())


def _map(model: Translator, number: int) -> Figure:
    """The German words over the English, and lines between them, the mean of the heads."""
    source = [word for word, _ in english(number)]
    given = to_rows([source], model.source_places)
    with torch.no_grad():
        said = beam(model, given)[0]
    looks = attention_map(model, said, given)[-1, 0].mean(0)
    written = [ALPHABET[code] for code in said[0].tolist() if code]
    figure = Figure(figsize=(5.4, 2.0))
    axes = figure.subplots()
    columns = max(len(written), len(source))
    xs = [[(place + 0.5) * columns / len(row) for place in range(len(row))] for row in (source, written)]
    for row, places, height, align in ((source, xs[0], 0.0, "top"), (written, xs[1], 1.0, "bottom")):
        for word, x in zip(row, places, strict=True):
            axes.text(x, height, word, ha="center", va=align, fontsize=11)
    for weights, top in zip(looks.tolist(), xs[1], strict=False):
        for weight, bottom in zip(weights, xs[0], strict=False):
            axes.plot([top, bottom], [0.95, 0.05], color=COLOURS["model"], alpha=weight, linewidth=0.5 + 4 * weight)
    axes.set(xlim=(0, columns), ylim=(-0.2, 1.2))
    axes.axis("off")
    return figure
