"""The restricted Boltzmann machine, against sums over every string of bits."""

import copy
import math
from itertools import product

import pytest
import torch

from gmcourse.data import Dataset
from gmcourse.laws.mass import sums_to_one
from gmcourse.schedules import held_then_falling
from gmcourse.scores.enumerated import all_bits, exact_draws, free_energy, log_partition, sweep_matrix
from gmcourse.scores.rbm import RBM, gibbs_sweep, joint_energy, make_rbm, statistics
from gmcourse.training import fit

TOY = tuple(
    torch.tensor(values, dtype=torch.float64) for values in ([[2.0], [2.0]], [-1.0, -1.0], [-2.0])
)  # W, b, c: two pixels that like to be equal


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def strings(n):
    return torch.tensor(list(product([0.0, 1.0], repeat=n)), dtype=torch.float64)


def small(hidden=3, scale=1.0, seed=0, shape=(1, 2, 3), **options):
    torch.manual_seed(seed)
    model = RBM(shape, hidden, **options).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    return model


def bits(n, seed=0, shape=(1, 2, 3)):
    return torch.randint(0, 2, (n, *shape), generator=seeded(seed)).double()


def probabilities(terms):
    return (-free_energy(strings(len(terms[1])), *terms) - log_partition(*terms)).exp()


# What can be counted


def test_the_toy_by_hand():
    assert log_partition(*TOY).item() == pytest.approx(
        math.log((1 + math.exp(-1)) ** 2 + math.exp(-2) * (1 + math.e) ** 2)
    )
    assert probabilities(TOY).tolist() == pytest.approx([0.3034, 0.1966, 0.1966, 0.3034], abs=1e-4)
    assert free_energy(strings(2), *TOY).tolist() == pytest.approx([-0.1269, 0.3069, 0.3069, -0.1269], abs=1e-4)


def test_the_strings_stand_in_the_order_of_counting():
    assert torch.equal(all_bits(3, torch.zeros(1, dtype=torch.float64)), strings(3))
    with pytest.raises(ValueError, match="n: got 21 bits, expected at most 20"):
        all_bits(21, torch.zeros(1))


def test_the_free_energy_is_that_of_the_joint():
    model = small()
    x, h = bits(4).flatten(1), strings(3)
    pairs = torch.stack([joint_energy(x, row.expand(4, -1), *model.terms) for row in h], 1)
    torch.testing.assert_close(model.energy(bits(4)), -(-pairs).logsumexp(1))


@pytest.mark.parametrize(("shape", "hidden"), [((1, 3, 4), 5), ((1, 2, 2), 14), ((1, 1, 1), 1)])
def test_the_mass_is_one(shape, hidden):
    model = small(hidden, shape=shape).float()
    log_z = log_partition(*model.terms)
    dims = math.prod(shape)
    sums_to_one(lambda x: -model.energy(x.view(-1, *shape)) - log_z, dims=dims, tolerance=1e-5)


def test_either_layer_may_be_listed():
    weight, bias, hidden_bias = small(4).terms
    torch.testing.assert_close(log_partition(weight, bias, hidden_bias), log_partition(weight.T, hidden_bias, bias))
    with pytest.raises(ValueError, match="got 30 bits"):
        log_partition(torch.zeros(30, 40), torch.zeros(30), torch.zeros(40))


def test_exact_draws_have_the_exact_shares():
    model = small(2, shape=(1, 1, 3))
    draws = exact_draws(20_000, *model.terms, rng=seeded())
    place = (draws @ torch.tensor([4.0, 2.0, 1.0], dtype=torch.float64)).long()
    shares, exact = torch.bincount(place, minlength=8) / 20_000, probabilities(model.terms).detach()
    assert ((shares - exact).abs() < 4.5 * (exact * (1 - exact) / 20_000).sqrt() + 1e-4).all()


# The walk


def test_a_sweep_keeps_the_law_and_can_be_turned_round():
    terms = small(2, scale=2.0).terms
    p, transition = probabilities(terms), sweep_matrix(*terms)
    assert (transition.sum(1) - 1).abs().max() < 1e-12
    assert (p @ transition - p).abs().max() < 1e-12
    flow = p[:, None] * transition
    assert (flow - flow.T).abs().max() < 1e-12


def test_the_toy_s_memory():
    assert torch.linalg.eigvals(sweep_matrix(*TOY)).abs().sort().values[-2].item() == pytest.approx(0.3519, abs=1e-4)


def test_a_walk_is_sweeps_one_after_the_other():
    model, x = small(), bits(5)
    rng, expected = seeded(3), x.flatten(1)
    for _ in range(3):
        u, v = (torch.rand(5, n, generator=rng, dtype=torch.float64) for n in (3, 6))
        expected = gibbs_sweep(expected, u, v, *model.terms)
    assert torch.equal(model.walk(x, 3, rng=seeded(3)), expected.view(x.shape))


def test_samples_come_from_the_law():
    model = small(2, shape=(1, 1, 3), burn_in=30)
    place = (model.sample(8_000, rng=seeded()).flatten(1) @ torch.tensor([4.0, 2.0, 1.0]).double()).long()
    shares, exact = torch.bincount(place, minlength=8) / 8_000, probabilities(model.terms).detach()
    assert ((shares - exact).abs() < 4.5 * (exact * (1 - exact) / 8_000).sqrt() + 1e-3).all()


