"""One level of codes against two, with as many bits of codes: total lengths and what is read of the reconstructions.

    python -m benchmarks.vae.levels

Five seeds, pictures of 16 × 16. Each picture gets codes worth 640 bits when all are equally likely. Two levels: 4 × 4
codes and 8 × 8 codes, of 256 each. One level, as many codes: five of 256 for each of 4 × 4 blocks. One level, a fine
grid: 8 × 8 codes of 1024. Vectors of 4 × 4 codes are brought to the 8 × 8 grid by one linear map; from there on all
have the same decoder, but for the channels that enter, and before their codes each level has two 3 × 3 layers. Then a
Transformer of one layer learns the rows of codes; the top of two levels is handed no neighbours. Lengths are nats a
picture of the test split, p(x|k) a Gaussian whose σ is set after training, by the error on the training pictures: a
density's lengths, whose differences compare these rows.
"""

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.data import Dataset, load
from gmcourse.data.captioned_digits import attributes_of
from gmcourse.metrics.captioned import digit_of, place_of
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.captions import CaptionPrior
from gmcourse.vae.hierarchy import LevelNetworks, TwoLevelVQ
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.rows import CodeTransformer, above
from gmcourse.vae.vq import VQVAE, FromBlocks, ToBlocks

STEPS, RATE, PRIOR_STEPS, PRIOR_RATE, BATCH, WIDTH, DIMS, RAISED = 300, 3e-3, 200, 4e-3, 32, 48, 8, 16
BACK = (8, 7, 9)


def lower() -> nn.Sequential:
    return nn.Sequential(ToBlocks(2), nn.Conv2d(12, WIDTH, 3, padding=1), nn.SiLU())


def near(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, WIDTH, 3, padding=1), nn.SiLU(), nn.Conv2d(WIDTH, outputs, 1)]


def coarser(outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(WIDTH, 16, 1), ToBlocks(2), *near(64, outputs)]


def raised(inputs: int) -> list[nn.Module]:
    """Vectors on 4 × 4 places to the 8 × 8 of the fine codes, linear."""
    return [nn.Conv2d(inputs, 4 * RAISED, 1), FromBlocks(2)]


def decoder(inputs: int) -> list[nn.Module]:
    """From the 8 × 8 grid on, for all three: a pixel sees 5 × 5 places."""
    return [nn.Conv2d(inputs, WIDTH, 3, padding=1), nn.SiLU(), *near(WIDTH, 12), FromBlocks(2)]


def two_levels() -> tuple[TwoLevelVQ, nn.Module]:
    joined, upper = nn.Sequential(*near(WIDTH + RAISED, DIMS)), nn.Sequential(*coarser(DIMS))
    last = nn.Sequential(*raised(DIMS)), joined, nn.Sequential(*decoder(DIMS + RAISED))
    networks = LevelNetworks(lower(), upper, *last)
    books, places = (VectorQuantizer(256, DIMS), VectorQuantizer(256, DIMS)), ((4, 4), (8, 8))
    rows = CodeTransformer(256 + 1 + 256, (8, 8), above(*places), BACK)
    return TwoLevelVQ(networks, *books, Gaussian(0.1), places), CaptionPrior(rows, 256, 256, (16, 64), drop=0.0)


def five_codes() -> tuple[VQVAE, nn.Module]:
    encoder = nn.Sequential(*lower(), *coarser(5 * DIMS), nn.Unflatten(1, (DIMS, 5)))
    last = nn.Sequential(nn.Flatten(1, 2), *raised(5 * DIMS), *decoder(RAISED))
    model = VQVAE(encoder, VectorQuantizer(256, DIMS), last, Gaussian(0.1), (5, 4, 4))
    return model, CodeTransformer(256, (5, 4, 4), None, (16, 4, 3, 5))


def fine_grid() -> tuple[VQVAE, nn.Module]:
    encoder = nn.Sequential(*lower(), *near(WIDTH, DIMS))
    model = VQVAE(encoder, VectorQuantizer(1024, DIMS), nn.Sequential(*decoder(DIMS)), Gaussian(0.1), (8, 8))
    return model, CodeTransformer(1024, (8, 8), None, BACK)


KINDS = {"two levels": two_levels, "one level, five codes a block": five_codes, "one level, fine grid": fine_grid}
PLAN = [{"kind": kind, "seed": seed} for seed in range(5) for kind in KINDS]


def run(kind: str, seed: int) -> dict:
    data = load("captioned-digits")
    torch.manual_seed(seed)
    model, prior = KINDS[kind]()
    weights = sum(p.numel() for p in model.parameters())
    plan = {"batch_size": BATCH, "seed": seed, "progress": False}
    fit(model, (data.train,), steps=STEPS, lr=held_then_falling(RATE, STEPS), **plan)
    model.eval()
    with torch.no_grad():
        codes = model.codes(data.train)
        squared = (model.reconstruct(data.train) - data.train).square().mean()
        model.likelihood.log_std.copy_(squared.log() / 2)  # the likeliest σ on the training pictures
    levels = codes if isinstance(codes, tuple) else (codes,)
    rows = tuple(level.flatten(1) for level in reversed(levels))  # the bottom's codes, given the top's
    fit(prior, rows, steps=PRIOR_STEPS, lr=held_then_falling(PRIOR_RATE, PRIOR_STEPS), **plan)
    model.prior = prior.eval()
    used = [len(level.unique()) for level in levels]
    return {"parameters": weights, "used": used, **measured(model, data)}


@torch.no_grad()
def measured(model, data: Dataset) -> dict:
    """Of the test pictures: what the codes cost, level by level, and what is left of the pictures."""
    *codes, residual = (part.mean().item() for part in model.lengths(data.test))
    attributes, answer = attributes_of(evidence.labels(data, "test")), model.reconstruct(data.test)
    read = digit_of(answer, place_of(answer), attributes[:, 2] == 5) == attributes[:, 0]
    row = dict(zip(("top", "bottom"), codes, strict=True)) if len(codes) == 2 else {}
    row |= {"codes": sum(codes), "residual": residual, "total": sum(codes) + residual}
    row |= {"error": (answer - data.test).square().flatten(1).sum(1).mean().item(), "digit": read.float().mean().item()}
    row |= {"sigma": model.likelihood.log_std.exp().item()}
    return {name: round(value, 4) for name, value in row.items()}


if __name__ == "__main__":
    evidence.rows("vae/levels", PLAN, run, evidence.parser(__doc__).parse_args(), steps=STEPS, prior_steps=PRIOR_STEPS)
