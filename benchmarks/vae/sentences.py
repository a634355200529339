"""What keeps the latent of a sentence VAE in use: the KL's weight raised late, words dropped, both, or neither?

    OMP_NUM_THREADS=1 python -m benchmarks.vae.sentences

`wait` steps without the KL and as many in which its weight rises; `keep`, the share of words that the decoder reads in
training. Rows of the same seed differ in these alone: 600 steps of 64 sentences, the rate 8e-3 held and then
falling. Nats a sentence, every word read unless said: −ELBO on train, on test, on the whole grammar (all 2,592
sentences by their probabilities), and on test with words dropped as in training; −IWAE with K = 50 draws on the 216
sentences of test. Over 1,000 draws of the grammar, at one draw of z each: the KL, I(x; z), and of each fact I(f; z) and
how often the likeliest value is right, all by the exact p(x|z) among the sentences. Of 500 draws of the prior, decoded
word by word by the likeliest: the share in the grammar, and how many differ. Of the five sentences between 50 pairs of
test sentences: the share in the grammar. "curve": the KL on valid after every 50 steps.
"""

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.data.sentences import FACTS, grammar
from gmcourse.probability import gaussian_kl
from gmcourse.schedules import held_then_falling
from gmcourse.training import descend
from gmcourse.vae.aggregate import information, log_fact, log_owner
from gmcourse.vae.gaussian import log_evidence, reparameterize
from gmcourse.vae.sentence import SentenceVAE, between

STEPS, LATENTS, K = 600, 8, 50
SIZES = {"embedding": 24, "hidden": 48, "latent_size": LATENTS}
WAYS = ((0.5, 150), (1.0, 0), (1.0, 150), (0.5, 0))  # both, neither, the weight alone, the words alone
PLAN = [{"keep": keep, "wait": wait, "seed": seed} for seed in range(5) for keep, wait in WAYS]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def run(keep: float, wait: int, seed: int) -> dict:
    data = load("sentences")
    torch.manual_seed(seed)
    model = SentenceVAE(65, 12, **SIZES, keep=keep, wait=wait, ramp=wait, stop=0)
    rate = held_then_falling(8e-3, STEPS)
    curve = []
    for state in descend(model, (data.train,), steps=STEPS, batch_size=64, lr=rate, seed=seed):
        if (state.step + 1) % 50 == 0:
            with torch.no_grad():
                curve.append(round(gaussian_kl(*model.encode(data.valid[:200])).mean().item(), 3))
    with torch.no_grad():
        found = bounds(model, data.train, data.test, keep) | carried(model) | written(model, data.test)
    return {name: round(value, 4) for name, value in found.items()} | {"curve": curve}


def bounds(model: SentenceVAE, train: Tensor, test: Tensor, keep: float) -> dict[str, float]:
    whole = grammar().sentences
    p = grammar().log_prob(whole).exp()
    mean, log_std = model.encode(test)
    z = reparameterize(mean, log_std, torch.randn(mean.shape, generator=seeded(1)))
    blind = model.decoder.log_likelihood(test, z, torch.rand(test.shape, generator=seeded(2)), keep)
    sentences = test.unique(dim=0)
    shares = grammar().log_prob(sentences).softmax(0)
    weights = torch.cat([model.log_weights(sentences, 10, rng=seeded(k)) for k in range(K // 10)])
    return {
        "train": -model.elbo(train, rng=seeded()).mean().item(),
        "test": -model.elbo(test, rng=seeded()).mean().item(),
        "grammar": -(model.elbo(whole, rng=seeded()).double() @ p).item(),
        "dropped": (gaussian_kl(mean, log_std) - blind).mean().item(),
        "iwae": -(log_evidence(weights).double() @ shares).item(),
    }


def carried(model: SentenceVAE) -> dict[str, float]:
    """What z knows, over draws of the grammar."""
    whole = grammar().sentences
    log_p, facts = grammar().log_prob(whole), grammar().facts(whole)
    own = torch.multinomial(log_p.exp(), 1_000, replacement=True, generator=seeded(6))
    mean, log_std = model.encode(whole)
    z = reparameterize(mean[own], log_std[own], torch.randn(len(own), LATENTS, generator=seeded()))
    owner = log_owner(z.double(), mean.double(), log_std.double(), log_p)
    found = {
        "kl": gaussian_kl(mean, log_std)[own].mean().item(),
        "information": information(owner, log_p, own).mean().item(),
    }
    for i, (name, values) in enumerate(FACTS.items()):
        of_fact = log_fact(owner, facts[:, i], values)
        shares, said = torch.bincount(facts[:, i], log_p.exp()).log(), facts[own, i]
        found[f"{name}_nats"] = (of_fact.gather(1, said[:, None])[:, 0] - shares[said]).mean().item()
        found[f"{name}_right"] = (of_fact.argmax(1) == said).double().mean().item()
    return found


def written(model: SentenceVAE, test: Tensor) -> dict[str, float]:
    """What the decoder makes of the prior's draws, and of what lies between two sentences."""
    x = model.decode(torch.randn(500, LATENTS, generator=seeded(3)))
    pairs = test.unique(dim=0)[torch.randperm(216, generator=seeded(4))[:100]]
    ends, _ = model.encode(pairs)
    lines = [between(a, b, torch.linspace(0, 1, 7)[1:-1]) for a, b in ends.view(50, 2, -1)]
    inside = model.decode(torch.cat(lines))
    return {
        "prior": grammar().holds(x).double().mean().item(),
        "different": float(len(x.unique(dim=0))),
        "drawn": grammar().holds(model.sample(500, rng=seeded(5))).double().mean().item(),
        "between": grammar().holds(inside).double().mean().item(),
    }


if __name__ == "__main__":
    evidence.rows("vae/sentences", PLAN, run, evidence.parser(__doc__).parse_args(), steps=STEPS, latents=LATENTS, k=K)
