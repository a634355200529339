"""Laws of autoencoders."""
