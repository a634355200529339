"""The law of samples passes exact draws and catches each planted bug, at the power that it states."""

import math
from functools import partial

import pytest
import torch
from torch.distributions import Normal

from gmcourse.laws import LawBroken
from gmcourse.laws.sampling import samples_agree


class Clouds:
    """0.3 N((−2, 0), ½²I) + 0.7 N((2, 1), ½²I), drawn with a share, a spread or an offset of its own."""

    centres = torch.tensor([[-2.0, 0.0], [2.0, 1.0]])

    def __init__(self, share=0.3, std=0.5, offset=0.0, spoil=lambda draws: draws):
        self.share, self.std, self.offset, self.spoil = share, std, offset, spoil

    def log_prob(self, x):
        parts = Normal(self.centres.to(x), 0.5).log_prob(x[:, None]).sum(2)
        return (parts + torch.tensor([0.3, 0.7]).to(x).log()).logsumexp(1)

    def sample(self, n, *, rng=None):
        which = (torch.rand(n, generator=rng) > self.share).long()
        return self.spoil(self.centres[which] + self.offset + self.std * torch.randn(n, 2, generator=rng))


LAW = partial(samples_agree, log_prob=Clouds().log_prob, low=[-6, -5], high=[6, 6])
RIGHT = {LAW: (Clouds(),)}
BUGS = {
    LAW: {
        "the variance for the deviation": (Clouds(std=0.25), ""),
        "the root of the deviation": (Clouds(std=math.sqrt(0.5)), ""),
        "shifted": (Clouds(offset=0.3), ""),
        "a mode lost": (Clouds(share=0.0), ""),
        "equal weights": (Clouds(share=0.5), ""),
        "mirrored": (Clouds(spoil=lambda x: x * torch.tensor([1.0, -1.0])), ""),
        "one sample for all": (Clouds(spoil=lambda x: x[:1].expand_as(x)), "randomness"),
        "each sample twice": (Clouds(spoil=lambda x: x[: len(x) // 2].repeat(2, 1)), "randomness"),
        "one coordinate": (Clouds(spoil=lambda x: x[:, 0]), "shape"),
        "NaN in one": (Clouds(spoil=lambda x: torch.where(x == x.max(), math.nan, x)), "not-finite"),
    }
}


@pytest.mark.parametrize(("candidate", "least", "most"), [(Clouds(), 0, 0), (Clouds(std=0.6), 10, 10)])
def test_power(candidate, least, most):
    seen = 0
    for seed in range(10):
        try:
            LAW(candidate, seed=seed)
        except LawBroken:
            seen += 1
    assert least <= seen <= most
