"""The law of directions passes a loop over the classes and catches each planted bug."""

import torch

from gmcourse.gan.editing import direction, direction_within
from gmcourse.laws.gan import editing


def in_halves(w, values, classes):
    return direction_within(w, values, classes, share=0.5)


def by_class(w, values, classes):
    """The same, written with a loop; classes of two rows count, too."""
    total = torch.zeros(w.shape[1])
    for c in classes.unique():
        part = classes == c
        total = total + part.float().mean() * direction(w[part], values[part], 0.5)
    return total


RIGHT = {editing.direction_holds_the_class: (by_class,)}
BUGS = {
    editing.direction_holds_the_class: {
        "the class let go": (lambda w, v, c: direction(w, v, 0.5), "dependence"),
        "classes counted alike": (
            lambda w, v, c: torch.stack([direction(w[c == k], v[c == k], 0.5) for k in c.unique()]).mean(0),
            "reduction",
        ),
        "the wrong way": (lambda w, v, c: -by_class(w, v, c), "sign"),
        "a unit vector": (lambda w, v, c: by_class(w, v, c) / by_class(w, v, c).norm(), "spread"),
        "small classes left out": (in_halves, "reduction"),
    },
}
