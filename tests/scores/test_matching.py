"""Score matching: by hand, on a line by quadrature, and a small net against the exact score of every level."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from gmcourse.laws.score import is_score_of_mixture
from gmcourse.laws.scores.matching import levels_weigh_alike
from gmcourse.nets import LeveledMLP
from gmcourse.schedules import held_then_falling
from gmcourse.scores import DenoisingScore, SlicedScore
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.matching import (
    DENOISING_SCORE_MATCHING,
    SLICED_SCORE_MATCHING,
    denoising_loss,
    dsm_constant,
    explicit_loss,
    implicit_loss,
    score_errors,
    sliced_loss,
    tweedie,
)
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.training import fit

TWO = NoisedMixture(torch.tensor([[-2.0], [2.0]]).double(), 0.5)
LINE = torch.linspace(-12, 12, 1201, dtype=torch.float64)[:, None]
MASS = LINE[1, 0] - LINE[0, 0]


def mean(values, sigma):
    """Over the two modes, smoothed by σ."""
    return (TWO.log_prob(LINE, sigma).exp() * values).sum() * MASS


def bent(x):
    return (1.3 * x).sin() - 0.4 * x


def test_explicit_is_implicit_and_half_the_fisher_information():
    for sigma in (0.0, 1.0):
        fisher = mean(TWO.score(LINE, sigma)[:, 0] ** 2, sigma)
        explicit = mean(explicit_loss(bent, partial(TWO.score, sigma=sigma), LINE), sigma)
        assert (explicit - mean(implicit_loss(bent, LINE), sigma) - fisher / 2).abs() < 1e-9


def test_at_an_edge_the_boundary_term_is_all_there_is():
    x = torch.linspace(0, 60, 60_001, dtype=torch.float64)[:, None] + 5e-4
    density = (-x[:, 0]).exp() * 1e-3
    for theta in (-1.0, 0.0, 0.7):
        implicit = (density * implicit_loss(lambda y, at=theta: at + 0 * y, x)).sum().item()
        assert implicit == pytest.approx(theta**2 / 2, abs=1e-6)  # least at 0; the score is −1
        edge = theta  # −[p s] from 0 to ∞
        assert implicit + edge + 0.5 == pytest.approx((theta + 1) ** 2 / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("sigma", "fisher", "constant"), [(0.1, 3.838, 48.08), (0.5, 1.885, 1.0574), (1, 0.518, 0.2411)]
)
def test_the_constant_of_two_modes(sigma, fisher, constant):
    found = mean(TWO.score(LINE, sigma)[:, 0] ** 2, sigma)
    assert found.item() == pytest.approx(fisher, abs=6e-4)
    assert dsm_constant(found, sigma, 1).item() == pytest.approx(constant, rel=5e-4)
    covariance = tweedie(partial(TWO.score, sigma=sigma), LINE, sigma)[1][:, 0, 0]
    assert mean(covariance, sigma).item() / 2 / sigma**4 == pytest.approx(constant, rel=5e-4)


def test_tweedie_is_the_exact_denoiser_with_a_level_for_each_row():
    rng = torch.Generator().manual_seed(0)
    means = torch.randn(3, 2, generator=rng, dtype=torch.float64)
    truth, x = NoisedMixture(means, 0.4), torch.randn(4, 2, generator=rng, dtype=torch.float64)
    sigma = torch.tensor([0.2, 0.5, 1.0, 3.0]).double()
    clean, covariance = tweedie(lambda y: truth.score(y, sigma[: len(y)]), x, sigma)
    torch.testing.assert_close(clean, truth.denoise(x, sigma))
    for row in range(4):
        _, alone = tweedie(partial(truth.score, sigma=sigma[row].item()), x[row : row + 1], sigma[row].item())
        torch.testing.assert_close(covariance[row], alone[0])
        assert torch.linalg.eigvalsh(alone[0]).min() > 0


def test_denoising_of_the_exact_score_costs_the_constant_and_all_losses_take_images():
    rng = torch.Generator().manual_seed(0)
    x, noise = TWO.sample(40_000, rng=rng), torch.randn(40_000, 1, generator=rng, dtype=torch.float64)
    loss = denoising_loss(partial(TWO.score, sigma=1.0), x, 1.0, noise)
    assert loss.mean().item() == pytest.approx(0.2411, abs=4 * loss.std().item() / 200)
    image = torch.randn(3, 1, 2, 2, generator=rng)
    signs = torch.ones(3, 1, 2, 2)
    for losses in (
        implicit_loss(bent, image),
        sliced_loss(bent, image, signs),
        denoising_loss(bent, image, 0.5, image),
    ):
        assert losses.shape == (3,)
    row = implicit_loss(bent, image.flatten(1))
    torch.testing.assert_close(implicit_loss(bent, image), row)
    torch.testing.assert_close(sliced_loss(bent, image, signs, reduced=True), row)  # ∇s is diagonal


def test_what_two_ways_of_slicing_vary_by():
    matrix, x = torch.tensor([[-1.0, 0.9], [0.9, -1.0]]).double(), torch.tensor([[1.0, 2.0]]).double()
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0]]).double()
    field = lambda y: y @ matrix.T  # noqa: E731
    for reduced, variance in ((False, 0.85), (True, 3.24)):
        each = sliced_loss(field, x.repeat(2, 1), signs, reduced)
        assert each.var(correction=0).item() == pytest.approx(variance, abs=5e-3)


class Stub(nn.Module):
    """A denoiser whose score is the one that is given."""

    def __init__(self, score):
        super().__init__()
        self.score = score


def test_the_weighted_loss_is_that_of_the_law():
    levels_weigh_alike(lambda score, *rest: DenoisingScore(Stub(score), 1.0).matching_errors(*rest))


def test_a_model_answers_the_law_of_scores_and_errs_by_nothing():
    def exact(x, sigma, points, weights):
        return DenoisingScore(Stub(NoisedMixture(points, 0.0, weights).score), 1.0).score(x, sigma)

    is_score_of_mixture(exact)
    model = DenoisingScore(Stub(TWO.score), 1.0)
    x, sigma = TWO.sample(5, rng=torch.Generator().manual_seed(0)), torch.tensor([0.1, 0.3, 1, 2, 9]).double()
    assert score_errors(model, TWO, x, sigma, torch.ones_like(x)).abs().max() < 1e-12


def small(kind, seed=0, lowest=0.5, highest=2.0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind(Denoiser(LeveledMLP(1, [32, 32]), 2.0), lowest, highest).double()


@pytest.mark.parametrize("kind", [DenoisingScore, SlicedScore])
def test_a_small_net_learns_the_score_of_every_level(kind):
    rng = torch.Generator().manual_seed(1)
    x, noise = TWO.sample(4_096, rng=rng), torch.randn(4_096, 1, generator=rng, dtype=torch.float64)
    model = small(kind)

    def error():
        return sum(score_errors(model, TWO, x, sigma, noise).mean().item() for sigma in (0.5, 1.0, 2.0))

    before = error()
    fit(model, (x,), steps=250, batch_size=256, lr=held_then_falling(1e-2, 250), progress=False)
    assert error() < min(0.1, before / 4)


def test_both_losses_have_the_same_mean_gradient():
    """Over many draws, for one weight: they differ by a constant."""
    rng = torch.Generator().manual_seed(1)
    x = TWO.sample(20_000, rng=rng)
    slopes = []
    for kind in (DenoisingScore, SlicedScore):
        model = small(kind, lowest=1.0, highest=1.0)
        with torch.random.fork_rng():
            torch.manual_seed(3)
            model.loss(x).backward()
        slopes.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert torch.nn.functional.cosine_similarity(*slopes, dim=0) > 0.99
    assert (slopes[0] - slopes[1]).norm() < 0.15 * slopes[0].norm()


def test_levels_lie_between_the_two_evenly_in_the_logarithm():
    model, one = small(DenoisingScore, lowest=0.1, highest=10.0), small(DenoisingScore, lowest=0.7, highest=None)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        levels = model.levels(torch.zeros(20_000, 1).double())
        assert torch.equal(one.levels(torch.zeros(3, 1)), torch.full((3,), 0.7))
    assert (levels.min() >= 0.1, levels.max() <= 10.0) == (True, True)
    assert levels.log10().mean().item() == pytest.approx(0, abs=0.02)
    assert levels.log10().std().item() == pytest.approx(2 / math.sqrt(12), abs=0.02)


@pytest.mark.parametrize(("lowest", "highest"), [(0.0, 1.0), (2.0, 1.0), (-1.0, None)])
def test_levels_that_are_none_are_refused(lowest, highest):
    with pytest.raises(
        ValueError, match=f"lowest, highest: got {lowest} and {highest}, expected 0 < lowest <= highest"
    ):
        DenoisingScore(Denoiser(nn.Identity()), lowest, highest)


def test_the_recipes_fit_their_levels_to_the_data():
    for record in (SLICED_SCORE_MATCHING, DENOISING_SCORE_MATCHING):
        assert "lowest=0.03, highest=0.6" in repr(record.build())


def test_slicing_takes_signs_at_random_and_weighs_by_the_level():
    """Of s = Ax at one level: σ²(½E‖Ax̃‖² + tr A)."""
    matrix = torch.tensor([[-1.0, 0.9], [0.9, -1.0]]).double()
    model = SlicedScore(Stub(lambda x, sigma: x @ matrix.T), 2.0)
    expected = 4 * (2 * matrix.square().sum() - 2)
    torch.manual_seed(0)
    assert model.loss(torch.zeros(40_000, 2).double()).item() == pytest.approx(expected.item(), abs=0.2)
