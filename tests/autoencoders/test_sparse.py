"""Sparse autoencoders: the values known by hand, the price that finds its target, the count that falls."""

import math

import pytest
import torch

from gmcourse.autoencoders import sparse
from gmcourse.autoencoders.sparse import (
    KSparseAutoencoder,
    SparseAutoencoder,
    active_share,
    k_sparse,
    kl_sparsity,
    soft_threshold,
)
from gmcourse.data import Dataset
from gmcourse.laws.autoencoders import sparsity
from gmcourse.training import fit

SHAPE = (1, 2, 3)


def pictures(rows=12, seed=0):
    return torch.rand(rows, *SHAPE, generator=torch.Generator().manual_seed(seed)).double()


def priced(penalty="l1", weight=0.3, rho=None, length=1.0, units=5):
    torch.manual_seed(0)
    return SparseAutoencoder(pictures().mean(0), units, penalty, weight, rho, length).double()


def counted(k=2, falling=0, units=5):
    torch.manual_seed(0)
    return KSparseAutoencoder(pictures().mean(0), units, k, falling).double()


# The functions


def test_they_keep_the_laws():
    sparsity.shrinks_to_the_least(soft_threshold)
    sparsity.rates_are_held(kl_sparsity)
    sparsity.largest_are_kept(k_sparse)


def test_the_rate_s_cost_by_hand():
    rate = torch.tensor([[0.1], [0.3]], dtype=torch.float64, requires_grad=True)
    cost = kl_sparsity(rate, 0.05)
    assert cost.item() == pytest.approx(0.05 * math.log(0.25) + 0.95 * math.log(0.95 / 0.8), abs=1e-12)
    assert round(cost.item(), 4) == 0.0939
    cost.backward()
    assert rate.grad.flatten().tolist() == pytest.approx([0.9375 / 2] * 2)
    assert kl_sparsity(torch.tensor([[0.0], [0.1]]), 0.05).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("dead", [0.0, 1.0])
def test_a_rate_at_the_end_of_its_range_costs_much_and_not_infinity(dead):
    cost = kl_sparsity(torch.full((3, 2), dead), 0.05)
    assert cost.isfinite()
    assert cost > 1


def test_half_precision_counts_a_rate_in_full():
    z = torch.full((1000, 1), 0.05).bfloat16()
    assert kl_sparsity(z, 0.05).item() == pytest.approx(0, abs=1e-4)
    rare = torch.full((1000, 1), 0.001).bfloat16()
    assert kl_sparsity(rare, 0.05).item() == pytest.approx(kl_sparsity(rare.float(), 0.05).item(), rel=1e-4)


def test_the_share_is_of_each_unit_s_own_maximum():
    z = torch.tensor([[1.0, 0.0, 0.02, -1.0], [0.2, 0.0, 0.01, -2.0], [0.05, 0.0, 0.0, -3.0]])
    torch.testing.assert_close(active_share(z), torch.tensor([2, 0, 2, 0]) / 3)
    torch.testing.assert_close(active_share(z, least=0.01), torch.tensor([3, 0, 2, 0]) / 3)
    assert active_share(torch.tensor([[1.0], [0.1]])).item() == 0.5  # above, not at


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: kl_sparsity(torch.rand(2, 2), 0.0), "rho: got 0.0, expected a rate between 0 and 1"),
        (lambda: kl_sparsity(torch.rand(2, 2), 1.0), "rho: got 1.0, expected a rate between 0 and 1"),
        (lambda: k_sparse(torch.rand(2, 3), 0), "k: got 0, expected 1 to 3"),
        (lambda: k_sparse(torch.rand(2, 3), 4), "k: got 4, expected 1 to 3"),
        (lambda: counted(k=6), "k: got 6, expected 1 to 5"),
        (lambda: counted(k=0), "k: got 0, expected 1 to 5"),
        (lambda: priced("l2"), "penalty, rho: got 'l2' and None"),
        (lambda: priced("kl"), "penalty, rho: got 'kl' and None"),
        (lambda: priced(weight=0.0), "weight: got 0.0, expected a positive number"),
        (lambda: priced(weight=math.inf), "weight: got inf, expected a positive number"),
        (lambda: priced(length=-1.0), "length: got -1.0, expected a positive number"),
        (lambda: priced(units=0), "units: got 0, expected a positive number"),
        (lambda: priced("kl", rho=1.0), "rho: got 1.0, expected a rate between 0 and 1"),
        (lambda: priced(rho=0.0), "rho: got 0.0, expected a mean activity above 0"),
        (lambda: counted(falling=-1), "falling: got -1, expected a number of steps"),
    ],
)
def test_bad_input_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()


# The models


@pytest.mark.parametrize("model", [priced(), priced("kl", rho=0.1, length=0.5), priced(length=None), counted()])
def test_the_loss_is_error_and_price_by_loops(model):
    x, m = pictures(4), model.mean
    z = model.encode(x)
    drawn = [m + sum(z[i, j] * model.filters[j] for j in range(5)) for i in range(4)]
    torch.testing.assert_close(model.decode(z), torch.stack(drawn))
    torch.testing.assert_close(model.reconstruct(x), torch.stack(drawn))
    errors = torch.stack([((x[i] - drawn[i]) ** 2).sum() for i in range(4)])
    torch.testing.assert_close(model.errors(x), errors)
    price = 0.0
    if isinstance(model, SparseAutoencoder):
        weight = model.log_weight.exp()
        price = weight * (z.sum() / 4 if model.penalty == "l1" else kl_sparsity(z, 0.1))
    torch.testing.assert_close(model.loss(x), errors.mean() + price)
    assert not model.reconstruct(x).requires_grad


