"""A law of gates: a tanh times a sigmoid, each of which is told the class."""

from collections.abc import Callable

from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape
from gmcourse.laws.rows import draw, pooled


def gate_multiplies(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(features, given_features) = tanh(f + f′) σ(g + g′): (batch, 2p, H, W), (batch, 2p) → (batch, p, H, W).

    The oracle has its tanh from a sigmoid. In the last case features are as large as 200.
    """
    for batch, maps, height, width, scale in (
        (3, 2, 4, 5, 1.0),
        (2, 1, 3, 2, 1.0),
        (2, 3, 2, 2, 1.0),
        (3, 2, 2, 3, 100.0),
    ):
        features = scale * draw(batch, 2 * maps, height, width, seed=seed + maps)
        given = draw(batch, 2 * maps, seed=seed + 7)
        law = f"tanh(f + f′) σ(g + g′), p = {maps}" + ", large features" * (scale > 1)
        output = ask(candidate, features=features, given_features=given)
        observed = require_shape(law, output, (batch, maps, height, width)).detach().double()
        expected, slips = _gates(features.double(), given.double())
        slips, left = ({}, "overflow") if scale > 1 else (slips, "")
        given_inputs = {"features": features, "given_features": given}
        require_close(law, observed, expected, 1e-5, slips, given=given_inputs, deduced=left)


def _tanh(x: Tensor) -> Tensor:
    return 2 * (2 * x).sigmoid() - 1


def _gates(features: Tensor, given: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """The gate's output, and what the usual slips would give in its place."""
    p = given.shape[1] // 2
    (f, g), (df, dg) = features.split(p, 1), given[:, :, None, None].split(p, 1)
    right, swapped = _tanh(f + df) * (g + dg).sigmoid(), (f + df).sigmoid() * _tanh(g + dg)
    told = features + given[:, :, None, None]
    even, odd = told[:, ::2], told[:, 1::2]
    bare = _tanh(f) * g.sigmoid()
    return right, {
        "direction": [swapped, _tanh(f + dg) * (g + df).sigmoid(), f.sigmoid() * _tanh(g)],
        "dependence": [bare],
        "constant": [_tanh(f + df) * g.sigmoid(), _tanh(f) * (g + dg).sigmoid()],
        "log-mean": [bare + df, bare + dg, bare + df + dg, bare + _tanh(df) * dg.sigmoid(), bare * (1 + df)]
        + [(_tanh(f) + df) * (g.sigmoid() + dg)],
        "reduction": [_tanh(f + df) + (g + dg).sigmoid()],
        "spread": _other_functions(f + df, g + dg),
        "one-to-one": [_tanh(even) * odd.sigmoid(), even.sigmoid() * _tanh(odd)],
        "sign": [
            _tanh(f - df) * (g - dg).sigmoid(),
            _tanh(f * df) * (g * dg).sigmoid(),
            -right,
            _tanh(f + df) * (-g - dg).sigmoid(),
        ],
        "shape": [*pooled(right), *(_tanh(f + a) * (g + b).sigmoid() for a, b in zip(pooled(df), pooled(dg)))],
    }


def _other_functions(f: Tensor, g: Tensor) -> list[Tensor]:
    """f and g, the class in them, through other functions than tanh and σ, or through these in another way."""
    gates = (_tanh(g), g, g.softmax(1), (g > 0).double(), g.clamp(0, 1))
    filters = (f.sigmoid(), f, f.relu())
    around = (_tanh(f * g), _tanh(f * g.sigmoid()))
    return [*(_tanh(f) * gate for gate in gates), *(way * g.sigmoid() for way in filters), *around]
