"""Exercises of lesson 06.2, coupling."""

import math

import torch
from torch import Tensor

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.flows import coupling as laws


def coupling_log_det(x: Tensor, mask: Tensor, network: laws.Network) -> Tensor:
    """Σ s over the coordinates that change."""
    s, _ = network(mask * x)
    return ((1 - mask) * s).sum(1)


def coupling_inverse(z: Tensor, mask: Tensor, network: laws.Network) -> Tensor:
    """x = (z − m) e^{−s} where the coordinate changes; what stayed gives s and m."""
    s, m = network(mask * z)
    return mask * z + (1 - mask) * (z - m) * (-s).exp()


def ica_angle(x: Tensor) -> float:
    """The angle of the largest Laplace likelihood: the one at which Σ|z| is least."""

    def size(degrees: int) -> float:
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return (x @ torch.tensor([[c, -s], [s, c]], dtype=x.dtype)).abs().sum().item()

    return min(range(90), key=size)


def _unmixed(x: Tensor, degrees: float) -> Tensor:
    angle = math.radians(degrees)
    rotation = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return x @ torch.tensor(rotation, dtype=x.dtype)


def filament_mass(gap: float, slope: float) -> float:
    """2Φ(ℓ/2Λ) − 1 = erf(ℓ/2Λ√2)."""
    return math.erf(gap / (2 * slope) / math.sqrt(2))


def lost_mode(share: float) -> tuple[float, float, float]:
    """∞, ½[(1−ζ) ln(1−ζ) + ζ ln 2 − (2−ζ) ln(1−ζ/2)], −ln(1−ζ)."""
    kept, middle = 1 - share, 1 - share / 2
    js = 0.5 * (kept * math.log(kept) + share * math.log(2) - (1 + kept) * math.log(middle))
    return math.inf, js, -math.log(kept)


def best_of_additive_flows(answer: float) -> None:
    """The lowest NLL of N(0, ¼ I₃) under additive couplings is the identity's: (3/2) ln 2π + 3/8 = 3.132."""
    floor = 1.5 * math.log(2 * math.pi)
    known = {
        "spread": floor + 1.5 * (1 + math.log(0.25)),
        "constant": floor,
        "direction": floor + 1.5,
        "reduction": (floor + 0.375) / 3,
    }
    require_value("the lowest NLL without a scaling", answer, floor + 0.375, 0.006, known)


def _scaled_first(z: Tensor, mask: Tensor, network: laws.Network) -> Tensor:
    s, m = network(mask * z)
    return mask * z + (1 - mask) * (z * (-s).exp() - m)


def _added(z: Tensor, mask: Tensor, network: laws.Network) -> Tensor:
    s, m = network(mask * z)
    return mask * z + (1 - mask) * (z + m) * (-s).exp()


def _fed_everything(z: Tensor, mask: Tensor, network: laws.Network) -> Tensor:
    s, m = network(z)
    return mask * z + (1 - mask) * (z - m) * (-s).exp()


def _moved_all(z: Tensor, mask: Tensor, network: laws.Network) -> Tensor:
    s, m = network(mask * z)
    return (z - m) * (-s).exp()


def floor_of_other_data(seed: int) -> Variant:
    """(D/2) ln 2π + Dσ²/2 for N(0, σ² I) in D dimensions."""
    return first_sound(seed, _floor, lesson=3.132)


def _floor(pick: Pick) -> Variant:
    dims, std = pick((2, 3, 4, 5, 6)), pick((0.2, 0.3, 0.4, 0.6, 0.7, 0.8))
    empty = dims / 2 * math.log(2 * math.pi)
    right, entropy = empty + dims * std**2 / 2, empty + dims * (1 + math.log(std**2)) / 2
    known = {"spread": entropy, "constant": empty, "direction": empty + dims / 2, "reduction": right / dims}
    return Variant(
        rf"A friend stacks a hundred additive couplings, without a scaling, on data from $\mathcal{{N}}(0, {std:g}^2 "
        f"I)$ in *{dims}* dimensions, and trains for a week. To within 0.005 nats, what is the lowest mean negative "
        "log-likelihood that can come out?",
        laws=(value_law("the lowest NLL without a scaling", right, 0.006, known),),
        reference=right,
        wrong=((empty, "constant"), (entropy, "spread"), (empty + dims / 2, "direction"), (right / dims, "reduction")),
        hints=(
            "The NLL is (D/2) ln 2π + ½ E‖z‖², and z has the entropy of x. Which such z has the least E‖z‖²?",
            f"A Gaussian has, and x is one already: leave it alone, and E‖z‖² = {dims}σ².",
        ),
    )


