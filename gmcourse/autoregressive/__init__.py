"""Autoregressive models: a probability of anything as a product of next-step probabilities."""
