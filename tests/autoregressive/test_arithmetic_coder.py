"""The coder by hand, against exact fractions, and on images; what goes wrong where the two sides call differently."""

import math
from fractions import Fraction
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gmcourse.autoregressive.arithmetic_coder import (
    Decoder,
    Encoder,
    compress,
    cumulative,
    decode,
    decompress,
    encode,
    frequencies,
    narrow,
    walk,
)
from gmcourse.autoregressive.discrete import codes_log_prob, from_codes, one_by_one, to_codes, uniforms


class Triangle(nn.Module):
    """Logits that are linear in the places before theirs, in raster order, the channels of a pixel in turn."""

    def __init__(self, event_shape=(1, 3, 3), levels=2, scale=0.7):
        super().__init__()
        self.event_shape, self.levels, dims = event_shape, levels, math.prod(event_shape)
        weight = scale * torch.randn(levels, dims, dims, generator=torch.Generator().manual_seed(0))
        self.weight = nn.Parameter(weight.tril(-1).double())
        self.calls = []

    def logits(self, x):
        channels, height, width = self.event_shape
        self.calls.append(x.clone())
        logits = torch.einsum("vij,bj->bvi", self.weight, x.movedim(1, -1).flatten(1)) + self.weight[:, :, 0]
        return logits.view(len(x), self.levels, height, width, channels).movedim(-1, 2)

    def log_prob(self, x):
        return codes_log_prob(self.logits(x), to_codes(x, self.levels))


def drawn(model, n):
    x = torch.zeros(n, *model.event_shape, dtype=torch.float64)
    return one_by_one(model.logits, x, uniforms(n, x[0].numel(), x), model.levels)


def test_four_symbols_by_hand():
    edges = cumulative(torch.tensor([0.5, 0.25, 0.125, 0.125]), 3).tolist()
    assert edges == [0, 4, 6, 7, 8]
    bits = encode([0, 1, 2, 0], [edges] * 4)
    assert bits == [0, 1, 0, 1, 1, 0, 0] + [0, 1]  # 0 10 110 0, and two to end
    assert decode(bits, [edges] * 4) == [0, 1, 2, 0]


def test_the_middle_third_again_and_again():
    bits = encode([1] * 50, [[0, 1, 2, 3]] * 50)
    point = sum(Fraction(bit, 2**k) for k, bit in enumerate(bits, 1))
    assert abs(point - Fraction(1, 2)) < Fraction(1, 2**30)  # the interval is 1/2 ± 3^−50/2, moved by rounding
    assert len(bits) == 80  # 50 log₂ 3 = 79.25
    assert decode(bits, [[0, 1, 2, 3]] * 50) == [1] * 50


def test_the_code_names_a_point_of_the_interval_of_exact_fractions():
    rng = torch.Generator().manual_seed(1)
    edges, low, width = [0, 5, 6, 16], Fraction(0), Fraction(1)
    symbols = torch.randint(3, (8,), generator=rng).tolist()
    for symbol in symbols:
        low, width = low + width * edges[symbol] / 16, width * (edges[symbol + 1] - edges[symbol]) / 16
    bits = encode(symbols, [edges] * 8)
    point = sum(Fraction(bit, 2**k) for k, bit in enumerate(bits, 1))
    assert low - Fraction(1, 2**28) <= point <= low + width - Fraction(1, 2 ** len(bits)) + Fraction(1, 2**28)


def test_parts_meet_and_fill_the_interval():
    low, high, edges = 12_345, 2**31 + 77, [0, 3, 4, 11, 16]
    parts = [narrow(low, high, a, b, 16) for a, b in zip(edges, edges[1:], strict=False)]
    assert [parts[0][0], *(high for _, high in parts)] == [*(low for low, _ in parts), high]
    assert all(abs((b - a) - (high - low) * f / 16) < 1 for (a, b), f in zip(parts, [3, 1, 7, 5], strict=True))


def test_frequencies_that_are_multiples_stay_and_none_is_0():
    assert frequencies(torch.tensor([[0.5, 0.25, 0.25]]), 4).tolist() == [[8, 4, 4]]
    assert frequencies(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), 4).tolist() == [
        [14, 1, 1],
        [1, 14, 1],
        [1, 1, 14],
    ]
    assert frequencies(torch.eye(256)[7], 8).tolist() == [1] * 256
    assert frequencies(torch.tensor([0.4, 0.6]), 2).tolist() == [2, 2]  # 1.6 and 2.4
    assert frequencies(torch.rand(2, 3, 5).softmax(-1), 24).sum(-1).tolist() == [[2**24] * 3] * 2