EXERCISES = (
    Exercise(
        id="flows.coupling_log_det",
        stub='''def coupling_log_det(x, mask, network):
    """log|det ∂z/∂x| of an affine coupling, (batch,); x is (batch, D).

    mask is (D,), 1 where x stays; network(a) gives (s, m), both (batch, D).
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.log_det_of_changed_part,),
        reference=coupling_log_det,
        hints=(
            "The Jacobian is triangular: its diagonal holds 1 where x stays and e^s where x changes.",
            "Feed the network mask * x; multiply s by 1 − mask before you sum over the coordinates.",
        ),
        wrong=(
            (lambda x, mask, network: network(mask * x)[0].sum(1), "dependence"),
            (lambda x, mask, network: ((1 - mask) * network(x)[0]).sum(1), "dependence"),
            (lambda x, mask, network: ((1 - mask) * network(mask * x)[0].exp()).sum(1), "constant"),
            (lambda x, mask, network: ((1 - mask) * network(mask * x)[0]).mean(1), "reduction"),
            (lambda x, mask, network: -((1 - mask) * network(mask * x)[0]).sum(1), "sign"),
            (lambda x, mask, network: ((1 - mask) * network(mask * x)[0]).sum(), "shape"),
        ),
        causes={
            "dependence": "Differentiate output i by input j. Which s stand on the diagonal, and what may they see?",
            "constant": "Put in s = 0: the layer is a shear. What must its log-determinant be?",
        },
    ),
    Exercise(
        id="flows.coupling_inverse",
        stub='''def coupling_inverse(z, mask, network):
    """The x that the affine coupling took to z; z is (batch, D).

    mask is (D,), 1 where x stays; network(a) gives (s, m), both (batch, D).
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.coupling_is_undone,),
        reference=coupling_inverse,
        hints=(
            "What stayed is known, so that s and m can be computed again. Nothing is solved, no network inverted.",
            "z_b = x_b e^s + m: take m away first, then divide by e^s; and put what stayed back in its places.",
        ),
        wrong=(
            (_scaled_first, "direction"),
            (_added, "sign"),
            (_fed_everything, "dependence"),
            (_moved_all, "dependence"),
        ),
        causes={
            "direction": "Shoes and socks: the last thing done is the first to be undone. Which came last?",
            "dependence": "Which coordinates did the network see on the way there, and which must come back untouched?",
            "sign": "Write z = x e^s + m for one coordinate and solve for x. Which signs have m and s there?",
            "constant": "Put in m = 0, then s = 0. Does your formula undo a scaling e^s, and a shift by m?",
        },
    ),
    Exercise(
        id="flows.nice_floor",
        stub="nice_floor = ...",
        points=1,
        laws=(best_of_additive_flows,),
        reference=3.132,
        hints=(
            "The NLL is (D/2) ln 2π + ½ E‖z‖², and z has the entropy of x. Which such z has the least E‖z‖²?",
            "A Gaussian has, and x is one already: leave it alone, and E‖z‖² = 3σ².",
        ),
        wrong=((2.757, "constant"), (2.177, "spread"), (4.257, "direction"), (1.044, "reduction")),
        causes={
            "constant": "That is the floor, reached if every z were 0. Can a map that keeps volume do that?",
            "spread": "That is the entropy of the data. A scaling would get there: what do additive layers keep?",
            "direction": "That is what draws of the model itself cost. The data lie nearer to the middle.",
            "reduction": "One coordinate costs that much. How many are there?",
        },
        variant=floor_of_other_data,
    ),
    Exercise(
        id="flows.ica_angle",
        stub='''def ica_angle(x):
    """The angle, degrees, by which independent Laplace sources z were turned.

    x = Rz is (n, 2), white; R = [[cos, −sin], [sin, cos]]. Multiples of 90 are free.
    """
    raise NotImplementedError''',
        points=3,
        laws=(laws.finds_angle,),
        reference=ica_angle,
        hints=(
            "Turn x back by each angle from 0 to 89 and ask how likely the result is under independent Laplace laws.",
            "ln p = −Σ|z|/b + a constant, and a rotation has log-determinant 0: take the angle where Σ|z| is least.",
        ),
        wrong=(
            (lambda x: min(range(90), key=lambda a: round(_unmixed(x, a).square().mean().item(), 6)), "constant"),
            (lambda x: min(range(90), key=lambda a: _unmixed(x, -a).abs().sum().item()), "sign"),
            (lambda x: max(range(90), key=lambda a: _unmixed(x, a).abs().sum().item()), "direction"),
            (lambda x: math.radians(ica_angle(x)), "spread"),
        ),
        causes={
            "constant": "Your answer is the same for every mixture. What does a rotation do to N(0, I)?",
            "sign": "You turned the wrong way: x = Rz, so z = Rᵀx.",
            "direction": "45° off: that is the angle at which the two are mixed most. Likelihood or its negative?",
            "spread": "In degrees, please: that looks like radians.",
        },
    ),
    Exercise(
        id="flows.filament_mass",
        stub='''def filament_mass(gap, slope):
    """The least share of samples inside a gap of this width between two halves.

    The sampling map z → x is nowhere steeper than slope; z ~ N(0, 1).
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.gap_takes_mass,),
        reference=filament_mass,
        hints=(
            "To cross ℓ at slope Λ, z must walk ℓ/Λ; the halves are equal, so that it walks from −ℓ/2Λ to ℓ/2Λ.",
            "P(|Z| < a) = 2Φ(a) − 1 = erf(a/√2), with a = ℓ/2Λ: math.erf has it.",
        ),
        wrong=(
            (lambda gap, slope: 0.5 + filament_mass(gap, slope) / 2, "constant"),
            (lambda gap, slope: filament_mass(2 * gap, slope), "spread"),
            (lambda gap, slope: filament_mass(gap, 1 / slope), "direction"),
        ),
        causes={
            "constant": "As the slope grows the share must go to 0. Does yours? An interval has two ends.",
            "spread": "The interval has the width ℓ/Λ, and 0 is in its middle. How far is each end?",
            "reduction": "erf(a) is not P(|Z| < a): its bell has the variance ½. What has a to be divided by?",
            "direction": "Is a steeper map to put more into the gap, or less? Which of the two lengths is in z?",
        },
    ),
    Exercise(
        id="flows.lost_mode",
        stub='''def lost_mode(share):
    """(KL(p‖q), JS(p, q), KL(q‖p)), nats: q is p without a mode of this share.

    The mode lies apart from the rest; q is the rest, scaled up to mass 1.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.prices_of_lost_mode,),
        reference=lost_mode,
        hints=(
            "Only two regions matter: the rest, where q/p = 1/(1 − ζ), and the mode, where q = 0. Sum over the two.",
            "JS = ½KL(p‖m) + ½KL(q‖m), m = (p + q)/2: 1 − ζ/2 on the rest and ζ/2 on the mode.",
        ),
        wrong=(
            (lambda share: lost_mode(share)[::-1], "direction"),
            (lambda share: (math.inf, 2 * lost_mode(share)[1], lost_mode(share)[2]), "constant"),
            (lambda share: (-math.log(share), *lost_mode(share)[1:]), "overflow"),
            (lambda share: (math.inf, lost_mode(share)[1], math.log(1 - share)), "sign"),
        ),
        causes={
            "direction": "KL(p‖q) averages over p, which does visit the mode. What is ln(p/q) there?",
            "constant": "Two divergences to the middle make JS: are they added or averaged?",
            "overflow": "On the mode q is 0, not small. What is p ln(p/q) there?",
            "sign": "A KL divergence is never negative.",
            "log-mean": "KL(q‖p) averages over q, which has all its mass on the rest. With which weight?",
            "spread": "Nats are asked for. Which logarithm is yours?",
            "shape": "The three values are there. In which order are they asked for?",
        },
    ),
)
