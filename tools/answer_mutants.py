"""The one-line mutants of an exercise's reference, and slips of the whole answer, as answers that can be checked."""

import ast
import functools
import inspect
import math
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutations import Mutation, apply, differs, mutations

DEPTH = 2  # calls from the reference down to a line that is changed
LEFT = {"guard", "statement"}
BESIDE = ("gmcourse.laws", "gmcourse.protocols", "gmcourse.record", "gmcourse.data")


@dataclass(frozen=True)
class Mutant:
    """A wrong answer to an exercise: the rule that made it, in words what it does, and the answer itself."""

    exercise: str
    rule: str
    what: str
    answer: Any

    def __str__(self) -> str:
        return f"{self.exercise}: {self.what}"


def mutants(exercise: Any) -> Iterator[Mutant]:
    """Every mutant of an exercise's reference."""
    reference = exercise.reference
    if not callable(reference):
        kinds = {dict: _findings, tuple: _several, frozenset: _names_of}
        yield from kinds.get(type(reference), _numbers)(exercise.id, reference)
        return
    for function in reached(reference):
        for mutation in lines_of(function):
            mutant = recompiled(function, mutation)
            if mutant is not None:
                answer = rebuilt(reference, function, mutant)
                what = f"{function.__name__}: {mutation.old.strip()} → {mutation.new.strip()}"
                yield Mutant(exercise.id, mutation.rule, what, answer)
    yield from _whole(exercise, reference)


def _numbers(id: str, value: Any) -> Iterator[Mutant]:
    value = float(value)
    slips = {"2v": 2 * value, "v/2": value / 2, "−v": -value, "v + 1": value + 1, "v²": value**2, "NaN": math.nan}
    slips |= {"1/v": 1 / value, "√|v|": abs(value) ** 0.5, "ln|v|": math.log(abs(value))} if value else {}
    yield from (Mutant(id, "value", f"{name} = {slip:.4g}", slip) for name, slip in slips.items() if slip != value)


def _several(id: str, values: tuple[Any, ...]) -> Iterator[Mutant]:
    """Several numbers, or tensors of them: one of them wrong, or the first two exchanged."""
    for place, value in enumerate(values):
        for name, slip in (("negated", -value), ("one more", value + 1), ("NaN", value * math.nan)):
            yield Mutant(id, "value", f"number {place} {name}", (*values[:place], slip, *values[place + 1 :]))
    backwards = values[::-1]
    if backwards != values:
        yield Mutant(id, "arguments", "in the other order", backwards)


def _findings(id: str, value: dict[str, Any]) -> Iterator[Mutant]:
    """What a student measured, with one entry left out, a list cut to one number, a number that is none."""
    for name, part in value.items():
        yield Mutant(id, "value", f"without {name}", {key: kept for key, kept in value.items() if key != name})
        if isinstance(part, list):
            yield Mutant(id, "value", f"one number of {name}", value | {name: part[:1]})
            yield Mutant(id, "value", f"NaN among {name}", value | {name: [math.nan, *part[1:]]})
            yield Mutant(id, "sign", f"{name} negated", value | {name: [-number for number in part]})


def _names_of(id: str, names: frozenset[str]) -> Iterator[Mutant]:
    """A set of names: one left out, none, another one more."""
    slips = {f"without {name}": names - {name} for name in sorted(names)}
    slips |= {"no name": frozenset(), "another name more": names | {"another"}}
    yield from (Mutant(id, "value", what, slip) for what, slip in slips.items())


def asked_for(stub: str) -> list[str]:
    """The parameters of the function that the lesson asks for."""
    (function,) = (node for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef))
    return [argument.arg for argument in function.args.args]


def _whole(exercise: Any, reference: Callable) -> Iterator[Mutant]:
    """Slips that no single line of the reference shows."""
    id = exercise.id
    names = asked_for(exercise.stub)
    for place, name in enumerate(names):
        yield Mutant(id, "row", f"first row of {name} for all", _changed(reference, place, _first_row))
    for place in range(len(names) - 1):
        answer = functools.partial(_swapped, reference, place)
        yield Mutant(id, "arguments", f"{names[place]} and {names[place + 1]} swapped", answer)
    for rule, change in (("detach", _detached), ("batch", _batch_mean), ("batch", _rolled), ("sign", _negated)):
        yield Mutant(id, rule, f"the value {change.__name__.strip('_').replace('_', ' ')}", _then(reference, change))


def _changed(reference: Callable, place: int, change: Callable) -> Callable:
    def answer(*inputs: Any) -> Any:
        return reference(*(change(value) if k == place else value for k, value in enumerate(inputs)))

    return answer


def _swapped(reference: Callable, place: int, *inputs: Any) -> Any:
    inputs = list(inputs)
    inputs[place : place + 2] = inputs[place : place + 2][::-1]
    return reference(*inputs)


