"""The family tree: a question is chosen, and the models that can answer it light up."""

from pathlib import Path
from typing import Any

import traitlets
from matplotlib.figure import Figure

from gmcourse.catalogue import find
from gmcourse.family_tree import QUESTIONS, family_tree
from gmcourse.show.explorer import joined
from gmcourse.show.family_tree.figure import tree_figure
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = (
    "The models of the course as a tree with a line on what each branch can evaluate. Explicit densities come first, "
    "tractable and approximate ones, then implicit densities and autoencoders. The models that can answer the question "
    "are marked, with the network calls of one answer."
)


class FamilyTree(Explorer):
    """Choose a question and the models that can answer it light up, with what an answer costs; choose a model for more.

    `question` is the key of one of `gmcourse.family_tree.QUESTIONS`, `chosen` the key of a model, or "" for none; both
    follow the page where a kernel runs. `tree` is what `family_tree()` gives, the default. For print and for GitHub
    there is `still`, or else the tree as it opens; `alt` says what is seen. Raises ValueError for an unknown key.
    """

    _esm = joined(_HERE / "family_tree.js")
    _css = styled(_HERE / "family_tree.css")

    tree = traitlets.Dict().tag(sync=True)
    question = traitlets.Enum([each.key for each in QUESTIONS]).tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        question: str = "exact",
        *,
        chosen: str = "",
        tree: dict[str, Any] | None = None,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        keys = [each.key for each in QUESTIONS]
        if question not in keys:
            raise ValueError(f"question: got {question!r}, expected one of {', '.join(keys)}")
        if chosen:
            chosen = find(chosen).key
        tree = family_tree() if tree is None else tree
        super().__init__(
            still=still,
            opening=lambda: png(tree_figure(question, tree), colours=16),
            alt=alt,
            **{"tree": tree, "question": question, "chosen": chosen},
        )
