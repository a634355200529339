"""The laws of the chain pass right answers and catch each planted bug; tests of samples have the power they state."""

import math
from functools import partial

import pytest
import torch

from gmcourse.autoencoders.finite_chain import most_likely, posterior, relaxation, transition_matrix
from gmcourse.autoencoders.gsn import gsn_step, walkback_pairs
from gmcourse.laws import LawBroken
from gmcourse.laws.autoencoders import chain

EVEN = torch.full((6,), 1 / 6, dtype=torch.float64)


def gibbs(prior, corruption):
    """In numpy's words: the joint, then both of its conditionals."""
    joint = torch.einsum("x,xs->xs", prior, corruption)
    return torch.einsum("xs,ys->xy", corruption, joint / joint.sum(0))


def of_states(weights):
    return lambda n, rng: torch.multinomial(weights, n, replacement=True, generator=rng)


def one_walk(n, rng):
    """Successive states of one right chain, which seldom moves."""
    stays = torch.rand(n, generator=rng) < 0.95
    fresh, states = of_states(EVEN)(n, rng).tolist(), []
    for stay, new in zip(stays.tolist(), fresh, strict=True):
        states.append(states[-1] if stay and states else new)
    return torch.tensor(states)


def cloud(spread=1.0, shift=0.0):
    return lambda n, rng: shift + spread * torch.randn(n, 5, generator=rng)


HELD_OUT = cloud()(200, torch.Generator().manual_seed(99))


def by_loop(x, noise, corrupt, draw):
    reached, walker = [], x
    for j in range(len(noise)):
        spoilt = corrupt(walker, noise[j, 0])
        reached.append(spoilt)
        walker = draw(spoilt, noise[j, 1]).detach()
    return torch.cat(reached), torch.cat([x] * len(noise))


def previous_state(x, noise, corrupt, draw):
    reached, targets, walker = [], [], x
    for u, v in noise:
        targets.append(walker)
        reached.append(corrupt(walker, u))
        walker = draw(reached[-1], v)
    return torch.cat(reached), torch.cat(targets)


def from_the_start(x, noise, corrupt, draw):
    return torch.cat([corrupt(x, u) for u, _ in noise]), torch.cat([x] * len(noise))


def drawn_states(x, noise, corrupt, draw):
    states = [x]
    for u, v in noise:
        states.append(draw(corrupt(states[-1], u), v))
    return torch.cat(states[1:]), torch.cat([x] * len(noise))


def with_gradient(x, noise, corrupt, draw):
    reached, walker = [], x
    for u, v in noise:
        reached.append(corrupt(walker, u))
        walker = draw(reached[-1], v)
    return torch.cat(reached), torch.cat([x] * len(noise))


RIGHT = {
    chain.chain_keeps_its_law: (transition_matrix, gibbs),
    chain.memory_fades: (relaxation, lambda value: 1 / -math.log(abs(value))),
    chain.step_draws_its_posterior: (
        gsn_step,
        lambda x, noise, draw, s, v: (x + s * noise) * v / (v + s * s) + draw / math.sqrt(1 / v + 1 / s**2),
    ),
    chain.walkback_returns: (walkback_pairs, by_loop),
    partial(chain.states_are_a_sample, prior=EVEN): (of_states(EVEN),),
    partial(chain.samples_pass_for_data, held_out=HELD_OUT): (cloud(),),
}
BUGS = {
    chain.chain_keeps_its_law: {
        "normalised over the corrupted state": (
            lambda p, c: c @ torch.nan_to_num((p[:, None] * c).T / (p[:, None] * c).T.sum(0)),
            "direction",
        ),
        "P C for C P": (lambda p, c: posterior(p, c) @ c, "direction"),
        "the prior left out": (lambda p, c: c @ (c.T / c.sum(0)[:, None]), "constant"),
        "not normalised": (lambda p, c: c @ (p[:, None] * c).T, "constant"),
        "the likeliest for the draw": (lambda p, c: c @ most_likely(posterior(p, c)), "randomness"),
        "nothing spoilt": (lambda p, c: posterior(p, c), "dependence"),
        "frozen": (lambda p, c: torch.eye(len(p), dtype=torch.float64), "dependence"),
    },
    chain.memory_fades: {
        "one over the gap": (lambda value: 1 / (1 - value), "constant"),
        "without the sign": (lambda value: 1 / math.log(abs(value)), "sign"),
        "to a half": (lambda value: -math.log(2) / math.log(abs(value)), "log-mean"),
        "the rate": (lambda value: -math.log(abs(value)), "direction"),
    },
    chain.step_draws_its_posterior: {
        "the mean": (lambda x, noise, draw, s, v: v / (v + s**2) * (x + s * noise), "constant"),
        "one noise twice": (lambda x, noise, draw, s, v: gsn_step(x, noise, noise, s, v), "randomness"),
        "nothing spoilt": (lambda x, noise, draw, s, v: gsn_step(x, 0 * noise, draw, s, v), "dependence"),
        "noise after": (
            lambda x, noise, draw, s, v: gsn_step(x, 0 * noise, draw, s, v) + s * noise,
            "direction",
        ),
        "a for its root": (
            lambda x, noise, draw, s, v: v / (v + s**2) * (x + s * noise + s * draw),
            "spread",
        ),
        "the wrong share": (
            lambda x, noise, draw, s, v: s**2 / (v + s**2) * (x + s * noise) + math.sqrt(v / (v + s**2)) * s * draw,
            "direction",
        ),
        "one row": (lambda *parts: gsn_step(*parts)[:1].expand_as(parts[0]), "shape"),
    },
    chain.walkback_returns: {
        "the last state": (previous_state, "direction"),
        "always from x": (from_the_start, "dependence"),
        "its own input": (lambda *a: (walkback_pairs(*a)[0],) * 2, "direction"),
        "not spoilt again": (drawn_states, "constant"),
        "one noise for all steps": (
            lambda x, noise, c, d: walkback_pairs(x, noise[:1].expand_as(noise), c, d),
            "randomness",
        ),
        "a gradient through the walk": (with_gradient, "gradient"),
        "one result": (lambda *a: walkback_pairs(*a)[0], "container"),
    },
    partial(chain.states_are_a_sample, prior=EVEN): {
        "one walk": (one_walk, ""),
        "a lopsided law": (of_states(torch.tensor([0.25, 0.15, 0.15, 0.15, 0.15, 0.15])), ""),
        "absorbed": (lambda n, rng: torch.zeros(n, dtype=torch.long), ""),
    },
    partial(chain.states_are_a_sample, prior=torch.tensor([0.5, 0.5, 0.0])): {
        "an impossible state": (of_states(torch.tensor([0.49, 0.49, 0.02])), "constant"),
    },
    partial(chain.samples_pass_for_data, held_out=HELD_OUT): {
        "half the variance": (cloud(spread=math.sqrt(0.5)), ""),
        "moved": (cloud(shift=0.3), ""),
        "one for all": (lambda n, rng: cloud()(1, rng).expand(n, -1), "randomness"),
    },
}


