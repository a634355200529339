"""Every law of conditional models passes the package's own and catches each planted bug."""

from functools import partial

import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from gmcourse.laws.vae import conditional as laws
from gmcourse.nets import OneHot, Told, mlp
from gmcourse.probability import gaussian_kl
from gmcourse.vae import CVAE, GaussianVAE
from gmcourse.vae.answers import Regressor
from gmcourse.vae.conditional import complete
from gmcourse.vae.likelihoods import Bernoulli, Gaussian
from gmcourse.vae.told import context


def by_torch(mean, s, m, t):
    return kl_divergence(Normal(mean, s.exp()), Normal(m, t.exp())).sum(1)


# A model whose log p(x|c) is known: all is linear, and the columns of W are orthogonal


def affine(weight, bias):
    layer = nn.Linear(*weight.T.shape, dtype=weight.dtype)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


class Linear(CVAE):
    """z|c ~ N(Ac, e^{2t}), x|z, c ~ N(Wz + Bc, σ²I), and a posterior a quarter too wide; `bug` spoils a bound."""

    def __init__(self, bug=""):
        rng = torch.Generator().manual_seed(1)
        w = torch.linalg.qr(torch.randn(3, 2, generator=rng, dtype=torch.float64))[0] * torch.tensor([1.5, 0.8])
        a, b = (torch.randn(rows, 2, generator=rng, dtype=torch.float64) for rows in (2, 3))
        t, std = torch.tensor([-0.3, 0.4], dtype=torch.float64), 0.6
        s2 = 1 / ((-2 * t).exp() + (w * w).sum(0) / std**2)
        on_x = s2[:, None] * w.T / std**2
        on_c = s2[:, None] * ((-2 * t).exp()[:, None] * a - w.T @ b / std**2)
        nothing = torch.zeros(2, 5, dtype=torch.float64)
        zeros = torch.zeros(2, dtype=torch.float64)
        encoder = affine(torch.cat([torch.cat([on_x, on_c], 1), nothing]), torch.cat([zeros, 0.5 * s2.log() + 0.25]))
        prior = affine(torch.cat([a, 0 * a]), torch.cat([zeros, t]))
        decoder = affine(torch.cat([w, b], 1), torch.zeros(3, dtype=torch.float64))
        read = nn.Identity()
        super().__init__(prior, Told(encoder, read), Told(decoder, read), Gaussian(std).double(), 2)
        covariance = w @ torch.diag((2 * t).exp()) @ w.T + std**2 * torch.eye(3, dtype=torch.float64)
        self.bug, self.truth = bug, lambda c: MultivariateNormal(c @ (w @ a + b).T, covariance)

    def expect(self, given):
        mean, log_std = super().expect(given)
        if self.bug == "N(0, I)":
            return 0 * mean, 0 * log_std
        return (mean, log_std - 0.4) if self.bug == "a narrow prior" else (mean, log_std)

    def elbo(self, x, given, *, rng=None):
        if self.bug == "another's c":
            return super().elbo(x, given.roll(1, 0), rng=rng)
        if self.bug == "q is the prior":  # the draws of GSNN under the bound of a CVAE
            mean, log_std = self.expect(given)
            z = mean + log_std.exp() * torch.randn(mean.shape, generator=rng, dtype=mean.dtype)
            return self.log_likelihood(x, self.decoder(z, given), given) - gaussian_kl(
                *self.encode(x, given), mean, log_std
            )
        kl = gaussian_kl(*self.encode(x, given))
        value = super().elbo(x, given, rng=rng)
        against = gaussian_kl(*self.encode(x, given), *self.expect(given))
        return value + against - kl if self.bug == "KL to N(0, I)" else -value if self.bug == "sign" else value

    def log_weights(self, x, given, k, *, rng=None):
        if self.bug == "another's c":
            given = given.roll(1, 0)
        log_w = super().log_weights(x, given, k, rng=rng)
        return log_w[:1].expand_as(log_w) if self.bug == "one draw" else log_w


RNG = torch.Generator().manual_seed(3)
X = torch.randn(3, 3, generator=RNG, dtype=torch.float64)
C = torch.randn(3, 2, generator=RNG, dtype=torch.float64)
ORDER = partial(laws.bounds_given_are_ordered, x=X, given=C, log_prob=Linear().truth(C).log_prob(X))


