"""Laws of measuring and comparing."""
