"""The average of the weights: tied weights, buffers, and what a checkpoint holds of it."""

import pytest
import torch
from torch import nn

from gmcourse.scores.average import WeightAverage


class Tied(nn.Module):
    """Two layers with one weight, and a buffer."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        return self.second(self.first(x))


def test_tied_weights_are_followed_in_every_place_and_buffers_taken_over():
    net = Tied()
    average = WeightAverage(net, 0.0)
    nn.init.constant_(net.first.weight, 5.0)
    net.seen.fill_(3.0)
    average.update(net)
    x = torch.randn(3, 2)
    torch.testing.assert_close(average(x), net(x))
    assert average.module.seen.item() == 3.0


def test_it_is_saved_with_its_count_and_its_decay_is_told():
    net = nn.Linear(2, 2)
    average, other = WeightAverage(net, 0.5), WeightAverage(nn.Linear(2, 2), 0.5)
    average.update(net)
    other.load_state_dict(average.state_dict())
    assert other.updates.item() == 1
    assert torch.equal(other.module.weight, average.module.weight)
    assert "decay=0.5" in repr(average)


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_outside_its_range_is_refused(decay):
    with pytest.raises(ValueError, match=f"decay: got {decay}, expected 0 <= decay < 1"):
        WeightAverage(nn.Linear(1, 1), decay)
