"""The recurrent encoder and decoder against every row counted, and against words read one at a time."""

import itertools
from unittest.mock import patch

import pytest
import torch
from torch import nn

from gmcourse.vae.recurrent import SentenceDecoder, SentenceEncoder, drawn, likeliest, sentence_log_prob, word_dropout


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def decoder(stop=0, levels=3, length=4):
    torch.manual_seed(0)
    return SentenceDecoder(levels, length, 2, embedding=6, hidden=8, stop=stop).double().eval()


def every_row(levels=3, length=4):
    return torch.tensor(list(itertools.product(range(levels), repeat=length)))


@pytest.mark.parametrize("stop", [None, 0, 2])
def test_all_rows_sum_to_one(stop):
    """With a stop, rows in which another word follows it have probability 0."""
    x, model = every_row(), decoder(stop)
    for z in torch.randn(3, 2, generator=seeded()).double():
        log_p = model.log_likelihood(x, z.expand(len(x), -1))
        assert log_p.exp().sum().item() == pytest.approx(1.0)
    if stop is not None:
        broken = ((x[:, :-1] == stop) & (x[:, 1:] != stop)).any(1)
        assert (log_p.isneginf() == broken).all()


def test_a_sentence_is_scored_alike_in_a_wider_row():
    model = decoder()
    x = torch.tensor([[1, 2, 0, 0], [2, 0, 0, 0]])
    z = torch.randn(2, 2, generator=seeded()).double()
    wide = torch.cat([x, torch.zeros_like(x)], 1)
    torch.testing.assert_close(model.log_likelihood(x, z), model.log_likelihood(wide, z))
    encoder = SentenceEncoder(3, 2, embedding=6, hidden=8, stop=0).double()
    for ours, theirs in zip(encoder(x), encoder(wide), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_encoder_averages_the_states_of_the_words_and_the_stop():
    torch.manual_seed(0)
    encoder = SentenceEncoder(5, 2, embedding=6, hidden=8, stop=0)
    x = torch.tensor([[3, 1, 0, 0, 0]])
    states, _ = encoder.reader(encoder.embed(x[:, :3]))
    torch.testing.assert_close(torch.cat(encoder(x), 1), encoder.statistics(states.mean(1)))


def test_word_dropout():
    x = torch.tensor([[3, 1, 2], [2, 2, 1]])
    noise = torch.tensor([[0.9, 0.2, 0.6], [0.9, 0.8, 0.1]])
    assert word_dropout(x, noise, 0.5, 7, 8).tolist() == [[7, 3, 8], [7, 8, 2]]
    assert word_dropout(x, noise, 1.0, 7, 8).tolist() == [[7, 3, 1], [7, 2, 2]]
    assert word_dropout(x, noise, 0.0, 7, 8).tolist() == [[7, 8, 8]] * 2
    assert x.tolist() == [[3, 1, 2], [2, 2, 1]]


def test_words_dropped_change_what_is_read_and_not_what_is_written():
    model, x = decoder(None), every_row()
    z = torch.zeros(len(x), 2).double()
    blind = model.log_likelihood(x, z, torch.ones(x.shape), keep=0.5)
    assert blind.exp().sum().item() == pytest.approx(1.0)  # each word is guessed from the places alone
    assert not torch.allclose(blind, model.log_likelihood(x, z))
    torch.testing.assert_close(model.log_likelihood(x, z, torch.full(x.shape, 0.4), 0.5), model.log_likelihood(x, z))


def test_the_sum_by_torch():
    x, logits = torch.tensor([[1, 2, 0, 0]]), torch.randn(1, 3, 4, generator=seeded())
    nats = nn.functional.cross_entropy(logits, x, reduction="none")
    torch.testing.assert_close(sentence_log_prob(x, logits, 0), -nats[:, :3].sum(1))
    torch.testing.assert_close(sentence_log_prob(x, logits), -nats.sum(1))


def test_what_is_written():
    model, z = decoder(), torch.randn(2, 2, generator=seeded()).double()
    x = model.write(z, likeliest)
    assert torch.equal(x, model.write(z, likeliest))
    rows = every_row()
    logits, _ = model.step(None, model.begin(z))
    assert torch.equal(x[:, 0], logits.argmax(1))
    n = 20_000
    drawn_rows = model.write(z[:1].expand(n, -1), lambda logits: drawn(logits, RNG))
    found = torch.bincount(drawn_rows @ torch.tensor([27, 9, 3, 1]), minlength=81) / n
    expected = model.log_likelihood(rows, z[:1].expand(81, -1)).exp()
    assert ((found - expected).abs() < 5 * (expected * (1 - expected) / n).sqrt() + 1e-9).all()


RNG = torch.Generator().manual_seed(1)


def test_a_draw_is_never_a_word_of_probability_0():
    logits = torch.tensor([[0.0, -torch.inf, 0.0]]).expand(1_000, -1)
    words = drawn(logits, seeded())
    assert set(words.tolist()) == {0, 2}


def test_bad_latents_are_named():
    with pytest.raises(ValueError, match=r"z: got shape \(3, 5\), expected \(batch, 2\)"):
        decoder().begin(torch.zeros(3, 5))


def test_a_word_without_probability_is_not_drawn_where_the_others_sum_to_less_than_one():
    """In float32 a distribution function can end at 1 − 2⁻²⁴, where a uniform number still falls."""
    logits = torch.randn(50_000, 40, generator=seeded()).where(torch.arange(40) < 30, -torch.inf)
    last = torch.full((50_000, 1), 1 - 2**-24)
    with patch("torch.rand", return_value=last):
        assert drawn(logits, None).max() < 30
