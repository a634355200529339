import math

import pytest
import torch

from gmcourse.autoregressive.choosing import entropy, entropy_slope, nucleus, temperature, top_k

LOGITS = torch.tensor([[0.3, -1.0, 2.0, 0.1], [1.0, 1.0, 1.0, -5.0]], dtype=torch.float64)


def test_temperature_raises_probabilities_to_the_power_1_over_t():
    for t in (0.5, 1.0, 3.0):
        powers = LOGITS.softmax(-1) ** (1 / t)
        torch.testing.assert_close(temperature(LOGITS, t).softmax(-1), powers / powers.sum(-1, keepdim=True))


def test_the_slope_of_the_entropy_is_a_difference_quotient():
    for t in (0.3, 1.0, 2.5):
        up, down = (entropy(temperature(LOGITS, t + step)) for step in (1e-5, -1e-5))
        torch.testing.assert_close(entropy_slope(LOGITS, t), (up - down) / 2e-5, rtol=1e-6, atol=1e-9)


def test_what_was_cut_away_keeps_probability_0_at_every_temperature():
    cut = top_k(LOGITS, 2)
    assert torch.equal(temperature(cut, 4.0).isneginf(), cut.isneginf())
    assert entropy(cut).isfinite().all()
    assert entropy_slope(cut, 2.0).isfinite().all()
    assert entropy(top_k(LOGITS, 1)).tolist() == [0.0, 0.0]


def test_top_k_keeps_the_k_largest_and_the_first_of_equal_ones():
    assert top_k(LOGITS, 2).isfinite().tolist() == [[True, False, True, False], [True, True, False, False]]
    assert torch.equal(top_k(LOGITS, 9), LOGITS)
    torch.testing.assert_close(top_k(LOGITS, 2)[0, [0, 2]], LOGITS[0, [0, 2]])


def test_the_nucleus_keeps_the_symbol_that_crosses_the_mass():
    p = torch.tensor([0.1, 0.5, 0.15, 0.25], dtype=torch.float64)
    kept = {mass: nucleus(p.log(), mass).isfinite().tolist() for mass in (0.1, 0.49, 0.51, 0.74, 0.76, 0.91, 1.0)}
    assert kept[0.1] == kept[0.49] == [False, True, False, False]
    assert kept[0.51] == kept[0.74] == [False, True, False, True]
    assert kept[0.76] == [False, True, True, True]
    assert kept[0.91] == kept[1.0] == [True] * 4
    q = nucleus(p.log(), 0.74).softmax(-1)
    torch.testing.assert_close(q, torch.tensor([0, 2 / 3, 0, 1 / 3], dtype=torch.float64))


def test_the_nucleus_of_all_the_mass_cuts_nothing_however_unlikely():
    logits = torch.tensor([[0.0, -39.0, 0.0], [0.0, -800.0, -torch.inf]], dtype=torch.float64)
    assert torch.equal(nucleus(logits, 1.0), logits)
    assert torch.equal(nucleus(logits.float(), 1.0), logits.float())


def test_a_cut_costs_minus_the_log_of_the_mass_that_is_kept():
    log_p = LOGITS.log_softmax(-1)
    for cut in (top_k(LOGITS, 2), nucleus(LOGITS, 0.8)):
        q, kept = cut.softmax(-1), cut.isfinite()
        divergence = (q * (cut.log_softmax(-1) - log_p).masked_fill(~kept, 0)).sum(-1)
        torch.testing.assert_close(divergence, -(log_p.exp() * kept).sum(-1).log())


def test_any_shape_and_the_gradient_pass():
    logits = LOGITS.view(2, 1, 4).expand(2, 3, 4).clone().requires_grad_()
    for chosen in (temperature(logits, 0.7), top_k(logits, 3), nucleus(logits, 0.9)):
        assert chosen.shape == logits.shape
        assert torch.autograd.grad(chosen.logsumexp(-1).sum(), logits)[0].isfinite().all()
    assert entropy(logits).shape == entropy_slope(logits, 2.0).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: temperature(LOGITS, 0.0), "t: got 0.0"),
        (lambda: temperature(LOGITS, math.nan), "t: got nan"),
        (lambda: top_k(LOGITS, 0), "k: got 0"),
        (lambda: nucleus(LOGITS, 0.0), "mass: got 0.0"),
        (lambda: nucleus(LOGITS, 1.1), "mass: got 1.1"),
    ],
)
def test_what_no_choice_can_be_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
