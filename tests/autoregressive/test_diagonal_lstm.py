"""Diagonal BiLSTM: skewed maps, a direction against torch's LSTM, what a pixel sees, and drawing pixel by pixel."""

import pytest
import torch

from gmcourse.autoregressive import diagonal_lstm
from gmcourse.autoregressive.diagonal_lstm import DiagonalBiLSTM, Direction, join, skew, unskew
from gmcourse.autoregressive.discrete import one_by_one, uniforms
from gmcourse.laws.autoregressive.dependence import dependence, is_autoregressive, sees
from gmcourse.laws.broken import LawBroken
from gmcourse.laws.mass import sums_to_one


def wide(model, seed=0):
    """The model in float64 with large weights, which tell apart what small ones hide."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.double().parameters():
            weight.copy_(0.5 * torch.randn(weight.shape, generator=rng, dtype=weight.dtype))
    return model


def test_skew_by_hand():
    skewed = skew(torch.arange(1.0, 13).view(3, 4))
    assert skewed.tolist() == [[1, 2, 3, 4, 0, 0], [0, 5, 6, 7, 8, 0], [0, 0, 9, 10, 11, 12]]


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (4, 1), (3, 4), (5, 2)])
def test_unskew_undoes_skew(size):
    x = torch.randn(2, 3, *size)
    assert skew(x).shape == (2, 3, size[0], sum(size) - 1)
    assert torch.equal(unskew(skew(x)), x)


def test_join_by_hand():
    left, right = torch.arange(6.0).view(3, 2), torch.tensor([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]])
    assert join(left, right).tolist() == [[0, 1], [12, 23], [34, 45]]


def lstm_of(direction, taps):
    """torch's LSTM of the same weights, gates given as they are."""
    theirs = torch.nn.LSTM(12, 3, batch_first=True, dtype=torch.float64)
    order = [slice(6, 9), slice(3, 6), slice(9, 12), slice(0, 3)]  # o, f, i, g → i, f, g, o
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.cat([torch.eye(12, dtype=torch.float64)[s] for s in order]))
        theirs.weight_hh_l0.copy_(torch.cat([taps.weight[s] for s in order]))
        theirs.bias_ih_l0.zero_()
        theirs.bias_hh_l0.zero_()
    return theirs


def test_one_row_is_the_lstm_of_torch():
    direction = wide(Direction(3))
    gates = torch.randn(2, 12, 1, 6, dtype=torch.float64)
    theirs = lstm_of(direction, direction.from_left)
    torch.testing.assert_close(direction(gates)[:, :, 0], theirs(gates[:, :, 0].mT)[0].mT)


def test_a_direction_is_its_own_step_from_pixel_to_pixel():
    direction = wide(Direction(2))
    gates = torch.randn(3, 8, 4, 5, dtype=torch.float64)
    states, zero = {}, torch.zeros(3, 2, dtype=torch.float64)
    for r in range(4):
        for c in range(5):
            (left, cell), (above, _) = states.get((r, c - 1), (zero, zero)), states.get((r - 1, c), (zero, zero))
            states[r, c] = direction.step(gates[:, :, r, c], left, above, cell)
    expected = torch.stack([states[place][0] for place in sorted(states)], 2).view(3, 2, 4, 5)
    torch.testing.assert_close(direction(gates), expected)


def test_it_takes_one_step_a_column_of_the_skewed_map(monkeypatch):
    steps = []
    monkeypatch.setattr(diagonal_lstm, "lstm_step", lambda gates, cell: steps.append(gates.shape) or (cell, cell))
    Direction(2)(torch.zeros(1, 8, 4, 5))
    assert steps == [(1, 8, 4)] * (4 + 5 - 1)


def logits(model):
    return lambda x: model.logits(x.double())


@pytest.mark.parametrize(("mended", "count"), [(False, 57), (True, 58)])
def test_it_sees_all_but_the_last_pixel_of_the_row_above(mended, count):
    model = wide(DiagonalBiLSTM((1, 9, 9), hidden=4, kernel=3, mended=mended))
    seen = sees(logits(model), (1, 9, 9), 6 * 9 + 4)
    assert len(seen) == count
    assert set(range(58)) - seen == (set() if mended else {5 * 9 + 8})


@pytest.mark.parametrize(("size", "kernel", "layers"), [(6, 3, 1), (6, 3, 3), (6, 5, 1)])
def test_where_the_hole_is(size, kernel, layers):
    model = wide(DiagonalBiLSTM((1, size, size), hidden=4, kernel=kernel, layers=layers))
    matrix = dependence(logits(model), (1, size, size))
    hidden = {divmod(i, size) for i, j in (matrix == 0).tril(-1).nonzero().tolist() if j == i // size * size - 1}
    assert hidden == {(r, c) for r in range(1, size) for c in range(size - 1 - kernel // 2)}
    assert (matrix == 0).tril(-1).sum() == len(hidden)


def test_without_the_shift_the_rest_of_the_row_is_seen(monkeypatch):
    monkeypatch.setattr(diagonal_lstm, "join", lambda left, right: left + right)
    model = wide(DiagonalBiLSTM((1, 9, 9), hidden=4, kernel=3))
    assert sees(logits(model), (1, 9, 9), 58) == set(range(62))
    with pytest.raises(LawBroken) as broken:
        is_autoregressive(logits(model), shape=(1, 9, 9))
    assert broken.value.cause == "dependence"


SHAPES = [((1, 3, 4), 2, 4), ((1, 4, 3), 5, 4), ((3, 2, 3), 3, 3)]


@pytest.mark.parametrize("mended", [False, True])
@pytest.mark.parametrize(("shape", "levels", "hidden"), SHAPES)
def test_it_is_autoregressive(shape, levels, hidden, mended):
    model = wide(DiagonalBiLSTM(shape, levels, hidden=hidden, kernel=3, layers=2, mended=mended))
    is_autoregressive(logits(model), shape=shape)


@pytest.mark.parametrize("mended", [False, True])
@pytest.mark.parametrize(("shape", "levels", "hidden"), SHAPES)
def test_kept_features_draw_what_whole_passes_draw(shape, levels, hidden, mended):
    model = wide(DiagonalBiLSTM(shape, levels, hidden=hidden, kernel=3, layers=2, mended=mended))
    x = model.sample(20, rng=torch.Generator().manual_seed(3))
    u = uniforms(20, x[0].numel(), x, torch.Generator().manual_seed(3))
    assert torch.equal(x, one_by_one(model.logits, torch.zeros_like(x), u, levels))
    assert len(x.unique()) == levels


def test_its_mass_is_1():
    model = wide(DiagonalBiLSTM((1, 3, 3), hidden=4, kernel=3))
    sums_to_one(lambda x: model.log_prob(x.double().view(-1, 1, 3, 3)), dims=9, tolerance=1e-9)
