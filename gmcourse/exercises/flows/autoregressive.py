"""Exercises of chapter 06: autoregressive."""

from gmcourse.exercises.record import Exercise

EXERCISES: tuple[Exercise, ...] = ()
