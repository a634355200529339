"""The API reference: every module on one page, docstrings as they are written, no reference to nowhere."""

import io
import re
import sys
from collections import Counter
from html import unescape
from pathlib import Path
from pkgutil import walk_packages
from types import SimpleNamespace

import pytest
import yaml
from book import api as extension
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

import gmcourse
from gmcourse import show
from gmcourse.protocols import Density
from gmcourse.training import Player

ROOT = Path(__file__).resolve().parents[2]
BOOK = yaml.safe_load((ROOT / "book.yml").read_text("utf-8"))
PAGES = {path.stem: path.read_text("utf-8") for path in (ROOT / "chapters" / "api").glob("*.md")}
CONFIGURED = {
    "extensions": ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "book.api", "book.source"],
    **{key: value for key, value in BOOK["sphinx"].items() if key.startswith(("nitpick", "autodoc_", "python_"))},
}
PAGE = """# A page

<!-- api: gmcourse.metrics.coverage -->

<!-- api: gmcourse.gan.gan -->

<!-- api package: gmcourse.metrics -->
"""


def built(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A book of one page, built as ours is: its HTML, and what Sphinx warns of."""
    monkeypatch.setattr("gmcourse.metrics.__all__", ["modes"])
    (folder / "index.md").write_text(text, "utf-8")
    warnings = io.StringIO()
    out = folder / "_build"
    with patch_docutils(), docutils_namespace():
        app = Sphinx(folder, None, out, out / "doctrees", "html", CONFIGURED, status=None, warning=warnings)
        app.build()
    return (out / "index.html").read_text("utf-8"), warnings.getvalue()


def unlisted(modules: list[str], documented: list[str]) -> set[str]:
    """Modules that no page documents: neither they nor a package above them, whose page tells what it offers."""
    above = {
        module: [".".join(module.split(".")[: end + 1]) for end in range(module.count(".") + 1)] for module in modules
    }
    return {module for module in modules if not set(above[module]) & set(documented)}


def public_modules() -> list[str]:
    """Every module of the package with something of its own: no records, no package that only joins its modules."""
    found = [module for module in walk_packages(gmcourse.__path__, "gmcourse.") if not module.name.endswith("__main__")]
    return [module.name for module in found if not module.ispkg and not module.name.endswith(".records")]


def test_every_module_is_on_exactly_one_page():
    documented = [name for text in PAGES.values() for name in extension.documented(text)]
    assert [name for name, count in Counter(documented).items() if count > 1] == []
    assert unlisted(public_modules(), documented) == set()


def test_a_module_that_no_page_documents_is_found():
    modules = ["house.flows.coupling", "house.data.toys", "house.laws"]
    assert unlisted(modules, ["house.data", "house.flows"]) == {"house.laws"}
    assert unlisted(modules, ["house.data", "house.flows.coupling", "house.laws"]) == set()


def test_every_page_is_in_the_overview_and_in_the_contents():
    (below,) = [next(iter(entry.values())) for entry in BOOK["reference"] if isinstance(entry, dict)]
    shown = re.findall(r"<!-- api page: (\S+) -->", PAGES["index"])
    assert [f"api/{name}" for name in shown] == below
    assert sorted(shown) == sorted(PAGES.keys() - {"index"})


def test_the_overview_has_a_line_on_each_module_of_a_page():
    said = extension.listing(ROOT / "chapters" / "api" / "metrics.md")
    assert said.startswith("### [Measuring](metrics.md)\n")
    assert "- {py:mod}`gmcourse.metrics.coverage`: Which modes of a mixture a sampler finds.\n" in said
    assert extension.first_line("gmcourse.vae.gradients").endswith(r"∇\_μ E\_{z ~ N(μ, σ²)} f(z), one row a noise.")


def test_the_modules_of_packages_in_packages_are_documented(tmp_path, monkeypatch):
    files = ("__init__", "shared", "records", "flows/__init__", "flows/spline", "flows/deep/__init__", "flows/deep/ode")
    for name in files:
        path = tmp_path / "house_of_laws" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    found = extension.directives("house_of_laws.*")
    names = ["house_of_laws.flows.deep.ode", "house_of_laws.flows.spline", "house_of_laws.shared"]
    assert re.findall(r"## `(.*)`", found) == re.findall(r"automodule:: (.*)", found) == names


def test_a_package_that_imports_when_asked_is_listed_whole(tmp_path, monkeypatch):
    (tmp_path / "house_of_show").mkdir()
    lazy = "__all__ = ['sqrt']\n\ndef __getattr__(name):\n    import math\n    return getattr(math, name)\n"
    (tmp_path / "house_of_show" / "__init__.py").write_text(lazy)
    monkeypatch.syspath_prepend(tmp_path)
    assert ":imported-members:" in extension.directives("house_of_show")
    assert "sqrt" in dir(sys.modules["house_of_show"])


def test_a_docstring_is_shown_as_it_is_written():
    lines = ["One line, `code` and x_1*2.", "", "    a = f(*x)", "    b = a_1", "", "Equation: vae-elbo."]
    extension.plain_text(None, "module", "m", None, None, lines)
    assert lines[:1] == [r"One line, ``code`` and x\_1\*2."]
    assert lines[2:6] == [".. code-block:: python", "", "    a = f(*x)", "    b = a_1"]
    assert lines[7:] == ["Equation :eq:`vae-elbo`."]


def test_a_class_shows_what_it_is_built_with():
    def shown(cls):
        return extension.own_signature(None, "class", cls.__name__, cls, None, "(*args, **kwargs)", None)

    assert shown(Density) == ("", None)
    assert shown(type("Noise", (Density,), {})) == ("()", None)
    assert shown(show.LatentMap)[0].startswith(
        "(decoder: ~torch.nn.modules.container.Sequential, points: ~torch.Tensor"
    )
    assert shown(Path) is None


def test_the_fields_of_a_named_tuple_are_told_by_its_signature():
    assert extension.skip_fields(None, "attribute", "loss", Player.loss, False, None) is True
    assert extension.skip_fields(None, "method", "replace", Player._replace, False, None) is None


def test_the_command_line_tells_each_command_and_argument():
    said = extension.command_help()
    assert "## `gmcourse train MODEL`\n\nTrain a model" in said
    assert "`--batch-size`\n: examples a step\n" in said
    assert "`--data DATA`\n: a data set, `gmcourse data` lists them; or your own .csv" in said
    assert "`--out`\n: a .png (of images, or of points of the plane), a .txt (of texts) or an .npy" in said
    assert "by default samples.png where they make a picture" in said


def test_a_page_is_built_without_a_warning_and_with_its_source(tmp_path, monkeypatch):
    text = PAGE + "\n{py:func}`gmcourse.metrics.modes` and {py:func}`gmcourse.metrics.coverage.modes`\n"
    html, warnings = built(tmp_path, text, monkeypatch)
    assert warnings == ""
    assert html.count('href="#gmcourse.metrics.coverage.modes"') >= 3  # both roles, and what the package offers
    assert 'href="_modules/gmcourse/metrics/coverage.html#modes"' in html
    assert re.search(r'<dt class="[^"]*gm-long[^"]*" id="gmcourse.gan.gan.GAN"', html)
    assert not re.search(r"<dl[^>]*>\s*<dd", html)
    assert re.search(r'class="[^"]*gm-long[^"]*" id="gmcourse.metrics.coverage.Modes"', html) is None


def test_the_source_is_shown_line_by_line(tmp_path, monkeypatch):
    built(tmp_path, PAGE, monkeypatch)
    html = (tmp_path / "_build" / "_modules" / "gmcourse" / "metrics" / "coverage.html").read_text("utf-8")
    code = re.search(r"<pre>(.*?)</pre>", html, re.S)[1].replace("[docs]</a>", "</a>").replace("  <a", "<a")
    lines = re.sub(r"<.*?>", "", re.sub(r"(</div>)+", "\n", code))
    assert unescape(lines).strip() == (ROOT / "gmcourse" / "metrics" / "coverage.py").read_text("utf-8").strip()


@pytest.mark.parametrize(
    "role", ["{py:func}`gmcourse.metrics.mode`", "{py:class}`gmcourse.gan.GANN`", "{py:mod}`gmcourse.gun`"]
)
def test_a_reference_to_nowhere_is_a_warning(role, tmp_path, monkeypatch):
    _, warnings = built(tmp_path, f"{PAGE}\n{role}\n", monkeypatch)
    assert "reference target not found" in warnings


def test_types_that_have_no_page_are_named_by_their_package():
    patterns = [pattern for _, pattern in BOOK["sphinx"]["nitpick_ignore_regex"]]
    assert not any(re.fullmatch(pattern, "gmcourse.gan.gan.GAN") for pattern in patterns)
    assert {kind for kind, _ in BOOK["sphinx"]["nitpick_ignore_regex"]} == {"py:class"}


def test_the_contents_beside_a_page_name_modules_by_their_last_part():
    from docutils import nodes

    contents = nodes.bullet_list("", nodes.literal("", "gmcourse.flows.coupling"), nodes.literal("", "gmcourse train"))
    env = SimpleNamespace(docname="api/flows", tocs={"api/flows": contents})
    extension.short_contents(SimpleNamespace(env=env), None)
    assert [literal.astext() for literal in contents] == ["coupling", "gmcourse train"]
