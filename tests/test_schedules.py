"""The learning rates at their corners."""

import pytest

from gmcourse.schedules import held_then_falling


def test_held_for_half_the_run_then_in_a_straight_line_to_0():
    rate = held_then_falling(0.1, 100)
    assert rate(0) == rate(50) == 0.1
    assert rate(75) == pytest.approx(0.05)
    assert rate(100) == 0


def test_a_rate_rises_to_its_peak_over_the_first_steps():
    rate = held_then_falling(0.1, 100, warm=4)
    assert [rate(step) for step in range(5)] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])
    assert rate(75) == pytest.approx(0.05)
