"""Data sets: `load(key)` returns a frozen `Dataset`, `describe(key)` its entry, `KEYS` names them all."""

from gmcourse.data.dataset import Dataset
from gmcourse.data.downloads import DataUnavailable
from gmcourse.data.registry import KEYS, describe, load

__all__ = ["KEYS", "DataUnavailable", "Dataset", "describe", "load"]
