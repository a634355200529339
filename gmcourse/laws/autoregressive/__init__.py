"""Laws of autoregressive models."""
