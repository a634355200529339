"""Exercises of lesson 05.4, the Wasserstein distance."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gmcourse.exercises.record import Exercise
from gmcourse.gan.losses import gradient_penalty, wgan_critic_loss
from gmcourse.laws.gan import steps
from gmcourse.laws.gan import wasserstein as laws
from gmcourse.metrics import wasserstein_1d


def clipped_step(critic: nn.Module, optimizer: torch.optim.Optimizer, real: Tensor, fake: Tensor, clip: float) -> None:
    """Descend E h(fake) − E h(real) once, then put every parameter back into the box."""
    optimizer.zero_grad()
    wgan_critic_loss(critic, real, fake).backward()
    optimizer.step()
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(-clip, clip)


def certified_bound(h_x: Tensor, h_y: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The gap over the steepest slope between any two of the points."""
    h, points = torch.cat([h_x, h_y]), torch.cat([x, y])
    slopes = (h[:, None] - h).abs() / torch.cdist(points, points)
    return (h_x.mean() - h_y.mean()) / slopes.nan_to_num(0.0).max()


def penalised_gap(distance: float, weight: float) -> float:
    """Slope 1 + W/2γ over the distance W."""
    return distance * (1 + distance / (2 * weight))


def _rows(mix: Tensor, real: Tensor) -> Tensor:
    return mix.view(-1, *[1] * (real.dim() - 1))


def _slopes(critic, x: Tensor, graph: bool = True) -> Tensor:
    x = x.detach().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=graph)[0].flatten(1)


