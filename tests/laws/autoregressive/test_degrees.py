"""The law of degrees passes right answers and catches each planted bug."""

from itertools import pairwise

import torch

from gmcourse.autoregressive.made import made_masks
from gmcourse.laws.autoregressive import degrees


def by_loops(order, hidden):
    layers = [order + 1, *hidden]
    masks = [torch.tensor([[int(k >= j) for j in before] for k in after]) for before, after in pairwise(layers)]
    return (*masks, torch.tensor([[int(place >= j) for j in layers[-1]] for place in order]))


def by_ordering(order, hidden):
    """Sorted by place, and put back."""
    first, *rest = made_masks(torch.arange(len(order)), hidden)
    return first[:, order], *rest[:-1], rest[-1][order]


def last_with(compare):
    return lambda order, hidden: [*made_masks(order, hidden)[:-1], compare(order[:, None] + 1, hidden[-1])]


def hidden_with(compare):
    return lambda order, hidden: [
        *(compare(after[:, None], before) for before, after in pairwise([order + 1, *hidden])),
        made_masks(order, hidden)[-1],
    ]


def ends_from(first, last=None):
    def answer(order, hidden):
        return [*made_masks(first(order), hidden)[:-1], made_masks((last or first)(order), hidden)[-1]]

    return answer


def same(order):
    return order


RIGHT = {degrees.degrees_rise: (lambda *inputs: tuple(made_masks(*inputs)), by_loops, by_ordering)}
BUGS = {
    degrees.degrees_rise: {
        "≥ in the last layer": (last_with(torch.ge), "dependence"),
        "all open in the last layer": (last_with(lambda k, j: k >= 0 * j), "dependence"),
        "places from 0 at the inputs": (ends_from(lambda order: order - 1, same), "dependence"),
        "inputs by the inverse": (ends_from(torch.argsort, same), "dependence"),
        "outputs in raster order": (ends_from(same, lambda order: torch.arange(len(order))), "dependence"),
        "the inverse order": (ends_from(torch.argsort), "direction"),
        "no order": (ends_from(lambda order: torch.arange(len(order))), "direction"),
        "the last first": (ends_from(lambda order: len(order) - 1 - order), "direction"),
        "places from 0": (ends_from(lambda order: order - 1), "constant"),
        "places from 0 at the outputs": (ends_from(same, lambda order: order - 1), "constant"),
        "> in all layers": (hidden_with(torch.gt), "reduction"),
        "≤ in the hidden layers": (hidden_with(torch.le), "sign"),
        "< in the last layer": (last_with(torch.lt), "sign"),
        "all turned": (lambda order, hidden: [~mask for mask in made_masks(order, hidden)], "sign"),
        "no last mask": (lambda order, hidden: made_masks(order, hidden)[:-1], "container"),
        "inputs first": (lambda order, hidden: [mask.T for mask in made_masks(order, hidden)], "shape"),
        "a chain of units": (hidden_with(torch.eq), ""),
        "in place": (lambda order, hidden: made_masks(order.add_(1) - 1, hidden), "mutation"),
    },
}
