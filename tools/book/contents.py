"""The book's table of contents, as sphinx-external-toc reads it, from what book.yml says of the course."""

from pathlib import Path

from gmcourse.lab.course import read_course


def contents(root: Path, reference: list[str | dict]) -> dict:
    """The landing page, each chapter that is open with its lessons under its index, then the pages of `reference`.

    A page of `reference` is a file, or a mapping from one file to those below it.
    """
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
            {"caption": "Reference", "chapters": [_page(entry) for entry in reference]},
        ],
    }


def _page(entry: str | dict) -> dict:
    if isinstance(entry, str):
        return {"file": entry}
    ((file, below),) = entry.items()
    return {"file": file, "sections": [{"file": page} for page in below]}
