"""Corruption: what each kind does to an entry, how often, and what it refuses."""

from dataclasses import FrozenInstanceError

import pytest
import torch

from gmcourse.autoencoders.corruption import Corruption, gaussian, masking, salt_and_pepper


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_salt_and_pepper_by_hand():
    x, noise = torch.full((1, 5), 0.3), torch.tensor([[0.0, 0.19, 0.2, 0.39, 0.4]])
    assert torch.equal(salt_and_pepper(x, noise, 0.4), torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.3]]))


def test_masking_by_hand():
    x, noise = torch.full((1, 3), 0.3), torch.tensor([[0.0, 0.39, 0.4]])
    assert torch.equal(masking(x, noise, 0.4), torch.tensor([[0.0, 0.0, 0.3]]))


def test_gaussian_by_hand():
    x, noise = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, -1.0]])
    assert torch.equal(gaussian(x, noise, 2.0), torch.tensor([[2.0, 0.0]]))


@pytest.mark.parametrize(
    ("kind", "shares"), [("masking", (0.3, 0.0)), ("salt-and-pepper", (0.15, 0.15)), ("gaussian", (0.0, 0.0))]
)
def test_how_often_an_entry_becomes_0_or_1(kind, shares):
    x = torch.full((40, 1, 10, 50), 0.5)
    corrupted = Corruption(kind, 0.3).draw(x, seeded())
    assert corrupted.shape == x.shape
    assert corrupted.dtype == x.dtype
    for value, share in zip((0, 1), shares, strict=True):
        assert (corrupted == value).float().mean().item() == pytest.approx(share, abs=0.01)
    rows = corrupted.flatten(1)
    assert not torch.equal(rows[0], rows[1])  # every entry has noise of its own
    if kind == "gaussian":
        assert (corrupted - x).std().item() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("kind", ["masking", "salt-and-pepper", "gaussian"])
def test_equal_seeds_equal_draws_and_level_0_changes_nothing(kind):
    x = torch.rand(3, 2, 4, dtype=torch.float64, generator=seeded())
    first, again, other = (Corruption(kind, 0.5).draw(x, seeded(seed)) for seed in (1, 1, 2))
    assert first.dtype == torch.float64
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(Corruption(kind, 0.0).draw(x), x)


@pytest.mark.parametrize(
    ("kind", "level", "said"),
    [
        ("salt", 0.1, "kind: got 'salt', expected one of masking, salt-and-pepper, gaussian"),
        ("masking", 1.5, "level: got 1.5, expected a share from 0 to 1"),
        ("salt-and-pepper", -0.1, "level: got -0.1, expected a share from 0 to 1"),
        ("gaussian", -1.0, "level: got -1.0, expected a standard deviation, at least 0"),
        ("masking", float("nan"), "level: got nan"),
    ],
)
def test_what_is_refused(kind, level, said):
    with pytest.raises(ValueError, match=said):
        Corruption(kind, level)


@pytest.mark.parametrize("kind", ["masking", "salt-and-pepper", "gaussian"])
def test_noise_is_drawn_where_and_as_precisely_as_the_examples_are(kind):
    assert Corruption(kind, 0.5).draw(torch.zeros(2, 3, device="meta")).is_meta
    x = torch.rand(2, 3, dtype=torch.float64, generator=seeded())
    draw, spoil = {"masking": (torch.rand, masking), "salt-and-pepper": (torch.rand, salt_and_pepper)}.get(
        kind, (torch.randn, gaussian)
    )
    noise = draw(2, 3, generator=seeded(1), dtype=torch.float64)
    assert torch.equal(Corruption(kind, 0.5).draw(x, seeded(1)), spoil(x, noise, 0.5))


def test_a_corruption_does_not_change():
    with pytest.raises(FrozenInstanceError):
        Corruption("masking", 0.5).level = 2.0


def test_a_standard_deviation_can_be_above_1():
    assert Corruption("gaussian", 3.0).level == 3.0
