"""Neural spline flows: splines whose knots a network names, coordinate by coordinate."""

from collections.abc import Sequence

from torch import Tensor, nn

from gmcourse.flows.autoregressive import MaskedAutoregressive
from gmcourse.flows.coupling import Coupling, small_at_first
from gmcourse.flows.flow import Flow
from gmcourse.flows.splines import spline, spline_inverse

NEARLY_ZERO = 0.01
"""Times the last layer's weights at first: near h = 0, the identity, and yet every layer receives a gradient."""


class RationalQuadratic:
    """z = spline(x; h) on [−bound, bound], the identity outside; h = 0 is the identity everywhere.

    h is (batch, (3M − 1) · d, ...), bins last in it: M widths of all d coordinates, then M heights, then M − 1 slopes.
    """

    def __init__(self, bins: int = 8, bound: float = 3.0):
        if bins < 1:
            raise ValueError(f"bins: got {bins}, expected at least 1")
        if not bound > 0:
            raise ValueError(f"bound: got {bound}, expected a positive number")
        self.bins, self.bound, self.width = bins, float(bound), 3 * bins - 1

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """z and log slope, of the shape of x."""
        return spline(x, self._by_coordinate(h), self.bound)

    def inverse(self, z: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """x and its log slope, of the shape of z."""
        return spline_inverse(z, self._by_coordinate(h), self.bound)

    def _by_coordinate(self, h: Tensor) -> Tensor:
        return h.unflatten(1, (self.width, -1)).movedim(1, -1)


class SplineCoupling(Coupling):
    """z_a = x_a, z_b = spline(x_b; h(x_a)), at first nearly the identity. Equation: flows-spline-coupling.

    Durkan et al. 2019, section 3.2.
    """

    def __init__(
        self,
        dims: int,
        hidden: Sequence[int] = (64, 64),
        swap: bool = False,
        bins: int = 8,
        bound: float = 3.0,
        conditioner: nn.Module | None = None,
    ):
        super().__init__(RationalQuadratic(bins, bound), dims, hidden, swap, conditioner)
        if conditioner is None:
            small_at_first(self.conditioner, NEARLY_ZERO)


class SplineAutoregressive(MaskedAutoregressive):
    """z_i = spline(x_i; h_i(x_<i)), at first nearly the identity: one pass forward, `dims` steps back.

    Equation: flows-spline-autoregressive. Durkan et al. 2019, section 3.2.
    """

    def __init__(
        self,
        dims: int,
        hidden: Sequence[int] = (64, 64),
        order: Sequence[int] | None = None,
        bins: int = 8,
        bound: float = 3.0,
    ):
        super().__init__(dims, hidden, order, RationalQuadratic(bins, bound))
        small_at_first(self.conditioner.layers, NEARLY_ZERO)


def spline_coupling(
    dims: int, layers: int = 6, hidden: Sequence[int] = (64, 64), bins: int = 8, bound: float = 3.0
) -> Flow:
    """Neural spline flow, RQ-NSF (C): spline couplings that take turns. Durkan et al. 2019."""
    couplings = [SplineCoupling(dims, hidden, k % 2 == 1, bins, bound) for k in range(layers)]
    return Flow(couplings, (dims,))


def spline_autoregressive(
    dims: int, layers: int = 4, hidden: Sequence[int] = (64, 64), bins: int = 8, bound: float = 3.0
) -> Flow:
    """Neural spline flow, RQ-NSF (AR): every second layer reads the coordinates backwards. Durkan et al. 2019."""
    orders = [list(range(dims))[:: -1 if k % 2 else 1] for k in range(layers)]
    return Flow([SplineAutoregressive(dims, hidden, order, bins, bound) for order in orders], (dims,))
