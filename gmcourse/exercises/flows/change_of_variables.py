"""Exercises of lesson 06.1, the change of variables."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import LogNormal

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.flows.planar import constrain_u, planar_inverse, planar_log_det, planar_root
from gmcourse.laws.broken import require_value
from gmcourse.laws.flows import change_of_variables as law
from gmcourse.probability import gaussian_log_prob


def affine_log_prob(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """ln N((x − b)/a; 0, I) − Σ ln|a|."""
    return gaussian_log_prob((x - b) / a, 0.0, 0.0) - a.abs().log().sum()


def likeliest_value(answer: float) -> None:
    """The x at which the density of x = e^{2z}, z ~ N(0, 1), is largest: e^{−4}, found on a grid of 1 % steps."""
    grid = torch.linspace(-9, 3, 1201, dtype=torch.float64).exp()
    best = grid[LogNormal(0.0, 2.0).log_prob(grid).argmax()].item()
    known = {"direction": 1.0, "spread": math.exp(-1), "log-mean": math.exp(2), "one-to-one": (-4.0, -2.0)}
    require_value("the density of x is largest there", answer, best, 0.05 * best, known)


def mass_of_the_slip(answer: float) -> None:
    """The mass of Π_i p(x_i) e^{−Σ_j ln 2}, three coordinates, each charged with the whole log-det: 2^{3 − 9}."""
    axis = torch.linspace(-20, 20, 4001, dtype=torch.float64)
    width = (axis[1] - axis[0]).item()
    one = (gaussian_log_prob(axis[:, None] / 2, 0.0, 0.0) - 3 * math.log(2)).exp().sum().item() * width
    known = {"constant": 1.0, "reduction": (1 / 4, 1 / 8, 1 / 16, 1 / 512), "sign": (4.0, 8.0, 64.0, 512.0)}
    require_value("∫ of the slip's density dx", answer, one**3, 0.02 * one**3, known)


def _by_fixed_point(z, u, v, b):
    x = z
    for _ in range(200):
        x = z - torch.outer(torch.tanh(x @ v + b), u)
    return x


def _in_a_narrow_bracket(z, u, v, b):
    height, slope = z @ v, v @ u
    low, high = height - 1, height + 1
    for _ in range(60):
        middle = (low + high) / 2
        below = middle + slope * torch.tanh(middle + b) < height
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return z - torch.outer(torch.tanh(low + b), u)


def _without_square(u, v):
    return u + (F.softplus(v @ u) - 1 - v @ u) * v


def likeliest_elsewhere(seed: int) -> Variant:
    """ln p(x) of x = e^{kz}, z ~ N(m, 1), is largest at ln x = km − k²."""
    return first_sound(seed, _likeliest, lesson=math.exp(-4))


def _likeliest(pick: Pick) -> Variant:
    k, mean = pick((0.6, 0.8, 1.2, 1.4, 1.5)), pick((-1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0))
    best = math.exp(k * mean - k**2)
    known = {
        "direction": math.exp(k * mean),
        "spread": math.exp(mean - 1),
        "log-mean": math.exp(k * mean + k**2 / 2),
        "one-to-one": (k * mean - k**2, mean - k),
    }
    return Variant(
        rf"Now $x = e^{{{k:g}z}}$, with $z \sim \mathcal{{N}}({mean:g}, 1)$. At which $x$ is the density largest, to "
        rf"within "
        "2 %? Decide with pencil and paper; then find it on a grid.",
        laws=(value_law("the density of x is largest there", best, 0.025 * best, known),),
        reference=best,
        wrong=((known["direction"], "direction"), (known["spread"], "spread"), (known["log-mean"], "log-mean")),
        hints=(
            f"Write ln p(x) with z = ln x / {k:g}: the base's logarithm and that of |∂z/∂x| = 1/({k:g} x).",
            f"ln p = −(ln x / {k:g} − {mean:g})²/2 − ln x + constant: set the derivative in ln x to 0.",
        ),
        causes={
            "spread": f"That is the mode of e^z. How does the {k:g} enter the quadratic, and how the slope?",
            "one-to-one": f"Can e^{{{k:g}z}} be negative? That may be ln x or z: which x belongs to it?",
        },
    )


def mass_of_another_slip(seed: int) -> Variant:
    """a^{D − D²} for x = a z in D dimensions, each coordinate charged with the whole log-det."""
    return first_sound(seed, _slip, lesson=1 / 64)


def _slip(pick: Pick) -> Variant:
    by, dims = pick([k / 20 for k in range(23, 53, 2)]), pick((3, 4, 5))
    mass = by ** (dims - dims**2)
    powers = (-2, -dims, 1 - dims, -(dims**2))
    known = {"constant": 1.0, "reduction": tuple(by**power for power in powers)}
    known |= {"sign": tuple(by**-power for power in (*powers, dims - dims**2))}
    return Variant(
        f"Adding the log-determinant of $x = 2z$ to each coordinate made the mass ¼ in the plane. Now $x = {by:g}z$ in "
        f"{dims} dimensions: what is the mass of the same slip, to within 2 %?",
        laws=(value_law("∫ of the slip's density dx", mass, 0.02 * mass, known, 0.005 * mass),),
        reference=mass,
        wrong=((1, "constant"), (by**-dims, "reduction"), (by ** (1 - dims), "reduction"), (1 / mass, "sign")),
        hints=(
            f"Compare the slip with the right density: by how many ln {by:g} does the sum over coordinates differ?",
            f"Right: −{dims} ln {by:g} once. The slip: −{dims} ln {by:g} in each of {dims} coordinates.",
        ),
        causes={
            "reduction": f"Count the ln {by:g}: how many belong there, how many are in the sum over coordinates?",
            "sign": f"Too many −ln {by:g} were added. Does that make the density larger or smaller?",
        },
    )


EXERCISES = (
    Exercise(
        id="flows.affine_log_prob",
        stub='''def affine_log_prob(x, a, b):
    """ln p(x) where x = a z + b and z ~ N(0, I): (batch, dims) → (batch,).

    a and b are (dims,); no a is 0, but some may be negative.
    """
    raise NotImplementedError''',
        points=1,
        laws=(law.affine_density,),
        reference=affine_log_prob,
        hints=(
            "Which z is x the image of? Score that z under the base, then account for the change of length.",
            "z = (x − b)/a has ∂z/∂x = 1/a in each coordinate: ln p(x) = Σ ln N(z_i; 0, 1) − Σ ln|a_i|.",
        ),
        wrong=(
            (lambda x, a, b: gaussian_log_prob((x - b) / a, 0.0, 0.0), "constant"),
            (lambda x, a, b: gaussian_log_prob((x - b) / a, 0.0, 0.0) + a.abs().log().sum(), "sign"),
            (lambda x, a, b: gaussian_log_prob((x - b) / a, 0.0, 0.0) - a.log().sum(), "not-finite"),
            (lambda x, a, b: affine_log_prob(x, a, b) - (len(a) - 1) * a.abs().log().sum(), "reduction"),
            (lambda x, a, b: gaussian_log_prob(x, 0.0, 0.0) - a.abs().log().sum(), "direction"),
            (lambda x, a, b: gaussian_log_prob((x - b) / a, 0.0, 0.0) - a.abs().log().mean(), "reduction"),
            (lambda x, a, b: -0.5 * ((x - b) / a) ** 2 - a.abs().log() - 0.5 * math.log(2 * math.pi), "shape"),
        ),
        causes={
            "constant": "Your density has the mass Π|a|, not 1. Which term does a stretch by a put in?",
            "sign": "Stretch by 2: the same mass on twice the length. Should the density rise or fall?",
            "not-finite": "A logarithm of 0 or of a negative number? Some a are negative: is a length ever?",
            "direction": "The base knows z, not x. At which point is it asked, and which way did you go?",
            "reduction": "Σ ln|a_i| enters once for each row. How often does each ln|a_i| enter yours?",
            "spread": "Is |a| a standard deviation or a variance? Put in a = 2, b = 0.",
            "one-to-one": "Solve x = az + b for z: which is undone first, the shift or the stretch? With which sign?",
        },
    ),
    Exercise(
        id="flows.planar_log_det",
        stub='''def planar_log_det(x, u, v, b):
    """ln|det ∂z/∂x| of z = x + u tanh(vᵀx + b): (batch, dims) → (batch,).

    u and v are (dims,), b is one number; vᵀu may be below −1.
    """
    raise NotImplementedError''',
        points=2,
        laws=(law.planar_volume,),
        reference=planar_log_det,
        hints=(
            "The Jacobian is I + u (tanh′ v)ᵀ: the identity plus one column times one row.",
            "det(I + u wᵀ) = 1 + wᵀu with w = (1 − tanh²(vᵀx + b)) v; then the logarithm of its absolute value.",
        ),
        wrong=(
            (lambda x, u, v, b: (1 + (v @ u) * torch.tanh(x @ v + b)).abs().log(), "gradient"),
            (lambda x, u, v, b: ((v @ u) * (1 - torch.tanh(x @ v + b) ** 2)).abs().log(), "constant"),
            (lambda x, u, v, b: (1 + (v @ u) * (1 - torch.tanh(x @ v + b) ** 2)).log(), "not-finite"),
            (lambda x, u, v, b: planar_log_det(x, u, v, b).sum(), "shape"),
            (lambda x, u, v, b: (1 + u * v * (1 - torch.tanh(x @ v + b) ** 2)[:, None]).abs().log(), "shape"),
            (lambda x, u, v, b: -planar_log_det(x, u, v, b), "sign"),
        ),
        causes={
            "gradient": "Far out tanh is flat and the map is a shift. Its derivative there, and yours?",
            "constant": "Put in u = 0: the map is the identity. What must the log-determinant be?",
            "not-finite": "A log of 0 or less? For vᵀu < −1 a determinant may be negative: what of it counts?",
            "sign": "Take u along v, vᵀu > 0: lengths grow. Is your log-determinant positive?",
            "dependence": "In det(I + u wᵀ) two vectors meet in one scalar product. Which two?",
            "direction": "At which point does the Jacobian of x ↦ z take the slope of tanh, at x or at z?",
            "reduction": "The product of the diagonal is the determinant of a triangular matrix. Is I + u wᵀ one?",
        },
    ),
    Exercise(
        id="flows.constrain_u",
        stub='''def constrain_u(u, v):
    """û with vᵀû = softplus(vᵀu) − 1, moved from u along v alone; all (dims,)."""
    raise NotImplementedError''',
        points=2,
        laws=(law.planar_constraint,),
        reference=constrain_u,
        hints=(
            "Only vᵀu decides whether the map is invertible: leave the part of u across v as it is.",
            "û = u + t v has vᵀû = vᵀu + t ‖v‖². Solve for t.",
        ),
        wrong=(
            (lambda u, v: u.clamp(min=-0.99), "dependence"),
            (_without_square, "spread"),
            (lambda u, v: u + (F.softplus(v @ u) - 1 - v @ u) * v / v.norm(), "reduction"),
            (lambda u, v: u + (F.softplus(v @ u) - v @ u) * v / (v @ v), "constant"),
            (lambda u, v: u, "one-to-one"),
        ),
        causes={
            "dependence": "The part of u across v has changed. Does the determinant see it?",
            "spread": "A step t along v changes vᵀû by t‖v‖², and v is not of length 1.",
            "reduction": "A step t along v changes vᵀû by t‖v‖²: the square of a length, not the length.",
            "constant": "Your vᵀû is never below 0. Can it then reach −0.9, which is allowed?",
            "one-to-one": "For vᵀu < −1 the map folds: three x have one z. What must vᵀû stay above?",
            "direction": "You added softplus(vᵀu) − 1 to vᵀu. It was to take its place.",
        },
    ),
    Exercise(
        id="flows.planar_inverse",
        stub='''def planar_inverse(z, u, v, b):
    """The x with x + u tanh(vᵀx + b) = z, (batch, dims), where vᵀu > −1."""
    raise NotImplementedError''',
        points=3,
        laws=(law.planar_inversion,),
        reference=planar_inverse,
        hints=(
            "Multiply the equation by vᵀ: one equation in one unknown a = vᵀx. Once a is known, so is x.",
            "a + (vᵀu) tanh(a + b) = vᵀz rises in a, and its root is within |vᵀu| of vᵀz: halve that bracket 40 times.",
            "With a found: x = z − u tanh(a + b), one row of x for each a.",
        ),
        wrong=(
            (_by_fixed_point, "gradient"),
            (_in_a_narrow_bracket, "one-to-one"),
            (lambda z, u, v, b: planar_root(z @ v, v @ u, b), "shape"),
            (lambda z, u, v, b: z - torch.outer(torch.tanh(z @ v + b), u), "dependence"),
            (lambda z, u, v, b: z + torch.outer(torch.tanh(z @ v + b), u), "direction"),
        ),
        causes={
            "gradient": "Your iteration goes to and fro between two points. Does a step of it shrink distances there?",
            "one-to-one": "Your vᵀx stops at one and the same distance from vᵀz. How far away may the root lie?",
            "shape": "The root is a = vᵀx, one number a row. What is asked for is x.",
            "dependence": "You put z into the tanh, where x belongs. x is what we do not have yet.",
            "direction": "That is the map once more, not its inverse.",
        },
    ),
    Exercise(
        id="flows.likeliest_value",
        stub="likeliest_value = ...",
        points=1,
        laws=(likeliest_value,),
        reference=math.exp(-4),
        hints=(
            "Write ln p(x) with z = ½ ln x: the base's logarithm and the logarithm of |∂z/∂x| = 1/(2x).",
            "ln p = −(ln x)²/8 − ln x + constant: set the derivative in ln x to 0.",
        ),
        wrong=((1.0, "direction"), (math.exp(-1), "spread"), (math.exp(2), "log-mean")),
        causes={
            "direction": "That is where the likeliest z goes. Does the stretch differ from place to place?",
            "spread": "That is the mode of e^z. How does the 2 enter the quadratic, and how the slope?",
            "log-mean": "That is the mean of x, which is far from where x is likeliest.",
            "one-to-one": "Can e^{2z} be negative? That may be ln x or z: which x belongs to it?",
        },
        variant=likeliest_elsewhere,
    ),
    Exercise(
        id="flows.mass_of_the_slip",
        stub="mass_of_the_slip = ...",
        points=1,
        laws=(mass_of_the_slip,),
        reference=1 / 64,
        hints=(
            "Compare the slip with the right density: by how many ln 2 does the sum over three coordinates differ?",
            "Right: −3 ln 2 once. The slip: −3 ln 2 in each of three coordinates, −9 ln 2 in all.",
        ),
        wrong=((1, "constant"), (1 / 8, "reduction"), (0.25, "reduction"), (64, "sign")),
        causes={
            "constant": "That would be the right density. How many times is the log-determinant counted here?",
            "reduction": "Count the ln 2: how many belong there, how many are there after the sum over coordinates?",
            "sign": "Too many −ln 2 were added. Does that make the density larger or smaller?",
        },
        variant=mass_of_another_slip,
    ),
)
