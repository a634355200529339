"""How the house is built: imports flow one way, modules stay small, no file names a machine; checks shown to fail."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gmcourse.protocols import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gmcourse"
ORDER = [
    *["protocols", "probability", "nets", "schedules", "record", "data", *FAMILIES, "catalogue"],
    *[
        "checkpoint",
        "training",
        "runs",
        "metrics",
        "family_tree",
        "laws",
        "comparison",
        "show",
        "exercises",
        "lab",
        "grading",
        "cli",
        "__main__",
    ],
]
LAWS_MAY_IMPORT = {"laws", "protocols"}  # an oracle shares no code with what it checks
BETWEEN_FAMILIES = {  # (from, to)
    ("scores", "flows"),  # a probability flow is a continuous flow, and is solved as one
    ("vae", "autoregressive"),  # the prior of a VQ-VAE's codes is a model of rows of codes
}
ONLY_IN = {"ipywidgets": {"show"}, "anywidget": {"show"}, "IPython": {"show", "exercises"}}
NOT_AT_IMPORT = ("sklearn", "scipy.stats")
NEVER = ("torchvision", "torchaudio")
SUFFIXES = {
    ".py",
    ".md",
    ".ipynb",
    ".toml",
    ".yml",
    ".yaml",
    ".json",
    ".cfg",
    ".lock",
    ".js",
    ".css",
    ".cff",
    ".bib",
    "",
}


def imports(path: Path, package: Path):
    """(dotted name, whether it is imported with the module itself) of everything that a module of `package` imports."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        id(child)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.walk(function)
    }
    here = [package.name, *path.relative_to(package).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(here[: len(here) - node.level + 1]) if node.level else ""
            origin = ".".join(filter(None, [start, node.module]))
            yield from ((f"{origin}.{alias.name}", id(node) not in inside) for alias in node.names)


def rooms(package: Path):
    """(path, the room it stands in) of every module: gmcourse/vae/gaussian.py stands in "vae"."""
    for path in sorted(package.rglob("*.py")):
        yield path, path.relative_to(package).with_suffix("").parts[0]


def within(name: str, library: str) -> bool:
    return name == library or name.startswith(library + ".")


# The checks: each takes a folder and returns what is amiss, in words


def imports_amiss(package: Path) -> list[str]:
    """Imports from the right, between families, or of a library outside the room that it belongs to."""
    wrong = []
    for path, room in rooms(package):
        name = path.relative_to(package).as_posix()
        if name == "__init__.py":
            wrong += [f"{name} imports {imported}" for imported, _ in imports(path, package)]
            continue
        if room not in ORDER:
            wrong.append(f"{name} stands in no known room")
            continue
        for imported, at_import in imports(path, package):
            other = imported.split(".")[1] if within(imported, package.name) and "." in imported else room
            if other in ORDER and ORDER.index(other) > ORDER.index(room):
                wrong.append(f"{name} imports {imported}, which stands to its right")
            elif room == "laws" and other not in LAWS_MAY_IMPORT:
                wrong.append(f"{name} imports {imported}: a law shares no code with what it checks")
            if {room, other} <= set(FAMILIES) and room != other and (room, other) not in BETWEEN_FAMILIES:
                wrong.append(f"{name} imports {imported}: a family imports no other")
            wrong += [f"{name} imports {imported}" for library in NEVER if within(imported, library)]
            wrong += [
                f"{name} imports {imported}, which belongs in {sorted(homes)} alone"
                for library, homes in ONLY_IN.items()
                if within(imported, library) and room not in homes
            ]
            if at_import and any(within(imported, library) for library in NOT_AT_IMPORT):
                wrong.append(f"{name} imports {imported} outside the function that needs it")
            if imported.endswith(".*"):
                wrong.append(f"{name} has a star import of {imported[:-2]}")
    return wrong


def lines_of(node) -> int:
    """The lines of a function's or class's body without docstrings, its own and those inside it."""
    holders = [n for n in ast.walk(node) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    documented = [n.body[0] for n in holders if ast.get_docstring(n) is not None]
    return node.end_lineno - node.body[0].lineno + 1 - sum(d.end_lineno - d.lineno + 1 for d in documented)


def sizes_amiss(package: Path) -> list[str]:
    """Modules over 400 lines, classes over 80, functions over 30 (docstrings not counted), scripts over 250."""
    wrong = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text("utf-8")
        name = path.relative_to(package).as_posix()
        if (length := len(text.splitlines())) > 400:
            wrong.append(f"{name}: {length} lines, at most 400")
        for node in ast.walk(ast.parse(text)):
            limit = {ast.ClassDef: 80, ast.FunctionDef: 30, ast.AsyncFunctionDef: 30}.get(type(node))
            if limit and (length := lines_of(node)) > limit:
                wrong.append(f"{name}:{node.lineno} {node.name}: {length} lines without docstrings, at most {limit}")
    scripts = {path: len(path.read_text("utf-8").splitlines()) for path in sorted(package.rglob("*.js"))}
    return wrong + [f"{path.name}: {length} lines, at most 250" for path, length in scripts.items() if length > 250]


def swallowed(folder: Path, names: list[str]) -> list[str]:
    """Exceptions that are caught and nothing done."""
    found = []
    for name in (name for name in names if name.endswith(".py")):
        for node in ast.walk(ast.parse((folder / name).read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler) and all(isinstance(line, ast.Pass) for line in node.body):
                found.append(f"{name}:{node.lineno}: an exception is swallowed")
    return found


def machine_paths(folder: Path, names: list[str]) -> list[str]:
    """Paths of one machine, or out of the project, in files that everyone gets (notebooks: see test_chapters)."""
    path = re.compile(r"(?<![\w.:/~-])/(?:home|Users|root|tmp|work|private)/\w|[A-Z]:\\+Users|\.\./shared|file:///\w")
    found = []
    for name in names:
        if Path(name).suffix in SUFFIXES - {".ipynb"}:
            lines = (folder / name).read_text("utf-8").splitlines()
            found += [
                f"{name}:{number}: {line.strip()[:100]}" for number, line in enumerate(lines, 1) if path.search(line)
            ]
    return found


def tracked(folder: Path) -> list[str]:
    """The files that git holds."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name and (folder / name).is_file()]


# The house passes them


def test_imports_flow_one_way():
    assert not (wrong := imports_amiss(PACKAGE)), "\n".join(wrong)


def test_modules_functions_and_classes_stay_small():
    assert not (wrong := sizes_amiss(PACKAGE)), "\n".join(wrong)


def test_no_exception_is_swallowed():
    assert not (wrong := swallowed(ROOT, tracked(ROOT))), "\n".join(wrong)


def test_no_file_names_a_machine():
    assert not (wrong := machine_paths(ROOT, tracked(ROOT))), "\n".join(wrong)


@pytest.mark.parametrize("library", NEVER)
def test_a_library_that_breaks_a_cpu_torch_is_absent(library):
    assert importlib.util.find_spec(library) is None


def test_importing_the_catalogue_is_light():
    code = "import sys, gmcourse, gmcourse.catalogue; print(*sys.modules, sep='\\n')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stdout.split())
    assert "gmcourse.catalogue" in loaded
    assert not loaded & {"IPython", "ipywidgets", "anywidget", "sklearn", "scipy.stats"}


def test_the_lock_holds_everywhere():
    lock = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    assert not [line for line in lock if "+cpu" in line or re.match("nvidia|cuda|torchvision|torchaudio|-", line)]
    assert not [line for line in lock if not re.match(r"[a-z0-9-]+==[\w.]+( ; .+)?$", line)]
    ruff = next(line.removeprefix("ruff==") for line in lock if line.startswith("ruff=="))
    assert f'"ruff=={ruff}"' in (ROOT / ".pre-commit-config.yaml").read_text("utf-8")


# Each check can fail


def house(folder: Path, **modules: str) -> Path:
    """A package `gmcourse` under `folder`: vae__gaussian="..." writes gmcourse/vae/gaussian.py."""
    for name, text in {"__init__": '__version__ = "0"\n', **modules}.items():
        path = folder / "gmcourse" / ("__init__" if name == "__init__" else name.replace("__", "/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text, encoding="utf-8")
    return folder / "gmcourse"


def test_a_right_house_passes(tmp_path):
    package = house(
        tmp_path,
        probability="import math\nimport torch\nimport scipy.special\n",
        vae__gaussian="from .. import probability\nfrom ..nets import mlp\nfrom .likelihoods import Bernoulli\n",
        data__tables="def load():\n    from sklearn.datasets import load_wine\n    return load_wine\n",
        show__explore="import ipywidgets\nfrom gmcourse.catalogue import CATALOGUE\n",
        laws__vae__bound="from gmcourse.laws.broken import LawBroken\nfrom gmcourse.protocols import Density\n",
        exercises__verdict="from IPython.display import display\nimport gmcourse\n",
    )
    assert imports_amiss(package) == sizes_amiss(package) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("probability", "from gmcourse.training import fit"),
        ("nets", "import gmcourse.vae.gaussian"),
        ("data__toys", "from ..laws import mass"),
        ("vae__gaussian", "from .. import catalogue"),
        ("vae__gaussian", "def f():\n    from ..training import fit"),
        ("training", "from .metrics import nll"),
        ("gan__codes", "from ..autoregressive import transformer"),
        ("scores__ddpm", "from gmcourse.vae.gaussian import GaussianVAE"),
        ("utils", "import torch"),
        ("vae__gaussian", "from torch.nn import *"),
        ("data__images", "import torchvision.datasets"),
        ("data__images", "def load():\n    from torchaudio import load"),
        ("metrics__likelihood", "from ipywidgets import IntSlider"),
        ("laws__mass", "def show():\n    import anywidget"),
        ("laws__flows__coupling", "from gmcourse.flows.coupling import Coupling"),
        ("laws__flows__coupling", "def law(candidate):\n    from ...nets import MADE"),
        ("laws__vae__bound", "from gmcourse.probability import gaussian_kl"),
        ("training", "from IPython import get_ipython"),
        ("exercises__verdict", "import ipywidgets"),
        ("data__tables", "from sklearn import datasets"),
        ("metrics__likelihood", "from scipy import stats"),
        ("data__tables", "class Tables:\n    import scipy.stats"),
        ("__init__", "from .catalogue import CATALOGUE"),
    ],
)
def test_a_wrong_import_is_seen(module, text, tmp_path):
    assert len(imports_amiss(house(tmp_path, **{module: text}))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n" * 401,
        "def f():\n" + "    x = 1\n" * 31,
        "class C:\n" + "    x = 1\n" * 81,
        "class C:\n    def f(self):\n" + "        x = 1\n" * 31,
    ],
)
def test_what_is_too_long_is_seen(text, tmp_path):
    assert len(sizes_amiss(house(tmp_path, nets=text))) == 1
    assert sizes_amiss(house(tmp_path, nets="\n".join(text.splitlines()[:-1]))) == []


def test_docstrings_do_not_count_and_scripts_do(tmp_path):
    package = house(tmp_path, nets='def f():\n    """One.\n' + "\n" * 60 + '    """\n    return 1\n')
    assert sizes_amiss(package) == []
    (package / "mlp.js").write_text("1;\n" * 251)
    assert len(sizes_amiss(package)) == 1


def test_a_swallowed_exception_and_a_path_of_the_machine_are_seen(tmp_path):
    (tmp_path / "a.py").write_text("try:\n    x = 1\nexcept ValueError:\n    pass\n")
    (tmp_path / "b.py").write_text("try:\n    x = 1\nexcept ValueError:\n    x = 2\n")
    assert swallowed(tmp_path, ["a.py", "b.py"]) == ["a.py:3: an exception is swallowed"]
    for line in ("/" + "home/me/data", "C:" + "\\Users\\me", ".." + "/shared/data", "see '/" + "tmp/x.csv'"):
        (tmp_path / "page.md").write_text(f"Fine.\nFrom {line}\n")
        assert len(machine_paths(tmp_path, ["page.md"])) == 1
    (tmp_path / "page.md").write_text("https://example.org/home/me, ../03_autoencoders/01_bottleneck.md, ~/home/x\n")
    assert machine_paths(tmp_path, ["page.md"]) == []
