"""A VQ-VAE for clips: causal to the last bit, continued from frames that are kept, scored where it is asked."""

import math

import pytest
import torch

from gmcourse.autoregressive.choosing import top_k
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.data import Dataset
from gmcourse.training import fit
from gmcourse.vae.video import continuation_nll, continued, known_codes, make_video_vq_vae, video_networks


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def clips(n, frames=4, height=8, wide=8):
    return torch.rand(n, 1, frames, height, wide, generator=seeded())


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = make_video_vq_vae()
    fit(model, (clips(32),), steps=3, batch_size=16, lr=1e-3, progress=False)
    return model


@pytest.mark.parametrize(("frames", "shape"), [(2, (1, 8, 12, 16)), (1, (3, 3, 8, 4)), (4, (1, 8, 8, 8))])
def test_the_beginning_of_a_clip_has_the_codes_that_it_has_in_the_whole(frames, shape):
    torch.manual_seed(0)
    encoder, decoder, places = video_networks(shape, 3, width=4, frames=frames)
    x = torch.rand(2, *shape, generator=seeded())
    z = encoder(x)
    assert z.shape == (2, 3, *places)
    assert places == (shape[1] // frames, shape[2] // 4, shape[3] // 4)
    assert decoder(z).shape == x.shape
    for slot in range(1, places[0]):
        assert torch.allclose(encoder(x[:, :, : slot * frames]), z[:, :, :slot], atol=1e-6)
        other = torch.cat([x[:, :, : slot * frames], 1 - x[:, :, slot * frames :]], 2)
        assert torch.equal(encoder(other)[:, :, :slot], z[:, :, :slot])


def test_the_codes_of_the_first_half_are_those_of_the_whole(model):
    x = clips(20)
    whole = model.codes(x)
    assert whole.shape == (20, 2, 2, 2)
    assert torch.equal(known_codes(model, x[:, :, :2]), whole[:, :1].flatten(1))


def test_a_clip_goes_on_and_its_first_frames_are_kept(model):
    first = clips(6)[:, :, :2]
    whole, again, other = (continued(model, first, rng=seeded(seed)) for seed in (0, 0, 1))
    assert whole.shape == (6, 1, 4, 8, 8)
    assert torch.equal(whole[:, :, :2], first)
    assert torch.equal(whole, again)
    assert not torch.equal(whole, other)
    assert not torch.allclose(model.reconstruct(whole)[:, :, :2], first, atol=1e-3)


def test_the_frames_that_follow_are_decoded_from_the_codes_drawn(model):
    first = clips(6)[:, :, :2]
    sure = continued(model, first, choose=lambda logits: top_k(logits, 1))
    row = known_codes(model, first)
    with torch.no_grad():
        for _ in range(4):
            padded = torch.cat([row, row[:, :1]], 1)
            row = torch.cat([row, model.prior.logits(padded)[:, :, -1].argmax(1, keepdim=True)], 1)
        clip = model.decode(row.view(6, 2, 2, 2))
    assert torch.allclose(sure[:, :, 2:], clip[:, :, 2:], atol=1e-6)


def test_nats_of_what_is_ahead(model):
    x = clips(5)
    log_probs = model.prior.symbol_log_prob(model.codes(x).flatten(1))
    assert torch.allclose(continuation_nll(model, x, 1), -log_probs[:, 4:].sum(1))
    assert torch.allclose(continuation_nll(model, x, 0), -log_probs.sum(1))
    assert continuation_nll(model, x, 2).tolist() == [0] * 5
    with torch.no_grad():
        model.prior.head.weight.zero_()
        model.prior.head.bias.zero_()
    assert continuation_nll(model, x, 1).tolist() == pytest.approx([4 * math.log(16)] * 5)


@pytest.mark.parametrize(
    "prior", [lambda: TransformerLanguageModel(16, 8, width=16), lambda: LSTMLanguageModel(16, 8, hidden=8)]
)
def test_any_model_of_rows_of_codes_may_be_the_prior(model, prior):
    model.prior = prior()
    first = clips(3)[:, :, :2]
    assert continued(model, first, rng=seeded()).shape == (3, 1, 4, 8, 8)
    assert continuation_nll(model, clips(3), 1).shape == (3,)


def test_the_prior_is_trained_on_rows_of_codes():
    torch.manual_seed(0)
    model = make_video_vq_vae()
    x = clips(64)
    fit(model, (x,), steps=5, batch_size=16, lr=1e-3, progress=False)
    before = model.prior.loss(model.codes(x).flatten(1)).item()
    fit(model.prior, (model.codes(x).flatten(1),), steps=30, batch_size=16, lr=3e-3, progress=False)
    assert model.prior.loss(model.codes(x).flatten(1)).item() < before


def test_it_is_made_for_a_data_set():
    data = Dataset.from_tensors(clips(20, 8, 12, 16))
    model = make_video_vq_vae(data, size=32, dims=4)
    assert model.places == (4, 3, 4)
    assert model.prior.event_shape == (48,)
    assert model.sample(2, rng=seeded()).shape == (2, 1, 8, 12, 16)
    assert (model.elbo(clips(2, 8, 12, 16)) + sum(model.lengths(clips(2, 8, 12, 16)))).abs().max() < 1e-3
    assert set(model.loss(clips(2, 8, 12, 16))) == {"residual", "prior", "commitment"}


def test_no_clips_give_no_clips(model):
    assert model.sample(0).shape == (0, 1, 4, 8, 8)
    assert model.codes(clips(0)).shape == (0, 2, 2, 2)
    assert continued(model, clips(0)[:, :, :2]).shape == (0, 1, 4, 8, 8)


def test_frames_that_fill_no_slot_are_refused_before_anything_is_drawn(model):
    model.prior = None
    with pytest.raises(ValueError, match="first: got 3 frames"):
        continued(model, clips(2, 3))


def test_wrong_input_is_refused(model):
    with pytest.raises(ValueError, match=r"shape: got \(1, 5, 8, 8\), expected \(C, T, H, W\), T divisible by 2"):
        video_networks((1, 5, 8, 8), 3)
    with pytest.raises(ValueError, match=r"first: got shape \(2, 1, 2, 12, 8\) with codes \(1, 3, 2\)"):
        continued(model, clips(2, 2, 12, 8))
    with pytest.raises(ValueError, match="first: got shape"):
        continued(model, clips(2, 8))
    with pytest.raises(ValueError, match="first: got 3 frames, expected whole slots of time of 4 frames"):
        continued(model, clips(2, 3))
    with pytest.raises(ValueError, match="given: got 3, expected 0 to 2 slots"):
        continuation_nll(model, clips(2), 3)
