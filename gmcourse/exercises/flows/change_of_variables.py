"""Exercises of chapter 06: change of variables."""

from gmcourse.exercises.record import Exercise

EXERCISES: tuple[Exercise, ...] = ()
