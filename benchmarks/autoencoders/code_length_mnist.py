"""What a code of k numbers loses on MNIST, five seeds each, and what it costs in bits beside PCA and block DCT:

    OMP_NUM_THREADS=1 python -m benchmarks.autoencoders.code_length_mnist

Deep autoencoders (784-512-256-k and mirrored), principal components and a cosine transform of blocks of 7 x 7 pixels.
50,000 training pictures, 10,000 for test. Errors are sums of squares over the 784 pixels, mean over pictures; codes are
rounded to multiples of a step, of a deep code to multiples of a share of each number's own standard deviation. "coded"
is (bits, error) at each step; nothing is drawn at random in the rows of PCA and DCT. Seconds are CPU time.
"""

from collections.abc import Callable, Iterator
from functools import cache

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoencoders.autoencoder import deep_autoencoder
from gmcourse.autoencoders.coding import dct_matrix, rounded_codes
from gmcourse.autoencoders.linear import covariance, pca_error, principal_subspace
from gmcourse.data import load
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

LENGTHS, SEEDS = (2, 8, 30), range(5)
SHARES = [2.0, 1.4, 1.0, 0.7, 0.5, 0.35, 0.25]  # of a deep code's standard deviation
STEPS = [6.0, 4.0, 3.0, 2.0, 1.4, 1.0, 0.7]  # of an orthonormal transform
DEEP = {"steps": 5_000, "batch_size": 128, "peak": 1e-3}
mnist = cache(lambda: load("mnist"))


def block_cosines(side: int, block: int) -> Tensor:
    """The cosine transform of every block of a square picture, rows orthonormal, (side², side²)."""
    one = torch.kron(torch.eye(side // block, dtype=torch.float64), dct_matrix(block))
    return torch.kron(one, one)


def transform(name: str) -> dict:
    """Bits and error at each step, and what k components lose."""
    train, test = (x.flatten(1).double() for x in (mnist().train, mnist().test))
    mean = train.mean(0)
    vectors, eigenvalues = principal_subspace(covariance(train), 784)
    rows = vectors.T if name == "PCA" else block_cosines(28, 7)
    z = ((train - mean) @ rows.T, (test - mean) @ rows.T)
    coded = [rounded_codes(*z, lambda u: mean + u @ rows, test, step) for step in STEPS]
    found: dict = {"coded": [[round(number, 3) for number in point] for point in coded]}
    if name == "PCA":
        found["tail"] = [round(pca_error(eigenvalues, k).item(), 3) for k in LENGTHS]
        kept = [(test - mean) @ vectors[:, :k] @ vectors[:, :k].T + mean for k in LENGTHS]
        found["test"] = [round((x - test).square().sum(1).mean().item(), 3) for x in kept]
    return found


def in_parts(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """f of all rows, without gradients, a thousand at a time."""
    with torch.no_grad():
        return torch.cat([f(part) for part in x.split(1000)])


def network(k: int, seed: int) -> dict:
    """The errors, and bits and error at each share."""
    torch.manual_seed(seed)
    net, plan = deep_autoencoder((1, 28, 28), k, (512, 256)), dict(DEEP)
    rate = held_then_falling(plan.pop("peak"), plan["steps"])
    fit(net, (mnist().train,), lr=rate, seed=seed, progress=False, **plan)
    z_train, z = in_parts(net.encoder, mnist().train), in_parts(net.encoder, mnist().test)
    std = z_train.std(0)

    def back(u: Tensor) -> Tensor:
        return in_parts(net.decoder, u * std)

    coded = [rounded_codes(z_train / std, z / std, back, mnist().test, share) for share in SHARES]
    errors = {s: in_parts(net.errors, getattr(mnist(), s)).mean().item() for s in ("train", "test")}
    return {s: round(v, 3) for s, v in errors.items()} | {"coded": [[round(n, 3) for n in point] for point in coded]}


def run(model: str, k: int = 0, seed: int = 0) -> dict:
    """One row."""
    return transform(model) if model in ("PCA", "DCT") else network(k, seed)


def plan() -> Iterator[dict]:
    """The transforms, then every network with every seed."""
    yield from ({"model": model, "seed": 0} for model in ("PCA", "DCT"))
    yield from ({"model": "deep", "k": k, "seed": seed} for k in LENGTHS for seed in SEEDS)


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    about = {"deep": DEEP, "shares": SHARES, "steps": STEPS, "lengths": list(LENGTHS)}
    evidence.rows("autoencoders/code_length_mnist", plan(), run, options, **about)