# The tests of samples: their level, and their power


def share_refused(law, sampler, seeds=range(100), **options):
    refused = 0
    for seed in seeds:
        try:
            law(sampler, seed=seed, **options)
        except LawBroken:
            refused += 1
    return refused / len(seeds)


def test_the_chi_square_test_has_its_level_and_its_power():
    far = EVEN + torch.tensor([0.05, -0.05, 0, 0, 0, 0], dtype=torch.float64)
    evenly = EVEN + torch.tensor([0.05, *[-0.01] * 5], dtype=torch.float64)
    law = partial(share_refused, chain.states_are_a_sample, prior=EVEN)
    assert law(of_states(EVEN)) <= 0.05
    assert law(of_states(far)) > 0.93
    assert law(of_states(evenly)) == pytest.approx(0.79, abs=0.12)
    assert law(of_states(far), n=200) < 0.5


def test_the_tail_of_chi_square():
    assert chain.chi_square_tail(15.0863, 5) == pytest.approx(0.01, abs=1e-5)
    assert chain.chi_square_tail(0.0, 3) == 1


def test_the_permutation_test_has_its_level():
    p = []
    for seed in range(60):
        rng = torch.Generator().manual_seed(seed)
        x, y = cloud()(40, rng), cloud()(40, rng)
        p.append(chain.permutation_test(x, y, permutations=99, seed=seed)[2])
    assert sum(value <= 0.2 for value in p) / 60 == pytest.approx(0.2, abs=0.16)
    assert min(p) >= 0.01


def test_the_permutation_test_by_hand():
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [4.0]])
    value, _, p = chain.permutation_test(x, y)
    gaps = [1.0, 2.0, 2.0, 4.0, 3.0, 1.0]  # the six pairs; torch's median is the lower middle one of both orders
    h = sorted(gaps)[2]
    k = [math.exp(-(gap**2) / (2 * h**2)) for gap in (1, 2, 2, 4, 1, 3)]
    assert value == pytest.approx(k[0] + k[1] - (k[2] + k[3] + k[4] + k[5]) / 2)
    assert 0 < p <= 1
    with pytest.raises(ValueError, match=r"x, y: got shapes \(2, 1\) and \(3, 1\)"):
        chain.permutation_test(x, torch.zeros(3, 1))


def test_a_sample_at_the_level_itself_is_refused():
    drawn = cloud()(len(HELD_OUT), torch.Generator().manual_seed(0))
    p = chain.permutation_test(drawn, HELD_OUT)[2]
    with pytest.raises(LawBroken, match="shuffled labels"):
        chain.samples_pass_for_data(lambda n, rng: drawn, held_out=HELD_OUT, level=p)
    chain.samples_pass_for_data(lambda n, rng: drawn, held_out=HELD_OUT, level=p - 1e-6)
