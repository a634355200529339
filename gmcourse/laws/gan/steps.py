"""Laws of one step of the critic: which way it goes, whom it moves, and where it ends."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape


def critic_moves_alone(candidate: Callable[..., object], *, seed: int = 0) -> None:
    """candidate(critic, generator, optimizer, real, z) takes one step on −𝒱, moves the critic alone, returns the loss.

    The generator's weights, their `.grad` and `requires_grad`, and its mode stay as they were; gradients left in the
    critic by an earlier backward pass are not used. The loss may be −𝒱 or half of it.
    """
    critic, generator, real, z = _players(seed)
    lr, stale = 0.1, 0.3
    before = [p.detach().clone() for p in critic.parameters()]
    value, gradient = _critic_gradient(critic, real, generator(z).detach())
    _, swapped = _critic_gradient(critic, generator(z).detach(), real)
    for p in (*critic.parameters(), *generator.parameters()):
        p.grad = torch.full_like(p, stale)
    rested = _state(generator)
    optimizer = torch.optim.SGD(critic.parameters(), lr)
    loss = ask(candidate, critic=critic, generator=generator, optimizer=optimizer, real=real, z=z)
    _has_rested(generator, rested)
    moved = torch.cat([(p.detach() - was).flatten() for p, was in zip(critic.parameters(), before, strict=True)])
    if not moved.any():
        raise LawBroken("the critic moves", "its weights are as before", "one step of the optimiser", "gradient")
    share = 0.5 if torch.allclose(moved, -lr * gradient / 2, atol=1e-6) else 1.0
    suspects = {
        "sign": -lr * swapped,
        "constant": (-lr * (gradient + stale), -lr * (gradient / 2 + stale)),
        "direction": (lr * gradient, lr * gradient / 2),
        "reduction": (-lr * gradient * len(real), -lr * gradient * len(real) / 2),
    }
    require_close("the critic steps down the gradient of −𝒱", moved, -share * lr * gradient, 2e-6, suspects)
    observed = require_shape("returns the loss before the step", loss, ()).detach()
    after, _ = _critic_gradient(critic, real, generator(z).detach())
    suspects = {"one-to-one": share * after}
    require_close("returns the loss before the step", observed, share * value, 1e-5, suspects)


def _players(seed: int) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    """Critic, generator, real points and noise."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))
        generator = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2))
        return critic, generator, 1.5 + torch.randn(40, 2), torch.randn(40, 3)


def _state(module: nn.Module) -> dict[str, list]:
    """Weights, gradients, flags and mode, copied."""
    parameters = list(module.parameters())
    return {
        "weights": [p.detach().clone() for p in parameters],
        ".grad": [None if p.grad is None else p.grad.clone() for p in parameters],
        "requires_grad": [p.requires_grad for p in parameters],
        "mode": [m.training for m in module.modules()],
    }


def _has_rested(generator: nn.Module, before: dict[str, list]) -> None:
    for name, values in _state(generator).items():
        if not all(map(_equal, values, before[name])):
            cause = "randomness" if name in ("requires_grad", "mode") else "dependence"
            raise LawBroken("the generator stays as it is", f"its {name} changed", "the critic's alone", cause)


def _equal(a: object, b: object) -> bool:
    return torch.equal(a, b) if isinstance(a, Tensor) and isinstance(b, Tensor) else a is b


def _critic_gradient(critic: nn.Module, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """−𝒱 and its gradient in the critic's weights, flat: each ∂h of a real point counts −(1 − D)/n, of a fake D/n."""
    h_real, h_fake = critic(real)[:, 0], critic(fake)[:, 0]
    d_real, d_fake = (1 / (1 + (-h.detach()).exp()) for h in (h_real, h_fake))
    total = torch.cat([h_real, h_fake])
    slope = torch.cat([(d_real - 1) / len(real), d_fake / len(fake)])
    gradient = torch.autograd.grad(total, list(critic.parameters()), slope)
    return -d_real.log().mean() - (1 - d_fake).log().mean(), torch.cat([g.flatten() for g in gradient])


def stays_in_the_box(candidate: Callable[[nn.Module, torch.optim.Optimizer, Tensor, Tensor, float], object]) -> None:
    """candidate(critic, optimizer, real, fake, clip) descends E h(fake) − E h(real) once and ends in [−clip, clip].

    By hand for a linear critic and plain steps of size η: w ← clamp(w + η (mean real − mean fake)). Its weights end
    above the box, below it, and on either side of 0 within.
    """
    real = torch.tensor([[3.0, -2.0, 0.2, -0.5], [1.0, -4.0, 0.0, -0.1]])
    fake = torch.tensor([[0.0, 0.5, 0.0, 0.2], [0.5, -0.5, -0.1, 0.0], [0.1, 0.0, 0.1, -0.1]])
    start, bias, clip, lr = torch.tensor([0.02, 0.04, -0.06, 0.17]), 0.5, 0.1, 0.5
    critic = nn.Linear(4, 1)
    with torch.no_grad():
        critic.weight.copy_(start[None])
        critic.bias.fill_(bias)
    optimizer = torch.optim.SGD(critic.parameters(), lr=lr)
    critic(torch.ones(1, 4)).sum().backward()  # as if something had left its gradient behind
    ask(candidate, critic=critic, optimizer=optimizer, real=real, fake=fake, clip=clip)
    found, step = critic.weight.detach()[0], lr * (real.mean(0) - fake.mean(0))
    suspects = {
        "direction": start.clamp(-clip, clip) + step,
        "gradient": start + step.clamp(-lr * clip, lr * clip),
        "sign": ((start - step).clamp(-clip, clip), start - step),
        "dependence": ((start + step - lr).clamp(-clip, clip), start + step - lr),
        "constant": start.clamp(-clip, clip),
        "spread": start + step,
        "reduction": ((start + step).clamp(max=clip), (start + step).clamp(min=-clip)),
        "one-to-one": (start + step).clamp(0, clip),
    }
    expected = (start + step).clamp(-clip, clip)
    require_close("the weights after one step", found, expected, 1e-5, suspects)
    if critic.bias.abs().max() > clip + 1e-6:
        raise LawBroken("every parameter is in the box", f"bias {critic.bias.item():.3g}", f"±{clip}", "reduction")
