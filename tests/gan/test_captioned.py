"""Captions in a game: words reach both players by encoders of their own, and one fact alone is made wrong."""

import pytest
import torch

from gmcourse.data.captioned_digits import attributes_of, captions
from gmcourse.gan.captioned import (
    FACTS,
    CaptionEncoder,
    concatenating_cgan,
    naming_acgan,
    one_fact_wrong,
    projecting_cgan,
    some_fact_wrong,
)

ATTRIBUTES = torch.stack([torch.arange(12) % n for n in FACTS], 1)
GIVEN = captions(ATTRIBUTES)
X = torch.rand(12, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_one_fact_and_one_alone_is_wrong():
    which = torch.arange(12) % 3
    for noise in (torch.zeros(12), torch.full((12,), 0.999)):
        wrong = attributes_of(one_fact_wrong(GIVEN, which, noise)) != ATTRIBUTES
        assert torch.equal(wrong, torch.eye(3, dtype=torch.bool)[which])
    torch.manual_seed(0)
    assert ((attributes_of(some_fact_wrong(GIVEN)) != ATTRIBUTES).sum(1) == 1).all()


def test_an_encoder_hears_the_words_and_not_their_order():
    torch.manual_seed(0)
    encoder = CaptionEncoder(7)
    torch.testing.assert_close(encoder(GIVEN), encoder(GIVEN.flip(1)))
    assert torch.cdist(encoder(GIVEN), encoder(GIVEN)).add(10 * torch.eye(12)).min() > 1e-3


@pytest.mark.parametrize(
    "make", [concatenating_cgan, projecting_cgan, naming_acgan, lambda: concatenating_cgan(matching=True)]
)
def test_each_game_runs_and_its_players_share_nothing(make):
    torch.manual_seed(0)
    model = make()
    model.critic_loss(X, GIVEN).backward()
    assert all(p.grad is not None for p in model.critic_parameters())
    model.generator_loss(X, GIVEN).backward()
    assert all(p.grad is not None and p.grad.any() for p in model.generator_parameters())
    assert not {*map(id, model.critic_parameters())} & {*map(id, model.generator_parameters())}
    assert model.sample(12, GIVEN).shape == X.shape
