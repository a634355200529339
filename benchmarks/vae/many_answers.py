"""The left half of a digit is given: one answer or many? Four models of the missing half by four numbers.

    OMP_NUM_THREADS=1 python -m benchmarks.vae.many_answers

Binarised 8 x 8 digits, 32 pixels to fill. All three networks have hidden layers of 128 with a dropout of 0.2, and are
trained in the same 1,500 steps of 128 digits, Adam's rate held for half of them and then brought to 0. "no context" is
the ink of each pixel alone. All numbers are of the 360 test digits. "nll" is in nats for the missing half: exact, but
for the CVAE, where it is minus an importance-weighted bound of 300 draws, in expectation not below the true one. Errors
are squared, summed over the missing half, of E[x|z, c]: of one answer (the mean of 50 errors), of the best of 50, of
the mean of 50 answers. "grey" is the share of missing pixels between 0.2 and 0.8, "diversity" the variance of the 50
answers.
"""

import math

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import importance_weighted, mean_elbo
from gmcourse.nets import mlp
from gmcourse.probability import gaussian_kl, mean_logits
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit
from gmcourse.vae.answers import Regressor, best_of, diversity
from gmcourse.vae.conditional import CVAE, filling_cvae
from gmcourse.vae.likelihoods import Bernoulli, Gaussian
from gmcourse.vae.told import context

CLAIM, SHAPE, STEPS, ANSWERS = "vae/many_answers", (1, 8, 8), 1_500, 50
MODELS = ("squared error", "cross-entropy", "CVAE")
PLAN = [{"model": "no context", "seed": 0}, *({"model": model, "seed": seed} for seed in range(5) for model in MODELS)]


def left_half() -> Tensor:
    """The mask of what is given."""
    known = torch.zeros(SHAPE, dtype=torch.bool)
    known[..., :4] = True
    return known


def regressor(squared: bool) -> Regressor:
    """One answer to each question, trained by squared error or by cross-entropy."""
    head = [nn.Sigmoid()] if squared else []
    network = nn.Sequential(nn.Flatten(), mlp([128, 128, 64], dropout=0.2), *head, nn.Unflatten(1, SHAPE))
    return Regressor(network, Gaussian(math.sqrt(0.5)) if squared else Bernoulli())


def of_answers(x: Tensor, answers: Tensor) -> dict:
    """What the answers (S, n, 1, 8, 8) are by themselves, and how far they are from the truth."""
    missing = answers[:, :, ~left_half()]
    numbers = {
        "one": (answers - x).square().flatten(2).sum(2).mean(0),
        "best": best_of(answers, x),
        "mean": best_of(answers.mean(0, keepdim=True), x),
        "grey": ((missing > 0.2) & (missing < 0.8)).float(),
        "diversity": diversity(answers),
    }
    return {name: round(value.mean().item(), 4) for name, value in numbers.items()}


def of_one_answer(x: Tensor, answer: Tensor) -> dict:
    """A model with one answer (n, 1, 8, 8): its pixels are independent, with the answer as their means."""
    p = answer[:, ~left_half()].clamp(1e-4, 1 - 1e-4)
    truth = x[:, ~left_half()]
    nll = -(truth * p.log() + (1 - truth) * (1 - p).log()).sum(1).mean()
    return {"nll": round(nll.item(), 4)} | of_answers(x, answer[None])


def of_cvae(model: CVAE, x: Tensor, given: Tensor) -> dict:
    """Its bounds, what its latent costs, and its answers."""
    rng = torch.Generator().manual_seed(0)
    nll = -importance_weighted(model, x, 300, rng, batch_size=60, chunk=100, given=given).mean().item()
    elbo = mean_elbo(model, x.repeat(10, 1, 1, 1), rng, given=given.repeat(10, 1, 1, 1)).mean
    with torch.no_grad():
        kl = gaussian_kl(*model.eval().encode(x, given), *model.expect(given)).mean().item()
    bounds = {"nll": round(nll, 4), "minus_elbo": round(-elbo, 4), "kl": round(kl, 4)}
    return bounds | of_answers(x, model.answers(given, ANSWERS, rng=rng))


def run(model: str, seed: int) -> dict:
    digits, known = load("binarized-digits"), left_half()
    told, test = context(digits.train, known), context(digits.test, known)
    if model == "no context":
        ink = mean_logits(digits.train).sigmoid().view(SHAPE).expand_as(digits.test)
        return of_one_answer(digits.test, torch.where(known, digits.test, ink))
    torch.manual_seed(seed)
    filler = filling_cvae(SHAPE, 6, dropout=0.2) if model == "CVAE" else regressor(model == "squared error")
    lr = held_then_falling(3e-3, STEPS)
    fit(filler, (digits.train, told), steps=STEPS, batch_size=128, lr=lr, seed=seed, progress=False)
    if isinstance(filler, Regressor):
        return of_one_answer(digits.test, filler.answer(test))
    return of_cvae(filler, digits.test, test)


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args())
