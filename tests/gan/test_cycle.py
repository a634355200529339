"""CycleGAN: its terms, its buffer, that its two domains may differ in channels, and what is refused."""

import copy

import pytest
import torch

from gmcourse.gan.cycle import CycleGAN, ImageBuffer, cycle_loss, identity_loss, small_cycle, translator
from gmcourse.gan.pairs import coarse
from gmcourse.training import fit_adversarial

RNG = torch.Generator().manual_seed(0)
B, A = torch.rand(12, 3, 8, 8, generator=RNG), torch.rand(12, 1, 8, 8, generator=RNG)


def model(a=1, b=3, **options):
    torch.manual_seed(0)
    return small_cycle((a, 8, 8), (b, 8, 8), 8, **options)


def test_the_terms_are_those_of_the_paper():
    game = model(weight=5.0)
    terms = game.generator_loss(B, A)
    there, back = game.to_b(A), game.to_a(B)
    fooling = (game.critic(there) - 1).square().mean() + (game.critic_of_a(back) - 1).square().mean()
    assert terms["fooling"].item() == pytest.approx(fooling.item(), rel=1e-5)
    assert terms["cycle"].item() == pytest.approx(10.0 * cycle_loss(game.to_b, game.to_a, A, B).item(), rel=1e-5)
    assert set(terms) == {"fooling", "cycle"}
    critics = game.critic_loss(B, A)
    right = 0.5 * (game.critic(B) - 1).square().mean() + 0.5 * game.critic(there).square().mean()
    assert critics["critic_of_b"].item() == pytest.approx(right.item(), rel=1e-5)
    right = 0.5 * (game.critic_of_a(A) - 1).square().mean() + 0.5 * game.critic_of_a(back).square().mean()
    assert critics["critic_of_a"].item() == pytest.approx(right.item(), rel=1e-5)


def test_identity_asks_that_what_is_there_stays():
    game = model(1, 1, identity=3.0)
    other = torch.rand(12, 1, 8, 8, generator=RNG)
    term = game.generator_loss(other, A)["identity"]
    assert term.item() == pytest.approx(6.0 * identity_loss(game.to_b, game.to_a, A, other).item(), rel=1e-5)
    assert identity_loss(lambda x: x, lambda x: x, A, other) == 0


def test_noise_stands_between_the_two_maps():
    game = model(1, 1, noise=0.3)
    seen = []
    game.to_a.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    torch.manual_seed(1)
    game.generator_loss(coarse(A), A)
    clean = game.to_b(A)
    away = [x - clean for x in seen if x.shape == clean.shape]
    assert min((gap.std() - 0.15).abs() for gap in away) < 0.02


def test_a_buffer_fills_and_then_shows_half():
    torch.manual_seed(0)
    buffer = ImageBuffer((1,), 40)
    for start in (0, 30):
        fresh = torch.arange(start, start + 30.0)[:, None].requires_grad_()
        shown = buffer.show(fresh)
        assert torch.equal(shown, fresh)
        buffer.keep()
    assert buffer.filled == 40
    assert sorted(buffer.pictures.flatten().tolist()) == list(range(40))
    old = []
    for turn in range(40):
        fresh = torch.full((20, 1), 1000.0 + turn)
        shown = buffer.show(fresh)
        old.append((shown != fresh).double().mean())
        buffer.keep()
    assert torch.stack(old).mean() == pytest.approx(0.5, abs=0.05)
    assert not buffer.pictures.requires_grad
    assert len(set(buffer.pictures.flatten().tolist())) > 10


def test_a_loss_that_is_only_looked_at_changes_nothing():
    game = model(size=4)
    before = copy.deepcopy(game.state_dict())
    game.critic_loss(B, A)
    game.generator_loss(B, A)
    assert all(torch.equal(value, before[name]) for name, value in game.state_dict().items())
    game.after_step()
    assert game.fakes_of_a.filled == game.fakes_of_b.filled == 4
    kept = game.fakes_of_b.pictures.clone()
    game.after_step()
    assert torch.equal(game.fakes_of_b.pictures, kept)


def test_without_a_buffer_the_fakes_are_fresh():
    game = model(size=0)
    history = fit_adversarial(game, (B, A), steps=3, batch_size=4, lr=1e-3, progress=False)
    assert {"critic_of_a", "critic_of_b", "fooling", "cycle"} <= history.keys()


def test_the_cycle_closes_with_training():
    game = model()
    before = game.errors(B).mean()
    fit_adversarial(game, (B, A), steps=250, batch_size=6, lr=2e-3, progress=False)
    assert game.errors(B).shape == (12,)
    assert game.errors(B).mean() < 0.9 * before
    assert game.sample(12, A).shape == B.shape
    assert torch.equal(game.sample(12, A), game.sample(12, A))


def test_what_decides_the_model_is_shown():
    said = repr(model(weight=5.0, noise=0.1, size=7))
    assert "weight=5.0" in said
    assert "noise=0.1" in said
    assert "size=7" in said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: model(weight=-1.0), "weight: got -1.0"),
        (lambda: model(identity=1.0), "identity: got 1.0 for pictures of shapes"),
        (lambda: model(size=-3), "size: got -3"),
        (lambda: model().sample(3, A[:2]), r"given: got shape \(2, 1, 8, 8\)"),
    ],
)
def test_what_does_not_fit_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()


def test_the_parts_may_be_any_networks():
    nets = translator(1, 2, 4, 2), translator(2, 1, 4, 2), translator(2, 1, 4, 2), translator(1, 1, 4, 2)
    game = CycleGAN(*nets, ((1, 4, 4), (2, 4, 4)))
    assert game.sample(2, torch.rand(2, 1, 4, 4)).shape == (2, 2, 4, 4)