# A model that is told one class of all, and the one that is told nothing


def pair():
    torch.manual_seed(0)
    encoder, decoder = mlp([4 + 3, 8, 4]), mlp([2 + 3, 8, 4])
    told = CVAE(None, Told(encoder, OneHot(3)), Told(decoder, OneHot(3)), Bernoulli(), 2)
    plain = []
    for network, inputs in ((encoder, 4), (decoder, 2)):
        first = network[0]
        folded = affine(first.weight.detach()[:, :inputs], (first.bias + first.weight[:, inputs + 1]).detach())
        plain.append(nn.Sequential(folded, *network[1:]))
    return told.double(), GaussianVAE(*plain, Bernoulli(), 2).double()


class Spoiled:
    """The model with one of its bounds spoiled."""

    def __init__(self, bug):
        self.model, self.bug = pair()[0], bug

    def elbo(self, x, given, *, rng=None):
        given = given + 1 if self.bug == "another class" else given
        value = self.model.elbo(x, given, rng=rng)
        return value / 4 if self.bug == "mean over pixels" else value

    def log_weights(self, x, given, k, *, rng=None):
        log_w = self.model.log_weights(x, given, k, rng=rng)
        if self.bug == "axes":
            return log_w.T
        return log_w.mean(0, keepdim=True).expand_as(log_w) if self.bug == "mean of the draws" else log_w


BITS = torch.randint(0, 2, (6, 4), generator=RNG).double()
CONSTANT = partial(laws.constant_given_changes_nothing, plain=pair()[1], x=BITS, given=torch.ones(6, dtype=torch.long))


# A model that fills pictures


def filling():
    torch.manual_seed(1)
    shape, read = (1, 2, 3), nn.Identity()
    prior = nn.Sequential(nn.Flatten(), mlp([12, 8, 4]))
    decoder = Told(nn.Sequential(mlp([2 + 12, 8, 6]), nn.Unflatten(1, shape)), read)
    return CVAE(prior, Told(mlp([6 + 12, 8, 4]), read), decoder, Bernoulli(), 2, fills=True)


FILLING = filling()
PICTURES = torch.randint(0, 2, (20, 1, 2, 3), generator=RNG).float()
KEEPS = partial(laws.completion_keeps_the_known, x=PICTURES, levels=torch.tensor([0.0, 1.0]))


def decoded(x, known, *, rng):
    """All of it drawn, the known pixels too."""
    c = context(x, known)
    with torch.no_grad():
        z = torch.randn(len(x), 2, generator=rng)
        return torch.bernoulli(FILLING.decoder(z, c).sigmoid(), generator=rng)


def peeking(x, known, *, rng):
    """The posterior, which has seen the answer, in the place of the prior."""
    c = context(x, known)
    with torch.no_grad():
        z = FILLING.encode(10 * x, c)[0] * 5
        u = torch.rand(x.shape, generator=rng)
        return torch.where(known, x, (u < FILLING.decoder(z, c).sigmoid()).float())


def told_all(x, known, *, rng):
    return torch.where(known, x, FILLING.sample(len(x), context(x, torch.ones_like(known)), rng=rng))


def mean_filled(x, known, *, rng):
    return FILLING.answers(context(x, known), 1, rng=rng)[0]


def one_answer(x, known, *, rng):
    return complete(FILLING, x, known, rng=torch.Generator().manual_seed(0))


def own_noise(x, known, *, rng):
    return complete(FILLING, x, known)


def the_rest_kept(x, known, *, rng):
    return complete(FILLING, x, ~known, rng=rng)


KNOWN = torch.tensor([[[True, False, True], [False, True, False]]])
MASS = partial(laws.fillings_have_mass_one, x=PICTURES[0], known=KNOWN)


def weights(x, known, k, *, rng):
    return FILLING.log_weights(x, context(x, known), k, rng=rng)


def of_all_pixels(x, known, k, *, rng):
    whole = filling()
    whole.fills = False
    return whole.log_weights(x, context(x, known), k, rng=rng)