def test_samples_begin_at_the_rates_of_the_pixels():
    model = small(3, scale=0.0, burn_in=1)
    x = torch.zeros(50, 1, 2, 3)
    x[:, 0, 0] = 1.0
    model.begin_at(x.double())
    assert model.bias[0].item() == pytest.approx(math.log(50.5 / 0.5))
    assert torch.equal(model.bias, model.base_logits)
    assert (model.sample(200, rng=seeded()).mean(0)[0, 0] > 0.95).all()
    assert (model.fantasies.mean(0)[:3] > 0.9).all()
    assert (model.fantasies.mean(0)[3:] < 0.1).all()


# The gradient


def exact_gradient(model, x):
    loss = model.energy(x).mean() + log_partition(*model.terms)
    return torch.autograd.grad(loss, model.terms)


def test_the_gradient_is_the_model_s_phase_less_the_data_s():
    model, x = small(), bits(7)
    data = statistics(x.flatten(1), model.weight, model.hidden_bias)
    states = strings(6)
    mean = statistics(states, model.weight, model.hidden_bias, probabilities(model.terms).detach())
    for found, d, m in zip(exact_gradient(model, x), data, mean, strict=True):
        torch.testing.assert_close(found, m - d)


def test_the_loss_has_the_gradient_of_the_phases_and_tells_nothing_by_its_value():
    model, x = small(chains=11), bits(7)
    model.fantasies.copy_(bits(11, seed=1).flatten(1))
    found = torch.autograd.grad(model.loss(x), model.terms)
    phases = (statistics(rows.flatten(1), model.weight, model.hidden_bias) for rows in (model.fantasies, x))
    for gradient, m, d in zip(found, *phases, strict=True):
        torch.testing.assert_close(gradient, m - d)
    p, states = probabilities(model.terms), strings(6)
    nll = (model.energy(x).mean() + log_partition(*model.terms)).item()
    entropy = -(p * p.log()).sum().item()
    gap = model.energy(x).mean() - p @ free_energy(states, *model.terms)
    assert gap.item() == pytest.approx(nll - entropy)


def test_contrastive_divergence_begins_at_the_batch():
    model, x = small(chains=0, sweeps=3), bits(7)
    torch.manual_seed(5)
    loss = model.loss(x)
    torch.manual_seed(5)
    walked = model.walk(x, 3)
    assert loss.item() == pytest.approx((model.energy(x).mean() - model.energy(walked).mean()).item())
    before = copy.deepcopy(model.state_dict())
    model.after_step()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_contrastive_divergence_on_the_toy_has_the_known_bias():
    weight, bias, hidden_bias = TOY
    q = torch.tensor([0.1, 0.1, 0.1, 0.7], dtype=torch.float64)
    transition, states = sweep_matrix(*TOY), strings(2)
    for k, expected in ((1, 0.2080), (2, 0.2683), (5, 0.2996), (200, 0.3010)):
        after = q @ torch.linalg.matrix_power(transition, k)
        data, model = (statistics(states, weight, hidden_bias, mass)[0] for mass in (q, after))
        assert (data - model)[0].item() == pytest.approx(expected, abs=1e-4)


def test_the_chains_walk_after_the_step_alone():
    model, x = small(chains=20, sweeps=2), bits(7)
    before = model.fantasies.clone()
    model.loss(x)
    assert torch.equal(model.fantasies, before)
    torch.manual_seed(2)
    model.after_step()
    torch.manual_seed(2)
    assert torch.equal(model.fantasies, model.walk(before, 2))


def test_in_evaluation_mode_the_loss_is_the_pseudo_likelihood():
    model, x = small().eval(), bits(3)
    p = probabilities(model.terms).detach()
    expected = []
    for row in x.flatten(1):
        total = 0.0
        for d in range(6):
            other = row.clone()
            other[d] = 1 - other[d]
            here, there = (int(sum(2 ** (5 - i) * b for i, b in enumerate(r.tolist()))) for r in (row, other))
            total -= (p[here] / (p[here] + p[there])).log().item()
        expected.append(total)
    assert model.pseudo_nll(x).tolist() == pytest.approx(expected)
    assert model.loss(x).item() == pytest.approx(sum(expected) / 3)


def test_training_reaches_a_law_that_it_can_hold():
    torch.manual_seed(0)
    x = torch.tensor([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]).view(4, 1, 1, 2).repeat(16, 1, 1, 1)
    model = RBM((1, 1, 2), 2)
    fit(model, (x,), steps=500, batch_size=64, lr=held_then_falling(5e-2, 500), progress=False)
    nll = (model.energy(x).mean() + log_partition(*model.terms)).item()
    entropy = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert nll == pytest.approx(entropy, abs=0.12)


# What is refused


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="hidden, sweeps, burn_in, chains: got 0, 1, 1000, 100"):
        RBM((1, 2, 2), 0)
    with pytest.raises(ValueError, match="x: got values from 0.5 to 0.5, expected zeros and ones"):
        small().loss(torch.full((2, 1, 2, 3), 0.5))
    with pytest.raises(ValueError, match=r"x: got shape \(2, 6\)"):
        small().loss(torch.zeros(2, 6))


def test_the_size_follows_the_pictures():
    def data(side):
        x = torch.randint(0, 2, (9, 1, side, side), generator=seeded()).float()
        return Dataset("own", "own", x, x, x, None, (1, side, side), "none", "drawn")

    assert make_rbm(data(16)).weight.shape == (256, 16)
    assert make_rbm(data(17)).weight.shape == (289, 200)
