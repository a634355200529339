"""NADE: its passes against a loop over bits, their derivatives, and its samples."""

import pytest
import torch

from gmcourse.autoregressive import NADE, nade_passes
from gmcourse.autoregressive.discrete import one_by_one, uniforms
from gmcourse.autoregressive.nade_passes import nade_backward, nade_logits, nade_logits_by_state
from gmcourse.laws.autoregressive.dependence import is_autoregressive
from gmcourse.laws.mass import sums_to_one
from gmcourse.probability import bernoulli_log_prob

ORDER = (2, 0, 3, 1, 4, 8, 7, 5, 6)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def by_loop(x, weight, output, bias, hidden_bias):
    """The definition, bit after bit."""
    a, logits = hidden_bias.expand(len(x), -1), []
    for d in range(x.shape[1]):
        logits.append(a.sigmoid() @ output[d] + bias[d])
        a = a + x[:, d : d + 1] * weight[d]
    return torch.stack(logits, 1)


def inputs(dims=7, hidden=4, rows=3, share=0.4):
    rng = seeded()
    x = (torch.rand(rows, dims, generator=rng) < share).double()
    shapes = (dims, hidden), (dims, hidden), (dims,), (hidden,)
    return x, *(torch.randn(shape, generator=rng, dtype=torch.float64).requires_grad_() for shape in shapes)


@pytest.fixture(params=[1, 3, 8], ids=str)
def blocks(request, monkeypatch):
    """Passes in blocks that leave a rest, that are one bit, or that hold everything."""
    monkeypatch.setattr(nade_passes, "BLOCK", request.param)
    monkeypatch.setattr(nade_passes, "STATES_BLOCK", request.param)


@pytest.mark.parametrize("passes", [nade_logits, nade_logits_by_state])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_logits_are_those_of_the_definition(passes, share, blocks):
    arguments = inputs(share=share)
    torch.testing.assert_close(passes(*arguments), by_loop(*arguments))


def test_of_x_that_is_no_bit_too(blocks):
    _, *weights = inputs()
    x = torch.randn(3, 7, generator=seeded(), dtype=torch.float64)
    torch.testing.assert_close(nade_logits(x, *weights), by_loop(x, *weights))


def test_the_backward_pass_is_right_and_can_be_differentiated(blocks):
    x, *weights = inputs(dims=5, hidden=2, rows=2)
    x = (x + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(nade_logits, (x, *weights))
    assert torch.autograd.gradgradcheck(nade_logits, (x, *weights))


def test_the_pass_by_states_is_right_backwards(blocks):
    x, *weights = inputs(dims=5, hidden=2, rows=2)
    assert torch.autograd.gradcheck(lambda *weights: nade_logits_by_state(x, *weights), weights)


def test_the_gradients_of_a_batch(blocks):
    x, *weights = inputs()
    expected = torch.autograd.grad(-bernoulli_log_prob(x, by_loop(x, *weights)).sum(), weights)
    for gradient, value in zip(nade_backward(x, *weights), expected, strict=True):
        torch.testing.assert_close(gradient, value)


def test_nothing_is_kept_of_the_size_of_all_hidden_units():
    x, *weights = inputs(dims=64, hidden=50, rows=10)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        nade_logits(x, *weights)
    assert kept
    assert max(kept) <= 64 * 50


@pytest.mark.parametrize("order", [None, ORDER])
def test_it_is_autoregressive_in_its_order_and_its_mass_is_1(order):
    model = NADE((1, 3, 3), 5, order)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=seeded())
    is_autoregressive(model.logits, shape=(1, 3, 3), order=order)
    sums_to_one(lambda x: model.log_prob(x.view(-1, 1, 3, 3)), dims=9, tolerance=1e-5)


@pytest.mark.parametrize("order", [None, ORDER])
def test_samples_are_those_of_the_naive_way(order):
    torch.manual_seed(0)
    model = NADE((1, 3, 3), 5, order).double()
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=seeded(), dtype=torch.float64)
    u = uniforms(200, 9, model.weight, seeded())
    entries = torch.arange(9) if order is None else torch.tensor(order).argsort()

    def by_place(x):  # one_by_one goes by places
        y = torch.empty_like(x).flatten(1)
        y[:, entries] = x.flatten(1)
        logits = model.logits(y.view(x.shape)).flatten(1)[:, entries].view(x.shape)
        return torch.stack([torch.zeros_like(logits), logits], 1)

    naive = one_by_one(by_place, u.new_zeros(200, 1, 3, 3), u[:, entries], 2)
    assert torch.equal(model.sample(200, rng=seeded()).flatten(1)[:, entries], naive.flatten(1))


def test_the_loss_is_that_of_log_prob_and_has_its_gradient():
    torch.manual_seed(0)
    model = NADE((1, 3, 3), 5)
    x = (torch.rand(20, 1, 3, 3, generator=seeded()) < 0.3).float()
    ours = torch.autograd.grad(model.loss(x), model.parameters())
    theirs = torch.autograd.grad(-model.log_prob(x).mean(), model.parameters())
    torch.testing.assert_close(ours, theirs)
    assert torch.equal(torch.tensor(model.loss(x).item()), model.loss(x).detach())


def test_no_hidden_unit_is_named():
    with pytest.raises(ValueError, match="hidden: got 0"):
        NADE((3,), 0)
