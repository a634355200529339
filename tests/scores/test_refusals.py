"""What the models of this family refuse, by name; what they tell a checkpoint; and that many samples come in parts."""

import copy
import importlib
import math

import pytest
import torch

from gmcourse.checkpoint import identity
from gmcourse.nets import LeveledMLP
from gmcourse.scores.consistency import ConsistencyModel, Jump, jump
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.diffusion import DDPM
from gmcourse.scores.langevin import langevin
from gmcourse.scores.levels import descending, perturb
from gmcourse.scores.matching import tweedie
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.scores.ncsn import NCSN
from gmcourse.scores.samplers import ddim_step, power_levels, spaced
from gmcourse.scores.sde import ScoreSDE, reverse_sde

LEVELS, X = torch.tensor([4.0, 1.0, 0.1]), torch.zeros(2, 2)


def denoiser(classes=0, **options):
    torch.manual_seed(0)
    return Denoiser(LeveledMLP(2, [8], classes=classes), **options)


def ddpm(sigmas=LEVELS, spread=0.5, **options):
    return DDPM(denoiser(spread=spread), (2,), sigmas, **{"calls": 2, **options})


def consistency(levels=LEVELS, lowest=0.1, **options):
    return ConsistencyModel(Jump(LeveledMLP(2, [8]), lowest), (2,), levels, None, **options)


MODELS = {
    "ddpm": ddpm,
    "ncsn": lambda: NCSN(denoiser(), (2,), LEVELS, steps=1),
    "sde": lambda: ScoreSDE(denoiser(), (2,)),
    "consistency": consistency,
}


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_no_batch_of_events_is_named(kind):
    model = MODELS[kind]()
    asked = [getattr(model, name) for name in ("loss", "elbo", "log_prob") if hasattr(model, name)]
    for call in asked:
        for wrong in (torch.zeros(3, 5), torch.zeros(3, 2).long()):
            with pytest.raises(ValueError, match=r"x: got shape .* expected \(batch, \*\(2,\)\), floating point"):
                call(wrong)


@pytest.mark.parametrize("kind", MODELS)
def test_many_samples_are_drawn_in_parts(kind, monkeypatch):
    monkeypatch.setattr(importlib.import_module("gmcourse.nets.sampling"), "AT_ONCE", (3, 0))
    model, sizes = MODELS[kind]().eval(), set()
    for part in model.modules():
        if isinstance(part, LeveledMLP):
            part.register_forward_pre_hook(lambda _, inputs: sizes.add(len(inputs[0])))
    x = model.sample(7, rng=torch.Generator().manual_seed(0))
    assert (x.shape, sizes) == ((7, 2), {3, 1})
    assert len(x.unique(dim=0)) == 7


def test_with_classes_each_part_is_told_its_own(monkeypatch):
    monkeypatch.setattr(importlib.import_module("gmcourse.nets.sampling"), "AT_ONCE", (3, 0))
    model, told = ScoreSDE(denoiser(classes=4), (2,)), []
    model.denoiser.net.register_forward_pre_hook(lambda _, inputs: told.append(inputs[2].tolist()))
    model.sample(5, torch.tensor([0, 1, 2, 3, 0]))
    assert (told[0], told[-1]) == ([0, 1, 2], [3, 0])


def test_what_decides_a_run_is_part_of_its_identity():
    data = (torch.zeros(4, 2),)

    def same(one, other):
        return identity(one, data) == identity(other, data)

    assert same(ddpm(), ddpm())
    middle = torch.tensor([4.0, 2.0, 0.1])
    for other in (ddpm(middle), ddpm(spread=0.7), ddpm(calls=3), ddpm(decay=0.5), ddpm(levels=3), ddpm(step=ddim_step)):
        assert not same(ddpm(), other)
    assert not same(ddpm(bounds=(0.0, 1.0)), ddpm())
    assert not same(NCSN(denoiser(), (2,), LEVELS), NCSN(denoiser(), (2,), middle))
    assert not same(ScoreSDE(denoiser(), (2,)), ScoreSDE(denoiser(), (2,), drop=0.2))
    assert not same(ScoreSDE(denoiser(), (2,)), ScoreSDE(denoiser(), (2,), largest=40.0))
    assert not same(consistency(), consistency(middle))
    assert not same(consistency(), consistency(jumps=[4.0, 1.0]))


def test_models_without_values_have_a_repr():
    for make in MODELS.values():
        assert repr(copy.deepcopy(make()).to("meta"))


