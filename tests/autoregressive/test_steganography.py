"""Messages come back bit for bit, and images that carry them are samples of the model."""

import math

import pytest
import torch
from torch import nn

from gmcourse.autoregressive.arithmetic_coder import Decoder, Encoder, walk
from gmcourse.autoregressive.discrete import codes_log_prob, to_codes
from gmcourse.autoregressive.steganography import hide, reveal, to_bits, to_bytes


class Chain(nn.Module):
    """Each pixel is like the one before it with probability 0.8; the first has ink in 3 of 10."""

    event_shape, levels = (1, 2, 4), 2

    def logits(self, x):
        before = x.flatten(1)[:, :-1]
        first = torch.full((len(x), 1), math.log(0.3 / 0.7))
        ink = torch.cat([first, (2 * before - 1) * math.log(4)], 1).view(len(x), 1, 2, 4)
        return torch.stack([0 * ink, ink], 1)


def coins(n, seed=0):
    return torch.randint(2, (n,), generator=torch.Generator().manual_seed(seed)).tolist()


@pytest.mark.parametrize("length", [0, 1, 7, 64, 300])
@pytest.mark.parametrize("batch", [5, 512])
def test_the_message_comes_back(length, batch):
    message = coins(length, seed=length)
    images = hide(Chain(), message, 80, rng=torch.Generator().manual_seed(1), batch=batch)
    assert images.shape == (80, 1, 2, 4)
    assert reveal(Chain(), images, batch=batch)[:length] == message


def test_what_is_settled_is_the_message_and_then_the_coins():
    rng = torch.Generator().manual_seed(3)
    images = hide(Chain(), [], 60, rng=torch.Generator().manual_seed(3))
    settled = reveal(Chain(), images)
    assert settled == torch.cat([torch.randint(2, (256,), generator=rng) for _ in range(3)]).tolist()[: len(settled)]
    information = -codes_log_prob(Chain().logits(images), to_codes(images, 2)).sum().item() / math.log(2)
    assert information - 34 < len(settled) <= information + 0.01


def test_in_one_stream_an_image_loses_nothing_and_on_its_own_its_end():
    n = 200
    bits, decoders, encoders = [coins(80, seed=i) for i in range(n)], [], [Encoder() for _ in range(n)]
    decoders = [Decoder(message) for message in bits]
    images = walk(Chain(), n, lambda i, place, edges: encoders[i].write(decoders[i].read(edges), edges))
    for message, encoder in zip(bits, encoders, strict=True):
        assert encoder.bits == message[: len(encoder.bits)]
    information = -codes_log_prob(Chain().logits(images), to_codes(images, 2)).sum().item() / math.log(2)
    apart = sum(len(encoder.bits) for encoder in encoders)
    assert 1.0 < (information - apart) / n < 3.5


def test_images_that_carry_fair_bits_follow_the_model():
    images = hide(Chain(), coins(4_000), 2_000, rng=torch.Generator().manual_seed(0)).flatten(1)
    same = (images[:, 1:] == images[:, :-1]).double().mean().item()
    assert abs(images[:, 0].mean().item() - 0.3) < 4 * (0.21 / 2_000) ** 0.5
    assert abs(same - 0.8) < 4 * (0.16 / 14_000) ** 0.5


def test_text_as_it_stands_is_no_fair_coin():
    """The highest bit of an ASCII letter is 0: where eight bits choose a symbol, half of them never come."""
    letters = to_bits(b"as it is spelt")
    assert set(letters[::8]) == {0}
    decoder = Decoder(letters)
    assert max(decoder.read(list(range(257))) for _ in range(14)) < 128


def test_equal_seeds_give_equal_images_and_other_bits_others():
    first, again = (hide(Chain(), coins(50), 20, rng=torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert reveal(Chain(), first) == reveal(Chain(), first, batch=512, precision=16)
    assert torch.equal(first, hide(Chain(), coins(50), 20, rng=torch.Generator().manual_seed(5), precision=16))
    flipped = [1 - coins(50)[0], *coins(50)[1:]]
    assert not torch.equal(first, hide(Chain(), flipped, 20, rng=torch.Generator().manual_seed(5)))


def test_bad_messages_are_refused():
    with pytest.raises(ValueError, match="message: got 500 bits, expected at most"):
        hide(Chain(), coins(500), 10)
    with pytest.raises(ValueError, match="message: got 2, expected bits"):
        hide(Chain(), [0, 1, 2], 10)


def test_bytes_and_bits():
    assert to_bits(b"A") == [0, 1, 0, 0, 0, 0, 0, 1]
    assert to_bytes([*to_bits("Grüße".encode()), 1, 0, 1]).decode() == "Grüße"
    assert to_bytes([]) == b""
