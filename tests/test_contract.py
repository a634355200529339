"""Every model of the catalogue keeps what its record claims: one body, each method called, over data of every kind."""

import copy
import inspect
import pickle

import pytest
import torch
from torch import nn

from gmcourse.catalogue import CATALOGUE
from gmcourse.data import Dataset
from gmcourse.flows.autoregressive import MaskedAutoregressive
from gmcourse.flows.conditional import ConditionalFlow
from gmcourse.flows.coupling import AffineCoupling
from gmcourse.nets import sampling
from gmcourse.probability import gaussian_log_prob
from gmcourse.protocols import (
    PROTOCOLS,
    Adversarial,
    Bijection,
    Bounded,
    Density,
    ImportanceWeighted,
    Sampler,
    Scored,
    Trainable,
    Unnormalised,
)
from gmcourse.record import VECTORS, ModelRecord, held_then_falling_plan, plane_points
from gmcourse.training import fit, fit_adversarial
from gmcourse.training.descent import total


class Shifted(nn.Module):
    """N(x; μ + given, I): the smallest conditional model, which shows what `given` must do."""

    def __init__(self, dims):
        super().__init__()
        self.mean = nn.Parameter(torch.randn(dims))

    def log_prob(self, x, given):
        return gaussian_log_prob(x, self.mean + given, 0.0)

    def loss(self, x, given):
        return -self.log_prob(x, given).mean()

    def sample(self, n, given, *, rng=None):
        with sampling(self, n, rng):
            mean = (self.mean + given).expand(n, -1)
            return mean + torch.randn(mean.shape, generator=rng, dtype=mean.dtype, device=mean.device)


class Bowl(nn.Module):
    """E(x) = ½ ‖x − μ‖² + c: the smallest model with an energy and a score, trained by the exact score."""

    def __init__(self, dims):
        super().__init__()
        self.mean = nn.Parameter(torch.randn(dims))

    def energy(self, x):
        return 0.5 * (x - self.mean).square().sum(1) + 3.0

    def score(self, x, sigma):
        sigma = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).expand(len(x))
        return (self.mean - x) / (1 + sigma**2)[:, None]

    def loss(self, x):
        return self.score(x, 0.0).square().sum(1).mean() / 2

    def sample(self, n, *, rng=None):
        with sampling(self, n, rng):
            mean = self.mean.expand(n, -1)
            return mean + torch.randn(mean.shape, generator=rng, dtype=mean.dtype, device=mean.device)


def small(key, kind, claims, example):
    """The record of a model that stands in this file: it shows that the contract's rows can be met, and be broken."""
    return ModelRecord(
        name=key,
        key=key,
        family="flows",
        branch=(),
        density="none",
        claims=claims,
        paper="",
        year=2000,
        arxiv="",
        lesson="",
        suits=VECTORS,
        make=lambda data=None: kind(2 if data is None else data.event_shape[0]),
        plan=lambda data=None: held_then_falling_plan(data, steps=10, batch_size=8, peak=1e-2),
        example=example,
    )


def shifted_points(n, seed=0):
    (x,) = plane_points(n, seed)
    return x, 0.5 * x.flip(1)


def told(kind):
    return lambda dims: ConditionalFlow([kind(dims, (16,), given_size=2) for _ in range(3)], (dims,))


MODELS = (
    *CATALOGUE,
    small("shifted", Shifted, (Trainable, Sampler, Density), shifted_points),
    small("told-coupling", told(AffineCoupling), (Trainable, Sampler, Density, Bijection), shifted_points),
    small("told-maf", told(MaskedAutoregressive), (Trainable, Sampler, Density, Bijection), shifted_points),
    small("bowl", Bowl, (Trainable, Sampler, Unnormalised, Scored), plane_points),
)


def every(records):
    return pytest.mark.parametrize("record", records, ids=lambda record: record.key)


