"""The law of masks passes right answers and catches each planted bug."""

import torch

from gmcourse.autoregressive import masked_convolution
from gmcourse.exercises.autoregressive.convolutional_pixels import pixel_mask
from gmcourse.laws.autoregressive import masks


def package(kernel, kind, colours):
    return masked_convolution.pixel_mask(kernel, kind, colours, colours, colours)


def changed(change):
    def answer(kernel, kind, colours):
        mask = package(kernel, kind, colours)
        change(mask, kernel // 2)
        return mask

    return answer


def put(rows, columns, value):
    def change(mask, middle):
        mask[:, :, rows(middle), columns(middle)] = value

    return changed(change)


def every_tap(kernel, kind, colours):
    """The order of colours at all taps."""
    middle = package(kernel, kind, colours)[:, :, kernel // 2, kernel // 2]
    return masked_convolution.pixel_mask(kernel, "B", 1, 1) * middle[:, :, None, None]


ALL = slice(None)
RIGHT = {
    masks.mask_follows_the_order: (pixel_mask, package, lambda *inputs: package(*inputs).bool()),
}
BUGS = {
    masks.mask_follows_the_order: {
        "A for B": (lambda k, kind, colours: package(k, "AB".replace(kind, ""), colours), "direction"),
        "R sees G": (lambda *inputs: package(*inputs).transpose(0, 1), "dependence"),
        "the row below": (put(lambda m: slice(m + 1, None), lambda m: ALL, 1), "sign"),
        "back to front": (lambda *inputs: package(*inputs).flip(2, 3), "sign"),
        "nothing above to the right": (put(lambda m: slice(0, m), lambda m: slice(m + 1, None), 0), "reduction"),
        "nothing straight above": (put(lambda m: slice(0, m), lambda m: slice(m, None), 0), "reduction"),
        "the own row to the right": (put(lambda m: m, lambda m: slice(m + 1, None), 1), "one-to-one"),
        "nothing to the left": (put(lambda m: m, lambda m: slice(0, m), 0), "one-to-one"),
        "one mask for all colours": (
            lambda k, kind, colours: masked_convolution.pixel_mask(k, kind).expand(colours, colours, k, k),
            "constant",
        ),
        "each colour sees itself": (
            lambda k, kind, c: package(k, "A", c) * 0 + masked_convolution.pixel_mask(k, "A") + _own(k, c),
            "direction",
        ),
        "the order at every tap": (every_tap, "spread"),
        "one colour": (lambda k, kind, colours: masked_convolution.pixel_mask(k, kind)[0, 0], "shape"),
        "no mask": (lambda k, kind, colours: torch.ones(colours, colours, k, k), "sign"),
    },
}


def _own(kernel, colours):
    middle = torch.zeros(colours, colours, kernel, kernel)
    middle[:, :, kernel // 2, kernel // 2] = torch.eye(colours)
    return middle
