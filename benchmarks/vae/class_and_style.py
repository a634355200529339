"""A model told the class of a digit: is the class that is asked for drawn, and what is left in the latent?

    OMP_NUM_THREADS=1 python -m benchmarks.vae.class_and_style

Binarised 8 x 8 digits, two latents, 1,000 steps of 128 pictures; the prior is N(0, I), or a Gaussian learned for each
class: nothing else differs. A logistic regression on the training digits reads classes of pictures of bits; "real" is
its accuracy on the test digits, what any other accuracy is to be held against. "asked": samples of a class; "swapped":
a test digit drawn again as the class three further on, z at its mean; "moved" is the same with ε = (z − m)/τ kept in
the place of z, m and τ those of the class's prior. "from_z": a logistic regression from the means of z to the class,
chance is 0.1. "ink", "place" (of the ink, left to right), "slant": the correlation of a test digit's own with those of
its swap (of E[x|z, c]), over the digits, the mean of its class taken off on either side, z kept; with "_moved", ε
kept. "nll" is exact to four digits, by a grid of 81 × 81 latents. All on the 360 test digits.
"""

import math
from typing import Any

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.conditional import CVAE, class_cvae
from gmcourse.vae.likelihoods import Bernoulli

CLAIM, SHAPE, STEPS = "vae/class_and_style", (1, 8, 8), 1_000
PLAN = [{"prior": prior, "seed": seed} for seed in range(5) for prior in ("N(0, I)", "learned")]


def slant(images: Tensor) -> Tensor:
    """How far the ink moves to the right from row to row downwards, (n,): the regression of columns on rows."""
    ink = images.flatten(0, 1)
    columns, rows = torch.arange(8.0), torch.arange(8.0)[:, None]
    mass = ink.sum((1, 2))
    across, down = ((ink * at).sum((1, 2)) / mass for at in (columns, rows))
    both = (ink * (columns - across[:, None, None]) * (rows - down[:, None, None])).sum((1, 2))
    return both / (ink * (rows - down[:, None, None]) ** 2).sum((1, 2))


TRAITS = {
    "ink": lambda images: images.sum((1, 2, 3)),
    "place": lambda images: (images.sum((1, 2)) @ torch.arange(8.0)) / images.sum((1, 2, 3)),
    "slant": slant,
}


@torch.no_grad()
def grid_nll(model: CVAE, x: Tensor, labels: Tensor) -> float:
    """−log p(x|c), mean over x, nats: the integral over two latents as a sum on a grid of ε = (z − m)/τ."""
    axis = torch.linspace(-5, 5, 81)
    noise = torch.cartesian_prod(axis, axis)
    log_area = torch.distributions.Normal(0.0, 1.0).log_prob(noise).sum(1) + 2 * math.log(10 / 80)
    total = 0.0
    for k in labels.unique().tolist():
        told, of_class = torch.full((len(noise),), k), x[labels == k]
        mean, log_std = model.expect(told)
        parameters = model.decoder(mean + log_std.exp() * noise, told)
        logits = parameters.flatten(1)
        log_p = of_class.flatten(1) @ logits.T - nn.functional.softplus(logits).sum(1)
        total -= (log_p + log_area).logsumexp(1).sum().item()
    return total / len(x)


def correlation(a: Tensor, b: Tensor, labels: Tensor) -> float:
    """Of two numbers of each digit, the mean of its class taken off."""
    parts = []
    for values in (a, b):
        means = torch.stack([values[labels == k].mean() for k in range(10)])
        parts.append(values - means[labels])
    return torch.corrcoef(torch.stack(parts))[0, 1].item()


def share(reader: Any, x: Tensor, labels: Tensor) -> float:
    """How many are read as their labels."""
    return float(reader.score(x.flatten(1).numpy(), labels.numpy()))


def measured(model: CVAE, reader: Any, digits: Any) -> dict[str, float]:
    x, labels, rng = digits.test, digits.labels["test"], torch.Generator().manual_seed(0)
    with torch.no_grad():
        z, _ = model.eval().encode(x, labels)
        other = (labels + 3) % 10
        (m, log_tau), (m_other, log_tau_other) = model.expect(labels), model.expect(other)
        swapped = model.decode(z, other)
        moved = model.decode(m_other + (log_tau_other - log_tau).exp() * (z - m), other)
        seen = model.encode(digits.train, digits.labels["train"])[0]
    codes = LogisticRegression(max_iter=2000).fit(seen.numpy(), digits.labels["train"].numpy())
    kept = {name: correlation(of(x), of(swapped), labels) for name, of in TRAITS.items()}
    kept |= {f"{name}_moved": correlation(of(x), of(moved), labels) for name, of in TRAITS.items()}
    return {
        "nll": grid_nll(model, x, labels),
        "real": share(reader, x, labels),
        "asked": share(reader, model.sample(len(x), labels, rng=rng), labels),
        "swapped": share(reader, torch.bernoulli(swapped, generator=rng), other),
        "moved": share(reader, torch.bernoulli(moved, generator=rng), other),
        "from_z": share(codes, z, labels),
        **kept,
    }


def run(prior: str, seed: int) -> dict:
    digits = load("binarized-digits")
    reader = LogisticRegression(max_iter=2000).fit(digits.train.flatten(1).numpy(), digits.labels["train"].numpy())
    torch.manual_seed(seed)
    model = class_cvae(SHAPE, 10, 2, Bernoulli(), learned_prior=prior == "learned")
    batch, options = digits.batch("train", told=True), {"steps": STEPS, "batch_size": 128}
    fit(model, batch, seed=seed, lr=held_then_falling(3e-3, STEPS), progress=False, **options)
    return {name: round(value, 4) for name, value in measured(model, reader, digits).items()}


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args())
