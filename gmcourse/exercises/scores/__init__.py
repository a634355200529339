"""Exercises of chapter 07, scores and diffusion."""
