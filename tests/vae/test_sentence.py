"""The sentence VAE against evidences that are counted, and its two settings of training."""

import pytest
import torch

from gmcourse.data.sentences import grammar
from gmcourse.laws.vae.bound import bounds_are_ordered
from gmcourse.laws.vae.sentence import bound_is_above_entropy, steps_add_up
from gmcourse.probability import gaussian_kl
from gmcourse.training import fit
from gmcourse.vae.gaussian import log_evidence, reparameterize
from gmcourse.vae.sentence import SentenceVAE, between, kl_weight


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def tiny(seed=0, **options):
    torch.manual_seed(seed)
    return SentenceVAE(3, 3, embedding=6, hidden=8, latent_size=2, stop=0, **options).eval()


ROWS = torch.tensor([[1, 0, 0], [2, 1, 0], [2, 2, 2], [0, 0, 0]])


def test_the_weight_of_the_kl():
    assert kl_weight(torch.tensor(0), 0, 0) == 1.0
    assert kl_weight(torch.arange(8), 2, 3).tolist() == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1, 1, 1])


def test_the_bounds_are_below_the_evidence():
    """The evidence by 40,000 draws of the prior, which know nothing of the encoder."""
    model = tiny().double()
    z = torch.randn(40_000, 2, generator=seeded()).double()
    with torch.no_grad():
        each = [model.decoder.log_likelihood(row.expand(len(z), -1), z) for row in ROWS]
    evidence = log_evidence(torch.stack(each, 1))
    bounds_are_ordered(model, ROWS, evidence + 2e-3, k=5, draws=300)


def test_steps_add_up_and_the_bound_is_above_the_entropy():
    model = tiny()
    steps_add_up(model.decoder, ROWS, torch.randn(4, 2, generator=seeded()), stop=0)
    torch.manual_seed(0)
    fresh = SentenceVAE(65, 12, stop=0).eval()
    bound_is_above_entropy(fresh, grammar().sample(200, rng=seeded()), grammar().entropy())


def test_loss_in_training_and_in_evaluation():
    model, x = tiny(keep=0.5, wait=2, ramp=1), ROWS
    torch.manual_seed(1)
    noise = torch.randn(4, 2)
    torch.manual_seed(1)
    loss = model.loss(x)
    mean, log_std = model.encode(x)
    z = reparameterize(mean, log_std, noise)
    torch.testing.assert_close(loss, (gaussian_kl(mean, log_std) - model.decoder.log_likelihood(x, z)).mean())
    model.train()
    for weight in (0.0, 0.0, 0.5, 1.0, 1.0):
        torch.manual_seed(1)
        noise, dropped = torch.randn(4, 2), torch.rand(4, 3)
        torch.manual_seed(1)
        loss = model.loss(x)
        blind = model.decoder.log_likelihood(x, reparameterize(mean, log_std, noise), dropped, 0.5)
        torch.testing.assert_close(loss, (weight * gaussian_kl(mean, log_std) - blind).mean())
        model.after_step()


def test_training_counts_its_steps_and_a_copy_of_its_state_goes_on():
    model = tiny(wait=5)
    fit(model, (ROWS,), steps=3, batch_size=4, lr=1e-3, progress=False)
    assert int(model.steps) == 3
    other = tiny(1, wait=5)
    other.load_state_dict(model.state_dict())
    assert int(other.steps) == 3
    assert "keep=1.0, wait=5, ramp=0" in repr(model)


def test_samples_have_the_probabilities_of_the_evidence():
    model, n = tiny(), 20_000
    z = torch.randn(20_000, 2, generator=seeded(1))
    with torch.no_grad():
        expected = model.decoder.log_likelihood(ROWS[:1].expand(len(z), -1), z).exp().mean()
    found = (model.sample(n, rng=seeded()) == ROWS[0]).all(1).float().mean()
    assert found.item() == pytest.approx(expected.item(), abs=0.015)


def test_between():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, -2.0])
    line = between(a, b, torch.tensor([0.0, 0.25, 1.0]))
    assert line.tolist() == [[1.0, 0.0], [0.75, -0.5], [0.0, -2.0]]


def test_interpolation_ends_at_the_decodes_of_the_two_means():
    model = tiny().train()
    path = model.interpolate(ROWS[0], ROWS[2], 5)
    assert path.shape == (5, 3)
    ends = model.decode(model.encode(ROWS[[0, 2]])[0])
    assert torch.equal(path[[0, -1]], ends)
    assert model.training


def test_bad_settings_are_named():
    for options in ({"keep": 1.5}, {"wait": -1}, {"latent_size": 0}):
        with pytest.raises(ValueError, match="latent_size, keep, wait, ramp: got"):
            SentenceVAE(5, 6, **options)
    model = tiny()
    with pytest.raises(ValueError, match="x: got torch.int64 from 0 to 3, expected int64 codes 0 to 2"):
        model.elbo(torch.tensor([[3, 0, 0]]))
    with pytest.raises(ValueError, match="k: got 0"):
        model.log_weights(ROWS, 0)
