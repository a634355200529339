import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from gmcourse.laws.broken import LawBroken, require_close, require_numbers, require_parts, require_shape, require_value


def test_message_names_law_values_and_cause():
    with pytest.raises(LawBroken, match=r"mass: observed 2, expected 1 \(likely cause: constant\)"):
        require_close("mass", 2.0, 1.0, 1e-3, {"constant": 2.0, "sign": 3.0})


def test_a_suspect_that_does_not_fit_is_not_blamed():
    with pytest.raises(LawBroken) as caught:
        require_close("mass", 2.0, 1.0, 1e-3, {"sign": 3.0})
    assert caught.value.cause == ""


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (torch.zeros(3), "shape"),
        (object(), "container"),
        (None, "container"),
        (torch.tensor([1.0, float("nan")]), "not-finite"),
    ],
)
def test_shape_and_finiteness(output, cause):
    with pytest.raises(LawBroken) as caught:
        require_shape("a pair", output, (2,))
    assert caught.value.cause == cause


@pytest.mark.parametrize("output", [1 + 1j, torch.tensor(1 + 0j), np.ones(1) + 0j])
def test_a_complex_number_is_no_real_one(output):
    with pytest.raises(LawBroken, match="observed a complex number, expected real") as caught:
        require_shape("a number", output, ())
    assert caught.value.cause == "complex"
    assert require_shape("a number", output, (), real=False).is_complex()


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        (torch.ones(1), 1.0),
        (torch.ones(()), torch.ones(1)),
        (torch.ones(3, 3), torch.ones(3)),
        (torch.ones(1, 3), torch.ones(3)),
        (torch.ones(3, 1), torch.ones(3)),
        (torch.ones(0), torch.ones(1)),
    ],
)
def test_nothing_broadcasts(observed, expected):
    with pytest.raises(LawBroken) as caught:
        require_close("equal numbers of unequal shapes", observed, expected, 1e-6, {"sign": -observed})
    assert caught.value.cause == "shape"
    assert str(tuple(torch.as_tensor(observed).shape)) in str(caught.value)


def test_a_suspect_does_not_broadcast_either():
    with pytest.raises(LawBroken) as caught:
        require_close("law", torch.ones(3), torch.zeros(3), 1e-6, {"sign": 1.0, "spread": torch.ones(3, 3)})
    assert caught.value.cause == ""


@pytest.mark.parametrize(
    ("observed", "expected"), [(math.nan, 1.0), (1.0, math.nan), (math.nan, math.nan), (math.inf, 1.0)]
)
def test_nan_is_never_close(observed, expected):
    with pytest.raises(LawBroken) as caught:
        require_close("nan", observed, expected, 1e9, {"sign": math.nan, "spread": torch.tensor(math.nan)})
    assert caught.value.cause == ("" if observed == 1.0 else "not-finite")
    rows = torch.tensor([1.0, observed]), torch.tensor([1.0, expected])
    with pytest.raises(LawBroken):  # one row among good ones
        require_close("nan", *rows, 1e9)
    with pytest.raises(LawBroken):
        require_close("a tolerance that is no number", 1.0, 1.0, torch.tensor(math.nan))


def test_a_suspect_of_nan_is_passed_over():
    with pytest.raises(LawBroken) as caught:
        require_close("law", 2.0, 1.0, 1e-6, {"sign": math.nan, "spread": 2.0})
    assert caught.value.cause == "spread"


@pytest.mark.parametrize(
    ("observed", "slips", "cause"),
    [
        (2.4, (1.0, 2.4, 9.0), "spread"),
        (2.4, [1.0, torch.tensor(2.4)], "spread"),
        (2.4, (math.nan, 2.4), "spread"),
        (2.4, (2.4, torch.tensor(math.nan)), "spread"),
        (2.4, (2.0, 3.0), ""),
        (2.4, (), ""),
        (torch.tensor([1.0, 2.0]), (torch.tensor([1.0, 9.0]), torch.tensor([1.0, 2.0])), "spread"),
        (torch.tensor([1.0, 2.0]), (torch.tensor([1.0, 9.0]), torch.tensor([9.0, 2.0])), ""),  # one, in every entry
    ],
)
def test_one_of_several_slips_fits(observed, slips, cause):
    expected = torch.zeros_like(torch.as_tensor(observed))
    with pytest.raises(LawBroken) as caught:
        require_close("law", observed, expected, 1e-3, {"sign": (math.nan, 7.0), "spread": slips})
    assert caught.value.cause == cause


@pytest.mark.parametrize(("fit", "cause"), [(None, "spread"), (0.05, ""), (torch.tensor(0.2), "spread")])
def test_a_suspect_fits_within_a_tolerance_of_its_own(fit, cause):
    with pytest.raises(LawBroken) as caught:
        require_close("law", 2.0, 1.0, 0.3, {"spread": 2.1}, fit=fit)
    assert caught.value.cause == cause


