"""Two levels, for pictures and for sounds: lengths that add, who sees whom, and books that follow."""

import copy
import math

import pytest
import torch

from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.training import fit
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.hierarchy import Levels, TwoLevelVQ, UniformPair, level_networks, total_bits
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.spectral import SpectralDistance
from gmcourse.vae.strided import growing, near, shrinking

SIZES = (6, 9)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(n=4):
    return torch.rand(n, 1, 8, 8, generator=seeded())


def sounds(n=4):
    return torch.randn(n, 1, 48, generator=seeded())


def make(axes=2, further=None, with_prior=False, seed=0, halvings=(1, 1)):
    torch.manual_seed(seed)
    networks = level_networks(axes, 1, 1, halvings=halvings, dims=(2, 3), width=6)
    side = 8 if axes == 2 else 48
    bottom = (side >> halvings[1],) * axes
    places = tuple(k >> halvings[0] for k in bottom), bottom
    prior = None
    if with_prior:
        lengths = math.prod(places[0]), math.prod(places[1])
        rows = TransformerLanguageModel(sum(SIZES) + 1, sum(lengths), width=8, heads=2, layers=1)
        prior = CaptionPrior(rows, *SIZES, lengths, drop=0.0)
    books = VectorQuantizer(SIZES[0], 2, start="noise"), VectorQuantizer(SIZES[1], 3, start="noise")
    return TwoLevelVQ(networks, *books, Gaussian(0.3, learned=True), places, prior, further)


CASES = [(2, pictures, (1, 1)), (2, pictures, (2, 1)), (1, sounds, (2, 2)), (1, sounds, (1, 0))]


@pytest.mark.parametrize(("axes", "rows", "halvings"), CASES)
def test_shapes_and_lengths_with_uniform_codes(axes, rows, halvings):
    model, x = make(axes, halvings=halvings).eval(), rows()
    codes = model.codes(x)
    assert (codes.top.shape[1:], codes.bottom.shape[1:]) == model.places
    assert codes.bottom[0].numel() == codes.top[0].numel() * 2 ** (axes * halvings[0])
    lengths = model.lengths(x)
    assert torch.allclose(lengths.top, torch.full((4,), codes.top[0].numel() * math.log(6)))
    assert torch.allclose(lengths.bottom, torch.full((4,), codes.bottom[0].numel() * math.log(9)))
    mean = model.decode(codes)
    assert torch.equal(mean, model.reconstruct(x))
    assert torch.allclose(lengths.residual, -Gaussian(0.3).log_prob(x, mean), atol=1e-4)
    assert torch.allclose(model.elbo(x), -(lengths.top + lengths.bottom + lengths.residual))
    assert model.sample(3, rng=seeded()).shape == (3, *x.shape[1:])
    assert model.sample_mean(0).shape == (0, *x.shape[1:])


def test_the_loss_is_the_length_and_the_terms_of_the_quantisers():
    model, x = make(with_prior=True).eval(), pictures()
    terms = model.loss(x)
    lengths = [part.mean() for part in model.lengths(x)]
    for name, length in zip(("top prior", "bottom prior", "residual"), lengths, strict=True):
        assert terms[name].item() == pytest.approx(length.item(), rel=1e-4)
    assert set(terms) == {"top prior", "bottom prior", "residual", "top commitment", "bottom commitment"}


def test_codes_with_a_learned_prior_have_probabilities_that_sum_to_one():
    prior = make(with_prior=True, halvings=(1, 2)).prior
    assert (prior.words, prior.levels, prior.length) == (6, 9, (1, 4))
    tops = torch.arange(6)[:, None]
    assert prior.prefix_log_prob(tops).exp().sum().item() == pytest.approx(1, abs=1e-5)
    bottoms = torch.cartesian_prod(*[torch.arange(9)] * 4)
    for top in tops[:2]:
        total = prior.log_prob(bottoms, top.expand(len(bottoms), -1)).exp().sum()
        assert total.item() == pytest.approx(1, abs=1e-4)


def test_every_parameter_is_reached_and_both_books_follow():
    model, x = make(with_prior=True).train(), pictures()
    books = [model.top.book.clone(), model.bottom.book.clone()]
    sum(model.loss(x).values()).backward()
    silent = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not silent
    assert all(model.networks.upper[0].weight.grad.flatten() != 0)
    assert torch.equal(model.top.book, books[0])
    model.after_step()
    assert not torch.equal(model.top.book, books[0])
    assert not torch.equal(model.bottom.book, books[1])


