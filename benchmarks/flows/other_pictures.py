"""Which pictures of another kind a flow finds cheaper than those it was trained on: bits/dim and AUROC, five seeds.

    python -m benchmarks.flows.other_pictures

The kinds are the 8 × 8 squares of either of scikit-learn's two photographs, 17 levels of grey. A Gaussian with the mean
and the covariance of the training squares is measured beside the flow.
"""

import math

import torch
from sklearn.datasets import load_sample_image

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.flows.dequantise import Dequantized, Logit, UniformNoise
from gmcourse.flows.glow import Glow
from gmcourse.training import fit

CLAIM = "flows/other_pictures"
LEVELS, DIMS, HELD = 17, 64, 500
BITS = DIMS * math.log(2)
PLAN = {"steps": 250, "batch": 32, "rate": 4e-3, "width": 32, "draws": 4}


def squares(name: str) -> torch.Tensor:
    """All 8 × 8 squares of a photograph side by side, (n, 1, 8, 8), in an order of their own, as levels/16."""
    grey = torch.tensor(load_sample_image(name)).float().mean(-1) / 255
    parts = grey.unfold(0, 8, 8).unfold(1, 8, 8).reshape(-1, 1, 8, 8)
    return (parts * 16).round()[torch.randperm(len(parts), generator=torch.Generator().manual_seed(0))] / 16


def kinds(own: torch.Tensor, other: torch.Tensor) -> dict[str, torch.Tensor]:
    """The held-out squares, and as many pictures of each other kind."""
    mean = own.mean((1, 2, 3), keepdim=True)
    order = torch.rand(len(own), DIMS, generator=torch.Generator().manual_seed(0)).argsort(1)
    return {
        "own, held out": own,
        "the other photograph": other,
        "half the contrast": levels(mean + (own - mean) / 2),
        "constant": levels(mean.expand_as(own)),
        "pixels shuffled": own.flatten(1).gather(1, order).view_as(own),
        "inverted": 1 - own,
        "digits": load("digits").test,
    }


def levels(x: torch.Tensor) -> torch.Tensor:
    return (x * 16).round() / 16


def train(own: torch.Tensor, seed: int) -> Dequantized:
    torch.manual_seed(seed)
    model = Dequantized(Glow((1, 8, 8), steps=4, width=PLAN["width"], before=[Logit()]), LEVELS)

    def lr(k: int) -> float:
        return PLAN["rate"] * min(1, (k + 1) / 50, 1.5 * (1 - k / PLAN["steps"]))

    fit(model, (own,), steps=PLAN["steps"], batch_size=PLAN["batch"], clip=50.0, seed=seed, lr=lr)
    return model


@torch.no_grad()
def bits(model: Dequantized, x: torch.Tensor) -> torch.Tensor:
    """A bound on bits/dim of each, the mean of a few single draws."""
    rng = torch.Generator().manual_seed(0)
    return -torch.cat([model.log_weights(part, PLAN["draws"], rng=rng).mean(0) for part in x.split(60)]) / BITS


class Gaussian:
    """The Gaussian of the training squares' mean and covariance, noise included, over levels + noise."""

    def __init__(self, own: torch.Tensor):
        v = own.double().flatten(1) * (LEVELS - 1) + 0.5
        covariance = v.T.cov() + torch.eye(DIMS, dtype=v.dtype) / 12  # of uniform noise
        self.normal = torch.distributions.MultivariateNormal(v.mean(0), covariance)

    def log_weights(self, x: torch.Tensor, k: int, *, rng: torch.Generator) -> torch.Tensor:
        codes = (x.double() * (LEVELS - 1)).flatten(1).expand(k, len(x), DIMS)
        u, _ = UniformNoise().draw(codes, rng)
        return self.normal.log_prob(codes + u)


def auroc(own: torch.Tensor, other: torch.Tensor) -> float:
    """The probability that a picture of the other kind costs more than one of its own; ties count one half."""
    difference = other[:, None] - own
    return ((difference > 0).double() + (difference == 0).double() / 2).mean().item()


def run(*, trained_on: str, seed: int) -> dict:
    photographs = {name: squares(f"{name}.jpg") for name in ("china", "flower")}
    own = photographs.pop(trained_on)
    (other,) = photographs.values()
    sets = kinds(own[:HELD], other[:HELD])
    row = {}
    for name, model in {"flow": train(own[HELD:], seed), "gaussian": Gaussian(own[HELD:])}.items():
        found = {kind: bits(model, x) for kind, x in sets.items()}
        reference = found["own, held out"]
        row[name] = {
            kind: {"bits": round(b.mean().item(), 4), "auroc": round(auroc(reference, b), 4)}
            for kind, b in found.items()
        }
    return row


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    plan = [{"trained_on": name, "seed": seed} for name in ("china", "flower") for seed in range(5)]
    evidence.rows(CLAIM, plan, run, options, held_out=HELD, **PLAN)


if __name__ == "__main__":
    main()
