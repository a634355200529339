"""The table of a family's models, drawn from the catalogue; what a draw costs is counted on the model itself."""

import ast
import inspect
from collections import Counter
from collections.abc import Iterable
from importlib import import_module

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gmcourse.catalogue import CATALOGUE
from gmcourse.data import Dataset
from gmcourse.lab.course import Lesson
from gmcourse.record import ModelRecord

ANSWERS = {
    "Sampler": "samples",
    "Density": "exact density",
    "Bounded": "a bound on the density",
    "ImportanceWeighted": "importance weights",
    "Unnormalised": "density up to a constant",
    "Scored": "score",
    "Bijection": "the latent of a point",
}
"""What a model that keeps a protocol can be asked, in words."""

LAYERS = (nn.Linear, nn.modules.conv._ConvNd, nn.modules.rnn.RNNBase, nn.modules.rnn.RNNCellBase)
PRODUCTS = {"addmm", "mm", "addmv", "mv", "convolution", "lstm", "gru", "mkldnn_rnn_layer"}
DIMENSIONS = (2, 5)
SEEDS = 3
COUNTED = (
    "*One draw* is how many times in turn a single sample calls the network that it calls most, counted when this page "
    "was built, on the small, untrained model that `build()` gives. $D$ is the number of coordinates; a range means "
    "that the count follows the weights; *a formula* calls no network."
)


class Calls(TorchDispatchMode):
    """Counts the products that each layer of a network takes part in, whoever asks for them.

    A product counts for the layer in whose memory one of its arguments lies: its weight, its bias, or a part of them.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.owners = {
            tensor.untyped_storage().data_ptr(): name
            for name, layer in model.named_modules()
            if isinstance(layer, LAYERS)
            for tensor in layer.parameters()
        }

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in PRODUCTS:
            tensors = [item for item in args if isinstance(item, Tensor)]
            owners = {self.owners.get(tensor.untyped_storage().data_ptr()) for tensor in tensors}
            self.counts.update(owners - {None})
        return func(*args, **(kwargs or {}))


def passes(record: ModelRecord, data: Dataset | None = None, seed: int = 0) -> int:
    """How often one draw uses the layer of a network that it uses most; 0 where there is no network."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = record.build(data).eval()
        given = record.example(1)[1:]
        with torch.no_grad(), Calls(model) as calls:
            model.sample(1, *given)
    return max(calls.counts.values(), default=0)


def cost(record: ModelRecord) -> str:
    """The passes of one draw, in words: "D passes" where they follow the number of coordinates, else what was seen."""
    points = [Dataset.from_tensors(torch.zeros(64, dims)) for dims in DIMENSIONS]
    if all(record.suits(data.event_shape, data.train.dtype) for data in points):
        if tuple(passes(record, data) for data in points) == DIMENSIONS:
            return "$D$ passes"
    seen = sorted({passes(record, seed=seed) for seed in range(SEEDS)})
    if seen == [0]:
        return "a formula"
    return "1 pass" if seen == [1] else f"{'–'.join(str(count) for count in dict.fromkeys((seen[0], seen[-1])))} passes"


def homes(family: str) -> dict[str, str]:
    """The module in which each record of a family stands, by the record's key."""
    records = import_module(f"gmcourse.{family}.records")
    imports = [node for node in ast.parse(inspect.getsource(records)).body if isinstance(node, ast.ImportFrom)]
    return {vars(records)[name.name].key: str(node.module) for node in imports for name in node.names}


def answers(record: ModelRecord) -> str:
    """What it can be asked, in words."""
    kept = {claim.__name__ for claim in record.claims}
    return ", ".join(words for claim, words in ANSWERS.items() if claim in kept)


def models_of(family: str, lessons: Iterable[Lesson]) -> str:
    """The table, in MyST: a row for every record of the family in the catalogue; ValueError where it has none."""
    records = sorted((record for record in CATALOGUE if record.family == family), key=lambda record: record.lesson)
    if not records:
        raise ValueError(
            f"models: got {family!r}, expected a family of the catalogue; leave the table out until it is one"
        )
    numbers = {lesson.file: lesson.number for lesson in lessons}
    places = homes(family)
    rows = [
        f"* - **{record.name}** {{py:mod}}`source <{places[record.key]}>`\n"
        f"  - {answers(record)}\n"
        f"  - {cost(record)}\n"
        f"  - [{numbers[record.lesson]}](/{record.lesson}.md)\n"
        f"  - {{cite:t}}`{record.paper}`\n"
        for record in records
    ]
    head = ":::{list-table}\n:header-rows: 1\n:class: models\n:widths: 27 33 14 8 18\n\n"
    names = "* - Model\n  - What it can be asked for\n  - One draw\n  - Lesson\n  - Paper\n"
    return f"{head}{names}{''.join(rows)}:::\n\n{COUNTED}\n"
