"""The generative stochastic network, against its layers written out and against a world that it can learn exactly."""

import copy
import math

import pytest
import torch

from gmcourse.autoencoders.corruption import Corruption
from gmcourse.autoencoders.finite_chain import bit_strings, corruption_matrix, stationary
from gmcourse.autoencoders.gsn import GSN, gsn_step, make_gsn, walkback_pairs
from gmcourse.data import Dataset
from gmcourse.training import fit


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def small(**options):
    torch.manual_seed(0)
    return GSN((1, 2, 2), hidden=(6, 5), **options).double()


def bits(n, seed=0):
    return torch.randint(0, 2, (n, 1, 2, 2), generator=seeded(seed)).double()


def test_a_step_without_noise_by_hand():
    model = small(noise=0.0, corruption=0.0)
    x = bits(3)
    (w1, w2), (b0, b1, b2) = model.weights, model.biases
    for bias in (b0, b1, b2):
        torch.nn.init.normal_(bias)
    flat = x.flatten(1)
    h1 = (flat @ w1 + b1).tanh()
    h2 = (h1 @ w2 + b2).tanh()
    state, logits = model._update(model.start(model.corrupt(x.flatten(1))))
    assert torch.equal(state[0], flat)
    assert (state[1] - h1).abs().max() < 1e-12
    assert (state[2] - h2).abs().max() < 1e-12
    assert (logits - (h1 @ w1.T + b0)).abs().max() < 1e-12
    again, _ = model._update(state)
    assert (again[1] - (flat @ w1 + h2 @ w2.T + b1).tanh()).abs().max() < 1e-12


def test_noise_stands_before_and_after_the_tanh_but_not_in_the_first_layer():
    model = small(noise=2.0, corruption=0.0)
    state = model.start(bits(1).flatten(1).expand(4_000, -1))
    after, _ = model._update(state, seeded())
    assert after[1].std(0).max() < 1e-12
    second = after[2]
    assert second.abs().max() > 3
    assert second.var(0).mean().item() == pytest.approx(4 + 0.6, abs=0.4)  # σ² and the tanh of N(a, σ²)


def test_the_loss_is_the_mean_cost_of_a_walk():
    model, x = small(), bits(5)
    torch.manual_seed(3)
    loss = model.loss(x)
    torch.manual_seed(3)
    walk = model._walk(model.start(model.corrupt(x.flatten(1))))
    costs = []
    for _ in range(model.walkback):
        logits, _ = next(walk)
        p = logits.sigmoid()
        flat = x.flatten(1)
        costs.append(-(flat * p.log() + (1 - flat) * (1 - p).log()).sum(1).mean())
    assert loss.item() == pytest.approx(torch.stack(costs).mean().item(), rel=1e-9)


def test_the_gradient_flows_through_the_hidden_layers_of_later_steps():
    one, four = small(walkback=1), small(walkback=4)
    for model in (one, four):
        torch.manual_seed(1)
        model.loss(bits(8)).backward()
    assert one.weights[1].grad.abs().max() == 0  # h₂ is read first in the second step
    assert four.weights[1].grad.abs().max() > 0


def test_corruption_is_salt_and_pepper():
    model = small(corruption=0.4)
    spoilt = model.corrupt(torch.full((20_000, 4), 0.5, dtype=torch.float64), seeded())
    for value, share in ((0.0, 0.2), (1.0, 0.2), (0.5, 0.6)):
        assert (spoilt == value).double().mean().item() == pytest.approx(share, abs=0.01)


def test_chains_are_bits_and_start_where_they_are_told():
    model = small()
    x = bits(7)
    walked = model.chains(x, 5, rng=seeded())
    assert walked.shape == (5, 7, 1, 2, 2)
    assert set(walked.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(walked, model.chains(x, 5, rng=seeded()))
    assert not torch.equal(walked, model.chains(x, 5, rng=seeded(1)))


def test_samples_are_the_last_states_after_the_burn_in():
    model = small(burn_in=3)
    model.start_logits.fill_(50.0)
    ones = torch.ones(6, 1, 2, 2, dtype=torch.float64)
    rng = seeded()
    torch.rand(6, 4, generator=rng, dtype=torch.float64)
    assert torch.equal(model.sample(6, rng=seeded()), model.chains(ones, 3, rng=rng)[-1])


def test_built_for_data_it_starts_at_their_rates():
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]]).view(3, 1, 1, 2)
    model = make_gsn(Dataset("own", "own", x, x, x, None, (1, 1, 2), "none", "drawn"))
    assert model.start_logits.exp().tolist() == pytest.approx([7.0, 0.6])
    assert not make_gsn().start_logits.any()
    grey = Dataset("own", "own", x / 2, x, x, None, (1, 1, 2), "none", "drawn")
    with pytest.raises(ValueError, match="data: own holds other values than 0 and 1"):
        make_gsn(grey)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.full((2, 1, 2, 2), 0.5), "x: got values from 0.5 to 0.5, expected zeros and ones"),
        (torch.zeros(2, 4), r"x: got shape \(2, 4\), expected \(batch, 1, 2, 2\)"),
    ],
)
def test_what_are_no_bits_is_refused(x, said):
    with pytest.raises(ValueError, match=said):
        small().loss(x.double())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"walkback": 0}, "walkback, burn_in, hidden: got 0, 400"),
        ({"burn_in": 0}, "walkback, burn_in, hidden: got 4, 0"),
        ({"hidden": ()}, r"walkback, burn_in, hidden: got 4, 400, \(\)"),
        ({"hidden": (3, 0)}, r"walkback, burn_in, hidden: got 4, 400, \(3, 0\)"),
        ({"noise": -1.0}, "noise: got -1.0, expected a standard deviation"),
        ({"noise": math.nan}, "noise: got nan"),
        ({"corruption": 1.5}, "level: got 1.5, expected a share"),
    ],
)
def test_what_is_no_size_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        GSN((4,), **options)


