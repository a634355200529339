"""The tree itself: what can be evaluated on each branch, and the models of the catalogue with all their answers."""

import ast
import inspect
from collections.abc import Iterable
from functools import cache, partial
from importlib import import_module
from typing import Any

from gmcourse.catalogue import CATALOGUE
from gmcourse.family_tree.questions import QUESTIONS, Way, way
from gmcourse.metrics.calls import cost
from gmcourse.record import BRANCHES, ModelRecord

EVALUATES = {  # on each branch, and on those that lead to it
    ("explicit density",): "The model defines p(x), or its slope, by a formula.",
    ("explicit density", "tractable"): "log p(x) itself can be computed.",
    ("explicit density", "tractable", "probability table"): "log p(x), read from tables of probabilities",
    ("explicit density", "tractable", "fully visible belief net"): (
        "log p(x), a sum of one conditional log-probability for each coordinate"
    ),
    ("explicit density", "tractable", "normalising flow"): (
        "log p(x), from the latent z of x and the change of volume between them"
    ),
    ("explicit density", "tractable", "continuous flow"): (
        "log p(x), by a differential equation: exact up to the solver's error, in many dimensions up to an estimate"
    ),
    ("explicit density", "approximate"): "log p(x) cannot be computed, but something in its place can.",
    ("explicit density", "approximate", "variational"): "a lower bound on log p(x)",
    ("explicit density", "approximate", "discrete codes"): (
        "log p(z) of the codes z of x and, with the decoder, a lower bound on log p(x)"
    ),
    ("explicit density", "approximate", "dequantised flow"): (
        "a lower bound on log p(x) of whole numbers, such as grey levels: a flow with noise added"
    ),
    ("explicit density", "approximate", "diffusion"): "the score of noisy points, and a lower bound on log p(x)",
    ("explicit density", "approximate", "score"): "the score, of points or of noisy points, and nothing else of p(x)",
    ("explicit density", "approximate", "Markov chain"): (
        "an energy, which is −log p(x) up to a constant; samples take a chain of steps"
    ),
    ("implicit density",): "The model holds a way to draw samples, and no formula for p(x).",
    ("implicit density", "adversarial"): "samples alone, which a critic compares with data",
    ("implicit density", "distilled"): "samples alone, learnt from a model that takes many steps",
    ("implicit density", "Markov chain"): "samples alone, each from the one before",
    ("no density",): "Not generative by itself; parts of it serve in models that are.",
    ("no density", "autoencoder"): "a code, and a reconstruction from it",
}

_DENSITIES = {
    "exact": "log p(x) is exact",
    "bound": "log p(x) is known by a lower bound",
    "unnormalised": "log p(x) is known up to a constant",
    "implicit": "log p(x) cannot be asked for",
    "none": "there is no p(x)",
}
_PAGES = {  # of the reference, by the module that they hold, where it is not the page named after the family
    f"gmcourse.{family}.{module}": page
    for family, page, modules in (
        (
            "autoregressive",
            "autoregressive_images",
            ("row_lstm", "diagonal_lstm", "pixelcnn", "gated_pixelcnn", "pixelcnn_pp"),
        ),
        ("autoregressive", "autoregressive_sequences", ("lstm", "transformer", "translator", "wavenet")),
        ("flows", "flows_splines", ("spline_flows", "autoregressive", "distillation")),
        ("flows", "flows_images", ("glow",)),
        ("flows", "flows_continuous", ("continuous", "matching", "residual")),
    )
    for module in modules
}


def family_tree(records: Iterable[ModelRecord] = CATALOGUE) -> dict[str, Any]:
    """The tree as the explorer and the figure take it: the questions, and each branch with its models, of plain types.

    A branch has a name, what it `evaluates`, and either `branches` or `models`. A model has `answers`: by the key of a
    question that it can answer, the method and what the answer costs, counted on the model itself.
    """
    questions = [{"key": each.key, "words": each.words, "note": each.note} for each in QUESTIONS]
    leaves: dict[tuple[str, ...], dict[str, list]] = {path: {"models": []} for path in BRANCHES}
    for record in records:
        leaves[record.branch]["models"].append(_leaf(record))
    kept = {path: held for path, held in leaves.items() if held["models"]}
    return {"questions": questions, "branches": _nested(kept, ())}


def _nested(leaves: dict[tuple[str, ...], dict], above: tuple[str, ...]) -> list[dict[str, Any]]:
    names = dict.fromkeys(path[len(above)] for path in leaves if path[: len(above)] == above)
    paths = [(*above, name) for name in names]
    return [
        {"name": path[-1], "evaluates": EVALUATES[path]}
        | (leaves[path] if path in leaves else {"branches": _nested(leaves, path)})
        for path in paths
    ]


def _leaf(record: ModelRecord) -> dict[str, Any]:
    answers = {}
    for question in QUESTIONS:
        if found := way(question, record, partial(_price, record)):
            answers[question.key] = {"by": found.method, "cost": _price(record, found) + found.after}
    module = home(record)
    return {
        **{field: getattr(record, field) for field in ("name", "key", "year", "arxiv", "lesson")},
        "number": lesson_number(record.lesson),
        "density": _DENSITIES[record.density],
        "module": module,
        "page": f"api/{_PAGES.get(module, record.family)}",
        "answers": answers,
    }


@cache
def _price(record: ModelRecord, answer: Way) -> str:
    return cost(record, answer.ask)


def home(record: ModelRecord) -> str:
    """The module in which a record of the catalogue stands: "gmcourse.flows.planar"."""
    records = import_module(f"gmcourse.{record.family}.records")
    imports = [node for node in ast.parse(inspect.getsource(records)).body if isinstance(node, ast.ImportFrom)]
    places = {vars(records)[name.name].key: str(node.module) for node in imports for name in node.names}
    return places[record.key]


def lesson_number(lesson: str) -> str:
    """ "05_gan/02_dynamics" is lesson 5.2."""
    chapter, name = lesson.split("/")
    return f"{int(chapter[:2])}.{int(name[:2])}"
