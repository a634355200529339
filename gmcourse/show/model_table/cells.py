"""What is measured of models, checked, and each number as the page writes it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from numbers import Real
from typing import Any, Literal

_ALWAYS = ("name", "family")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NONE = "–"
Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A property of models: the key of its values, its label, its unit, and which end of it is better, if one is.

    The unit is "" for a bare number and None for words.
    """

    key: str
    label: str
    unit: str | None = ""
    better: Literal["low", "high"] | None = None

    def __post_init__(self):
        if not self.key or self.key in _ALWAYS or ":" in self.key:
            raise ValueError(f"key: got {self.key!r}, expected a name, no colon in it, other than name and family")
        if not self.label.strip():
            raise ValueError(f"label: got {self.label!r}, expected words for {self.key}")
        if self.better not in (None, "low", "high") or (self.unit is None and self.better):
            raise ValueError(f"better: got {self.better!r}, expected 'low', 'high' or None, and None for words")


def checked_columns(columns: Sequence[Column]) -> list[Column]:
    """The columns as a list; ValueError for none or for a key that comes twice."""
    keys = [column.key for column in columns]
    if not keys or len(set(keys)) < len(keys):
        raise ValueError(f"columns: got {', '.join(keys) or 'none'}, expected at least one, each key once")
    return list(columns)


def checked_rows(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """What the page is given of each model: {"name", "family", "cells"}, a cell for every column.

    A cell is {"value", "text"}, with "sd" and "seeds" where there are some, or {"value": None, "text": "–", "why"}.
    Raises ValueError, with the name of the model and the key, for what is no such row.
    """
    names = [row.get("name") for row in rows]
    if not rows or len(set(names)) < len(names):
        raise ValueError(f"rows: got the names {names}, expected at least one model, each name once")
    known = {*_ALWAYS, *(name for column in columns for name in (column.key, f"{column.key}:why"))}
    for row in rows:
        if not all(isinstance(row.get(key), str) and row[key].strip() for key in _ALWAYS):
            raise ValueError(f"rows: got {row.get('name')!r} of {row.get('family')!r}, expected a name and a family")
        if odd := row.keys() - known:
            raise ValueError(f"{row['name']}: got {', '.join(sorted(odd))}, expected keys of the columns")
    cells = {column.key: _cells(column, rows) for column in columns}
    return [
        {"name": row["name"], "family": row["family"], "cells": {key: cells[key][k] for key in cells}}
        for k, row in enumerate(rows)
    ]


def _cells(column: Column, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """One column of cells; whole numbers are written as such where the column has no others."""
    read = _words if column.unit is None else _numbers
    cells = [read(column, row) for row in rows]
    if column.unit is not None:
        values = [cell["value"] for cell in cells if cell["value"] is not None]
        whole = all(value.is_integer() for value in values)
        for cell in cells:
            cell["text"] = _text(cell, whole)
            if cell.get("seeds"):
                cell["each"] = ", ".join(written(value, whole and value.is_integer()) for value in cell["seeds"])
    return cells


def _absent(column: Column, row: Mapping[str, Any]) -> Row:
    why = row.get(f"{column.key}:why", "not measured")
    if not isinstance(why, str) or not why.strip():
        raise ValueError(f"{row['name']}, {column.key}:why: got {why!r}, expected a reason in words")
    return {"value": None, "text": NONE, "why": why}


def _words(column: Column, row: Mapping[str, Any]) -> Row:
    value = row.get(column.key)
    if value is None:
        return _absent(column, row)
    if not isinstance(value, str):
        raise ValueError(f"{row['name']}, {column.key}: got {value!r}, expected words, or None")
    return {"value": value, "text": value}


def _numbers(column: Column, row: Mapping[str, Any]) -> Row:
    value = row.get(column.key)
    if value is None:
        return _absent(column, row)
    numbers = value if isinstance(value, Mapping) else {"mean": value, "sd": 0, "seeds": []}
    if numbers.keys() != {"mean", "sd", "seeds"}:
        raise ValueError(f"{row['name']}, {column.key}: got {value!r}, expected a number, mean, sd and seeds, or None")
    seeds = list(numbers["seeds"])
    for number in (numbers["mean"], numbers["sd"], *seeds):
        if isinstance(number, bool) or not isinstance(number, Real) or not math.isfinite(number):
            raise ValueError(f"{row['name']}, {column.key}: got {number!r}, expected a finite number, or None")
    if numbers["sd"] < 0:
        raise ValueError(f"{row['name']}, {column.key}: got the sd {numbers['sd']}, expected at least 0")
    spread = {"sd": float(numbers["sd"]), "seeds": [float(seed) for seed in seeds]} if numbers is value else {}
    return {"value": float(numbers["mean"]), **spread}


def _text(cell: Row, whole: bool) -> str:
    if cell["value"] is None:
        return NONE
    return f"{written(cell['value'])} ± {_spread(cell)}" if "sd" in cell else written(cell["value"], whole)


def _spread(cell: Row) -> str:
    """The sd with no more decimals than the mean, unless nothing would be left of it."""
    last = max((_last_place(cell[part]) for part in ("value", "sd") if cell[part]), default=Decimal(1))
    sd = Decimal(cell["sd"]).quantize(last, ROUND_HALF_UP)
    if not sd and cell["sd"]:
        last = _last_place(cell["sd"]).scaleb(2)
        sd = Decimal(cell["sd"]).quantize(last, ROUND_HALF_UP)
    if sd and not -4 <= sd.adjusted() < 7:
        return written(cell["sd"])
    return f"{sd:,.{max(0, -last.adjusted())}f}"


def _last_place(value: float) -> Decimal:
    """Of three significant digits."""
    return Decimal(1).scaleb(Decimal(abs(value)).adjusted() - 2)


def written(value: float, whole: bool = False) -> str:
    """A number to three significant digits with a true minus sign; with `whole`, 5 is no 5.00.

    From 10⁷ on and below 10⁻⁴ it is a multiple of a power of ten.
    """
    if value == 0:
        return "0"
    number = Decimal(abs(value)).quantize(_last_place(value), ROUND_HALF_UP)
    power = number.adjusted()
    sign = "−" if value < 0 else ""
    if not -4 <= power < 7:
        return f"{sign}{number.scaleb(-power):.2f} × 10{str(power).translate(_SUPERSCRIPTS)}"
    return f"{sign}{number:,.{0 if whole else max(0, 2 - power)}f}"
