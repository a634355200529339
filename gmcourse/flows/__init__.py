"""Normalising flows: bijections from data to noise that keep count of the volume."""

from gmcourse.flows.flow import Flow

__all__ = ["Flow"]
