"""The book's table of contents, as sphinx-external-toc reads it, from what book.yml says of the course."""

from pathlib import Path

from gmcourse.lab.course import read_course


def contents(root: Path, reference: list[str]) -> dict:
    """The landing page, each chapter that is open with its lessons under its index, then the pages of `reference`."""
    chapters = [
        {
            "file": f"{chapter.folder}/index",
            "title": f"{chapter.number} · {chapter.title}",
            "sections": [
                {"file": lesson.file, "title": f"{lesson.number} {lesson.title}"} for lesson in chapter.open_lessons
            ],
        }
        for chapter in read_course(root)
        if chapter.open_lessons
    ]
    return {
        "format": "jb-book",
        "root": "index",
        "parts": [
            {"caption": "Chapters", "chapters": chapters},
            {"caption": "Reference", "chapters": [{"file": file} for file in reference]},
        ],
    }
