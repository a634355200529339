from itertools import product

import pytest
import torch
from torch import nn

from gmcourse.autoregressive.lstm import LSTM_LANGUAGE_MODEL, LSTMLanguageModel, lstm_cell
from gmcourse.data import Dataset
from gmcourse.probability import after_stop
from gmcourse.record import stop_of, symbols_of


def small(levels=3, length=5, **options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LSTMLanguageModel(levels, length, embedding=4, hidden=6, **options).double().eval()
        for p in model.parameters():
            nn.init.normal_(p, std=0.7)
        return model


def test_the_cell_is_torch_s_with_the_same_weights():
    x, h, c = (torch.randn(5, n, dtype=torch.float64) for n in (3, 4, 4))
    cell = nn.LSTMCell(3, 4).double()
    ours = lstm_cell(x, h, c, cell.weight_ih, cell.weight_hh, cell.bias_ih + cell.bias_hh)
    for a, b in zip(ours, cell(x, (h, c)), strict=True):
        torch.testing.assert_close(a, b)


def test_the_model_is_that_cell_run_along_the_row():
    model, x = small(), torch.tensor([[2, 0, 1, 1, 0]])
    w = model.lstm
    h, c = torch.zeros(1, 6, dtype=torch.float64), torch.zeros(1, 6, dtype=torch.float64)
    logits = []
    for symbol in (model.levels, *x[0, :-1]):
        e = model.embed.weight[symbol][None]
        h, c = lstm_cell(e, h, c, w.weight_ih_l0, w.weight_hh_l0, w.bias_ih_l0 + w.bias_hh_l0)
        logits.append(model.head(h))
    torch.testing.assert_close(model.logits(x)[0].T, torch.cat(logits))


def test_along_the_cell_the_slope_is_the_forget_gate():
    x, h, c = (torch.randn(1, n, dtype=torch.float64) for n in (3, 4, 4))
    weight, recurrent, bias = (torch.randn(16, *n, dtype=torch.float64) for n in ((3,), (4,), ()))
    jacobian = torch.func.jacrev(lambda c: lstm_cell(x, h, c, weight, recurrent, bias)[1][0])(c)[:, 0]
    forget = (x @ weight.T + h @ recurrent.T + bias)[0, 4:8].sigmoid()
    torch.testing.assert_close(jacobian, forget.diag())


@pytest.mark.parametrize("stop", [None, 0, 1])
def test_the_mass_of_all_rows_is_1(stop):
    rows = torch.tensor(list(product(range(2), repeat=3)))
    torch.testing.assert_close(small(2, 3, stop=stop).log_prob(rows).exp().sum().item(), 1.0)


def test_strings_up_to_a_length_and_what_is_left_have_mass_1():
    model = small(3, 3, stop=0)
    strings = [(*s, 0) for n in range(3) for s in product((1, 2), repeat=n)]
    ended = torch.stack([model.log_prob(torch.tensor([s + (0,) * (3 - len(s))]))[0].exp() for s in strings]).sum()
    longer = model.log_prob(torch.tensor(list(product((1, 2), repeat=3)))).exp().sum()
    torch.testing.assert_close((ended + longer).item(), 1.0)
    assert 0.01 < ended < 0.99


def test_the_first_stop_counts_and_nothing_after_it():
    model = small(3, 5, stop=0)
    x = torch.tensor([[1, 2, 0, 0, 0], [1, 2, 0, 0, 1]])
    first = small(3, 5).symbol_log_prob(x)[0, :3].sum()
    log_prob = model.log_prob(x)
    torch.testing.assert_close(log_prob[0], first)
    assert log_prob[1] == -torch.inf
    assert after_stop(x, 0).tolist() == [[False, False, False, True, True]] * 2


def test_samples_end_at_their_stop():
    model = small(3, 8, stop=0)
    x = model.sample(200, rng=torch.Generator().manual_seed(0))
    assert not (x[after_stop(x, 0)] != 0).any()
    assert model.log_prob(x).isfinite().all()
    assert (x != 0).any()


def test_logits_depend_on_earlier_symbols_only():
    model, x = small(), torch.tensor([[2, 0, 1, 1, 0]])
    before = model.logits(x)
    for t in range(5):
        changed = x.clone()
        changed[0, t] = (x[0, t] + 1) % 3
        moved = (model.logits(changed) - before).abs().amax((0, 1)) > 0
        assert moved.tolist() == [False] * (t + 1) + [True] * (4 - t)


def test_carrying_the_state_is_reading_anew():
    model, x = small(), torch.tensor([[2, 0, 1, 1, 0], [0, 0, 2, 1, 1]])
    state, symbol, steps = model.begin(2), None, []
    for t in range(5):
        logits, state = model.step(symbol, state)
        symbol = x[:, t]
        steps.append(logits)
    torch.testing.assert_close(torch.stack(steps, 2), model.logits(x))


def test_a_long_stream_is_scored_with_the_state_carried():
    model, stream = small(), torch.randint(0, 3, (23,), generator=torch.Generator().manual_seed(1))
    expected = model.symbol_log_prob(stream[None])[0]
    for chunk in (1, 7, 23, 100):
        torch.testing.assert_close(model.train().stream_log_prob(stream, chunk), expected)
    assert model.training


def test_dropout_rests_unless_it_trains():
    model, x = small(dropout=0.5), torch.tensor([[2, 0, 1, 1, 0]])
    assert torch.equal(model.log_prob(x), model.log_prob(x))
    assert not torch.equal(model.train().log_prob(x), model.log_prob(x))


def test_a_loss_of_what_are_no_codes_is_refused():
    with pytest.raises(ValueError, match="x: got torch.int64 from 0 to 3, expected int64 codes 0 to 2"):
        small().loss(torch.tensor([[0, 3]]))
    with pytest.raises(ValueError, match=r"x: got torch.float32 from 0.0 to 0.0"):
        small().loss(torch.zeros(1, 2))


def test_the_record_finds_the_stop_of_names_and_none_in_a_text():
    names = torch.tensor([[1, 2, 0, 0], [2, 0, 0, 0], [1, 1, 1, 0]]).repeat(4, 1)
    data = Dataset.from_tensors(names)
    model = LSTM_LANGUAGE_MODEL.build(data)
    assert (model.stop, model.levels, model.event_shape) == (0, 3, (4,))
    assert stop_of(Dataset.from_tensors(names.flip(1))) is None
    stream = Dataset.from_tensors((names.flatten().repeat(40), names.flatten().repeat(20), names.flatten().repeat(20)))
    assert symbols_of(stream) == 3
    assert LSTM_LANGUAGE_MODEL.build(LSTM_LANGUAGE_MODEL.prepare(stream)).event_shape == (64,)
