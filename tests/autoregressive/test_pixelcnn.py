"""PixelCNN: mass over all small images, the order of its dependence, draws equal to the naive sampler's, completion."""

import math

import pytest
import torch

from gmcourse.autoregressive.discrete import one_by_one, uniforms
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.laws.autoregressive.dependence import is_autoregressive, sees
from gmcourse.laws.mass import sums_to_one

SHAPES = [((1, 3, 3), 2), ((2, 2, 2), 2), ((3, 2, 3), 4), ((1, 4, 5), 3)]


def wild(shape=(1, 3, 3), levels=2, *, blocks=2, seed=0, **options):
    """A small model in double precision with large weights, so that nothing is nearly constant."""
    torch.manual_seed(seed)
    model = PixelCNN(shape, levels, width=12, blocks=blocks, **options).double()
    for p in model.parameters():
        torch.nn.init.normal_(p, 0.0, 0.4)
    return model


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(1, 3, 3), (2, 2, 2)])
def test_its_mass_is_one(shape):
    model = wild(shape)
    dims = math.prod(shape)
    sums_to_one(lambda x: model.log_prob(x.double().view(-1, *shape)), dims=dims, tolerance=1e-9)


@pytest.mark.parametrize(("shape", "levels"), SHAPES)
@pytest.mark.parametrize("positions", [True, False])
def test_a_logit_hangs_on_earlier_places_only(shape, levels, positions):
    is_autoregressive(wild(shape, levels, positions=positions).float().logits, shape=shape)


@pytest.mark.parametrize("first", [3, 7])
def test_the_blind_spot(first):
    """Of the rows above, (r − a, c + b) is out of sight iff b > h + (a − 1), with h of the first kernel and 1 later."""
    height, width, r, c = 5, 7, 4, 1
    model = wild((1, height, width), blocks=4, first=first).float()
    seen = sees(model.logits, (1, height, width), r * width + c)
    past = {(i, j) for i in range(r + 1) for j in range(width) if (i, j) < (r, c)}
    blind = {(i, j) for i, j in past if j - c > first // 2 + (r - i) - 1}
    assert {divmod(place, width) for place in seen} == past - blind


@pytest.mark.parametrize(("shape", "levels"), SHAPES)
def test_kept_features_give_the_naive_sampler_s_samples(shape, levels):
    model = wild(shape, levels)
    u = uniforms(6, math.prod(shape), model.first.weight, seeded(1))
    naive = one_by_one(model.logits, torch.zeros(6, *shape, dtype=torch.float64), u, levels)
    assert torch.equal(model.sample(6, rng=seeded(1)), naive)
    assert len(naive.unique()) == levels


def test_completing_keeps_what_is_known_and_is_the_naive_way():
    shape = (3, 3, 2)
    model, known = wild(shape, 4), torch.zeros(shape, dtype=torch.bool)
    known[:, :1], known[0, 1, 0] = True, True
    x = model.sample(5, rng=seeded(1))
    done = model.complete(x, known, rng=seeded(2))
    assert torch.equal(done[:, known], x[:, known])
    assert not torch.equal(done, x)
    u = uniforms(5, 18, x, seeded(2))
    assert torch.equal(done, one_by_one(model.logits, x, u, 4, known))


def test_the_conditional_is_the_joint_over_the_marginal():
    """p(lower | upper) = p(upper, lower)/Σ_lower p(upper, lower), over all lower parts of a 3 × 2 image."""
    model, known = wild((1, 3, 2)), torch.zeros(1, 3, 2, dtype=torch.bool)
    known[:, :1], known[0, 1, 0] = True, True
    upper = torch.tensor([1.0, 0.0, 1.0]).double()
    lower = torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 3)
    x = torch.cat([upper.expand(8, 3), lower], 1).view(8, 1, 3, 2)
    expected = model.log_prob(x).log_softmax(0)
    torch.testing.assert_close(model.log_prob_given(x, known), expected)


def test_completions_follow_the_conditional():
    model, known = wild((1, 2, 2)), torch.tensor([[[True, True], [False, False]]])
    x = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]]).double().expand(4_000, 1, 2, 2)
    done = model.complete(x, known, rng=seeded(3))
    share = (done == done[:1]).flatten(1).all(1).double().mean()
    expected = model.log_prob_given(done[:1], known).exp().item()
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / 4_000)


def test_a_known_place_after_an_unknown_one_has_no_exact_conditional():
    model = wild((1, 2, 2))
    with pytest.raises(ValueError, match="known: got a place after one that is not known"):
        model.log_prob_given(torch.zeros(1, 1, 2, 2).double(), torch.tensor([[[True, False], [True, False]]]))


@pytest.mark.parametrize("known", [torch.ones(1, 2, 2), torch.ones(2, 2, dtype=torch.bool)])
def test_a_mask_is_bool_and_has_the_event_s_shape(known):
    with pytest.raises(ValueError, match=r"known: got .*, expected bool \(1, 2, 2\)"):
        wild((1, 2, 2)).complete(torch.zeros(1, 1, 2, 2), known)


def test_other_levels_are_refused():
    with pytest.raises(ValueError, match="x: got .*, expected k/1"):
        wild().loss(torch.full((2, 1, 3, 3), 0.5).double())


def test_without_blocks_and_map_one_masked_convolution_speaks():
    """p(x_d = 1) by hand: the last layers pass on what the first one says."""
    model = PixelCNN((1, 2, 2), width=2, blocks=0, first=3, positions=False).double()
    for p in model.parameters():
        torch.nn.init.zeros_(p)
    with torch.no_grad():
        model.first.weight[0, 0, 1, 0] = 2.0  # the left neighbour
        model.before_last.weight[0, 0, 0, 0] = 1.0
        model.last.weight[1, 0, 0, 0] = 1.0
    x = torch.tensor([[[[1.0, 1.0], [0.0, 1.0]]]]).double()
    expected = 3 * math.log(0.5) + math.log(1 / (1 + math.exp(-2.0)))
    assert model.log_prob(x).item() == pytest.approx(expected)
