"""Bricks of codes against loops, and the Transformer against one that has all its positions in one table."""

import copy
import math
import pickle
from functools import partial
from itertools import product

import pytest
import torch

from gmcourse.autoregressive.generation import generate
from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.vae.bricks import (
    BrickTransformer,
    codes_ahead,
    flatten_codes,
    known_beside,
    summed_places,
    unflatten_codes,
)

SHAPE = (2, 3, 4)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def small(shape=SHAPE, levels=5, **settings):
    torch.manual_seed(0)
    model = BrickTransformer(levels, shape, width=16, heads=2, layers=2, **settings).eval()
    with torch.no_grad():  # far from the even start
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=seeded(parameter.numel()))
    return model


def rows(n, model, seed=0):
    return torch.randint(model.levels, (n, *model.event_shape), generator=seeded(seed))


# Order


@pytest.mark.parametrize("shape", [SHAPE, (4, 1, 3), (1, 1, 1)])
def test_a_brick_is_read_in_raster_order_and_restored(shape):
    codes = torch.arange(2 * math.prod(shape)).view(2, *shape)
    row = flatten_codes(codes)
    for t, r, c in product(*map(range, shape)):
        assert torch.equal(row[:, (t * shape[1] + r) * shape[2] + c], codes[:, t, r, c])
    assert torch.equal(unflatten_codes(row, shape), codes)
    assert torch.equal(flatten_codes(unflatten_codes(row, shape)), row)


def test_a_beginning_in_time_is_a_beginning_of_the_row():
    codes = torch.randint(9, (3, *SHAPE), generator=seeded())
    assert torch.equal(flatten_codes(codes[:, :1]), flatten_codes(codes)[:, :12])


def test_three_vectors_are_added_at_each_place():
    tables = [torch.randn(size, 5, generator=seeded(size)) for size in SHAPE]
    places = summed_places(tables).view(*SHAPE, 5)
    for t, r, c in product(*map(range, SHAPE)):
        assert torch.allclose(places[t, r, c], tables[0][t] + tables[1][r] + tables[2][c])


# The Transformer


def twin(model):
    """The language model of the same weights, whose table of positions holds the sums."""
    other = TransformerLanguageModel(model.levels, *model.event_shape, width=16, heads=2, layers=2).eval()
    state = {name: value for name, value in model.state_dict().items() if not name.startswith("tables")}
    other.load_state_dict({**state, "places": summed_places(list(model.tables))})
    return other


def test_it_is_the_language_model_with_its_positions_summed():
    model = small()
    other, x = twin(model), rows(4, model)
    assert torch.allclose(model.logits(x), other.logits(x), atol=1e-5)
    assert torch.equal(model.sample(6, rng=seeded()), other.sample(6, rng=seeded()))


def test_it_adds_up_to_one():
    model = small((2, 1, 2), levels=3)
    every = torch.tensor(list(product(range(3), repeat=4)))
    assert model.log_prob(every).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_a_code_is_predicted_from_those_before_it():
    model = small()
    x = rows(1, model)
    for place in range(model.event_shape[0]):
        other = x.clone()
        other[0, place] = (other[0, place] + 1) % model.levels
        changed = (model.logits(x) != model.logits(other)).any(1)[0]
        assert not changed[: place + 1].any()
        assert changed[place + 1 :].all()


def test_steps_agree_with_the_whole_row():
    model = small()
    x = rows(3, model)
    state, symbol = model.begin(3), None
    with torch.no_grad():
        expected = model.logits(x)
        for place in range(model.event_shape[0]):
            logits, state = model.step(symbol, state)
            assert torch.allclose(logits, expected[:, :, place], atol=1e-5)
            symbol = x[:, place]


def test_what_is_ahead_is_a_difference_of_two_rows():
    model = small()
    x = rows(4, model)
    ahead = codes_ahead(model.symbol_log_prob(x), 12)
    assert torch.allclose(ahead, model.log_prob(x[:, :12]) - model.log_prob(x), atol=1e-4)
    assert torch.allclose(codes_ahead(model.symbol_log_prob(x), 0), -model.log_prob(x))


