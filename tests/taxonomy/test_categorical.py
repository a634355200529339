"""The table of joint states, by enumeration."""

import itertools
import math

import pytest
import torch

from gmcourse.data import Dataset
from gmcourse.laws.mass import sums_to_one
from gmcourse.taxonomy import Categorical
from gmcourse.taxonomy.categorical import CATEGORICAL, categorical_nll
from gmcourse.taxonomy.tables import draw_cells, draw_each, smoothed_logits

PAIRS = torch.tensor([[0, 0]] * 4 + [[1, 1]] * 4 + [[0, 1], [1, 0]])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def every_state(dims, levels):
    return torch.tensor(list(itertools.product(range(levels), repeat=dims)))


def test_counts_give_their_shares():
    model = Categorical((2,), levels=2).count(PAIRS, smoothing=0.0)
    found = model.log_prob(every_state(2, 2)).exp()
    torch.testing.assert_close(found, torch.tensor([0.4, 0.1, 0.1, 0.4]))
    model.count(PAIRS, smoothing=1.0)
    torch.testing.assert_close(model.log_prob(every_state(2, 2)).exp(), torch.tensor([5.0, 2.0, 2.0, 5.0]) / 14)


def test_each_state_has_its_own_place_and_the_mass_is_one():
    model = Categorical((2, 3), levels=3)
    x = every_state(6, 3).view(-1, 2, 3)
    states, valid = model.states(x)
    assert valid.all()
    assert torch.equal(states, torch.arange(3**6))
    torch.testing.assert_close(model.log_prob(x).exp().sum(), torch.tensor(1.0))
    sums_to_one(Categorical((5,), levels=2).log_prob, dims=5)


@pytest.mark.parametrize("value", [2.0, -1.0, 0.5, math.nan, math.inf])
def test_what_is_no_code_has_probability_zero_and_no_loss(value):
    model, x = Categorical((2,), levels=2), torch.tensor([[0.0, value], [1.0, 1.0]])
    assert model.log_prob(x)[0].item() == -math.inf
    assert model.log_prob(x)[1].isfinite()
    for method in (model.loss, model.count):
        with pytest.raises(ValueError, match=r"x: got torch.float32 .* whole numbers 0\.\.1"):
            method(x)


def test_the_gradient_is_softmax_less_share_and_zero_at_the_counts():
    shares = torch.tensor([0.4, 0.1, 0.1, 0.4])
    model = Categorical((2,), levels=2)
    model.loss(PAIRS).backward()
    torch.testing.assert_close(model.logits.grad, model.logits.detach().softmax(0) - shares)
    model.count(PAIRS, smoothing=0.0).zero_grad()
    model.loss(PAIRS).backward()
    torch.testing.assert_close(model.logits.grad, torch.zeros(4), atol=1e-7, rtol=0)


def test_nll_of_counts_is_entropy_and_divergence():
    counts, logits = torch.tensor([2.0, 1.0, 1.0]), torch.tensor([0.3, -1.0, 2.0])
    shares = counts / 4
    entropy = -(shares * shares.log()).sum()
    assert entropy.item() == pytest.approx(1.0397, abs=1e-4)
    divergence = (shares * (shares.log() - logits.log_softmax(0))).sum()
    torch.testing.assert_close(categorical_nll(counts, logits), entropy + divergence)
    torch.testing.assert_close(categorical_nll(7 * counts, 5 + shares.log()), entropy)
    assert categorical_nll(torch.tensor([1.0, 0.0]), torch.tensor([0.0, -math.inf])).item() == 0
    assert categorical_nll(torch.tensor([0.0, 1.0]), torch.tensor([0.0, -400.0])).item() == pytest.approx(400)


def test_samples_follow_the_table():
    model = Categorical((1, 2), levels=2).count(PAIRS.view(-1, 1, 2), smoothing=0.0)
    x = model.sample(20_000, rng=seeded())
    assert x.dtype == torch.int64
    assert x.shape == (20_000, 1, 2)
    shares = torch.bincount(model.states(x)[0], minlength=4) / 20_000
    torch.testing.assert_close(shares, torch.tensor([0.4, 0.1, 0.1, 0.4]), atol=0.015, rtol=0)
    assert set(Categorical((), levels=7).sample(500, rng=seeded()).tolist()) == set(range(7))


def test_draws_skip_what_has_no_mass_and_obey_each_row():
    logits = torch.tensor([-math.inf, 0.0, -math.inf, 0.0, -math.inf])
    assert set(draw_cells(logits, 1_000, seeded()).tolist()) == {1, 3}
    rows = torch.stack([logits, logits.flip(0), torch.tensor([0.0, -math.inf, -math.inf, -math.inf, -math.inf])])
    assert torch.equal(draw_each(rows, seeded())[2], torch.tensor(0))
    many = draw_each(rows.expand(2_000, 3, 5), seeded())
    assert set(many[:, 0].tolist()) == {1, 3}
    assert abs((many[:, 1] == 1).float().mean() - 0.5) < 0.05


def test_smoothed_logits_are_normalised_row_by_row():
    logits = smoothed_logits(torch.tensor([[3.0, 0.0, 1.0], [0.0, 0.0, 0.0]]), 0.5)
    torch.testing.assert_close(logits.exp(), torch.tensor([[3.5, 0.5, 1.5], [5.5 / 3] * 3]) / 5.5)
    with pytest.raises(ValueError, match="x: got no rows to count"):
        smoothed_logits(torch.tensor([[3.0, 1.0], [0.0, 0.0]]), 0.0)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Categorical((17,), levels=2), r"2\^17 joint states"),
        (lambda: Categorical((2,), levels=0), "levels: got"),
        (lambda: Categorical((2,), levels=2).log_prob(torch.zeros(4, 3)), r"x: got shape \(4, 3\)"),
        (lambda: categorical_nll(torch.ones(2), torch.ones(3)), "counts, logits"),
        (lambda: categorical_nll(torch.zeros(2), torch.ones(2)), "counts: got none"),
        (lambda: categorical_nll(torch.tensor([1.0, -1.0]), torch.ones(2)), "counts: got none"),
        (lambda: CATEGORICAL.build(Dataset.from_tensors(every_state(6, 7)[:50])), "data: own holds codes .* joint"),
        (lambda: CATEGORICAL.build(Dataset.from_tensors(every_state(2, 7) - 1)), "data: own holds codes .* whole"),
    ],
)
def test_bad_input_is_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_two_to_the_sixteen_states_are_a_table():
    assert Categorical((16,), levels=2).logits.shape == (65_536,)
