"""The conditional VAE: what it is told, what it keeps, and its bounds against a probability that can be summed."""

import itertools
import math
from functools import partial

import pytest
import torch
from torch import nn

from gmcourse.data import Dataset, load
from gmcourse.laws import LawBroken
from gmcourse.laws.vae import conditional as laws
from gmcourse.metrics import importance_weighted, mean_elbo
from gmcourse.nets import OneHot, Told, mlp
from gmcourse.vae import CVAE
from gmcourse.vae.conditional import complete, cvae_plan, make_cvae
from gmcourse.vae.likelihoods import Bernoulli, Gaussian
from gmcourse.vae.told import context, keep_known, missing_log_prob

SHAPE = (1, 2, 3)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def filling(seed=0, likelihood=None):
    torch.manual_seed(seed)
    read = nn.Identity()
    prior = nn.Sequential(nn.Flatten(), mlp([12, 8, 4]))
    decoder = Told(nn.Sequential(mlp([2 + 12, 8, 6]), nn.Unflatten(1, SHAPE)), read)
    return CVAE(prior, Told(mlp([6 + 12, 8, 4]), read), decoder, likelihood or Bernoulli(), 2, fills=True)


@pytest.fixture
def x():
    return torch.randint(0, 2, (7, *SHAPE), generator=seeded(1)).float()


@pytest.fixture
def known():
    return torch.tensor([[[True, False, True], [False, True, False]]])


def test_a_context_is_the_known_pixels_and_the_mask(x, known):
    c = context(x, known)
    assert c.shape == (7, 2, 2, 3)
    assert torch.equal(c[:, :1], x * known)
    assert torch.equal(c[:, 1:], known.float().expand_as(x))
    assert torch.equal(context(x, known.expand_as(x)), c)
    assert not torch.equal(context(torch.zeros_like(x), known), context(torch.zeros_like(x), ~known))  # 0 is a colour
    assert torch.equal(context(torch.where(known, x, math.nan), known), c)  # what is missing may be anything


@pytest.mark.parametrize("bad", [torch.ones(1, 2, 3), torch.ones(2, 3, dtype=torch.bool), torch.ones(3, 1, 2, 3) > 0])
def test_a_wrong_mask_is_named(x, bad):
    with pytest.raises(ValueError, match="known: got torch"):
        context(x, bad)


def test_completing_keeps_the_known_pixels_bit_for_bit(x, known):
    answers = torch.rand(5, 7, *SHAPE, generator=seeded())
    filled = keep_known(answers, context(x, known))
    mask = known.expand_as(filled)
    assert torch.equal(filled[mask], x.expand_as(filled)[mask])
    assert torch.equal(filled[~mask], answers[~mask])


def test_missing_log_prob_is_that_of_the_missing_pixels(x, known):
    logits = torch.randn(x.shape, generator=seeded())
    p = torch.where(x == 1, logits.sigmoid(), 1 - logits.sigmoid())
    by_hand = torch.stack([p[i][~known].log().sum() for i in range(len(x))])
    torch.testing.assert_close(missing_log_prob(Bernoulli(), x, logits, context(x, known)), by_hand)
    nothing = missing_log_prob(Bernoulli(), x, logits, context(x, torch.ones_like(known)))
    assert torch.equal(nothing, torch.zeros(7))
    dense = missing_log_prob(Gaussian(0.5), x, logits, context(x, torch.zeros_like(known)))
    torch.testing.assert_close(dense, Gaussian(0.5).log_prob(x, logits))


