import math

import numpy as np
import pytest
import torch

from gmcourse.autoregressive.mu_law import decode, encode


def test_every_code_comes_back():
    for levels in (2, 3, 4, 64, 256):
        codes = torch.arange(levels)
        assert torch.equal(encode(decode(codes, levels), levels), codes)
        assert torch.equal(encode(decode(codes, levels, torch.float64), levels), codes)
        assert decode(codes[[0, -1]], levels).tolist() == pytest.approx([-1.0, 1.0])


def test_one_sample_by_hand():
    squeezed = -math.log(1 + 255 * 0.1) / math.log(256)
    assert encode(torch.tensor([-0.1])).item() == round((squeezed + 1) / 2 * 255) == 52
    back = -(256 ** (1 - 2 * 52 / 255) - 1) / 255
    assert decode(torch.tensor([52])).item() == pytest.approx(back)


def test_the_steps_are_those_of_the_table():
    amplitudes = decode(torch.arange(256), dtype=torch.float64)
    steps = amplitudes.diff()
    assert steps.min().item() == steps[127].item() == pytest.approx(0.000172, abs=1e-6)
    assert steps.max().item() == steps[0].item() == pytest.approx(0.0427, abs=1e-4)
    assert amplitudes[127].item() == -amplitudes[128].item() == pytest.approx(-0.0000862, abs=1e-7)


@pytest.mark.parametrize(("level", "expected"), [(0, 38.43), (-20, 37.57), (-40, 33.7), (-60, 21.22)])
def test_the_error_of_a_sine_barely_depends_on_its_loudness(level, expected):
    x = 10 ** (level / 20) * torch.sin(torch.linspace(0, 2 * math.pi, 400_001, dtype=torch.float64))
    error = decode(encode(x), dtype=torch.float64) - x
    assert 10 * math.log10(x.square().mean() / error.square().mean()) == pytest.approx(expected, abs=0.02)


def test_what_is_louder_than_one_is_clipped():
    assert encode(torch.tensor([-3.0, 1.01, 1.0])).tolist() == [0, 255, 255]


def test_codes_are_a_step_function_and_have_no_slope():
    x = torch.randn(3, requires_grad=True)
    assert not encode(x).requires_grad
    assert encode(x.double()).dtype == torch.int64


def test_too_few_levels_are_named():
    for call in (lambda: encode(torch.zeros(1), 1), lambda: decode(torch.zeros(1), 1)):
        with pytest.raises(ValueError, match="levels: got 1, expected at least 2"):
            call()


def test_steps_are_equal_after_the_squeeze():
    """numpy's own logarithm at the amplitudes of the codes."""
    x = decode(torch.arange(128, 256), dtype=torch.float64).numpy()
    squeezed = np.log(1 + 255 * x) / np.log(256)
    np.testing.assert_allclose(np.diff(squeezed), 2 / 255, rtol=1e-9)
