"""A generator and a critic, joined by their two losses."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import AveragedModel

from gmcourse.gan.losses import Loss, gan_critic_loss, non_saturating_loss
from gmcourse.nets import sampling
from gmcourse.protocols import Adversarial, Sampler
from gmcourse.record import ModelRecord


class GAN(nn.Module):
    """x = G(z), z ~ N(0, I), (batch, latent_size); the variants are pairs of losses from `gmcourse.gan.losses`.

    `generator` maps latents to examples, `critic` examples to one number each. `clip` brings every weight of the critic
    into [−clip, clip], here and after each step (Arjovsky et al. 2017, algorithm 1). With `average`, a decay d in
    [0, 1), samples come from `averaged`, a moving average of the generator's weights: after the i-th update of either
    player, a share min(d, (1 + i)/(10 + i)) of it stays (Yazıcı et al. 2019). Goodfellow et al. 2014.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        latent_size: int,
        *,
        critic_loss: Loss = gan_critic_loss,
        generator_loss: Loss = non_saturating_loss,
        clip: float | None = None,
        average: float | None = None,
    ):
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size: got {latent_size}, expected at least 1")
        if clip is not None and not clip > 0:
            raise ValueError(f"clip: got {clip}, expected a positive number or None")
        if average is not None and not 0 <= average < 1:
            raise ValueError(f"average: got {average}, expected a decay in [0, 1) or None")
        self.generator, self.critic, self.latent_size, self.clip = generator, critic, latent_size, clip
        self._losses, self.average, self.averaged = (critic_loss, generator_loss), average, None
        if average is not None:
            self.averaged = AveragedModel(generator, avg_fn=partial(_decayed, average)).requires_grad_(False)
        self.after_step()

    def latents(self, n: int, rng: Generator | None = None) -> Tensor:
        """z ~ N(0, I), (n, latent_size)."""
        weight = next(self.generator.parameters())
        return torch.randn(n, self.latent_size, generator=rng, dtype=weight.dtype, device=weight.device)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, *event_shape). Raises ValueError for a negative n."""
        generator = self.generator if self.averaged is None else self.averaged
        with sampling(generator, n, rng):
            return generator(self.latents(n, rng))

    def critic_loss(self, real: Tensor) -> Tensor:
        """The critic's loss on a batch of data and as many fakes, which carry no gradient to the generator."""
        with torch.no_grad():
            fake = self.generator(self.latents(len(real)))
        return self._losses[0](self.critic, real, fake)

    def generator_loss(self, real: Tensor) -> Tensor:
        """The generator's loss on as many fakes as there are data in the batch."""
        return self._losses[1](self.critic, real, self.generator(self.latents(len(real))))

    def critic_parameters(self) -> Iterator[nn.Parameter]:
        return self.critic.parameters()

    def generator_parameters(self) -> Iterator[nn.Parameter]:
        return self.generator.parameters()

    @torch.no_grad()
    def after_step(self) -> None:
        """Clip the critic's weights, average the generator's; training calls it after every update."""
        if self.clip is not None:
            for parameter in self.critic.parameters():
                parameter.clamp_(-self.clip, self.clip)
        if self.averaged is not None:
            self.averaged.update_parameters(self.generator)

    def extra_repr(self) -> str:
        """What the two networks do not tell."""
        critic_loss, generator_loss = map(named, self._losses)
        average = "" if self.average is None else f", average={self.average}"
        return f"critic_loss={critic_loss}, generator_loss={generator_loss}, clip={self.clip}{average}"


def _decayed(decay: float, average: Tensor, latest: Tensor, updates: Tensor | int) -> Tensor:
    """The average moved towards the latest weights; in the first updates it forgets faster, so that it can begin."""
    count = float(updates)
    return average.lerp(latest, 1 - min(decay, (1 + count) / (10 + count)))


def named(loss: Any) -> str:
    """A function by its name, a `partial` of one with its arguments."""
    if not isinstance(loss, partial):
        return getattr(loss, "__name__", repr(loss))
    given = [named(a) if callable(a) else repr(a) for a in loss.args]
    given += [f"{name}={value!r}" for name, value in loss.keywords.items()]
    return f"{named(loss.func).lstrip('_')}({', '.join(given)})"


adversarial = partial(
    ModelRecord,
    family="gan",
    branch=("implicit density", "adversarial"),
    density="implicit",
    claims=(Sampler, Adversarial),
)
"""The record of a sampler without a density, learned in a game."""