every_model = every(MODELS)
every_trainable_model = every([record for record in MODELS if Trainable in record.claims])
every_sampler = every([record for record in MODELS if Sampler in record.claims])
every_game = every([record for record in MODELS if Adversarial in record.claims])
every_density = every([record for record in MODELS if Density in record.claims])
every_density_with_slopes = every(
    [
        record
        for record in MODELS
        if Density in record.claims
        and record.branch[-1:] != ("probability table",)
        and record.example(1)[0].is_floating_point()
    ]
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def built(record, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return record.build()


def sampled(model, n, given=(), **options):
    """n samples; `given` of a conditional model repeated as often."""
    return model.sample(n, *(g[:1].expand(n, *g.shape[1:]) for g in given), **options)


def evaluations(model, batch, rng=None):
    """Everything random that the model can be asked for, but for its loss: {method: (result, expected shape)}."""
    x, *given = batch
    results = {}
    if isinstance(model, Sampler) and len(x):
        results["sample"] = sampled(model, 5, given, rng=rng), (5, *x.shape[1:])
    if isinstance(model, Bounded):
        results["elbo"] = model.elbo(x, *given, rng=rng), (len(x),)
    if isinstance(model, ImportanceWeighted):
        results["log_weights"] = model.log_weights(x, *given, k=3, rng=rng), (3, len(x))
    return results


def answers(model, batch):
    """What the model says without drawing anything: {method: (result, expected shape)}."""
    x, *given = batch
    results = {}
    if hasattr(model, "errors"):
        results["errors"] = model.errors(x), (len(x),)
    if isinstance(model, Density):
        results["log_prob"] = model.log_prob(x, *given), (len(x),)
    if isinstance(model, Unnormalised):
        results["energy"] = model.energy(x), (len(x),)
    if isinstance(model, Scored):
        results["score"] = model.score(x, torch.linspace(0.5, 1, len(x), device=x.device).to(x.dtype)), x.shape
    if isinstance(model, Bijection):
        z, log_det = model(x, *given)
        results |= {"forward": (z, z.shape), "log_det": (log_det, (len(x),))}
        results["inverse"] = model.inverse(z, *given)[0], x.shape
    return results


def losses(model, batch):
    """What training minimises: {method: scalar}, the sum where a loss has named terms."""
    names = ("critic_loss", "generator_loss") if isinstance(model, Adversarial) else ("loss",)
    return {name: total(getattr(model, name)(*batch)) for name in names}


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
    called |= {Unnormalised: "energy", Scored: "score"}
    unknown = [protocol.__name__ for protocol in record.claims if protocol not in called]
    assert not unknown, f"no call of {unknown} in this file yet: add it to `evaluations`"
    assert Trainable in record.claims or Adversarial in record.claims, "nothing trains it"
    model, batch = built(record).eval(), record.example(4)
    results = evaluations(model, batch, seeded()) | answers(model, batch)
    results |= {name: (loss, ()) for name, loss in losses(model, batch).items()}
    asked = {called[p] for p in record.claims}
    assert asked == set(results) - {"forward", "log_det", "generator_loss", "errors"}
    for name, (result, shape) in results.items():
        assert result.shape == shape, name
        assert result.dtype == (batch[0].dtype if name == "sample" else torch.float32), name
        assert result.isfinite().all(), name


@every_trainable_model
def test_loss_is_a_scalar_that_reaches_every_trainable_parameter(record):
    model = built(record).train()
    loss = total(model.loss(*record.example(4)))
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
    total(model.critic_loss(*record.example(4))).backward()
    assert all(p.grad is None for p in model.generator_parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.critic_parameters())
    total(model.generator_loss(*record.example(4))).backward()
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
                loss = total(getattr(model, f"{player}_loss")(*batch))
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


TELLS_IN_EVALUATION = {
    "restricted-boltzmann-machine"
}  # in training its loss is a gap, whose gradient alone has a meaning
STEPS_TO_FALL = {"consistency-model": 120}  # it learns labels of its own, which move before they settle


@every_trainable_model
def test_training_on_a_few_rows_lowers_the_loss(record):
    model, rows = built(record), record.example(8)
    before = model.eval().loss(*rows) if record.key in TELLS_IN_EVALUATION else None
    loss = fit(model, rows, steps=60, batch_size=8, lr=5e-3, progress=False)["loss"]
    if before is not None:
        assert model.eval().loss(*rows) < 0.97 * before
        return
    steps = STEPS_TO_FALL.get(record.key, 60)
    loss = fit(built(record), record.example(8), steps=steps, batch_size=8, lr=5e-3, progress=False)["loss"]
    assert sum(loss[-10:]) < 0.97 * sum(loss[:10])


DRAWS_NOTHING = {  # a posterior of one row of codes, so that the bound is known without a draw
    (key, "elbo") for key in ("vq-vae", "vq-vae-2", "jukebox", "text-conditioned-codes", "video-vq-vae")
}
DRAWS_NOTHING.add(("cyclegan", "sample"))  # one picture of B for a picture of A


@every_model
def test_equal_seeds_equal_results_and_other_seeds_others(record):
    model, batch = built(record).eval(), record.example(4)
    runs = [evaluations(model, batch, seeded(seed)) for seed in (1, 1, 2)]
    for name in runs[0]:
        first, again, other = (run[name][0] for run in runs)
        assert torch.equal(first, again), name
        assert torch.equal(first, other) == ((record.key, name) in DRAWS_NOTHING), name


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


@every_sampler
@pytest.mark.parametrize("training", [True, False])
def test_sampling_is_done_in_evaluation_mode_and_leaves_the_mode(record, training):
    model = built(record).train(training)
    seen = set()
    for module in model.modules():
        module.register_forward_pre_hook(lambda module, _: seen.add(module.training))
    samples = sampled(model, 2, record.example(1)[1:], rng=seeded())
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
    for name, (result, _) in results.items():
        assert result.dtype == (batch[0].dtype if name == "sample" else torch.float64), name


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
        ours, theirs = (
            r[name][0] if name == "log_weights" else r[name][0].unsqueeze(0) for r in (results, mixed_results)
        )
        torch.testing.assert_close(ours[:, 0], theirs[:, 0], rtol=1e-5, atol=1e-4)
        assert not torch.allclose(ours[:, 1:], theirs[:, 1:], atol=1e-3), name


@every_sampler
def test_bad_counts_are_named(record):
    model, (x, *given) = built(record), record.example(4)
    for n, rng, error, said in (
        (-1, None, ValueError, "n: got -1"),
        ((2, 3), None, TypeError, r"n: got \(2, 3\)"),
        (2, 0, TypeError, "rng: got 0, expected a torch.Generator"),
    ):
        with pytest.raises(error, match=said):
            model.sample(n, *given, rng=rng)
    if isinstance(model, ImportanceWeighted):
        with pytest.raises(ValueError, match="k: got 0"):
            model.log_weights(x, *given, k=0)


# What else may be asked of any model


ARGUMENTS = {"n": lambda x: 5, "x": lambda x: x, "k": lambda x: 3, "given": None}
ARGUMENTS |= {"labels": lambda x: torch.zeros(5, dtype=torch.long), "count": lambda x: 3}
ARGUMENTS |= {"blanked": lambda x: torch.where(torch.arange(x.shape[1]) == 0, torch.nan, x)}
ARGUMENTS |= {"known": lambda x: torch.zeros(x.shape[1:], dtype=torch.bool)}


def flat(drawn):
    """What was drawn as one tensor: codes of several levels, one after another."""
    return drawn if isinstance(drawn, torch.Tensor) else torch.cat([part.flatten() for part in drawn])


@every_model
def test_every_public_method_that_takes_rng_obeys_it(record):
    model, batch = built(record).eval(), record.example(4)
    for name, method in inspect.getmembers(model, inspect.ismethod):
        parameters = inspect.signature(method).parameters
        if name.startswith("_") or "rng" not in parameters:
            continue
        needed = [p for p in parameters.values() if p.default is p.empty and p.name != "rng"]
        needed += [p for p in parameters.values() if p.name == "given" and p not in needed and len(batch) > 1]
        unknown = [p.name for p in needed if p.name not in ARGUMENTS]
        assert not unknown, f"{name} takes {unknown}: say in ARGUMENTS what to give it"
        given = {p.name: ARGUMENTS[p.name](batch[0]) for p in needed if p.name != "given"}
        if "given" in {p.name for p in needed}:
            told = batch[1]
            given["given"] = told[:1].expand(5, *told.shape[1:]) if "n" in given else told
        with torch.no_grad():
            first, again, other = (flat(method(**given, rng=seeded(seed))) for seed in (1, 1, 2))
            torch.manual_seed(5)
            elsewhere = flat(method(**given, rng=seeded(1)))
        assert torch.equal(first, again), name
        assert torch.equal(first, elsewhere), f"{name} draws from the global state"
        assert torch.equal(first, other) == ((record.key, name) in DRAWS_NOTHING), name


@every_model
def test_no_rows_give_no_rows(record):
    model, batch = built(record).eval(), record.example(4)
    x, *given = (t[:0] for t in batch)
    if isinstance(model, Sampler):
        assert sampled(model, 0, batch[1:], rng=seeded()).shape == batch[0][:0].shape
    results = answers(model, (x, *given)) | evaluations(model, (x, *given), seeded())
    for name, (result, shape) in results.items():
        assert result.shape == shape, name


@every_model
def test_a_model_is_pickled_and_copied_whole(record):
    model, batch = built(record).eval(), record.example(4)
    ours = evaluations(model, batch, seeded()) | answers(model, batch)
    if record in CATALOGUE:
        assert repr(pickle.loads(pickle.dumps(model))) == repr(model)
    for twin in (copy.deepcopy(model), *([pickle.loads(pickle.dumps(model))] if record in CATALOGUE else [])):
        theirs = evaluations(twin, batch, seeded()) | answers(twin, batch)
        assert all(torch.equal(ours[name][0], theirs[name][0]) for name in ours)


@every_model
def test_losses_under_autocast(record):
    model, batch = built(record).train(), record.example(4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values = losses(model, batch)
    for name, value in values.items():
        assert value.isfinite(), name
        value.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@every_sampler
def test_sampling_in_inference_mode(record):
    model, (_, *given) = built(record), record.example(4)
    ours = sampled(model, 3, given, rng=seeded())
    with torch.inference_mode():
        assert torch.equal(sampled(model, 3, given, rng=seeded()), ours)


@every_density_with_slopes
def test_second_derivatives_are_those_of_the_first(record):
    """d/dε of vᵀ∇ log p(x), as x or a weight moves along a direction: by autograd and by central differences."""
    model = built(record).double().eval()
    x, *given = (t.double() if t.is_floating_point() else t for t in record.example(3))
    x.requires_grad_()
    if torch.autograd.grad(model.log_prob(x, *given).sum(), x, allow_unused=True)[0] is None:
        assert model.measures == "probability"
        return  # its codes are steps of x, without a slope
    v = torch.randn(x.shape, generator=seeded(), dtype=x.dtype)

    def slope(**options):
        return (torch.autograd.grad(model.log_prob(x, *given).sum(), x, **options)[0] * v).sum()

    weights = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    for name, moved in (("x", x), *weights[:: max(1, len(weights) // 6)]):
        direction = torch.randn(moved.shape, generator=seeded(1), dtype=x.dtype)
        (second,) = torch.autograd.grad(slope(create_graph=True), moved, allow_unused=True, materialize_grads=True)
        ahead, behind = [], []
        for values, offset in ((ahead, 1e-7), (behind, -1e-7)):  # narrow: a ReLU has kinks
            with torch.no_grad():
                moved += offset * direction
            values.append(slope())
            with torch.no_grad():
                moved -= offset * direction
        expected = (ahead[0] - behind[0]) / 2e-7
        torch.testing.assert_close((second * direction).sum(), expected, rtol=1e-4, atol=1e-5, msg=f"{name}: {second}")


WITHOUT_VMAP = {"lstm-language-model"}  # torch's fused LSTM has no such rule


@every_density
def test_rows_one_at_a_time_by_vmap(record):
    model, batch = built(record).eval(), record.example(3)
    ours = model.log_prob(*batch).detach()

    def one(*row):
        return model.log_prob(*(t.unsqueeze(0) for t in row)).squeeze(0)

    if record.key in WITHOUT_VMAP:
        with pytest.raises(RuntimeError, match="Batching rule not implemented for aten::lstm"):
            torch.vmap(one)(*batch)
        return
    torch.testing.assert_close(torch.vmap(one)(*batch).detach(), ours, rtol=1e-5, atol=1e-5)
    if not batch[0].is_floating_point():
        return  # codes have no slope
    slopes = torch.vmap(torch.func.grad(one))(*batch)
    x = batch[0].requires_grad_()
    expected = torch.autograd.grad(model.log_prob(x, *batch[1:]).sum(), x, allow_unused=True, materialize_grads=True)[0]
    torch.testing.assert_close(slopes, expected, rtol=1e-4, atol=1e-4)


# Over data of every kind, and not only over the default


def data_of(kind):
    """Eight rows and more of each kind of data."""
    rng, rows, symbols = seeded(), 40, 1_000
    x = {
        "vectors": lambda: torch.randn(rows, 3, generator=rng),
        "one number": lambda: torch.randn(rows, 1, generator=rng),
        "grey images": lambda: torch.randint(0, 5, (rows, 1, 8, 8), generator=rng) / 4,
        "colour images": lambda: torch.rand(rows, 3, 8, 8, generator=rng),
        "small images": lambda: torch.randint(0, 2, (rows, 1, 3, 5), generator=rng).float(),
        "sounds": lambda: torch.rand(rows, 1, 20, generator=rng) - 0.5,
        "videos": lambda: torch.rand(rows, 1, 2, 8, 8, generator=rng),
        "codes": lambda: torch.randint(0, 5, (rows, 6), generator=rng),
        "text": lambda: torch.randint(0, 5, (symbols,), generator=rng),
    }[kind]()
    held = x[: len(x) // 5]
    return Dataset(f"own {kind}", kind, x, held, held, None, tuple(x.shape[1:]), "none", "drawn")


KINDS = ("vectors", "one number", "grey images", "colour images", "small images", "sounds", "videos", "codes", "text")
REFUSED_BY_VALUE = {  # values of no levels
    ("glow", "colour images"),
    ("naive-bayes", "grey images"),
    ("row-lstm", "colour images"),
    ("diagonal-bilstm", "colour images"),
    ("pixelcnn", "colour images"),
    ("gated-pixelcnn", "colour images"),
    ("pixelcnn-pp", "colour images"),
}
REFUSED_BY_VALUE |= {(key, "grey images") for key in ("fvsbn", "nade", "made")}  # bits alone
REFUSED_BY_VALUE |= {("generative-stochastic-network", "grey images")}
REFUSED_BY_VALUE |= {("restricted-boltzmann-machine", "grey images")}


@every(CATALOGUE)
@pytest.mark.parametrize("kind", KINDS)
def test_it_trains_on_the_data_or_says_that_it_does_not_suit_them(record, kind):
    data = data_of(kind)
    if not record.suits(data.event_shape, data.train.dtype) or (record.key, kind) in REFUSED_BY_VALUE:
        with pytest.raises(ValueError, match=f"data: {data.key} holds "):
            record.build(data)
        return
    data = record.prepare(data)
    if record.told and data.labels is None:
        with pytest.raises(ValueError, match="data: .* has no labels"):
            record.batch(data)
        return
    model, batch = record.build(data), record.batch(data)
    recipe = record.recipe(data, steps=1) | {"batch_size": 8, "progress": False}
    loop = fit_adversarial if isinstance(model, Adversarial) else fit
    history = loop(model, batch, **recipe)
    assert all(torch.tensor(values).isfinite().all() for values in history.values())
    if isinstance(model, Sampler):
        samples = sampled(model, 2, batch[1:], rng=seeded())
        assert samples.shape == (2, *data.event_shape)
        assert samples.isfinite().all()
    three = tuple(t[:3] for t in batch)
    with torch.no_grad():
        for result, shape in (answers(model, three) | evaluations(model, three, seeded())).values():
            assert result.shape == shape
            assert result.isfinite().all()


@every(CATALOGUE)
def test_some_data_suit_it_and_some_do_not(record):
    kinds = {kind: record.suits(data_of(kind).event_shape, data_of(kind).train.dtype) for kind in KINDS}
    assert any(kinds.values())
    assert not all(kinds.values())
