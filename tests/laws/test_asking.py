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