@pytest.mark.parametrize("given", [(1.0, 2.0), [1.0, 2.0], np.array([1.0, 2.0]), torch.tensor([1.0, 2.0])])
def test_the_parts_of_an_answer(given):
    assert [float(part) for part in require_parts("x", given, 2)] == [1.0, 2.0]


def test_parts_may_be_of_unlike_shapes():
    first, second = require_parts("x", (torch.ones(2), torch.ones(3)), 2)
    assert (first.shape, second.shape) == ((2,), (3,))


@pytest.mark.parametrize("given", [None, 3.0, torch.tensor(3.0), "ab", {"a": 1, "b": 2}, (1.0,), torch.ones(3, 2)])
def test_what_has_other_parts_is_named(given):
    with pytest.raises(LawBroken) as broken:
        require_parts("x", given, 2)
    assert broken.value.cause == "container"


@pytest.mark.parametrize("given", [(1, 2.0), [torch.ones(1), 2.0], np.array([1.0, 2.0]), torch.tensor([1.0, 2.0])])
def test_a_row_of_numbers(given):
    assert require_numbers("x", given, 2).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (None, "container"),
        (3.0, "shape"),
        ((1.0,), "shape"),
        ((1.0, torch.ones(2)), "shape"),
        ((1.0, math.nan), "not-finite"),
    ],
)
def test_what_is_no_row_of_numbers_is_named(given, cause):
    with pytest.raises(LawBroken) as broken:
        require_numbers("x", given, 2)
    assert broken.value.cause == cause


@pytest.mark.parametrize("given", [[1, 2.5], (1, 2.5), np.array([1, 2.5]), [torch.tensor(1.0), torch.tensor(2.5)]])
def test_another_container_is_brought_to_a_tensor(given):
    assert require_shape("x", given, (2,)).tolist() == [1.0, 2.5]


@pytest.mark.parametrize("given", [3, 3.0, np.float32(3), np.int64(3), torch.tensor([3.0]), [3.0]])
def test_one_number_may_come_as_a_row(given):
    assert require_shape("x", given, ()).item() == 3


@pytest.mark.parametrize("given", [None, "3", {}, [torch.ones(2), torch.ones(3)], [None]])
def test_what_holds_no_numbers_is_named(given):
    with pytest.raises(LawBroken) as broken:
        require_shape("x", given, ())
    assert broken.value.cause == "container"


def test_the_first_failing_row_is_told():
    x, expected = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), torch.tensor([1.0, 2.0, 3.0])
    with pytest.raises(LawBroken) as broken:
        require_close("y", torch.tensor([1.0, 7.0, 8.0]), expected, 1e-6, given={"x": x, "t": 0.5, "w": torch.ones(9)})
    told = broken.value
    assert (told.observed, told.expected, told.cause) == ("7", "2", "")
    assert told.case == "x = [2, 3], t = 0.5, w of shape (9,) (row 1 of 3)"


@pytest.mark.parametrize(
    ("answer", "cause"), [(2.0, "sign"), (4.0, "constant"), (5.0, "constant"), (7.0, ""), (math.nan, "not-finite")]
)
def test_a_value_is_not_told_and_its_slips_are(answer, cause):
    with pytest.raises(LawBroken) as broken:
        require_value("v", answer, 3.0, 0.01, {"sign": 2.0, "constant": (4.0, 5.0)})
    assert broken.value.cause == cause
    assert "3" not in str(broken.value)


@pytest.mark.parametrize("answer", [3, 3.005, np.float32(3), torch.tensor([3.0]), np.int64(3), Fraction(3), Decimal(3)])
def test_a_value_may_be_any_number(answer):
    require_value("v", answer, 3.0, 0.01)


@pytest.mark.parametrize("answer", [True, None, "3", [1.0, 2.0]])
def test_a_value_is_one_number(answer):
    with pytest.raises(LawBroken) as broken:
        require_value("v", answer, 3.0, 0.01)
    assert broken.value.cause == "container"


def test_a_value_is_real():
    with pytest.raises(LawBroken) as broken:
        require_value("v", 3j, 3.0, 0.01)
    assert broken.value.cause == "complex"


def test_plain_numbers_keep_their_digits():
    assert require_numbers("x", [1e-8 + 1e-20, 0.1], 2).tolist() == [1e-8 + 1e-20, 0.1]


@pytest.mark.parametrize(
    ("observed", "suspects", "cause"),
    [(2.0, {}, "overflow"), (-1.0, {"sign": -1.0}, "sign"), (math.inf, {}, "not-finite"), (math.nan, {}, "not-finite")],
)
def test_the_cause_that_is_left_is_named_where_no_suspect_fits(observed, suspects, cause):
    with pytest.raises(LawBroken) as broken:
        require_close("one", observed, 1.0, 1e-3, suspects, deduced="overflow")
    assert broken.value.cause == cause
