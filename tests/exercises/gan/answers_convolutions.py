"""Answers to the exercises of lesson 05.5, right and wrong."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from gmcourse.exercises.gan.convolutions import ALIKE, TRAINED, conv_matrix, phase_sums, spread
from gmcourse.gan.convolution import checkerboard_share, transposed_size


def matrix_by_loop(kernel, size, stride, padding):
    outputs = (size + 2 * padding - len(kernel)) // stride + 1
    rows = [[0.0] * size for _ in range(outputs)]
    for i in range(outputs):
        for j in range(len(kernel)):
            if 0 <= i * stride + j - padding < size:
                rows[i][i * stride + j - padding] = float(kernel[j])
    return rows


def matrix_by_units(kernel, size, stride, padding):
    return F.conv1d(torch.eye(size)[:, None], kernel[None, None], stride=stride, padding=padding)[:, 0].T


def matrix_by_numpy(kernel, size, stride, padding):
    outputs = (size + 2 * padding - len(kernel)) // stride + 1
    wide = np.zeros((outputs, size + 2 * padding))
    for i in range(outputs):
        wide[i, i * stride : i * stride + len(kernel)] = kernel.numpy()
    return wide[:, padding : padding + size]


def circular(kernel, size, stride, padding):
    starts = range(0, size + 2 * padding - len(kernel) + 1, stride)
    return torch.stack([F.pad(kernel, (0, size - len(kernel))).roll(i - padding) for i in starts])


def one_more(kernel, size, stride, padding):
    """Rounded up: a last row of zeros where the kernel does not reach the end."""
    matrix, left = conv_matrix(kernel, size, stride, padding), (size + 2 * padding - len(kernel)) % stride
    return F.pad(matrix, (0, 0, 0, 1)) if left else matrix


def painted(y, kernel, stride, padding):
    x = [0.0] * ((len(y) - 1) * stride + len(kernel))
    for i in range(len(y)):
        for j in range(len(kernel)):
            x[i * stride + j] += float(y[i] * kernel[j])
    return x[padding : len(x) - padding]


def shifted(y, kernel, stride, padding):
    """A tap at a time, for all inputs at once."""
    x = torch.zeros((len(y) - 1) * stride + len(kernel))
    for j, tap in enumerate(kernel):
        x[j : j + (len(y) - 1) * stride + 1 : stride] += tap * y
    return x[padding : len(x) - padding] if padding else x


def by_fold(y, kernel, stride, padding):
    size = (len(y) - 1) * stride + len(kernel) - 2 * padding
    columns = kernel[:, None] * y
    return F.fold(columns[None], (1, size), (1, len(kernel)), padding=(0, padding), stride=(1, stride)).flatten()


def painted_over(y, kernel, stride, padding):
    x = torch.zeros((len(y) - 1) * stride + len(kernel))
    for i, value in enumerate(y):
        x[i * stride : i * stride + len(kernel)] = value * kernel
    return x[padding : len(x) - padding]


def phases_by_loop(kernel, stride):
    sums = [0.0] * stride
    for j, tap in enumerate(kernel.tolist()):
        sums[j % stride] += tap
    return sums


def dft(images):
    _, _, h, w = images.shape
    rows, columns = (torch.exp(-2j * math.pi * torch.outer(torch.arange(n), torch.arange(n)) / n) for n in (h, w))
    power = (rows @ images.to(rows.dtype) @ columns.T).abs().square().sum((0, 1))
    power[0, 0] = 0
    part = power[h // 2, 0] + power[0, w // 2] + power[h // 2, w // 2]
    return part / power.sum() if power.sum() > 1e-4 else torch.zeros(())


def by_signs(images):
    n, c, h, w = images.shape
    down, across = torch.tensor([1.0, -1.0]).repeat(h // 2)[:, None], torch.tensor([1.0, -1.0]).repeat(w // 2)
    part = sum((images * s).sum((2, 3)).square().sum() / (h * w) for s in (down, across, down * across))
    total = (images - images.mean((2, 3), keepdim=True)).square().sum()
    return (part / total).item() if total > 1e-9 else 0.0


def share(images, mean=False, power=2, places=((0, 1), (1, 0), (1, 1))):
    spectrum = torch.fft.fft2(images).abs().pow(power).sum((0, 1))
    if not mean:
        spectrum[0, 0] = 0
    h, w = spectrum.shape
    return sum(spectrum[h // 2 * a, w // 2 * b] for a, b in places) / spectrum.sum().clamp(min=1e-9)


def unguarded(images):
    spectrum = torch.fft.fft2(images).abs().square().sum((0, 1))
    total = spectrum.sum() - spectrum[0, 0]
    h, w = spectrum.shape
    return (spectrum[h // 2, 0] + spectrum[0, w // 2] + spectrum[h // 2, w // 2]) / total


def centred(images):
    """Less the mean of each picture, in place."""
    images -= images.mean((2, 3), keepdim=True)
    return share(images)


RIGHT = {
    "gan.conv_matrix": {
        "loop, lists": matrix_by_loop,
        "conv1d of torch.eye": matrix_by_units,
        "numpy": matrix_by_numpy,
        "float64": lambda k, n, s, p: conv_matrix(k.double(), n, s, p),
        "roll": lambda k, n, s, p: torch.stack(
            [F.pad(k, (i * s, n + 2 * p - len(k) - i * s))[p : p + n] for i in range((n + 2 * p - len(k)) // s + 1)]
        ),
    },
    "gan.spread": {
        "loop, list": painted,
        "tap by tap": shifted,
        "fold": by_fold,
        "torch": lambda y, k, s, p: F.conv_transpose1d(y[None, None], k[None, None], stride=s, padding=p)[0, 0],
        "float64": lambda y, k, s, p: spread(y.double(), k.double(), s, p),
        "numpy": lambda y, k, s, p: np.array(painted(y, k, s, p)),
    },
    "gan.transposed_size": {
        "formula": lambda n, k, s, p, op: (n - 1) * s + k - 2 * p + op,
        "torch": lambda n, k, s, p, op: F.conv_transpose1d(
            torch.ones(1, 1, n), torch.ones(1, 1, k), stride=s, padding=p, output_padding=op
        ).shape[-1],
        "array": lambda n, k, s, p, op: np.int64(transposed_size(n, k, s, p, op)),
        "tensor": lambda *a: torch.tensor(transposed_size(*a)),
        "float": lambda *a: float(transposed_size(*a)),
    },
    "gan.phase_sums": {
        "loop, list": phases_by_loop,
        "padded rows": lambda k, s: F.pad(k, (0, -len(k) % s)).view(-1, s).sum(0),
        "bincount": lambda k, s: np.bincount(np.arange(len(k)) % s, weights=k.numpy(), minlength=s),
        "index_add": lambda k, s: torch.zeros(s).index_add(0, torch.arange(len(k)) % s, k),
        "float64": lambda k, s: phase_sums(k.double(), s),
    },
    "gan.tap_counts": {
        "another order": (1, 2, 2),
        "list": [2, 1, 2],
        "tensor": torch.tensor([2, 2, 1]),
        "array": np.array([2.0, 2.0, 1.0]),
    },
    "gan.checkerboard_share": {
        "DFT matrices": dft,
        "signs": by_signs,
        "numpy": lambda x: float(checkerboard_share(torch.from_numpy(x.numpy()))),
        "float64": lambda x: share(x.double()),
        "float32": share,
        "shape (1,)": lambda x: share(x)[None],
    },
    "gan.one_batch_or_two": {
        "five seeds": TRAINED | {"one batch": [40.4, 43.1, 39.8, 41.0, 42.2]},
        "tensors": TRAINED | {"one batch": torch.tensor([40.4, 43.1, 39.8])},
        "arrays": TRAINED | {"two batches": np.array([32.9, 33.0, 30.3])},
        "no difference": ALIKE | {"verdict": "no difference seen"},
        "the other way": {
            "one batch": TRAINED["two batches"],
            "two batches": TRAINED["one batch"],
            "verdict": "one batch",
        },
    },
}
WRONG = {
    "gan.conv_matrix": {
        "flipped": (lambda k, n, s, p: conv_matrix(k.flip(0), n, s, p), "direction"),
        "rows from below": (lambda k, n, s, p: conv_matrix(k, n, s, p).flip(0), "direction"),
        "no padding": (lambda k, n, s, p: conv_matrix(k, n, s, 0), "dependence"),
        "one stride": (lambda k, n, s, p: conv_matrix(k, n, 1, p), "shape"),
        "transposed": (lambda k, n, s, p: conv_matrix(k, n, s, p).T, "shape"),
        "absolute taps": (lambda k, n, s, p: conv_matrix(k.abs(), n, s, p), "sign"),
        "mean": (lambda k, n, s, p: conv_matrix(k, n, s, p) / len(k), "reduction"),
        "the wrong side padded": (lambda k, n, s, p: conv_matrix(k, n, s, p).roll(p, 1), ""),
        "circular": (
            circular,
            "",
        ),
        "a row too many": (one_more, "shape"),
        "cut by p:-p": (lambda k, n, s, p: conv_matrix(k, n + 2 * p, s, 0)[:, p:-p], "shape"),
        "in place": (lambda k, n, s, p: conv_matrix(k.div_(2), n, s, p), "mutation"),
    },
    "gan.spread": {
        "painted over": (painted_over, ""),
        "flipped": (lambda y, k, s, p: spread(y, k.flip(0), s, p), "direction"),
        "back to front": (lambda y, k, s, p: spread(y, k, s, p).flip(0), "direction"),
        "not trimmed": (lambda y, k, s, p: spread(y, k, s, 0), "dependence"),
        "trimmed at one end": (lambda y, k, s, p: spread(y, k, s, 0)[2 * p :], ""),
        "mean": (lambda y, k, s, p: spread(y, k, s, p) / len(k), "reduction"),
        "a convolution": (lambda y, k, s, p: F.conv1d(y[None, None], k[None, None], padding=len(k))[0, 0], "shape"),
        "no stride": (lambda y, k, s, p: spread(y, k, 1, p), "shape"),
        "cut by p:-p": (lambda y, k, s, p: spread(y, k, s, 0)[p:-p], "shape"),
        "in place": (lambda y, k, s, p: spread(y.mul_(2), k, s, p) / 2, "mutation"),
    },
    "gan.transposed_size": {
        "padding added": (lambda n, k, s, p, op: (n - 1) * s + 2 * p + k + op, "sign"),
        "padding once": (lambda n, k, s, p, op: (n - 1) * s - p + k + op, ""),
        "n strides": (lambda n, k, s, p, op: n * s - 2 * p + k + op, "reduction"),
        "no output padding": (lambda n, k, s, p, op: (n - 1) * s - 2 * p + k, "constant"),
        "the convolution's": (lambda n, k, s, p, op: (n + 2 * p - k) // s + 1, "direction"),
        "n times s": (lambda n, k, s, p, op: n * s, ""),
        "dilated": (lambda n, k, s, p, op: (n - 1) * s - 2 * p + k - 1 + op, ""),
        "an input too many": (lambda n, k, s, p, op: (n + 1) * s - 2 * p + k + op, ""),
        "kernel and stride exchanged": (lambda n, k, s, p, op: (n - 1) * k - 2 * p + s + op, ""),
        "nothing": (lambda *a: None, "container"),
    },
    "gan.phase_sums": {
        "pieces": (lambda k, s: torch.stack([part.sum() for part in k.tensor_split(s)]), "dependence"),
        "runs of a stride": (lambda k, s: torch.stack([k[a * s : (a + 1) * s].sum() for a in range(s)]), "dependence"),
        "means": (lambda k, s: torch.stack([k[a::s].mean() for a in range(s)]), "spread"),
        "back to front": (lambda k, s: phase_sums(k, s).flip(0), "direction"),
        "from the second tap": (lambda k, s: phase_sums(k, s).roll(-1), "direction"),
        "the kernel flipped": (lambda k, s: phase_sums(k.flip(0), s), "direction"),
        "absolute": (lambda k, s: phase_sums(k.abs(), s), ""),
        "one short": (lambda k, s: phase_sums(k, s)[:-1], "shape"),
        "counts": (lambda k, s: [len(k[a::s]) for a in range(s)], "constant"),
    },
    "gan.tap_counts": {
        "four in all": ((2, 1, 1), "one-to-one"),
        "all at one": ((3, 1, 1), "one-to-one"),
        "nearly the mean": ((1.67, 1.67, 1.66), "constant"),
        "no whole numbers": ((1.5, 1.5, 2.0), ""),
        "NaN": ((2, 2, math.nan), "not-finite"),
        "text": ("2, 2, 1", "container"),
        "two phases": ((3, 2), "shape"),
    },
    "gan.checkerboard_share": {
        "0/0": (unguarded, "not-finite"),
        "amplitudes": (lambda x: share(x, power=1), "spread"),
        "stripes alone": (lambda x: share(x, places=((0, 1), (1, 0))), "dependence"),
        "the mean counted": (lambda x: share(x, mean=True), "constant"),
        "relative to the rest": (lambda x: share(x) / (1 - share(x)).clamp(min=1e-9), "direction"),
        "pictures averaged first": (lambda x: share(x.mean((0, 1), keepdim=True)), ""),
        "the first picture": (lambda x: share(x[:1]), ""),
        "cut to odd": (lambda x: share(x[..., 1:, 1:]), ""),
        "changed in place": (centred, "mutation"),
        "in percent": (lambda x: 100 * share(x), ""),
    },
    "gan.one_batch_or_two": {
        "three NaN": (
            {"one batch": [math.nan] * 3, "two batches": [math.nan] * 3, "verdict": "two batches"},
            "not-finite",
        ),
        "infinity": (TRAINED | {"one batch": [math.inf, 40.0, 41.0]}, "not-finite"),
        "another verdict": (TRAINED | {"verdict": "both"}, ""),
        "two seeds": (TRAINED | {"one batch": [40.4, 43.1]}, "spread"),
        "text for numbers": (TRAINED | {"one batch": ["40", "43", "39"]}, "container"),
        "the larger": (TRAINED | {"verdict": "one batch"}, "sign"),
        "within the spread": (ALIKE | {"verdict": "two batches"}, "constant"),
        "a list": ([TRAINED["one batch"], TRAINED["two batches"], "two batches"], "shape"),
        "no verdict": ({"one batch": [40.4, 43.1, 39.8], "two batches": [32.9, 33.0, 30.3]}, "shape"),
    },
}
