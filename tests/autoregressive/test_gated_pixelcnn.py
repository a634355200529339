"""Gated PixelCNN: mass, order, nothing blind, the gate by hand, the class, cached draws against naive ones."""

from itertools import product

import pytest
import torch

from gmcourse.autoregressive.discrete import one_by_one, uniforms
from gmcourse.autoregressive.gated_pixelcnn import GatedLayer, GatedPixelCNN, gate, one_row_late
from gmcourse.laws.autoregressive.dependence import is_autoregressive, sees


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def loud(shape=(1, 3, 3), levels=2, **options):
    """A small net with weights twice as large as at the start, so that what leaks is seen; float64."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GatedPixelCNN(shape, levels, **{"width": 6, "layers": 3, **options}).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def every_image(shape, levels=2):
    values = torch.tensor(list(product(range(levels), repeat=torch.tensor(shape).prod())), dtype=torch.float64)
    return values.view(-1, *shape) / (levels - 1)


@pytest.mark.parametrize("shape", [(1, 3, 3), (2, 2, 2)])
def test_the_mass_of_all_images_is_one(shape):
    model, x = loud(shape), every_image(shape)
    assert model.log_prob(x).exp().sum().item() == pytest.approx(1, abs=1e-9)


def test_the_mass_is_one_for_each_class():
    model, x = loud(classes=3), every_image((1, 3, 3))
    for label in range(3):
        assert model.log_prob(x, torch.full((len(x),), label)).exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 2, 3)])
def test_no_logit_hangs_on_what_comes_later(shape):
    is_autoregressive(lambda x: loud(shape, levels=3).logits(x.double()), shape=shape)


@pytest.mark.parametrize("shape", [(1, 5, 5), (2, 3, 3)])
def test_there_is_no_blind_spot(shape):
    model, size = loud(shape, layers=7, first=3), torch.tensor(shape).prod().item()
    for place in (size - 1, size // 2):
        assert sees(lambda x: model.logits(x.double()), shape, place) == set(range(place))


def test_without_the_shift_the_future_is_seen(monkeypatch):
    model = loud()
    monkeypatch.setattr("gmcourse.autoregressive.gated_pixelcnn.one_row_late", lambda maps: maps)
    x = torch.rand(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    model.logits(x)[0, 1, 0, 0, 0].backward()
    assert x.grad[0, 0, 0, 1:].any()


def test_the_gate_by_hand():
    features = torch.tensor([[0.5, -1.0, 0.0, 2.0]])
    given = torch.tensor([[0.5, 0.0, 0.0, -2.0]])
    expected = torch.tensor([[torch.tensor(1.0).tanh() * 0.5, torch.tensor(-1.0).tanh() * 0.5]])
    torch.testing.assert_close(gate(features, given), expected)
    torch.testing.assert_close(gate(features[..., None, None], given)[..., 0, 0], expected)


def test_the_horizontal_stack_alone_has_a_residual_connection():
    layer = GatedLayer(4, 4, 3, "B", 1, None)
    torch.nn.init.zeros_(layer.out.weight)
    torch.nn.init.zeros_(layer.out.bias)
    v, h = torch.randn(2, 1, 4, 3, 3)
    torch.testing.assert_close(layer(v, h, None)[1], h)
    torch.nn.init.zeros_(layer.vertical.weight)
    torch.nn.init.zeros_(layer.vertical.bias)
    assert not layer(v, h, None)[0].any()


def test_a_row_late():
    maps = torch.arange(6.0).view(1, 1, 3, 2)
    assert one_row_late(maps).flatten().tolist() == [0, 0, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("shape", "levels", "classes"), [((1, 4, 3), 2, None), ((3, 3, 2), 4, None), ((1, 3, 4), 2, 3)]
)
def test_the_cached_samples_are_the_naive_ones(shape, levels, classes):
    model = loud(shape, levels, classes=classes)
    given = None if classes is None else torch.tensor([0, 1, 2, 2])
    drawn = model.sample(4, given, rng=seeded(1))
    u = uniforms(4, drawn[0].numel(), drawn, seeded(1))
    naive = one_by_one(lambda x: model.logits(x, given), torch.zeros_like(drawn), u, levels)
    assert torch.equal(drawn, naive)
    assert len(drawn.unique()) == levels


def test_a_class_changes_what_is_said_and_a_row_has_its_own():
    model, x = loud(classes=3), every_image((1, 3, 3))[100:103]
    mixed = model.log_prob(x, torch.tensor([0, 1, 2])).detach()
    for label in range(3):
        same = model.log_prob(x, torch.full((3,), label)).detach()
        assert same[label] == pytest.approx(mixed[label])
        assert (same - mixed).abs().max() > 1e-3


def test_what_is_told_must_fit():
    x = torch.zeros(1, 1, 3, 3)
    with pytest.raises(ValueError, match="given: got None, expected classes"):
        loud(classes=3).float().log_prob(x)
    with pytest.raises(ValueError, match="given: got a tensor, expected None"):
        loud().float().sample(1, torch.tensor([0]))
    with pytest.raises(ValueError, match="x: got"):
        loud().float().loss(x + 0.3)
