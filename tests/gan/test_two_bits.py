"""GAIN on two bits: the family of wrong optima, exactly, and what a hint leaves of it."""

import pytest
import torch

from gmcourse.gan.two_bits import (
    PAIRS,
    conditions,
    critic_with_hint,
    critic_without_hints,
    largest_delta,
    mask_probabilities,
    wrong_optimum,
)
from gmcourse.laws.gan.blanks import critic_reads_filled_rows


def free(observed, hints):
    """The dimension of what the conditions leave open."""
    system = conditions(observed, hints)
    return 12 - torch.linalg.matrix_rank(system, rtol=1e-9).item()


@pytest.mark.parametrize("observed", [0.3, 0.5, 0.8])
def test_without_hints_one_number_is_open_and_with_them_none(observed):
    assert free(observed, hints=False) == 1
    assert free(observed, hints=True) == 0


def test_the_family_is_what_the_conditions_leave_open():
    change = wrong_optimum(0.05, 0.8)[:3] - 0.25
    assert (conditions(0.8, hints=False) @ change.flatten()).abs().max() < 1e-12
    assert (conditions(0.8, hints=True) @ change.flatten()).abs().max() > 0.01


@pytest.mark.parametrize("delta", [-1 / 12, 0.0, 0.03, 1 / 12])
def test_no_critic_without_hints_tells_the_family_apart(delta):
    laws = wrong_optimum(delta, 0.8)
    torch.testing.assert_close(laws.sum(1), torch.ones(4).double())
    said = critic_without_hints(laws, 0.8)
    torch.testing.assert_close(said, torch.full((2, 4), 0.8).double())


def test_at_the_end_of_the_family_a_seen_bit_is_copied_two_times_in_three():
    laws = wrong_optimum(largest_delta(0.8), 0.8)
    assert largest_delta(0.8) == pytest.approx(1 / 12)
    torch.testing.assert_close(laws[0], torch.tensor([0.0, 0.5, 0.5, 0.0]).double())
    assert (laws[2, 0] / (laws[2, 0] + laws[2, 1])).item() == pytest.approx(2 / 3)  # m = (1, 0), x₁ = 0


def test_a_hint_catches_it():
    said = critic_with_hint(wrong_optimum(1 / 12, 0.8), 0.8)
    assert said[0, 1, 0].item() == pytest.approx(0.75)  # D₁ at (0, 0), told m₂ = 1
    assert said[0, 1, 1].item() == pytest.approx(0.857, abs=1e-3)
    honest = critic_with_hint(wrong_optimum(0.0, 0.8), 0.8)
    torch.testing.assert_close(honest, torch.full((2, 2, 4), 0.8).double())


def test_the_critic_is_bayes_rule():
    critic_reads_filled_rows(lambda laws, p: by_masks(laws, p))
    p = mask_probabilities(0.7)
    laws = wrong_optimum(0.02, 0.7)
    torch.testing.assert_close(by_masks(laws, p), critic_without_hints(laws, 0.7))


def by_masks(laws, p):
    joint, bits = p[:, None] * laws, torch.tensor(PAIRS, dtype=laws.dtype)
    return bits.T @ joint / joint.sum(0)


def test_a_family_ends_where_a_probability_would_be_negative():
    with pytest.raises(ValueError, match="delta: got 0.1"):
        wrong_optimum(0.1, 0.8)
