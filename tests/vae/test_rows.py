"""A Transformer of codes with places: causal, the same read at once and step by step, and what is handed to a place."""

from itertools import product

import pytest
import torch

from gmcourse.vae.rows import CodeTransformer, above, neighbours


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make(over=None, places=(4, 4), back=(4, 3, 5), levels=9):
    torch.manual_seed(0)
    model = CodeTransformer(levels, places, over, back, width=16, heads=2, layers=2)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 0.0, 0.5)
    return model.eval()


@pytest.mark.parametrize("over", [above((2, 2), (4, 4)), torch.ones(16, 3), None])
@torch.no_grad()
def test_read_at_once_and_step_by_step(over):
    model = make(over)
    x = model.sample(3, rng=seeded())
    assert x.shape == (3, 16 + model.prefix)
    state, symbol, steps = model.begin(3), None, []
    for place in range(x.shape[1]):
        logits, state = model.step(symbol, state)
        steps.append(logits)
        symbol = x[:, place]
    torch.testing.assert_close(torch.stack(steps, 2), model.logits(x), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_no_symbol_is_seen_before_it_is_said():
    model = make(above((2, 2), (4, 4)))
    x = model.sample(2, rng=seeded())
    logits = model.logits(x)
    for place in range(20):
        other = x.clone()
        other[:, place] = (other[:, place] + 1) % 9
        change = (model.logits(other) - logits).abs().amax((0, 1))
        assert not change[: place + 1].any()
        assert place == 19 or change[place + 1 :].any()


@torch.no_grad()
def test_probabilities_sum_to_one():
    model = make(torch.ones(3, 1), (3,), (2,), levels=3)
    rows = torch.tensor(list(product(range(3), repeat=4)))
    assert model.log_prob(rows).exp().sum().item() == pytest.approx(1, abs=1e-5)
    assert model.loss(rows).item() == pytest.approx(-model.log_prob(rows).mean().item(), rel=1e-5)


@torch.no_grad()
def test_each_place_is_handed_what_stands_there():
    model = make(above((2, 2), (4, 4)))
    inputs, row = model.inputs, torch.arange(20)[None] % 9
    codes = torch.cat([torch.tensor([[9]]), row[:, :-1]], 1)
    at = 4 + 4 * 2 + 1  # row 2, column 1: the code above is that of row 1, and the top code over it the third
    x = inputs.embed(codes[:, at]) + inputs.axes[0][2] + inputs.axes[1][1] + inputs.said(row[:, 2])
    for step, table in zip((4, 3, 5), inputs.earlier):
        x = x + table(row[:, at - step])
    torch.testing.assert_close(inputs(codes)[:, at], x)


def test_top_places_over_bottom_places():
    assert above((2, 2), (4, 4)).argmax(1).view(4, 4).tolist() == [[0, 0, 1, 1]] * 2 + [[2, 2, 3, 3]] * 2
    assert above((2,), (6,)).argmax(1).tolist() == [0, 0, 0, 1, 1, 1]
    assert (above((2, 1), (4, 3)).sum(1) == 1).all()
    assert neighbours(8) == (8, 7, 9)
    assert neighbours(2) == (2, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: above((3,), (4,)), "top, bottom: got (3,) and (4,), expected sides"),
        (lambda: above((2,), (4, 4)), "top, bottom: got (2,) and (4, 4)"),
        (lambda: make(torch.ones(5, 2)), "over: got shape (5, 2), expected (16, P)"),
        (lambda: make(back=(0,)), "back: got (0,), expected steps to the left"),
        (lambda: make().logits(torch.zeros(1, 3, dtype=torch.int64)), "x: got 3 symbols, expected 16"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match="got") as raised:
        call()
    assert message in str(raised.value)
