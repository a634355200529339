"""Glow: bijective as a whole, its density of mass 1, and its record fitted to data."""

import math

import pytest
import torch
from torch import nn

from gmcourse.catalogue import find
from gmcourse.data import load
from gmcourse.flows.dequantise import Logit
from gmcourse.flows.glow import Glow, conv_net
from gmcourse.laws import bijection


def shaken(module, std=0.1):
    """Away from the identity, in float64 and evaluation mode."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += std * torch.randn_like(parameter)
    return module.double().eval()


def images(shape, batch=3):
    return torch.rand(batch, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("lu", [True, False])
@pytest.mark.parametrize(("shape", "scales"), [((1, 4, 4), 1), ((1, 4, 4), 2), ((3, 4, 2), 1)])
def test_bijection(shape, scales, lu):
    torch.manual_seed(0)
    flow = shaken(Glow(shape, scales=scales, steps=2, width=8, lu=lu, before=[Logit()]))
    bijection.inverts(flow, images(shape))
    bijection.log_det_is_jacobians(flow, images(shape))


def test_each_scale_has_its_own_steps_and_width():
    torch.manual_seed(0)
    flow = shaken(Glow((1, 4, 4), steps=(1, 3), width=(8, 16)))
    bijection.inverts(flow, images((1, 4, 4)))
    firsts = [m for m in flow.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)][::2]
    assert sorted(first.out_channels for first in firsts) == [8, 8, 16, 16, 16]  # of a step, a split and three steps
    with pytest.raises(ValueError, match="width: got 3 numbers, expected one, or one for each of 2 scales"):
        Glow((1, 4, 4), steps=(1, 3), width=(8, 8, 8))


def test_mass_is_one():
    """E_r[p/r] = 1 for draws of a wider Gaussian r: all four pixels, none of them unscored."""
    torch.manual_seed(0)
    flow = shaken(Glow((1, 2, 2), scales=1, steps=2, width=8))
    wide = torch.distributions.Normal(0.0, 2.0)
    x = 2 * torch.randn(200_000, 1, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        weights = (flow.log_prob(x) - wide.log_prob(x).flatten(1).sum(1)).exp()
    assert weights.mean().item() == pytest.approx(1.0, abs=4 * (weights.std() / math.sqrt(len(x))).item())


def test_first_batch_initialises_every_actnorm():
    torch.manual_seed(0)
    flow = Glow((1, 8, 8), steps=2, width=8).train()
    z, _ = flow(5 + 3 * torch.randn(64, 1, 8, 8))
    assert z.mean().abs() < 0.1
    assert 0.8 < z.std() < 1.2


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="sides divisible by 2"):
        Glow((1, 6, 8), scales=2)
    flow = Glow((1, 4, 4), scales=1, steps=1, width=4)
    with pytest.raises(ValueError, match=r"expected \(batch, \*\(1, 4, 4\)\)"):
        flow(torch.zeros(2, 1, 8, 8))


def test_record_counts_the_levels_of_the_data():
    record = find("glow")
    for key, levels in (("digits", 17), ("binarized-digits", 2)):
        data = load(key)
        model = record.build(data)
        assert model.levels == levels
        assert model.elbo(data.valid[:3]).shape == (3,)
    with pytest.raises(ValueError, match="data: two-moons holds float32 of shape .2,.; glow is for images"):
        record.build(load("two-moons"))
    with pytest.raises(ValueError, match="data: coloured-digits holds .* values .* equally spaced levels"):
        record.build(load("coloured-digits"))


def test_dropout_is_there_where_asked_for():
    kinds = [type(layer) for layer in conv_net(2, 8, 4)]
    assert kinds == [nn.Conv2d, nn.ReLU, nn.Conv2d, nn.ReLU, nn.Conv2d]
    assert [layer.p for layer in conv_net(2, 8, 4, dropout=0.3) if isinstance(layer, nn.Dropout2d)] == [0.3]


def test_a_coupling_s_network_starts_near_nothing():
    last = conv_net(2, 8, 4)[-1]
    assert not last.bias.any()
    assert 0.0025 < conv_net(2, 400, 40)[-1].weight.std() < 0.0035
