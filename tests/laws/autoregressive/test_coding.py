"""Every law of codes passes the package's own coder and catches each planted bug."""

from types import SimpleNamespace

import torch

from gmcourse.autoregressive import arithmetic_coder
from gmcourse.autoregressive.arithmetic_coder import Decoder, Encoder, decode, encode, frequencies
from gmcourse.laws.autoregressive import coding


def by_floors(p, bits):
    """One each, the rest by p, and what is left over to the most frequent."""
    f = 1 + (p.double() * (2**bits - p.shape[1])).long()
    return f.scatter_add(1, f.argmax(1, keepdim=True), 2**bits - f.sum(1, keepdim=True))


def coder(encoder=Encoder, decoder=Decoder, spoil=lambda bits: bits):
    def encode_with(symbols, tables):
        one = encoder()
        for symbol, edges in zip(symbols, tables, strict=True):
            one.write(symbol, edges)
        return spoil(one.finish())

    def decode_with(bits, tables):
        one = decoder(bits)
        return [one.read(edges) for edges in tables]

    return SimpleNamespace(encode=encode_with, decode=decode_with)


class Forgetful(Encoder):
    """Pending bits are never sent."""

    def _settle(self, bit):
        self.bits.append(bit)
        self.pending = 0


class OneBit(Encoder):
    """One bit at the end, not two."""

    def finish(self):
        self._settle(1)
        return self.bits


class Wasteful(Encoder):
    """A bit for each symbol more than there need be."""

    def write(self, symbol, edges):
        super().write(symbol, edges)
        return super().write(0, [0, 1, 2])


class WastefulDecoder(Decoder):
    def read(self, edges):
        symbol = super().read(edges)
        super().read([0, 1, 2])
        return symbol


class Floating:
    """The interval as doubles: dead after about 53 bits."""

    def __init__(self, bits=None):
        self.low, self.width, self.bits = 0.0, 1.0, list(bits or [])

    def write(self, symbol, edges):
        self.low += self.width * edges[symbol] / edges[-1]
        self.width *= (edges[symbol + 1] - edges[symbol]) / edges[-1]

    def finish(self):
        middle = self.low + self.width / 2
        return [int(middle * 2**k) % 2 for k in range(1, 65)]

    def read(self, edges):
        point = sum(bit / 2**k for k, bit in enumerate(self.bits[:64], 1))
        inside = [s for s in range(len(edges) - 1) if self.low + self.width * edges[s] / edges[-1] <= point]
        self.write(inside[-1] if inside else 0, edges)
        return inside[-1] if inside else 0


def fixed(symbols, tables):
    """The same number of bits for every symbol."""
    return [symbol >> k & 1 for symbol in symbols for k in (2, 1, 0)]


def fixed_decode(bits, tables):
    return [4 * bits[3 * i] + 2 * bits[3 * i + 1] + bits[3 * i + 2] for i in range(len(tables))]


def mirrored(bits, tables):
    """The parts laid out from the other end."""
    return decode(bits, [[edges[-1] - c for c in reversed(edges)] for edges in tables])


def settled_only(symbols, tables):
    one = Encoder()
    for symbol, edges in zip(symbols, tables, strict=True):
        one.write(symbol, edges)
    return one.bits


RIGHT = {
    coding.frequencies_can_be_coded: (frequencies, by_floors),
    coding.symbols_come_back: (arithmetic_coder, coder(), SimpleNamespace(encode=fixed, decode=fixed_decode)),
    coding.length_is_information: (arithmetic_coder, coder()),
    coding.fair_bits_draw: (decode,),
}
BUGS = {
    coding.frequencies_can_be_coded: {
        "rounded": (lambda p, bits: (p * 2**bits).round().long(), "not-finite"),
        "one each on top": (lambda p, bits: 1 + (p * 2**bits).long(), ""),
        "cut at 1": (lambda p, bits: (p.double() * 2**bits).round().long().clamp(min=1), ""),
        "probabilities": (lambda p, bits: p, "container"),
        "sum to 2^bits − 1": (lambda p, bits: _less(frequencies(p, bits)), "reduction"),
        "the other way round": (lambda p, bits: frequencies(p, bits).flip(1), "direction"),
        "equal parts": (lambda p, bits: frequencies(torch.full_like(p, 1 / p.shape[1]), bits), "constant"),
        "edges": (arithmetic_coder.cumulative, "shape"),
    },
    coding.symbols_come_back: {
        "pending bits forgotten": (coder(Forgetful), ""),
        "one bit at the end": (coder(OneBit), "one-to-one"),
        "no end": (SimpleNamespace(encode=settled_only, decode=decode), ""),
        "doubles": (coder(Floating, Floating), ""),
        "the parts laid out otherwise": (SimpleNamespace(encode=encode, decode=mirrored), ""),
        "numbers for bits": (SimpleNamespace(encode=lambda symbols, tables: list(symbols), decode=decode), "container"),
        "right while zeros follow": (
            coder(spoil=lambda bits: bits[: len(bits) - 1 - bits[::-1].index(1) + 1]),
            "one-to-one",
        ),
    },
    coding.length_is_information: {
        "three bits each": (SimpleNamespace(encode=fixed), "reduction"),
        "a bit too many for each": (coder(Wasteful, WastefulDecoder), "reduction"),
        "no end": (SimpleNamespace(encode=settled_only), "one-to-one"),
        "pending bits forgotten": (coder(Forgetful), "one-to-one"),
        "a whole word at the end": (coder(spoil=lambda bits: bits + [0] * 30), "reduction"),
    },
    coding.fair_bits_draw: {
        "always the likeliest": (lambda bits, tables: [int(torch.tensor(e).diff().argmax()) for e in tables], ""),
        "each as often": (
            lambda bits, tables: [2 * bits[2 * i] + bits[2 * i + 1] for i in range(len(tables))],
            "constant",
        ),
        "the parts laid out otherwise": (mirrored, "direction"),
        "bits that are rarely 1": (
            lambda bits, tables: decode([a & b for a, b in zip(bits, bits[1:], strict=False)], tables),
            "",
        ),
    },
}


def _less(f):
    return f - (torch.arange(f.shape[1]) == f.argmax(1, keepdim=True)).long()
