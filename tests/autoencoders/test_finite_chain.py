"""The chain on sixteen pictures, against sums written out, counting, and walks that are simulated."""

import math

import pytest
import torch

from gmcourse.autoencoders.finite_chain import (
    bit_strings,
    corruption_matrix,
    factorised,
    most_likely,
    posterior,
    relaxation,
    second_eigenvalue,
    stationary,
    steps_until,
    transition_matrix,
    walkback_corruption,
    walkback_fixed_point,
)

STATES = bit_strings(4)
BARS = [0, 3, 5, 10, 12, 15]  # blank, two rows, two columns, full


def bars(weights=(1, 1, 1, 1, 1, 1)):
    prior = torch.zeros(16, dtype=torch.float64)
    prior[BARS] = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    return prior


def far(p, q):
    return (p - q).abs().sum().item() / 2


def test_strings_count():
    assert bit_strings(3)[[0, 1, 6]].tolist() == [[0, 0, 0], [0, 0, 1], [1, 1, 0]]
    assert bit_strings(3).dtype == torch.float64


def test_corruption_by_hand():
    c = corruption_matrix(STATES, 0.1, 0.3)
    assert c[0b1010, 0b1001].item() == pytest.approx(0.7 * 0.9 * 0.3 * 0.1)  # stays on, stays off, off, on
    assert c.sum(1).numpy() == pytest.approx(1)
    masked = corruption_matrix(STATES, 0, 0.3)
    assert masked[0, 0] == 1
    assert masked[15, 0].item() == pytest.approx(0.3**4)
    with pytest.raises(ValueError, match=r"up, down: got 1.2, 0"):
        corruption_matrix(STATES, 1.2, 0)
    with pytest.raises(ValueError, match=r"up, down: got 0, 1.2"):
        corruption_matrix(STATES, 0, 1.2)


def test_posterior_is_bayes_and_stays_the_prior_where_nothing_leads():
    prior = bars((4, 1, 1, 1, 1, 2))
    p = posterior(prior, corruption_matrix(STATES, 0.2, 0.2))
    near, away = 0.8**3 * 0.2, {0: 4 * 0.2 * 0.8**3, 3: 0.8**3 * 0.2, 5: 0.8**3 * 0.2}
    rest = {10: 0.2**3 * 0.8, 12: 0.2**3 * 0.8, 15: 2 * 0.2**3 * 0.8}
    assert p[1, 3].item() == pytest.approx(near / sum((away | rest).values()))
    alone = torch.eye(16, dtype=torch.float64)
    assert (posterior(prior, alone)[1] == prior).all()
    assert posterior(prior, alone)[3, 3] == 1


@pytest.mark.parametrize(("rate", "fades"), [(0.05, 0.862), (0.1, 0.719), (0.25, 0.312)])
def test_the_chain_keeps_its_law_and_is_in_detailed_balance(rate, fades):
    prior = bars()
    chain = transition_matrix(prior, corruption_matrix(STATES, rate, rate))
    assert far(prior @ chain, prior) < 1e-15
    assert far(stationary(chain), prior) < 1e-9
    flow = prior[:, None] * chain
    assert (flow - flow.T).abs().max() < 1e-16
    assert second_eigenvalue(chain) == pytest.approx(fades, abs=5e-4)


def test_a_lopsided_law_shows_that_training_and_walking_must_spoil_alike():
    trained, run = (corruption_matrix(STATES, rate, rate) for rate in (0.1, 0.25))
    even, lopsided = bars(), bars((4, 1, 1, 1, 1, 2))
    assert far(stationary(run @ posterior(even, trained)), even) < 1e-9
    assert far(stationary(run @ posterior(lopsided, trained)), lopsided) > 0.05


@pytest.mark.parametrize(("rate", "off"), [(0.05, 0.188), (0.1, 0.308), (0.25, 0.525)])
def test_bits_drawn_by_themselves_leave_the_law(rate, off):
    c = corruption_matrix(STATES, rate, rate)
    alone = factorised(posterior(bars(), c), STATES)
    assert alone.sum(1).numpy() == pytest.approx(1)
    assert far(stationary(c @ alone), bars()) == pytest.approx(off, abs=5e-4)