def test_a_walk_of_no_step_or_from_no_bits_is_refused():
    with pytest.raises(ValueError, match="steps: got 0, expected at least 1"):
        small().chains(bits(2), 0)
    with pytest.raises(ValueError, match="x: got values from 0.5 to 0.5"):
        small().chains(torch.full((2, 1, 2, 2), 0.5, dtype=torch.float64))


def test_it_says_what_a_checkpoint_must_not_change():
    assert len({repr(small(**{name: 1})) for name in ("noise", "corruption", "walkback", "burn_in")}) == 4


PICTURES = torch.tensor([[1.0, 1, 1, 1, 0, 0, 0, 0], [0.0, 0, 0, 0, 1, 1, 1, 1]])
SHARES = torch.tensor([0.7, 0.3])


@pytest.fixture(scope="module")
def trained():
    """One hidden layer, which has no noise: its chain has no memory but x̃, and eight pixels have 256 states."""
    x = PICTURES[torch.multinomial(SHARES, 1_000, replacement=True, generator=seeded())].view(-1, 1, 2, 4)
    torch.manual_seed(0)
    model = GSN((1, 2, 4), hidden=(16,), corruption=0.4, burn_in=40)
    fit(model, (x,), steps=150, batch_size=100, lr=1e-2, progress=False)
    return model.double()


@torch.no_grad()
def exact_chain(model):
    """T[x, x'], (256, 256): salt and pepper turn a bit with half of their level, then each bit is drawn by itself."""
    states = bit_strings(8)
    level = model.corruption.level / 2
    on = model._update(model.start(states))[1].sigmoid()
    drawn = torch.where(states[None] > 0, on[:, None], 1 - on[:, None]).prod(2)
    return corruption_matrix(states, level, level) @ drawn


def largest_z(model, chain, n=4_000):
    """The share of samples nearer to the first picture, and near to each, in standard errors from the exact shares."""
    off = (bit_strings(8)[:, None] - PICTURES).abs().sum(2)
    events = torch.stack([off[:, 0] < off[:, 1], off[:, 0] <= 1, off[:, 1] <= 1], 1).double()
    law = torch.full((256,), 1 / 256, dtype=torch.float64) @ torch.matrix_power(chain, model.burn_in)
    codes = model.sample(n, rng=seeded()).flatten(1).long() @ 2 ** torch.arange(7, -1, -1)
    expected = law @ events
    return ((events[codes].mean(0) - expected) / (expected * (1 - expected) / n).sqrt()).abs().max().item()


def test_samples_of_a_trained_chain_follow_its_exact_law(trained):
    chain = exact_chain(trained)
    assert largest_z(trained, chain) < 4  # by chance in one run of 5,000
    law = stationary(chain)
    after = torch.full((256,), 1 / 256, dtype=torch.float64) @ torch.matrix_power(chain, trained.burn_in)
    assert (after - law).abs().sum() / 2 < 1e-3  # the burn-in is forgotten
    near = ((bit_strings(8)[:, None] - PICTURES).abs().sum(2) <= 1).double()
    frequent, rare = law @ near
    assert frequent + rare > 0.6  # 18 of 256 states; bits drawn by themselves leave 0.94 at best
    assert frequent > 2 * rare > 0.1


@pytest.mark.parametrize("bug", ["less corruption", "pixels forgotten"])
def test_a_chain_with_a_bug_leaves_the_exact_law(trained, bug):
    chain, spoilt = exact_chain(trained), copy.deepcopy(trained)
    if bug == "less corruption":
        spoilt.corruption = Corruption("salt-and-pepper", 0.3)
    else:
        spoilt.corrupt = lambda x, rng=None: trained.corrupt(x.new_full(x.shape, 0.5).bernoulli(generator=rng), rng)
    assert largest_z(spoilt, chain) > 8


def test_the_exact_step_keeps_its_variance_and_the_mean_does_not():
    rng = seeded()
    for sigma, variance in ((1.0, 1.0), (2.0, 0.5)):
        x = math.sqrt(variance) * torch.randn(200_000, generator=rng, dtype=torch.float64)
        noise, draw = torch.randn(2, 200_000, generator=rng, dtype=torch.float64)
        after = gsn_step(x, noise, draw, sigma, variance)
        assert after.var().item() == pytest.approx(variance, rel=0.02)
        a = variance / (variance + sigma**2)
        assert torch.corrcoef(torch.stack([x, after]))[0, 1].item() == pytest.approx(a, abs=0.01)
    y = torch.zeros(100_000, dtype=torch.float64)
    for _ in range(30):
        y = gsn_step(y, torch.randn(100_000, generator=rng, dtype=torch.float64), 0 * y, 1.0)
    assert y.var().item() == pytest.approx(1 / 3, rel=0.02)


def test_pairs_of_a_walk_by_hand():
    x = torch.tensor([[1.0], [2.0]], requires_grad=True)
    noise = torch.tensor([[[[1.0], [1.0]], [[0.5], [0.5]]], [[[10.0], [10.0]], [[0.0], [0.0]]]])
    spoilt, target = walkback_pairs(x, noise, lambda point, u: point + u, lambda point, v: 2 * point + v)
    assert spoilt.flatten().tolist() == [2.0, 3.0, 14.5, 16.5]
    assert target.flatten().tolist() == [1.0, 2.0, 1.0, 2.0]
    assert not spoilt.requires_grad
