"""Exercises of chapter 06: flow matching."""

from gmcourse.exercises.record import Exercise

EXERCISES: tuple[Exercise, ...] = ()
