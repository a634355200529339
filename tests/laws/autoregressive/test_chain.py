"""The laws of the chain rule pass right answers and catch each planted bug."""

import math

import torch
from torch.distributions import Bernoulli

from gmcourse.autoregressive.fvsbn import fvsbn_log_prob
from gmcourse.autoregressive.made import ensemble_log_prob
from gmcourse.laws.autoregressive import chain
from gmcourse.probability import bernoulli_log_prob


def by_distribution(x, weight, bias):
    logits = torch.stack([x[:, :d] @ weight[d, :d] + bias[d] for d in range(x.shape[1])], 1)
    return Bernoulli(logits=logits).log_prob(x).sum(1)


def with_weights(change):
    return lambda x, weight, bias: bernoulli_log_prob(x, x @ change(weight).T + bias)


def by_probabilities(least):
    def answer(x, weight, bias):
        p = (x @ weight.tril(-1).T + bias).sigmoid().clamp(least, 1 - least)
        return torch.where(x > 0, p, 1 - p).log().sum(1)

    return answer


def mean_of_exponentials(log_probs):
    top = log_probs.max(0).values
    return (log_probs - top).exp().mean(0).log() + top


RIGHT = {
    chain.bits_in_turn: (fvsbn_log_prob, by_distribution),
    chain.orders_are_mixed: (ensemble_log_prob, mean_of_exponentials),
}
BUGS = {
    chain.bits_in_turn: {
        "no mask": (with_weights(lambda w: w), "dependence"),
        "the diagonal, too": (with_weights(lambda w: w.tril(0)), "dependence"),
        "the later bits": (with_weights(lambda w: w.triu(1)), "direction"),
        "the other way round": (lambda x, w, b: bernoulli_log_prob(x, x @ w.tril(-1) + b), "direction"),
        "not the last bit": (with_weights(lambda w: w.tril(-2)), "direction"),
        "no bias": (lambda x, w, b: fvsbn_log_prob(x, w, 0 * b), "constant"),
        "biases alone": (lambda x, w, b: fvsbn_log_prob(x, 0 * w, b), "constant"),
        "ones alone": (lambda x, w, b: fvsbn_log_prob(x, w, b) * 0 + _ones(x, w, b), "one-to-one"),
        "a mean over bits": (lambda x, w, b: fvsbn_log_prob(x, w, b) / x.shape[1], "reduction"),
        "zeros for ones": (lambda x, w, b: bernoulli_log_prob(1 - x, x @ w.tril(-1).T + b), "sign"),
        "−ln p": (lambda x, w, b: -fvsbn_log_prob(x, w, b), "sign"),
        "p": (lambda x, w, b: fvsbn_log_prob(x, w, b).exp(), "log-mean"),
        "bits": (lambda x, w, b: fvsbn_log_prob(x, w, b) / math.log(2), "log-mean"),
        "a logarithm of σ": (by_probabilities(0.0), "not-finite"),
        "held off 0": (by_probabilities(1e-6), "overflow"),
        "one number": (lambda x, w, b: fvsbn_log_prob(x, w, b).sum(), "shape"),
        "the batch's mean": (lambda x, w, b: fvsbn_log_prob(x, w, b).mean().expand(len(x)), "shape"),
        "in place": (lambda x, w, b: fvsbn_log_prob(x, w.tril_(-1), b), "mutation"),
    },
    chain.orders_are_mixed: {
        "the mean of logarithms": (lambda log_probs: log_probs.mean(0), "log-mean"),
        "no ln K": (lambda log_probs: log_probs.logsumexp(0), "constant"),
        "ln K added": (lambda log_probs: log_probs.logsumexp(0) + math.log(len(log_probs)), "constant"),
        "divided by K": (lambda log_probs: log_probs.logsumexp(0) / len(log_probs), "constant"),
        "the best order": (lambda log_probs: log_probs.amax(0), "one-to-one"),
        "the first order": (lambda log_probs: log_probs[0], "one-to-one"),
        "a product": (lambda log_probs: log_probs.sum(0), "reduction"),
        "p": (lambda log_probs: log_probs.exp().mean(0), "spread"),
        "−ln p": (lambda log_probs: -ensemble_log_prob(log_probs), "sign"),
        "over the batch": (lambda log_probs: ensemble_log_prob(log_probs.T), "shape"),
        "exponentials of −1000": (lambda log_probs: log_probs.exp().mean(0).log(), "not-finite"),
        "held off 0": (lambda log_probs: (log_probs.exp().mean(0) + 1e-30).log(), "overflow"),
        "a median": (lambda log_probs: log_probs.median(0).values, "one-to-one"),
        "one number": (lambda log_probs: ensemble_log_prob(log_probs).mean(), "shape"),
    },
}


def _ones(x, weight, bias):
    return (x * (x @ weight.tril(-1).T + bias).sigmoid().log()).sum(1)


def test_and_makes_parity_a_line():
    rows = torch.tensor([[0.0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1]]).double()
    for order, coins in (((0, 1, 2, 3), 3), ((0, 1, 3, 2), 2), ((2, 3, 0, 1), 2)):
        x = rows[:, list(order)]
        parameters = [torch.zeros(4, 4).double().requires_grad_(), torch.zeros(4).double().requires_grad_()]
        optimizer = torch.optim.LBFGS(parameters, max_iter=200, line_search_fn="strong_wolfe")

        def loss(x=x, parameters=parameters, optimizer=optimizer):
            optimizer.zero_grad()
            value = -fvsbn_log_prob(x, *parameters).mean()
            value.backward()
            return value

        optimizer.step(loss)
        assert abs(loss().item() - coins * math.log(2)) < 1e-4
