"""Numerical laws: each takes a candidate, has an oracle that shares no code with it, and raises `LawBroken`."""

from gmcourse.laws.broken import LawBroken

__all__ = ["LawBroken"]
