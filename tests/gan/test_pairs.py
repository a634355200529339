"""Pairs of pictures: each way of making one, and that unpaired rows are no pairs."""

import pytest
import torch

from gmcourse.data import Dataset, load
from gmcourse.gan.pairs import (
    INKS,
    coarse,
    edges,
    inked,
    inside_blocks,
    on_paper,
    pictures_apart,
    pictures_given,
    redness,
    striped,
    unpaired,
)

X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_edges_are_the_rise_to_the_brightest_neighbour():
    outline = edges(X)
    assert outline.min() >= 0
    assert outline[2, 0, 3, 4] == X[2, 0, 2:5, 3:6].max() - X[2, 0, 3, 4]
    assert outline[2, 0, 0, 0] == X[2, 0, :2, :2].max() - X[2, 0, 0, 0]


def test_coarse_is_a_projection_and_leaves_nothing_inside_blocks():
    blocks = coarse(X)
    assert torch.allclose(coarse(blocks), blocks)
    assert torch.allclose(blocks[1, 0, 2:4, 4:6], X[1, 0, 2:4, 4:6].mean().expand(2, 2))
    assert inside_blocks(blocks).abs().max() < 1e-6
    assert torch.allclose(inside_blocks(X) + blocks, X)


def test_ink_is_red_or_blue_by_the_coin():
    coin = torch.tensor([True, False, True, False, False, True])
    painted = inked(X, coin)
    assert torch.allclose(painted[0], X[0] * torch.tensor(INKS[0])[:, None, None])
    assert torch.allclose(painted[1], X[1] * torch.tensor(INKS[1])[:, None, None])
    red, blue = ((r - b) / (r + b) for r, _, b in INKS)
    assert torch.allclose(redness(painted), torch.where(coin, red, blue))
    assert redness(torch.zeros(1, 3, 4, 4)) == 0


def test_stripes_move_by_the_phase_and_half_of_each_period_is_dark():
    ones = torch.ones(4, 1, 8, 8)
    stripes = striped(ones, torch.arange(4))
    assert torch.equal(stripes.mean((1, 2, 3)), torch.full((4,), 0.5))
    assert torch.equal(stripes[0, :, :, 1:], stripes[1, :, :, :-1])
    assert torch.equal(stripes.sum(0), torch.full((1, 8, 8), 2.0))


def test_paper_and_ink_are_affine_in_the_picture():
    ends = on_paper(torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2), torch.full((1, 2, 2), 0.25)]))
    assert torch.allclose(ends[2], 0.75 * ends[0] + 0.25 * ends[1])


def test_unpaired_rows_are_disjoint_and_of_one_length():
    rows = torch.arange(11)
    split = unpaired(rows, seed=3)
    assert len(split.a) == len(split.b) == 5
    assert not set(split.a.tolist()) & set(split.b.tolist())
    assert torch.equal(unpaired(rows, seed=3).a, split.a)
    assert not torch.equal(unpaired(rows, seed=4).a, split.a)
    with pytest.raises(ValueError, match="x: got 1 rows"):
        unpaired(rows[:1])


def test_what_is_given_are_labels_that_are_pictures_or_else_edges():
    coloured, digits = load("coloured-digits"), load("digits")
    x, given = pictures_given(coloured, "valid")
    assert torch.equal(x, coloured.valid)
    assert torch.equal(given, coloured.labels["valid"])
    x, given = pictures_given(digits, "test")
    assert torch.equal(given, edges(digits.test))
    bare = Dataset.from_tensors(torch.rand(20, 1, 8, 8))
    assert torch.equal(pictures_given(bare, "train")[1], edges(bare.train))


def test_what_is_apart_belongs_to_no_pair():
    digits = load("digits")
    x, given = pictures_apart(digits, "train")
    assert len(x) == len(given) == len(digits.train) // 2
    assert not (edges(x)[:, None] == given[None]).flatten(2).all(2).any()
