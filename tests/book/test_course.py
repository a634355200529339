"""The pages about the course: what is open is linked, counts and costs are computed, no model is missing."""

import json
import re
from pathlib import Path

import pytest
import yaml
from book import course as extension
from book import models, plans

from gmcourse.catalogue import CATALOGUE, find
from gmcourse.exercises import EXERCISES
from gmcourse.lab.course import read_course

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
COURSE = read_course(ROOT)
PAGES = ["index", "instructors", *(f"{chapter.folder}/index" for chapter in COURSE if chapter.open_lessons)]


def page(name: str, course=COURSE, chapters: Path = CHAPTERS) -> str:
    """The source of a page of the book with its marks filled in."""
    source = (CHAPTERS / f"{name}.md").read_text("utf-8")
    return extension.MARK.sub(lambda mark: extension.told(mark[1], name, course, chapters), source)


def linked(text: str) -> set[str]:
    return set(re.findall(r"\]\(/([\w/]+)\.md\)", text))


@pytest.fixture
def small(tmp_path: Path):
    """A course of two chapters: an open core lesson, two that are planned, the last of which needs both chapters."""
    lessons = [
        {"file": "01_first", "title": "First", "core": True},
        {"file": "02_second", "title": "Second", "core": True, "needs": ["1.1"]},
    ]
    later = [{"file": "01_third", "title": "Third", "needs": ["1.1", "1.2"]}]
    book = [
        {"folder": "01_vae", "title": "One", "question": "?", "lessons": lessons},
        {"folder": "02_gan", "title": "Two", "question": "?", "lessons": later},
    ]
    (tmp_path / "book.yml").write_text(yaml.safe_dump({"course": book}))
    (tmp_path / "chapters" / "01_vae").mkdir(parents=True)
    (tmp_path / "chapters" / "01_vae" / "01_first.md").write_text("---\n---\n\n# First\n\nText. **Why?** More.\n")
    return tmp_path


def test_every_open_lesson_is_linked_and_no_other():
    lessons = {lesson.file for chapter in COURSE for lesson in chapter.open_lessons}
    pages = {f"{chapter.folder}/index" for chapter in COURSE if chapter.open_lessons}
    assert linked(page("index")) == lessons | pages
    for chapter in COURSE:
        if chapter.open_lessons:
            assert {lesson.file for lesson in chapter.open_lessons} <= linked(page(f"{chapter.folder}/index"))


@pytest.mark.parametrize("name", PAGES)
def test_no_link_is_dead_and_no_mark_is_left(name):
    text = page(name)
    beside = re.findall(r"\]\((?!/|#|https?:)([\w./]+)\)", text)
    assert all((CHAPTERS / f"{target}.md").exists() for target in linked(text))
    assert all((CHAPTERS / name).parent.joinpath(target).exists() for target in beside)
    assert "<!--" not in text


def test_every_lesson_and_chapter_is_named_on_the_map():
    text = extension.course_map(COURSE)
    for chapter in COURSE:
        assert chapter.title in text
        for lesson in chapter.lessons:
            assert f"[{lesson.number}]{{.number}} {extension.link(lesson)}" in text
    assert text.count("{.core-mark}") == sum(lesson.core for chapter in COURSE for lesson in chapter.lessons)


def test_counts_are_computed(small):
    course = read_course(small)
    told = [
        extension.told(f"course: {what}", "index", course, small / "chapters") for what in ("lessons", "core", "open")
    ]
    assert told == ["3", "2", "1"]
    assert extension.told("course: first", "index", course, small / "chapters") == "01_vae/01_first"


def test_the_first_lesson_named_is_of_the_core_path():
    assert extension.told("course: first", "index", COURSE, CHAPTERS) == "01_taxonomy/01_what_is_a_generative_model"


def test_a_lesson_shows_its_question_its_minutes_and_its_needs(small):
    course, chapters = read_course(small), small / "chapters"
    assert "minutes" not in extension.lessons_of(course[0], course, chapters)
    metadata = {"gmcourse": {"minutes": {"reading": 35, "exercises": 20}}}
    (chapters / "01_vae" / "01_first.ipynb").write_text(json.dumps({"metadata": metadata}))
    text = extension.lessons_of(course[0], course, chapters)
    assert "35 minutes of reading, 20 of exercises" in text
    metadata["gmcourse"]["minutes"]["exercises"] = 0
    (chapters / "01_vae" / "01_first.ipynb").write_text(json.dumps({"metadata": metadata}))
    assert "of exercises" not in extension.lessons_of(course[0], course, chapters)
    assert "Why?" in text
    assert "1 of 2 lessons are open" in text
    assert "forthcoming · needs [1.1](/01_vae/01_first.md)" in text
    assert "(/01_vae/02_second.md)" not in text
    assert "[needs [1.1](/01_vae/01_first.md), 1.2]{.needs}" in extension.course_map(course)


def test_the_ten_weeks_hold_the_core_path_in_order():
    core = [lesson for chapter in COURSE for lesson in chapter.lessons if lesson.core]
    weeks = extension.weeks(COURSE)
    assert [lesson for week in weeks for lesson in week] == core
    assert len(weeks) == 10
    assert {len(week) for week in weeks} <= {2, 3}
    assert all(f"{lesson.number} {extension.link(lesson)}" in page("instructors") for lesson in core)


