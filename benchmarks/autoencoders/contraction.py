"""In which directions does a contractive autoencoder of the 8 × 8 digits contract, early and late in its training?

    OMP_NUM_THREADS=1 python -m benchmarks.autoencoders.contraction

128 sigmoid units with tied weights, batches of 128, the learning rate 0.02 held and then falling. Pairs of the same
seed and steps differ in γ alone. All numbers are of the test digits: the mean squared error, ‖∂e/∂x‖² ("slope"), the
mean of h(1 − h) ("gate"), and the mean of ‖(∂e/∂x) v‖² for each eigenvector v of the training digits' covariance, in
falling order of its eigenvalue ("moves").
"""

import torch

from benchmarks import evidence
from gmcourse.autoencoders.contractive import ContractiveAutoencoder
from gmcourse.data import load
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

PLAN = [
    {"gamma": gamma, "steps": steps, "seed": seed} for steps in (800, 8000) for gamma in (0.0, 0.1) for seed in range(5)
]


def run(gamma: float, steps: int, seed: int) -> dict:
    digits = load("digits")
    torch.manual_seed(seed)
    model = ContractiveAutoencoder((1, 8, 8), 128, gamma)
    plan = {"batch_size": 128, "lr": held_then_falling(2e-2, steps), "seed": seed, "progress": False}
    fit(model, (digits.train,), steps=steps, **plan)
    directions = torch.linalg.eigh(torch.cov(digits.train.flatten(1).double().T, correction=0))[1].flip(-1)
    with torch.no_grad():
        h = model.encode(digits.test).double()
        gate, along = h * (1 - h), (model.layer.weight.double() @ directions).square()
        moves = (gate.square() @ along).mean(0)
        numbers = {"error": model.errors(digits.test).mean(), "slope": moves.sum(), "gate": gate.mean()}
    found = {name: round(value.item(), 4) for name, value in numbers.items()}
    return found | {"moves": [round(value, 5) for value in moves.tolist()]}


if __name__ == "__main__":
    evidence.rows("autoencoders/contraction", PLAN, run, evidence.parser(__doc__).parse_args())
