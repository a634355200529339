"""The translator: normalised over all rows, blind to padding, and the same with a cache; a beam against all rows."""

import itertools

import pytest
import torch
from torch import nn

from gmcourse.autoregressive import Translator
from gmcourse.autoregressive.discrete import choose, uniforms
from gmcourse.autoregressive.translator import attention_map, beam
from gmcourse.probability import after_stop


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def scattered(levels=4, places=3, source_places=5, spread=0.4, **options):
    torch.manual_seed(0)
    model = Translator(levels, places, source_places, width=8, heads=2, **options).double().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0.0, spread)
    return model


GIVEN = torch.tensor([[1, 2, 3, 0, 0], [3, 3, 1, 2, 1], [2, 0, 0, 0, 0]])
ROWS = torch.tensor(list(itertools.product(range(4), repeat=3)))


def test_all_rows_together_have_probability_one():
    model = scattered()
    for given in GIVEN:
        log_p = model.log_prob(ROWS, given.expand(len(ROWS), -1))
        assert log_p.exp().sum().item() == pytest.approx(1.0, abs=1e-12)
        words_after_the_end = ((ROWS != 0) & after_stop(ROWS, 0)).any(1)
        assert torch.equal(log_p.isneginf(), words_after_the_end)


def test_a_word_is_seen_by_those_after_it_and_by_no_other():
    model, y = scattered(places=5), torch.tensor([[1, 2, 3, 1, 2]])
    before = model.logits(y, GIVEN[:1])
    for place in range(5):
        changed = y.clone()
        changed[:, place] = y[:, place] % 3 + 1
        moved = (model.logits(changed, GIVEN[:1]) - before).abs().amax((0, 1))
        assert (moved[: place + 1] == 0).all()
        assert (moved[place + 1 :] > 1e-6).all()


def test_what_fills_up_a_source_is_not_seen():
    model, y = scattered(), ROWS[::7]
    short = GIVEN[:1, :3].expand(len(y), -1)
    torch.testing.assert_close(model.log_prob(y, short), model.log_prob(y, GIVEN[:1].expand(len(y), -1)))
    assert model.log_prob(ROWS[:1], torch.zeros(1, 5, dtype=torch.int64)).isfinite()


def test_the_order_of_the_source_counts_only_with_positions():
    y, given = torch.tensor([[1, 2, 0]]), GIVEN[1:2]
    for positions, same in ((True, False), (False, True)):
        model = scattered(positions=positions)
        assert torch.allclose(model.log_prob(y, given), model.log_prob(y, given.flip(1)), atol=1e-12) == same


def test_cached_samples_are_those_of_reading_anew():
    model, n = scattered(layers=2), 30
    given = GIVEN.repeat(10, 1)
    u, y = uniforms(n, 3, model.places, seeded()), torch.zeros(n, 3, dtype=torch.int64)
    for t in range(3):
        y[:, t] = choose(model.logits(y, given)[:, :, t], u[:, t])
    assert torch.equal(model.sample(n, given, rng=seeded()), y)
    assert not ((y != 0) & after_stop(y, 0)).any()


def test_a_wide_beam_finds_the_likeliest_row_and_a_narrow_one_is_greedy():
    model = scattered(spread=0.7, layers=2)
    every = torch.stack([model.log_prob(ROWS, given.expand(len(ROWS), -1)) for given in GIVEN])
    found, log_p = beam(model, GIVEN, 64)
    assert torch.equal(found, ROWS[every.argmax(1)])
    torch.testing.assert_close(log_p, every.amax(1))
    greedy, _ = beam(model, GIVEN)
    y = torch.zeros(3, 3, dtype=torch.int64)
    for t in range(3):
        y[:, t] = model.logits(y, GIVEN)[:, :, t].argmax(1)
    assert torch.equal(greedy, y)
    for k in (1, 2, 3):
        found, log_p = beam(model, GIVEN, k)
        torch.testing.assert_close(log_p, model.log_prob(found, GIVEN))
    with pytest.raises(ValueError, match="k: got 0"):
        beam(model, GIVEN, 0)


def test_the_map_says_where_the_decoder_looks():
    model, y = scattered(layers=2), torch.tensor([[1, 2, 0], [3, 1, 2], [1, 0, 0]])
    looks = attention_map(model, y, GIVEN)
    assert looks.shape == (2, 3, 2, 3, 5)
    torch.testing.assert_close(looks.sum(-1), torch.ones(2, 3, 2, 3, dtype=torch.float64))
    assert (looks[:, 0, :, :, 3:] == 0).all()
    other = y.clone()
    other[:, 1:] = 3  # where it looks as it is to write y_t hangs on the words before
    torch.testing.assert_close(attention_map(model, other, GIVEN)[:, :, :, :2], looks[:, :, :, :2])


def test_bad_input_is_named():
    model = scattered()
    with pytest.raises(ValueError, match="y: got rows of 4 codes, expected at most 3"):
        model.logits(torch.ones(1, 4, dtype=torch.int64), GIVEN[:1])
    with pytest.raises(ValueError, match="given: got rows of 6 codes, expected at most 5"):
        model.sample(1, torch.ones(1, 6, dtype=torch.int64))
    with pytest.raises(ValueError, match="given: got 3 rows, expected 2"):
        model.sample(2, GIVEN)