def test_marginals_of_what_is_factorised_are_right():
    p = posterior(bars((4, 1, 1, 1, 1, 2)), corruption_matrix(STATES, 0.2, 0.2))
    assert (factorised(p, STATES) @ STATES - p @ STATES).abs().max() < 1e-15
    assert (factorised(p, STATES) - p).abs().max() > 0.1


def test_walkback_keeps_the_law_and_mixes_faster():
    c, prior = corruption_matrix(STATES, 0.05, 0.05), bars()
    fades = []
    for steps in (1, 2, 5):
        denoiser = walkback_fixed_point(prior, c, steps)
        again = posterior(prior, walkback_corruption(c, denoiser, steps))
        assert (again - denoiser).abs().max() < 1e-11
        assert far(stationary(c @ denoiser), prior) < 1e-9
        fades.append(second_eigenvalue(c @ denoiser))
    assert fades == pytest.approx([0.862, 0.758, 0.221], abs=5e-4)
    with pytest.raises(ValueError, match="steps: got 0"):
        walkback_corruption(c, c, 0)
    with pytest.raises(ArithmeticError, match="rounds: got 2"):
        walkback_fixed_point(prior, c, 3, rounds=2)


def test_walkback_corruption_is_the_mean_of_the_walks():
    c = corruption_matrix(STATES, 0.05, 0.2)
    p = posterior(bars(), c)
    expected = (c + c @ p @ c + c @ p @ c @ p @ c) / 3
    assert (walkback_corruption(c, p, 3) - expected).abs().max() < 1e-15


@pytest.mark.parametrize(("rate", "steps"), [(0.1, 87.904), (0.3, 9.8424), (0.5, 32 / 9)])
def test_masking_with_the_likeliest_picture_is_absorbed(rate, steps):
    c = corruption_matrix(STATES, 0, rate)
    chain = c @ most_likely(posterior(bars(), c))
    assert chain[0, 0] == 1
    assert steps_until(chain, bars(), 0) == pytest.approx(steps, rel=1e-4)
    lived = sum((bars() @ torch.matrix_power(chain, t))[1:].sum().item() for t in range(2_000))
    assert lived == pytest.approx(steps, rel=1e-4)  # the sum of the chances of not having arrived


def test_the_likeliest_is_one_state():
    p = torch.tensor([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.0, 0.1, 0.9]], dtype=torch.float64)
    assert most_likely(p).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_relaxation():
    assert 0.9 ** relaxation(0.9) == pytest.approx(1 / math.e)
    assert relaxation(-0.5) == relaxation(0.5)
    assert relaxation(0.0) == 0
    with pytest.raises(ValueError, match=r"eigenvalue: got 1.0"):
        relaxation(1.0)


def test_two_laws_are_refused():
    with pytest.raises(ArithmeticError, match="several laws"):
        stationary(torch.eye(3, dtype=torch.float64))


def two_worlds():
    """Two parts of three states each, with no way from one to the other."""
    first, second = (torch.rand(3, 3, generator=torch.Generator().manual_seed(s), dtype=torch.float64) for s in (0, 1))
    return torch.block_diag(*(part / part.sum(1, keepdim=True) for part in (first, second)))


def test_what_falls_into_two_parts_is_refused():
    with pytest.raises(ArithmeticError, match="several laws"):
        stationary(two_worlds())
    with pytest.raises(ArithmeticError, match="goal: got 0, expected a state that is reached"):
        steps_until(two_worlds(), torch.full((6,), 1 / 6, dtype=torch.float64), 0)


@pytest.mark.parametrize("goal", [-1, 6])
def test_a_goal_that_is_no_state_is_refused(goal):
    with pytest.raises(ValueError, match=rf"goal: got {goal}, expected a state from 0 to 5"):
        steps_until(two_worlds(), torch.full((6,), 1 / 6, dtype=torch.float64), goal)


def test_a_way_that_is_hardly_ever_taken_leaves_one_law():
    chain = two_worlds()
    chain[0] *= 1 - 1e-9
    chain[0, 5] += 1e-9
    chain[4] *= 1 - 3e-9
    chain[4, 1] += 3e-9
    law = stationary(chain)
    assert (law @ chain - law).abs().max() < 1e-15
    assert law[0].item() * 1e-9 == pytest.approx(law[4].item() * 3e-9, rel=1e-5)  # as much flows there as back
