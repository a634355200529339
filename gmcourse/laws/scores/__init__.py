"""Laws of energies, scores and diffusions."""
