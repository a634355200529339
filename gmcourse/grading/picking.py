"""The answer to an exercise, found among a student's statements and run with what it needs, and with nothing else."""

import ast
import linecache
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gmcourse.grading.statements import Statement, is_stub, statements

IGNORED = frozenset({"check", "hint", "solution", "get_ipython"})


@dataclass(frozen=True)
class Answer:
    """Where the answer is: the statement that sets `name`, or an expression that was handed to `check`."""

    statement: Statement
    name: str = ""
    expression: ast.expr | None = None


class Notebook:
    """A student's cells, (source, exercise or ""), read once; `answer` runs what one exercise needs."""

    def __init__(self, cells: Sequence[tuple[str, str]]):
        self.cells = cells
        self.all, self.amiss = statements(cells)

    def answer(self, id: str, name: str) -> Any:
        """The answer to exercise `id`, whose stub sets `name`: `...` where there is none.

        Raises SyntaxError where its cell cannot be read, and whatever the statements raise.
        """
        if (found := self.find(id, name)) is None:
            self._require_readable(id, name)
            return ...
        space: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown, **named: None}
        for statement in self.needed(found):
            _run(ast.Module([statement.node], []), self.cells[statement.cell][0], statement.cell, space)
        if found.expression is not None:
            expression = ast.Expression(found.expression)
            return eval(compile(expression, "<check>", "eval"), space)
        return space[found.name]

    def find(self, id: str, name: str) -> Answer | None:
        """The last answer that is no stub: in the exercise's own cell, as handed to its check, by its name."""
        stubs = []
        for group in (self._own(id, name), self._checked(id), self._named(id, name), self._renamed(id)):
            for answer in reversed(group):
                if answer.expression is not None or not (
                    is_stub(answer.statement.node) or _is_import(answer.statement.node)
                ):
                    return answer
                stubs.append(answer)
        return stubs[0] if stubs else None

    def _own(self, id: str, name: str) -> list[Answer]:
        return [Answer(s, name) for s in self.all if s.exercise == id and name in s.sets]

    def _named(self, id: str, name: str) -> list[Answer]:
        return [Answer(s, name) for s in self.all if s.exercise in ("", id) and name in s.sets] or [
            Answer(s, name) for s in self.all if name in s.sets and not self._claimed(s, name)
        ]

    def _claimed(self, statement: Statement, name: str) -> bool:
        """Whether a cell of another exercise sets this name as its own answer: it is then no stray one."""
        return any(s.exercise == statement.exercise and is_stub(s.node) and name in s.sets for s in self.all)

    def _renamed(self, id: str) -> list[Answer]:
        """A function under another name in the exercise's own cell."""
        own = [s for s in self.all if s.exercise == id]
        return [Answer(s, s.node.name) for s in own if isinstance(s.node, ast.FunctionDef)]

    def _checked(self, id: str) -> list[Answer]:
        """What `check(id, …)` was handed: the last definition of the name before the call, or the expression."""
        found = []
        for statement in self.all:
            for handed in _handed(statement.node, id):
                if isinstance(handed, ast.Name):
                    before = [s for s in self.all if handed.id in s.sets and s.place < statement.place]
                    own = [s for s in before if s.exercise in ("", id)]
                    found += [Answer(s, handed.id) for s in (own or before)]
                elif not (isinstance(handed, ast.Constant) and handed.value is ...):
                    found.append(Answer(statement, expression=handed))
        return found

    def needed(self, answer: Answer) -> list[Statement]:
        """The statements that an answer needs, itself included, in the order in which they can run."""
        first = answer.statement
        wanted = {first} if answer.expression is None else set()
        waiting = [(first, _reads(answer))]
        needs: dict[Statement, list[Statement]] = {}
        while waiting:
            statement, names = waiting.pop()
            needs[statement] = []
            for name in sorted(names - IGNORED):
                before, later = setters(self.all, name, statement, answer.name)
                needs[statement] += [] if before else later
                for found in before or later:
                    if found not in wanted:
                        wanted.add(found)
                        waiting.append((found, found.reads | (found.changes & found.reads)))
        ordered: list[Statement] = []
        for statement in sorted(wanted, key=lambda s: s.place):
            _put(statement, needs, wanted, ordered, set())
        return ordered

    def _require_readable(self, id: str, name: str) -> None:
        for cell, said in self.amiss.items():
            source, exercise = self.cells[cell]
            if exercise == id or f"def {name}" in source or f"{name} =" in source:
                raise SyntaxError(said.removeprefix("SyntaxError: "))


def _reads(answer: Answer) -> frozenset[str]:
    if answer.expression is None:
        return answer.statement.reads
    return frozenset(n.id for n in ast.walk(answer.expression) if isinstance(n, ast.Name))


def setters(
    all: Sequence[Statement], name: str, reader: Statement, answer: str
) -> tuple[list[Statement], list[Statement]]:
    """Statements that set or change `name`, before the reader and after it; none for the answer's own name within."""
    inside = isinstance(reader.node, (ast.FunctionDef, ast.ClassDef))
    if name == answer and inside:
        return [], []
    imported = any(_is_import(s.node) and name in s.sets for s in all)
    both = [s for s in all if s is not reader and (name in s.sets or (name in s.changes and not imported))]
    if name == answer:
        both = [s for s in both if not is_stub(s.node)]
    before = [s for s in both if s.place < reader.place]
    if inside and both and not imported:
        return (both, []) if any(name in s.sets for s in before) else ([], both)
    return (before, []) if any(name in s.sets for s in before) else ([], both)


def _put(
    statement: Statement,
    needs: dict[Statement, list[Statement]],
    wanted: set[Statement],
    ordered: list[Statement],
    above: set[Statement],
) -> None:
    """Append a statement after those that it needs and that stand below it."""
    if statement in ordered or statement in above or len(above) > 200:
        return
    for need in needs.get(statement, []):
        if need in wanted:
            _put(need, needs, wanted, ordered, above | {statement})
    ordered.append(statement)


def _run(module: ast.Module, source: str, cell: int, space: dict[str, Any]) -> None:
    """Run one statement; its lines can be told afterwards."""
    name = f"<cell {cell + 1}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(module, name, "exec"), space)


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _handed(statement: ast.stmt, id: str) -> list[ast.expr]:
    """What the calls `check(id, …)` in a statement hand over."""
    calls = [part for part in ast.walk(statement) if isinstance(part, ast.Call) and len(part.args) >= 2]
    return [call.args[1] for call in calls if _is_check(call, id)]


def _is_check(call: ast.Call, id: str) -> bool:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0]
    return called == "check" and isinstance(first, ast.Constant) and first.value == id
