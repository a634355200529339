"""Errors that cross the boundary: by name on the way up, as errors of Python's own on the way down."""

import builtins
from typing import cast


class Failed(RuntimeError):
    """The other side raised: `said` is its type and text, `place` the student's line, `bare` an untouched stub's."""

    def __init__(self, kind: str, text: str, place: str = "", bare: bool = False):
        self.said, self.place, self.bare = f"{kind}: {text}", place, bare
        super().__init__(text)


def bases_of(error: BaseException) -> list[str]:
    """The names of the error's classes, the own one first."""
    return [kind.__name__ for kind in type(error).__mro__]


def error_class(names: list[str]) -> type[Exception]:
    """The first of these errors that is Python's own; one with the first name, where that is not."""
    own = (getattr(builtins, name, None) for name in names)
    base = next((kind for kind in own if isinstance(kind, type) and issubclass(kind, Exception)), RuntimeError)
    if not names or base.__name__ == names[0]:
        return base
    return cast(
        type[Exception], type(names[0], (base,), {"__init__": lambda self, text="": Exception.__init__(self, text)})
    )
