"""Claims, from rows whose answer is known."""

import pytest
import torch

from gmcourse.comparison.claims import Claim, bootstrap_share, judged, scatter


def report(**models):
    rows = [
        {"model": key, "rung": "digits", "rate": "1", "seed": seed, "valid_frechet": 1.0, "frechet": value}
        for key, found in models.items()
        for seed, value in enumerate(found)
    ]
    return {"seconds": 5.0, "rows": rows, "calibrated": {"digits": dict.fromkeys(models, {})}}


def test_yes_no_and_not_told_apart():
    found = report(a=[1, 2, 3, 4, 5, 6, 7], b=[11, 12, 13, 14, 15, 16, 17], c=[2, 3, 4, 5, 1, 8, 6])
    claims = [Claim("a is less", "a", "b"), Claim("b is less", "b", "c"), Claim("a is less than c", "a", "c")]
    verdicts = judged(found, claims)
    assert [v.told for v in verdicts] == ["yes", "no", "not told apart"]
    assert verdicts[0].p == pytest.approx(2 / 3432)
    assert (verdicts[0].less, verdicts[0].more) == (4, 14)


def test_more_claims_need_a_smaller_p():
    near = report(a=[1.0, 2, 3, 4], b=[5.0, 6, 7, 8])
    assert judged(near, [Claim("", "a", "b")])[0].told == "yes"  # p = 2/70 = 0.029
    assert {v.told for v in judged(near, [Claim("", "a", "b")] * 2)} == {"not told apart"}


def test_scatter_is_relative_to_the_median():
    torch.testing.assert_close(scatter(torch.tensor([8.0, 10.0, 14.0])), torch.tensor([0.2, 0.0, 0.4]))


def test_an_order_that_is_clear_survives_and_one_of_equals_does_not():
    rng = torch.Generator().manual_seed(0)
    found = {"a": torch.arange(7.0), "b": torch.arange(7.0) + 20, "c": torch.arange(7.0) + 20.1}
    assert bootstrap_share(found, [["a"], ["b"]], 500, rng) == 1
    assert 0.3 < bootstrap_share(found, [["b"], ["c"]], 2_000, rng) < 0.7
    assert bootstrap_share(found, [["a"], ["b", "c"]], 500, rng) == 1
    assert bootstrap_share(found, [["b"], ["a", "c"]], 500, rng) == 0
