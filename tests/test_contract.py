"""Every model of the catalogue keeps what its record claims: one body, each method called."""

import pytest
import torch

from gmcourse.catalogue import CATALOGUE
from gmcourse.protocols import (
    PROTOCOLS,
    Adversarial,
    Bijection,
    Bounded,
    Density,
    ImportanceWeighted,
    Sampler,
    Trainable,
)
from gmcourse.training import fit


def every(records):
    return pytest.mark.parametrize("record", records, ids=lambda record: record.key)


every_model = every(CATALOGUE)
every_trainable_model = every([record for record in CATALOGUE if Trainable in record.claims])
every_game = every([record for record in CATALOGUE if Adversarial in record.claims])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def built(record, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return record.build()


def evaluations(model, batch, rng=None):
    """Everything random that the model can be asked for, but for its loss: {method: (result, expected shape)}."""
    x = batch[0]
    results = {}
    if isinstance(model, Sampler):
        results["sample"] = model.sample(5, rng=rng), (5, *x.shape[1:])
    if isinstance(model, Bounded):
        results["elbo"] = model.elbo(x, rng=rng), (len(x),)
    if isinstance(model, ImportanceWeighted):
        results["log_weights"] = model.log_weights(x, 3, rng=rng), (3, len(x))
    return results


def answers(model, batch):
    """What the model says without drawing anything: {method: (result, expected shape)}."""
    x = batch[0]
    results = {}
    if isinstance(model, Density):
        results["log_prob"] = model.log_prob(x), (len(x),)
    if isinstance(model, Bijection):
        z, log_det = model(x)
        results |= {"forward": (z, z.shape), "log_det": (log_det, (len(x),))}
        results["inverse"] = model.inverse(z)[0], x.shape
    return results


def losses(model, batch):
    """What training minimises: {method: scalar}."""
    names = ("critic_loss", "generator_loss") if isinstance(model, Adversarial) else ("loss",)
    return {name: getattr(model, name)(*batch) for name in names}


@every_model
def test_the_methods_are_those_claimed(record):
    model = built(record)
    assert isinstance(model, torch.nn.Module)
    for protocol in PROTOCOLS:
        assert isinstance(model, protocol) == (protocol in record.claims), protocol.__name__


@every_model
def test_every_claim_is_called(record):
    called = {Trainable: "loss", Sampler: "sample", Bounded: "elbo", ImportanceWeighted: "log_weights"}
    called |= {Density: "log_prob", Bijection: "inverse", Adversarial: "critic_loss"}
    unknown = [protocol.__name__ for protocol in record.claims if protocol not in called]
    assert not unknown, f"no call of {unknown} in this file yet: add it to `evaluations`"
    assert Trainable in record.claims or Adversarial in record.claims, "nothing trains it"
    model, batch = built(record).eval(), record.example(4)
    results = evaluations(model, batch, seeded()) | answers(model, batch)
    results |= {name: (loss, ()) for name, loss in losses(model, batch).items()}
    asked = {called[p] for p in record.claims}
    assert asked == set(results) - {"forward", "log_det", "generator_loss"}
    for name, (result, shape) in results.items():
        assert result.shape == shape, name
        assert result.dtype == torch.float32, name
        assert result.isfinite().all(), name


@every_trainable_model
def test_loss_is_a_scalar_that_reaches_every_trainable_parameter(record):
    model = built(record).train()
    loss = model.loss(*record.example(4))
    assert loss.shape == ()
    assert loss.isfinite()
    loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name
        else:
            assert parameter.grad is None, name


@every_game
def test_the_players_share_no_weight_and_own_them_all(record):
    model = built(record)
    critic, generator = ({id(p) for p in own()} for own in (model.critic_parameters, model.generator_parameters))
    assert critic
    assert generator
    assert not critic & generator
    assert critic | generator == {id(p) for p in model.parameters() if p.requires_grad}


@every_game
def test_each_loss_reaches_every_weight_of_its_player_and_the_critic_s_no_other(record):
    model = built(record).train()
    model.critic_loss(*record.example(4)).backward()
    assert all(p.grad is None for p in model.generator_parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.critic_parameters())
    model.generator_loss(*record.example(4)).backward()
    reached = [p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in model.generator_parameters()]
    assert all(reached)


@every_game
def test_each_player_gains_against_one_that_rests(record):
    model, batch = built(record).train(), record.example(32)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for player in ("critic", "generator"):
            optimizer = torch.optim.Adam(getattr(model, f"{player}_parameters")(), lr=2e-3)
            values = []
            for _ in range(40):
                loss = getattr(model, f"{player}_loss")(*batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                values.append(loss.item())
            assert sum(values[-5:]) / 5 < sum(values[:5]) / 5 - 0.01, player


@every_model
def test_the_example_is_a_function_of_its_seed(record):
    for a, b, c in zip(record.example(4, seed=3), record.example(4, seed=3), record.example(4, seed=4)):
        assert len(a) == 4
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


@every_trainable_model
def test_training_on_a_few_rows_lowers_the_loss(record):
    loss = fit(built(record), record.example(8), steps=60, batch_size=8, lr=5e-3, progress=False)["loss"]
    assert sum(loss[-10:]) < 0.97 * sum(loss[:10])


@every_model
def test_equal_seeds_equal_results_and_other_seeds_others(record):
    model, batch = built(record).eval(), record.example(4)
    runs = [evaluations(model, batch, seeded(seed)) for seed in (1, 1, 2)]
    for name in runs[0]:
        first, again, other = (run[name][0] for run in runs)
        assert torch.equal(first, again), name
        assert not torch.equal(first, other), name


@every_model
def test_without_a_generator_the_global_state_rules(record):
    model, batch = built(record).eval(), record.example(4)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        first = evaluations(model, batch)
        torch.manual_seed(7)
        again = evaluations(model, batch)
    assert all(torch.equal(first[name][0], again[name][0]) for name in first)


@every_model
def test_a_given_generator_leaves_the_global_state_alone(record):
    model, batch = built(record).eval(), record.example(4)
    before = torch.get_rng_state()
    evaluations(model, batch, seeded())
    assert torch.equal(torch.get_rng_state(), before)


@every_model
@pytest.mark.parametrize("training", [True, False])
def test_sampling_is_done_in_evaluation_mode_and_leaves_the_mode(record, training):
    model = built(record).train(training)
    seen = set()
    for module in model.modules():
        module.register_forward_pre_hook(lambda module, _: seen.add(module.training))
    samples = model.sample(2, rng=seeded())
    assert seen <= {False}
    assert all(module.training == training for module in model.modules())
    assert not samples.requires_grad


@every_model
def test_the_state_dict_holds_the_whole_model(record):
    first, second = built(record, 0), built(record, 1)
    x = record.example(4)
    a, b = (evaluations(m.eval(), x, seeded()) | answers(m, x) for m in (first, second))
    assert not all(torch.equal(a[name][0], b[name][0]) for name in a)
    second.load_state_dict(first.state_dict())
    b = evaluations(second, x, seeded()) | answers(second, x)
    assert all(torch.equal(a[name][0], b[name][0]) for name in a)


@every_model
def test_double_precision(record):
    model = built(record).double().eval()
    batch = tuple(t.double() if t.is_floating_point() else t for t in record.example(4))
    assert all(loss.dtype == torch.float64 for loss in losses(model, batch).values())
    results = evaluations(model, batch, seeded()) | answers(model, batch)
    assert all(result.dtype == torch.float64 for result, _ in results.values())


@every_model
def test_noise_is_drawn_on_the_device_of_the_model(record):
    model, batch = built(record).to("meta"), tuple(t.to("meta") for t in record.example(4))
    assert all(loss.device.type == "meta" for loss in losses(model, batch).values())
    results = evaluations(model, batch) | answers(model, batch)
    assert all(result.device.type == "meta" for result, _ in results.values())


@every_model
def test_a_row_does_not_depend_on_the_other_rows(record):
    model = built(record).eval()
    batch, other = record.example(4, seed=0), record.example(4, seed=1)
    mixed = tuple(torch.cat([a[:1], b[1:]]) for a, b in zip(batch, other))
    results, mixed_results = (evaluations(model, rows, seeded()) | answers(model, rows) for rows in (batch, mixed))
    for name in results.keys() - {"sample", "forward", "log_det", "inverse"}:  # log_prob speaks for them
        ours, theirs = results[name][0], mixed_results[name][0]
        torch.testing.assert_close(ours[..., 0], theirs[..., 0], rtol=1e-5, atol=1e-4)
        assert not torch.allclose(ours[..., 1:], theirs[..., 1:], atol=1e-3), name


@every_model
def test_bad_counts_are_named(record):
    model, (x, *_) = built(record), record.example(4)
    with pytest.raises(ValueError, match="n: got -1"):
        model.sample(-1)
    if isinstance(model, ImportanceWeighted):
        with pytest.raises(ValueError, match="k: got 0"):
            model.log_weights(x, 0)
