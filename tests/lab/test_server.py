"""The lab as a student meets it: its settings, what a save does to the welcome page, and that git sees nothing."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from traitlets.config import Config

from gmcourse.lab import server
from gmcourse.lab.course import read_course
from gmcourse.lab.files import find_course
from gmcourse.lab.prepare import prepare, require_folder
from gmcourse.lab.welcome import NAME

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = json.loads((ROOT / "jupyter_config/labconfig/default_setting_overrides.json").read_text("utf-8"))


@pytest.fixture
def manager(course, monkeypatch):
    """JupyterLab's own contents manager in the folder of copies, with the hook that the lab is configured with."""
    monkeypatch.setattr(server, "find_course", lambda: course.root)
    prepare(course.root, course.work)
    config = Config(json.loads((ROOT / "jupyter_config/jupyter_server_config.json").read_text("utf-8")))
    return AsyncLargeFileManager(root_dir=str(course.work), config=config)


THREAD = ThreadPoolExecutor(1)  # one for all: the manager's signatures are read by the thread that opened them


def in_a_thread(coroutine):
    """Its result: a browser of another test may have a loop running in this thread."""
    return THREAD.submit(asyncio.run, coroutine).result()


def opened(manager, path):
    return in_a_thread(manager.get(path))


def saved(manager, path, **cells):
    """The student opens a copy, sets the text or outputs of cells by number, and saves."""
    model = opened(manager, path)
    for number, change in cells.items():
        model["content"]["cells"][int(number[1:])].update(change)
    keep = {"type": "notebook", "format": "json", "content": model["content"]}
    return in_a_thread(manager.save(keep, path))


VERDICT = {"output_type": "execute_result", "metadata": {}, "execution_count": 3}
SOLVED = {"outputs": [VERDICT | {"data": {"text/plain": "vae.kl: correct (1 point)."}}]}


def test_a_save_brings_the_welcome_page_up_to_date(course, manager):
    assert "solved 0 of 1 exercises" in (course.work / NAME).read_text("utf-8")
    saved(manager, "04_vae/01_bound.ipynb", c6=SOLVED)
    assert "solved 1 of 1 exercises" in (course.work / NAME).read_text("utf-8")


def test_a_save_elsewhere_writes_no_page(course, manager, tmp_path):
    (course.work / NAME).unlink()
    saved(manager, "04_vae/01_bound.ipynb")
    assert not (course.work / NAME).exists()


def test_a_page_that_cannot_be_written_does_not_stop_a_save(course, manager, monkeypatch, caplog):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(server, "write_welcome", fail)
    manager.log.propagate = True
    model = saved(manager, "04_vae/01_bound.ipynb", c1={"source": "Mine."})
    assert model["type"] == "notebook"
    assert course.copy().cells[1].source == "Mine."
    assert "the disk is full" in caplog.text


def test_the_student_s_work_and_the_course_never_meet_in_git(course, manager):
    """Three lessons opened, one answered, one run, all saved; then new editions are pulled."""

    def git(*command):
        ran = subprocess.run(["git", *command], cwd=course.root, capture_output=True, text=True, check=True)
        return ran.stdout

    shutil.copy(ROOT / ".gitignore", course.root)
    course.publish("# The game", "x = 1", file="05_gan/01_game")
    course.publish("# Video", "x = 2", file="04_vae/03_video")
    prepare(course.root, course.work)
    git("init", "-q")
    git("add", "-A")
    git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "one")
    answer = {"source": "def kl(mean):\n    return mean**2 / 2", "outputs": []}
    saved(manager, "04_vae/01_bound.ipynb", c5=answer, c6=SOLVED)
    saved(manager, "05_gan/01_game.ipynb", c1={"execution_count": 9, "outputs": []})
    saved(manager, "04_vae/03_video.ipynb")
    assert git("status", "--porcelain") == ""
    texts = course.texts()
    course.publish(*texts[:3], "Corrected.", "math.pi", "def kl(mean):\n    raise NotImplementedError", texts[6])
    course.publish("# The game", "x = 1", "New.", file="05_gan/01_game")
    assert prepare(course.root, course.work) == [
        f"Your lessons, in {course.work}: 1 refreshed, 1 kept with your changes (4.1 The bound), 1 up to date",
        "You have solved 1 of 1 exercises in the 3 lessons that are open.",
    ]
    assert course.texts() == [*texts[:3], "Corrected.", "math.pi", answer["source"], texts[6]]
    assert course.texts("05_gan/01_game") == ["# The game", "x = 1", "New."]
    assert "solved 1 of 1" in (course.work / NAME).read_text("utf-8")


