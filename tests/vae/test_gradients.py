"""Two unbiased estimators of one gradient, with the variances that theory gives."""

import math

import pytest
import torch

from gmcourse.vae.gradients import pathwise_gradient, score_gradient

N = 200_000


def normal(mean, std, d=1, seed=0):
    noise = torch.randn(N, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.full((d,), mean, dtype=torch.float64), torch.full((d,), math.log(std), dtype=torch.float64), noise


def square(z):
    return (z**2).sum(1)


@pytest.mark.parametrize("mean, std", [(1.0, 1.0), (-0.5, 0.5), (2.0, 1.5)])
@pytest.mark.parametrize("estimator", [score_gradient, pathwise_gradient])
@pytest.mark.parametrize("f, exact", [(square, lambda m, s: 2 * m), (lambda z: z.sin().sum(1), None)])
def test_both_are_unbiased(estimator, mean, std, f, exact):
    """∇_μ E z² = 2μ; ∇_μ E sin z = cos μ · e^{−σ²/2}."""
    values = estimator(f, *normal(mean, std))
    assert values.shape == (N, 1)
    expected = exact(mean, std) if exact else math.cos(mean) * math.exp(-(std**2) / 2)
    assert abs(values.mean().item() - expected) < 4 * values.std().item() / math.sqrt(N)


@pytest.mark.parametrize("baseline, variance", [(0.0, 30.0), (2.0, 18.0), (4.0, 14.0)])
def test_variance_of_the_score_estimator(baseline, variance):
    values = score_gradient(square, *normal(1.0, 1.0), baseline)
    assert values.var().item() == pytest.approx(variance, rel=0.05)
    assert abs(values.mean().item() - 2) < 4 * values.std().item() / math.sqrt(N)


def test_variance_of_the_pathwise_estimator():
    assert pathwise_gradient(square, *normal(1.0, 1.0)).var().item() == pytest.approx(4.0, rel=0.02)


@pytest.mark.parametrize("d", [2, 5])
def test_the_score_pays_for_dimensions_and_the_path_does_not(d):
    score = score_gradient(square, *normal(1.0, 1.0, d)).var(0)
    path = pathwise_gradient(square, *normal(1.0, 1.0, d)).var(0)
    assert score.mean().item() == pytest.approx(30 + 22 * (d - 1) + 4 * (d - 1) ** 2, rel=0.05)
    assert path.mean().item() == pytest.approx(4.0, rel=0.02)


def test_the_score_estimator_wins_on_a_fast_oscillation():
    def f(z):
        return (5 * z).cos().sum(1)

    assert score_gradient(f, *normal(1.0, 1.0)).var().item() == pytest.approx(0.5, rel=0.1)
    assert pathwise_gradient(f, *normal(1.0, 1.0)).var().item() == pytest.approx(12.5, rel=0.05)


def test_a_black_box_has_a_score_gradient_only():
    def step(z):
        return (z > 0).double().sum(1)

    values = score_gradient(step, *normal(0.0, 1.0))
    assert values.mean().item() == pytest.approx(1 / math.sqrt(2 * math.pi), abs=0.01)
    with pytest.raises(RuntimeError):
        pathwise_gradient(step, *normal(0.0, 1.0))


def test_no_graph_is_left_behind():
    mean, log_std, noise = normal(1.0, 1.0)
    mean.requires_grad_()
    assert not score_gradient(square, mean, log_std, noise).requires_grad
    assert not pathwise_gradient(square, mean, log_std, noise).requires_grad
    assert mean.grad is None
