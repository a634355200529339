"""What a latent knows, against Bayes' rule by hand."""

import math

import torch

from gmcourse.vae.aggregate import information, log_fact, log_owner


def test_two_far_examples_are_told_apart_and_two_equal_ones_are_not():
    log_p = torch.tensor([0.5, 0.25, 0.25]).log()
    mean, log_std = torch.tensor([[-9.0], [9.0], [9.0]]), torch.zeros(3, 1)
    owner = log_owner(mean, mean, log_std, log_p)
    torch.testing.assert_close(owner.exp(), torch.tensor([[1.0, 0, 0], [0, 0.5, 0.5], [0, 0.5, 0.5]]))
    nats = information(owner, log_p, torch.arange(3))
    torch.testing.assert_close(nats, torch.full((3,), math.log(2)))  # which side, and nothing else
    of_fact = log_fact(owner, torch.tensor([0, 1, 0]), 2).exp()
    torch.testing.assert_close(of_fact, torch.tensor([[1.0, 0], [0.5, 0.5], [0.5, 0.5]]))


def test_a_latent_that_knows_nothing():
    log_p = torch.tensor([0.7, 0.3]).log()
    z = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    owner = log_owner(z, torch.zeros(2, 4), torch.zeros(2, 4), log_p)
    torch.testing.assert_close(owner, log_p.expand(5, 2))
    torch.testing.assert_close(information(owner, log_p, torch.tensor([0, 1, 0, 1, 1])), torch.zeros(5))
