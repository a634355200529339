"""Deep generative models: compact, tested reference implementations."""

__version__ = "0.1.0"
