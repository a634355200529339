"""pix2pix: what each loss is, what the noise does, the pair that the critic sees, and what is refused."""

import pytest
import torch
from torch import nn

from gmcourse.gan.pix2pix import Alone, PictureGenerator, Pix2Pix, pix2pix
from gmcourse.training import fit, fit_adversarial

RNG = torch.Generator().manual_seed(0)
X, GIVEN = torch.rand(12, 3, 8, 8, generator=RNG), torch.rand(12, 1, 8, 8, generator=RNG)


def model(**options):
    torch.manual_seed(0)
    return pix2pix(1, 3, **options)


def test_the_critic_sees_the_pair():
    seen = []

    class Watched(nn.Module):
        def forward(self, pair):
            seen.append(pair)
            return pair.mean((1, 2, 3))

    torch.manual_seed(0)
    game = Pix2Pix(PictureGenerator(1, 3), Watched(), 10.0)
    game.critic_loss(X, GIVEN)
    real, fake = seen
    assert real.shape == fake.shape == (12, 4, 8, 8)
    assert torch.equal(real[:, :3], X)
    assert torch.equal(real[:, 3:], GIVEN)
    assert torch.equal(fake[:, 3:], GIVEN)
    assert not fake.requires_grad


def test_the_distance_is_weighted_and_on_the_scale_of_the_paper():
    game = model(weight=7.0)
    torch.manual_seed(3)
    terms = game.generator_loss(X, GIVEN)
    torch.manual_seed(3)
    fake = game.generator(GIVEN, game.generator.latents(GIVEN))
    assert terms["distance"].item() == pytest.approx(7.0 * 2 * (X - fake).abs().mean().item())
    logits = game.critic(torch.cat((fake, GIVEN), 1))
    assert terms["fooling"].item() == pytest.approx(-logits.sigmoid().log().mean().item(), rel=1e-5)
    assert model(weight=0.0).generator_loss(X, GIVEN)["distance"] == 0


@pytest.mark.parametrize("power", [1, 2])
def test_alone_it_is_the_distance(power):
    torch.manual_seed(0)
    alone = Alone(PictureGenerator(1, 3, noise="none"), power)
    fake = alone.generator(GIVEN, alone.generator.latents(GIVEN))
    assert alone.loss(X, GIVEN).item() == pytest.approx((2 * (X - fake)).abs().pow(power).mean().item(), rel=1e-5)
    assert not hasattr(alone, "critic_loss")


@pytest.mark.parametrize(("noise", "size"), [("planes", 4), ("dropout", 32 * 16), ("none", 0)])
def test_noise_changes_the_picture_where_there_is_any(noise, size):
    game = model(noise=noise).eval()
    assert game.generator.latents(GIVEN).shape == (12, size)
    first, again, other = (game.sample(12, GIVEN, rng=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first.shape == X.shape
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (noise == "none")
    assert 0 <= first.min() <= first.max() <= 1


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_each_size_on_the_way_up_sees_what_the_way_down_had(halvings):
    torch.manual_seed(0)
    generator = PictureGenerator(1, 2, 4, halvings, noise="none")
    asked = []
    for up in generator.up:
        up.register_forward_hook(lambda _, x, y: asked.append((x[0].shape[1], y.shape[1:])))
    assert generator(torch.rand(2, 1, 16, 8), torch.zeros(2, 0)).shape == (2, 2, 16, 8)
    inner = 4 * 2**halvings
    assert asked[0] == (inner, (inner // 2, 32 // 2**halvings, 16 // 2**halvings))
    assert asked[-1][1] == (4, 16, 8)
    assert all(later[0] == 2 * before[1][0] for before, later in zip(asked, asked[1:]))


def test_one_row_of_given_serves_for_all():
    game = model().eval()
    drawn = game.sample(3, GIVEN[:1], rng=torch.Generator().manual_seed(0))
    rows = game.sample(3, GIVEN[:1].expand(3, -1, -1, -1), rng=torch.Generator().manual_seed(0))
    assert torch.equal(drawn, rows)


def test_training_brings_the_fakes_nearer():
    def distance(game):
        return (game.sample(12, GIVEN, rng=torch.Generator().manual_seed(0)) - X).abs().mean()

    options = {"steps": 60, "batch_size": 6, "lr": 2e-3, "progress": False}
    game = model()
    before = distance(game)
    history = fit_adversarial(game, (X, GIVEN), **options)
    assert {"critic_loss", "generator_loss", "fooling", "distance"} <= history.keys()
    assert distance(game) < 0.9 * before
    alone = Alone(PictureGenerator(1, 3), 1)
    before = distance(alone)
    fit(alone, (X, GIVEN), **options)
    assert distance(alone) < 0.9 * before


def test_what_decides_the_model_is_shown():
    assert "weight=100.0" in repr(model())
    assert "noise='dropout'" in repr(model(noise="dropout"))
    assert "power=2" in repr(Alone(PictureGenerator(1, 1), 2))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: model(weight=-1.0), "weight: got -1.0"),
        (lambda: Alone(PictureGenerator(1, 1), 3), "power: got 3"),
        (lambda: PictureGenerator(1, 1, noise="salt"), "noise: got 'salt'"),
        (lambda: PictureGenerator(1, 1, 8, 0), "halvings: got 0"),
        (lambda: model().sample(2, torch.rand(2, 1, 7, 8)), r"given: got shape \(2, 1, 7, 8\)"),
        (lambda: model().sample(3, GIVEN[:2]), r"given: got shape \(2, 1, 8, 8\), expected \(3, C, H, W\)"),
    ],
)
def test_what_does_not_fit_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
