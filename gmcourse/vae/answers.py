"""Several answers to one question: how good the best is, how much they differ, and a network that gives but one."""

import torch
from torch import Tensor, nn

from gmcourse.nets import evaluating
from gmcourse.vae.likelihoods import Likelihood
from gmcourse.vae.told import keep_known, missing_log_prob


def best_of(answers: Tensor, truth: Tensor) -> Tensor:
    """min_s ‖answer_s − truth‖², (batch,), summed over the event; answers (S, batch, *event), truth (batch, *event).

    Raises ValueError where their shapes do not fit, or where there are no answers.
    """
    if answers.shape[1:] != truth.shape or not len(answers):
        came = f"{tuple(answers.shape)} for a truth of shape {tuple(truth.shape)}"
        raise ValueError(f"answers: got shape {came}, expected (S, {', '.join(map(str, truth.shape))}), S at least 1")
    return (answers - truth).square().flatten(2).sum(2).amin(0)


def diversity(answers: Tensor) -> Tensor:
    """Var_z E[x|z, c], (batch,), summed over the event: the variance, over S, of S answers to the same question.

    answers (S, batch, *event) are means; the sum of squares is divided by S, so that Var(x|c) splits exactly.
    Raises ValueError where there are no answers. Equation: vae-total-variance.
    """
    if answers.dim() < 2 or not len(answers):
        raise ValueError(f"answers: got shape {tuple(answers.shape)}, expected (S, batch, *event), S at least 1")
    return answers.var(0, correction=0).flatten(1).sum(1)


class Regressor(nn.Module):
    """p(x|c) = likelihood(network(c)): one answer to each question, its pixels independent once c is known.

    `network` maps a `context`, (batch, 2C, H, W), to the parameters of the likelihood, (batch, C, H, W). A Gaussian
    likelihood with its σ fixed is training by squared error. Its probability is that of the missing pixels alone.
    """

    def __init__(self, network: nn.Module, likelihood: Likelihood):
        super().__init__()
        self.network = network
        self.likelihood: Likelihood = likelihood

    def log_prob(self, x: Tensor, given: Tensor) -> Tensor:
        """log p(missing|known), (batch,), nats, exact."""
        return missing_log_prob(self.likelihood, x, self.network(given), given)

    def loss(self, x: Tensor, given: Tensor) -> Tensor:
        """−log p, mean over the batch, nats."""
        return -self.log_prob(x, given).mean()

    def answer(self, given: Tensor) -> Tensor:
        """E[x|c], (batch, C, H, W), the known pixels kept."""
        with torch.no_grad(), evaluating(self):
            return keep_known(self.likelihood.mean(self.network(given)), given)
