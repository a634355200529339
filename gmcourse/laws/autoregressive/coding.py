"""Laws of codes: frequencies that can be coded, symbols that come back, lengths near −log₂ p, draws by length."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape
from gmcourse.laws.rows import pooled

PRECISIONS = (3, 8, 12, 16)
"""The logarithms of the totals: 2^n."""
Table = Sequence[int]
"""The edges 0 = c_0 < c_1 < … < c_V = 2^n: symbol v has the share (c_{v+1} − c_v)/2^n."""


class Coder(Protocol):
    """What codes a stream of symbols, each with a table of its own."""

    def encode(self, symbols: Sequence[int], tables: Sequence[Table]) -> Sequence[int]:
        """Symbols → bits."""
        ...

    def decode(self, bits: Sequence[int], tables: Sequence[Table]) -> Sequence[int]:
        """Bits → symbols."""
        ...


def random_streams(count: int, seed: int) -> list[tuple[list[int], list[Table]]]:
    """Streams of 1 to 40 symbols, each with its table, `count` tables or a few more in all.

    Shares from 1/2^n to 1 − (V − 1)/2^n, even and uneven tables; every fifth symbol is a rarest one.
    """
    rng = torch.Generator().manual_seed(seed)
    streams: list[tuple[list[int], list[Table]]] = []
    while count > 0:
        length = int(torch.randint(1, 41, (), generator=rng))
        tables = [_table(rng, count + k) for k in range(length)]
        streams.append(([_symbol(edges, rng, k) for k, edges in enumerate(tables)], tables))
        count -= length
    return streams


def _table(rng: torch.Generator, k: int) -> Table:
    total = 2 ** PRECISIONS[k % len(PRECISIONS)]
    symbols = (2, 3, 5)[k % 3]
    if k % 2:  # cuts anywhere
        return [0, *sorted((torch.randperm(total - 1, generator=rng)[: symbols - 1] + 1).tolist()), total]
    likely = k // 2 % symbols  # one symbol has all that the others can spare
    return [v if v <= likely else total - symbols + v for v in range(symbols + 1)]


def _symbol(edges: Table, rng: torch.Generator, k: int) -> int:
    shares = torch.tensor(edges).diff()
    return int(shares.argmin() if k % 5 == 4 else torch.multinomial(shares.double(), 1, generator=rng))


def frequencies_can_be_coded(candidate: Callable[[Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(probabilities, bits), (rows, V) → integers (rows, V): Σ f = 2^bits, every f ≥ 1, and f ≈ 2^bits p.

    Each lies within V of 2^bits p. Rows at random, with zeros and a sure symbol, with equal parts.
    """
    rng = torch.Generator().manual_seed(seed)
    for bits, symbols in ((16, 2), (8, 3), (12, 17), (3, 8), (16, 256)):
        logits = 4 * torch.randn(6, symbols, generator=rng)
        p = torch.cat([logits.softmax(1), torch.eye(symbols)[[0, -1]], torch.full((1, symbols), 1 / symbols)])
        law = f"frequencies of {symbols} symbols with the sum 2^{bits}"
        f = require_shape(law, ask(candidate, probabilities=p, bits=bits), tuple(p.shape)).double()
        if not (f == f.round()).all():
            raise LawBroken(law, "fractions", "integers", "container")
        if (f < 1).any():
            raise LawBroken("every frequency is at least 1: a 0 cannot be coded", f"{f.min():g}", "1", "not-finite")
        totals, ones = f.sum(1), torch.full((len(p),), 2.0**bits).double()
        require_close(law, totals, ones, 0.0, {"reduction": [ones - 1, ones + 1]})
        exact, far = p.double() * 2**bits, float(symbols)
        slips = {"direction": [exact.flip(1)], "constant": [torch.full_like(exact, 2**bits / symbols)]}
        require_close("f ≈ 2^bits p", f, exact, far, slips | {"shape": pooled(exact)}, fit=far)


def symbols_come_back(candidate: Coder, *, tables: int = 1_000, seed: int = 0) -> None:
    """candidate.decode(candidate.encode(symbols, tables), tables) = symbols, whatever bits follow: 1,000 tables."""
    for k, (symbols, shares) in enumerate(random_streams(tables, seed)):
        bits = list(candidate.encode(symbols, shares))
        case = f"symbols {symbols}, edges {[list(edges) for edges in shares][:3]}, …"
        if set(bits) - {0, 1}:
            raise LawBroken("a code is of bits", f"{bits}", "0 and 1", "container", case)
        for after, cause in (([], ""), ([k % 2] * 40, "one-to-one")):
            back = [int(symbol) for symbol in candidate.decode([*bits, *after], shares)]
            if back != symbols:
                law = "decoding gives the symbols" + ", whatever bits follow the stream" * bool(after)
                raise LawBroken(law, f"{back}", f"{symbols}", cause, case)


def length_is_information(candidate: Any, *, tables: int = 1_000, seed: int = 0) -> None:
    """len(candidate.encode(symbols, tables)) ≤ −log₂ Π share + 2, and one long stream within 2 of it: to 0.01 bits.

    Shares are cut down to integers, which moves a length by less than 2⁻¹³ bits a symbol.
    """
    streams = random_streams(tables, seed)
    whole = ([s for symbols, _ in streams for s in symbols], [edges for _, shares in streams for edges in shares])
    for symbols, shares in [*streams, whole]:
        steps = zip(symbols, shares, strict=True)
        nats = -sum(math.log((edges[s + 1] - edges[s]) / edges[-1]) for s, edges in steps)
        information, length = nats / math.log(2), len(candidate.encode(symbols, shares))
        if not information - 0.01 <= length <= information + 2.01:
            law = f"a stream of {len(symbols)} symbols has from −log₂ p to −log₂ p + 2 bits"
            expected = f"{information:.3f} to {information + 2:.3f}"
            raise LawBroken(law, f"{length}", expected, "reduction" if length > information else "one-to-one")


def fair_bits_draw(candidate: Callable[[Sequence[int], Sequence[Table]], Sequence[int]], *, seed: int = 0) -> None:
    """candidate(bits, tables), a decoder fed fair coins, draws each symbol by its share: χ² of 20,000 symbols.

    The sum of (count − n p)²/(n p) over V symbols has the mean V − 1; 30 is beyond any chance for V = 4. Shares that
    are powers of ½ show bits that are not fair, too; others hide them.
    """
    rng = torch.Generator().manual_seed(seed)
    n, edges = 20_000, [0, 8, 16, 32, 64]
    bits = torch.randint(2, (3 * n,), generator=rng).tolist()
    symbols = require_shape("one symbol for each table", ask(candidate, bits=bits, tables=[edges] * n), (n,)).long()
    expected = torch.tensor(edges).diff() * (n / 64)
    counts = symbols.clamp(0, 3).bincount(minlength=4)
    chi = float(((counts - expected) ** 2 / expected).sum())
    if not chi < 30:
        flat = ((counts - n / 4).abs() < 300).all()
        cause = "constant" if flat else "direction" if ((counts.flip(0) - expected).abs() < 300).all() else ""
        raise LawBroken("fair bits draw symbols by their shares: χ²", f"{chi:.1f}", "about 3", cause)