def test_a_chapters_models_are_all_there():
    for family in {record.family for record in CATALOGUE}:
        records = [record for record in CATALOGUE if record.family == family]
        chapter = next(chapter for chapter in COURSE if chapter.folder.endswith(f"_{family}"))
        text = page(f"{chapter.folder}/index")
        assert text.count("\n* - **") == len(records)
        for record in records:
            assert f"**{record.name}** " in text
            assert f"{{cite:t}}`{record.paper}`" in text


def test_what_a_model_answers_follows_its_claims():
    assert models.answers(find("maf")) == "samples, exact density, the latent of a point"
    assert models.answers(find("gan")) == "samples"
    assert models.answers(find("deep-autoencoder")) == "neither samples nor a density"
    for record in CATALOGUE:
        assert ("exact density" in models.answers(record)) == (record.density == "exact")
        assert ("a bound on the density" in models.answers(record)) == (record.density == "bound")


def test_a_cost_is_set_in_the_table_as_mathematics():
    said = {key: models.drawn(find(key)) for key in ("gaussian-vae", "maf", "planar-flow", "deep-autoencoder")}
    assert said == {
        "gaussian-vae": "1 pass",
        "maf": "$D$ passes",
        "planar-flow": "a formula",
        "deep-autoencoder": "–",
    }


@pytest.mark.parametrize("chapter", [chapter for chapter in COURSE if chapter.open_lessons], ids=lambda c: c.folder)
def test_a_chapter_has_a_picture_in_the_themes_colours(chapter):
    picture = (CHAPTERS / chapter.folder / "picture.html").read_text("utf-8")
    panels = re.findall(r"<svg [^>]*>", picture)
    assert len(panels) >= 3
    assert all(re.search(r'role="img" aria-label="[^"]{20,}"', panel) for panel in panels)
    assert not re.search(r"#[0-9a-f]{3,6}\b|\brgb\(", picture)
    assert len(picture) < 120_000
    assert ":file: picture.html" in (CHAPTERS / chapter.folder / "index.md").read_text("utf-8")


def test_a_table_of_a_family_without_models_is_refused_by_name():
    with pytest.raises(ValueError, match="models: got 'comparison', expected a family of the catalogue"):
        models.models_of("comparison", ())


def hours(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"^  - (\d+\.\d)$", text, re.M)]


@pytest.mark.parametrize("weeks", [plans.weeks(COURSE), plans.short(COURSE, CHAPTERS)], ids=len)
def test_the_hours_of_a_plan_are_those_of_its_lessons(weeks):
    text = plans.plan(weeks, CHAPTERS)
    spent = [sum(sum(plans.minutes(lesson, CHAPTERS).values()) for lesson in week) / 60 for week in weeks]
    assert hours(text) == [round(week, 1) for week in spent] + [round(sum(spent), 1)]
    for lesson in (lesson for week in weeks for lesson in week if lesson.is_open):
        time = plans.minutes(lesson, CHAPTERS)
        assert f"({time['reading']} + {time['exercises']} min)" in text.replace("[", "(").replace("]", ")")


def test_the_four_weeks_can_be_taught_and_reach_each_family_up_to_diffusion():
    weeks = plans.short(COURSE, CHAPTERS)
    assert len(weeks) == 4
    assert all(lesson.is_open for week in weeks for lesson in week)
    assert {lesson.number[0] for week in weeks for lesson in week} == set("1234567")


@pytest.mark.parametrize(
    ("weeks", "amiss"),
    [([["1.2"]], "got 1.2, expected after 1.1"), ([["1.1", "9.9"]], "got 9.9, expected a lesson of the course")],
)
def test_a_lesson_before_what_it_needs_is_named(small, weeks, amiss):
    book = yaml.safe_load((small / "book.yml").read_text())
    (small / "book.yml").write_text(yaml.safe_dump(book | {"four_weeks": weeks}))
    with pytest.raises(ValueError, match=amiss):
        plans.short(read_course(small), small / "chapters")


def test_every_exercise_of_a_path_is_listed_with_its_points():
    text = page("instructors")
    for lesson in (lesson for chapter in COURSE for lesson in chapter.open_lessons if lesson.core):
        named = list(plans.exercises(lesson, CHAPTERS))
        assert named
        assert all(f"`{name}` {EXERCISES[name].points}" in text for name in named)
        assert sum(5 * EXERCISES[name].points for name in named) <= plans.minutes(lesson, CHAPTERS)["exercises"]
    assert f"{len(EXERCISES)} exercises with {sum(e.points for e in EXERCISES.values())} points" in text


def test_where_time_is_short_the_weightiest_exercises_are_kept_in_their_order():
    lesson = next(lesson for chapter in COURSE for lesson in chapter.lessons if lesson.number == "1.1")
    ids = list(plans.exercises(lesson, CHAPTERS))
    kept = plans.chosen(ids)
    assert kept == [name for name in ids if name in kept]
    assert sum(EXERCISES[name].points for name in kept) <= plans.POINTS
    assert max(ids, key=lambda name: EXERCISES[name].points) in kept
    assert plans.chosen(ids, 0) == []
