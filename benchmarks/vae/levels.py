"""One level of codes against two, with as many bits of codes: total lengths and what is read of the reconstructions.

    python -m benchmarks.vae.levels

Three seeds, pictures of 16 × 16. Each picture gets codes worth 640 bits when all are equally likely. Two levels:
4 × 4 codes and 8 × 8 codes, of 256 each. One level, as many codes: five of 256 for each of 4 × 4 blocks. One level, a
fine grid: 8 × 8 codes of 1024. Then a Transformer of one layer learns the rows of codes. Lengths are nats a picture of
the test split, p(x|k) a Gaussian whose σ is set after training, by the error on the training pictures: a density's
lengths, whose differences compare these rows. The encoders and decoders differ in depth too: the fine grid's decoder
has a second 3 × 3 layer on its codes, that of two levels a 1 × 1 layer in its place.
"""

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.data.captioned_digits import attributes_of
from gmcourse.metrics.captioned import digit_of, place_of
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.hierarchy import LevelNetworks, TwoLevelVQ
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer, usage
from gmcourse.vae.rows import CodeTransformer, above
from gmcourse.vae.vq import VQVAE, FromBlocks, ToBlocks

STEPS, RATE, PRIOR_STEPS, PRIOR_RATE, BATCH, WIDTH, DIMS = 300, 3e-3, 200, 4e-3, 32, 48, 8
KINDS = ("two levels", "one level, five codes a block", "one level, fine grid")
BACK = (8, 7, 9)


def near(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, WIDTH, 3, padding=1), nn.SiLU(), nn.Conv2d(WIDTH, outputs, 1)]


def two_levels() -> TwoLevelVQ:
    lower = nn.Sequential(ToBlocks(2), nn.Conv2d(12, WIDTH, 3, padding=1), nn.SiLU())
    upper = nn.Sequential(nn.Conv2d(WIDTH, 16, 1), ToBlocks(2), *near(64, DIMS))
    raised = nn.Sequential(*near(DIMS, 64), FromBlocks(2))
    joined = nn.Sequential(*near(WIDTH + 16, DIMS))
    decoder = nn.Sequential(*near(DIMS + 16, WIDTH), nn.SiLU(), nn.Conv2d(WIDTH, 12, 1), FromBlocks(2))
    books = VectorQuantizer(256, DIMS), VectorQuantizer(256, DIMS)
    rows = CodeTransformer(256 + 1 + 256, (8, 8), above((4, 4), (8, 8)), BACK)
    prior = CaptionPrior(rows, 256, 256, (16, 64), drop=0.0)
    networks = LevelNetworks(lower, upper, raised, joined, decoder)
    return TwoLevelVQ(networks, *books, Gaussian(0.1), ((4, 4), (8, 8)), prior)


def five_codes() -> VQVAE:
    middle = [nn.SiLU(), nn.Conv2d(WIDTH, 16, 1), ToBlocks(2), *near(64, 5 * DIMS), nn.Unflatten(1, (DIMS, 5))]
    encoder = nn.Sequential(ToBlocks(2), nn.Conv2d(12, WIDTH, 3, padding=1), *middle)
    last = [FromBlocks(2), *near(16, WIDTH), nn.SiLU(), nn.Conv2d(WIDTH, 12, 1), FromBlocks(2)]
    decoder = nn.Sequential(nn.Flatten(1, 2), *near(5 * DIMS, 64), *last)
    prior = CodeTransformer(256, (5, 4, 4), None, (16, 4, 3, 5))
    return VQVAE(encoder, VectorQuantizer(256, DIMS), decoder, Gaussian(0.1), (5, 4, 4), prior)


def fine_grid() -> VQVAE:
    encoder = nn.Sequential(ToBlocks(2), nn.Conv2d(12, WIDTH, 3, padding=1), nn.SiLU(), *near(WIDTH, DIMS))
    last = [nn.SiLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.SiLU(), nn.Conv2d(WIDTH, 12, 1), FromBlocks(2)]
    decoder = nn.Sequential(nn.Conv2d(DIMS, WIDTH, 3, padding=1), *last)
    prior = CodeTransformer(1024, (8, 8), None, BACK)
    return VQVAE(encoder, VectorQuantizer(1024, DIMS), decoder, Gaussian(0.1), (8, 8), prior)


def autoencoder_parameters(model: nn.Module) -> int:
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("prior"))


class Codes(nn.Module):
    """The autoencoder alone: its loss without the prior, which learns afterwards."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        prior, self.model.prior = self.model.prior, _Free()
        terms = self.model.loss(x)
        self.model.prior = prior
        return terms

    def after_step(self) -> None:
        self.model.after_step()


class _Free(nn.Module):
    """No price for codes."""

    def log_prob(self, codes: Tensor, given: Tensor | None = None) -> Tensor:
        return torch.zeros(len(codes))

    def prefix_log_prob(self, given: Tensor) -> Tensor:
        return torch.zeros(len(given))


def measure(kind: str, seed: int) -> dict:
    data = load("captioned-digits")
    torch.manual_seed(seed)
    model = dict(zip(KINDS, (two_levels, five_codes, fine_grid), strict=True))[kind]()
    plan = {"batch_size": BATCH, "seed": seed, "progress": False}
    fit(Codes(model), (data.train,), steps=STEPS, lr=held_then_falling(RATE, STEPS), **plan)
    model.eval()
    with torch.no_grad():
        codes = model.codes(data.train)
        squared = (model.reconstruct(data.train) - data.train).square().mean()
        model.likelihood.log_std.copy_(squared.log() / 2)  # the likeliest σ on the training pictures
    levels = [codes] if isinstance(codes, Tensor) else list(codes)
    rows = [level.flatten(1) for level in levels]
    lr = held_then_falling(PRIOR_RATE, PRIOR_STEPS)
    fit(model.prior, tuple(reversed(rows)), steps=PRIOR_STEPS, lr=lr, **plan)
    return results(model.eval(), data, levels)


@torch.no_grad()
def results(model, data, levels: list[Tensor]) -> dict:
    attributes, lengths = attributes_of(data.labels["test"]), model.lengths(data.test)
    *codes, residual = (part.mean().item() for part in lengths)
    answer = model.reconstruct(data.test)
    error = (answer - data.test).square().flatten(1).sum(1).mean().item()
    read = digit_of(answer, place_of(answer), attributes[:, 2] == 5) == attributes[:, 0]
    row = {"parameters": autoencoder_parameters(model), "sigma": model.likelihood.log_std.exp().item()}
    row |= {"error": error, "digit": read.float().mean().item(), "codes": sum(codes), "residual": residual}
    row |= {"top": codes[0]} if len(codes) == 2 else {}
    sizes = [256, 256] if len(levels) == 2 else [1024 if levels[0][0].numel() == 64 else 256]
    used = [int((usage(level, size) > 0).sum()) for level, size in zip(levels, sizes, strict=True)]
    return {name: round(value, 4) for name, value in row.items()} | {
        "total": round(sum(codes) + residual, 3),
        "used": used,
    }


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    plan = [{"kind": kind, "seed": seed} for seed in range(3) for kind in KINDS]
    evidence.rows(
        "vae/levels",
        plan,
        measure,
        options,
        steps=STEPS,
        rate=RATE,
        prior_steps=PRIOR_STEPS,
        prior_rate=PRIOR_RATE,
        batch=BATCH,
        width=WIDTH,
    )
