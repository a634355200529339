"""Style transfer on digits: does a small gap of statistics mean a transferred style? Two encoders, several seeds:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.style_transfer

Digits of 16x16 pixels, drawn in six ways. The encoder learns by drawing pictures again ("drawing"), or by naming way
and digit besides ("naming"); then the decoder learns with matched statistics. A judge that has seen other rows says
what digit and what way it sees. The weights of seed 0 are kept in half precision.
"""

from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.gan.style_transfer import RENDERINGS, StyleAutoencoder, StyleTransfer, enlarged, rendered
from gmcourse.protocols import Trainable
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

CLAIM = "gan/style_transfer"
TRAINING: dict[str, Any] = {"judge_rows": 600, "judge_steps": 400, "encoder_steps": 500, "decoder_steps": 400}
TRAINING |= {"batch_size": 32, "rate": 2e-3, "weight": 10.0}
SEEDS = range(5)


class Judge(nn.Module):
    """Two heads on a small convolutional network: the digit, and the way in which it is drawn."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.2),
        )
        self.digit, self.way = nn.Linear(512, 10), nn.Linear(512, len(RENDERINGS))

    def loss(self, x: Tensor, kinds: Tensor, digits: Tensor) -> Tensor:
        h = self.body(x)
        return nn.functional.cross_entropy(self.digit(h), digits) + nn.functional.cross_entropy(self.way(h), kinds)

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The digit and the way, (n,) each."""
        h = self.body(x)
        return self.digit(h).argmax(1), self.way(h).argmax(1)


def drawn(images: Tensor, digits: Tensor, seed: int, copies: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Each picture `copies` times, in random ways: pictures, ways, digits."""
    rng = torch.Generator().manual_seed(seed)
    images, digits = images.repeat(copies, 1, 1, 1), digits.repeat(copies)
    kinds = torch.randint(0, len(RENDERINGS), (len(images),), generator=rng)
    return rendered(images, kinds), kinds, digits


@cache
def splits() -> dict[str, tuple[Tensor, Tensor]]:
    """Pictures and digits: the judge's, the players', and those to be measured on."""
    digits, cut = load("digits"), TRAINING["judge_rows"]
    train, labels = enlarged(digits.train), evidence.labels(digits, "train")
    held = enlarged(torch.cat([digits.valid, digits.test]))
    others = {"judge": (train[:cut], labels[:cut]), "players": (train[cut:], labels[cut:])}
    return others | {"held": (held, evidence.labels(digits, "valid", "test"))}


@cache
def judge() -> Judge:
    torch.manual_seed(0)
    model = Judge()
    learn(model, drawn(*splits()["judge"], seed=0, copies=6), TRAINING["judge_steps"], 0)
    return model


def learn(model: Trainable, data: tuple[Tensor, ...], steps: int, seed: int) -> None:
    rate = held_then_falling(TRAINING["rate"], steps)
    fit(model, data, steps=steps, batch_size=TRAINING["batch_size"], lr=rate, seed=seed, progress=False)


def judged() -> dict[str, float]:
    """How often the judge is right on pictures of the held-out rows."""
    x, kinds, digits = drawn(*splits()["held"], seed=1)
    digit, way = judge()(x)
    return {"digit": _share(digit == digits), "way": _share(way == kinds)}


def measured(model: StyleTransfer, seed: int) -> dict[str, Any]:
    """Of 540 transfers: the content's digit seen, the style picture's digit seen, its way seen (each way), the gap."""
    images, digits = splits()["held"]
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    style, kinds, others = drawn(images[order], digits[order], seed=seed)
    seen = judge()  # which may have to learn first, and needs gradients
    with torch.no_grad():
        digit, way = seen(model(images, style))
    ways = [_share((way == kinds)[kinds == k]) for k in range(len(RENDERINGS))]
    found = {"content": _share(digit == digits), "leak": _share((digit == others)[others != digits])}
    return found | {"way": _share(way == kinds), "ways": ways, "gap": round(model.gap_left(images, style), 4)}


def run(weights: Path, *, encoder: str, seed: int) -> dict[str, Any]:
    data = drawn(*splits()["players"], seed=seed, copies=6)
    torch.manual_seed(seed)
    features = StyleAutoencoder(16, told=encoder == "naming")
    learn(features, data, TRAINING["encoder_steps"], seed)
    model = StyleTransfer(features.encoder, features.decoder, TRAINING["weight"])
    before = measured(model, seed)
    plain = splits()["players"][0].repeat(6, 1, 1, 1)
    learn(model, (plain, data[0][torch.randperm(len(plain))]), TRAINING["decoder_steps"], seed)
    if not seed:
        evidence.keep_weights(weights.with_suffix(".safetensors"), model, encoder)
    return {"before": before} | measured(model, seed)


def _share(hits: Tensor) -> float:
    return round(hits.double().mean().item(), 3)


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    evidence.rows(
        CLAIM,
        [{"encoder": encoder, "seed": seed} for seed in SEEDS for encoder in ("drawing", "naming")],
        partial(run, evidence.target(CLAIM, options)),
        options,
        training=TRAINING,
        judge=judged,
    )


if __name__ == "__main__":
    main()
