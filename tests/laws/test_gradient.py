import pytest
import torch

from gmcourse.laws import LawBroken
from gmcourse.laws.gradient import gradient_is_unbiased
from gmcourse.vae.gradients import pathwise_gradient, score_gradient


@pytest.mark.parametrize("estimator", [score_gradient, pathwise_gradient])
def test_holds(estimator):
    gradient_is_unbiased(estimator)


def leave_one_out(f, mean, log_std, noise):
    values = f(mean + log_std.exp() * noise)
    baseline = (values.sum() - values) / (len(values) - 1)
    return score_gradient(f, mean, log_std, noise, baseline)


def test_a_baseline_from_the_other_rows_is_unbiased():
    gradient_is_unbiased(leave_one_out)


def own_mean(f, mean, log_std, noise):
    return score_gradient(f, mean, log_std, noise, f(mean + log_std.exp() * noise).mean())


def attached(f, mean, log_std, noise):
    rows = []
    for row in noise:
        m = mean.clone().requires_grad_()
        z = m + log_std.exp() * row
        log_q = (-0.5 * ((z - m) / log_std.exp()) ** 2 - log_std - 0.5 * torch.log(torch.tensor(2 * torch.pi))).sum()
        rows.append(torch.autograd.grad(f(z[None])[0] * log_q, m)[0])
    return torch.stack(rows)


@pytest.mark.parametrize(
    ("bug", "cause"),
    [
        (lambda f, m, s, e: score_gradient(f, m, s, e) * s.exp(), "spread"),
        (lambda f, m, s, e: -score_gradient(f, m, s, e), "sign"),
        (own_mean, "dependence"),
        (lambda f, m, s, e: score_gradient(f, m, s, e).mean(0), "shape"),
        (lambda f, m, s, e: pathwise_gradient(f, m, s, e) * e, ""),
        (attached, "gradient"),
    ],
)
def test_catches(bug, cause):
    with pytest.raises(LawBroken) as caught:
        gradient_is_unbiased(bug)
    assert caught.value.cause == cause
