"""What an answer costs: how many times in turn a model calls its network, counted on the model itself."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gmcourse.data import Dataset
from gmcourse.record import ModelRecord

LAYERS = (nn.Linear, nn.modules.conv._ConvNd, nn.modules.rnn.RNNBase, nn.modules.rnn.RNNCellBase)
PRODUCTS = {"addmm", "mm", "addmv", "mv", "convolution", "lstm", "gru", "mkldnn_rnn_layer"}
COPIES = {"mul", "index", "index_select", "clone"}  # what makes a masked or sorted weight of a weight
DIMENSIONS = (2, 5)
SEEDS = 3

Ask = Callable[..., Any]
"""A question to a model: ask(model, x), or ask(model, x, given) of a conditional one; x is a batch of one example."""


def draw(model: Any, x: Tensor, *given: Tensor) -> Tensor:
    """One sample, for the first row of what is given."""
    return model.sample(1, *(t[:1] for t in given))


class Calls(TorchDispatchMode):
    """Counts the products that each layer of a network takes part in, whoever asks for them.

    A product counts for the layer in whose memory one of its arguments lies: its weight, its bias, a part of them, or a
    copy with a mask or in another order. A matrix that no layer holds counts by itself. What a backward pass multiplies
    is not counted.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.owners = {
            tensor.untyped_storage().data_ptr(): name if isinstance(layer, LAYERS) else f"{name}.{own}"
            for name, layer in model.named_modules()
            for own, tensor in _held(layer)
            if isinstance(layer, LAYERS) or tensor.dim() > 1
        }
        self.copies: list[Any] = []  # held, so that no other tensor comes to lie where they were

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result, name = func(*args, **(kwargs or {})), func.overloadpacket.__name__
        if name not in PRODUCTS | COPIES or torch._C._current_graph_task_id() != -1:
            return result
        places = {item.untyped_storage().data_ptr() for item in args if isinstance(item, Tensor)}
        owners = {self.owners[place] for place in places if place in self.owners}
        if name in PRODUCTS:
            self.counts.update(owners)
        elif owners:
            self.copies.append(result)
            self.owners[result.untyped_storage().data_ptr()] = min(owners)
        return result


def _held(layer: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """A module's own parameters; of a layer its buffers, too, where averages of weights are kept."""
    yield from layer.named_parameters(recurse=False)
    if isinstance(layer, LAYERS):
        yield from layer.named_buffers(recurse=False)


def passes(record: ModelRecord, data: Dataset | None = None, seed: int = 0, ask: Ask = draw) -> int:
    """How often one answer uses the layer of a network that it uses most; 0 where there is no network."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = record.build(data).eval()
        x, *given = record.example(1)
        with torch.no_grad(), Calls(model) as calls:
            ask(model, x if data is None else data.train[:1], *given)
    return max(calls.counts.values(), default=0)


def cost(record: ModelRecord, ask: Ask = draw) -> str:
    """The passes of one answer, in words: "D passes" where they follow the number of coordinates, else what was seen.

    Counted on small, untrained models; a range means that the count follows the weights.
    """
    classes = torch.arange(64) % 10  # for models that are told one
    points = [Dataset.from_tensors(torch.zeros(64, dims), classes) for dims in DIMENSIONS]
    if all(record.suits(data.event_shape, data.train.dtype) for data in points):
        if tuple(passes(record, data, ask=ask) for data in points) == DIMENSIONS:
            return "D passes"
    seen = sorted({passes(record, seed=seed, ask=ask) for seed in range(SEEDS)})
    if seen == [0]:
        return "a formula"
    if seen == [dims := record.example(1)[0].numel()] and dims > max(DIMENSIONS):
        return "D passes"
    return "1 pass" if seen == [1] else f"{'–'.join(str(count) for count in dict.fromkeys((seen[0], seen[-1])))} passes"
