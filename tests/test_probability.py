"""Every formula against torch.distributions, in double precision."""

import math

import pytest
import torch
import torch.distributions as td
from hypothesis import given, settings
from hypothesis import strategies as st

from gmcourse.probability import (
    bernoulli_kl,
    bernoulli_log_prob,
    bits_per_dim,
    categorical_kl,
    categorical_log_prob,
    gaussian_kl,
    gaussian_log_prob,
    is_binary,
    require_events,
    sum_event,
)

SHAPES = [(5,), (4, 3), (2, 1, 3, 3)]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def normals(*shapes, scale=1.0):
    generator = torch.Generator().manual_seed(0)
    return tuple(scale * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@shapes
def test_sum_event(shape):
    (x,) = normals(shape)
    assert sum_event(x).shape == shape[:1]
    close(sum_event(x).sum(), x.sum())


@shapes
def test_gaussian_log_prob(shape):
    x, mean, log_std = normals(shape, shape, shape)
    close(gaussian_log_prob(x, mean, log_std), sum_event(td.Normal(mean, log_std.exp()).log_prob(x)))


def test_gaussian_log_prob_broadcasts_one_spread_over_every_pixel():
    x, mean, log_std = normals((4, 1, 2, 2), (4, 1, 2, 2), ())
    theirs = td.Normal(mean, log_std.exp().expand(mean.shape)).log_prob(x)
    close(gaussian_log_prob(x, mean, log_std), sum_event(theirs))
    close(gaussian_log_prob(x, 0.0, 0.0), sum_event(td.Normal(torch.zeros_like(x), 1.0).log_prob(x)))


def test_gaussian_log_prob_refuses_integers_and_keeps_a_fine_spread():
    with pytest.raises(TypeError, match="x: got dtype torch.int64, expected floating point"):
        gaussian_log_prob(torch.tensor([[1, 2]]), 0.0, 0.5)
    x = torch.tensor([[1.0, 2.0]])
    spread = torch.tensor([0.1234567891, 0.3], dtype=torch.float64)
    close(gaussian_log_prob(x, 0.0, spread), td.Normal(0.0, spread.exp()).log_prob(x.double()).sum(1))


@shapes
def test_bernoulli_log_prob(shape):
    x, logits = normals(shape, shape, scale=3.0)
    x = (x > 0).double()
    close(bernoulli_log_prob(x, logits), sum_event(td.Bernoulli(logits=logits).log_prob(x)))


def test_bernoulli_log_prob_of_grey_is_the_mean_over_binarisations():
    grey, logits = torch.tensor([[0.3]]), torch.tensor([[0.7]])
    mean = 0.3 * bernoulli_log_prob(torch.ones(1, 1), logits) + 0.7 * bernoulli_log_prob(torch.zeros(1, 1), logits)
    torch.testing.assert_close(bernoulli_log_prob(grey, logits), mean)


@pytest.mark.parametrize("logit", [-1e4, -200.0, 200.0, 1e4])
def test_bernoulli_stays_finite_at_extreme_logits(logit):
    logits = torch.tensor([[logit]], requires_grad=True)
    value = bernoulli_log_prob(torch.tensor([[1.0]]), logits) + bernoulli_kl(logits, torch.zeros(1, 1))
    value.sum().backward()
    assert value.isfinite().all()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("event", [(), (3,), (1, 2, 2)], ids=str)
def test_categorical_log_prob(event):
    (logits,) = normals((4, 5, *event))
    x = torch.randint(0, 5, (4, *event), generator=torch.Generator().manual_seed(1))
    theirs = td.Categorical(logits=logits.movedim(1, -1)).log_prob(x)
    close(categorical_log_prob(x, logits), sum_event(theirs))


def test_categorical_log_prob_refuses_floats():
    with pytest.raises(TypeError, match=r"x: got dtype torch.float32, expected integer codes in 0..4"):
        categorical_log_prob(torch.zeros(2), torch.zeros(2, 5))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_categorical_log_prob_takes_codes_of_any_integer_type(dtype):
    (logits,) = normals((3, 5))
    expected = td.Categorical(logits=logits).log_prob(torch.tensor([0, 4, 2]))
    close(categorical_log_prob(torch.tensor([0, 4, 2], dtype=dtype), logits), expected)


@pytest.mark.parametrize("code", [-100, -1, 5])
def test_a_code_that_is_none_is_never_scored(code):
    with pytest.raises(RuntimeError, match="out of bounds"):
        categorical_log_prob(torch.tensor([code]), torch.zeros(1, 5))


@pytest.mark.parametrize("shape", [(2, 2), (1, 3), (2, 3, 1), (2,)], ids=str)
def test_categorical_log_prob_refuses_another_shape(shape):
    with pytest.raises(ValueError, match="x: got shape"):
        categorical_log_prob(torch.zeros(shape, dtype=torch.long), torch.zeros(2, 5, 3))


@shapes
def test_gaussian_kl(shape):
    mean, log_std, prior_mean, prior_log_std = normals(shape, shape, shape, shape)
    q, p = td.Normal(mean, log_std.exp()), td.Normal(prior_mean, prior_log_std.exp())
    close(gaussian_kl(mean, log_std, prior_mean, prior_log_std), sum_event(td.kl_divergence(q, p)))
    standard = td.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    close(gaussian_kl(mean, log_std), sum_event(td.kl_divergence(q, standard)))
    other = td.Normal(torch.full_like(mean, 0.5), torch.full_like(mean, math.exp(-0.3)))
    close(gaussian_kl(mean, log_std, 0.5, -0.3), sum_event(td.kl_divergence(q, other)))


@shapes
def test_bernoulli_kl(shape):
    a, b = normals(shape, shape, scale=3.0)
    close(bernoulli_kl(a, b), sum_event(td.kl_divergence(td.Bernoulli(logits=a), td.Bernoulli(logits=b))))


@pytest.mark.parametrize("event", [(), (3,), (1, 2, 2)], ids=str)
def test_categorical_kl(event):
    a, b = normals((4, 5, *event), (4, 5, *event))
    p, q = (td.Categorical(logits=t.movedim(1, -1)) for t in (a, b))
    close(categorical_kl(a, b), sum_event(td.kl_divergence(p, q)))


def test_categorical_kl_of_masked_classes():
    a = torch.tensor([[0.3, -math.inf, 1.0]], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([[0.1, -math.inf, -0.4]], dtype=torch.float64)
    expected = td.kl_divergence(td.Categorical(logits=a[:, ::2].detach()), td.Categorical(logits=b[:, ::2]))
    value = categorical_kl(a, b)
    close(value.detach(), expected)
    value.sum().backward()
    assert a.grad.isfinite().all()
    assert categorical_kl(b.nan_to_num(neginf=0.0), b).item() == math.inf


numbers = st.floats(-20, 20)


@settings(max_examples=100)
@given(mean=numbers, log_std=st.floats(-5, 5), prior_mean=numbers, prior_log_std=st.floats(-5, 5))
def test_gaussian_kl_is_never_negative_and_zero_only_at_the_prior(mean, log_std, prior_mean, prior_log_std):
    row = [torch.tensor([[value]], dtype=torch.float64) for value in (mean, log_std, prior_mean, prior_log_std)]
    assert gaussian_kl(*row).item() >= -1e-9
    assert abs(gaussian_kl(row[0], row[1], row[0], row[1]).item()) < 1e-9


@settings(max_examples=50)
@given(logits=st.lists(st.floats(-50, 50), min_size=2, max_size=6))
def test_categorical_mass_is_one(logits):
    logits = torch.tensor(logits, dtype=torch.float64)
    codes = torch.arange(len(logits))
    close(categorical_log_prob(codes, logits.expand(len(codes), -1)).logsumexp(0).exp(), torch.tensor(1.0).double())


@pytest.mark.parametrize(
    ("values", "binary"),
    [([0.0, 1.0], True), ([0, 1], True), ([0.0, 0.5], False), ([0, 2], False), ([math.nan], False)],
)
def test_binary_is_zeros_and_ones(values, binary):
    assert is_binary(torch.tensor(values)) is binary


def test_bits_per_dim():
    close(bits_per_dim(torch.tensor([-64 * math.log(2)], dtype=torch.float64), 64), torch.ones(1).double())
    with pytest.raises(ValueError, match="dims: got 0"):
        bits_per_dim(torch.zeros(1), 0)


@pytest.mark.parametrize(
    ("x", "error", "said"),
    [
        ([0.0, 1.0], TypeError, "rows: got list, expected a tensor"),
        (torch.zeros(3, 5), ValueError, r"rows: got shape \(3, 5\) and torch.float32, expected \(batch, \*\(2,\)\)"),
        (torch.zeros(3, 2).long(), ValueError, r"torch.int64, expected \(batch, \*\(2,\)\), floating point$"),
        (torch.zeros(2), ValueError, r"; one event is rows.unsqueeze\(0\)$"),
    ],
)
def test_what_is_no_batch_of_events_is_named(x, error, said):
    with pytest.raises(error, match=said):
        require_events(x, (2,), "rows")
    batch = torch.zeros(0, 2)
    assert require_events(batch, (2,)) is batch
