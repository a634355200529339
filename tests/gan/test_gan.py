"""The pair: which player a loss moves, what clipping keeps, what is refused."""

import pickle
from functools import partial

import pytest
import torch
from torch import nn

from gmcourse.gan import GAN
from gmcourse.gan import losses as L
from gmcourse.gan.losses import wgan_critic_loss, wgan_generator_loss
from gmcourse.nets import mlp
from gmcourse.training import fit_adversarial

REAL = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))


def pair(**options):
    torch.manual_seed(0)
    return GAN(mlp([2, 8, 2]), mlp([2, 8, 1]), 2, **options)


def test_losses_are_those_given_on_fresh_fakes():
    seen = []

    def loss(critic, real, fake):
        seen.append((real, fake, fake.requires_grad))
        return critic(fake).mean()

    model = pair(critic_loss=loss, generator_loss=loss)
    model.critic_loss(REAL)
    model.generator_loss(REAL)
    (real, first, constant), (_, second, moving) = seen
    assert torch.equal(real, REAL)
    assert first.shape == second.shape == REAL.shape
    assert not constant
    assert moving
    assert not torch.equal(first, second)


def test_clipped_weights_lie_in_the_box_whenever_the_critic_is_used():
    seen = []

    def watch(module, _):
        seen.append(max(p.abs().max().item() for p in module.parameters()))

    model = pair(critic_loss=wgan_critic_loss, generator_loss=wgan_generator_loss, clip=1 / 16)
    model.critic.register_forward_pre_hook(watch)
    fit_adversarial(model, (REAL,), steps=5, batch_size=16, lr=0.1, critic_steps=2, progress=False)
    assert len(seen) == 5 * (2 * 2 + 1)
    assert max(seen) <= 1 / 16
    assert max(p.abs().max() for p in model.generator.parameters()) > 1 / 16


def test_clipped_weights_lie_in_the_box_from_the_start():
    model = pair(clip=1 / 16)
    assert max(p.abs().max() for p in model.critic.parameters()) <= 1 / 16
    assert max(p.abs().max() for p in model.generator.parameters()) > 1 / 16


def test_without_clip_weights_are_left_alone():
    model = pair()
    before = [p.clone() for p in model.parameters()]
    model.critic_loss(REAL)
    model.generator_loss(REAL)
    model.after_step()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))


def test_samples_come_from_an_average_that_forgets_as_it_should():
    model = pair(average=0.6)
    plain = pair()
    expected, pulls = [p.detach().clone() for p in plain.generator.parameters()], []
    for i in range(1, 21):
        for parameter, mean in zip(model.generator.parameters(), expected, strict=True):
            parameter.data += 0.1 * i
            keep = min(0.6, (1 + i) / (10 + i))
            mean.mul_(keep).add_((1 - keep) * parameter.detach())
        model.after_step()
        pulls.append(keep)
    assert pulls[0] < pulls[5] < pulls[-1] == 0.6
    for parameter, mean in zip(model.averaged.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter, mean)
        assert not parameter.requires_grad
    z = model.latents(4, torch.Generator().manual_seed(1))
    drawn = model.sample(4, rng=torch.Generator().manual_seed(1))
    torch.testing.assert_close(drawn, model.averaged(z))
    assert (drawn - model.generator(z)).abs().max() > 0.1


def test_an_average_changes_no_training():
    weights = []
    for average in (None, 0.99):
        model = pair(average=average)
        fit_adversarial(model, (REAL,), steps=5, batch_size=16, lr=0.1, progress=False)
        weights.append([*model.generator.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights))


@pytest.mark.parametrize(
    "options, shown",
    [
        ({}, "critic_loss=gan_critic_loss, generator_loss=non_saturating_loss, clip=None"),
        (
            {"critic_loss": L.with_r1(L.gan_critic_loss, 0.02), "clip": 0.1},
            "critic_loss=with_r1(gan_critic_loss, 0.02), generator_loss=non_saturating_loss, clip=0.1",
        ),
        (
            {"critic_loss": L.with_gradient_penalty(partial(L.gan_critic_loss, smooth=0.1), 2)},
            "critic_loss=with_gradient_penalty(gan_critic_loss(smooth=0.1), 2), generator_loss=non_saturating_loss, "
            "clip=None",
        ),
        (
            {
                "critic_loss": L.with_dragan(L.wgan_critic_loss, 10),
                "generator_loss": L.wgan_generator_loss,
                "average": 0.9,
            },
            "critic_loss=with_dragan(wgan_critic_loss, 10), generator_loss=wgan_generator_loss, clip=None, average=0.9",
        ),
    ],
)
def test_losses_and_clipping_are_shown_and_pickled(options, shown):
    model = pair(**options)
    assert shown in repr(model)
    twin = pickle.loads(pickle.dumps(model))
    assert repr(twin) == repr(model)
    values = []
    for game in (model, twin):
        torch.manual_seed(1)
        values.append((game.critic_loss(REAL).item(), game.generator_loss(REAL).item()))
    assert values[0] == values[1]


def test_a_checkpoint_of_other_losses_is_refused(tmp_path):
    plan = {"steps": 2, "batch_size": 16, "lr": 1e-3, "progress": False, "checkpoint": tmp_path / "c.pt"}
    fit_adversarial(pair(), (REAL,), **plan)
    other = {"critic_loss": wgan_critic_loss, "generator_loss": wgan_generator_loss}
    for options in (other, {"clip": 0.1}, {"critic_loss": L.with_r1(L.gan_critic_loss, 0.02)}):
        with pytest.raises(ValueError, match=r"another model: it has critic_loss=gan_critic_loss, .*this run .*="):
            fit_adversarial(pair(**options), (REAL,), **plan)


def test_samples_come_from_the_generator_given():
    model, before = pair(), torch.get_rng_state()
    first, again, other = (model.sample(5, rng=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert not first.requires_grad
    with pytest.raises(TypeError, match="rng: got 0, expected a torch.Generator"):
        model.sample(3, rng=0)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="latent_size: got 0"):
        GAN(nn.Linear(1, 1), nn.Linear(1, 1), 0)
    with pytest.raises(ValueError, match="clip: got -1"):
        pair(clip=-1)
    with pytest.raises(ValueError, match="n: got -3"):
        pair().sample(-3)
