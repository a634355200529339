"""Games about pairs: which loss moves whom, who hears what is given, and what tables and inputs are refused."""

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from gmcourse.gan.conditional import (
    CGAN,
    Deaf,
    Projection,
    auxiliary_q,
    filled,
    make_cgan,
    matching_critic_loss,
    optimal_q,
    some_wrong_class,
    told_generator,
    wrong_class,
)
from gmcourse.nets import OneHot, Told, mlp, rows_given

X, GIVEN = torch.rand(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 1, 0, 2])


def game(**options):
    torch.manual_seed(0)
    critic = Told(mlp([6, 8, 1]), OneHot(3))
    return CGAN(told_generator((3,), 3, 2, width=8), critic, 2, **{"r1": 0.0} | options)


def test_losses_are_those_of_the_game_at_each_condition():
    model = game()
    for method, sign in ((model.critic_loss, 1), (model.generator_loss, -1)):
        torch.manual_seed(3)
        loss = method(X, GIVEN)
        torch.manual_seed(3)
        h_fake = model.critic(model.generator(torch.randn(6, 2), GIVEN), GIVEN)
        expected = softplus(sign * h_fake).mean()
        expected = expected + softplus(-model.critic(X, GIVEN)).mean() if sign > 0 else expected
        torch.testing.assert_close(loss, expected)


def test_wrong_pairs_enter_the_critics_loss_alone():
    model = game(wrong=lambda given: (given + 1) % 3)
    torch.manual_seed(3)
    loss = model.critic_loss(X, GIVEN)
    torch.manual_seed(3)
    fake = model.generator(torch.randn(6, 2), GIVEN)
    h = (model.critic(X, GIVEN), model.critic(X, (GIVEN + 1) % 3), model.critic(fake, GIVEN))
    torch.testing.assert_close(loss, matching_critic_loss(*h))


def test_r1_is_added_with_its_weight():
    plain, steep = game(), game(r1=2.0)
    torch.manual_seed(3)
    base = plain.critic_loss(X, GIVEN)
    torch.manual_seed(3)
    x = X.clone().requires_grad_()
    slope = torch.autograd.grad(plain.critic(x, GIVEN).sum(), x)[0].square().sum(1).mean()
    torch.testing.assert_close(steep.critic_loss(X, GIVEN), base + 2 * slope / 2)


def test_critics_by_projection_and_without_ears():
    torch.manual_seed(0)
    read = nn.Sequential(OneHot(3), nn.Linear(3, 4, bias=False))
    critic, deaf = Projection(mlp([3, 4]), read, 4), Deaf(mlp([3, 1]))
    x, y = X[:1].expand(3, -1), torch.arange(3)
    h = critic(x, y)[:, 0] - critic.plain(critic.features(x))[:, 0]
    torch.testing.assert_close(h, critic.features(x)[0] @ read[1].weight)
    assert torch.equal(deaf(x, y), deaf(x, y.flip(0)))


def test_samples_are_told_one_row_or_all():
    model = game()
    one = model.sample(4, GIVEN[:1], rng=torch.Generator().manual_seed(0))
    all_ = model.sample(4, torch.zeros(4, dtype=torch.long), rng=torch.Generator().manual_seed(0))
    assert torch.equal(one, all_)
    with pytest.raises(ValueError, match="given: got shape"):
        model.sample(4, GIVEN)
    assert rows_given(GIVEN, 6).equal(GIVEN)


def test_the_best_answers_meet_where_nothing_is_added():
    p, w = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.5, 0.3, 0.2])
    torch.testing.assert_close(optimal_q(p, w), p)
    torch.testing.assert_close(auxiliary_q(p, torch.tensor([0.1, 0.9, 0.4]), 0.0), p)
    even = auxiliary_q(torch.tensor([0.588, 0.412]), torch.tensor([0.588, 0.412]))
    assert even[0] == pytest.approx(0.753, abs=1e-3)
    disjoint = optimal_q(torch.tensor([0.6, 0.4, 0.0]), torch.tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(disjoint, torch.tensor([0.6, 0.4, 0.0]))


def test_wrong_classes_stay_in_range_at_the_edge():
    edge = torch.tensor([0.0, 1 - 2**-24])
    assert wrong_class(torch.tensor([4, 4]), 10, edge).tolist() == [5, 3]
    torch.manual_seed(0)
    drawn = some_wrong_class(3)(torch.zeros(500, dtype=torch.long))
    assert set(drawn.tolist()) == {1, 2}


def test_what_is_amiss_is_named():
    p = torch.tensor([0.5, 0.5])
    for call, said in (
        (lambda: CGAN(nn.Identity(), nn.Identity(), 0), "latent_size: got 0"),
        (lambda: CGAN(nn.Identity(), nn.Identity(), 1, r1=-1.0), "r1: got -1"),
        (lambda: wrong_class(GIVEN, 1, X[:, 0]), "classes: got 1"),
        (lambda: filled(p, torch.tensor([0.5, 0.2, 0.3])), "taken: got"),
        (lambda: filled(-p, p), "raised: got"),
        (lambda: optimal_q(p, 3 * p), "taken: got a sum of 3"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_the_settings_are_shown():
    assert "wrong=some_wrong_class(10)" in repr(make_cgan(matching=True))
    assert "latent_size=16, r1=1.0" in repr(make_cgan())
