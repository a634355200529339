"""A model told the class of a digit: is the class that is asked for drawn, and what is left in the latent?

    OMP_NUM_THREADS=1 python -m benchmarks.vae.class_and_style

Binarised 8 x 8 digits, two latents, 1,000 steps of 128 pictures; the prior is N(0, I), or a Gaussian learned for each
class: nothing else differs. A logistic regression on the training digits reads classes of pictures of bits; "real" is
its accuracy on the test digits, what any other accuracy is to be held against. "asked": samples of a class; "swapped":
z of a test digit at its mean, drawn again as the class three further on; "from_z": a logistic regression from the means
of z to the class, chance is 0.1. "ink" and "slant": the correlation of a test digit's own with those of its swap (of
E[x|z, c]), over the digits, the mean of its class taken off on either side. All on the 360 test digits.
"""

from typing import Any

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import importance_weighted
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
    across, down = ((ink * place).sum((1, 2)) / mass for place in (columns, rows))
    both = (ink * (columns - across[:, None, None]) * (rows - down[:, None, None])).sum((1, 2))
    return both / (ink * (rows - down[:, None, None]) ** 2).sum((1, 2))


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
        swapped = model.decode(z, other)
        seen = model.encode(digits.train, digits.labels["train"])[0]
    codes = LogisticRegression(max_iter=2000).fit(seen.numpy(), digits.labels["train"].numpy())
    nll = -importance_weighted(model, x, 100, rng, batch_size=60, chunk=100, given=labels).mean().item()
    return {
        "nll": nll,
        "real": share(reader, x, labels),
        "asked": share(reader, model.sample(len(x), labels, rng=rng), labels),
        "swapped": share(reader, torch.bernoulli(swapped, generator=rng), other),
        "from_z": share(codes, z, labels),
        "ink": correlation(x.sum((1, 2, 3)), swapped.sum((1, 2, 3)), labels),
        "slant": correlation(slant(x), slant(swapped), labels),
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
