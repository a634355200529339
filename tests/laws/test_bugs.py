"""Every law passes each right answer and catches each planted bug, and has at least three of them.

A test module here keeps its laws' cases as data: `RIGHT = {law: (answer, …)}` and `BUGS = {law: {name: (bug, cause)}}`.
A law that wants more than the candidate stands there as a `partial`.
"""

import importlib
import importlib.util
import inspect
import math
import pkgutil
from functools import partial
from pathlib import Path

import pytest
import torch

import gmcourse.laws
from gmcourse.laws import LawBroken

HERE = Path(__file__).resolve().parent
ABOUT_NO_LAW = {"test_asking.py", "test_broken.py", "test_bugs.py"}


def planted(folder):
    """Test module by its path under `folder`, imported for its `RIGHT` and `BUGS`."""
    modules = {}
    for path in sorted(folder.rglob("test_*.py")):
        if path.name not in ABOUT_NO_LAW:
            spec = importlib.util.spec_from_file_location(f"planted_{path.stem}", path)
            module = modules[path.relative_to(folder).as_posix()] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
    return modules


def laws_of(package):
    """Every law: a public function of a module of `package` that returns None, since all it can do is raise."""
    names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    functions = [
        function
        for name in names
        if name != "gmcourse.laws.broken"
        for _, function in inspect.getmembers(importlib.import_module(name), inspect.isfunction)
        if function.__module__ == name and not function.__name__.startswith("_")
    ]
    returned = {function: inspect.signature(function).return_annotation for function in functions}
    return [function for function, value in returned.items() if value in (None, "None", inspect.Signature.empty)]


def law_of(key):
    return key.func if isinstance(key, partial) else key


def named(key):
    return f"{law_of(key).__module__.removeprefix('gmcourse.laws.')}.{law_of(key).__name__}"


def lacking(laws, modules, fewest=3):
    """What is amiss in the cases, in words: a law without a right answer, or with fewer than three planted bugs."""
    wrong = []
    for law in laws:
        home = law.__module__.removeprefix("gmcourse.laws.").replace(".", "/")
        home = f"{Path(home).parent / 'test_'}{Path(home).name}.py".removeprefix("./")
        cases = modules.get(home)
        bugs, right = (
            [case for key, group in getattr(cases, name, {}).items() if law_of(key) is law for case in group]
            for name in ("BUGS", "RIGHT")
        )
        if not right:
            wrong.append(f"{named(law)}: no right answer in {home}")
        if len(set(bugs)) < fewest:
            wrong.append(f"{named(law)}: {len(set(bugs))} planted bugs in {home}, at least {fewest}")
    return wrong


MODULES = planted(HERE)
CASES = [(named(key), key, answer) for m in MODULES.values() for key, group in m.RIGHT.items() for answer in group]
BUGS = [
    (f"{named(key)}: {name}", key, *case)
    for module in MODULES.values()
    for key, bugs in module.BUGS.items()
    for name, case in bugs.items()
]


def test_every_law_has_right_answers_and_planted_bugs():
    laws = laws_of(gmcourse.laws)
    assert len(laws) > 40
    assert not (wrong := lacking(laws, MODULES)), "\n".join(wrong)
    strangers = [named(key) for m in MODULES.values() for key in (*m.RIGHT, *m.BUGS) if law_of(key) not in laws]
    assert not strangers


@pytest.mark.parametrize(("law", "answer"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_right_answer_passes(law, answer):
    law(answer)


@pytest.mark.parametrize(("law", "bug", "cause"), [bug[1:] for bug in BUGS], ids=[bug[0] for bug in BUGS])
def test_a_planted_bug_is_caught(law, bug, cause):
    with pytest.raises(LawBroken) as caught:
        law(bug)
    assert caught.value.cause == cause


# What can go wrong with any answer: NaN, in one place or in all, and shapes that broadcast


def in_last_place(value):
    last = torch.arange(value.numel()).view(value.shape) == value.numel() - 1
    return torch.where(last, math.nan, value)


SLIPS = {
    "NaN": lambda value: value * math.nan,
    "one NaN": in_last_place,
    "a row": lambda value: value[None] if value.dim() else value.expand(1, 2),  # (1,) passes for a number
    "a column": lambda value: value[..., None] if value.dim() else value.expand(2, 1),
    "a square": lambda value: value.expand(len(value) if value.dim() else 2, *value.shape),
}
ALLOWED = {("gan.game.critic_is_best", "a column")}  # logits (batch, 1), as critics give them
FUNCTIONS = {name: (key, answer) for name, key, answer in CASES if inspect.isroutine(answer)}
SPOILED = [
    (f"{name}: {slip}", *case, slip)
    for name, case in FUNCTIONS.items()
    for slip in SLIPS
    if (name, slip) not in ALLOWED
]


@pytest.mark.parametrize(("law", "right", "slip"), [case[1:] for case in SPOILED], ids=[case[0] for case in SPOILED])
def test_neither_nan_nor_a_shape_that_broadcasts_passes(law, right, slip):
    spoiled = []  # by place: which of several values

    def spoil(value):
        value = torch.as_tensor(value)
        if not value.dim() and slip in ("a row", "a column"):
            return value  # one number may come as (1,)
        spoiled.append(slip)
        return SLIPS[slip](value if value.is_complex() else value.double())

    def candidate(*arguments, place=0):
        value = right(*arguments)
        if isinstance(value, tuple):
            return tuple(spoil(part) if i == place else part for i, part in enumerate(value))
        return value if value is None else spoil(value)

    for place in range(3):
        spoiled.clear()
        try:
            law(partial(candidate, place=place))
        except LawBroken:
            continue
        assert not spoiled


# The check can fail


def test_a_law_without_bugs_is_seen():
    def law(candidate) -> None: ...

    law.__module__ = "gmcourse.laws.flows.spline"
    module = type("module", (), {"RIGHT": {law: (1,)}, "BUGS": {law: {"one": (1, ""), "two": (2, "")}}})
    assert lacking([law], {}) == [
        "flows.spline.law: no right answer in flows/test_spline.py",
        "flows.spline.law: 0 planted bugs in flows/test_spline.py, at least 3",
    ]
    assert lacking([law], {"flows/test_spline.py": module}) == [
        "flows.spline.law: 2 planted bugs in flows/test_spline.py, at least 3"
    ]
    module.BUGS[partial(law, x=1)] = {"three": (3, "")}
    assert lacking([law], {"flows/test_spline.py": module}) == []
    assert lacking([law], {"gan/test_spline.py": module})
