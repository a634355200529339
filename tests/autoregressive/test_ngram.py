from itertools import product

import pytest
import torch

from gmcourse.autoregressive.ngram import NGram, witten_bell


def by_hand(stream, levels, context):
    """Witten–Bell's recursion in plain Python, the stream read anew for each context."""
    if context is None:
        return [1 / levels] * levels
    n = len(context)
    after = [stream[i] for i in range(n, len(stream)) if tuple(stream[i - n : i]) == context]
    lower = by_hand(stream, levels, context[1:] if n else None)
    kinds = len(set(after))
    if not after:
        return lower
    return [(after.count(v) + kinds * lower[v]) / (len(after) + kinds) for v in range(levels)]


STREAM = torch.randint(0, 3, (60,), generator=torch.Generator().manual_seed(0)).clamp(max=2)


def test_witten_bell_with_one_follower_a_hundred_times():
    counts, lower = torch.tensor([[100, 0, 0], [0, 0, 0]]), torch.tensor([[0.2, 0.5, 0.3]] * 2)
    expected = torch.tensor([[(100 + 0.2) / 101, 0.5 / 101, 0.3 / 101], [0.2, 0.5, 0.3]])
    torch.testing.assert_close(witten_bell(counts, lower), expected)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_next_symbol_is_that_of_the_recursion_by_hand(order):
    model = NGram(STREAM, 4, order)  # symbol 3 never stands in the stream
    for context in [(), (0,), (2, 1), (1, 1, 1), (3, 0), (0, 3), (2, 2, 0, 1, 0)]:
        ours = model.next_probabilities(torch.tensor([context], dtype=torch.int64))[0]
        theirs = by_hand(STREAM.tolist(), 4, context[-order + 1 :] if order > 1 else ())
        torch.testing.assert_close(ours, torch.tensor(theirs, dtype=torch.float64))


def test_rows_are_scored_by_the_same_recursion():
    model, x = NGram(STREAM, 4, 3), torch.tensor([[0, 1, 2, 3, 1, 0], [2, 2, 2, 0, 3, 3]])
    expected = [[by_hand(STREAM.tolist(), 4, tuple(r[max(0, t - 2) : t]))[r[t]] for t in range(6)] for r in x.tolist()]
    torch.testing.assert_close(model.symbol_log_prob(x), torch.tensor(expected, dtype=torch.float64).log())
    torch.testing.assert_close(model.log_prob(x), model.symbol_log_prob(x).sum(1))


@pytest.mark.parametrize("order", [1, 3, 5])
def test_the_mass_of_all_rows_is_1(order):
    rows = torch.tensor(list(product(range(3), repeat=4)))
    torch.testing.assert_close(NGram(STREAM, 3, order).log_prob(rows).exp().sum().item(), 1.0)


def test_reading_step_by_step_is_scoring():
    model, x = NGram(STREAM, 3, 3), STREAM[None, :9]
    state, symbol, log_p = model.begin(1), None, []
    for t in range(x.shape[1]):
        logits, state = model.step(symbol, state)
        symbol = x[:, t]
        log_p.append(logits[0, symbol])
    torch.testing.assert_close(torch.cat(log_p), model.symbol_log_prob(x)[0])
    assert state.shape == (1, 2)


def test_samples_have_the_bigrams_of_the_model():
    model = NGram(STREAM, 3, 2, length=30)
    x = model.sample(400, rng=torch.Generator().manual_seed(0))
    assert x.shape == (400, 30)
    for v in range(3):
        after = x[:, 1:][x[:, :-1] == v]
        share = torch.bincount(after, minlength=3) / len(after)
        expected = model.next_probabilities(torch.tensor([[v]]))[0]
        assert (share - expected).abs().max() < 4 * 0.5 / len(after) ** 0.5


def test_a_stream_shorter_than_the_context():
    model = NGram(torch.tensor([1]), 3, 4)
    assert model.log_prob(torch.tensor([[1, 1, 1, 1, 1]])).isfinite().all()


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: NGram(STREAM, 2, 1), "x: got torch.int64 from 0 to 2"),
        (lambda: NGram(STREAM.float(), 3, 1), "x: got torch.float32"),
        (lambda: NGram(STREAM, 3, 0), "order: got 0"),
        (lambda: NGram(STREAM, 100, 12), "order: got 12"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