@pytest.mark.parametrize(
    ("probabilities", "bits", "said"),
    [
        ([1.0], 4, "bits: got 4"),
        ([0.25] * 4, 1, "bits: got 1"),
        ([0.5, 0.5], 25, "bits: got 25"),
        ([0.5, 0.6], 8, "probabilities: got"),
        ([0.5, 0.4], 8, "probabilities: got"),
        ([-0.5, 1.5], 8, "probabilities: got"),
        ([math.nan, 1.0], 8, "probabilities: got"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities, bits, said):
    with pytest.raises(ValueError, match=said):
        frequencies(torch.tensor(probabilities), bits)


@pytest.mark.parametrize(("event_shape", "levels"), [((1, 3, 3), 2), ((2, 2, 3), 2), ((1, 2, 3), 5)])
@pytest.mark.parametrize("precision", [8, 16, 24])
def test_images_come_back_and_cost_what_the_model_says(event_shape, levels, precision):
    model = Triangle(event_shape, levels)
    x = drawn(model, 40)
    bits = compress(model, x, precision=precision)
    assert torch.equal(decompress(model, bits, 40, precision=precision), x)
    if precision > 8:
        information = -model.log_prob(x).sum().item() / math.log(2)
        assert information - 0.1 < len(bits) < information + 2.1


def test_batches_are_coded_one_after_the_other_in_one_stream():
    model = Triangle()
    x = drawn(model, 25)
    bits = compress(model, x, batch=10)
    assert torch.equal(decompress(model, bits, 25, batch=10), x)
    assert abs(len(bits) - len(compress(model, x))) <= 2
    assert compress(model, x) == compress(model, x, batch=512, precision=16) != compress(model, x, precision=8)


def test_both_sides_call_the_model_with_the_same_inputs_and_see_nothing_ahead():
    model = Triangle()
    x = drawn(model, 7)
    model.calls.clear()
    bits = compress(model, x, batch=4)
    sent = list(model.calls)
    model.calls.clear()
    decompress(model, bits, 7, batch=4)
    assert len(sent) == len(model.calls) == 18
    assert all(torch.equal(a, b) for a, b in zip(sent, model.calls, strict=True))
    assert [call.flatten(1)[:, k % 9 :].abs().sum().item() for k, call in enumerate(sent)] == [0.0] * 18


def test_one_edge_that_is_off_by_one_spoils_what_follows():
    edges = [0, 40_000, 65_536]
    symbols = torch.randint(2, (400,)).tolist()
    bits = encode(symbols, [edges] * 400)
    other = [edges] * 100 + [[0, 40_001, 65_536]] + [edges] * 299
    back = decode(bits, other)
    assert back[:100] == symbols[:100]
    assert sum(a != b for a, b in zip(back[100:], symbols[100:], strict=True)) > 50


def test_own_streams_cost_an_end_each():
    model, n = Triangle(), 30
    x = drawn(model, n)
    codes, encoders = to_codes(x, 2).flatten(1).tolist(), [Encoder() for _ in range(n)]
    walk(model, n, lambda i, place, edges: encoders[i].write(codes[i][place], edges))
    streams = [encoder.finish() for encoder in encoders]
    information = -model.log_prob(x) / math.log(2)
    over = torch.tensor([len(bits) for bits in streams]) - information
    assert ((over > -0.01) & (over < 2.01)).all()
    decoders = [Decoder(bits) for bits in streams]
    assert torch.equal(walk(model, n, lambda i, place, edges: decoders[i].read(edges)), x)


def test_images_of_other_values_are_refused_and_nothing_is_a_short_stream():
    model = Triangle()
    with pytest.raises(ValueError, match="x: got"):
        compress(model, torch.full((1, 1, 3, 3), 0.5))
    assert len(compress(model, torch.zeros(0, 1, 3, 3))) == 2
    assert decompress(model, [0, 1], 0).shape == (0, 1, 3, 3)


def test_a_model_without_parameters_is_walked_in_evaluation_mode():
    class Fair(nn.Module):
        event_shape, levels = (1, 1, 2), 4

        def logits(self, x):
            assert not self.training
            assert not torch.is_grad_enabled()
            return torch.zeros(len(x), 4, 1, 1, 2)

    x = from_codes(torch.tensor([[[[3, 1]]], [[[0, 2]]]]), 4)
    bits = compress(Fair().train(), x)
    assert bits[:8] == [1, 1, 0, 0, 0, 1, 1, 0]  # place after place, the two images in turn: 3, 0, 1, 2
    assert torch.equal(decompress(Fair(), bits, 2), x)


def test_a_stream_may_be_any_bits():
    decoder = Decoder(iter([]))
    assert [decoder.read([0, 1, 2]) for _ in range(5)] == [0] * 5
    assert SimpleNamespace(low=decoder.low, high=decoder.high) == SimpleNamespace(low=0, high=2**32)
