"""Exercises of lesson 05.5, convolutions."""

from functools import partial

import torch
from torch import Tensor

from gmcourse.exercises.drawing import picker
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.gan import convolution as package
from gmcourse.gan.convolution import checkerboard_share, transposed_size
from gmcourse.laws.gan import convolution

TRAINED = {
    "one batch": [40.4, 43.1, 39.8],
    "two batches": [32.9, 33.0, 30.3],
    "verdict": "two batches",
}
"""Fréchet distances of three seeds, as in gmcourse/results/gan/dcgan_ablations.json."""

ALIKE = {"one batch": [32.9, 33.0, 30.3], "two batches": [33.1, 30.9, 32.2]}


def conv_matrix(kernel: Tensor, size: int, stride: int, padding: int) -> Tensor:
    """Row i holds the kernel from column i · stride − padding on, as far as there are columns."""
    return package.conv_matrix(kernel[None, None], (size,), stride, padding)


def spread(y: Tensor, kernel: Tensor, stride: int, padding: int) -> Tensor:
    """Each input lays down one kernel, a stride further on; where they overlap they add; the border is trimmed."""
    x = torch.zeros((len(y) - 1) * stride + len(kernel), dtype=y.dtype)
    for i, value in enumerate(y):
        x[i * stride : i * stride + len(kernel)] += value * kernel
    return x[padding : len(x) - padding]


def phase_sums(kernel: Tensor, stride: int) -> Tensor:
    """Every stride-th tap, from the a-th on, meets in phase a."""
    return torch.stack([kernel[a::stride].sum() for a in range(stride)])


def _gathered(y: Tensor, kernel: Tensor, stride: int, padding: int) -> Tensor:
    """The zeros are put in, and then the kernel is slid over them as a convolution slides it."""
    zeros = torch.zeros((len(y) - 1) * stride + 1, dtype=y.dtype)
    zeros[::stride] = y
    k = len(kernel)
    full = torch.nn.functional.conv1d(zeros[None, None], kernel.to(y)[None, None], padding=k - 1)[0, 0]
    return full[padding : len(full) - padding]