def _mixed(real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    return _rows(mix, real) * real + (1 - _rows(mix, real)) * fake


def _columns(critic, real, fake, mix):
    return (_slopes(critic, mix * real + (1 - mix) * fake).norm(dim=1) - 1).square().mean()


def _own_mix(critic, real, fake, mix):
    return gradient_penalty(critic, real, fake, torch.rand(len(real), dtype=real.dtype))


def _mix_of_coordinates(critic, real, fake, mix):
    mix = torch.rand_like(real)
    return (_slopes(critic, mix * real + (1 - mix) * fake).norm(dim=1) - 1).square().mean()


def _one_norm(critic, real, fake, mix):
    return (_slopes(critic, _mixed(real, fake, mix)).norm() - 1).square()


def _without_graph(critic, real, fake, mix):
    return (_slopes(critic, _mixed(real, fake, mix), graph=False).norm(dim=1) - 1).square().mean()


def _squared_norm(critic, real, fake, mix):
    return (_slopes(critic, _mixed(real, fake, mix)).square().sum(1) - 1).square().mean()


def _step(critic, optimizer, real, fake, sign=1.0, zero=True):
    if zero:
        optimizer.zero_grad()
    (sign * wgan_critic_loss(critic, real, fake)).backward()
    optimizer.step()


@torch.no_grad()
def _clamp(parameters, clip):
    for parameter in parameters:
        parameter.clamp_(-clip, clip)


def _clamp_first(critic, optimizer, real, fake, clip):
    _clamp(critic.parameters(), clip)
    _step(critic, optimizer, real, fake)


def _clip_gradients(critic, optimizer, real, fake, clip):
    optimizer.zero_grad()
    wgan_critic_loss(critic, real, fake).backward()
    nn.utils.clip_grad_value_(critic.parameters(), clip)
    optimizer.step()


def _uphill(critic, optimizer, real, fake, clip):
    _step(critic, optimizer, real, fake, sign=-1.0)
    _clamp(critic.parameters(), clip)


def _weights_only(critic, optimizer, real, fake, clip):
    _step(critic, optimizer, real, fake)
    _clamp((p for p in critic.parameters() if p.dim() > 1), clip)


def _gradients_kept(critic, optimizer, real, fake, clip):
    _step(critic, optimizer, real, fake, zero=False)
    _clamp(critic.parameters(), clip)


def _mean_slope(h_x, h_y, x, y):
    h, points = torch.cat([h_x, h_y]), torch.cat([x, y])
    apart = torch.cdist(points, points)
    return (h_x.mean() - h_y.mean()) / ((h[:, None] - h).abs() / apart)[apart > 0].mean()


EXERCISES = (
    Exercise(
        id="gan.wasserstein_1d",
        stub='''def wasserstein_1d(x, y):
    """The Wasserstein distance of two samples of n numbers each, (n,) and (n,)."""
    raise NotImplementedError''',
        points=1,
        laws=(partial(laws.equals_its_dual, dims=0),),
        reference=wasserstein_1d,
        hints=(
            "On a line no two loads need ever cross: the smallest of x goes to the smallest of y.",
            "Sort both; the cost is the mean of the distances carried.",
        ),
        wrong=(
            (lambda x, y: (x.mean() - y.mean()).abs(), "dependence"),
            (lambda x, y: (x - y).abs().mean(), "constant"),
            (lambda x, y: (x.sort().values - y.sort().values).square().mean(), "spread"),
            (lambda x, y: (x.sort().values - y.sort().values).abs().sum(), "reduction"),
            (lambda x, y: (x[:, None] - y).abs().amin(1).mean(), "one-to-one"),
        ),
        causes={
            "dependence": "N(0, 1) and N(0, 9) have one mean, and W₁ = 1.596. Does your number see the spread?",
            "log-mean": "That is the root of a mean of squares. Is W₁ a mean of squares, or of distances?",
            "constant": "A sample and itself in another order are 0 apart. Which x should go to which y?",
            "spread": "Points in metres: in which unit is your answer, and in which is a distance?",
            "reduction": "Every point carries the mass 1/n. What becomes of your number when each point is doubled?",
            "one-to-one": "Two loads went to one place, which can take only one. Where does the other go?",
        },
    ),
    Exercise(
        id="gan.wgan_critic_loss",
        stub='''def wgan_critic_loss(critic, real, fake):
    """What the critic of a WGAN minimises, without its penalty: one number."""
    raise NotImplementedError''',
        points=1,
        laws=(laws.critic_loss_is_minus_gap,),
        reference=wgan_critic_loss,
        hints=(
            "The critic maximises E h(real) − E h(fake). What does torch do with a loss?",
            "Two means of the critic's output as it is, and a minus sign in the right place.",
        ),
        wrong=(
            (lambda critic, real, fake: critic(real).mean() - critic(fake).mean(), "sign"),
            (lambda critic, real, fake: critic(fake).sigmoid().mean() - critic(real).sigmoid().mean(), "overflow"),
            (lambda critic, real, fake: (critic(fake) - critic(real)).sum(), "reduction"),
            (lambda critic, real, fake: softplus(-critic(real)).mean() + softplus(critic(fake)).mean(), "log-mean"),
            (lambda critic, real, fake: wgan_critic_loss(critic, real, fake).detach(), "gradient"),
        ),
        causes={
            "sign": "A step down your loss makes fakes score higher than data. Which of the two must fall?",
            "overflow": "A sigmoid keeps the gap below 1. May a distance exceed 1?",
            "reduction": "The dual is a difference of two means. By how many is each of your two sums divided?",
            "log-mean": "That is the loss of a classifier, which says how sure it is. Which loss says how far?",
            "gradient": "The critic learns from this number. Does it carry a gradient, of both of its parts?",
            "dependence": "The dual has two means. Which of the two batches does yours leave out?",
        },
    ),
    Exercise(
        id="gan.clipped_step",
        stub='''def clipped_step(critic, optimizer, real, fake, clip):
    """One update of the critic, after which every parameter is in [−clip, clip]."""
    raise NotImplementedError''',
        points=2,
        laws=(steps.stays_in_the_box,),
        reference=clipped_step,
        hints=(
            "Four things in order: forget old gradients, differentiate the loss, step, put back what left the box.",
            "Under torch.no_grad(), parameter.clamp_(-clip, clip) for every parameter, biases too, after the step.",
        ),
        wrong=(
            (_clamp_first, "direction"),
            (_clip_gradients, "gradient"),
            (_uphill, "sign"),
            (_weights_only, "reduction"),
            (_gradients_kept, "dependence"),
        ),
        causes={
            "direction": "The weights left the box again with the step. Look at them after it: what comes last?",
            "gradient": "You bounded the gradient. Which tensor has to be in the box?",
            "sign": "The critic went the wrong way. Does its score of real data rise?",
            "reduction": "A parameter is still outside of [−clip, clip]. Is it a bias, or is it below −clip?",
            "spread": "After the step nothing was put back. Does your line change the parameter itself?",
            "constant": "Nothing was learned. Did the optimiser step, and which gradient did it find?",
            "one-to-one": "The box is [−clip, clip]. Where have the negative weights gone?",
            "dependence": "Somebody had left a gradient behind. When is it forgotten?",
        },
    ),
    Exercise(
        id="gan.gradient_penalty",
        stub='''def gradient_penalty(critic, real, fake, mix):
    """Mean of (‖∇h(x̂)‖ − 1)² over points x̂ between real and fake, `mix` (batch,).

    real and fake are (batch, *event); mix is 1 at the real end and 0 at the fake one.
    """
    raise NotImplementedError''',
        points=3,
        laws=(laws.penalty_is_by_hand,),
        reference=gradient_penalty,
        hints=(
            "One number α for each row, the same for all its coordinates; then a gradient of h in its input.",
            "torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0].flatten(1).norm(dim=1), with x that "
            "requires a gradient.",
        ),
        wrong=(
            (_columns, "one-to-one"),
            (_mix_of_coordinates, "randomness"),
            (_own_mix, "randomness"),
            (_one_norm, "reduction"),
            (_without_graph, "gradient"),
            (_squared_norm, "spread"),
            (lambda critic, real, fake, mix: gradient_penalty(critic, fake, real, mix), "direction"),
        ),
        causes={
            "one-to-one": "One α for each row, the same for all its coordinates. Which shape must it have, to meet "
            "(batch, *event)?",
            "randomness": "Equal arguments, unequal penalties; and `mix` is given. Whose random numbers did you use?",
            "reduction": "One norm a row, over all axes but the batch. Over which axes is yours?",
            "constant": "Which slope costs nothing: 0 or 1?",
            "log-mean": "Every row has its own penalty. Which comes first, the mean or the square?",
            "sign": "A slope below 1 is charged, too. Is it in yours?",
            "dependence": "The slope of the mean of h is 1/n of a row's own slope. Of what do you take the gradient?",
            "gradient": "The penalty must teach the weights, through a derivative of a derivative. Did autograd keep "
            "the graph of the first?",
            "spread": "At slope 2 you charge 9, where 1 is due. Is it the norm or its square?",
            "direction": "At mix = 1 the point is real, at mix = 0 it is fake, and at ½ half way. Where is yours?",
        },
    ),
    Exercise(
        id="gan.penalised_gap",
        stub='''def penalised_gap(distance, weight):
    """E h(real) − E h(fake) of the linear critic that is best with the penalty.

    All real points are at 0 and all fakes at `distance`; the penalty has this weight.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.gap_of_penalised_critic,),
        reference=penalised_gap,
        hints=(
            "With slope a the gap is aW and the loss −aW + γ(a − 1)². Differentiate in a.",
            "The best slope is 1 + W/2γ. The gap is that slope times the distance.",
        ),
        wrong=(
            (lambda distance, weight: distance, "constant"),
            (lambda distance, weight: 1 + distance / (2 * weight), "direction"),
            (lambda distance, weight: distance + distance**2 / (4 * weight), "dependence"),
            (lambda distance, weight: distance + distance**2 / weight, "spread"),
            (lambda distance, weight: distance - distance**2 / (2 * weight), "sign"),
        ),
        causes={
            "constant": "At slope 1 the penalty is flat and the gap is not. Does it pay to be a little steeper?",
            "direction": "That is the slope. How far does it go?",
            "dependence": "That is minus the whole loss. Which part of it is the gap?",
            "spread": "What is the derivative of γ(a − 1)²?",
            "sign": "A steeper critic has a larger gap. Is slope 1 exceeded, or not reached?",
        },
    ),
    Exercise(
        id="gan.certified_bound",
        stub='''def certified_bound(h_x, h_y, x, y):
    """A lower bound on the Wasserstein distance, from any critic's values.

    x (n, d) and y (m, d) are the points, h_x (n,) and h_y (m,) what the critic says.
    """
    raise NotImplementedError''',
        points=3,
        laws=(laws.bounds_distance_from_below,),
        reference=certified_bound,
        hints=(
            "A critic that is nowhere steeper than L gives a gap of at most L · W₁.",
            "Only slopes between the points matter: |h_i − h_j| / ‖x_i − x_j‖. Which of them makes the bound hold?",
        ),
        wrong=(
            (lambda h_x, h_y, x, y: h_x.mean() - h_y.mean(), "constant"),
            (_mean_slope, "spread"),
            (lambda h_x, h_y, x, y: -certified_bound(h_x, h_y, x, y), "sign"),
            (lambda h_x, h_y, x, y: len(h_x) * certified_bound(h_x, h_y, x, y) / 2, ""),
            (lambda h_x, h_y, x, y: certified_bound(h_x, h_y, x, y) / 2, "direction"),
        ),
        causes={
            "constant": "A critic seven times as steep says seven times as much. What must its gap be divided by?",
            "spread": "Some pairs are steeper than what you divide by. Must the bound hold for them, too?",
            "one-to-one": "The distance of two points is √Σ(x − y)². Which norm is below your slopes?",
            "reduction": "You left out some pairs of points. Between which two may h be steepest?",
            "dependence": "Your number is the same whatever h says. What do these values of h allow?",
            "not-finite": "You divide by 0. Which pairs of points have a slope, and which slope is never 0?",
            "sign": "The critic is high on x and low on y. Which way is the gap positive?",
            "direction": "The bound holds, and could be sharper. By what do you divide the gap?",
        },
    ),
)
