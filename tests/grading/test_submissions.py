"""Whose each file is, what is graded, and a sandbox that does not work: said, and nothing lost."""

import os
import struct
import subprocess

import pytest

from gmcourse.exercises.variants import seed_of
from gmcourse.grading import grading, sandbox, seccomp
from gmcourse.grading.batch import file_name
from gmcourse.grading.submissions import NOTHING, read_names, submissions
from tests.grading.made import KL, RIGHT, code, handed_out, notebook

IDS = tuple(RIGHT)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def hand_in(folder, name, *ids):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(handed_out({id: RIGHT[id] for id in ids or IDS}), "utf-8")


def test_what_is_not_read_is_told(folder):
    hand_in(folder, "ada.ipynb")
    hand_in(folder, "BEN.IPYNB")
    hand_in(folder, " .ipynb")
    (folder / "cleo").mkdir()
    (folder / "essay.pdf").write_bytes(b"%PDF")
    (folder / "grades").mkdir()
    found, told = submissions(folder, skip=folder / "grades")
    assert [submission.student for submission in found] == ["BEN", "ada", "cleo"]
    assert found[2].refused == (NOTHING,)
    assert [line.partition(":")[0] for line in told] == [" .ipynb", "essay.pdf"]


def test_names_of_a_platform_are_mapped_and_who_handed_in_nothing_is_there(folder, tmp_path):
    hand_in(folder, "byronada_4711_88_hw.ipynb")
    hand_in(folder, "Ben Ito_12_assignsubmission_file_/hw.ipynb")
    hand_in(folder, "stray.ipynb")
    table = "file;student\nbyronada_4711_88_hw.ipynb;ada\nBen Ito_12_assignsubmission_file_;ben\nnone.ipynb;cleo\n"
    (tmp_path / "names.csv").write_text(f"\ufeff{table}", "utf-8")
    found, told = submissions(folder, read_names(tmp_path / "names.csv"))
    assert {submission.student: len(submission.files) for submission in found} == {
        "ada": 1,
        "ben": 1,
        "cleo": 0,
        "stray": 1,
    }
    assert told == ["stray.ipynb: not in the table of names"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no rows"), ("a,b\n1,2\n", "expected file,student"), ("file,student\nx.ipynb,\n", "no student for x.ipynb")],
)
def test_a_table_of_names_that_is_none_is_refused(tmp_path, text, said):
    (tmp_path / "names.csv").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=said):
        read_names(tmp_path / "names.csv")


def test_no_two_students_share_a_page():
    names = ["ada", "Ada", "zoë", "Zoë", "zo_", file_name("Zoë"), "a" * 70, "a" * 71, "..", "-"]
    pages = [file_name(name) for name in names]
    assert len({page.lower() for page in pages}) == len(names)


def test_what_few_hold_is_left_out_and_said(folder):
    for name in ("a", "b", "c"):
        hand_in(folder, f"{name}.ipynb", IDS[0])
    hand_in(folder, "d.ipynb", *IDS)
    ids, questions, left = grading.chosen((), submissions(folder)[0])
    assert ids == (IDS[0],)
    assert questions == ()
    assert len(left) == 1
    assert IDS[1] in left[0]
    assert IDS[2] in left[0]


def test_lessons_families_and_questions_are_chosen_as_an_assignment_names_them():
    ids, questions, left = grading.chosen(("4.1", "gan.spread", "open.05_gan/07_translation"), ())
    assert set(IDS) <= set(ids)
    assert "gan.spread" in ids
    assert {"open.05_gan/07_translation"} < set(questions)
    assert left == []
    with pytest.raises(ValueError, match=r"of: got '9\.9', expected an exercise's id, a lesson"):
        grading.chosen(("9.9",), ())


