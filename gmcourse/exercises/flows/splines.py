"""Exercises of chapter 06: splines."""

from gmcourse.exercises.record import Exercise

EXERCISES: tuple[Exercise, ...] = ()
