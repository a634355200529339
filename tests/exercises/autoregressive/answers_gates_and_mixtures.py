"""Answers to the exercises of lesson 02.4, right and wrong."""

import math
from fractions import Fraction
from itertools import takewhile

import numpy as np
import torch
from torch.distributions import AffineTransform, SigmoidTransform, TransformedDistribution, Uniform
from torch.nn import functional as F


def gate_by_loop(features, given_features):
    batch, channels, height, width = features.shape
    p = channels // 2
    out = torch.empty(batch, p, height, width)
    for n in range(batch):
        for k in range(p):
            f = features[n, k] + given_features[n, k]
            g = features[n, p + k] + given_features[n, p + k]
            out[n, k] = torch.tanh(f) / (1 + torch.exp(-g))
    return out


def gate_by_glu(features, given_features):
    told = features + given_features.unsqueeze(-1).unsqueeze(-1)
    f, g = torch.split(told, told.shape[1] // 2, dim=1)
    return F.glu(torch.cat([torch.tanh(f), g], dim=1), dim=1)


def gate_in_numpy(features, given_features):
    x = features.numpy().astype(np.float64) + given_features.numpy()[..., None, None]
    f, g = np.split(x, 2, axis=1)
    return np.tanh(f) / (1 + np.exp(-np.clip(g, -60, 60)))


def gate_by_einsum(features, given_features):
    p = features.size(1) // 2
    told = features + torch.einsum("bc,hw->bchw", given_features, torch.ones(features.shape[2:]))
    return torch.einsum("bphw,bphw->bphw", told[:, :p].tanh(), told[:, p:].sigmoid())


def gate_with_conv(features, given_features):
    """The class as a 1×1 image, broadcast by expand_as."""
    told = features + given_features.reshape(*given_features.shape, 1, 1).expand_as(features)
    return told[:, : told.shape[1] // 2].tanh().mul(told[:, told.shape[1] // 2 :].sigmoid())


def narrow_by_fractions(low, high, start, end, total):
    size = Fraction(high - low, total)
    return math.floor(low + size * start), math.floor(low + size * end)


def narrow_by_divmod(low, high, start, end, total):
    width = high - low
    return [low + divmod(width * start, total)[0], low + divmod(width * end, total)[0]]


def narrow_up(low, high, start, end, total):
    width = high - low
    return tuple(low + (width * c + total - 1) // total for c in (start, end))


def narrow_from_above(low, high, start, end, total):
    width = high - low
    return high - width * (total - start) // total, high - width * (total - end) // total


def narrow_in_two_steps(low, high, start, end, total):
    quotient, rest = divmod(high - low, total)
    return low + quotient * start + rest * start // total, low + quotient * end + rest * end // total


def narrow_as_tensor(low, high, start, end, total):
    return torch.tensor([low + (high - low) * start // total, low + (high - low) * end // total])


def logistic_by_cases(code, mean, log_scale, levels):
    half, scale = 1 / (levels - 1), log_scale.double().exp()
    values = []
    for k, m, s in zip(code.tolist(), mean.double(), scale, strict=True):
        y = -1 + 2 * k / (levels - 1)
        a, b = (y - half - m) / s, (y + half - m) / s
        if k == 0:
            values.append(F.logsigmoid(b))
        elif k == levels - 1:
            values.append(F.logsigmoid(-a))
        elif a + b > 0:  # the lower tail, by symmetry
            values.append(-a - F.softplus(-a) - F.softplus(-b) + torch.log(-torch.expm1(a - b)))
        else:
            values.append(b - F.softplus(a) - F.softplus(b) + torch.log(-torch.expm1(a - b)))
    return torch.stack(values)


def logistic_by_log_differences(code, mean, log_scale, levels):
    """ln(e^{ln σ(b)} − e^{ln σ(a)}), on the side of the mean where σ is small."""
    y, half, scale = 2 * code.double() / (levels - 1) - 1, 1 / (levels - 1), log_scale.double().exp()
    x = -(y - mean).abs()
    up, down = F.logsigmoid((x + half) / scale), F.logsigmoid((x - half) / scale)
    inner = up + torch.log1p(-torch.exp(down - up))
    first, last = F.logsigmoid((y + half - mean) / scale), F.logsigmoid((mean + half - y) / scale)
    return inner.where((code > 0) & (code < levels - 1), first.where(code == 0, last))


def logistic_in_numpy(code, mean, log_scale, levels):
    k, m, s = code.numpy().astype(float), mean.numpy().astype(float), np.exp(log_scale.numpy().astype(float))
    y, half = 2 * k / (levels - 1) - 1, 1 / (levels - 1)

    def log_sigmoid(z):
        return -np.logaddexp(0, -z)

    a, b = np.where(k == 0, -np.inf, (y - half - m) / s), np.where(k == levels - 1, np.inf, (y + half - m) / s)
    return log_sigmoid(b) + log_sigmoid(-a) + np.log(-np.expm1(a - b))


def logistic_with_infinities(code, mean, log_scale, levels):
    edges = torch.linspace(-1, 1, levels, dtype=torch.float64)
    edges = torch.cat([torch.tensor([-math.inf]), (edges[1:] + edges[:-1]) / 2, torch.tensor([math.inf])])
    a, b = ((edges[code + k] - mean) / log_scale.double().exp() for k in (0, 1))
    return F.logsigmoid(b) + F.logsigmoid(-a) + torch.log(-torch.special.expm1(a - b))


def logistic_by_softplus(code, mean, log_scale, levels):
    step, inverse = 2 / (levels - 1), (-log_scale.double()).exp()
    middle = inverse * (code * step - 1 - mean)
    plus, minus = middle + inverse * step / 2, middle - inverse * step / 2
    inner = plus - F.softplus(plus) - F.softplus(minus) + (1 - torch.exp(-inverse * step)).log()
    out = torch.where(code == 0, plus - F.softplus(plus), inner)
    out[code == levels - 1] = -F.softplus(minus)[code == levels - 1]
    return out


def logistic_by_distribution(code, mean, log_scale, levels):
    """Two tails, each by its own σ."""
    ends = 0 * mean.double(), 0 * mean.double() + 1
    base = TransformedDistribution(
        Uniform(*ends), [SigmoidTransform().inv, AffineTransform(mean.double(), log_scale.double().exp())]
    )
    y = 2 * code.double() / (levels - 1) - 1
    above, below = base.cdf(y + 1 / (levels - 1)), base.cdf(y - 1 / (levels - 1))
    return torch.log(torch.where(code == levels - 1, 1, above) - torch.where(code == 0, 0, below))


def bits_by_text(low, high, places):
    pairs = zip(format(low, f"0{places}b"), format(high - 1, f"0{places}b"), strict=True)
    return [int(a) for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]


def bits_by_doubling(low, high, places):
    """As the coder does it."""
    whole, bits = 1 << places, []
    while len(bits) < places:
        if high <= whole // 2:
            bits.append(0)
        elif low >= whole // 2:
            bits.append(1)
            low, high = low - whole // 2, high - whole // 2
        else:
            return bits
        low, high = 2 * low, 2 * high
    return bits


def bits_by_shifts(low, high, places):
    top, bits = high - 1, ()
    for k in reversed(range(places)):
        if low >> k != top >> k:
            break
        bits += (low >> k & 1,)
    return bits


def bits_in_numpy(low, high, places):
    powers = 2 ** np.arange(places - 1, -1, -1, dtype=np.int64)
    first, last = low // powers % 2, (high - 1) // powers % 2
    return first[np.cumsum(first != last) == 0]


def bits_as_tensor(low, high, places):
    shared = places - (low ^ (high - 1)).bit_length()
    return torch.tensor([low >> (places - 1 - k) & 1 for k in range(shared)])


def bits_recursive(low, high, places):
    if places == 0 or low >> (places - 1) != (high - 1) >> (places - 1):
        return []
    bit, mask = low >> (places - 1), (1 << (places - 1)) - 1
    return [bit, *bits_recursive(low & mask, ((high - 1) & mask) + 1, places - 1)]


def logistic_of_moved_bins(code, mean, log_scale, levels, below=0.0, above=None):
    y, scale = 2 * code.double() / (levels - 1) - 1 - mean, log_scale.double().exp()
    upper = ((y + (2 / (levels - 1) if above is None else above)) / scale).sigmoid()
    lower = ((y - below) / scale).sigmoid()
    p = torch.where(code == levels - 1, 1, upper) - torch.where(code == 0, 0, lower)
    return p.clamp(min=1e-30).log()


RIGHT = {
    "autoregressive.gate": {
        "loop": gate_by_loop,
        "glu": gate_by_glu,
        "NumPy": gate_in_numpy,
        "einsum": gate_by_einsum,
        "expanded": gate_with_conv,
        "a list": lambda x, given: list(gate_by_glu(x, given)),
    },
    "autoregressive.narrow": {
        "fractions": narrow_by_fractions,
        "divmod, a list": narrow_by_divmod,
        "rounded up": narrow_up,
        "from above": narrow_from_above,
        "two steps": narrow_in_two_steps,
        "a tensor": narrow_as_tensor,
    },
    "autoregressive.discretised_logistic": {
        "loop": logistic_by_cases,
        "log differences": logistic_by_log_differences,
        "NumPy": logistic_in_numpy,
        "infinite edges": logistic_with_infinities,
        "softplus": logistic_by_softplus,
    },
    "autoregressive.hidden_bits": {
        "truth values": lambda low, high, n: [bit == 1 for bit in bits_by_text(low, high, n)],
        "text": bits_by_text,
        "doubling": bits_by_doubling,
        "shifts, a tuple": bits_by_shifts,
        "NumPy": bits_in_numpy,
        "a tensor": bits_as_tensor,
        "recursive": bits_recursive,
    },
    "autoregressive.code_length": {
        "formula": -0.5 * math.log2(0.25) - 0.5 * math.log2(0.75),
        "two decimals": 1.21,
        "a tensor": torch.tensor([1.2075]),
        "NumPy": np.float64(1 + 0.5 * np.log2(4 / 3)),
        "counted": 12_069 / 10_000,
    },
}
WRONG = {
    "autoregressive.gate": {
        "a product with the class": (lambda x, given: gate_by_glu(x * given[:, :, None, None], 0 * given), "sign"),
        "1 − σ": (lambda x, given: gate_by_glu(x * _signs(given), given * _signs(given)[..., 0, 0]), "sign"),
        "e^g / (1 + e^g)": (
            lambda x, given: (lambda f, g: f.tanh() * g.exp() / (1 + g.exp()))(
                *(x + given[:, :, None, None]).chunk(2, 1)
            ),
            "not-finite",
        ),
        "one tanh around": (
            lambda x, given: (lambda f, g: (f * g.sigmoid()).tanh())(*(x + given[:, :, None, None]).chunk(2, 1)),
            "spread",
        ),
        "tanh and σ exchanged": (
            lambda x, given: gate_by_glu(x.flip(1), given.flip(1)).flip(1),
            "direction",
        ),
        "the class is not told": (lambda x, given: gate_by_glu(x, torch.zeros_like(given)), "dependence"),
        "told along a row": (lambda x, given: x.chunk(2, 1)[0].tanh() + given, None),
        "in place": (lambda x, given: gate_by_glu(x.add_(given[:, :, None, None]), 0 * given), "mutation"),
        "every other map": (
            lambda x, given: (
                (x + given[..., None, None])[:, ::2].tanh() * (x + given[..., None, None])[:, 1::2].sigmoid()
            ),
            "one-to-one",
        ),
        "the gate at the output": (lambda x, given: gate_by_glu(x, 0 * given) * given[:, :1, None, None], ""),
    },
    "autoregressive.narrow": {
        "the second without low": (
            lambda low, high, a, b, n: (low + (high - low) * a // n, (high - low) * b // n),
            "dependence",
        ),
        "the second from above": (
            lambda low, high, a, b, n: (low + (high - low) * a // n, high - (high - low) * b // n),
            "dependence",
        ),
        "shares of low and of high": (lambda low, high, a, b, n: (low * a // n, high * b // n), "spread"),
        "an inclusive high": (
            lambda low, high, a, b, n: (low + (high - low) * a // n, low + (high - low) * b // n - 1),
            "one-to-one",
        ),
        "by /": (
            lambda low, high, a, b, n: (int(low + (high - low) / n * a), int(low + (high - low) / n * b)),
            "overflow",
        ),
        "round": (
            lambda low, high, a, b, n: (low + round((high - low) * a / n), low + round((high - low) * b / n)),
            "overflow",
        ),
        "width": (lambda low, high, a, b, n: (low + (high - low) * a // n, (high - low) * (b - a) // n), "dependence"),
        "one number": (lambda low, high, a, b, n: low + (high - low) * a // n, "container"),
    },
    "autoregressive.discretised_logistic": {
        "edges at the levels": (lambda k, m, s, n: logistic_of_moved_bins(k, m, s, n), "spread"),
        "half of 256 levels": (lambda k, m, s, n: logistic_of_moved_bins(k, m, s, n, 1 / 255, 1 / 255), "spread"),
        "a distribution's cdf": (logistic_by_distribution, "not-finite"),
        "back to front": (lambda k, m, s, n: logistic_by_log_differences(n - 1 - k, m, s, n), "sign"),
        "a probability": (lambda *inputs: logistic_by_cases(*inputs).exp(), "log-mean"),
        "σ of log_scale": (lambda k, m, s, n: logistic_by_cases(k, m, -s, n), "spread"),
        "summed": (lambda *inputs: logistic_by_cases(*inputs).sum(), "shape"),
    },
    "autoregressive.hidden_bits": {
        "complement": (lambda low, high, n: [1 - bit for bit in bits_by_text(low, high, n)], ""),
        "high itself": (lambda low, high, n: bits_by_text(low, min(high + 1, 2**n), n), "one-to-one"),
        "a string": (lambda low, high, n: "".join(map(str, bits_by_text(low, high, n))), "container"),
        "a number of bits": (lambda low, high, n: len(bits_by_text(low, high, n)), "container"),
        "truth values": (lambda low, high, n: [2] * len(bits_by_text(low, high, n)), "container"),
        "backwards": (lambda low, high, n: bits_by_text(low, high, n)[::-1], "direction"),
    },
    "autoregressive.code_length": {
        "weights of the model": (1.604, "direction"),
        "a sum": (2.415, "one-to-one"),
        "the entropy": (1, "constant"),
        "the model's entropy": (0.811, "direction"),
        "nats": (0.837, "log-mean"),
        "an estimate": (1.23, "spread"),
        "a text": ("1.2075", "container"),
    },
}


def _signs(given):
    """1 for f, −1 for g."""
    return torch.ones_like(given).cumsum(1).le(given.shape[1] // 2).mul(2).sub(1)[:, :, None, None]
