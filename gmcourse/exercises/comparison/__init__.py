"""Exercises of chapter 08, comparison."""
