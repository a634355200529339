"""Scores of strangeness against scikit-learn and by hand."""

import pytest
import torch
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA

from gmcourse.autoencoders.anomalies import mahalanobis, standardised_length, subspace_error


@pytest.fixture
def rows():
    mix = torch.tensor([[2.0, 0.3, 0.0], [0.0, 1.0, 0.5], [0.4, 0.0, 0.2]]).double()
    rng = torch.Generator().manual_seed(0)
    train, x = (torch.randn(n, 3, generator=rng, dtype=torch.float64) @ mix + 5 for n in (60, 7))
    return train, x


def test_the_subspace_error_is_that_of_scikit_learn(rows):
    train, x = rows
    for k in (1, 2):
        fitted = PCA(k).fit(train.numpy())
        back = torch.from_numpy(fitted.inverse_transform(fitted.transform(x.numpy())))
        torch.testing.assert_close(subspace_error(train, x, k), (x - back).square().sum(1))
    assert subspace_error(train, train.mean(0)[None], 1).item() == pytest.approx(0, abs=1e-20)


def test_the_mahalanobis_distance_is_that_of_scikit_learn(rows):
    train, x = rows
    expected = EmpiricalCovariance().fit(train.numpy()).mahalanobis(x.numpy())
    torch.testing.assert_close(mahalanobis(train, x, ridge=0.0), torch.from_numpy(expected))
    flat = mahalanobis(train, x, ridge=1e9) * 1e9
    torch.testing.assert_close(flat, (x - train.mean(0)).square().sum(1), rtol=1e-6, atol=0)


def test_scores_are_numbers_without_a_gradient_and_the_ridge_is_a_hundredth(rows):
    train, x = (t.clone().requires_grad_() for t in rows)
    for score in (mahalanobis, standardised_length, lambda train, x: subspace_error(train, x, 1)):
        assert not score(train, x).requires_grad
    assert torch.equal(mahalanobis(train, x), mahalanobis(train, x, ridge=0.01))


def test_the_length_counts_deviations_and_leaves_constants_out():
    train = torch.tensor([[0.0, 1.0, 7.0], [2.0, 5.0, 7.0]])
    x = torch.tensor([[1.0, 3.0, 7.0], [3.0, 3.0, 9.0], [1.0, 7.0, 7.0]])
    assert standardised_length(train, x).tolist() == [0, 4, 4]


def test_rows_may_be_pictures(rows):
    train, x = rows
    for score in (mahalanobis, standardised_length, lambda train, x: subspace_error(train, x, 2)):
        assert torch.equal(score(train.view(-1, 1, 3, 1), x.view(-1, 1, 3, 1)), score(train, x))


@pytest.mark.parametrize("k", [0, 4])
def test_a_code_of_no_or_too_many_numbers_is_refused(rows, k):
    with pytest.raises(ValueError, match=r"k: got .*, expected 1 to 3"):
        subspace_error(*rows, k)


@pytest.mark.parametrize("score", [mahalanobis, standardised_length, lambda train, x: subspace_error(train, x, 1)])
def test_rows_of_another_shape_or_none_to_fit_are_refused(rows, score):
    train, x = rows
    for pair in ((train, x[:, :1]), (train[:0], x)):
        with pytest.raises(ValueError, match=r"train, x: got shapes .*, expected"):
            score(*pair)


@pytest.mark.parametrize("ridge", [-0.1, float("nan")])
def test_a_negative_ridge_is_refused(rows, ridge):
    with pytest.raises(ValueError, match=r"ridge: got .*, expected at least 0"):
        mahalanobis(*rows, ridge=ridge)
