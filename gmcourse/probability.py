"""Log-probabilities and divergences, each once. Nats; every axis but the first is summed."""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def sum_event(values: Tensor) -> Tensor:
    """Sum over every axis but the batch: (batch, ...) → (batch,)."""
    return values.flatten(1).sum(1) if values.dim() > 1 else values


def noise_like(x: Tensor, rng: Generator | None = None) -> Tensor:
    """ε ~ N(0, I) of the shape, the type and the device of x."""
    return torch.randn(x.shape, generator=rng, dtype=x.dtype, device=x.device)


def gaussian_log_prob(x: Tensor, mean: Tensor | float, log_std: Tensor | float) -> Tensor:
    """log N(x; μ, σ²) = −½ Σ [(x−μ)²/σ² + 2 ln σ + ln 2π], (batch,), nats; `log_std` is ln σ.

    Raises TypeError for x that is not floating point.
    """
    if not x.is_floating_point():
        raise TypeError(f"x: got dtype {x.dtype}, expected floating point")
    if not isinstance(log_std, Tensor):
        log_std = torch.tensor(log_std, dtype=x.dtype, device=x.device)
    return sum_event(-0.5 * ((x - mean) / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi))


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """log Bern(x; sigmoid(l)) = Σ [x l − softplus(l)], (batch,), nats, for x in {0, 1}.

    For x inside (0, 1) it is the expected log-probability of a random binarisation of x, not a log-density. That x lies
    in [0, 1] is not checked: this stands in the innermost loop of training.
    """
    return sum_event(x * logits - F.softplus(logits))


def require_events(x: Tensor, event_shape: tuple[int, ...], name: str = "x") -> Tensor:
    """x, if it is (batch, *event) and floating point; else raises TypeError or ValueError with its `name`."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: got {type(x).__name__}, expected a tensor")
    if x.shape[1:] != event_shape or not x.dim() or not x.is_floating_point():
        one = f"; one event is {name}.unsqueeze(0)" if x.shape == event_shape else ""
        raise ValueError(
            f"{name}: got shape {tuple(x.shape)} and {x.dtype}, expected (batch, *{event_shape}), floating point{one}"
        )
    return x


def is_binary(x: Tensor) -> bool:
    """Whether every value of x is 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())


def require_bits(x: Tensor, event_shape: tuple[int, ...]) -> None:
    """Raise ValueError unless x is (batch, *event) of zeros and ones."""
    if tuple(x.shape[1:]) != event_shape:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, {', '.join(map(str, event_shape))})")
    if not x.is_meta and not is_binary(x):
        raise ValueError(f"x: got values from {x.min():.4g} to {x.max():.4g}, expected zeros and ones")


def require_codes(x: Tensor, levels: int) -> None:
    """Raise ValueError unless x holds codes 0..V−1, int64."""
    if x.is_meta or (x.dtype == torch.int64 and not x.numel()):
        return
    if x.dtype != torch.int64 or x.min() < 0 or x.max() >= levels:
        found = f"{x.dtype} from {x.min().item()} to {x.max().item()}" if x.numel() else f"{x.dtype}"
        raise ValueError(f"x: got {found}, expected int64 codes 0 to {levels - 1}")


def after_stop(x: Tensor, stop: int) -> Tensor:
    """Which symbols of rows (batch, T) stand after the row's first stop symbol, bool."""
    stops = (x == stop).long()
    return stops.cumsum(1) - stops > 0


def mean_logits(x: Tensor) -> Tensor:
    """ln (k + ½)/(n − k + ½) of each entry that is 1 in k of the n rows, (D,): the logits of independent bits."""
    ones = x.flatten(1).sum(0)
    return ((ones + 0.5) / (len(x) - ones + 0.5)).log()


def categorical_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """Σ log softmax(l)[x], (batch,), nats; x (batch, *event) integer codes, logits (batch, V, *event).

    Raises TypeError for x that holds no integers, ValueError for another shape; a code outside 0..V−1 is torch's error.
    """
    if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
        raise TypeError(f"x: got dtype {x.dtype}, expected integer codes in 0..{logits.shape[1] - 1}")
    if x.shape != logits.shape[:1] + logits.shape[2:]:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected that of logits {tuple(logits.shape)} without axis 1")
    return sum_event(logits.log_softmax(1).gather(1, x.long().unsqueeze(1)).squeeze(1))


def gaussian_kl(
    mean: Tensor, log_std: Tensor, prior_mean: Tensor | float = 0.0, prior_log_std: Tensor | float = 0.0
) -> Tensor:
    """KL(N(μ, σ²) ‖ N(m, τ²)) = ½ Σ [((μ−m)² + σ²)/τ² − 1 − 2 ln(σ/τ)], (batch,), nats; default N(0, 1).

    Equation: vae-conditional-kl. With N(0, 1): Kingma & Welling 2014, Appendix B.
    """
    ratio = log_std - prior_log_std
    distance = (mean - prior_mean) / torch.as_tensor(prior_log_std, dtype=mean.dtype, device=mean.device).exp()
    return 0.5 * sum_event(distance**2 + (2 * ratio).exp() - 1 - 2 * ratio)


def bernoulli_kl(logits: Tensor, prior_logits: Tensor) -> Tensor:
    """KL(Bern(sigmoid(l)) ‖ Bern(sigmoid(m))) = Σ [σ(l)(l − m) − softplus(l) + softplus(m)], (batch,), nats."""
    return sum_event(logits.sigmoid() * (logits - prior_logits) - F.softplus(logits) + F.softplus(prior_logits))


def categorical_kl(logits: Tensor, prior_logits: Tensor) -> Tensor:
    """KL(softmax(l) ‖ softmax(m)) = Σ p (log p − log r), (batch,), nats; logits (batch, V, *event).

    A class that both mask with the logit −∞ adds nothing; one that m alone masks makes it infinite.
    """
    log_p, log_r = logits.log_softmax(1), prior_logits.log_softmax(1)
    log_ratio = torch.where(log_p.isneginf(), 0.0, log_p - log_r)
    return sum_event((log_p.exp() * log_ratio).sum(1))


def grid_kl(log_p: Tensor, log_q: Tensor, dx: float) -> Tensor:
    """KL(p ‖ q) = Σ p (ln p − ln q) dx from log-densities (cells,) on a grid of cells of width dx; nats, scalar.

    Where p is 0 it adds nothing; where q alone is 0 the divergence is infinite.
    """
    p = log_p.exp()
    return (p * torch.where(p == 0, 0.0, log_p - log_q)).sum() * dx


def grid_jensen_shannon(log_p: Tensor, log_q: Tensor, dx: float) -> Tensor:
    """½ KL(p ‖ m) + ½ KL(q ‖ m), m = ½(p + q), from log-densities (cells,) on a grid; nats, scalar, 0 to ln 2.

    Equation: taxonomy-jensen-shannon.
    """
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return (grid_kl(log_p, log_m, dx) + grid_kl(log_q, log_m, dx)) / 2


def bits_per_dim(log_prob: Tensor, dims: int) -> Tensor:
    """−log p / (D ln 2): the code length of one dimension in bits, of a log-probability in nats."""
    if dims < 1:
        raise ValueError(f"dims: got {dims}, expected the number of dimensions of one example, at least 1")
    return -log_prob / (dims * math.log(2))
