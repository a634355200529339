"""Laws of scores and diffusion."""
