"""The chain "corrupt, then denoise" where all states can be listed: what it keeps, and how fast it forgets."""

import math

import torch
from torch import Tensor


def bit_strings(bits: int) -> Tensor:
    """All strings of so many bits, (2^bits, bits) float64, in the order of counting."""
    return torch.tensor([[k >> d & 1 for d in reversed(range(bits))] for k in range(2**bits)], dtype=torch.float64)


def corruption_matrix(states: Tensor, up: float, down: float) -> Tensor:
    """C[x, x̃] = C(x̃|x), (n, n), of `states` (n, bits): each bit by itself turns on with `up` and off with `down`.

    `up` = `down` are bit flips, `up` = 0 is masking.
    """
    if not (0 <= up <= 1 and 0 <= down <= 1):
        raise ValueError(f"up, down: got {up}, {down}, expected two probabilities")
    turn = torch.tensor([[1 - up, up], [down, 1 - down]], dtype=states.dtype)
    index = states.long()
    return turn[index[:, None], index[None]].prod(2)


def posterior(prior: Tensor, corruption: Tensor) -> Tensor:
    """P[x̃, x] = p(x) C(x̃|x) / Σ_y p(y) C(x̃|y), (n, n), of p (n,) and C[x, x̃] (n, n).

    Where no x leads to x̃, the row is p. Equation: autoencoders-best-draw.
    """
    joint = prior[:, None] * corruption
    reached = joint.sum(0)[:, None]
    return torch.where(reached > 0, joint.T / reached, prior)


def transition_matrix(prior: Tensor, corruption: Tensor) -> Tensor:
    """T[x, x'] = Σ_x̃ C(x̃|x) P(x'|x̃), (n, n), P the posterior of p (n,) under C[x, x̃] (n, n).

    Equation: autoencoders-chain.
    """
    return corruption @ posterior(prior, corruption)


def most_likely(denoiser: Tensor) -> Tensor:
    """The denoiser that gives the likeliest x for each x̃, the first of several: rows of 0 and one 1, (n, n)."""
    return torch.eye(len(denoiser), dtype=denoiser.dtype)[denoiser.argmax(1)]


def factorised(denoiser: Tensor, states: Tensor) -> Tensor:
    """Π_d P(x_d|x̃), (n, n): each bit drawn by itself, at the right rate, from P[x̃, x] of all `states` (n, bits)."""
    on = denoiser @ states
    return torch.where(states[None] > 0, on[:, None], 1 - on[:, None]).prod(2)


def stationary(transition: Tensor) -> Tensor:
    """The law π = π T, (n,). Raises ArithmeticError where there is more than one: T's eigenvalue 1 is not simple."""
    balance = torch.eye(len(transition), dtype=transition.dtype) - transition.T
    _, values, vectors = torch.linalg.svd(balance)
    if (values < 1e-12).sum() > 1:
        raise ArithmeticError("transition: got several laws that it keeps, expected one")
    return vectors[-1] / vectors[-1].sum()


def second_eigenvalue(transition: Tensor) -> float:
    """|λ₂|, the second largest absolute eigenvalue of T, (n, n), n ≥ 2: by it the slowest memory fades in a step."""
    return torch.linalg.eigvals(transition).abs().sort(descending=True).values[1].item()


def relaxation(eigenvalue: float) -> float:
    """−1/ln|λ| steps, in which λ^t falls by the factor e; 0 for λ = 0. Equation: autoencoders-relaxation."""
    if not abs(eigenvalue) < 1:
        raise ValueError(f"eigenvalue: got {eigenvalue}, expected one inside (-1, 1)")
    return -1 / math.log(abs(eigenvalue)) if eigenvalue else 0.0


def walkback_corruption(corruption: Tensor, denoiser: Tensor, steps: int) -> Tensor:
    """C̃ = (1/S) Σ_{j<S} (C P)^j C, (n, n): x̃ after 0 to S − 1 steps of the model's own chain, each as often.

    Equation: autoencoders-walkback.
    """
    if steps < 1:
        raise ValueError(f"steps: got {steps}, expected at least 1")
    walked = [corruption]
    for _ in range(steps - 1):
        walked.append(corruption @ denoiser @ walked[-1])
    return torch.stack(walked).mean(0)


def walkback_fixed_point(prior: Tensor, corruption: Tensor, steps: int, rounds: int = 1_000) -> Tensor:
    """The denoiser P that is the posterior under its own walkback corruption, (n, n): P ← posterior(p, C̃(P)).

    Raises ArithmeticError where `rounds` do not bring two rounds within 1e-12.
    """
    denoiser = posterior(prior, corruption)
    for _ in range(rounds):
        before, denoiser = denoiser, posterior(prior, walkback_corruption(corruption, denoiser, steps))
        if (denoiser - before).abs().max() < 1e-12:
            return denoiser
    raise ArithmeticError(f"rounds: got {rounds}, expected enough for two rounds within 1e-12")


def steps_until(transition: Tensor, start: Tensor, goal: int) -> float:
    """The mean number of steps from the law `start`, (n,), to the first visit of the state `goal`.

    Solves t = 1 + T t on the states from which the walk has not yet arrived; t is 0 at the goal. ArithmeticError where
    the walk may stay away for ever.
    """
    if not 0 <= goal < len(transition):
        raise ValueError(f"goal: got {goal}, expected a state from 0 to {len(transition) - 1}")
    others = torch.arange(len(transition)) != goal
    inner = transition[others][:, others]
    eye = torch.eye(len(inner), dtype=transition.dtype)
    if torch.linalg.svdvals(eye - inner).min() < 1e-12:
        raise ArithmeticError(f"goal: got {goal}, expected a state that is reached from all others")
    times = torch.linalg.solve(eye - inner, torch.ones(len(inner), dtype=transition.dtype))
    return (start[others] @ times).item()
