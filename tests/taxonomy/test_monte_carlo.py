"""Errors and log-means against NumPy, SciPy and exact integrals, far out where a direct sum fails."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch.distributions import Normal

from gmcourse.taxonomy.monte_carlo import kl_terms, log_mean_exp, standard_error


def normals(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_the_standard_error_by_hand():
    assert standard_error(torch.tensor([1.0, 3.0])).item() == pytest.approx(1.0)  # s = √2, n = 2
    assert standard_error(torch.tensor([0.0, 0.0, 0.0, 4.0])).item() == pytest.approx(1.0)  # s = 2, n = 4


@pytest.mark.parametrize("n", [2, 7, 500])
def test_the_standard_error_of_numpy(n):
    values = 3 * normals(n) + 5
    expected = np.std(values.numpy(), ddof=1) / math.sqrt(n)
    torch.testing.assert_close(standard_error(values), torch.tensor(expected))


def test_its_square_is_unbiased():
    """The mean of s²/n over repetitions is the variance of the mean, 4/3."""
    draws = 2 * normals(20_000, 3)
    squares = torch.stack([standard_error(row) for row in draws]) ** 2
    assert abs(squares.mean() - 4 / 3) < 4 * squares.std() / math.sqrt(len(squares))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (4, 2)])
def test_it_needs_two_draws_in_a_row(shape):
    with pytest.raises(ValueError, match="values: got shape"):
        standard_error(torch.zeros(shape))


def test_it_needs_floating_point():
    with pytest.raises(TypeError, match="values: got dtype torch.int64"):
        standard_error(torch.tensor([1, 2, 3]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shift", [-1000.0, 0.0, 1000.0])
def test_log_mean_exp_of_scipy(shift, dtype):
    a = 2 * normals(4, 6, dtype=dtype) + shift
    expected = torch.tensor(logsumexp(a.numpy().astype("float64"), axis=1) - math.log(6))
    found = log_mean_exp(a)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, rtol=1e-6 if dtype == torch.float32 else 1e-12, atol=0)


def test_log_mean_exp_row_by_row_with_masked_entries():
    a = torch.tensor([[-800.0, -800.0], [0.0, -math.inf], [800.0, 800.0], [5.0, 5.0]], dtype=torch.float64)
    torch.testing.assert_close(log_mean_exp(a), torch.tensor([-800.0, -math.log(2), 800.0, 5.0]).double())
    assert log_mean_exp(torch.tensor([[3.0]])).item() == 3.0


def test_log_mean_exp_takes_the_last_axis_and_its_gradient_is_each_terms_share():
    a = (3 * normals(2, 3, 5)).requires_grad_()
    found = log_mean_exp(a)
    expected = torch.tensor(logsumexp(a.detach().numpy(), axis=2) - math.log(5))
    torch.testing.assert_close(found.detach(), expected)
    found.sum().backward()
    torch.testing.assert_close(a.grad, a.detach().softmax(2))
    with pytest.raises(ValueError, match=r"log_values: got shape \(2, 3, 0\)"):
        log_mean_exp(torch.zeros(2, 3, 0))


def test_log_mean_exp_of_nothing():
    with pytest.raises(ValueError, match=r"log_values: got shape \(3, 0\)"):
        log_mean_exp(torch.zeros(3, 0))


@pytest.mark.parametrize("delta", [0.1, -0.5, 1.0])
def test_the_mean_of_the_terms_is_the_divergence(delta):
    """By quadrature of N(0, 1) against N(δ, 1): the mean δ²/2, the variance e^{δ²} − 1 − δ²."""
    x = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
    log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(0.0, 1.0).log_prob(x - delta)
    terms, weights = kl_terms(log_p, log_q), log_p.exp() * (x[1] - x[0])
    assert (terms >= 0).all()
    mean = (weights * terms).sum().item()
    assert mean == pytest.approx(delta**2 / 2, rel=1e-8)
    variance = (weights * (terms - mean) ** 2).sum().item()
    assert variance == pytest.approx(math.exp(delta**2) - 1 - delta**2, rel=1e-6)


def test_the_terms_are_the_divergence_of_two_coins():
    p, q = torch.tensor([[0.5, 0.5], [0.9, 0.1]], dtype=torch.float64)
    assert (p * kl_terms(p.log(), q.log())).sum().item() == pytest.approx(0.5108, abs=5e-5)
    assert (q * kl_terms(q.log(), p.log())).sum().item() == pytest.approx(0.3681, abs=5e-5)


def test_the_terms_keep_small_ratios_and_large_logarithms():
    """(r − 1) − ln r is ε²/2 where ln r = ε: lost in float64 if r − 1 is taken as e^ε − 1."""
    log_p = torch.zeros(2, dtype=torch.float64)
    found = kl_terms(log_p, torch.tensor([1e-5, -1e-5], dtype=torch.float64))
    torch.testing.assert_close(found, torch.full((2,), 5e-11, dtype=torch.float64), rtol=1e-5, atol=0)
    assert kl_terms(torch.tensor(-1000.0), torch.tensor(-1001.0)).item() == pytest.approx(math.exp(-1), rel=1e-4)


def test_the_tools_run_without_values():
    values = torch.empty(3, 4, device="meta")
    assert log_mean_exp(values).shape == (3,)
    assert kl_terms(values, values).shape == (3, 4)
    assert standard_error(values[0]).shape == ()
