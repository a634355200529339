"""A candidate gets inputs of its own, and what it does to them is told."""

import pytest
import torch

from gmcourse.laws import LawBroken
from gmcourse.laws.asking import ask


def test_the_value_comes_back_and_gradients_pass():
    x = torch.ones(3, requires_grad=True)
    ask(lambda x, k: (k * x).sum(), x=x, k=2.0).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_a_changed_input_is_named_and_ours_is_whole():
    x, b = torch.tensor([1.0, 2.0]), torch.tensor([5.0, 7.0])

    def careless(x, b):
        b -= x
        return b

    with pytest.raises(LawBroken) as broken:
        ask(careless, x=x, b=b)
    assert (broken.value.cause, broken.value.observed) == ("mutation", "after the call b = [4, 5]")
    assert b.tolist() == [5.0, 7.0]


def test_a_list_is_cloned_with_its_tensors():
    layers, sizes = [torch.tensor([1, 2]), torch.tensor([3])], [4, 5]
    ask(lambda layers, sizes: layers, layers=layers, sizes=sizes)
    with pytest.raises(LawBroken, match=r"after the call layers = \[\[2, 3\], \[3\]\], expected layers = \[\[1, 2\]"):
        ask(lambda layers, sizes: layers[0].add_(1), layers=layers, sizes=sizes)
    with pytest.raises(LawBroken, match=r"after the call sizes = \[4\], expected sizes = \[4, 5\]"):
        ask(lambda layers, sizes: sizes.pop(), layers=layers, sizes=sizes)
    with pytest.raises(LawBroken, match=r"after the call sizes = \[4, 6\], expected sizes = \[4, 5\]"):
        ask(lambda layers, sizes: sizes.__setitem__(1, 6), layers=layers, sizes=sizes)
    assert (layers[0].tolist(), sizes) == ([1, 2], [4, 5])
