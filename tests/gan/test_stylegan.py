"""StyleGAN: the players at each stage of their growth, and what stays the same while they grow."""

import copy

import pytest
import torch

from gmcourse.gan.growing import GrowingCritic, doubled, fade, growth, halved, minibatch_std, sizes_of
from gmcourse.gan.style import EqualisedConv2d, EqualisedLinear, Mapping, adain, mix, pixel_norm, statistics, truncate
from gmcourse.gan.stylegan import StyleGAN, StyleGenerator, make_stylegan
from gmcourse.training import fit_adversarial

SHAPE = (1, 16, 16)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def model(**options):
    torch.manual_seed(0)
    return StyleGAN(SHAPE, 8, (6, 5, 4), held=2, faded=2, **options)


def noisy(generator):
    """Its noise weights, which start at 0, away from it."""
    for layer in generator.layers:
        if getattr(layer, "strength", None) is not None:
            torch.nn.init.normal_(layer.strength)
    return generator


@pytest.mark.parametrize("styled", [True, False])
def test_at_alpha_0_the_new_stage_is_the_old_one_doubled_bit_for_bit(styled):
    torch.manual_seed(0)
    generator = noisy(StyleGenerator(SHAPE, 8, 7, (6, 5, 4), styled=styled))
    styles = torch.randn(6, 3, 7 if styled else 8)
    noise = [torch.randn(3, 1, side, side) for side in generator.sizes for _ in range(2)]
    for stage in (1, 2):
        new, old = generator(styles, noise, stage, 0.0), generator(styles, noise, stage - 1)
        assert torch.equal(new, doubled(old))
        assert not torch.allclose(generator(styles, noise, stage, 0.5), doubled(old))


def test_at_alpha_0_the_critic_sees_the_halved_picture_alone():
    torch.manual_seed(0)
    critic, x = GrowingCritic(1, 4, (6, 5, 4)), torch.randn(5, 1, 16, 16)
    assert torch.equal(critic(x, 2, 0.0), critic(halved(x), 1))
    assert torch.equal(critic(halved(x), 1, 0.0), critic(halved(halved(x)), 0))
    assert not torch.allclose(critic(x, 2, 0.5), critic(halved(x), 1))


def test_at_alpha_1_the_old_stage_s_colours_are_not_used():
    gan = model()
    gan.taken = 2 * 8
    assert gan.grown == (2, 1.0)
    gan.generator_loss(torch.rand(4, *SHAPE)).backward()
    grads = [rgb.weight.grad is not None for rgb in gan.generator.to_rgb]
    assert grads == [False, False, True]


def test_growth_is_held_and_faded():
    steps = [growth(step, 3, 2, 2) for step in range(10)]
    first, second = [(0, 1.0)] * 2, [(1, 0.5), (1, 1.0), (1, 1.0), (1, 1.0)]
    assert steps == [*first, *second, (2, 0.5), (2, 1.0), (2, 1.0), (2, 1.0)]
    assert growth(0, 3, 0, 0) == (2, 1.0)
    assert growth(2, 2, 2, 0) == (1, 1.0)
    assert growth(0, 1, 5, 5) == (0, 1.0)
    with pytest.raises(ValueError, match="stages, held, faded: got 2, -1 and 0"):
        growth(0, 2, -1, 0)


def test_sides_are_halved_as_far_as_they_go():
    assert sizes_of(8) == [4, 8]
    assert sizes_of(28) == [7, 14, 28]
    assert sizes_of(32) == [4, 8, 16, 32]
    assert sizes_of(10) == [5, 10]
    for side in (6, 9, 4):
        with pytest.raises(ValueError, match=f"side: got {side}"):
            sizes_of(side)


def test_a_one_by_one_convolution_commutes_with_both_changes_of_size():
    torch.manual_seed(0)
    rgb, x = EqualisedConv2d(3, 2, 1), torch.randn(4, 3, 8, 8)
    torch.testing.assert_close(rgb(doubled(x)), doubled(rgb(x)))
    torch.testing.assert_close(rgb(halved(x)), halved(rgb(x)))
    assert torch.equal(halved(doubled(x)), x)


def test_an_equalised_layer_starts_with_spread_1_and_learns_at_its_rate():
    torch.manual_seed(0)
    for layer, x in ((EqualisedLinear(300, 200, 1.0), torch.randn(500, 300)),):
        assert layer(x).std().item() == pytest.approx(1, rel=0.03)
    slow, fast = EqualisedLinear(300, 200, 1.0, rate=0.01), EqualisedLinear(300, 200, 1.0)
    x = torch.randn(500, 300)
    assert slow(x).std().item() == pytest.approx(1, rel=0.03)
    moved = []
    for layer in (slow, fast):
        before, optimizer = layer(x).detach(), torch.optim.Adam(layer.parameters(), 0.1)
        layer(x).sum().backward()
        optimizer.step()
        moved.append((layer(x) - before).abs().mean().item())
    assert moved[0] == pytest.approx(0.01 * moved[1], rel=0.1)
    conv = EqualisedConv2d(30, 20, 3, 1.0)
    assert conv(torch.randn(50, 30, 9, 9))[..., 1:-1, 1:-1].std().item() == pytest.approx(1, rel=0.05)