def test_one_hot():
    assert OneHot(3)(torch.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert repr(OneHot(3)) == "OneHot(3)"
    for given, said in (
        (torch.tensor([0, 3]), "classes from 0 to 3, expected 0 to 2"),
        (torch.tensor([-1]), "classes from -1 to -1"),
        (torch.tensor([1.0]), "torch.float32 of shape"),
        (torch.tensor(1), "expected \\(batch,\\) integer classes"),
    ):
        with pytest.raises(ValueError, match=f"given: got .*{said}"):
            OneHot(3)(given)


def test_the_weights_of_all_fillings_have_mass_one(x, known):
    """And so have those of a mask with one pixel, and of a picture of which nothing is known."""

    def weights(x, known, k, *, rng):
        return filling().log_weights(x, context(x, known), k, rng=rng)

    for mask in (known, ~known, torch.zeros_like(known)):
        laws.fillings_have_mass_one(weights, x[0], mask, k=2_000)


def test_bounds_are_below_the_probability_summed_on_a_grid(x, known):
    """Two latents: p(x|c) by quadrature over z."""
    model = filling().double()
    x = x.double()
    given = context(x, known)
    u = torch.linspace(-8, 8, 161, dtype=torch.float64)
    grid = torch.cartesian_prod(u, u)
    with torch.no_grad():
        exact = []
        for row in range(len(x)):
            c = given[row : row + 1].expand(len(grid), -1, -1, -1)
            mean, log_std = model.expect(c)
            z = mean + log_std.exp() * grid
            rows = x[row : row + 1].expand_as(c[:, :1])
            log_p = model.log_likelihood(rows, model.decoder(z, c), c)
            log_u = -0.5 * (grid**2).sum(1) - math.log(2 * math.pi)
            exact.append((log_p + log_u).logsumexp(0) + 2 * (u[1] - u[0]).log())
        exact = torch.stack(exact)
    laws.bounds_given_are_ordered(model, x, given, exact, k=5, draws=200)
    with pytest.raises(LawBroken):
        laws.bounds_given_are_ordered(model, x, given, exact - 0.5, k=5, draws=200)
    tight = importance_weighted(model, x, 3_000, seeded(), given=given)
    torch.testing.assert_close(tight, exact, rtol=0, atol=0.05)
    assert mean_elbo(model, x, seeded(), given=given).mean < exact.mean() + 0.1


def test_answers_differ_where_pixels_are_missing_alone(x, known):
    model = filling()
    given = context(x, known)
    answers = model.answers(given, 6, rng=seeded())
    assert answers.shape == (6, 7, *SHAPE)
    spread = answers.std(0).amax(0)
    assert (spread[known] == 0).all()
    assert (spread[~known] > 0).all()
    assert not answers.requires_grad
    assert torch.equal(answers, model.answers(given, 6, rng=seeded()))


def test_answers_are_the_means_of_samples(x, known):
    model, given = filling(), context(x, known)[:1]
    drawn = model.sample(20_000, given, rng=seeded(1)).mean(0)
    torch.testing.assert_close(drawn, model.answers(given, 5_000, rng=seeded(2)).mean((0, 1)), rtol=0, atol=0.02)
    means = model.sample_mean(5_000, given, rng=seeded(2))
    torch.testing.assert_close(means, model.answers(given, 5_000, rng=seeded(2))[:, 0])


def test_a_completion_is_bits_and_keeps_what_is_known(x):
    laws.completion_keeps_the_known(partial(complete, filling()), x, levels=torch.tensor([0.0, 1.0]))


def test_the_prior_follows_what_is_given():
    torch.manual_seed(0)
    prior = nn.Embedding(3, 4)
    decoder = Told(nn.Sequential(mlp([5, 6]), nn.Unflatten(1, SHAPE)), OneHot(3))
    model = CVAE(prior, Told(mlp([9, 4]), OneHot(3)), decoder, Bernoulli(), 2)
    mean, log_std = model.expect(torch.tensor([2, 0, 2]))
    assert torch.equal(torch.cat([mean, log_std], 1), prior.weight[[2, 0, 2]])
    model.prior = None
    assert not torch.cat(model.expect(torch.tensor([2, 0]))).any()


def test_one_row_of_given_is_for_all(x, known):
    model, given = filling(), context(x, known)
    one = model.sample(4, given[:1], rng=seeded())
    assert torch.equal(one, model.sample(4, given[:1].expand(4, -1, -1, -1), rng=seeded()))
    with pytest.raises(ValueError, match=r"given: got shape \(7, 2, 2, 3\), expected \(4, ...\), or one row for all"):
        model.sample(4, given)


def test_what_cannot_be_is_named(x, known):
    model, given = filling(), context(x, known)
    with pytest.raises(ValueError, match=r"z: got shape \(3, 2\), expected \(7, 2\)"):
        model.decode(torch.zeros(3, 2), given)
    with pytest.raises(ValueError, match="k: got 0"):
        model.log_weights(x, given, 0)
    with pytest.raises(ValueError, match="count: got 0"):
        model.answers(given, 0)
    with pytest.raises(ValueError, match="latent_size: got 0"):
        CVAE(None, nn.Identity(), nn.Identity(), Bernoulli(), 0)
    with pytest.raises(ValueError, match="model: got one made with fills=False"):
        complete(make_cvae(), x, known)
    model.prior = nn.Sequential(nn.Flatten(), mlp([12, 5]))
    with pytest.raises(ValueError, match=r"prior: gave shape \(7, 5\), expected \(7, 4\)"):
        model.sample(7, given)
    model.encoder = Told(mlp([18, 3]), nn.Identity())
    with pytest.raises(ValueError, match="encoder: gave shape"):
        model.elbo(x, given)


def test_the_settings_are_shown():
    assert "latent_size=2, fills=True" in repr(filling())
    assert " at 0x" not in repr(filling())


def test_a_model_for_a_data_set():
    data = load("digits")
    model = make_cvae(data)
    assert isinstance(model.likelihood, Gaussian)
    assert model.sample(3, torch.tensor([1, 2, 9]), rng=seeded()).shape == (3, 1, 8, 8)
    assert isinstance(make_cvae(load("binarized-digits")).likelihood, Bernoulli)
    with pytest.raises(ValueError, match="expected 0 to 9"):
        model.sample(1, torch.tensor([10]))
    rows, own = torch.rand(40, 5), Dataset.from_tensors
    assert make_cvae(own(rows, torch.arange(40) % 4)).sample(2, torch.tensor([3, 0])).shape == (2, 5)
    for labels in (torch.rand(40), torch.zeros(40, 2).long(), torch.full((40,), -1)):
        with pytest.raises(ValueError, match="data: own has labels of torch"):
            make_cvae(own(rows, labels))
    with pytest.raises(ValueError, match="data: own has no labels"):
        make_cvae(own(rows))


def test_the_plan_grows_with_the_picture():
    assert cvae_plan()["steps"] == cvae_plan(load("digits"))["steps"] == 2_000
    large = Dataset.from_tensors(torch.rand(40, 1, 16, 16), torch.zeros(40).long())
    assert cvae_plan(large)["steps"] == 8_000


def test_every_picture_of_four_pixels_given_one():
    """Σ p(x|c) = 1 exactly where the latent does nothing: the decoder's weights on z are 0."""
    model = filling().double()
    with torch.no_grad():
        model.decoder.network[0][0].weight[:, :2] = 0
    known = torch.tensor([[[True, False, False], [True, False, False]]])
    pictures = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), dtype=torch.float64).view(-1, *SHAPE)
    given = context(pictures, known)
    with torch.no_grad():
        mean, _ = model.encode(pictures, given)
        p = model.log_likelihood(pictures, model.decoder(0 * mean, given), given).exp()
    assert p.sum().item() == pytest.approx(4)  # one for each of the four settings of what is known
