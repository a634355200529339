"""GAIN and the filler without a critic: what they are told, what they are paid for, what they leave as it was."""

import pytest
import torch
from torch import nn

from gmcourse.gan.filler import Filler
from gmcourse.gan.gain import (
    GAIN,
    Between,
    fill,
    gain_critic_loss,
    gain_generator_loss,
    gain_networks,
    guesses,
    hint,
    impute,
    known,
    leave_one_out,
    make_gain,
    squared_error_of,
    table_rows,
)
from gmcourse.laws.gan import blanks
from gmcourse.metrics import imputation_rmse
from gmcourse.training import fit, fit_adversarial


def with_blanks(n=200, share=0.2, seed=0):
    (x,) = table_rows(n, seed)
    m = (torch.rand(x.shape, generator=torch.Generator().manual_seed(seed + 1)) >= share).float()
    return x, m, torch.where(m > 0, x, torch.nan)


def test_a_mask_is_1_where_a_number_stands():
    x = torch.tensor([[1.0, float("nan")], [float("nan"), 0.0]], dtype=torch.float64)
    assert known(x).tolist() == [[1, 0], [0, 1]]
    assert known(x).dtype == torch.float64


def test_a_filled_row_holds_no_blank_and_keeps_what_was_known():
    x = torch.tensor([[1.0, float("nan"), 3.0]])
    assert fill(x, known(x), torch.tensor([[7.0, 8.0, 9.0]])).tolist() == [[1, 8, 3]]


def test_a_hint_is_the_mask_where_it_tells():
    blanks.hint_leaves_some_open(hint)
    m = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    assert hint(m, torch.tensor([[1.0, 1.0, 0.0, 0.0]])).tolist() == [[1, 0, 0.5, 0.5]]


def test_a_critic_that_knows_nothing_loses_ln_2_and_where_all_is_told_there_is_nothing_to_lose():
    m, b = torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2)
    assert gain_critic_loss(torch.zeros(1, 2), m, b).item() == pytest.approx(0.6931, abs=1e-4)
    assert gain_generator_loss(torch.zeros(1, 2), m, b).item() == pytest.approx(0.6931 / 2, abs=1e-4)
    for loss in (gain_critic_loss, gain_generator_loss):
        assert loss(torch.randn(1, 2), m, torch.ones(1, 2)).item() == 0


def test_the_squared_error_is_of_the_entries_named_and_passes_over_blanks():
    x = torch.tensor([[1.0, float("nan")], [2.0, 5.0]])
    guess = torch.zeros(2, 2, requires_grad=True)
    error = squared_error_of(x, guess, known(x))
    assert error.item() == pytest.approx((1 + 4 + 25) / 3)
    error.backward()
    assert guess.grad.isfinite().all()


def test_the_network_is_told_noise_in_the_blanks_and_the_mask():
    x, m, noise = torch.tensor([[1.0, float("nan")]]), torch.tensor([[1.0, 0.0]]), torch.tensor([[8.0, 9.0]])
    assert guesses(lambda seen: seen, x, m, noise).tolist() == [[1, 9, 1, 0]]


def test_impute_keeps_known_entries_bit_for_bit_and_complete_rows_whole():
    x, m, blanked = with_blanks()
    model = make_gain()
    filled = model.impute(blanked, rng=torch.Generator().manual_seed(0))
    assert torch.equal(filled[m > 0], x[m > 0])
    assert filled.isfinite().all()
    assert torch.equal(model.impute(x), x)
    assert torch.equal(filled, impute(model.generator, blanked, torch.Generator().manual_seed(0)))
    assert not torch.equal(filled, model.impute(blanked, rng=torch.Generator().manual_seed(1)))


def test_one_entry_at_a_time_is_left_out():
    x = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    mean_of_the_other = lambda seen: seen[:, :2].flip(1)  # noqa: E731
    assert leave_one_out(mean_of_the_other, x).tolist() == [2.0, 8.0]
    assert leave_one_out(lambda seen: seen[:, :2], x, 0.0).tolist() == [5.0, 34.0]


def test_blanks_reach_no_loss_and_no_gradient():
    _, _, blanked = with_blanks()
    model = make_gain()
    total = model.generator_loss(blanked) + model.critic_loss(blanked)
    total.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    filler = Filler(gain_networks(8)[0], hide=0.2)
    filler.loss(blanked).backward()
    assert all(p.grad.isfinite().all() for p in filler.parameters())


def test_with_nothing_shown_the_filler_is_scored_on_the_hidden_alone():
    (x,) = table_rows(500)
    copies = nn.Identity()
    copies.forward = lambda seen: seen[:, :8]  # says what it is shown
    assert Filler(copies).loss(x).item() == 0
    torch.manual_seed(0)
    hidden = Filler(copies, hide=0.3).loss(x)
    assert hidden.item() == pytest.approx((x - 0.005).square().mean().item(), rel=0.1)


def test_a_generator_that_is_told_all_but_two_columns_learns_to_fill_them():
    x, m, blanked = with_blanks(2_000)
    mean = torch.where(m > 0, x, (x * m).sum(0) / m.sum(0))
    options = {"steps": 150, "batch_size": 128, "lr": 1e-2, "progress": False}
    torch.manual_seed(0)
    model = GAIN(*gain_networks(8))
    fit_adversarial(model, (blanked,), betas=(0.9, 0.999), **options)
    filler = Filler(gain_networks(8, 32)[0], hide=0.2)
    fit(filler, (blanked,), **options)
    baseline = imputation_rmse(x, mean, m)
    assert imputation_rmse(x, filler.impute(blanked), m) < 0.8 * baseline
    assert imputation_rmse(x, model.impute(blanked), m) < 0.95 * baseline


def test_a_table_of_any_range_is_filled_within_it():
    squash = Between(torch.tensor([-3.0, 5.0]), torch.tensor([-1.0, 5.0]))
    out = squash(torch.tensor([[-50.0, 3.0], [50.0, -3.0], [0.0, 0.0]]))
    assert out.tolist() == [[-3, 5], [-1, 5], [-2, 5]]


@pytest.mark.parametrize(
    ("option", "value"), [("weight", -1.0), ("hint_rate", 1.5), ("hide", -0.1), ("noise", -1.0), ("hide", float("nan"))]
)
def test_what_is_out_of_range_is_named(option, value):
    with pytest.raises(ValueError, match=f"{option}: got {value}"):
        GAIN(*gain_networks(3), **{option: value})


def test_a_filler_must_be_shown_something():
    with pytest.raises(ValueError, match="hide: got 1.0"):
        Filler(gain_networks(3)[0], hide=1.0)


def test_what_decides_the_model_stands_in_its_name():
    assert "weight=7.0, hint_rate=0.5, hide=0.1, noise=1.0" in repr(
        GAIN(*gain_networks(3), weight=7.0, hint_rate=0.5, hide=0.1, noise=1.0)
    )
    assert "hide=0.3" in repr(Filler(gain_networks(3)[0], hide=0.3))
