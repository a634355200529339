"""Every law of a step passes a right one and catches each planted bug."""

from functools import partial

import torch
from torch import nn

from gmcourse.gan.losses import gan_critic_loss, wgan_critic_loss
from gmcourse.laws.gan import steps


def step(critic, generator, optimizer, real, z, *, bug=""):
    fake = generator(z)
    fake = fake if bug == "attached" else fake.detach()
    if bug == "labels":
        real, fake = fake, real
    loss = gan_critic_loss(critic, real, fake)
    loss = -loss if bug == "ascent" else loss / 2 if bug == "mean" else loss * len(z) if bug == "sum" else loss
    if bug != "stale":
        optimizer.zero_grad()
    loss.backward()
    if bug != "still":
        optimizer.step()
    if bug == "both":
        with torch.no_grad():
            for p in generator.parameters():
                p += 0.01
    return gan_critic_loss(critic, real, fake) if bug == "after" else loss


def critic_step(critic, optimizer, real, fake, sign=1.0, zero=True):
    if zero:
        optimizer.zero_grad()
    (sign * wgan_critic_loss(critic, real, fake)).backward()
    optimizer.step()


def clamp(parameters, clip):
    with torch.no_grad():
        for parameter in parameters:
            parameter.clamp_(-clip, clip)


def clipped_step(critic, optimizer, real, fake, clip, which=lambda p: True, **options):
    critic_step(critic, optimizer, real, fake, **options)
    clamp(filter(which, critic.parameters()), clip)


def clamp_first(critic, optimizer, real, fake, clip):
    clamp(critic.parameters(), clip)
    critic_step(critic, optimizer, real, fake)


def clip_gradients(critic, optimizer, real, fake, clip):
    optimizer.zero_grad()
    wgan_critic_loss(critic, real, fake).backward()
    nn.utils.clip_grad_value_(critic.parameters(), clip)
    optimizer.step()


RIGHT = {
    steps.critic_moves_alone: (step, partial(step, bug="mean")),
    steps.stays_in_the_box: (clipped_step,),
}
BUGS = {
    steps.critic_moves_alone: {
        "fakes not detached": (partial(step, bug="attached"), "dependence"),
        "the generator moves too": (partial(step, bug="both"), "dependence"),
        "labels exchanged": (partial(step, bug="labels"), "sign"),
        "uphill": (partial(step, bug="ascent"), "direction"),
        "old gradients kept": (partial(step, bug="stale"), "constant"),
        "sum for mean": (partial(step, bug="sum"), "reduction"),
        "no step": (partial(step, bug="still"), "gradient"),
        "the loss after the step": (partial(step, bug="after"), "one-to-one"),
    },
    steps.stays_in_the_box: {
        "clamped before the step": (clamp_first, "direction"),
        "gradients clamped": (clip_gradients, "gradient"),
        "uphill": (partial(clipped_step, sign=-1.0), "sign"),
        "weights alone": (partial(clipped_step, which=lambda p: p.dim() > 1), "reduction"),
        "gradients kept": (partial(clipped_step, zero=False), "dependence"),
        "no step": (lambda critic, optimizer, real, fake, clip: clamp(critic.parameters(), clip), "constant"),
        "no clamp": (lambda critic, optimizer, real, fake, clip: critic_step(critic, optimizer, real, fake), "spread"),
    },
}
