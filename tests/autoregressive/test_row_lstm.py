"""Row LSTM: its layer against torch's LSTM, what a pixel sees, and drawing row by row."""

import pytest
import torch

from gmcourse.autoregressive.discrete import one_by_one, uniforms
from gmcourse.autoregressive.pixel_rnn import InputToState, lstm_step
from gmcourse.autoregressive.row_lstm import RowLayer, RowLSTM
from gmcourse.laws.autoregressive.dependence import dependence, is_autoregressive, sees
from gmcourse.laws.mass import sums_to_one


def wide(model, seed=0):
    """The model in float64 with large weights, which tell apart what small ones hide."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.double().parameters():
            weight.copy_(0.5 * torch.randn(weight.shape, generator=rng, dtype=weight.dtype))
    return model


def test_a_step_by_hand():
    h, cell = lstm_step(torch.tensor([[0.0, 0.0, 0.0, 1.0]]), torch.tensor([[2.0]]))
    c = 0.5 * 2.0 + 0.5 * torch.tensor(1.0).tanh()
    torch.testing.assert_close(cell, c.view(1, 1))
    torch.testing.assert_close(h, 0.5 * c.tanh().view(1, 1))


def test_one_column_is_the_lstm_of_torch():
    layer = wide(RowLayer(3))
    features = torch.randn(2, 6, 5, 1, dtype=torch.float64)
    theirs = torch.nn.LSTM(6, 3, batch_first=True, dtype=torch.float64)
    order = [slice(6, 9), slice(3, 6), slice(9, 12), slice(0, 3)]  # o, f, i, g → i, f, g, o
    with torch.no_grad():
        own = layer.input_to_state
        theirs.weight_ih_l0.copy_(torch.cat([own.weight[s, :, 0, 1] for s in order]))
        theirs.bias_ih_l0.copy_(torch.cat([own.bias[s] for s in order]))
        theirs.weight_hh_l0.copy_(torch.cat([layer.state_to_state.weight[s, :, 1] for s in order]))
        theirs.bias_hh_l0.zero_()
    torch.testing.assert_close(layer(features)[..., 0], theirs(features[..., 0].mT)[0].mT)


def test_states_above_are_seen_on_both_sides():
    layer = wide(RowLayer(2))
    features = torch.randn(1, 4, 4, 7, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(features)[0, :, 3, 3].sum(), features)
    seen = (slope[0].abs().sum(0) > 0).tolist()
    assert seen == [[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0, 0]]


def test_each_gate_holds_every_colour_and_sees_what_it_may():
    gates = wide(InputToState(3, 1, 3))
    features = torch.randn(1, 6, 1, 1, dtype=torch.float64, requires_grad=True)
    for unit, value in enumerate(gates(features)[0, :, 0, 0]):
        (slope,) = torch.autograd.grad(value, features, retain_graph=True)
        assert (slope.flatten() != 0).tolist() == [maps // 2 <= unit % 3 for maps in range(6)]


def places_seen(r, c):
    """The triangle by counting: one column more on either side a row up, two more of the features on the left."""
    row = {(r, j) for j in range(max(c - 2, 0), c)}
    return row | {(i, j) for i in range(r) for j in range(9) if c - (r - i) - 2 <= j <= c + (r - i)}


def test_what_one_layer_sees():
    model = wide(RowLSTM((1, 9, 9), hidden=4, kernel=3))
    seen = sees(lambda x: model.logits(x.double()), (1, 9, 9), 6 * 9 + 4)
    assert seen == {9 * i + j for i, j in places_seen(6, 4)}
    assert len(seen) == 49


@pytest.mark.parametrize(("kernel", "missed"), [(3, 567), (7, 200)])
def test_pairs_that_one_layer_misses(kernel, missed):
    model = wide(RowLSTM((1, 8, 8), hidden=4, kernel=kernel))
    seen = dependence(lambda x: model.logits(x.double()), (1, 8, 8))
    assert (seen > 0).sum() == 64 * 63 // 2 - missed


SHAPES = [((1, 3, 4), 2, 4), ((1, 4, 3), 5, 4), ((3, 2, 3), 3, 3)]


@pytest.mark.parametrize(("shape", "levels", "hidden"), SHAPES)
def test_it_is_autoregressive(shape, levels, hidden):
    model = wide(RowLSTM(shape, levels, hidden=hidden, kernel=3, layers=2))
    is_autoregressive(lambda x: model.logits(x.double()), shape=shape)


@pytest.mark.parametrize(("shape", "levels", "hidden"), SHAPES)
def test_kept_features_draw_what_whole_passes_draw(shape, levels, hidden):
    model = wide(RowLSTM(shape, levels, hidden=hidden, kernel=3, layers=2))
    x = model.sample(20, rng=torch.Generator().manual_seed(3))
    u = uniforms(20, x[0].numel(), x, torch.Generator().manual_seed(3))
    assert torch.equal(x, one_by_one(model.logits, torch.zeros_like(x), u, levels))
    assert len(x.unique()) == levels


def test_its_mass_is_1():
    model = wide(RowLSTM((1, 3, 3), hidden=4, kernel=3))
    sums_to_one(lambda x: model.log_prob(x.double().view(-1, 1, 3, 3)), dims=9, tolerance=1e-9)


def test_bad_input():
    with pytest.raises(ValueError, match=r"hidden: got 4, expected a multiple of the 3 channels"):
        RowLSTM((3, 8, 8), hidden=4)
    with pytest.raises(ValueError, match=r"levels: got 1, expected at least 2"):
        RowLSTM((1, 8, 8), levels=1)
    with pytest.raises(ValueError, match=r"x: got .* expected k/1"):
        RowLSTM((1, 8, 8)).loss(torch.full((2, 1, 8, 8), 0.5))
