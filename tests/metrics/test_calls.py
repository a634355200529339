"""Network calls, counted on models whose calls are known, and on those whose costs the lessons derive."""

import pytest
import torch
from torch import nn

from gmcourse.catalogue import find
from gmcourse.data import load
from gmcourse.metrics.calls import Calls, cost, passes


class Stepper(nn.Module):
    """Draws by so many calls of one layer, one of them by a part of its weights, and by one call of another."""

    def __init__(self, calls: int):
        super().__init__()
        self.layer, self.last, self.calls = nn.Linear(3, 3), nn.Linear(3, 3), calls

    def sample(self, n: int) -> torch.Tensor:
        x = torch.randn(n, 3)
        for _ in range(self.calls - 1):
            x = self.layer(x)
        x = torch.addmm(self.layer.bias[:2, None], self.layer.weight[:2], x.T)
        return self.last(torch.cat([x.T, x.T[:, :1]], 1))


@pytest.mark.parametrize("calls", [1, 2, 7])
def test_the_passes_of_a_draw_are_counted_on_the_model(calls, monkeypatch):
    record = find("gan")
    monkeypatch.setattr(type(record), "build", lambda self, data=None: Stepper(calls))
    assert passes(record) == calls
    assert cost(record) == ("1 pass" if calls == 1 else f"{calls} passes")


def test_a_backward_pass_is_not_counted():
    layer = nn.Linear(3, 3)
    x = torch.randn(2, 3, requires_grad=True)
    with Calls(nn.Sequential(layer)) as calls:
        torch.autograd.grad(layer(layer(x)).sum(), x)
    assert dict(calls.counts) == {"0": 2}


def test_costs_of_a_draw_are_what_the_lessons_derive():
    said = {key: cost(find(key)) for key in ("gaussian-vae", "maf", "iaf", "realnvp", "planar-flow", "cnf")}
    assert said == {
        "gaussian-vae": "1 pass",
        "maf": "D passes",
        "iaf": "1 pass",
        "realnvp": "1 pass",
        "planar-flow": "a formula",
        "cnf": "32 passes",
    }
    digits = load("digits")
    assert passes(find("maf"), digits) == 64
    assert passes(find("iaf"), digits) == 1


def test_a_cost_that_follows_the_weights_is_a_range(monkeypatch):
    record, built = find("gan"), iter([Stepper(1), Stepper(1), Stepper(4), Stepper(2), Stepper(3)])
    monkeypatch.setattr(type(record), "build", lambda self, data=None: next(built))
    assert cost(record) == "2–4 passes"


def test_what_is_cheap_one_way_is_costly_the_other():
    """Papamakarios et al. (2017), section 3.3: MAF and IAF trade the pass and the D passes."""

    def density(model, x):
        return model.log_prob(x)

    assert [cost(find(key), density) for key in ("maf", "iaf", "realnvp")] == ["1 pass", "D passes", "1 pass"]
