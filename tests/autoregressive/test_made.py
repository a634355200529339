"""MADE: its masks by hand, every order, the mixture of several, and samples that owe nothing to a whole pass."""

import math

import pytest
import torch

from gmcourse.autoregressive import BinaryMADE
from gmcourse.autoregressive.discrete import one_by_one, uniforms
from gmcourse.autoregressive.made import draw_degrees, ensemble_log_prob, made_masks, random_orders
from gmcourse.laws.autoregressive.dependence import is_autoregressive
from gmcourse.laws.mass import sums_to_one
from gmcourse.training import fit

ORDER = (2, 0, 3, 1, 4, 8, 7, 5, 6)
NETS = [{"hidden": (20,)}, {"hidden": (12, 9)}, {"hidden": (12, 9), "direct": False}, {"hidden": (2,)}]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def made(orders=(None,), shape=(1, 3, 3), hidden=(20,), **options):
    """A MADE with weights of a size that shows a leak."""
    model = BinaryMADE(shape, hidden, orders, **options)
    for i, parameter in enumerate(model.parameters()):
        parameter.data = torch.randn(parameter.shape, generator=seeded(i))
    return model


def test_the_masks_by_hand():
    first, second = made_masks(torch.tensor([1, 0, 2]), [torch.tensor([1, 2, 2, 1])])
    assert first.tolist() == [[False, True, False], [True, True, False], [True, True, False], [False, True, False]]
    assert second.tolist() == [[True, False, False, True], [False] * 4, [True] * 4]


def test_degrees_are_uniform_from_the_least_before():
    first, second = draw_degrees(6, (20_000, 20_000), seeded())
    assert first.unique().tolist() == [1, 2, 3, 4, 5]
    assert second.unique().tolist() == [1, 2, 3, 4, 5]
    assert first.bincount()[1:].div(20_000).sub(0.2).abs().max() < 0.012
    for seed in range(20):
        few, after = draw_degrees(6, (1, 50), seeded(seed))
        assert after.min() >= few.item()
    assert draw_degrees(1, (3,), seeded())[0].tolist() == [1, 1, 1]


@pytest.mark.parametrize("options", NETS)
@pytest.mark.parametrize("order", [None, ORDER])
def test_it_is_autoregressive_in_its_order_and_its_mass_is_1(order, options):
    model = made([order], **options)
    is_autoregressive(model.logits, shape=(1, 3, 3), order=order)
    sums_to_one(lambda x: model.log_prob(x.view(-1, 1, 3, 3)), dims=9, tolerance=1e-5)


def test_every_order_of_several_is_kept():
    orders = [None, ORDER, *random_orders(9, 2)]
    model = made(orders)
    for k, order in enumerate(orders):
        is_autoregressive(lambda x, k=k: model.logits(x, k), shape=(1, 3, 3), order=order)
    sums_to_one(lambda x: model.log_prob(x.view(-1, 1, 3, 3)), dims=9, tolerance=1e-5)


def test_one_order_twice_has_other_masks():
    model = made([None, None])
    assert not torch.equal(model.degrees0[0], model.degrees0[1])
    assert torch.equal(model.orders[0], model.orders[1])
    assert not torch.allclose(*(model.logits(torch.ones(1, 1, 3, 3), k) for k in (0, 1)))


def test_the_mixture_is_of_probabilities():
    p = torch.tensor([[0.9, 0.2], [0.1, 0.4], [0.2, 0.3]])
    torch.testing.assert_close(ensemble_log_prob(p.log()), torch.tensor([0.4, 0.3]).log())
    assert ensemble_log_prob(torch.full((2, 1), -2000.0)).item() == pytest.approx(-2000.0)
    model, x = made(random_orders(9, 3)), torch.ones(2, 1, 3, 3)
    torch.testing.assert_close(model.log_prob(x), ensemble_log_prob(model.log_probs(x)))


def test_training_goes_round_the_orders_and_evaluation_takes_all():
    model, x = made(random_orders(9, 3)).train(), torch.ones(4, 1, 3, 3)
    for k in (0, 1, 2, 0):
        torch.testing.assert_close(model.loss(x), -model.log_probs(x)[k].mean())
        model.after_step()
    torch.testing.assert_close(model.eval().loss(x), -model.log_prob(x).mean())
    fit(model, (x,), steps=5, batch_size=2, lr=1e-3, progress=False)
    assert model.turn.item() == (4 + 5) % 3


@pytest.mark.parametrize("options", NETS)
@pytest.mark.parametrize("order", [None, ORDER])
def test_samples_are_those_of_whole_passes(order, options):
    model = made([order], **options).double()
    u = uniforms(100, 9, model.layers[0].weight, seeded())
    entries = model.orders[0].argsort()

    def by_place(x):  # one_by_one goes by places
        y = torch.empty_like(x).flatten(1)
        y[:, entries] = x.flatten(1)
        logits = model.logits(y.view(x.shape)).flatten(1)[:, entries].view(x.shape)
        return torch.stack([torch.zeros_like(logits), logits], 1)

    naive = one_by_one(by_place, u.new_zeros(100, 1, 3, 3), u[:, entries], 2)
    assert torch.equal(model.sample(100, rng=seeded()).flatten(1)[:, entries], naive.flatten(1))


def test_samples_of_the_mixture_follow_its_density():
    model = made(random_orders(4, 3), shape=(4,))
    draws = model.sample(40_000, rng=seeded())
    counts = (draws @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long().bincount(minlength=16) / 40_000
    p = model.log_prob(torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 4)).exp().detach()
    assert ((counts - p).abs() < 4 * (p * (1 - p) / 40_000).sqrt() + 1e-4).all()
    assert math.isclose(p.sum().item(), 1, abs_tol=1e-5)


def test_random_orders_are_permutations_that_differ():
    orders = random_orders(7, 5, seed=3)
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert len(set(map(tuple, orders))) == 5
    assert orders == random_orders(7, 5, seed=3) != random_orders(7, 5, seed=4)


@pytest.mark.parametrize("options", [{"hidden": ()}, {"orders": ()}])
def test_nothing_to_build_is_named(options):
    with pytest.raises(ValueError, match="hidden, orders: got"):
        BinaryMADE((3,), **options)
    with pytest.raises(ValueError, match="order: got"):
        BinaryMADE((3,), (4,), [(0, 1)])
