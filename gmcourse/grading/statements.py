"""The statements of a student's cells, and what each defines and uses. It reads code and runs none."""

import ast
import dis
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

MOST_LINES = 5_000
NOW, DROPPED = (
    ("%%time", "%%timeit", "%%capture", "%%prun"),
    re.compile(r"^\s*(%|!|\?)|\?{1,2}\s*$|^\s*[\w, ]+=\s*[%!]"),
)
GOES_ON = re.compile(r"(else|elif|except|finally)\b|[)\]}]")


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement at the top of a cell: its place in the notebook, the cell's exercise, the names it sets and reads."""

    node: ast.stmt
    place: int
    cell: int
    exercise: str
    sets: frozenset[str]
    changes: frozenset[str]
    reads: frozenset[str]


def statements(cells: Sequence[tuple[str, str]]) -> tuple[list[Statement], dict[int, str]]:
    """Those of cells (source, exercise or "") in order; and what Python says of a cell that it cannot read whole."""
    found: list[Statement] = []
    amiss: dict[int, str] = {}
    for cell, (source, exercise) in enumerate(cells):
        nodes, error = _read(source)
        amiss |= {cell: error} if error else {}
        for node in nodes:
            try:
                found.append(_statement(node, len(found), cell, exercise))
            except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:
                amiss[cell] = f"{type(wrong).__name__}: {wrong}"
    return found, amiss


def is_stub(node: ast.stmt) -> bool:
    """Whether a definition is the lesson's own, with nothing put in: `...`, or a body that only raises."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return all(_says_nothing(part) for part in node.body)
    value = getattr(node, "value", None)
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and (value is None or _is_dots(value))


def _says_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        name = node.exc.func if isinstance(node.exc, ast.Call) and not node.exc.args else node.exc
        return isinstance(name, ast.Name) and name.id == "NotImplementedError"
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _read(source: str) -> tuple[list[ast.stmt], str]:
    """The statements of a cell; those that can be read, where it cannot be read whole, and what is wrong with it."""
    if (error := _parsed(source)[1]) == "":
        return _parsed(source)
    lines = source.splitlines()
    if lines and lines[0].startswith("%%"):
        lines = lines[1:] if lines[0].startswith(NOW) else []
    lines = ["" if DROPPED.search(line) and not line.startswith((" ", "\t")) else line for line in lines[:MOST_LINES]]
    lines = [re.sub(r"^(\s+)[!%].*", r"\1pass", line) for line in lines]
    nodes, said = _parsed("\n".join(lines))
    if not said:
        return nodes, ""
    return [node for part in _chunks(lines) for node in _parsed(part)[0]], said or error


def _parsed(source: str) -> tuple[list[ast.stmt], str]:
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(source).body, ""
    except SyntaxError as error:
        return [], f"SyntaxError: {error.msg} (line {error.lineno} of its cell)"
    except (ValueError, RecursionError, MemoryError) as error:
        return [], f"{type(error).__name__}: {error}"


def _chunks(lines: list[str]) -> Iterator[str]:
    """Runs of lines, each from one line at the margin to the next that Python can read with it."""
    starts = [k for k, line in enumerate(lines) if line[:1].strip() and not line.startswith("#")]
    starts = [k for k in starts if not GOES_ON.match(lines[k])] + [len(lines)]
    at = 0
    while at < len(starts) - 1:
        ends = range(at + 1, min(at + 40, len(starts)))
        end = next((e for e in ends if not _parsed("\n".join(lines[starts[at] : starts[e]]))[1]), None)
        if end is not None:
            yield "\n".join(lines[starts[at] : starts[end]])
        at = at + 1 if end is None else end


def _statement(node: ast.stmt, place: int, cell: int, exercise: str) -> Statement:
    with warnings.catch_warnings(action="ignore"):
        code = compile(ast.Module([node], []), "<answer>", "exec")
    sets = {i.argval for i in dis.get_instructions(code) if i.opname in ("STORE_NAME", "STORE_GLOBAL")}
    parts = frozenset(sets), frozenset(_changed(node)), frozenset(_read_names(code))
    return Statement(node, place, cell, exercise, *parts)


def _read_names(code: CodeType) -> set[str]:
    """The names of the notebook that code may read, in the functions inside it too."""
    found = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
    return found.union(*(_read_names(part) for part in code.co_consts if isinstance(part, CodeType)))


def _changed(node: ast.stmt) -> Iterable[str]:
    """The names whose values a statement changes in place: `d[0] = 1`, `xs.append(1)`."""
    for part in ast.walk(node) if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) else ():
        target = part.func if isinstance(part, ast.Call) else part
        stored = isinstance(getattr(part, "ctx", None), ast.Store)
        if isinstance(target, (ast.Attribute, ast.Subscript)) and (stored or isinstance(part, ast.Call)):
            root = target
            while isinstance(root, (ast.Attribute, ast.Subscript)):
                root = root.value
            if isinstance(root, ast.Name):
                yield root.id