def test_a_row_that_is_begun_is_kept_and_continued():
    model = small()
    x = rows(5, model)[:, :12]
    draw = partial(generate, model, 5, 12, prompt=x)
    first, again, other = draw(rng=seeded()), draw(rng=seeded()), draw(rng=seeded(1))
    assert torch.equal(first[:, :12], x)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_dropout_rests_where_it_draws():
    model = small(dropout=0.5)
    quiet = model.sample(4, rng=seeded())
    model.train()
    assert torch.equal(model.sample(4, rng=seeded()), quiet)
    assert model.training
    x = rows(2, model)
    assert not torch.equal(model.logits(x), model.logits(x))


def test_copies_and_words():
    model = small()
    x = rows(2, model)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other.log_prob(x), model.log_prob(x))
        assert repr(other) == repr(model)
    assert "levels=5, shape=(2, 3, 4)" in repr(model)
    assert model.loss(x).item() == pytest.approx(-model.log_prob(x).mean().item())
    assert model.sample(0).shape == (0, 24)


def test_wrong_input_is_refused():
    model = small()
    with pytest.raises(ValueError, match=r"x: got shape \(2, 25\), expected \(batch, 24\)"):
        model.logits(torch.zeros(2, 25, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"shape: got \(2, 3\), expected \(time, rows, columns\)"):
        BrickTransformer(5, (2, 3))
    with pytest.raises(ValueError, match=r"codes: got shape \(2, 3, 4\)"):
        flatten_codes(torch.zeros(2, 3, 4))
    with pytest.raises(ValueError, match=r"row: got shape \(2, 23\), expected \(batch, 2 · 3 · 4\)"):
        unflatten_codes(torch.zeros(2, 23), SHAPE)
    with pytest.raises(ValueError, match="given: got 5, expected 0 to 4 codes"):
        codes_ahead(torch.zeros(2, 4), 5)


# What is beside a place


def test_what_is_beside_a_place_has_been_read():
    table = known_beside(SHAPE, 1)
    assert table.shape == (24, 13)
    places = list(product(*map(range, SHAPE)))
    for number, (t, r, c) in enumerate(places):
        near = {
            i
            for i, (s, a, b) in enumerate(places[:number])
            if (s == t - 1 or s == t) and abs(a - r) <= 1 and abs(b - c) <= 1
        }
        assert {*table[number].tolist()} - {24} == near


def test_a_code_says_what_is_beside_it_and_nothing_of_what_comes():
    model = small(reach=1, dims=3)
    x = rows(4, model)
    other = x.clone()
    other[:, 9:] = (other[:, 9:] + 1) % 5
    assert torch.allclose(model.logits(x)[:, :, :10], model.logits(other)[:, :, :10], atol=1e-5)
    assert not torch.allclose(model.logits(x)[:, :, 10:], model.logits(other)[:, :, 10:], atol=1e-2)
    assert torch.allclose(model.log_prob(x), model.symbol_log_prob(x).sum(1))


def test_read_one_by_one_it_says_the_same():
    model = small(reach=1, dims=3)
    x, state, parts = rows(3, model), model.begin(3), []
    with torch.no_grad():
        for i in range(24):
            logits, state = model.step(None if not i else x[:, i - 1], state)
            parts.append(logits)
        assert torch.allclose(torch.stack(parts, 2), model.logits(x), atol=1e-4)


def test_it_begins_with_a_book():
    model, book = small(reach=1, dims=3), torch.randn(5, 3, generator=seeded())
    model.begin_with(2 * book + 1)
    assert torch.allclose(model.beside.vectors.weight[:-1], (book - book.mean(0)) / book.std(), atol=1e-5)
    with pytest.raises(ValueError, match=r"book: got shape \(4, 3\), expected \(V, dims\)"):
        model.begin_with(book[:4])
    with pytest.raises(ValueError, match="book: got one for a model without a reach"):
        small().begin_with(book)
