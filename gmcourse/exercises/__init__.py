"""Exercises that check themselves: `check(id, answer)`, `hint(id)`, `solution(id)`."""

from gmcourse.exercises.checking import EXERCISES, check, hint, solution

__all__ = ["EXERCISES", "check", "hint", "solution"]