def test_evaluation_changes_nothing():
    model, x = make(with_prior=True).eval(), pictures()
    before = copy.deepcopy(model.state_dict())
    for _ in range(2):
        model.loss(x)
        model.elbo(x)
        model.sample(2, rng=seeded())
        model.after_step()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_further_term_is_no_part_of_the_length():
    distance = SpectralDistance(0.5, scales=((16, 4),))
    (spectral, plain), x = (make(1, further, halvings=(2, 2)).eval() for further in (distance, None)), sounds()
    terms = spectral.loss(x)
    assert terms["further"].item() == pytest.approx(distance(spectral.reconstruct(x), x).mean().item(), rel=1e-4)
    assert "further" not in plain.loss(x)
    assert torch.equal(spectral.elbo(x), plain.elbo(x))
    assert "SpectralDistance(weight=0.5" in repr(spectral)


def test_samples_come_from_the_prior_and_details_from_a_given_top():
    model = make(with_prior=True)
    first, again, other = (model.sample_codes(50, rng=seeded(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.top, other.top)
    details = model.sample_codes(50, top=first.top, rng=seeded(5))
    assert torch.equal(details.top, first.top)
    assert not torch.equal(details.bottom, first.bottom)
    assert first.bottom.max() < 9
    assert torch.equal(model.sample_mean(3, rng=seeded()), model.decode(model.eval().sample_codes(3, rng=seeded())))


def test_the_decoder_hears_both_levels():
    model = make().eval()
    codes = model.codes(pictures())
    picture = model.decode(codes)
    assert not torch.equal(model.decode(Levels((codes.top + 1) % 6, codes.bottom)), picture)
    assert not torch.equal(model.decode(Levels(codes.top, (codes.bottom + 1) % 9)), picture)


def test_training_shortens_the_length():
    model, x = make(), pictures(32)
    start = model.eval().elbo(x).mean()
    history = fit(model.train(), (x,), steps=60, batch_size=16, lr=5e-3, progress=False)
    assert model.eval().elbo(x).mean() > start
    assert {"top commitment", "bottom commitment"} <= set(history)


def test_total_bits_by_hand():
    top, bottom = torch.full((2, 1), -math.log(8)), torch.full((2, 4), -math.log(4))
    residual = torch.full((2, 1, 2, 3), -math.log(2))
    assert total_bits(top, bottom, residual).tolist() == pytest.approx([3 + 8 + 6] * 2)


def test_uniform_pairs():
    prior = UniformPair(SIZES, ((2,), (2, 3)))
    top = prior.sample_prefix(400, rng=seeded())
    bottom = prior.sample(400, top, rng=seeded())
    assert (top.shape, bottom.shape) == ((400, 2), (400, 6))
    assert (len(top.unique()), len(bottom.unique())) == SIZES
    assert repr(prior) == "UniformPair((6, 9), (2, 6))"


@pytest.mark.parametrize(("axes", "shape"), [(1, (12,)), (2, (8, 12))])
def test_what_shrinks_grows_back(axes, shape):
    x = torch.zeros(2, 3, *shape)
    small = shrinking(axes, 3, 5, 7, 2)(x)
    assert small.shape == (2, 7, *(side // 4 for side in shape))
    assert growing(axes, 7, 5, 3, 2)(small).shape == x.shape
    assert shrinking(axes, 3, 5, 7, 0)(x).shape == (2, 7, *shape)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="networks: gave places .* expected"):
        make().codes(torch.rand(2, 1, 16, 16))
    with pytest.raises(ValueError, match="axes: got 3, expected 1"):
        shrinking(3, 1, 4, 4, 1)


@pytest.mark.parametrize("axes", [1, 2])
def test_near_sees_what_is_right_beside(axes):
    network = torch.nn.Sequential(*near(axes, 3, 8, 2)).double()
    x = torch.zeros(1, 3, *[9] * axes, dtype=torch.float64)
    other = x.clone()
    other[(0, 0, *[4] * axes)] = 1.0
    changed = (network(other) != network(x)).any(1)[0]
    expected = torch.zeros_like(changed)
    expected[(slice(3, 6),) * axes] = True
    assert torch.equal(changed, expected)
