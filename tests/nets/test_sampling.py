"""Modes, gradients and arguments of drawing."""

import pytest
import torch
from torch import nn

from gmcourse.nets import evaluating, parts, sampling


@pytest.mark.parametrize("training", [True, False])
def test_evaluating_restores_the_mode_even_after_an_error(training):
    net = nn.Sequential(nn.Dropout(0.5)).train(training)
    with evaluating(net):
        assert not net.training
        assert not net[0].training
    assert net.training == net[0].training == training
    with pytest.raises(RuntimeError, match="inside"), evaluating(net):
        raise RuntimeError("inside")
    assert net.training == training


@pytest.mark.parametrize("training", [True, False])
def test_sampling_rests_dropout_and_gradients_and_restores_both(training):
    net = nn.Sequential(nn.Dropout(0.5)).train(training)
    with sampling(net, 3):
        assert not net[0].training
        assert not torch.is_grad_enabled()
    assert net.training == net[0].training == training
    assert torch.is_grad_enabled()
    with pytest.raises(RuntimeError, match="inside"), sampling(net, 0):
        raise RuntimeError("inside")
    assert net.training == training
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("n", "rng", "error", "said"),
    [
        (-1, None, ValueError, "n: got -1, expected a number of samples, at least 0"),
        (2.0, None, TypeError, "n: got 2.0"),
        ((2, 3), None, TypeError, r"n: got \(2, 3\)"),
        (True, None, TypeError, "n: got True"),
        (2, 0, TypeError, "rng: got 0, expected a torch.Generator"),
    ],
)
def test_sampling_names_what_does_not_fit(n, rng, error, said):
    with pytest.raises(error, match=said), sampling(nn.Identity(), n, rng):
        pytest.fail("the block was entered")


def test_many_samples_come_in_parts_that_add_up():
    assert parts(2_500, (1, 28, 28)) == [1_000, 1_000, 500]
    assert parts(2_500, (2,)) == [2_500]
    assert parts(0, (2,)) == [0]
    assert parts(3, ()) == [3]
