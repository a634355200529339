"""Exercises of chapter 06: coupling."""

from gmcourse.exercises.record import Exercise

EXERCISES: tuple[Exercise, ...] = ()
