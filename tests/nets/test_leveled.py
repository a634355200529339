"""Networks that are told a level: their start, what they are told, and what they refuse."""

import pytest
import torch
from torch import nn

from gmcourse.nets import LeveledMLP, UNet
from gmcourse.nets.leveled import PixelAttention, ResidualBlock, waves


def scattered(module, spread=0.3):
    torch.manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter, 0.0, spread)
    return module.double()


def nets(classes=0):
    return {
        "mlp": (scattered(LeveledMLP(3, [8], classes=classes)), torch.randn(4, 3).double()),
        "unet": (scattered(UNet(1, (4, 8), heads=2, classes=classes)), torch.randn(4, 1, 4, 4).double()),
    }


@pytest.mark.parametrize("kind", nets())
def test_each_row_is_told_its_own_level(kind):
    net, x = nets()[kind]
    levels = torch.tensor([0.0, 0.1, 0.5, 2.0]).double()
    together = net(x, levels)
    for row, level in enumerate(levels):
        torch.testing.assert_close(together[row], net(x[row : row + 1], level.item())[0])
    assert (together[0] - net(x, 0.3)[0]).abs().max() > 1e-3
    assert together.shape == x.shape


@pytest.mark.parametrize("kind", nets())
def test_a_class_is_told_and_none_is_a_class_of_its_own(kind):
    net, x = nets(classes=2)[kind]
    zero, one, none = (net(x, 0.5, torch.full((4,), c)) for c in range(3))
    torch.testing.assert_close(net(x, 0.5), none)
    assert min((a - b).abs().max() for a, b in ((zero, one), (zero, none), (one, none))) > 1e-3


@pytest.mark.parametrize("kind", nets())
def test_a_level_of_another_shape_is_refused(kind):
    net, x = nets()[kind]
    with pytest.raises(ValueError, match=r"level: got shape \(3,\), expected one number or \(4,\)"):
        net(x, torch.zeros(3))


def test_a_unet_starts_at_zero_and_its_blocks_as_identities():
    x, told = torch.randn(2, 8, 4, 4), torch.randn(2, 5)
    assert UNet(8)(x, 0.1).abs().max() == 0
    torch.testing.assert_close(ResidualBlock(8, 8, 5)(x, told), x)
    torch.testing.assert_close(PixelAttention(8, 2)(x), x)


def test_pixels_of_an_attention_see_one_another():
    look, x = scattered(PixelAttention(8, 2)), torch.randn(1, 8, 2, 2).double().requires_grad_()
    (slope,) = torch.autograd.grad(look(x)[0, :, 0, 0].sum(), x)
    assert (slope[0, :, 1, 1] != 0).all()


def test_sizes_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match=r"images of \(6, 8\) pixels, expected sizes divisible by 4"):
        UNet(1, (8, 8, 8))(torch.zeros(1, 1, 6, 8), 0.0)


def test_waves_by_hand():
    found = waves(torch.tensor([0.25]).double(), 4)[0]
    expected = torch.tensor([0.25, 250.0]).double()
    torch.testing.assert_close(found, torch.cat([expected.sin(), expected.cos()]))
    for count in (2, 5):
        with pytest.raises(ValueError, match=f"count: got {count}, expected an even number"):
            waves(torch.zeros(1), count)


def test_the_way_up_sees_what_the_way_down_had():
    net, x = nets()["unet"]
    for parameter in net.grow.parameters():
        nn.init.zeros_(parameter)
    out = net(x, 0.0)
    assert (out[0] - out[1]).abs().max() > 1e-2


@pytest.mark.parametrize("kind", nets())
def test_what_it_was_not_made_for_is_refused(kind):
    net, x = nets()[kind]
    with pytest.raises(ValueError, match="given: got classes, .* the network was made without"):
        net(x, 0.5, torch.zeros(4).long())
    with pytest.raises(ValueError, match=r"x: got shape \(4, 5.*, expected \(batch, [13]"):
        net(torch.zeros(4, 5, *x.shape[2:]).double(), 0.5)
    with pytest.raises(TypeError, match="x: got dtype torch.int64, expected floating point"):
        net(x.long(), 0.5)
    told, x = nets(classes=2)[kind]
    for given in (torch.zeros(3).long(), torch.zeros(4, 1).long(), torch.zeros(4)):
        with pytest.raises(ValueError, match=r"given: got shape .*, expected \(4,\) integers 0..2"):
            told(x, 0.5, given)
