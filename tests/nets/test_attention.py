"""Attention against torch's own, by hand, and place by place with a cache."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gmcourse.nets import (
    CrossBlock,
    MultiHeadAttention,
    TransformerBlock,
    attention,
    attention_weights,
    cached_attention,
    causal_mask,
    stacked_blocks,
    through,
)


@pytest.fixture(autouse=True)
def double():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def scattered(module, spread=0.5):
    for parameter in module.parameters():
        nn.init.normal_(parameter, 0.0, spread)
    return module


def test_by_hand():
    q, k, v = torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 5.0], [0.0, 5.0]]), torch.tensor([[1.0], [0.0]])
    assert attention(q, k, v).item() == pytest.approx(1 / (1 + math.exp(-math.sqrt(2))))
    assert attention(q, k, v, torch.tensor([[False, True]])).item() == 0.0


def test_against_torch():
    q, k, v = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 6, 5), torch.randn(2, 3, 6, 7)
    mask = torch.rand(2, 1, 4, 6) < 0.6
    mask[..., 0] = True
    for m in (None, mask):
        torch.testing.assert_close(attention(q, k, v, m), F.scaled_dot_product_attention(q, k, v, attn_mask=m))
        torch.testing.assert_close(attention_weights(q, k, m).sum(-1), torch.ones(2, 3, 4))


def test_a_row_that_may_look_nowhere_is_not_a_number():
    mask = causal_mask(3).tril(-1)
    weights = attention_weights(torch.randn(3, 2), torch.randn(3, 2), mask)
    assert weights[0].isnan().all()
    assert not weights[1:].isnan().any()


def test_the_causal_mask_has_the_diagonal_and_what_is_before():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_place_by_place_with_a_cache_is_the_whole_at_once():
    q, k, v = torch.randn(2, 7, 4), torch.randn(2, 7, 4), torch.randn(2, 7, 3)
    whole, cache = attention(q, k, v, causal_mask(7)), None
    for t in range(7):
        found, cache = cached_attention(q[:, t : t + 1], k[:, t : t + 1], v[:, t : t + 1], cache)
        torch.testing.assert_close(found, whole[:, t : t + 1])
    assert torch.equal(cache[0], k)


def test_heads_against_torch():
    ours, theirs = MultiHeadAttention(12, 3), nn.MultiheadAttention(12, 3, bias=False, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
        theirs.out_proj.weight.copy_(ours.out.weight)
        ours.out.bias.zero_()
    x, y = torch.randn(2, 5, 12), torch.randn(2, 4, 12)
    expected, weights = theirs(x, y, y, average_attn_weights=False)
    torch.testing.assert_close(ours(x, ours.read(y)), expected)
    torch.testing.assert_close(ours.weights(x, ours.read(y)), weights)


def test_without_positions_it_is_equivariant():
    attend, x, order = scattered(MultiHeadAttention(8, 2)), torch.randn(1, 6, 8), torch.randperm(6)
    torch.testing.assert_close(attend(x[:, order], attend.read(x[:, order])), attend(x, attend.read(x))[:, order])


@pytest.mark.parametrize("heads", [0, 5])
def test_heads_divide_the_width(heads):
    with pytest.raises(ValueError, match=f"width, heads: got 8 and {heads}"):
        MultiHeadAttention(8, heads)


def test_a_block_adds_to_what_runs_through():
    block, x, other = CrossBlock(8, 2), torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    for last in (block.attend.out, block.cross.out, block.mlp[-1]):
        nn.init.zeros_(last.weight)
    assert torch.equal(block(x, memory=block.cross.read(other))[0], x)
    with pytest.raises(ValueError, match="memory: got None"):
        block(x)


def test_a_block_normalises_within_its_branches():
    """The branches see nothing of x's scale; x itself runs through at its own."""
    block, x = scattered(TransformerBlock(8, 2)), torch.randn(1, 4, 8)
    added, again = block(x)[0] - x, block(1000 * x)[0] - 1000 * x
    assert (again - added).abs().max() < 20 * added.abs().max()


def test_a_block_place_by_place_is_the_block_at_once():
    block, x, memory = scattered(CrossBlock(8, 2), 0.3), torch.randn(2, 6, 8), torch.randn(2, 3, 8)
    pairs = block.cross.read(memory)
    whole, cache = block(x, causal_mask(6), memory=pairs)[0], None
    for t in range(6):
        new, cache = block(x[:, t : t + 1], None, cache, pairs)
        torch.testing.assert_close(new, whole[:, t : t + 1])


def test_stacked_blocks_start_as_small_as_their_number_asks():
    torch.manual_seed(0)
    blocks = stacked_blocks(32, 4, 8, dropout=0.25)
    assert len(blocks) == 8
    for block in blocks:
        assert block.drop.p == 0.25
        for last in (block.attend.out, block.mlp[-1]):
            assert last.weight.std().item() == pytest.approx(0.02 / 4, rel=0.1)


def test_through_all_blocks_at_once_and_place_by_place():
    blocks, x = scattered(stacked_blocks(8, 2, 3), 0.3), torch.randn(2, 6, 8)
    whole, caches = through(blocks, x)
    assert [keys.shape for keys, _ in caches] == [(2, 2, 6, 4)] * 3
    expected, kept = x, ()
    for block in blocks:
        expected, _ = block(expected, causal_mask(6))
    assert torch.equal(whole, expected)
    for t in range(6):
        new, kept = through(blocks, x[:, t : t + 1], kept)
        torch.testing.assert_close(new, whole[:, t : t + 1])