def test_the_activities_are_those_of_the_papers():
    x = pictures()
    layer = (model := priced()).encoder
    h = (x - model.mean).flatten(1) @ layer.weight.T + layer.bias
    torch.testing.assert_close(model.encode(x), h.clamp(min=0))
    model = priced("kl", rho=0.1)
    torch.testing.assert_close(model.encode(x), 1 / (1 + (-h).exp()))
    tied = counted()
    assert (tied.encode(x) != 0).sum(1).tolist() == [2] * len(x)
    assert torch.equal(tied.filters.flatten(1), tied.encoder.weight)


@pytest.mark.parametrize("length", [1.0, 0.5])
def test_filters_have_their_length_or_are_free(length):
    norms = priced(length=length).filters.flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, torch.full_like(norms, length))
    free = priced(length=None)
    assert torch.equal(free.filters.flatten(1), free.decoder.weight.T)


def test_free_filters_evade_the_price_and_those_of_a_length_do_not():
    x = pictures()
    for length, evaded in ((None, True), (1.0, False)):
        model, longer = priced(length=length), priced(length=length)
        with torch.no_grad():
            for parameter in longer.encoder.parameters():
                parameter /= 10
            longer.decoder.weight *= 10
        torch.testing.assert_close(longer.encode(x), model.encode(x) / 10)
        assert torch.allclose(longer.decode(longer.encode(x)), model.decode(model.encode(x))) == evaded


def test_the_multiplier_rises_where_there_is_more_than_the_target():
    x, total = pictures(), priced().encode(pictures()).sum(1).mean().item()
    for rho in (0.5 * total / 5, 2 * total / 5):
        model = priced(rho=rho)
        model.loss(x).backward()
        gradient = model.log_weight.grad.item()
        assert gradient == pytest.approx(-0.3 * (total - 5 * rho))
        assert (gradient < 0) == (total > 5 * rho)
    plain, steered = priced(), priced(rho=0.02)
    for model in (plain, steered):
        model.loss(x).backward()
    assert plain.log_weight.grad is None
    assert torch.equal(plain.encoder.weight.grad, steered.encoder.weight.grad)


def test_the_multiplier_finds_its_target():
    x = pictures(40).float()
    torch.manual_seed(0)
    model = SparseAutoencoder(x.mean(0), 6, "l1", 0.05, rho=0.03)
    fit(model, (x,), steps=600, batch_size=40, lr=lambda step: 2e-2 * (1 - step / 600), progress=False)
    assert model.encode(x).mean().item() == pytest.approx(0.03, rel=0.1)


def test_the_count_falls_in_a_straight_line_in_training_alone():
    model = counted(k=2, falling=3, units=8).train()
    x, seen = pictures(), []
    for _ in range(5):
        seen.append(((model.encode(x) != 0).sum(1).unique().item(), model.kept))
        model.after_step()
    assert seen == [(8, 8), (6, 6), (4, 4), (2, 2), (2, 2)]
    assert model.half().step.dtype == torch.long  # a count is not rounded
    fresh = counted(k=2, falling=3, units=8)
    fresh.train().reconstruct(x)
    assert fresh.kept == 8
    assert fresh.eval().kept == 2
    fresh.load_state_dict(model.state_dict())
    assert fresh.train().kept == 2


def test_they_say_what_a_checkpoint_must_not_change():
    priced_ones = ({}, {"weight": 0.4}, {"rho": 0.1}, {"length": None}, {"penalty": "kl", "rho": 0.1})
    assert len({repr(priced(**options)) for options in priced_ones}) == len(priced_ones)
    assert len({repr(counted(**options)) for options in ({}, {"k": 3}, {"falling": 5})}) == 3


def test_another_price_does_not_go_on_with_a_checkpoint(tmp_path):
    plan = {"steps": 2, "batch_size": 12, "lr": 0.01, "progress": False, "checkpoint": tmp_path / "run.pt"}
    fit(priced(weight=0.3), (pictures(),), **plan)
    with pytest.raises(ValueError, match=r"weight=0.3.*weight=0.4"):
        fit(priced(weight=0.4), (pictures(),), **plan | {"steps": 3})


def test_a_loss_changes_nothing():
    for model in (priced(rho=0.1), priced("kl", rho=0.1), counted(falling=3)):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        model.train().loss(pictures())
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_they_are_built_for_the_data():
    x = pictures(20).float()
    data = Dataset("own", "own", x, x, x, None, SHAPE, "none", "drawn")
    for make in (sparse.make_l1, sparse.make_kl, sparse.make_k_sparse):
        model = make(data)
        torch.testing.assert_close(model.mean.data, x.mean(0))
        assert model.filters.shape == (12, *SHAPE)
        assert make().filters.shape == (128, 1, 8, 8)
    assert "penalty='l1', weight=0.4, rho=None, length=1.0" in repr(sparse.make_l1())
    assert "penalty='kl', weight=2.0, rho=0.0625, length=0.5" in repr(sparse.make_kl())
    assert sparse.make_k_sparse().k == 8
    assert sparse.make_k_sparse().falling == 500
    assert sparse.make_k_sparse(data).k == 1
