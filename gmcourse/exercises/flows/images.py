"""Exercises of chapter 06: images."""

from gmcourse.exercises.record import Exercise

EXERCISES: tuple[Exercise, ...] = ()