def test_the_consistency_model_is_evaluated_by_its_average():
    model, x = consistency(), torch.randn(64, 2)
    with torch.no_grad():
        for weight in model.f.parameters():
            weight.add_(0.5)
    losses = []
    for f in (model.f, model.average.module):
        other = copy.deepcopy(model)
        other.f = f
        torch.manual_seed(1)
        losses.append(other.train().loss(x).item())
    assert abs(losses[0] - losses[1]) > 1e-3
    torch.manual_seed(1)
    assert model.eval().loss(x).item() == pytest.approx(losses[1])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: denoiser()(X, 0.0), "sigma: got 0.0, expected a level above 0"),
        (lambda: denoiser().score(X, -1.0), "sigma: got -1.0, expected a level above 0"),
        (lambda: denoiser(spread=math.nan), "spread: got nan, expected a standard deviation above 0"),
        (lambda: descending([]), r"sigmas: got \[\], expected positive levels"),
        (lambda: descending([math.inf, 1.0]), "sigmas: got inf, expected finite levels"),
        (lambda: spaced(LEVELS, 0), "calls: got 0, expected 1 to 3"),
        (lambda: spaced(LEVELS, 1.5), "calls: got 1.5, expected 1 to 3"),
        (lambda: power_levels(1.0, 0.1, 3, 0.0), "power: got 0.0, expected a number above 0"),
        (lambda: ddim_step(X, X, 2.0, 1.0, X, fresh=1.5), "fresh: got 1.5, expected a share from 0 to 1"),
        (lambda: langevin(lambda x: -x, X, -0.1, 3), "step, steps: got -0.1 and 3, expected numbers from 0 on"),
        (lambda: langevin(lambda x: -x, X, 0.1, -3), "step, steps: got 0.1 and -3, expected numbers from 0 on"),
        (lambda: reverse_sde(lambda x, s: -x, X, [1.0, 2.0]), r"sigmas: got \[1.0, 2.0\], expected levels that fall"),
        (lambda: reverse_sde(lambda x, s: -x, X, [1.0, -2.0]), "sigmas: got .*, expected levels that fall, from 0 on"),
        (lambda: jump(lambda x, s: x, X, torch.tensor([1.0, 0.01]), 0.1), "sigmas: got .* levels from the lowest, 0.1"),
        (lambda: consistency(LEVELS[-1:]), "sigmas: got .*, expected levels down to f's lowest, 0.1"),
        (lambda: consistency(lowest=0.2), "sigmas: got .*, expected levels down to f's lowest, 0.2"),
        (lambda: ScoreSDE(denoiser(), (2,), 5.0, 1.0), "smallest, largest: got 5.0 and 1.0, expected 0 < smallest"),
        (lambda: ScoreSDE(denoiser(), (2,), drop=2.0), "drop: got 2.0, expected a probability"),
        (
            lambda: ScoreSDE(denoiser(2), (2,)).sample(3, torch.zeros(2).long()),
            r"given: got shape \(2,\), expected \(3",
        ),
        (lambda: ScoreSDE(denoiser(), (2,)).sample(3, torch.zeros(3).long()), "given: got classes, .* made without"),
        (lambda: ddpm(levels=1), "levels: got 1, expected 0, or the number of values, at least 2"),
        (lambda: ddpm(levels=3).elbo(X + 0.3), "x: got values from 0.3 to 0.3, expected 3 values from 0 to 1"),
        (lambda: ddpm(levels=3).elbo(X + 1.5), "x: got values from 1.5 to 1.5, expected 3 values from 0 to 1"),
        (
            lambda: ddpm().step_cost(X, torch.tensor([1, 2]), X),
            r"k: got 1 to 2, expected the numbers of levels, 2 to 3",
        ),
        (lambda: tweedie(lambda x: -x, X[..., None], 1.0), r"x: got shape \(2, 2, 1\), expected \(batch, D\)"),
        (lambda: NoisedMixture(torch.zeros(2), 1.0), r"means: got shape \(2,\) and torch.float32, expected \(K, D\)"),
        (lambda: NoisedMixture(X, -1.0), r"stds: got \[-1.0, -1.0\], expected numbers from 0 on"),
        (lambda: NoisedMixture(X, 1.0, torch.tensor([1.5, -0.5])), r"weights: got \[1.5, -0.5\], expected 2 numbers"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_a_level_is_not_cut_to_whole_numbers():
    with pytest.raises(TypeError, match="x: got dtype torch.int64, expected floating point"):
        perturb(torch.ones(1, 2).long(), 0.5, torch.ones(1, 2))


def test_the_score_is_right_down_to_the_smallest_levels():
    """In single precision, against double, of data far from 0."""
    net = denoiser(spread=1.0, centre=100.0)
    x = 100 + torch.randn(5, 2)
    exact = copy.deepcopy(net).double()
    for sigma in (1e-6, 1e-3, 1.0, 80.0):
        found, expected = net.score(x, sigma).double(), exact.score(x.double(), sigma)
        assert (found - expected).abs().max() < 1e-4 * expected.abs().max(), sigma
