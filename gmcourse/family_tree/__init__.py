"""The family tree of models as data: a branch is what one is able to evaluate; leaves come from the catalogue."""

from gmcourse.family_tree.questions import QUESTIONS, Question, Way, way
from gmcourse.family_tree.tree import EVALUATES, family_tree, home, lesson_number

__all__ = [
    "EVALUATES",
    "QUESTIONS",
    "Question",
    "Way",
    "family_tree",
    "home",
    "lesson_number",
    "way",
]
