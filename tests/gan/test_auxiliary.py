"""ACGAN: its losses are the game's and the class term's, and heads are cut where they begin."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, softplus

from gmcourse.gan.auxiliary import ACGAN, Beside, class_loss, make_acgan
from gmcourse.gan.conditional import Deaf, told_generator
from gmcourse.nets import OneHot, Told, mlp

X, GIVEN = torch.rand(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 1, 0, 2])


def game(**options):
    torch.manual_seed(0)
    return ACGAN(told_generator((3,), 3, 2, width=8), Deaf(mlp([3, 8, 4])), 2, (3,), **{"r1": 0.0} | options)


@pytest.mark.parametrize(("weight", "fakes"), [(1.0, True), (0.5, True), (2.0, False)])
def test_losses_are_the_games_and_the_class_terms(weight, fakes):
    model = game(weight=weight, fakes=fakes)
    torch.manual_seed(3)
    critic = model.critic_loss(X, GIVEN)
    torch.manual_seed(3)
    generator = model.generator_loss(X, GIVEN)
    torch.manual_seed(3)
    fake = model.generator(torch.randn(6, 2), GIVEN)
    real, drawn = model.critic(X, GIVEN), model.critic(fake, GIVEN)
    of_real, of_fake = cross_entropy(real[:, 1:], GIVEN), cross_entropy(drawn[:, 1:], GIVEN)
    expected = softplus(-real[:, 0]).mean() + softplus(drawn[:, 0]).mean()
    torch.testing.assert_close(critic, expected + weight * (of_real + of_fake * fakes))
    torch.testing.assert_close(generator, softplus(-drawn[:, 0]).mean() + weight * of_fake)


def test_r1_is_of_h_alone():
    model = game(r1=3.0)
    torch.manual_seed(3)
    loss = model.critic_loss(X, GIVEN)
    model.r1 = 0.0
    torch.manual_seed(3)
    base = model.critic_loss(X, GIVEN)
    x = X.clone().requires_grad_()
    slope = torch.autograd.grad(model.critic(x, GIVEN)[:, 0].sum(), x)[0].square().sum(1).mean()
    torch.testing.assert_close(loss, base + 3 * slope / 2)


def test_heads_are_cut_apart_and_their_losses_added():
    logits = torch.randn(4, 2), torch.randn(4, 3)
    facts = torch.tensor([[0, 2], [1, 0], [1, 1], [0, 2]])
    expected = cross_entropy(logits[0], facts[:, 0]) + cross_entropy(logits[1], facts[:, 1])
    torch.testing.assert_close(class_loss(logits, facts), expected)
    model = ACGAN(nn.Linear(2, 3), Deaf(mlp([3, 6])), 2, (2, 3))
    h, parts = model.judge(X, GIVEN)
    torch.testing.assert_close(torch.cat([h, *parts], 1), model.critic(X, GIVEN))
    assert [part.shape[1] for part in parts] == [2, 3]


def test_a_classifier_beside_a_critic_that_is_told():
    torch.manual_seed(0)
    both = Beside(Told(mlp([6, 1]), OneHot(3)), mlp([3, 3]))
    first, second = both(X, GIVEN), both(X, (GIVEN + 1) % 3)
    assert first.shape == (6, 4)
    assert torch.equal(first[:, 1:], second[:, 1:])
    assert not torch.equal(first[:, 0], second[:, 0])


def test_what_is_amiss_is_named():
    for call, said in (
        (lambda: game(weight=-1.0), "weight, r1: got -1"),
        (lambda: ACGAN(nn.Identity(), nn.Identity(), 2, ()), "heads: got 2, \\(\\)"),
        (lambda: class_loss((X,), GIVEN), "facts: got shape"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_the_settings_are_shown():
    assert "heads=(10,), facts=column, weight=1.0, fakes=True, r1=1.0" in repr(make_acgan())
