"""The API reference: what of a package is listed, and that a docstring is shown as it is written."""

import re
import sys

from book import api as extension


def test_the_api_page_lists_the_modules_of_packages_in_packages(tmp_path, monkeypatch):
    files = ("__init__", "shared", "records", "flows/__init__", "flows/spline", "flows/deep/__init__", "flows/deep/ode")
    for name in files:
        path = tmp_path / "house_of_laws" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    found = extension.directives("house_of_laws.*")
    names = ["house_of_laws.flows.deep.ode", "house_of_laws.flows.spline", "house_of_laws.shared"]
    assert re.findall(r"### `(.*)`", found) == re.findall(r"automodule:: (.*)", found) == names


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
