"""Every law of translation passes the package's own function and catches each planted bug."""

import torch

from gmcourse.gan.cycle import cycle_loss, mixed
from gmcourse.gan.pairs import coarse, inside_blocks
from gmcourse.gan.patch import receptive_field
from gmcourse.laws.gan import translation


def backwards(layers):
    """From the output to the input, as many a page tells it; the step is a product."""
    side = step = 1
    for kernel, stride in reversed(layers):
        side, step = (side - 1) * stride + kernel, step * stride
    return side, step


def forwards(layers):
    """The recursion of `backwards` in the wrong order."""
    side = step = 1
    for kernel, stride in layers:
        side, step = (side - 1) * stride + kernel, step * stride
    return side, step


def late(layers):
    side = step = 1
    for kernel, stride in layers:
        step *= stride
        side += (kernel - 1) * step
    return side, step


def one_way(to_b, to_a, a, b):
    return (to_a(to_b(a)) - a).abs().mean()


def squared(to_b, to_a, a, b):
    return (to_a(to_b(a)) - a).square().mean() + (to_b(to_a(b)) - b).square().mean()


def cut(to_b, to_a, a, b):
    return (to_a(to_b(a).detach()) - a).abs().mean() + (to_b(to_a(b).detach()) - b).abs().mean()


def by_rows(to_b, to_a, a, b):
    rounds = (to_a(to_b(a)) - a, to_b(to_a(b)) - b)
    return sum(gaps.abs().mean((1, 2, 3)).mean() for gaps in rounds)


def mixed_by_rows(fresh, kept, coin, places):
    shown, kept = fresh.clone(), kept.clone()
    for row in coin.nonzero().flatten():
        shown[row], kept[places[row]] = kept[places[row]].clone(), fresh[row]
    return shown, kept


RIGHT = {
    translation.field_is_what_gradients_reach: (receptive_field, backwards),
    translation.cycle_goes_both_ways: (cycle_loss, by_rows),
    translation.buffer_is_swapped: (mixed, mixed_by_rows),
    translation.inside_is_what_block_means_leave: (inside_blocks,),
}
BUGS = {
    translation.field_is_what_gradients_reach: {
        "kernels added": (lambda layers: (sum(k for k, _ in layers), receptive_field(layers)[1]), "reduction"),
        "the strides left out": (
            lambda layers: (1 + sum(k - 1 for k, _ in layers), receptive_field(layers)[1]),
            "reduction",
        ),
        "the wrong end first": (forwards, "direction"),
        "the step before its layer": (late, "direction"),
        "strides added": (lambda layers: (receptive_field(layers)[0], sum(s for _, s in layers)), "one-to-one"),
        "one pixel short": (lambda layers: (receptive_field(layers)[0] - 1, receptive_field(layers)[1]), "constant"),
        "the side alone": (lambda layers: receptive_field(layers)[0], "shape"),
    },
    translation.cycle_goes_both_ways: {
        "one way": (one_way, "dependence"),
        "squares": (squared, "spread"),
        "cut in the middle": (cut, "gradient"),
        "no absolute value": (
            lambda to_b, to_a, a, b: (to_a(to_b(a)) - a).mean() + (to_b(to_a(b)) - b).mean(),
            "sign",
        ),
        "sums": (
            lambda to_b, to_a, a, b: (to_a(to_b(a)) - a).abs().sum() + (to_b(to_a(b)) - b).abs().sum(),
            "reduction",
        ),
        "half": (lambda *given: cycle_loss(*given) / 2, "reduction"),
    },
    translation.buffer_is_swapped: {
        "the coin turned": (lambda f, k, c, i: mixed(f, k, ~c, i), "sign"),
        "always old": (lambda f, k, c, i: mixed(f, k, torch.ones_like(c), i), "randomness"),
        "never old": (lambda f, k, c, i: (f, k), "dependence"),
        "shown, and not replaced": (lambda f, k, c, i: (mixed(f, k, c, i)[0], k), "dependence"),
        "all are kept": (lambda f, k, c, i: (mixed(f, k, c, i)[0], mixed(f, k, c | True, i)[1]), "dependence"),
        "in order": (lambda f, k, c, i: (torch.where(c[:, None, None, None], k[: len(f)], f), k), "dependence"),
        "shown alone": (lambda f, k, c, i: mixed(f, k, c, i)[0], "container"),
    },
    translation.inside_is_what_block_means_leave: {
        "the mean of the picture": (lambda x, size: x - x.mean((2, 3), keepdim=True), "dependence"),
        "the sign": (lambda x, size: coarse(x, size) - x, "sign"),
        "the blocks themselves": (coarse, "direction"),
        "blocks out of place": (lambda x, size: x - coarse(x, size).roll((1, 1), (2, 3)), "one-to-one"),
        "squares": (lambda x, size: inside_blocks(x, size).square(), "spread"),
        "one number": (lambda x, size: inside_blocks(x, size).abs().mean(), "shape"),
    },
}
