"""Levels trained apart: no gradient between them, x from the bottom alone, one length."""

import math

import pytest
import torch

from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.spectral import SpectralDistance
from gmcourse.vae.stacked import StackedVQ
from gmcourse.vae.strided import growing, shrinking
from gmcourse.vae.vq import VQVAE


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def sounds(n=5):
    return torch.randn(n, 1, 48, generator=seeded())


def level(size, halvings):
    return VQVAE(
        shrinking(1, 1, 6, 2, halvings),
        VectorQuantizer(size, 2, start="noise"),
        growing(1, 2, 6, 1, halvings),
        Gaussian(0.3),
        (48 >> halvings,),
    )


def make(with_prior=False, further=None):
    torch.manual_seed(0)
    prior = None
    if with_prior:
        prior = CaptionPrior(TransformerLanguageModel(6 + 1 + 9, 18, width=8, heads=2, layers=1), 6, 9, (6, 12), drop=0)
    return StackedVQ(level(6, 3), level(9, 2), prior, further)


def test_codes_hang_on_one_level_each_and_x_on_the_bottom():
    model, x = make().eval(), sounds()
    codes = model.codes(x)
    assert (codes.top.shape, codes.bottom.shape) == ((5, 6), (5, 12))
    assert torch.equal(codes.top, model.top.codes(x))
    assert torch.equal(codes.bottom, model.bottom.codes(x))
    assert torch.equal(model.decode(codes), model.bottom.decode(codes.bottom))
    assert torch.equal(model.preview(codes), model.top.decode(codes.top))
    assert torch.equal(model.reconstruct(x), model.bottom.reconstruct(x))


@pytest.mark.parametrize("with_prior", [False, True])
def test_the_length_adds(with_prior):
    model, x = make(with_prior).eval(), sounds()
    lengths = model.lengths(x)
    if not with_prior:
        assert torch.allclose(lengths.top, torch.full((5,), 6 * math.log(6)))
        assert torch.allclose(lengths.bottom, torch.full((5,), 12 * math.log(9)))
    expected = -Gaussian(0.3).log_prob(x, model.bottom.decode(model.bottom.codes(x)))
    assert torch.allclose(lengths.residual, expected, rtol=1e-5)
    assert torch.allclose(model.elbo(x), -(lengths.top + lengths.bottom + lengths.residual))
    terms = model.loss(x)
    for name, length in (("top prior", lengths.top), ("bottom prior", lengths.bottom)):
        assert terms[name].item() == pytest.approx(length.mean().item(), rel=1e-5)
    assert terms["bottom residual"].item() == pytest.approx(lengths.residual.mean().item(), rel=1e-5)


def test_no_gradient_goes_from_one_level_to_the_other():
    model, x = make(with_prior=True).train(), sounds()
    terms = model.loss(x)
    (terms["top residual"] + terms["top commitment"]).backward()
    assert all(p.grad is None for p in model.bottom.parameters())
    assert any(p.grad is not None and p.grad.any() for p in model.top.encoder.parameters())
    model.zero_grad()
    model.loss(x)["bottom prior"].backward()
    assert not any(p.grad is not None and p.grad.any() for p in (*model.top.parameters(), *model.bottom.parameters()))


def test_each_book_follows_and_a_further_term_is_asked_of_each_level():
    distance = SpectralDistance(0.5, scales=((16, 4),))
    model, x = make(further=distance).train(), sounds()
    terms = model.loss(x)
    for name, one in (("top", model.top), ("bottom", model.bottom)):
        expected = distance(one.reconstruct(x), x).mean().item()
        assert terms[f"{name} further"].item() == pytest.approx(expected, rel=1e-4)
    books = [model.top.quantizer.book.clone(), model.bottom.quantizer.book.clone()]
    model.after_step()
    assert not torch.equal(model.top.quantizer.book, books[0])
    assert not torch.equal(model.bottom.quantizer.book, books[1])


def test_samples_go_from_the_top_to_the_bottom():
    model = make(with_prior=True)
    first, again, other = (model.sample_mean(4, rng=seeded(seed)) for seed in (0, 0, 1))
    assert first.shape == (4, 1, 48)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert (model.sample_codes(4, rng=seeded()).top.shape, model.sample(4).shape) == ((4, 6), (4, 1, 48))
