"""The ten questions of the self-test of lesson 1.0: a number each, and what a known wrong number asks in return."""

import math
from dataclasses import dataclass

_MONTE_CARLO = ("Monte Carlo and its error", "monte-carlo-and-its-error")
_LOG_SUM_EXP = ("Log-sum-exp", "log-sum-exp")
_KL = ("KL and Jensen", "kl-and-jensen")
_CONDITIONING = ("Gaussian conditioning", "gaussian-conditioning")
_JACOBIAN = ("Jacobian and determinant", "jacobian-and-determinant")
_PRODUCTS = ("Vector–Jacobian products", "vectorjacobian-products")
_UNITS = ("Nats and bits", "nats-and-bits")


@dataclass(frozen=True)
class Question:
    """A question in plain words with one number as its answer, right within `tolerance`.

    In `text` a ~ is a space at which no line is broken.
    `wanted` is how the number is to be written, unit and digits; `wrong` holds numbers that a known mistake gives, each
    with a question back; `section` is the title and the anchor of what to read. Raises ValueError for a tolerance that
    is not positive and for a wrong number that would be right.
    """

    text: str
    answer: float
    tolerance: float
    wanted: str
    wrong: tuple[tuple[float, str], ...]
    section: tuple[str, str]

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise ValueError(f"tolerance: got {self.tolerance}, expected a positive number")
        for value, _ in self.wrong:
            if abs(value - self.answer) <= self.tolerance:
                raise ValueError(f"wrong: got {value}, expected no number within {self.tolerance} of {self.answer}")
        object.__setattr__(self, "text", self.text.replace("~", "\N{NO-BREAK SPACE}"))


