"""Attention: every place looks up, by content, what other places hold. Vaswani et al. 2017."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from gmcourse.nets.mlp import mlp

Pairs = tuple[Tensor, Tensor]  # keys and values, (…, keys, d) each
Caches = tuple[Pairs, ...]  # those of each block; () before anything is read


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(Q Kᵀ/√d): q (…, queries, d), k (…, keys, d) → (…, queries, keys); each row sums to 1.

    `mask`, bool, broadcast to the result, is True where a query may look; elsewhere the score is −∞ before the softmax,
    so that a row without a single True is NaN. Equation: autoregressive-attention. Vaswani et al. 2017, equation 1.
    """
    scores = q / math.sqrt(q.shape[-1]) @ k.transpose(-1, -2)
    return (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(Q Kᵀ/√d) V: q (…, queries, d), k (…, keys, d), v (…, keys, e) → (…, queries, e); `mask` as above."""
    return attention_weights(q, k, mask) @ v


def causal_mask(n: int, device: torch.device | None = None) -> Tensor:
    """(n, n) bool: True where place i may look at place j ≤ i, itself among them."""
    return torch.ones(n, n, dtype=torch.bool, device=device).tril()


def cached_attention(q: Tensor, k: Tensor, v: Tensor, cache: Pairs | None = None) -> tuple[Tensor, Pairs]:
    """The newest place looks at itself and at all before it: q, k, v (…, 1, d) of that place alone.

    `cache` holds the keys and values of the places before, None where there are none. Returns the output, (…, 1, d),
    and the cache for the next place. In a causal model they never change, since no later place can reach them.
    """
    kept = appended(cache, (k, v))
    return attention(q, *kept), kept


def appended(cache: Pairs | None, new: Pairs) -> Pairs:
    """Keys and values of the places before, then those of the new ones."""
    return new if cache is None else (torch.cat([cache[0], new[0]], -2), torch.cat([cache[1], new[1]], -2))


class MultiHeadAttention(nn.Module):
    """`heads` attentions of width/heads numbers each, side by side: concat_h softmax(Q_h K_hᵀ/√d_h) V_h, times W_o.

    What is looked at comes as keys and values, which `read` makes of the places that are looked at: the same places
    (self-attention), another sequence (cross-attention), or what a cache has kept. Neither queries nor keys have a
    bias: one that is added to every key shifts a row of scores, and changes no weight. Vaswani et al. 2017, 3.2.2.
    Equation: autoregressive-heads.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"width, heads: got {width} and {heads}, expected heads that divide the width")
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(batch, places, width) → (batch, heads, places, width/heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def read(self, memory: Tensor) -> Pairs:
        """Keys and values of the places of `memory`, (batch, places, width): (batch, heads, places, width/heads)."""
        keys, values = self.key_value(memory).chunk(2, -1)
        return self.split(keys), self.split(values)

    def weights(self, x: Tensor, kept: Pairs, mask: Tensor | None = None) -> Tensor:
        """Where each place of x, (batch, queries, width), looks: (batch, heads, queries, keys)."""
        return attention_weights(self.split(self.query(x)), kept[0], mask)

    def forward(self, x: Tensor, kept: Pairs, mask: Tensor | None = None) -> Tensor:
        """(batch, queries, width) → (batch, queries, width): what x finds in the keys and values `kept`."""
        found = self.weights(x, kept, mask) @ kept[1]
        return self.out(found.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """x + attention(LN x), then x + MLP(LN x): pre-norm.

    Each branch reads a normalised x and adds to x itself, which runs through untouched from the embedding to the last
    layer. The last weights of each branch start small, as N(0, spread²). Hidden layer: GELU, four times as wide.
    Equation: autoregressive-block. Vaswani et al. 2017, figure 1; the norm within the branch: Xiong et al. 2020.
    """

    def __init__(self, width: int, heads: int, *, dropout: float = 0.0, spread: float = 0.02):
        super().__init__()
        self.norm, self.attend = nn.LayerNorm(width), MultiHeadAttention(width, heads)
        self.mlp_norm, self.mlp = nn.LayerNorm(width), mlp([width, 4 * width, width], nn.GELU)
        self.drop = nn.Dropout(dropout)
        for last in (self.attend.out, cast(nn.Linear, self.mlp[-1])):
            start_small(last, spread)

    def look(self, x: Tensor, mask: Tensor | None = None, cache: Pairs | None = None) -> tuple[Tensor, Pairs]:
        """The first branch: x (batch, places, width) → the same shape, and the cache with the keys and values of these.

        `mask` says which of all the places, cached and new, the new ones may look at; None: all.
        """
        h = self.norm(x)
        kept = appended(cache, self.attend.read(h))
        return x + self.drop(self.attend(h, kept, mask)), kept

    def think(self, x: Tensor) -> Tensor:
        """The last branch: each place by itself."""
        return x + self.drop(self.mlp(self.mlp_norm(x)))

    def forward(self, x: Tensor, mask: Tensor | None = None, cache: Pairs | None = None) -> tuple[Tensor, Pairs]:
        """Both branches; all else as in `look`."""
        x, kept = self.look(x, mask, cache)
        return self.think(x), kept


def stacked_blocks(width: int, heads: int, layers: int, *, dropout: float = 0.0) -> nn.ModuleList:
    """`layers` blocks of spread 0.02/√(2·layers): their 2·layers branches add as much to x at any depth."""
    spread = 0.02 / (2 * layers) ** 0.5
    return nn.ModuleList(TransformerBlock(width, heads, dropout=dropout, spread=spread) for _ in range(layers))


def through(blocks: nn.ModuleList, x: Tensor, caches: Caches = ()) -> tuple[Tensor, Caches]:
    """x, (batch, places, width), through all blocks, no place looking ahead: the same shape, and the new caches.

    `caches` are those of the places before, as the last call gave them, and x then is one place; (): x is from the
    first place on.
    """
    mask, kept = causal_mask(x.shape[1], x.device) if x.shape[1] > 1 else None, []
    for block, cache in zip(blocks, caches or (None,) * len(blocks), strict=True):
        x, cache = block(x, mask, cache)
        kept.append(cache)
    return x, tuple(kept)


class CrossBlock(TransformerBlock):
    """A block with a branch between its two: x + attention(LN x) to what another sequence, the memory, holds."""

    def __init__(self, width: int, heads: int, *, dropout: float = 0.0, spread: float = 0.02):
        super().__init__(width, heads, dropout=dropout, spread=spread)
        self.cross_norm, self.cross = nn.LayerNorm(width), MultiHeadAttention(width, heads)
        start_small(self.cross.out, spread)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        cache: Pairs | None = None,
        memory: Pairs | None = None,
        memory_mask: Tensor | None = None,
    ) -> tuple[Tensor, Pairs]:
        """All three branches; `memory` is what `cross.read` made of the other sequence. ValueError where it is None."""
        if memory is None:
            raise ValueError("memory: got None, expected the keys and values that cross.read makes")
        x, kept = self.look(x, mask, cache)
        x = x + self.drop(self.cross(self.cross_norm(x), memory, memory_mask))
        return self.think(x), kept


def start_small(last: nn.Linear, spread: float) -> None:
    """The weights of a branch's last layer are drawn from N(0, spread²), its bias is 0."""
    nn.init.normal_(last.weight, 0.0, spread)
    nn.init.zeros_(last.bias)
