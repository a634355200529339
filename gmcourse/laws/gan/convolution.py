"""Laws of convolution and its transpose: the matrix, the adjoint, the sizes, and the checkerboards."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, as_tensor, require_close, require_shape
from gmcourse.laws.rows import further, within

CASES = ((5, 3, 1, 0), (6, 3, 1, 1), (8, 4, 2, 1), (7, 3, 2, 0), (10, 5, 3, 2))
"""(size, kernel, stride, padding): every input is reached, so that the transpose gives the size back."""


def _kernel(k: int, rng: torch.Generator) -> Tensor:
    """Taps that grow from left to right, the second of them negative."""
    taps = torch.rand(k, generator=rng) + torch.arange(1, k + 1)
    taps[1] *= -1
    return taps


def matrix_is_convolution(candidate: Callable[[Tensor, int, int, int], Tensor], *, seed: int = 0) -> None:
    """candidate(kernel, size, stride, padding) is the matrix of torch's conv1d: a column is what a unit vector becomes.

    `kernel` is (k,), the result (outputs, size).
    """
    rng = torch.Generator().manual_seed(seed)
    for size, k, stride, padding in (*CASES, (8, 3, 2, 0)):  # the last kernel does not reach the last input
        kernel = _kernel(k, rng)

        def columns(taps: Tensor, stride: int = stride, padding: int = padding, size: int = size) -> Tensor:
            units = torch.eye(size, dtype=torch.float64)[:, None]
            return F.conv1d(units, taps.double()[None, None], stride=stride, padding=padding)[:, 0].T

        expected = columns(kernel)
        law = f"a row an output, a column an input: size {size}, kernel {k}, stride {stride}, padding {padding}"
        output = ask(candidate, kernel=kernel, size=size, stride=stride, padding=padding)
        observed = as_tensor(output)
        if observed is not None and padding and observed.shape == columns(kernel, padding=0).shape:
            raise LawBroken(law, f"{len(observed)} rows", f"{len(expected)} rows", "dependence")
        observed = require_shape(law, output, tuple(expected.shape)).double()
        suspects = {
            "direction": (columns(kernel.flip(0)), expected.flip(0), expected.flip(1)),
            "reduction": columns(kernel / k),
            "sign": expected.abs(),
        }
        law = f"C @ x = conv1d(x), size {size}, kernel {k}, stride {stride}, padding {padding}"
        require_close(law, observed, expected, 1e-4, suspects, given={"kernel": kernel})


def is_adjoint(candidate: Callable[[Tensor, Tensor, int, int], Tensor], *, seed: int = 0) -> None:
    """⟨conv1d(x), y⟩ = ⟨x, candidate(y, kernel, stride, padding)⟩ for each unit vector x, (size,), and random y.

    The oracle is torch's convolution alone: no transpose of it is computed.
    """
    rng = torch.Generator().manual_seed(seed)
    for size, k, stride, padding in CASES:
        kernel, x = _kernel(k, rng), torch.eye(size, dtype=torch.float64)

        def conv(taps: Tensor, stride: int = stride, padding: int = padding, x: Tensor = x) -> Tensor:
            return F.conv1d(x[:, None], taps.double()[None, None], stride=stride, padding=padding)[:, 0]

        y = torch.randn(conv(kernel).shape[1], generator=rng)
        law = f"as many outputs as the convolution has inputs: kernel {k}, stride {stride}, padding {padding}"
        output = ask(candidate, y=y, kernel=kernel, stride=stride, padding=padding)
        back = as_tensor(output)
        if back is not None and padding and back.shape == (size + 2 * padding,):
            raise LawBroken(law, f"{len(back)} outputs", f"{size} outputs", "dependence")
        back = require_shape(law, output, (size,)).double()
        expected, flipped = conv(kernel) @ y.double(), conv(kernel.flip(0)) @ y.double()
        known = (flipped, expected.flip(0), conv(kernel) @ y.double().flip(0))
        suspects = {"direction": known, "reduction": expected / k}
        law = f"⟨conv(x), y⟩ = ⟨x, yours(y)⟩, kernel {k}, stride {stride}, padding {padding}"
        require_close(law, x @ back, expected, within(expected), suspects, given={"x": x})


def sizes_are_torchs(candidate: Callable[[int, int, int, int, int], int], *, seed: int = 0) -> None:
    """candidate(size, kernel, stride, padding, output_padding) is the length that torch's conv_transpose1d gives."""
    fixed = (6, 8, 3, 2, 2), (4, 4, 2, 1, 0), (4, 3, 2, 1, 1), (7, 5, 3, 2, 2), (1, 7, 1, 0, 0)
    more = further(seed, lambda rng: (rng.randint(3, 9), rng.randint(4, 9), rng.choice((3, 4)), rng.choice((1, 2)), 2))
    for n, k, s, p, op in (*fixed, *more):
        y, kernel = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
        expected = F.conv_transpose1d(y, kernel, stride=s, padding=p, output_padding=op).shape[2]
        law = f"{n} inputs, kernel {k}, stride {s}, padding {p}, output padding {op}"
        observed = require_shape(law, candidate(n, k, s, p, op), ()).double()
        suspects = {
            "direction": float((n + 2 * p - k) // s + 1),
            "sign": float((n - 1) * s + 2 * p + k + op),
            "constant": float((n - 1) * s - 2 * p + k),
            "reduction": float(n * s - 2 * p + k + op),
        }
        require_close(law, observed, torch.tensor(float(expected)), 1e-9, suspects)


def phases_are_sums(candidate: Callable[[Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(kernel, stride), (k,) → (stride,), is the transposed convolution of ones, away from the border.

    Entry a is the output at the places that leave the remainder a when divided by the stride.
    """
    rng = torch.Generator().manual_seed(seed)
    for k, stride in ((4, 2), (3, 2), (5, 3), (6, 3)):
        kernel = _kernel(k, rng)
        ones, taps = torch.ones(1, 1, 12, dtype=torch.float64), kernel.double()
        inside = F.conv_transpose1d(ones, taps[None, None], stride=stride)[0, 0, 4 * stride : 5 * stride]
        law = f"one sum for each phase, kernel {k}, stride {stride}"
        observed = require_shape(law, ask(candidate, kernel=kernel, stride=stride), (stride,)).double()
        counts = torch.tensor([float(len(range(a, k, stride))) for a in range(stride)], dtype=torch.float64)
        pieces = torch.stack([part.sum() for part in taps.tensor_split(stride)])
        runs = torch.stack([taps[a * stride : (a + 1) * stride].sum() for a in range(stride)])
        suspects = {
            "constant": counts,
            "spread": (inside / counts, inside / k),
            "dependence": (pieces, runs),
            "direction": (inside.flip(0), inside.roll(1), inside.roll(-1)),
        }
        law = f"the output on ones, kernel {k}, stride {stride}"
        require_close(law, observed, inside, 1e-4, suspects)


def share_is_alternating_power(candidate: Callable[[Tensor], float], *, seed: int = 0) -> None:
    """candidate(images), (n, C, H, W) with even sides, is the checkerboard's share of the power, means left out.

    The oracle knows no Fourier transform: the three patterns are inner products with signs, and by Parseval all the
    power but the mean's is the sum of squared deviations.
    """
    for name, images in _pictures(seed).items():
        images = images.float()
        three, power, mean = _powers(images)
        share = three.sum() / power.sum() if power.sum() > 1e-12 else torch.zeros(())
        observed = require_shape(f"one share: {name}", ask(candidate, images=images), ()).double()
        means = [
            (three.sum(0) / power.clamp(min=1e-12)).mean(),
            (three.sum((0, 2)) / power.sum(1).clamp(min=1e-12)).mean(),
        ]
        parts = three.flatten(1).sum(1) / power.sum()
        suspects = {
            "constant": three.sum() / (power + mean).sum(),
            "dependence": (*parts, parts[0] + parts[1], parts[0] + parts[2], parts[1] + parts[2]),
            "spread": _of_amplitudes(images),
            "log-mean": means,
            "shape": _cropped(images),
            "direction": share / (1 - share),
        }
        law = f"power at (π, 0), (0, π), (π, π) over all but the mean's: {name}"
        require_close(law, observed, share, 1e-5, suspects)


def _pictures(seed: int) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    stripes = _signs(8, 8)[0].expand(2, 1, 8, 8)
    taps = torch.tensor([1.0, 2.0]).repeat(4)
    textures = torch.rand(5, 2, 8, 6, generator=rng)
    textures = 0.5 + textures * torch.tensor([0.1, 0.2, 0.3, 0.4, 3.0]).view(5, 1, 1, 1)
    flat = torch.full((2, 1, 4, 4), 0.5)
    return {
        "noise of several contrasts": textures,
        "one flat image among two": torch.cat([flat[:1], _signs(4, 4)[2].view(1, 1, 4, 4) + flat[1:]]),
        "two flat images": flat,
        "stripes": 0.5 + 0.5 * stripes,
        "the values 1, 2, 2, 4": (taps[:, None] * taps).view(1, 1, 8, 8),
    }


def _signs(height: int, width: int) -> Tensor:
    """The patterns that alternate down, across, and both ways, (3, H, W)."""
    down = (1.0 - 2.0 * (torch.arange(height) % 2)).double()[:, None].expand(height, width)
    across = (1.0 - 2.0 * (torch.arange(width) % 2)).double().expand(height, width)
    return torch.stack([down, across, down * across])


def _powers(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each channel: the power of the three patterns, (3, n, C), of all but the mean, and of the mean, (n, C)."""
    images = images.double()
    height, width = images.shape[-2:]
    three = torch.einsum("nchw,phw->pnc", images, _signs(height, width)).square() / (height * width)
    mean = images.mean((-2, -1))
    power = (images - mean[..., None, None]).square().sum((-2, -1))
    return three, power, height * width * mean.square()


def _of_amplitudes(images: Tensor) -> Tensor:
    """The share where nothing is squared."""
    size = torch.fft.fft2(images.double()).abs().sum((0, 1))
    height, width = size.shape
    three = size[height // 2, 0] + size[0, width // 2] + size[height // 2, width // 2]
    return three / (size.sum() - size[0, 0]).clamp(min=1e-12)


def _cropped(images: Tensor) -> Tensor:
    """What half the side stands for where the last row and column are cut off: no frequency π."""
    power = torch.fft.fft2(images[..., :-1, :-1].double()).abs().square().sum((0, 1))
    height, width = power.shape
    three = power[height // 2, 0] + power[0, width // 2] + power[height // 2, width // 2]
    return three / (power.sum() - power[0, 0]).clamp(min=1e-12)


def counts_are_torchs(answer: Sequence[int], *, kernel: int, stride: int) -> None:
    """`answer` is the numbers of taps that meet in the phases of a transposed convolution, in any order."""
    ones = F.conv_transpose1d(torch.ones(1, 1, 9), torch.ones(1, 1, kernel), stride=stride)[0, 0]
    expected = sorted(int(v) for v in ones[4 * stride : 5 * stride])
    law = f"taps in each phase, kernel {kernel}, stride {stride}"
    observed = sorted(require_shape(law, answer, (stride,)).double().tolist())
    if all(math.isclose(*pair, abs_tol=1e-6) for pair in zip(observed, expected, strict=True)):
        return
    suspects = {"reduction": [kernel] * stride, "constant": [kernel / stride] * stride, "spread": [1] * stride}
    close = (
        c for c, v in suspects.items() if all(math.isclose(*p, abs_tol=0.01) for p in zip(observed, v, strict=True))
    )
    uneven = abs(sum(observed) - kernel) > 0.01 or observed[-1] - observed[0] > 1.01
    raise LawBroken(law, f"{observed}", "another set of counts", next(close, "one-to-one" if uneven else ""))


def verdict_follows_from_seeds(answer: Mapping[str, object], *, names: tuple[str, str] = ("one", "two")) -> None:
    """answer = {name: values, name: values, "verdict": text}: the verdict is what the spread over seeds allows.

    A difference of the two means is seen where it exceeds twice its standard error; the verdict names the setting with
    the lower mean, or is "no difference seen". At least 3 seeds each.
    """
    law = "the verdict is what the seeds allow"
    if not isinstance(answer, Mapping) or not {*names, "verdict"} <= set(answer):
        raise LawBroken(law, f"{answer}"[:60], f"a dictionary with {', '.join(names)} and verdict", "shape")
    first, second = (_distances(law, name, answer[name]) for name in names)
    fewest = min(len(first), len(second))
    if fewest < 3:
        raise LawBroken(law, f"{fewest} seeds", "at least 3 of each", "spread")
    if len(first.unique()) < len(first) or len(second.unique()) < len(second):
        raise LawBroken(law, "equal distances for different seeds", "one run for each seed", "randomness")
    known = (*names, "no difference seen")
    if not isinstance(answer["verdict"], str) or answer["verdict"] not in known:
        raise LawBroken(law, f"the verdict {answer['verdict']!r:.60}", " or ".join(map(repr, known)))
    error = math.sqrt(first.var().item() / len(first) + second.var().item() / len(second))
    difference = (first.mean() - second.mean()).item()
    supported = "no difference seen" if abs(difference) <= 2 * error else names[0] if difference < 0 else names[1]
    if answer["verdict"] != supported:
        unsure = supported == "no difference seen"
        cause = "constant" if unsure else "dependence" if answer["verdict"] == "no difference seen" else "sign"
        seen = f"{answer['verdict']!r}, with a difference of {difference:.3g} and a standard error of {error:.2g}"
        raise LawBroken(law, seen, "another verdict", cause)


def _distances(law: str, name: str, values: object) -> Tensor:
    tensor = as_tensor(values)
    if tensor is None or tensor.dtype == torch.bool or tensor.is_complex():
        raise LawBroken(law, f"a {type(values).__name__} under {name!r}", "a list of distances", "container")
    if not tensor.isfinite().all():
        raise LawBroken(law, f"{name!r} holds a value that is no number", "finite values", "not-finite")
    if (tensor < 0).any():
        raise LawBroken(law, f"{name!r} holds a value below 0", "distances")
    return tensor.detach().double().flatten()