def _then(reference: Callable, change: Callable) -> Callable:
    def answer(*inputs: Any) -> Any:
        value = reference(*inputs)
        return type(value)(map(change, value)) if type(value) is tuple else change(value)

    return answer


def _first_row(x: Any) -> Any:
    import torch

    return x[:1].expand_as(x) if isinstance(x, torch.Tensor) and x.dim() and len(x) > 1 else x


def _detached(x: Any) -> Any:
    return x.detach() if hasattr(x, "detach") else x


def _batch_mean(x: Any) -> Any:
    return x.mean(0, keepdim=True).expand_as(x) if hasattr(x, "is_floating_point") and x.dim() and len(x) > 1 else x


def _rolled(x: Any) -> Any:
    return x.roll(1, 0) if hasattr(x, "roll") and x.dim() else x


def _negated(x: Any) -> Any:
    return -x if x is not None else x


# A function of the package, mutated and put in the place of the old one


def reached(reference: Callable) -> list[types.FunctionType]:
    """The reference's own function, and those of its family that it calls, two calls deep."""
    found: dict[types.FunctionType, None] = {}
    waiting = [(function_of(reference), 0)]
    while waiting:
        function, depth = waiting.pop(0)
        if function in found or not _ours(function):
            continue
        found[function] = None
        if depth < DEPTH:
            waiting += [(called, depth + 1) for called in called_by(function).values()]
    return list(found)


def function_of(reference: Callable) -> types.FunctionType:
    while isinstance(reference, functools.partial):
        reference = reference.func
    return inspect.unwrap(reference)


def _ours(function: Any) -> bool:
    module = getattr(function, "__module__", "")
    return (
        isinstance(function, types.FunctionType)
        and module.startswith("gmcourse.")
        and not module.startswith(BESIDE)
        and function.__name__ != "<lambda>"
    )


def called_by(function: types.FunctionType) -> dict[str, types.FunctionType]:
    """Name (dirac.velocity: of a module's attribute) → function, for all that its code names."""
    names, called = _names(function.__code__), {}
    for name in names:
        value = function.__globals__.get(name)
        if isinstance(value, types.ModuleType):
            called |= {f"{name}.{part}": getattr(value, part) for part in names if _ours(getattr(value, part, None))}
        elif _ours(value):
            called[name] = value
    return called


def _names(code: types.CodeType) -> set[str]:
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*inner)


def lines_of(function: types.FunctionType) -> Iterator[Mutation]:
    """The mutations of the function's own lines, checks of what it was given left out."""
    path = Path(inspect.getsourcefile(function))
    lines, first = inspect.getsourcelines(function)
    checks = {first + k - 1 for k in _checks(textwrap.dedent("".join(lines)))}
    own, source = range(first, first + len(lines)), path.read_text("utf-8")
    found = (m for m in _of_module(path) if m.line in own and m.line not in checks and m.rule not in LEFT)
    return (mutation for mutation in found if differs(source, mutation))


@functools.cache
def _of_module(path: Path) -> list[Mutation]:
    return mutations(path.name, path.read_text("utf-8"))


def _checks(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and all(isinstance(part, ast.Raise) for part in node.body):
            yield from range(node.lineno, node.end_lineno + 1)


def recompiled(function: types.FunctionType, mutation: Mutation) -> types.FunctionType | None:
    """The function as its module with that line would have it; None where it cannot be had."""
    path = Path(inspect.getsourcefile(function))
    module = types.ModuleType(function.__module__)
    module.__dict__.update(__file__=str(path), __package__=function.__module__.rpartition(".")[0])
    sys_module = sys.modules[function.__module__]
    try:
        code = compile(apply(path.read_text("utf-8"), mutation), str(path), "exec")
        sys.modules[function.__module__] = module  # a dataclass looks for its module there
        exec(code, module.__dict__)
    except Exception:
        return None
    finally:
        sys.modules[function.__module__] = sys_module
    mutant = module.__dict__.get(function.__qualname__)
    return mutant if isinstance(mutant, types.FunctionType) else None


def rebuilt(reference: Callable, old: types.FunctionType, new: types.FunctionType) -> Callable:
    """The reference with `new` wherever it would have called `old`."""
    if isinstance(reference, functools.partial):
        return functools.partial(rebuilt(reference.func, old, new), *reference.args, **reference.keywords)
    return _rebuilt(function_of(reference), old, new, DEPTH)


def _rebuilt(function: types.FunctionType, old: types.FunctionType, new: types.FunctionType, depth: int) -> Callable:
    if function is old:
        return new
    scope = dict(function.__globals__)
    for name, called in called_by(function).items():
        if depth and (called is old or old in reached(called)):
            holder, _, part = name.rpartition(".")
            value = _rebuilt(called, old, new, depth - 1)
            if holder:
                scope[holder] = types.SimpleNamespace(**{**vars(scope[holder]), part: value})
            else:
                scope[name] = value
    twin = types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin
