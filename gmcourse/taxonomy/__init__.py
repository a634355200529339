"""The smallest generative models, and the tools of probability that every other family needs."""
