"""The mask painter: what the page follows through masks against torch's slopes, and its still pictures."""

import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.autoregressive.masked_convolution import MaskedConv2d, pixel_mask
from gmcourse.laws.autoregressive.dependence import dependence
from gmcourse.nets import MADE, MaskedLinear
from gmcourse.show.mask_painter.figure import kernels_figure, orders_figure

IMPORT = 'import * as page from "./mask_painter/dependence.js";\n'
ORDER = """
const masks = page.madeMasks(given.places, given.degrees, given.strict);
const paths = page.openPaths(masks);
const kinds = paths.map((row, own) => page.judged(row.map((n) => n > 0), given.places, own));
console.log(JSON.stringify({ ...masks, paths, kinds }));
"""
SIGHT = """
const pixels = Array.from({ length: given.side ** 2 }, (_, pixel) => pixel);
const all = (see) => pixels.map((pixel) => see(pixel, given, given.side));
console.log(JSON.stringify({ seen: all(page.seenBy), ever: all(page.everSeenBy) }));
"""
ORDERS = [[0, 1, 2, 3, 4, 5, 6, 7, 8], [3, 7, 0, 5, 1, 8, 6, 4, 2], [8, 0, 1, 2, 3, 4, 5, 6, 7]]


def open_wide(net):
    """With positive weights and inputs no two paths cancel: a slope is 0 only where there is no path."""
    for parameter in net.parameters():
        nn.init.uniform_(parameter, 0.1, 1)
    return net


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("places", ORDERS)
def test_the_paths_of_an_order_are_those_of_masked_layers(node, places, strict):
    torch.manual_seed(0)
    degrees = torch.randint(1, 9, (8,)).sort().values
    place = torch.tensor(places)
    net = open_wide(nn.Sequential(MaskedLinear(place + 1, degrees), MaskedLinear(degrees, place + 1, strict)))
    answer = node(IMPORT + ORDER, {"places": places, "degrees": degrees.tolist(), "strict": strict})
    first, last = (layer.mask for layer in net)
    assert torch.equal(torch.tensor(answer["first"]), first.bool())
    assert torch.equal(torch.tensor(answer["last"]), last.bool())
    assert torch.equal(torch.tensor(answer["paths"]), (last @ first).long())
    sees = dependence(net, (9,)) > 0
    earlier = place[None, :] < place[:, None]
    for kind, expected in {
        "seen": sees & earlier,
        "missed": ~sees & earlier,
        "leak": sees & ~earlier,
        "later": ~sees & ~earlier,
    }.items():
        assert torch.equal(torch.tensor([[each == kind for each in row] for row in answer["kinds"]]), expected), kind
    assert any("leak" in row for row in answer["kinds"]) is not strict


def test_a_made_with_all_degrees_sees_the_whole_triangle(node):
    net = open_wide(MADE(9, [8], 1, ORDERS[1]))
    answer = node(IMPORT + ORDER, {"places": ORDERS[1], "degrees": list(range(1, 9)), "strict": True})
    assert torch.equal(torch.tensor(answer["paths"]) > 0, dependence(net, (9,)) > 0)
    assert sum(row.count("seen") for row in answer["kinds"]) == 36


def stack_of(first, later, layers):
    """Convolutions with these taps, (size, size) each, and what the page is given."""
    sizes = [len(first), *[len(later)] * (layers - 1)]
    net = open_wide(nn.Sequential(*(MaskedConv2d(1, 1, size, "A" if k == 0 else "B") for k, size in enumerate(sizes))))
    for layer, taps in zip(net, [first, *[later] * (layers - 1)], strict=True):
        layer.mask.copy_(taps)
    taps = {name: kernel.bool().flatten().tolist() for name, kernel in (("first", first), ("later", later))}
    return net, taps | {"layers": layers, "side": 6}


@pytest.mark.parametrize("sizes", [(3, 3), (5, 3), (7, 3), (3, 5)])
@pytest.mark.parametrize("kinds", ["AB", "BB", "AA"])
@pytest.mark.parametrize("layers", [1, 3])
def test_a_pixel_sees_what_the_slopes_of_masked_convolutions_say(node, sizes, kinds, layers):
    masks = [pixel_mask(size, kind)[0, 0] for size, kind in zip(sizes, kinds, strict=True)]
    net, given = stack_of(*masks, layers)
    answer = node(IMPORT + SIGHT, given)
    assert torch.equal(torch.tensor(answer["seen"]), dependence(net, (1, 6, 6)) > 0)
    taps = "console.log(JSON.stringify(given.map(([size, kind]) => page.pixelMask(size, kind))));"
    drawn = node(IMPORT + taps, list(zip(sizes, kinds, strict=True)))
    assert drawn == [mask.bool().flatten().tolist() for mask in masks]


@pytest.mark.parametrize("seed", range(4))
def test_taps_of_any_pattern_are_followed(node, seed):
    torch.manual_seed(seed)
    net, given = stack_of((torch.rand(3, 3) < 0.4).float(), (torch.rand(5, 5) < 0.15).float(), layers=2 + seed)
    assert torch.equal(torch.tensor(node(IMPORT + SIGHT, given)["seen"]), dependence(net, (1, 6, 6)) > 0)


@pytest.mark.parametrize("size", [3, 5])
def test_blind_at_every_depth_is_the_wedge_to_the_upper_right(node, size):
    first, later = pixel_mask(size, "A")[0, 0], pixel_mask(size, "B")[0, 0]
    answer = node(IMPORT + SIGHT, stack_of(first, later, 1)[1] | {"side": 9})
    for pixel, ever in enumerate(answer["ever"]):
        for other in range(pixel):
            up, right = pixel // 9 - other // 9, other % 9 - pixel % 9
            assert ever[other] is (right <= size // 2 * up), (pixel, other)


def test_the_wedge_has_six_pixels_as_the_kernels_open(node):
    start = show.MaskPainter("kernels").start
    first, later = pixel_mask(start["first"], "A")[0, 0], pixel_mask(start["later"], "B")[0, 0]
    answer = node(IMPORT + SIGHT, stack_of(first, later, start["layers"])[1] | {"side": start["side"]})
    seen, ever = (answer[name][start["pixel"]] for name in ("seen", "ever"))
    assert (sum(seen), sum(ever), any(seen[start["pixel"] :])) == (21, 34, False)


def test_the_still_pictures_show_what_the_page_opens_on(node):
    kernels, orders = (show.MaskPainter(kind).start for kind in ("kernels", "orders"))
    assert kernels_figure(**kernels).axes[0].get_title() == "3 layers: 21 of 40 seen, 19 missed"
    assert len(kernels_figure(**kernels).axes[0].patches) == 6
    answer = node(IMPORT + ORDER, orders | {"strict": True})
    order = torch.tensor(orders["places"]).argsort().tolist()
    numbers = {"later": 0, "missed": 1, "seen": 2}
    triangle = [[numbers[answer["kinds"][i][j]] for j in order] for i in order]
    assert orders_figure(**orders).axes[3].images[0].get_array().tolist() == triangle


def test_another_kind_is_named():
    with pytest.raises(ValueError, match="kind: got 'masks', expected 'orders' or 'kernels'"):
        show.MaskPainter("masks")
