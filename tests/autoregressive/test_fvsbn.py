"""FVSBN: its probabilities by hand, its orders, its samples one by one, and one optimum from any start."""

import math

import pytest
import torch

from gmcourse.autoregressive import FVSBN
from gmcourse.autoregressive.bits import bits_of, draw_bit, mean_logits, places_of
from gmcourse.autoregressive.discrete import choose, one_by_one, uniforms
from gmcourse.autoregressive.fvsbn import fvsbn_log_prob, make_fvsbn
from gmcourse.data import Dataset
from gmcourse.laws.autoregressive.dependence import is_autoregressive
from gmcourse.laws.mass import sums_to_one
from gmcourse.training import fit

ORDER = (2, 0, 3, 1)  # not its own inverse


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def scattered(model):
    """The model with weights of a size that shows a leak."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data = torch.randn_like(parameter)
    return model


def all_bits(dims):
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * dims)


def test_the_log_probability_by_hand():
    weight = torch.tensor([[9.0, 9.0], [2.0, 9.0]])  # on and above the diagonal: no effect
    bias = torch.tensor([0.5, -1.0])
    x = torch.tensor([[1.0, 1.0], [0.0, 1.0]])

    def log_sigmoid(a):
        return -math.log1p(math.exp(-a))

    expected = [log_sigmoid(0.5) + log_sigmoid(-1 + 2), log_sigmoid(-0.5) + log_sigmoid(-1)]
    torch.testing.assert_close(fvsbn_log_prob(x, weight, bias), torch.tensor(expected))
    assert fvsbn_log_prob(x, 400 * weight, bias).isfinite().all()


@pytest.mark.parametrize("order", [None, ORDER])
def test_it_is_autoregressive_in_its_order_and_its_mass_is_1(order):
    model = scattered(FVSBN((1, 2, 2), order))
    is_autoregressive(model.logits, shape=(1, 2, 2), order=order)
    sums_to_one(lambda x: model.log_prob(x.view(-1, 1, 2, 2)), dims=4)


def test_an_order_permutes_what_the_weights_speak_of():
    plain, ordered = scattered(FVSBN((4,))), scattered(FVSBN((4,), ORDER))
    x = all_bits(4)
    by_place = torch.empty_like(x)
    for entry, place in enumerate(ORDER):
        by_place[:, place] = x[:, entry]
    torch.testing.assert_close(ordered.log_prob(x), plain.log_prob(by_place))


def test_samples_are_those_of_the_naive_way():
    model = scattered(FVSBN((1, 3, 3))).double()
    u = uniforms(200, 9, model.weight, seeded())

    def two(x):
        logits = model.logits(x)
        return torch.stack([torch.zeros_like(logits), logits], 1)

    assert torch.equal(model.sample(200, rng=seeded()), one_by_one(two, u.new_zeros(200, 1, 3, 3), u, 2))


@pytest.mark.parametrize("order", [None, ORDER])
def test_samples_follow_the_density(order):
    model = scattered(FVSBN((4,), order))
    draws = model.sample(40_000, rng=seeded())
    counts = (draws @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long().bincount(minlength=16) / 40_000
    p = model.log_prob(all_bits(4)).exp().detach()
    assert ((counts - p).abs() < 4 * (p * (1 - p) / 40_000).sqrt() + 1e-4).all()


def optimum(x, seed):
    model = FVSBN((5,)).double()
    model.weight.data = torch.randn(5, 5, generator=seeded(seed), dtype=torch.float64)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = model.loss(x)
        value.backward()
        return value

    optimizer.step(loss)
    return loss().item()


def test_any_start_finds_the_same_optimum():
    x = (torch.rand(200, 5, generator=seeded()) < 0.5).float()
    x[:, 4] = torch.where(torch.rand(200, generator=seeded(1)) < 0.8, x[:, 0], x[:, 4])
    found = [optimum(x.double(), seed) for seed in (0, 1)]
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_the_biases_begin_at_the_means():
    x = torch.zeros(10, 1, 1, 2)
    x[:4, :, :, 1] = 1
    expected = torch.tensor([math.log(0.5 / 10.5), math.log(4.5 / 6.5)])
    torch.testing.assert_close(mean_logits(x), expected)
    data = Dataset("own", "own", x, x, x, None, (1, 1, 2), "none", "drawn")
    torch.testing.assert_close(make_fvsbn(data).bias.detach(), expected)
    assert bits_of(None, (3,)) == ((3,), pytest.approx(torch.zeros(3)))


def test_a_bit_is_drawn_as_the_choice_between_two_logits():
    logit, u = 3 * torch.randn(1000, generator=seeded()).double(), torch.rand(1000, generator=seeded(1)).double()
    assert torch.equal(draw_bit(logit, u), choose(torch.stack([torch.zeros_like(logit), logit], 1), u).double())


@pytest.mark.parametrize("order", [(0, 1), (0, 1, 1), (1, 2, 3)])
def test_what_is_no_order_is_named(order):
    with pytest.raises(ValueError, match="order: got .*expected the places 0..2"):
        FVSBN((3,), order)
    assert places_of(None, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("x", "said"), [(torch.full((2, 3), 0.5), "x: got"), (torch.zeros(2, 4), r"shape \(2, 4\), expected \(batch, 3\)")]
)
def test_what_are_no_bits_is_named(x, said):
    with pytest.raises(ValueError, match=said):
        FVSBN((3,)).loss(x)


def test_it_learns_a_copied_bit():
    x = (torch.rand(500, 1, generator=seeded()) < 0.5).float().expand(-1, 2)
    torch.manual_seed(0)
    model = FVSBN((2,))
    fit(model, (x,), steps=300, batch_size=100, lr=1e-1, progress=False)
    assert model.loss(x).item() == pytest.approx(math.log(2), abs=0.02)