def test_what_is_amiss_is_said_in_a_line_each(course):
    course.publish("# The game", file="05_gan/01_game")
    prepare(course.root, course.work)
    course.path().write_text("{", encoding="utf-8")
    for file in (course.root / "chapters/05_gan").iterdir():
        file.unlink()
    first, *rest, last = prepare(course.root, course.work)
    assert first.endswith(": none")
    assert [line.partition(": ")[0] for line in rest] == ["04_vae/01_bound.ipynb", "05_gan/01_game.ipynb"]
    assert "left alone" in rest[0]
    assert "no longer in the course; your copy stays" in rest[1]


@pytest.mark.parametrize("work", [".", "chapters", "chapters/04_vae", "gmcourse", "mine", "book.yml"])
def test_copies_go_where_git_does_not_look(course, work):
    with pytest.raises(ValueError, match=r"work: got .*, expected"):
        require_folder(course.root, course.root / work)
    assert require_folder(course.root, course.root / "work") == course.work
    assert require_folder(course.root, course.root.parent / "mine") == course.root.parent / "mine"


@pytest.mark.parametrize("user, is_root", [(0, True), (1000, False), (None, False)])
def test_root_is_allowed_where_the_user_is_root(monkeypatch, user, is_root):
    monkeypatch.delattr(os, "geteuid", raising=False)
    if user is not None:
        monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    assert ("--allow-root" in server.settings(Path("work"))) is is_root


def test_every_setting_of_the_lab_is_one_that_jupyterlab_has():
    share = Path(sys.prefix) / "share/jupyter"
    for name, values in SETTINGS.items():
        package, _, plugin = name.partition(":")
        places = [share / "lab/schemas" / package, *(share / "labextensions").glob(f"{package}/schemas/{package}")]
        schemas = [place / f"{plugin}.json" for place in places if (place / f"{plugin}.json").is_file()]
        assert schemas, name
        assert values.keys() <= json.loads(schemas[0].read_text("utf-8"))["properties"].keys()


@pytest.fixture
def lab(tmp_path):
    """`gmcourse lab` on the whole course as a process of its own: the address with its token, and its folder."""
    work = tmp_path / "work"
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    options = ["--no-browser", "--work", str(work), "--ServerApp.port_retries=200", "--IdentityProvider.token=t"]
    command = [sys.executable, "-m", "gmcourse", "lab", *options]
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | own, stdout=log, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 120
        while not (found := re.search(r"(http://localhost:\d+)/\S+", (tmp_path / "log").read_text())):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.2)
        yield found[0], found[1], work
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def test_the_lab_starts_on_the_welcome_page_rendered_and_keeps_it_up_to_date(lab):
    page, address, work = lab
    assert page.startswith(f"{address}/lab/workspaces/gmcourse/tree/{NAME}?")

    def ask(path, body=None):
        request = urllib.request.Request(f"{address}/{path}", headers={"Authorization": "token t"})
        if body is not None:
            request.method, request.data = "PUT", json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    viewers = ask("lab/api/settings/@jupyterlab/docmanager-extension:plugin")
    assert viewers["schema"]["properties"]["defaultViewers"]["default"] == {"markdown": "Markdown Preview"}
    listed = {entry["name"] for entry in ask("api/contents")["content"]}
    chapters = [chapter.folder for chapter in read_course(find_course()) if chapter.open_lessons]
    assert listed == {NAME, *chapters}
    lesson = next(iter((work / chapters[0]).glob("*.ipynb")))
    model = ask(f"api/contents/{chapters[0]}/{lesson.name}")
    (work / NAME).write_text("old", encoding="utf-8")
    ask(
        f"api/contents/{chapters[0]}/{lesson.name}", {"type": "notebook", "format": "json", "content": model["content"]}
    )
    assert "You have solved 0 of" in (work / NAME).read_text("utf-8")
