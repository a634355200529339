"""PixelCNN++: mass, order, what is seen, draws that condition on levels."""

from itertools import product

import pytest
import torch

from gmcourse.autoregressive.discrete import codes_log_prob, one_by_one, to_codes, uniforms
from gmcourse.autoregressive.pixelcnn_pp import PixelCNNPP, ShiftedConv2d, ShiftedUNet
from gmcourse.laws.autoregressive.dependence import is_autoregressive, sees


def loud(shape=(1, 3, 3), levels=2, **options):
    """A small net with weights larger than at the start, so that what leaks is seen; float64."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = PixelCNNPP(shape, levels, **{"width": 4, "components": 3, **options}).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model


@pytest.mark.parametrize(("shape", "levels"), [((1, 3, 3), 2), ((2, 2, 2), 2), ((1, 2, 3), 4)])
def test_the_mass_of_all_images_is_one(shape, levels):
    values = torch.tensor(list(product(range(levels), repeat=torch.tensor(shape).prod())), dtype=torch.float64)
    x = values.view(-1, *shape) / (levels - 1)
    assert loud(shape, levels).log_prob(x).exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 5, 4), (3, 2, 3)])
def test_no_logit_hangs_on_what_comes_later(shape):
    is_autoregressive(lambda x: loud(shape, levels=3).logits(x.double()), shape=shape)


@pytest.mark.parametrize("shape", [(1, 5, 5), (1, 4, 6)])
def test_every_earlier_pixel_is_seen(shape):
    model, last = loud(shape, blocks=2), shape[1] * shape[2] - 1
    assert sees(lambda x: model.logits(x.double()), shape, last) == set(range(last))


def test_the_colours_of_a_pixel_do_not_enter_the_network():
    net = ShiftedUNet(3, 2, 4, 1, 0.0)
    x = torch.randn(1, 3, 5, 4, requires_grad=True)
    net(x)[0, :, 2, 1].sum().backward()
    seen = x.grad[0].abs().sum(0) > 0
    assert not seen[2, 1:].any()
    assert not seen[3:].any()
    assert seen[2, 0]


@pytest.mark.parametrize(("stream", "kernel"), [("above", (2, 3)), ("left", (2, 2))])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_shifted_convolution_keeps_or_halves_the_sides(stream, kernel, stride):
    layer = ShiftedConv2d(1, 2, kernel, stream, stride)
    assert layer(torch.zeros(1, 1, 5, 4)).shape == (1, 2, -(-5 // stride), -(-4 // stride))


@pytest.mark.parametrize(("shape", "levels"), [((1, 4, 3), 5), ((3, 3, 3), 4)])
def test_the_samples_are_the_naive_ones(shape, levels):
    model = loud(shape, levels)
    drawn = model.sample(3, rng=torch.Generator().manual_seed(1))
    u = uniforms(3, drawn[0].numel(), drawn, torch.Generator().manual_seed(1))
    assert torch.equal(drawn, one_by_one(model.logits, torch.zeros_like(drawn), u, levels))
    codes = to_codes(drawn, levels)
    assert torch.equal(codes.double() / (levels - 1), drawn)
    torch.testing.assert_close(codes_log_prob(model.logits(drawn), codes), model.log_prob(drawn))


def test_a_log_scale_has_a_floor():
    model = loud()
    with torch.no_grad():
        model.net.last.bias.fill_(-50.0)
    assert model.mixture(torch.zeros(1, 1, 3, 3, dtype=torch.float64)).log_scales.min() == -7


def test_other_values_than_levels_are_refused():
    with pytest.raises(ValueError, match="x: got"):
        loud().float().loss(torch.full((1, 1, 3, 3), 0.4))
