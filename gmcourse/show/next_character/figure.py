"""The next character as the explorer opens, drawn: the likeliest ten, as given and as chosen."""

import torch
from matplotlib.figure import Figure

from gmcourse.autoregressive.choosing import nucleus
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.nets import evaluating
from gmcourse.show.style import COLOURS

_UNSEEN = {" ": "space", "\n": "newline"}


@torch.no_grad()
def next_figure(model: LSTMLanguageModel, alphabet: str, context: str, mass: float, most: int = 10) -> Figure:
    """p of the next character after `context`, and q, its nucleus of `mass`: two bars for each of the likeliest."""
    device = model.head.weight.device
    codes = torch.tensor([[alphabet.index(symbol) for symbol in context] + [0]], device=device)
    with evaluating(model):
        logits = model.logits(codes)[0, :, -1].float().cpu()
    p, q = logits.softmax(0), nucleus(logits, mass).softmax(0)
    order = p.argsort(descending=True, stable=True)[:most]
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    axes = figure.subplots()
    places = range(len(order))
    for shift, values, kind, name in (
        (-0.2, p, "model", "p, the model’s"),
        (0.2, q, "samples", f"q, its nucleus of mass {mass:g}"),
    ):
        heights = values[order].tolist()
        axes.bar([place + shift for place in places], heights, 0.4, color=COLOURS[kind], label=name)
    axes.set(ylabel="probability", xticks=places)
    axes.set_xticklabels([_UNSEEN.get(alphabet[v], alphabet[v]) for v in order.tolist()])
    axes.set_title(f"after “{context}”".replace("\n", "↵"), loc="left", fontsize=10)
    axes.legend(frameon=False)
    return figure
