"""Laws of taxonomy."""
