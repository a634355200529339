"""Normalising flows: bijections from data to noise that keep count of the volume."""

from gmcourse.flows.flow import Flow
from gmcourse.flows.planar import Planar, Radial

__all__ = ["Flow", "Planar", "Radial"]
