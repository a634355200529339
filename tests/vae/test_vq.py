"""The VQ-VAE: its length is a code length, its samples follow it, its loss reaches what it should."""

import itertools
import math

import pytest
import torch
from torch import nn

from gmcourse.autoregressive import LSTMLanguageModel
from gmcourse.data import Dataset
from gmcourse.training import fit
from gmcourse.vae import VectorQuantizer
from gmcourse.vae.likelihoods import Bernoulli, Categorical, Gaussian
from gmcourse.vae.vq import VQVAE, FromBlocks, ToBlocks, UniformCodes, image_networks, make_vq_vae


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def toy(prior=None, size=3):
    """Pictures of 1 × 2 bits; two places, one a pixel; d = 2."""
    torch.manual_seed(0)
    encoder, decoder = nn.Conv2d(1, 2, 1), nn.Conv2d(2, 1, 1)
    model = VQVAE(encoder, VectorQuantizer(size, 2, start="noise"), decoder, Bernoulli(), (1, 2), prior)
    return model.eval()


PICTURES = torch.tensor(list(itertools.product([0.0, 1.0], repeat=2))).view(4, 1, 1, 2)


@pytest.mark.parametrize("learned", [False, True])
def test_the_total_length_is_an_upper_bound_and_the_parts_add(learned):
    model = toy(LSTMLanguageModel(3, 2, embedding=4, hidden=4) if learned else None)
    rows = torch.tensor(list(itertools.product(range(3), repeat=2)))
    with torch.no_grad():
        log_prior = model.prior.log_prob(rows)
        assert log_prior.exp().sum().item() == pytest.approx(1, abs=1e-6)
        parameters = model.decoder(model.quantizer.decode(rows.view(-1, 1, 2)))
        log_joint = torch.stack(
            [log_prior + model.likelihood.log_prob(x.expand(9, 1, 1, 2), parameters) for x in PICTURES]
        )
        evidence = log_joint.logsumexp(1)
        assert evidence.exp().sum().item() == pytest.approx(1, abs=1e-6)
        lengths, codes = model.lengths(PICTURES), model.codes(PICTURES).flatten(1)
        chosen = (rows == codes[:, None]).all(2).long().argmax(1)
        total = lengths.codes + lengths.residual
        torch.testing.assert_close(total, -log_joint.gather(1, chosen[:, None])[:, 0])
        torch.testing.assert_close(model.elbo(PICTURES), -total)
        excess = total + evidence
        assert (excess >= 0).all()
        posterior = log_joint.log_softmax(1).gather(1, chosen[:, None])[:, 0]
        torch.testing.assert_close(excess, -posterior)


def test_samples_follow_the_prior_and_the_likelihood():
    model = toy(LSTMLanguageModel(3, 2, embedding=4, hidden=4))
    rows = torch.tensor(list(itertools.product(range(3), repeat=2)))
    n = 20_000
    with torch.no_grad():
        probabilities = model.likelihood.mean(model.decoder(model.quantizer.decode(rows.view(-1, 1, 2))))
        weights = model.prior.log_prob(rows).exp()
        expected = (weights[:, None, None, None] * probabilities).sum(0)
    for drawn in (model.sample(n, rng=seeded()), model.sample_mean(n, rng=seeded())):
        assert drawn.shape == (n, 1, 1, 2)
        assert torch.allclose(drawn.mean(0), expected, atol=4 * 0.5 / math.sqrt(n))
    assert model.sample(n, rng=seeded()).unique().tolist() == [0, 1]
    assert model.sample_codes(5, rng=seeded()).shape == (5, 1, 2)


def test_the_loss_is_the_length_and_the_terms_of_the_quantiser():
    model = toy()
    loss, lengths = model.loss(PICTURES), model.lengths(PICTURES)
    assert loss["residual"].item() == pytest.approx(lengths.residual.mean().item(), rel=1e-5)
    assert loss["prior"].item() == pytest.approx(2 * math.log(3), rel=1e-6)
    assert set(loss) == {"residual", "prior", "commitment"}
    assert set(make_vq_vae(None, decay=None).loss(torch.zeros(2, 1, 8, 8))) == {*loss, "codebook"}


def test_the_prior_has_no_say_in_the_encoder():
    model = make_vq_vae()
    model.loss(torch.bernoulli(torch.full((4, 1, 8, 8), 0.5)))["prior"].backward()
    assert all(p.grad is None for part in (model.encoder, model.decoder, model.quantizer) for p in part.parameters())
    assert all(p.grad is not None for p in model.prior.parameters())


def test_evaluation_leaves_the_book_and_training_moves_it():
    model, x = make_vq_vae(), torch.bernoulli(torch.full((8, 1, 8, 8), 0.5))
    before = model.quantizer.book.clone()
    model.eval().loss(x)
    model.after_step()
    assert torch.equal(model.quantizer.book, before)
    fit(model.train(), (x,), steps=2, batch_size=4, lr=1e-3, progress=False)
    assert not torch.equal(model.quantizer.book, before)


@pytest.mark.parametrize(
    ("shape", "levels", "kind", "places"),
    [
        ((1, 8, 8), 2, Bernoulli, (2, 2)),
        ((1, 8, 12), 5, Categorical, (2, 3)),
        ((3, 4, 6), 3, Categorical, (2, 3)),
        ((1, 3, 5), 2, Bernoulli, (3, 5)),
        ((3, 8, 8), None, Gaussian, (2, 2)),
    ],
)
def test_it_is_built_for_images_of_any_size_and_levels(shape, levels, kind, places):
    drawn = torch.rand(40, *shape, generator=seeded())
    x = drawn if levels is None else (drawn * levels).floor() / (levels - 1)
    data = Dataset("own", "own", x, x[:8], x[:8], None, shape, "none", "drawn")
    model = make_vq_vae(data)
    assert isinstance(model.likelihood, kind)
    assert model.places == places
    assert model.codes(x[:3]).shape == (3, *places)
    assert model.elbo(x[:3]).shape == (3,)
    assert model.sample(2, rng=seeded()).shape == model.reconstruct(x[:2]).shape == (2, *shape)
    if levels:
        assert set(model.sample(20, rng=seeded()).unique().tolist()) <= {k / (levels - 1) for k in range(levels)}


def test_a_wrong_grid_is_named():
    encoder, decoder, _ = image_networks((1, 8, 8), 2, 1)
    model = VQVAE(encoder, VectorQuantizer(3, 2), decoder, Bernoulli(), (3, 3))
    with pytest.raises(ValueError, match=r"encoder: gave shape \(4, 2, 2, 2\) .* expected \(batch, d, 3, 3\)"):
        model.elbo(torch.zeros(4, 1, 8, 8))


def test_blocks_are_places_and_back():
    x = torch.randn(3, 2, 8, 12, generator=seeded())
    blocks = ToBlocks(4)(x)
    assert torch.equal(blocks, nn.functional.pixel_unshuffle(x, 4))
    assert torch.equal(FromBlocks(4)(blocks), x)
    assert ToBlocks(4)(x[:0]).shape == (0, 32, 2, 3)


def test_a_uniform_prior_counts_every_code():
    prior = UniformCodes(5, 3)
    rows = torch.tensor(list(itertools.product(range(5), repeat=3)))
    assert prior.log_prob(rows).exp().sum().item() == pytest.approx(1)
    drawn = prior.sample(1_000, rng=seeded())
    assert drawn.shape == (1_000, 3)
    assert drawn.unique().tolist() == [0, 1, 2, 3, 4]
