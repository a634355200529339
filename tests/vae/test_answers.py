"""Several answers to one question, and the network that gives one."""

import pytest
import torch
from torch import nn

from gmcourse.laws.vae.conditional import fillings_have_mass_one
from gmcourse.nets import mlp
from gmcourse.vae.answers import Regressor, best_of, diversity
from gmcourse.vae.likelihoods import Bernoulli, Gaussian
from gmcourse.vae.told import context

SHAPE = (1, 2, 3)
KNOWN = torch.tensor([[[True, False, True], [False, True, False]]])


def regressor(likelihood):
    torch.manual_seed(0)
    return Regressor(nn.Sequential(nn.Flatten(), mlp([12, 8, 6]), nn.Unflatten(1, SHAPE)), likelihood)


@pytest.fixture
def x():
    return torch.randint(0, 2, (7, *SHAPE), generator=torch.Generator().manual_seed(1)).float()


def test_more_answers_are_no_worse(x):
    answers = torch.rand(6, *x.shape)
    errors = torch.stack([best_of(answers[:count], x) for count in range(1, 7)])
    assert (errors[1:] <= errors[:-1]).all()
    assert torch.equal(best_of(x[None], x), torch.zeros(7))


def test_plus_and_minus_one():
    """Of S answers that are +1 or −1, all miss with probability 2^−S: the best has the error 4·2^−S."""
    rng = torch.Generator().manual_seed(0)
    answers = torch.randint(0, 2, (3, 40_000, 1), generator=rng).float() * 2 - 1
    truth = torch.randint(0, 2, (40_000, 1), generator=rng).float() * 2 - 1
    assert best_of(answers, truth).mean().item() == pytest.approx(4 / 8, abs=0.03)
    assert best_of(answers[:1], truth).mean().item() == pytest.approx(2, abs=0.05)
    assert best_of(torch.zeros(1, 40_000, 1), truth).mean() == 1
    assert diversity(answers).mean().item() == pytest.approx(2 / 3, abs=0.02)  # (1 − 1/S) of the variance 1


@pytest.mark.parametrize("shape", [(0, 7, 1, 2, 3), (2, 6, 1, 2, 3), (7, 1, 2, 3)])
def test_answers_to_other_questions_are_refused(x, shape):
    with pytest.raises(ValueError, match="answers: got shape"):
        best_of(torch.rand(shape), x)


def test_answers_that_agree_have_no_diversity(x):
    assert torch.equal(diversity(x.expand(5, *x.shape)), torch.zeros(7))


def test_a_regressor_has_a_probability_and_keeps_what_is_known(x):
    model = regressor(Bernoulli())

    def log_prob(x, known, k, *, rng):
        return model.log_prob(x, context(x, known))[None]

    fillings_have_mass_one(log_prob, x[0], KNOWN)
    answer = model.answer(context(x, KNOWN))
    mask = KNOWN.expand_as(x)
    assert torch.equal(answer[mask], x[mask])
    assert not answer.requires_grad


def test_a_fixed_noise_is_squared_error(x):
    model = regressor(Gaussian(0.5**0.5))
    given = context(x, KNOWN)
    error = ((model.answer(given) - x) ** 2).flatten(1).sum(1).mean()
    zero = -Gaussian(0.5**0.5).log_prob(torch.zeros(1, 3), torch.zeros(1, 3))
    assert (model.loss(x, given) - zero).item() == pytest.approx(error.item(), abs=1e-5)
