"""Exercises of chapter 06: continuous."""

from gmcourse.exercises.record import Exercise

EXERCISES: tuple[Exercise, ...] = ()
