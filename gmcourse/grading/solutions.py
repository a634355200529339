"""A right answer as the cell of an instructor's notebook: the reference, written out so that it needs nothing else."""

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from gmcourse.exercises import Exercise
from gmcourse.exercises.variants import posed, seed_of

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
OPEN_LINE = "raise NotImplementedError"
EXAMPLE = "a student"


def solved(exercise: Exercise, stub: str, name: str) -> str:
    """The cell `stub`, which defines `name`, with the reference of `exercise` between the marks of a solution.

    What stands outside the marks is what a student keeps: a stub that is not attempted. Where each student has numbers
    of their own, those of EXAMPLE are answered. Raises ValueError for a stub that is neither a function which ends in
    `raise NotImplementedError`, nor `name = ...`.
    """
    if callable(exercise.reference):
        head, line, rest = stub.rstrip().rpartition(f"    {OPEN_LINE}")
        if not line or rest or not head.startswith("def "):
            raise ValueError(f"stub: got {stub!r}, expected one function that ends in {OPEN_LINE}")
        body = textwrap.indent("\n".join([BEGIN, *_body(exercise.reference, stub), END]), "    ")
        return f"{head}{body}\n{line}"
    if ast.unparse(ast.parse(stub)) != f"{name} = ...":
        raise ValueError(f"stub: got {stub!r}, expected {name} = ...")
    if exercise.variant is None:
        return "\n".join([stub, BEGIN, f"{name} = {literal(exercise.reference)}", END])
    reference = posed(exercise, seed_of(EXAMPLE, exercise.id)).reference
    whose = f'student = "{EXAMPLE}"  # whose numbers the next line answers'
    return "\n".join([stub, BEGIN, whose, f"{name} = {literal(reference)}", END])


def literal(value: Any) -> str:
    """`value` as Python writes it, a set in one order."""
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(repr, value)))}}}" if value else "set()"
    return repr(value)


def _body(reference: Callable, stub: str) -> Iterator[str]:
    """The lines of the reference's body, below what it takes from its own module and its own names of the arguments."""
    source = textwrap.dedent(inspect.getsource(reference))
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    yield from _brought(reference, body)
    taken = [arg.arg for arg in ast.walk(ast.parse(stub)) if isinstance(arg, ast.arg)]
    for parameter, own in zip(inspect.signature(reference).parameters.values(), [*taken, *[None] * 9], strict=False):
        if parameter.name != own:
            yield f"{parameter.name} = {own or literal(parameter.default)}"
    lines = source.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    yield from textwrap.dedent("\n".join(lines)).splitlines()
    if not isinstance(body[-1], (ast.Return, ast.Raise)):
        yield "return"  # the stub's last line stands below


def _brought(reference: Callable, body: list[ast.stmt]) -> Iterator[str]:
    """An import for each name that the body takes from the reference's module."""
    known = inspect.unwrap(reference).__globals__
    used = {node.id for line in body for node in ast.walk(line) if isinstance(node, ast.Name)}
    for name in sorted(used & known.keys() - vars(builtins).keys()):
        value = known[name]
        if isinstance(value, ModuleType):
            parent, _, last = value.__name__.rpartition(".")
            if not parent and last == name:
                yield f"import {name}"
            else:
                yield f"import {value.__name__} as {name}"
        else:
            home = sys.modules.get(getattr(value, "__module__", None) or "")
            origin = home.__name__ if home and getattr(home, name, None) is value else reference.__module__
            yield f"from {origin} import {name}"
