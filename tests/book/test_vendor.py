"""What the book carries with it: filled from npm at once or not at all, and what is said where npm cannot."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLS = """
for source in {sources!r}:
    file = Path("node_modules") / source.replace("*", "any")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
"""
FAILS = "print('npm error code EAI_AGAIN', file=sys.stderr); sys.exit(1)"


@pytest.fixture
def vendor(tmp_path: Path) -> ModuleType:
    """tools/vendor.py in a tree of its own, so that the real one is not written to."""
    for name in ("package.json", "tools/vendor.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "chapters" / "_static").mkdir(parents=True)
    spec = importlib.util.spec_from_file_location("vendor_copy", tmp_path / "tools" / "vendor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: ModuleType):
    """An npm that does this, the only one on the path; without a script there is none."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def write(script: str = "") -> None:
        file = tmp_path / "bin" / "npm"
        log = "Path('asked.json').write_text(json.dumps(sys.argv[1:]))"
        file.write_text(f"#!{sys.executable}\nimport json, sys, time\nfrom pathlib import Path\n{log}\n{script}\n")
        file.chmod(0o755)

    return write


def files(vendor: ModuleType) -> set[str]:
    return {path.relative_to(vendor.VENDOR).as_posix() for path in vendor.VENDOR.rglob("*") if path.is_file()}


def left_over(vendor: ModuleType) -> list[str]:
    return [path.name for path in vendor.VENDOR.parent.iterdir() if path.name != "vendor"]


def test_it_is_filled_once_and_again_when_the_pins_change(vendor, npm):
    npm(INSTALLS.format(sources=list(vendor.COPIES)))
    assert vendor.vendor() == "chapters/_static/vendor is filled from npm"
    assert {"mathjax/startup.js", "fonts/source-sans-3-latin-wght-normal.woff2", "pins.json"} <= files(vendor)
    npm(FAILS)
    assert vendor.vendor() == "chapters/_static/vendor is up to date"
    (vendor.ROOT / "package.json").write_text('{"dependencies": {"mathjax": "9.9.9"}}')
    npm(INSTALLS.format(sources=list(vendor.COPIES)))
    (vendor.VENDOR / "old.js").write_text("of the old version")
    assert vendor.vendor() == "chapters/_static/vendor is filled from npm"
    assert "old.js" not in files(vendor)
    assert left_over(vendor) == []


@pytest.mark.parametrize(
    ("script", "amiss"),
    [
        (None, "npm was not found"),
        (FAILS, "npm could not fetch the packages (EAI_AGAIN)"),
        ("sys.exit(7)", "npm could not fetch the packages (exit status 7)"),
        ("time.sleep(60)", "npm was stopped after 1 seconds"),
    ],
)
def test_without_the_packages_one_line_says_so_and_nothing_is_left_half_filled(vendor, npm, monkeypatch, script, amiss):
    monkeypatch.setattr(vendor, "LONGEST", 1)
    if script is not None:
        npm(script)
    assert vendor.vendor() == f"{amiss}: the book takes its maths from a CDN, and needs the network to be read"
    assert not vendor.VENDOR.exists()
    assert vendor.sphinx_settings(vendor.VENDOR.parent)["mathjax_path"].startswith(
        "https://cdn.jsdelivr.net/npm/mathjax@"
    )
    npm(INSTALLS.format(sources=list(vendor.COPIES)))
    monkeypatch.setattr(vendor, "LONGEST", 60)
    vendor.vendor()
    (vendor.ROOT / "package.json").write_text('{"dependencies": {"mathjax": "9.9.9"}}')
    before = files(vendor)
    (vendor.ROOT / "bin" / "npm").unlink()
    monkeypatch.setattr(vendor, "LONGEST", 1)
    if script is not None:
        npm(script)
    assert vendor.vendor().startswith(f"{amiss}: chapters/_static/vendor is kept as it was, with other versions")
    assert files(vendor) == before
    assert vendor.sphinx_settings(vendor.VENDOR.parent)["mathjax_path"] == "vendor/mathjax/startup.js"


def test_a_package_without_its_file_is_named_and_the_old_folder_stays(vendor, npm):
    npm(INSTALLS.format(sources=list(vendor.COPIES)))
    vendor.vendor()
    (vendor.VENDOR / "pins.json").write_text("of older pins")
    shutil.rmtree(vendor.ROOT / "node_modules")
    npm(INSTALLS.format(sources=list(vendor.COPIES)[:-1]))
    with pytest.raises(FileNotFoundError, match="node_modules/@fontsource-variable/source-code-pro/.*: got no file"):
        vendor.vendor()
    assert (vendor.VENDOR / "pins.json").read_text() == "of older pins"
    assert left_over(vendor) == []


def test_npm_is_not_left_to_its_own_patience(vendor, npm):
    npm(FAILS)
    vendor.vendor()
    asked = json.loads((vendor.ROOT / "asked.json").read_text())
    assert asked[0] == "ci"
    options = dict(option.removeprefix("--").split("=") for option in asked if "=" in option)
    tries = 1 + int(options["fetch-retries"])
    assert tries * int(options["fetch-timeout"]) + int(options["fetch-retry-maxtimeout"]) <= 30_000
    assert "--prefer-offline" in asked