def _share(images: Tensor, places: tuple[tuple[int, int], ...], power: int = 2, mean: bool = False) -> float:
    spectrum = torch.fft.fft2(images.double()).abs().pow(power).sum((0, 1))
    if not mean:
        spectrum[0, 0] = 0
    h, w = spectrum.shape
    part = sum(spectrum[h // 2 * a, w // 2 * b] for a, b in places)
    return (part / spectrum.sum().clamp(min=1e-12)).item()


_ALL = ((0, 1), (1, 0), (1, 1))


def taps_of_another_kernel(seed: int) -> Variant:
    """The taps in each phase for another kernel and stride, which does not divide it."""
    kernel, stride = picker(seed)([(k, s) for s in (3, 4, 5, 6, 7) for k in range(s + 2, 4 * s) if k % s and k != 5])
    counts = tuple(kernel // stride + (phase < kernel % stride) for phase in range(stride))
    uneven = (*(1 for _ in range(stride - 1)), kernel - stride + 1)
    wrong = ((kernel,) * stride, "reduction"), ((kernel / stride,) * stride, "constant"), ((1,) * stride, "spread")
    return Variant(
        f"{kernel} taps, stride {stride}. How many taps of a transposed convolution meet in each of the {stride} "
        f"phases? Give {stride} numbers, in any order.",
        laws=(partial(convolution.counts_are_torchs, kernel=kernel, stride=stride),),
        reference=counts,
        wrong=(*wrong, (uneven, "one-to-one"), ((2, 1), "shape")),
        hints=(
            f"Number the taps 0 to {kernel - 1} and write each under its remainder when divided by {stride}.",
            f"Remainder 0 has the taps 0, {stride} and so on: {counts[0]} of them. And the others?",
        ),
        causes={
            "reduction": f"Every footprint has {kernel} taps, but do all of them land on one output?",
            "constant": f"That is right on average. Can an output be reached by {kernel}/{stride} of a tap?",
            "spread": f"Footprints of width {kernel} that start {stride} apart: do they never overlap?",
            "one-to-one": f"Every tap has one phase, so that the counts add up to {kernel}; "
            "and no two differ by more than one.",
            "shape": f"How many phases has a stride of {stride}?",
        },
    )


EXERCISES = (
    Exercise(
        id="gan.conv_matrix",
        stub='''def conv_matrix(kernel, size, stride, padding):
    """The matrix of conv1d for inputs of this size: (k,) → (outputs, size)."""
    raise NotImplementedError''',
        points=2,
        laws=(convolution.matrix_is_convolution,),
        reference=conv_matrix,
        hints=(
            "A row is one output: the kernel as it stands, everything else 0. The next row starts a stride later.",
            "Write the rows over size + 2 · padding columns, then cut the first and the last `padding` columns off.",
        ),
        wrong=(
            (lambda kernel, n, s, p: conv_matrix(kernel.flip(0), n, s, p), "direction"),
            (lambda kernel, n, s, p: conv_matrix(kernel, n, s, p).T, "shape"),
            (lambda kernel, n, s, p: conv_matrix(kernel, n, s, 0), "dependence"),
            (lambda kernel, n, s, p: conv_matrix(kernel, n, 1, p), "shape"),
        ),
        causes={
            "direction": "Something is back to front, and torch does not flip its kernel. Try the kernel (1, 2, 3): in "
            "which order do its taps stand in the first row, and where does the second row begin?",
            "sign": "A tap may be negative, and so may its entry in the matrix. Where is the sign lost?",
            "reduction": "A convolution adds up its products. Did you take their mean?",
            "dependence": "Padding lets the first output see places before the input. How many outputs are there?",
            "shape": "A row is an output, a column an input. How many of each? (x[:, p:-p] is empty where p is 0.)",
        },
    ),
    Exercise(
        id="gan.spread",
        stub='''def spread(y, kernel, stride, padding):
    """The transposed convolution of y, (n,), without any matrix: each input paints."""
    raise NotImplementedError''',
        points=3,
        laws=(convolution.is_adjoint,),
        reference=spread,
        hints=(
            "A column of the transpose is a row of C: input i lays down y[i] times the whole kernel.",
            "Add y[i] · kernel to places i · stride to i · stride + k; then trim `padding` places at both ends.",
        ),
        wrong=(
            (_gathered, "direction"),
            (lambda y, kernel, s, p: spread(y, kernel, s, 0), "dependence"),
            (lambda y, kernel, s, p: spread(y, kernel, 1, p), "shape"),
            (lambda y, kernel, s, p: spread(y, kernel, s, p) / len(kernel), "reduction"),
        ),
        causes={
            "direction": "Something is back to front. Let one input be 1: in which order does it lay down the taps?",
            "dependence": "The padding is still there. A convolution adds it first; what becomes of it here?",
            "reduction": "Where footprints overlap they add. Did you average?",
            "shape": "How many places do all footprints cover, and how many are trimmed? (x[p:-p] is empty for p = 0.)",
        },
    ),
    Exercise(
        id="gan.transposed_size",
        stub='''def transposed_size(size, kernel, stride, padding, output_padding):
    """How many outputs a transposed convolution has along one axis."""
    raise NotImplementedError''',
        points=1,
        laws=(convolution.sizes_are_torchs,),
        reference=transposed_size,
        hints=(
            "Lay down one footprint; each further input adds a stride. Then trim, and then add what was asked for.",
            "n inputs cover (n − 1) · stride + kernel places.",
        ),
        wrong=(
            (lambda n, k, s, p, op: (n + 2 * p - k) // s + 1, "direction"),
            (lambda n, k, s, p, op: (n - 1) * s + 2 * p + k + op, "sign"),
            (lambda n, k, s, p, op: (n - 1) * s - 2 * p + k, "constant"),
            (lambda n, k, s, p, op: n * s - 2 * p + k + op, "reduction"),
        ),
        causes={
            "direction": "That is the convolution's own formula. Which of its sides is the input here?",
            "sign": "A convolution pads its input. What does the same number do to the output of its transpose?",
            "constant": "With a stride, several sizes shrink to one. Which argument says which of them to return to?",
            "reduction": "How many steps lie between the first footprint and the last?",
        },
    ),
    Exercise(
        id="gan.phase_sums",
        stub='''def phase_sums(kernel, stride):
    """The sum of the taps that meet in each phase, (k,) → (stride,)."""
    raise NotImplementedError''',
        points=2,
        laws=(convolution.phases_are_sums,),
        reference=phase_sums,
        hints=(
            "Two taps of neighbouring footprints meet at one place when they stand a stride apart in the kernel.",
            "Phase a collects the taps a, a + stride, a + 2 · stride, …",
        ),
        wrong=(
            (lambda kernel, s: torch.tensor([float(len(kernel[a::s])) for a in range(s)]), "constant"),
            (lambda kernel, s: torch.stack([kernel[a::s].mean() for a in range(s)]), "spread"),
            (lambda kernel, s: torch.stack([part.sum() for part in kernel.tensor_split(s)]), "dependence"),
            (lambda kernel, s: kernel.sum(), "shape"),
        ),
        causes={
            "constant": "You counted the taps. Do equal counts give equal outputs when the taps differ?",
            "spread": "That is a mean. Do overlapping footprints average, or add?",
            "dependence": "Your phases are pieces of the kernel. Which taps land on the same output?",
            "direction": "Right sums in another order. The first entry is the phase of the first tap. Is it in yours?",
            "shape": "One number a phase is asked for. How many phases has a stride of s?",
        },
    ),
    Exercise(
        id="gan.tap_counts",
        stub="tap_counts = ...",
        points=1,
        laws=(partial(convolution.counts_are_torchs, kernel=5, stride=3),),
        reference=(2, 2, 1),
        hints=(
            "Number the five taps 0 to 4 and write each under its remainder when divided by 3.",
            "Remainder 0 has the taps 0 and 3, remainder 1 the taps 1 and 4. What is left for remainder 2?",
        ),
        wrong=(
            ((5, 5, 5), "reduction"),
            ((5 / 3, 5 / 3, 5 / 3), "constant"),
            ((1, 1, 1), "spread"),
            ((1, 1, 3), "one-to-one"),
            ((2, 1), "shape"),
        ),
        causes={
            "reduction": "Every footprint has five taps, but do all five land on one output?",
            "constant": "That is right on average. Can an output be reached by five thirds of a tap?",
            "spread": "Footprints of width 5 that start 3 apart: do they never overlap?",
            "one-to-one": "Every tap belongs to one phase, so that the counts add up to five; and "
            "no two differ by more than one.",
            "shape": "How many phases has a stride of 3?",
        },
        variant=taps_of_another_kernel,
    ),
    Exercise(
        id="gan.checkerboard_share",
        stub='''def checkerboard_share(images):
    """The share of the power at (π, 0), (0, π) and (π, π), means left out.

    images is (n, C, H, W), H and W even; add up the power of all images and channels,
    then divide. Without any contrast the share is 0.
    """
    raise NotImplementedError''',
        points=3,
        laws=(convolution.share_is_alternating_power,),
        reference=checkerboard_share,
        hints=(
            "torch.fft.fft2 works on the last two axes; power is the squared absolute value; entry 0, 0 is the mean.",
            "The frequency π stands at index H/2 or W/2: add the entries (H/2, 0), (0, W/2), (H/2, W/2).",
        ),
        wrong=(
            (lambda images: _share(images, _ALL, mean=True), "constant"),
            (lambda images: _share(images, ((1, 1),)), "dependence"),
            (lambda images: _share(images[..., :-1, :-1], _ALL), "shape"),
            (
                lambda images: (
                    torch.tensor([checkerboard_share(x[None, None]) for x in images.flatten(0, 1)]).mean().item()
                ),
                "log-mean",
            ),
        ),
        causes={
            "constant": "Brightness is still in your total. What should the share of an image without contrast be?",
            "dependence": "Which frequencies alternate? Stripes alternate down or across, a board does both.",
            "shape": "An odd side has no frequency π: where it is cut, the phases mix. Was something cropped?",
            "log-mean": "You averaged the shares. Which comes first, the sum over images or the ratio?",
            "spread": "Power is the squared absolute value. Do you add up squares?",
            "direction": "Share of what? The three frequencies are part of the total, too.",
            "not-finite": "An image without contrast gave 0/0. What was to be the share then?",
        },
    ),
    Exercise(
        id="gan.one_batch_or_two",
        stub="one_batch_or_two = ...",
        points=3,
        laws=(partial(convolution.verdict_follows_from_seeds, names=("one batch", "two batches")),),
        reference=TRAINED,
        hints=(
            "Train each of the two from three seeds at least, and compare the difference of the means with its error.",
            "The squared error of a difference of means is the sum of the variances, each over its number of seeds.",
        ),
        wrong=(
            ({"one batch": [40.4], "two batches": [32.9], "verdict": "two batches"}, "spread"),
            (TRAINED | {"verdict": "no difference seen"}, "dependence"),
            (TRAINED | {"verdict": "one batch"}, "sign"),
            (ALIKE | {"verdict": "one batch"}, "constant"),
            ({"one batch": [40.4] * 3, "two batches": [32.9] * 3, "verdict": "two batches"}, "randomness"),
        ),
        causes={
            "spread": "One seed says how that seed fared. Show the spread: at least three seeds of each, better five.",
            "constant": "The difference is within the spread of the seeds. What else could have made it? And what can "
            "a joint batch leak from one half to the other?",
            "dependence": "Your own numbers differ by more than their error. Which statistics normalise whom?",
            "sign": "A smaller Fréchet distance is a better one. Which of the two is it?",
            "not-finite": "One of the values is no finite number. Did a run fail, and is it to be counted?",
            "shape": "A dictionary with the keys 'one batch', 'two batches' and 'verdict' is asked for. What is yours?",
            "randomness": "Different seeds gave the very same distance. Was anything else than the first run measured?",
        },
    ),
)
