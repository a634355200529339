"""Rankings against scikit-learn and by hand, and what they refuse."""

import pytest
import torch
from sklearn.metrics import roc_auc_score

from gmcourse.metrics import auroc, neighbours_alike


def test_auroc_is_that_of_scikit_learn():
    rng = torch.Generator().manual_seed(0)
    for decimals in (0, 1, 4):
        normal = torch.randn(40, generator=rng).round(decimals=decimals)
        anomalous = (0.5 + torch.randn(13, generator=rng)).round(decimals=decimals)
        kinds = [0] * 40 + [1] * 13
        expected = roc_auc_score(kinds, torch.cat([normal, anomalous]).numpy())
        assert auroc(normal, anomalous) == pytest.approx(expected, abs=1e-12)


def test_auroc_by_hand():
    assert auroc(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 3.0])) == 7 / 8
    assert auroc(torch.tensor([0, 5]), torch.tensor([5])) == 0.75
    assert auroc(torch.tensor([0.0]), torch.tensor([torch.inf])) == 1


@pytest.mark.parametrize("bad", [torch.zeros(0), torch.zeros(2, 2), torch.tensor([0.0, torch.nan])])
def test_auroc_refuses_what_are_no_scores(bad):
    with pytest.raises(ValueError, match=r"normal: got .*, expected"):
        auroc(bad, torch.ones(3))
    with pytest.raises(ValueError, match=r"anomalous: got .*, expected"):
        auroc(torch.ones(3), bad)


def test_neighbours_by_hand():
    codes = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0]])
    labels = torch.tensor([0, 1, 0, 1, 1])
    queries, wanted = torch.tensor([[0.4], [10.4]]), torch.tensor([0, 1])
    assert neighbours_alike(codes, labels, queries, wanted, k=1) == 1
    assert neighbours_alike(codes, labels, queries, wanted, k=2) == 0.75
    assert neighbours_alike(codes, labels, queries, wanted, k=5) == pytest.approx((2 / 5 + 3 / 5) / 2)


@pytest.mark.parametrize("k", [0, 6])
def test_neighbours_refuse_a_wrong_count(k):
    with pytest.raises(ValueError, match=r"k: got .*, expected 1 to 5"):
        neighbours_alike(torch.zeros(5, 1), torch.zeros(5), torch.zeros(2, 1), torch.zeros(2), k=k)


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"labels": torch.zeros(6)}, "codes, labels"),
        ({"codes": torch.full((5, 1), torch.nan)}, "codes, labels"),
        ({"codes": torch.zeros(5)}, "codes, labels"),
        ({"wanted": torch.zeros(1)}, "queries, wanted"),
        ({"queries": torch.zeros(0, 1), "wanted": torch.zeros(0)}, "queries, wanted"),
    ],
)
def test_neighbours_refuse_what_does_not_fit(bad, name):
    good = {
        "codes": torch.zeros(5, 1),
        "labels": torch.zeros(5),
        "queries": torch.zeros(2, 1),
        "wanted": torch.zeros(2),
    }
    with pytest.raises(ValueError, match=rf"{name}: got shapes .*, expected"):
        neighbours_alike(**good | bad, k=1)
