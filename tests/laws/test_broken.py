import pytest
import torch

from gmcourse.laws.broken import LawBroken, nearest, require_close, require_shape


def test_message_names_law_values_and_cause():
    with pytest.raises(LawBroken, match=r"mass: observed 2, expected 1 \(likely cause: constant\)"):
        require_close("mass", 2.0, 1.0, 1e-3, {"constant": 2.0, "sign": 3.0})


def test_a_suspect_that_does_not_fit_is_not_blamed():
    with pytest.raises(LawBroken) as caught:
        require_close("mass", 2.0, 1.0, 1e-3, {"sign": 3.0})
    assert caught.value.cause == ""


@pytest.mark.parametrize(
    ("output", "cause"),
    [(torch.zeros(3), "shape"), ("text", "shape"), (None, "shape"), (torch.tensor([1.0, float("nan")]), "overflow")],
)
def test_shape_and_finiteness(output, cause):
    with pytest.raises(LawBroken) as caught:
        require_shape("a pair", output, (2,))
    assert caught.value.cause == cause


def test_nan_is_never_close():
    with pytest.raises(LawBroken):
        require_close("nan", float("nan"), 1.0, 1e9)


def test_the_nearest_of_several_slips():
    assert nearest(torch.tensor(2.4), 1.0, 3.0, 9.0) == 3.0
    near, far = torch.tensor([1.0, 2.0]), torch.tensor([1.1, 9.0])  # by the largest distance, not the first
    assert nearest(torch.tensor([1.1, 2.5]), far, near) is near
