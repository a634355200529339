"""Exercises of this lesson."""

EXERCISES: tuple = ()