QUESTIONS = (
    Question(
        "You average 100 independent draws. Their standard deviation is 1.4. "
        "How many draws do you need in all, so that the standard error of the mean is 0.07?",
        *(400, 0.5, "a whole number"),
        (
            (200, "When the number of draws doubles, is the error halved?"),
            (20, "Is the standard deviation divided by n, or by something that grows more slowly?"),
            (141, "How does the error change when there are √2 times as many draws?"),
            (300, "Did you count the first 100 draws?"),
        ),
        _MONTE_CARLO,
    ),
    Question(
        "What is ln(exp(−1000)~+~exp(−1000))?",
        *(-999.307, 0.01, "three decimals"),
        (
            (
                -math.inf,
                "Is exp(−1000) zero, or too small for the computer? What can you take out of the sum first?",
            ),
            (-2000, "Is that the logarithm of a sum, or of a product?"),
            (-1000, "The sum is larger than one of its terms. By which factor?"),
            (0.693, "Which term did you take out of the sum, and did you put it back?"),
            (-1000.693, "Can the sum of two equal terms be smaller than one of them?"),
        ),
        _LOG_SUM_EXP,
    ),
    Question(
        "The coin p is fair: (½,~½). The coin q has the probabilities (0.9,~0.1). What is KL(p‖q)?",
        *(0.5108, 0.005, "in nats, three digits"),
        (
            (0.3681, "Under which of the two coins is the mean taken?"),
            (0.737, "Which logarithm did you take?"),
            (0.2218, "Which logarithm did you take?"),
            (-0.5108, "Can a KL divergence be negative?"),
            (1.204, "Is that the cross-entropy? What must be subtracted from it?"),
        ),
        _KL,
    ),
    Question(
        "The number w is 1 or 3, each with probability ½. What is ln~E[w]~−~E[ln~w]?",
        *(0.1438, 0.004, "in nats, three digits"),
        (
            (-0.1438, "Which is larger, the logarithm of the mean or the mean of the logarithms?"),
            (0, "Is the logarithm of a mean the same as the mean of the logarithms?"),
            (0.125, "Is that the exact difference, or the first term of a series?"),
            (0.6931, "Is that ln E[w] alone?"),
            (0.5493, "Is that E[ln w] alone?"),
            (0.2075, "Which logarithm did you take?"),
        ),
        _KL,
    ),
    Question(
        "x₁ and x₂ are jointly Gaussian, with the means 0 and 0, the variances 4 and 1, and the covariance 1.2. "
        "You observe x₂~=~2. What is the variance of x₁ now?",
        *(2.56, 0.01, "two decimals"),
        (
            (4, "Did you learn anything from x₂?"),
            (1.6, "Is that a variance, or a standard deviation?"),
            (2.4, "Is that the variance of x₁, or its mean?"),
            (0.64, "Is that the variance of x₁, or of x₂?"),
            (3.64, "Which variance did you divide by: that of x₁, or that of x₂?"),
            (2.8, "If x₁ were in metres and x₂ in seconds, which unit would the covariance have?"),
            (5.44, "Do you know less about x₁ after you have seen x₂?"),
            (0.39, "Is that a variance, or a precision?"),
        ),
        _CONDITIONING,
    ),
    Question(
        "x has three coordinates, and z~=~2x. What is ln~p(x)~−~ln~p(z), the log-density of x at a point "
        "minus the log-density of z at the point that it goes to?",
        *(2.079, 0.03, "in nats, three digits"),
        (
            (0.693, "How many axes are stretched?"),
            (-2.079, "Which of the two is packed into the smaller volume, x or z?"),
            (-0.693, "How many axes are stretched, and which of the two fills the smaller volume?"),
            (8, "Is that the determinant, or its logarithm?"),
            (3, "Which logarithm did you take?"),
            (0, "Does a density stay the same when the space is stretched?"),
        ),
        _JACOBIAN,
    ),
    Question(
        "u is uniform between 0 and 1. What is the density of x~=~u² at x~=~1/16?",
        *(2, 0.01, "a number"),
        (
            (0.5, "Is that the slope of x in u, or of u in x?"),
            (1, "Are the values of x spread as evenly as those of u?"),
            (0.25, "Is that a density, or a probability?"),
            (4, "What is the derivative of √x?"),
            (8, "At which value did you take the slope: at u, or at x?"),
        ),
        _JACOBIAN,
    ),
    Question(
        "f(x,~y)~=~(x²y,~5x~+~sin~y) has the Jacobian~J. At (x,~y)~=~(1,~2), one backward pass with v~=~(1,~1) "
        "gives~vᵀJ. What is the first of its two numbers?",
        *(9, 0.01, "a number"),
        (
            (5, "Over which index is summed: that of the outputs, or that of the inputs?"),
            (4.5839, "Over which index is summed: that of the outputs, or that of the inputs?"),
            (4, "How many of the two outputs depend on x?"),
            (0.5839, "Is that the first number, or the second?"),
        ),
        _PRODUCTS,
    ),
    Question(
        "y~=~x³. A first backward pass gives the slope s~=~∂y/∂x. A second one differentiates s². "
        "What is ∂(s²)/∂x at x~=~3?",
        *(972, 0.5, "a whole number"),
        (
            (0, "Does s depend on x? In PyTorch: did the first pass keep its graph?"),
            (729, "Is that s², or its derivative?"),
            (54, "Is that the derivative of s² in s? How does s itself depend on x?"),
            (27, "Is that s itself?"),
            (486, "What is the derivative of a square?"),
            (1458, "What is squared: y, or its slope?"),
        ),
        _PRODUCTS,
    ),
    Question(
        "A model needs 88.33 nats for a picture of 28~×~28 pixels. How many bits per pixel is that?",
        *(0.1625, 0.003, "three digits"),
        (
            (0.1127, "Is that in bits, or still in nats?"),
            (127.43, "Is that for one pixel, or for the picture?"),
            (0.0781, "Which is the larger unit, a nat or a bit?"),
            (4.551, "How many pixels does the picture have?"),
        ),
        _UNITS,
    ),
)