def test_a_sandbox_that_cannot_run_torch_is_refused_by_its_last_words(monkeypatch):
    sandbox._amiss.cache_clear()
    monkeypatch.setattr(sandbox.shutil, "which", lambda kind: f"/usr/bin/{kind}" if kind == "bwrap" else None)
    done = subprocess.CompletedProcess([], 1, b"", b"Traceback\nModuleNotFoundError: No module named 'torch'\n")
    monkeypatch.setattr(sandbox.subprocess, "run", lambda *given, **named: done)
    with pytest.raises(ValueError, match="bwrap: ModuleNotFoundError: No module named 'torch'.*--trust-students"):
        sandbox.find_sandbox()
    assert sandbox.find_sandbox(trusted=True) == "none"
    sandbox._amiss.cache_clear()


@pytest.mark.parametrize("kind", ["podman", "docker"])
def test_a_container_has_no_network_no_rights_and_a_name_to_be_ended_by(kind):
    told = " ".join(sandbox.command(kind, sandbox.Limits(), "gmcourse-x"))
    for part in ("--network none", "--read-only", "--cap-drop ALL", "--pids-limit 32", "--name gmcourse-x"):
        assert part in told


def judged(program, number, argument=0, arch=None, machine="x86_64"):
    """What a filter says of a system call, by the rules of BPF."""
    data = {0: number, 4: seccomp.NUMBERS[machine][0] if arch is None else arch, 16: argument}
    steps = [struct.unpack("<HBBI", program[k : k + 8]) for k in range(0, len(program), 8)]
    at = held = 0
    while True:
        code, then, otherwise, value = steps[at]
        at += 1
        if code == seccomp.LOAD:
            held = data[value]
        elif code == seccomp.RETURN:
            return value
        else:
            holds = {seccomp.EQUAL: held == value, seccomp.AT_LEAST: held >= value, seccomp.ANY_BIT: bool(held & value)}
            at += then if holds[code] else otherwise


@pytest.mark.parametrize("machine", seccomp.NUMBERS)
def test_the_filter_denies_what_is_named_and_nothing_else(machine):
    program, numbers = seccomp.program(machine), seccomp.NUMBERS[machine][1]
    denied = seccomp.ERROR | 1
    for name, number in numbers.items():
        if name not in ("clone", "clone3", "socket"):
            assert judged(program, number, machine=machine) == denied, name
    others = set(range(600)) - set(numbers.values())
    assert {judged(program, number, machine=machine) for number in others} == {seccomp.ALLOW}
    assert judged(program, numbers["clone3"], machine=machine) == seccomp.ERROR | 38
    assert judged(program, numbers["clone"], 0x00010F00, machine=machine) == seccomp.ALLOW  # a thread
    assert judged(program, numbers["clone"], 0x10000000, machine=machine) == denied  # with users of its own
    assert judged(program, numbers["socket"], 1, machine=machine) == seccomp.ALLOW
    assert judged(program, numbers["socket"], 2, machine=machine) == denied
    assert judged(program, 0x40000000, machine=machine) == denied
    assert judged(program, 0, arch=1, machine=machine) == seccomp.KILL


def test_a_machine_that_is_not_in_the_table_has_no_filter():
    assert seccomp.program("riscv64") is None


def test_the_name_in_the_first_cell_is_held_against_whose_it_is(sandbox, folder, tmp_path):
    value = 'student = "Ben"\nlatents_used = 3'
    cells = [code(value, "vae.latents_used"), code(KL, "vae.gaussian_kl")]
    (folder / "ada.ipynb").write_text(notebook(*cells), "utf-8")
    (folder / "ben.ipynb").write_text(notebook(*cells), "utf-8")
    told = grading.run(folder, tmp_path / "out", of=("vae.gaussian_kl", "vae.latents_used"), jobs=1)
    page = (tmp_path / "out" / "feedback" / "ada.html").read_text("utf-8")
    assert "The first cell says &#x27;Ben&#x27;" in page
    assert "The first cell says" not in (tmp_path / "out" / "feedback" / "ben.html").read_text("utf-8")
    assert grading.NO_KEY in told["told"]
    assert grading.NO_KEY in (tmp_path / "out" / "summary.html").read_text("utf-8").replace("&#x27;", "'")
    assert seed_of("Ben", "vae.latents_used") == seed_of("ben", "vae.latents_used")
    assert os.path.exists(tmp_path / "out" / "grades.csv")
