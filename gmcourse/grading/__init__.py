"""Grading without trust: answers run in a process of their own, the laws stay here, plain data passes between."""
