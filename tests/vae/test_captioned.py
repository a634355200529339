"""Pictures from captions, and levels for pictures and sounds, ready to train: parts fit, and bad input is named."""

import pytest
import torch

from gmcourse.data import Dataset
from gmcourse.vae.captioned import captioned_pictures, captioned_vq, make_captioned_vq
from gmcourse.vae.hierarchy import Levels
from gmcourse.vae.likelihoods import Bernoulli
from gmcourse.vae.tones import captioned_tones, make_jukebox, sound_level
from gmcourse.vae.two_level import make_two_level_vq


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def test_the_bound_is_the_codes_given_the_caption_and_the_rest():
    torch.manual_seed(0)
    model = make_captioned_vq().eval()
    x, given = captioned_pictures(5)
    codes = model.codes(x)
    rest = model.pictures.likelihood.log_prob(
        x, model.pictures.decoder(model.pictures.quantizer.decode(codes.view(5, 4, 4)))
    )
    torch.testing.assert_close(model.elbo(x, given), model.prior.log_prob(codes, given) + rest)
    assert torch.equal(model.decode(codes), model.reconstruct(x))
    other = (given + 1) % 5
    assert not torch.allclose(model.elbo(x, other), model.elbo(x, given))


def test_the_codes_get_no_gradient_of_the_prior():
    torch.manual_seed(0)
    model = make_captioned_vq()
    terms = model.loss(*captioned_pictures(5))
    assert "prior" not in terms
    (terms["prior codes"] + terms["prior caption"]).backward()
    assert all(p.grad is None for p in model.pictures.parameters())


@torch.no_grad()
def test_guided_means_are_decoded_codes():
    model = captioned_vq((3, 8, 8), words=4, length=2, size=8, width=16).eval()
    given = torch.tensor([1, 3])
    drawn = model.sample_mean(3, given, strength=1.0, rng=seeded())
    codes = model.prior.sample(3, given, strength=1.0, rng=seeded())
    assert drawn.shape == (3, 3, 8, 8)
    assert torch.equal(drawn, model.decode(codes))


@torch.no_grad()
def test_pixels_are_drawn_from_what_the_decoder_says_and_not_from_its_mean():
    torch.manual_seed(0)
    model = captioned_vq((1, 8, 8), words=4, length=2, size=8, width=16).eval()
    model.pictures.likelihood = Bernoulli()
    model.pictures.decoder[-2].bias.fill_(4.0)
    given, n = torch.tensor([1, 3]), 200
    drawn = model.sample(n, given, strength=1.0, rng=seeded())
    codes = model.prior.sample(n, given, strength=1.0, rng=seeded())
    expected = model.decode(codes).mean().item()
    assert expected > 0.9
    assert drawn.mean().item() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("side", [8, 6, 7])
@torch.no_grad()
def test_two_levels_for_any_side(side):
    x = torch.rand(10, 3, side, side, generator=seeded())
    data = Dataset.from_tensors(x, key="pictures")
    model = make_two_level_vq(data).eval()
    codes = model.codes(x)
    assert [tuple(level.shape[1:]) for level in codes] == list(model.places)
    assert model.decode(codes).shape == x.shape
    assert model.elbo(x).shape == (10,)


@torch.no_grad()
def test_tones_go_from_words_to_top_to_bottom():
    torch.manual_seed(0)
    model = captioned_tones(64, words=5, length=2, hops=(16, 4), size=8).eval()
    given = torch.tensor([[0, 4], [2, 3]])
    x = model.sample_mean(2, given, rng=seeded())
    rng = seeded()
    top = model.prior.sample(2, given, rng=rng)
    bottom = model.levels.prior.sample(2, top, rng=rng)
    assert (top.shape, bottom.shape, x.shape) == ((2, 4), (2, 16), (2, 1, 64))
    assert torch.equal(x, model.levels.decode(Levels(top, bottom)))


@pytest.mark.parametrize(("samples", "places"), [(1000, (25, 125)), (960, (24, 120)), (63, (21, 63))])
def test_hops_divide_the_sound(samples, places):
    model = make_jukebox(Dataset.from_tensors(torch.zeros(10, 1, samples), key="sounds"))
    assert (model.top.places[0], model.bottom.places[0]) == places


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: captioned_vq((3, 7, 8), 4, 2), "f: got 2 for pictures of 7 × 8"),
        (lambda: sound_level(100, 8), "hop: got 8 for 100 samples"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match="got") as raised:
        call()
    assert message in str(raised.value)
