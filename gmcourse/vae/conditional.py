"""The conditional variational autoencoder: what is not known, drawn given what is. Sohn et al. 2015."""

import math
from typing import Any

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import OneHot, Told, evaluating, mlp, rows_given, sampling
from gmcourse.probability import gaussian_kl, noise_like
from gmcourse.protocols import Bounded, ImportanceWeighted, Sampler, Trainable
from gmcourse.record import (
    IMAGES,
    VECTORS,
    Examples,
    ModelRecord,
    binary_images,
    classes_of,
    held_then_falling_plan,
    shape_of,
)
from gmcourse.vae.gaussian import log_weight, reparameterize, repeated
from gmcourse.vae.likelihoods import Bernoulli, Likelihood, likelihood_for
from gmcourse.vae.told import context, keep_known, missing_log_prob


class CVAE(nn.Module):
    """p(x|c) = ∫ p(z|c) p(x|z, c) dz, with the posterior q(z|x, c): all three are told c. Sohn et al. 2015.

    `prior` maps given to (batch, 2L), the mean and the log_std of p(z|c), side by side; None is N(0, I), whatever c.
    `encoder` maps x and given to those of q(z|x, c); `decoder` maps z, (batch, L), and given to the parameters of the
    likelihood, of the shape of x, (batch, *event). With `fills`, given is a `context` (batch, 2C, H, W): its known
    pixels are kept in what is drawn, and only the others have a probability, in a likelihood that treats all alike.
    """

    def __init__(
        self,
        prior: nn.Module | None,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        latent_size: int,
        *,
        fills: bool = False,
    ):
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size: got {latent_size}, expected at least 1")
        self.prior, self.encoder, self.decoder, self.fills = prior, encoder, decoder, fills
        self.latent_size = latent_size
        self.likelihood: Likelihood = likelihood

    def encode(self, x: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """μ and s of q(z|x, c), each (batch, L)."""
        return _halves("encoder", self.encoder(x, given), (len(x), self.latent_size))

    def expect(self, given: Tensor) -> tuple[Tensor, Tensor]:
        """m and ln τ of the prior p(z|c) = N(m, τ²), each (batch, L)."""
        if self.prior is None:
            zeros = next(self.decoder.parameters()).new_zeros(len(given), self.latent_size)
            return zeros, zeros
        return _halves("prior", self.prior(given), (len(given), self.latent_size))

    def decode(self, z: Tensor, given: Tensor) -> Tensor:
        """E[x|z, c], (batch, *event), of z (batch, L): a mean, not a sample; its known pixels are those of given."""
        if z.shape != (len(given), self.latent_size):
            raise ValueError(f"z: got shape {tuple(z.shape)}, expected {(len(given), self.latent_size)}")
        return self._kept(self.likelihood.mean(self.decoder(z, given)), given)

    def log_likelihood(self, x: Tensor, parameters: Tensor, given: Tensor) -> Tensor:
        """log p(x|z, c), (batch,), nats, of the decoder's `parameters`; with `fills`, of the missing pixels only."""
        if self.fills:
            return missing_log_prob(self.likelihood, x, parameters, given)
        return self.likelihood.log_prob(x, parameters)

    def elbo(self, x: Tensor, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """E_q log p(x|z, c) − KL(q(z|x, c) ‖ p(z|c)), (batch,), nats, with one z a row and the KL in closed form.

        Equation: vae-conditional-elbo. Sohn et al. 2015.
        """
        mean, log_std = self.encode(x, given)
        z = reparameterize(mean, log_std, noise_like(mean, rng))
        return self.log_likelihood(x, self.decoder(z, given), given) - gaussian_kl(mean, log_std, *self.expect(given))

    def loss(self, x: Tensor, given: Tensor) -> Tensor:
        """−ELBO, mean over the batch, nats."""
        return -self.elbo(x, given).mean()

    def log_weights(self, x: Tensor, given: Tensor, k: int, *, rng: Generator | None = None) -> Tensor:
        """log w = log p(x|z, c) + log p(z|c) − log q(z|x, c) at k draws of z a row, (k, batch), nats."""
        if k < 1:
            raise ValueError(f"k: got {k}, expected at least one draw")
        moments = (*self.encode(x, given), *self.expect(given))
        x, c, mean, log_std, prior_mean, prior_log_std = (repeated(t, k) for t in (x, given, *moments))
        z = reparameterize(mean, log_std, noise_like(mean, rng))
        log_likelihood = self.log_likelihood(x, self.decoder(z, c), c)
        return log_weight(log_likelihood, z, (mean, log_std), (prior_mean, prior_log_std)).view(k, len(given))

    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """z ~ p(z|c), x ~ p(x|z, c): (n, *event), each for its row of given, (n, …), or all for the one row, (1, …)."""
        with sampling(self, n, rng):
            given = rows_given(given, n)
            return self._kept(self.likelihood.draw(self.decoder(self._latents(given, rng), given), rng), given)

    def sample_mean(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """z ~ p(z|c), E[x|z, c]: (n, *event), given as in `sample`."""
        with sampling(self, n, rng):
            given = rows_given(given, n)
            return self.decode(self._latents(given, rng), given)

    def answers(self, given: Tensor, count: int, *, rng: Generator | None = None) -> Tensor:
        """E[x|z, c] at `count` draws of z ~ p(z|c) for each question, (count, batch, *event)."""
        if count < 1:
            raise ValueError(f"count: got {count}, expected at least one answer to each question")
        with torch.no_grad(), evaluating(self):
            told = repeated(given, count)
            return self.decode(self._latents(told, rng), told).unflatten(0, (count, len(given)))

    def extra_repr(self) -> str:
        """What decides the model beside its networks."""
        return f"latent_size={self.latent_size}, fills={self.fills}"

    def _kept(self, x: Tensor, given: Tensor) -> Tensor:
        return keep_known(x, given) if self.fills else x

    def _latents(self, given: Tensor, rng: Generator | None) -> Tensor:
        mean, log_std = self.expect(given)
        return reparameterize(mean, log_std, noise_like(mean, rng))


def complete(model: CVAE, x: Tensor, known: Tensor, *, rng: Generator | None = None) -> Tensor:
    """x with the pixels that are not `known` drawn from p(missing|known); the known ones are kept as they are.

    x (batch, C, H, W), `known` bool as in `context`. Raises ValueError where the model is not told pictures.
    """
    if not model.fills:
        raise ValueError("model: got one made with fills=False, which is told no pixels; expected fills=True")
    return model.sample(len(x), context(x, known), rng=rng)


def _halves(name: str, statistics: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """A mean and a log_std of this shape, out of what a network gave."""
    if statistics.shape != (shape[0], 2 * shape[1]):
        expected = f"{(shape[0], 2 * shape[1])}: a mean and a log_std for each latent"
        raise ValueError(f"{name}: gave shape {tuple(statistics.shape)}, expected {expected}")
    mean, log_std = statistics.chunk(2, 1)
    return mean, log_std


def filling_cvae(shape: tuple[int, int, int], latent_size: int, width: int = 128, dropout: float = 0.0) -> CVAE:
    """For binary pictures (C, H, W) of which some pixels are known: prior, encoder, decoder with one hidden layer."""
    dims, read = math.prod(shape), nn.Identity()
    prior = nn.Sequential(nn.Flatten(), mlp([2 * dims, width, 2 * latent_size], dropout=dropout))
    encoder = Told(mlp([3 * dims, width, 2 * latent_size], dropout=dropout), read)
    decoder = nn.Sequential(mlp([latent_size + 2 * dims, width, dims], dropout=dropout), nn.Unflatten(1, shape))
    return CVAE(prior, encoder, Told(decoder, read), Bernoulli(), latent_size, fills=True)


def class_cvae(
    shape: tuple[int, ...], classes: int, latent_size: int, likelihood: Likelihood, *, learned_prior: bool = True
) -> CVAE:
    """For x of this shape told a class: networks of one hidden layer of 128, and a prior for each class, or N(0, I)."""
    dims, read = math.prod(shape), OneHot(classes)
    prior = nn.Sequential(OneHot(classes), mlp([classes, 2 * latent_size])) if learned_prior else None
    encoder = Told(mlp([dims + classes, 128, 2 * latent_size]), read)
    decoder = nn.Sequential(mlp([latent_size + classes, 128, dims]), nn.Unflatten(1, shape))
    return CVAE(prior, encoder, Told(decoder, read), likelihood, latent_size)


def make_cvae(data: Examples | None = None) -> CVAE:
    """Told a class, with eight latents and a prior for each class.

    Bernoulli for binary data, else a Gaussian with learned σ. Without data: for binary 8 × 8 images of ten classes.
    Raises ValueError where the labels of the data are no classes 0, 1, ….
    """
    shape, classes = shape_of(data, (1, 8, 8)), classes_of(data, 10)
    return class_cvae(shape, classes, 8, likelihood_for(data))


def cvae_plan(data: Examples | None = None) -> dict[str, Any]:
    """As for the Gaussian VAE: more steps for large images."""
    if data is not None and math.prod(data.event_shape) >= 256:
        return held_then_falling_plan(data, steps=8_000, batch_size=128, peak=1e-3)
    return held_then_falling_plan(data, steps=2_000, batch_size=64, peak=2e-3)


def told_images(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random binary images, (n, 1, 8, 8), and a class of ten for each, (n,)."""
    rng = torch.Generator().manual_seed(seed)
    return *binary_images(n, seed), torch.randint(0, 10, (n,), generator=rng)


CVAE_RECORD = ModelRecord(
    name="CVAE",
    key="cvae",
    family="vae",
    branch=("explicit density", "approximate", "variational"),
    density="bound",
    claims=(Trainable, Sampler, Bounded, ImportanceWeighted),
    paper="sohn2015",
    year=2015,
    arxiv="",
    lesson="04_vae/03_conditional",
    suits=VECTORS | IMAGES,
    make=make_cvae,
    plan=cvae_plan,
    example=told_images,
    told=True,
)
