"""The law of inversion passes the package's own search and catches each planted bug."""

import torch

from gmcourse.gan.inversion import invert
from gmcourse.laws.gan import inversion as laws
from gmcourse.nets import evaluating


def descended(generator, x, z, steps=400, rate=0.05):
    """Gradient descent, every start by itself."""
    found = []
    with evaluating(generator):
        for start in z:
            at = start.clone()
            for _ in range(steps):
                at = at.requires_grad_()
                (slope,) = torch.autograd.grad((x - generator(at)).square().sum(), at)
                at = (at - rate * slope).detach()
            found.append((at, (x - generator(at)).square().sum(1).detach()))
    least = torch.stack([residual for _, residual in found])
    best, rows = least.argmin(0), torch.arange(len(x))
    return torch.stack([at for at, _ in found])[best, rows], least[best, rows]


def whole_batch(generator, x, z):
    """One start for all rows: that of the least sum."""
    runs = [invert(generator, x, start[None]) for start in z]
    return min(runs, key=lambda run: run.residual.sum().item())


def in_training(generator, x, z):
    at = z[0].clone().requires_grad_()
    optimizer = torch.optim.Adam([at], lr=0.1)
    for _ in range(150):
        (at.grad,) = torch.autograd.grad((x - generator(at)).square().sum(), at)
        optimizer.step()
    return at, (x - generator(at)).square().sum(1)


def moving_weights(generator, x, z):
    optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3) if list(generator.parameters()) else None
    if optimizer:
        optimizer.zero_grad()
        (x - generator(z[0])).square().sum().backward()
        optimizer.step()
    return invert(generator, x, z)


def left(generator, x, z):
    return invert(generator.eval(), x, z)


RIGHT = {laws.inversion_finds_the_nearest: (invert, descended)}
BUGS = {
    laws.inversion_finds_the_nearest: {
        "the generator learns too": (moving_weights, "mutation"),
        "batch norm in training": (in_training, "mutation"),
        "the first start alone": (lambda g, x, z: invert(g, x, z[:1]), "direction"),
        "one start for the batch": (whole_batch, "direction"),
        "a mean over pixels": (
            lambda g, x, z: (invert(g, x, z).z, invert(g, x, z).residual / x.shape[1]),
            "reduction",
        ),
        "a distance, not its square": (lambda g, x, z: (invert(g, x, z).z, invert(g, x, z).residual.sqrt()), "spread"),
        "left in evaluation mode": (left, "mutation"),
        "starts of its own": (lambda g, x, z: invert(g, x, torch.zeros_like(z)), "randomness"),
        "few steps": (lambda g, x, z: invert(g, x, z, steps=2), ""),
        "where it began": (lambda g, x, z: (z[0], invert(g, x, z).residual), "one-to-one"),
        "no residual": (lambda g, x, z: invert(g, x, z).z, "container"),
    }
}
