"""Conditioning against Bayes' rule, the precision matrix, and draws of the whole."""

import pytest
import torch
from torch.distributions import MultivariateNormal

from gmcourse.taxonomy.conditioning import condition

FIVE = [True, False, False, True, False]


@pytest.fixture
def gaussian():
    root = torch.randn(5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return root[0].clone(), root @ root.T + torch.eye(5, dtype=torch.float64)


def points(n=6, dims=5):
    return torch.randn(n, dims, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_two_numbers_by_hand():
    cov = torch.tensor([[4.0, 1.2], [1.2, 1.0]])
    mean, left = condition(torch.zeros(2), cov, torch.tensor([False, True]), torch.tensor([2.0]))
    torch.testing.assert_close(mean, torch.tensor([2.4]))
    torch.testing.assert_close(left, torch.tensor([[2.56]]))


@pytest.mark.parametrize("known", [FIVE, [not b for b in FIVE], [False, True, True, True, True]])
def test_bayes_rule_at_every_point(gaussian, known):
    mean, cov = gaussian
    known = torch.tensor(known)
    for x in points():
        seen = MultivariateNormal(mean[known], cov[known][:, known]).log_prob(x[known])
        rest = MultivariateNormal(*condition(mean, cov, known, x[known])).log_prob(x[~known])
        torch.testing.assert_close(seen + rest, MultivariateNormal(mean, cov).log_prob(x))


def test_the_covariance_left_is_the_inverse_of_the_precisions_block(gaussian):
    mean, cov = gaussian
    known = torch.tensor(FIVE)
    precision = torch.linalg.inv(cov)
    lefts = [condition(mean, cov, known, x[known])[1] for x in points(2)]
    torch.testing.assert_close(torch.linalg.inv(lefts[0]), precision[~known][:, ~known])
    assert torch.equal(*lefts)  # whatever was seen
    torch.testing.assert_close(lefts[0], lefts[0].T)


def test_one_part_and_then_the_other_is_both_at_once(gaussian):
    mean, cov = gaussian
    x = points(1)[0]
    at_once = condition(mean, cov, torch.tensor(FIVE), x[[0, 3]])
    first = condition(mean, cov, torch.tensor([True] + 4 * [False]), x[:1])
    then = condition(*first, torch.tensor([False, False, True, False]), x[3:4])
    for a, b in zip(at_once, then, strict=True):
        torch.testing.assert_close(a, b)


def test_a_chain_is_independent_given_its_middle():
    chain = torch.tensor([[1.0, 0.8, 0.64], [0.8, 1.0, 0.8], [0.64, 0.8, 1.0]], dtype=torch.float64)
    mean, left = condition(
        torch.zeros(3, dtype=torch.float64), chain, torch.tensor([False, True, False]), torch.ones(1).double()
    )
    torch.testing.assert_close(mean, torch.full((2,), 0.8).double())
    torch.testing.assert_close(left, 0.36 * torch.eye(2, dtype=torch.float64))


def test_nothing_known_changes_nothing_and_all_known_leaves_nothing(gaussian):
    mean, cov = gaussian
    same = condition(mean, cov, torch.zeros(5, dtype=torch.bool), mean[:0])
    assert torch.equal(same[0], mean)
    assert torch.equal(same[1], cov)
    nothing = condition(mean, cov, torch.ones(5, dtype=torch.bool), mean)
    assert [tuple(part.shape) for part in nothing] == [(0,), (0, 0)]


def test_a_mask_of_another_type(gaussian):
    mean, cov = gaussian
    with pytest.raises(TypeError, match="known: got dtype torch.int64, expected bool"):
        condition(mean, cov, torch.tensor([0, 3]), mean[:2])


@pytest.mark.parametrize(
    "mean, cov, known, value",
    [(5, (5, 4), 5, 2), (4, (5, 5), 5, 2), (5, (5, 5), 4, 2), (5, (5, 5), 5, 3), (5, (5,), 5, 2)],
)
def test_shapes_that_do_not_fit(mean, cov, known, value):
    mask = torch.arange(known) < 2
    with pytest.raises(ValueError, match="mean, cov, known, value: got "):
        condition(torch.zeros(mean), torch.ones(cov), mask, torch.zeros(value))
