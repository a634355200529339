"""Codes as bits: the transform, the water line, and tables under which every code can be sent."""

import math

import pytest
import torch
from scipy.fft import dct

from gmcourse.autoencoders.coding import Tables, dct_matrix, rounded_codes, water_line
from gmcourse.autoregressive.arithmetic_coder import cumulative, decode, encode


@pytest.mark.parametrize("n", [1, 2, 8])
def test_the_cosine_transform_is_scipys_and_orthonormal(n):
    matrix = dct_matrix(n)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(n, dtype=torch.float64))
    expected = torch.from_numpy(dct(torch.eye(n, dtype=torch.float64).numpy(), norm="ortho", axis=0))
    torch.testing.assert_close(matrix, expected)


def test_the_water_line_by_hand():
    rate, distortion = water_line(torch.tensor([4.0, 1.0, 0.25]), 0.5)
    assert rate.item() == pytest.approx(0.5 * (math.log(8) + math.log(2)))
    assert distortion.item() == pytest.approx(1.25)
    assert water_line(torch.tensor([4.0, 0.0]), 5.0)[0] == 0


Q = torch.tensor([[-1, 5], [0, 5], [0, 7], [1, 5], [0, 6]])


def test_tables_count_what_was_seen_and_half_a_time_more():
    tables = Tables.fit(Q)
    torch.testing.assert_close(tables.log2_prob.exp2().sum(1), torch.ones(2, dtype=torch.float64))
    expected = torch.tensor([[1.5, 3.5, 1.5], [3.5, 1.5, 1.5]], dtype=torch.float64) / 6.5
    torch.testing.assert_close(tables.log2_prob.exp2(), expected)
    bits = -math.log2(1.5 / 6.5) - math.log2(3.5 / 6.5)
    assert tables.bits(torch.tensor([[1, 5]])).item() == pytest.approx(bits)


def test_a_table_holds_no_integer_beyond_those_seen():
    tables = Tables.fit(torch.tensor([[0, 0], [3, 1]]))
    assert tables.log2_prob[1, 2:].tolist() == [-math.inf] * 2
    assert tables.clamp(torch.tensor([[9, 9], [-4, -4], [2, 1]])).tolist() == [[3, 1], [0, 0], [2, 1]]


def test_an_arithmetic_coder_needs_no_more_bits_and_two():
    q = (8 * torch.randn(200, 3, generator=torch.Generator().manual_seed(0))).round().long()
    tables = Tables.fit(q[:150])
    sent = tables.clamp(q[150:])
    edges = [cumulative(row.exp2()).tolist() for row in tables.log2_prob]
    bits = encode((sent - tables.low).flatten().tolist(), edges * 50)
    assert decode(bits, edges * 50) == (sent - tables.low).flatten().tolist()
    assert len(bits) <= tables.bits(sent).sum().item() * 1.01 + 2


def test_rounded_codes():
    z_train = torch.tensor([[0.1], [0.9], [2.2]], dtype=torch.float64)
    z = torch.tensor([[1.2], [7.0]], dtype=torch.float64)
    coded = rounded_codes(z_train, z, lambda u: torch.cat((u, -u), 1), torch.tensor([[1.0, -1.0], [2.0, 0.0]]), 1.0)
    assert coded.bits == pytest.approx(math.log2(3))
    assert coded.error == pytest.approx(2.0)
    fine = rounded_codes(z_train, z, lambda u: torch.cat((u, -u), 1), torch.tensor([[1.0, -1.0], [2.0, 0.0]]), 0.5)
    assert fine.bits == pytest.approx(math.log2(5.5 / 1.5))  # the multiples 0, 2, 4 are seen, 2 and 4 sent


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dct_matrix(0), "n: got 0, expected at least one"),
        (lambda: water_line(torch.ones(2), 0.0), "level: got 0.0, expected a positive variance"),
        (lambda: rounded_codes(*[torch.ones(2, 1)] * 2, lambda z: z, torch.ones(2, 1), -1.0), "step: got -1.0"),
        (lambda: rounded_codes(torch.ones(4, 2), torch.ones(3, 1), lambda z: z, torch.ones(3, 1), 1.0), "z: got shape"),
        (lambda: Tables.fit(torch.ones(3, 2)), r"q: got torch.float32 of shape \(3, 2\)"),
        (lambda: Tables.fit(torch.ones(0, 2).long()), r"q: got torch.int64 of shape \(0, 2\)"),
        (lambda: Tables.fit(torch.ones(3).long()), r"q: got torch.int64 of shape \(3,\)"),
        (lambda: Tables.fit(Q).bits(Q + 1), "q: got .* that the tables hold"),
        (lambda: Tables.fit(Q).bits(Q - 1), "q: got .* that the tables hold"),
        (lambda: Tables.fit(Q).bits(Q[:, :1]), r"q: got \(5, 1\), expected integers \(n, 2\)"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