def test_a_mapping_takes_the_length_of_z_away():
    torch.manual_seed(0)
    mapping, z = Mapping(8, 6), torch.randn(5, 8)
    torch.testing.assert_close(mapping(z), mapping(3 * z))
    assert pixel_norm(z).square().mean(1).tolist() == pytest.approx([1] * 5)


def test_a_whole_style_mixed_with_itself_or_at_the_end_is_the_parent():
    gan = model().eval()
    first, second = (gan.styles(gan.latents(3, seeded(s))) for s in (1, 2))
    noise = gan.noise(3, seeded())
    whole = gan.draw(first, noise)
    for styles in (mix(first, first, 3), mix(first, second, 6), mix(second, first, 0)):
        assert torch.equal(gan.draw(styles, noise), whole)
    rows = mix(first, second, torch.tensor([0, 3, 6]))
    assert torch.equal(rows[:, 0], second[:, 0])
    assert torch.equal(rows[:, 2], first[:, 2])
    assert torch.equal(rows[:3, 1], first[:3, 1])


def test_psi_0_is_one_picture_and_1_is_the_model():
    gan = model()
    gan.taken = 16
    noise = gan.noise(4, seeded())
    z = gan.latents(4, seeded(1))
    pictures = gan.draw(gan.styles(z, 0.0), [n[:1].expand_as(n) for n in noise])
    torch.testing.assert_close(pictures, pictures[:1].expand_as(pictures))
    assert torch.equal(gan.styles(z, 1.0), gan.styles(z))
    assert not torch.equal(gan.sample(4, rng=seeded(), psi=0.5), gan.sample(4, rng=seeded()))
    assert torch.equal(gan.center(), gan.center())


def test_a_style_acts_until_the_next_adain_and_no_further():
    """The mean and the spread that a layer's style sets are gone after the next layer's."""
    x = torch.randn(3, 4, 8, 8)
    scale, shift = torch.rand(3, 4) + 0.5, torch.randn(3, 4)
    once = adain(adain(x, 5 * scale, shift + 7), scale, shift)
    torch.testing.assert_close(once, adain(x, scale, shift), rtol=1e-4, atol=1e-4)
    mean, std = statistics(once)
    torch.testing.assert_close((mean, std), (shift, scale), rtol=1e-4, atol=1e-4)


def test_neighbours_in_the_batch_change_a_fake_of_no_row_but_the_critic_s_view():
    gan = model().eval()
    styles, noise = gan.styles(gan.latents(4, seeded())), gan.noise(4, seeded(1))
    alone = gan.draw(styles[:, :1], [n[:1] for n in noise])
    torch.testing.assert_close(gan.draw(styles, noise)[:1], alone)
    x = torch.randn(4, 1, 4, 4)
    assert (gan.critic(x, 0)[:1] - gan.critic(x.roll(1, 1) * torch.tensor([1, 2, 3, 4]).view(4, 1, 1, 1), 0)).any()


@pytest.mark.parametrize(
    "switches",
    [{}, {"mapped": False}, {"normalised": False}, {"noisy": False}, {"styled": False, "mixing": 0.0}],
)
def test_it_trains_through_its_growth_with_each_switch(switches):
    gan = model(**switches)
    before = gan.sample(3, rng=seeded())
    history = fit_adversarial(gan, (torch.rand(16, *SHAPE),), steps=10, batch_size=4, lr=1e-2, progress=False)
    assert all(torch.tensor(values).isfinite().all() for values in history.values())
    assert gan.grown == (2, 1.0)
    assert gan.sample(3, rng=seeded()).shape == before.shape == (3, *SHAPE)


def test_switches_take_away_what_they_name():
    plain = StyleGenerator(SHAPE, 8, 7, (6, 5, 4), noisy=False, mapped=False)
    assert all(layer.strength is None for layer in plain.layers)
    assert isinstance(plain.mapping, torch.nn.Identity)
    assert StyleGenerator(SHAPE, 8, 7, (6, 5, 4), styled=False).constant is None
    with pytest.raises(TypeError, match="polished"):
        StyleGAN(SHAPE, polished=True)


def test_how_far_it_has_grown_travels_with_its_weights():
    gan, other = model(), model()
    fit_adversarial(gan, (torch.rand(16, *SHAPE),), steps=5, batch_size=4, lr=1e-2, progress=False)
    other.load_state_dict(gan.state_dict())
    assert other.grown == gan.grown == (1, 1.0)
    assert torch.equal(other.sample(2, rng=seeded()), gan.sample(2, rng=seeded()))
    assert copy.deepcopy(gan).grown == gan.grown
    assert make_stylegan().grown == (1, pytest.approx(0.5, abs=0.01))


def test_bad_input_is_named():
    x = torch.randn(2, 3, 4, 4)
    with pytest.raises(ValueError, match=r"scale, shift: got shapes \(2, 4\)"):
        adain(x, torch.ones(2, 4), torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"x: got shape \(2, 3\)"):
        statistics(x[:, :, 0, 0])
    with pytest.raises(ValueError, match="low, high: got shapes"):
        fade(x, x[:1], 0.5)
    with pytest.raises(ValueError, match="alpha: got 1.5"):
        fade(x, x, 1.5)
    with pytest.raises(ValueError, match="first, second: got shapes"):
        mix(x[0], x[0, :2], 1)
    assert minibatch_std(x).shape == (2, 4, 4, 4)
    assert torch.equal(truncate(x[0, 0], torch.zeros(4), 1.0), x[0, 0])