def regressor():
    torch.manual_seed(2)
    network = nn.Sequential(nn.Flatten(), mlp([12, 8, 6]), nn.Unflatten(1, (1, 2, 3)))
    model = Regressor(network, Bernoulli())
    return lambda x, known, k, *, rng: model.log_prob(x, context(x, known))[None]


RIGHT = {
    laws.kl_of_two_gaussians: (gaussian_kl, by_torch),
    ORDER: (Linear(),),
    CONSTANT: (pair()[0],),
    KEEPS: (partial(complete, FILLING),),
    MASS: (partial(weights), partial(regressor())),
}
BUGS = {
    laws.kl_of_two_gaussians: {
        "to N(0, I)": (lambda mean, s, m, t: gaussian_kl(mean, s), "dependence"),
        "the prior's spread left out": (lambda mean, s, m, t: gaussian_kl(mean, s, m), "dependence"),
        "q and p exchanged": (lambda mean, s, m, t: gaussian_kl(m, t, mean, s), "direction"),
        "σ² of the prior above": (
            lambda mean, s, m, t: 0.5 * (((mean - m) ** 2 + (2 * s).exp()) * (2 * t).exp() - 1 - 2 * (s - t)).sum(1),
            "spread",
        ),
        "log-variances": (lambda mean, s, m, t: gaussian_kl(mean, s / 2, m, t / 2), "spread"),
        "distance not scaled": (
            lambda mean, s, m, t: 0.5 * ((mean - m) ** 2 + (2 * (s - t)).exp() - 1 - 2 * (s - t)).sum(1),
            "spread",
        ),
        "mean over latents": (lambda mean, s, m, t: gaussian_kl(mean, s, m, t) / mean.shape[1], "reduction"),
        "sign": (lambda mean, s, m, t: -gaussian_kl(mean, s, m, t), "sign"),
        "½ more": (lambda mean, s, m, t: gaussian_kl(mean, s, m, t) + 0.5 * mean.shape[1], "constant"),
        "mean over the batch": (lambda mean, s, m, t: gaussian_kl(mean, s, m, t).mean(), "shape"),
        "the prior detached": (lambda mean, s, m, t: gaussian_kl(mean, s, m.detach(), t.detach()), "gradient"),
        "detached": (lambda mean, s, m, t: gaussian_kl(mean, s, m, t).detach(), "gradient"),
    },
    ORDER: {
        "KL to N(0, I) where the prior is learned": (Linear("KL to N(0, I)"), ""),
        "all against N(0, I)": (Linear("N(0, I)"), ""),
        "a narrow prior": (Linear("a narrow prior"), ""),
        "another's c": (Linear("another's c"), ""),
        "z of the prior in the bound of q": (Linear("q is the prior"), ""),
        "sign": (Linear("sign"), ""),
        "one draw for all": (Linear("one draw"), ""),
    },
    CONSTANT: {
        "another class": (Spoiled("another class"), ""),
        "mean over pixels": (Spoiled("mean over pixels"), ""),
        "axes exchanged": (Spoiled("axes"), "shape"),
        "one weight for all draws": (Spoiled("mean of the draws"), ""),
    },
    KEEPS: {
        "the known ones drawn too": (decoded, "dependence"),
        "the posterior in place of the prior": (peeking, "direction"),
        "told all pixels": (told_all, "direction"),
        "one answer for all": (one_answer, "randomness"),
        "noise of its own": (own_noise, "randomness"),
        "the mean": (mean_filled, "constant"),
        "the others kept": (the_rest_kept, "dependence"),
        "one row": (lambda x, known, *, rng: complete(FILLING, x, known, rng=rng)[:1], "shape"),
    },
    MASS: {
        "the known pixels have a probability too": (of_all_pixels, ""),
        "log-weights of another k": (lambda x, known, k, *, rng: weights(x, known, k, rng=rng).T, "shape"),
        "the mean over missing pixels": (lambda x, known, k, *, rng: weights(x, known, k, rng=rng) / 3, ""),
        "told all pixels": (lambda x, known, k, *, rng: weights(x, torch.ones_like(known), k, rng=rng), ""),
        "a constant less": (lambda x, known, k, *, rng: weights(x, known, k, rng=rng) - 0.3, ""),
        "NaN": (lambda x, known, k, *, rng: weights(x, known, k, rng=rng).log(), "not-finite"),
    },
}
