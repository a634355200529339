"""The book's configuration: conf.py reads book.yml, every page is there, and what is carried along is pinned."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from book.contents import contents

from gmcourse.lab.course import read_course

ROOT = Path(__file__).resolve().parents[2]
BOOK = yaml.safe_load((ROOT / "book.yml").read_text("utf-8"))
CHAPTERS = ROOT / "chapters"


def run(path: Path) -> dict:
    """The namespace of a file of `chapters`, executed where it lies."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with the configuration alone, so that the real one is not written to."""
    files = ("book.yml", "package.json", "chapters/conf.py", "tools/vendor.py")
    for name in (*files, *(path.relative_to(ROOT) for path in (ROOT / "tools" / "book").glob("*.py"))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr("sys.path", list(sys.path))
    for module in ("vendor", "book", "book.contents"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return tmp_path


def pages() -> list[str]:
    toc = contents(ROOT, BOOK["reference"])
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    sections = [section["file"] for chapter in chapters for section in chapter.get("sections", [])]
    return [toc["root"], *(chapter["file"] for chapter in chapters), *sections]


@pytest.mark.parametrize("page", pages())
def test_every_page_of_the_contents_exists(page):
    assert any((CHAPTERS / f"{page}{suffix}").exists() for suffix in (".md", ".ipynb"))


@pytest.mark.parametrize("lesson", [lesson for chapter in read_course(ROOT) for lesson in chapter.open_lessons])
def test_the_contents_give_a_lesson_the_title_that_it_has(lesson):
    title = re.search(r"^# (.+)$", (CHAPTERS / f"{lesson.file}.md").read_text("utf-8"), re.M)[1]
    assert title == lesson.title


def test_a_lesson_needs_what_comes_before_it_in_the_course_or_beside_it():
    numbers = [lesson.number for chapter in read_course(ROOT) for lesson in chapter.lessons]
    assert len(set(numbers)) == len(numbers)
    for chapter in read_course(ROOT):
        for lesson in chapter.lessons:
            assert set(lesson.needs) <= set(numbers) - {lesson.number}


def test_every_lesson_is_in_the_contents():
    lessons = {path.relative_to(CHAPTERS).with_suffix("").as_posix() for path in CHAPTERS.glob("[0-9]*/[0-9]*.md")}
    assert lessons <= set(pages())


def test_conf_takes_everything_from_the_book(copy):
    conf = run(copy / "chapters" / "conf.py")
    assert conf["project"] == BOOK["title"]
    assert conf["author"] == BOOK["author"]
    assert conf["nb_execution_mode"] == "off"
    assert yaml.safe_load(Path(conf["external_toc_path"]).read_text("utf-8"))["root"] == "index"
    assert len((CHAPTERS / "conf.py").read_text("utf-8").splitlines()) <= 45


def options_with_address(copy: Path, url: str) -> dict:
    """The theme's options where the course has this address, whatever it has now."""
    book = (copy / "book.yml").read_text("utf-8")
    (copy / "book.yml").write_text(re.sub(r"(?m)^  url: .*$", f'  url: "{url}"', book, count=1), "utf-8")
    return run(copy / "chapters" / "conf.py")["html_theme_options"]


def test_no_button_leads_anywhere_without_an_address(copy):
    assert not {"repository_url", "launch_buttons", "use_source_button"} & set(options_with_address(copy, ""))


def test_the_address_brings_the_buttons(copy):
    options = options_with_address(copy, "https://example.org/someone/course")
    assert options["repository_url"] == "https://example.org/someone/course"
    assert options["launch_buttons"]["colab_url"]
    assert options["path_to_docs"] == "chapters"


def test_npm_packages_are_pinned_and_name_no_registry():
    pins = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    for name, version in pins.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned: {version}"
        assert lock[f"node_modules/{name}"]["version"] == version
    assert not any("resolved" in package for package in lock.values())


def test_without_npm_the_maths_come_from_a_cdn_in_the_pinned_version(copy):
    address = run(copy / "chapters" / "conf.py")["mathjax_path"]
    version = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]["mathjax"]
    assert address == f"https://cdn.jsdelivr.net/npm/mathjax@{version}/startup.js"


def test_a_page_with_explorers_loads_our_own_script_for_them_and_no_other(copy):
    assert run(copy / "chapters" / "conf.py")["nb_ipywidgets_js"] == {"widgets.js": {}}
    assert (CHAPTERS / "_static" / "widgets.js").exists()
