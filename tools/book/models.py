"""The table of a family's models, drawn from the catalogue; what a draw costs is counted on the model itself."""

from collections.abc import Iterable

from gmcourse.catalogue import CATALOGUE
from gmcourse.family_tree import home
from gmcourse.lab.course import Lesson
from gmcourse.metrics.calls import cost
from gmcourse.protocols import Sampler
from gmcourse.record import ModelRecord

ANSWERS = {
    "Sampler": "samples",
    "Density": "exact density",
    "Bounded": "a bound on the density",
    "ImportanceWeighted": "importance weights",
    "Unnormalised": "density up to a constant",
    "Scored": "score",
    "Bijection": "the latent of a point",
}
"""What a model that keeps a protocol can be asked, in words."""

COUNTED = (
    "*One draw* is how many times in turn a single sample calls the network that it calls most, counted when this page "
    "was built, on the small, untrained model that `build()` gives. $D$ is the number of coordinates; a range means "
    "that the count follows the weights; *a formula* calls no network."
)


def answers(record: ModelRecord) -> str:
    """What it can be asked, in words."""
    kept = {claim.__name__ for claim in record.claims}
    return ", ".join(words for claim, words in ANSWERS.items() if claim in kept) or "neither samples nor a density"


def drawn(record: ModelRecord) -> str:
    """The passes of one draw, in MyST; a dash where it draws nothing."""
    return cost(record).replace("D ", "$D$ ") if Sampler in record.claims else "–"


def models_of(family: str, lessons: Iterable[Lesson]) -> str:
    """The table, in MyST: a row for every record of the family in the catalogue; ValueError where it has none."""
    records = sorted((record for record in CATALOGUE if record.family == family), key=lambda record: record.lesson)
    if not records:
        raise ValueError(
            f"models: got {family!r}, expected a family of the catalogue; leave the table out until it is one"
        )
    numbers = {lesson.file: lesson.number for lesson in lessons}
    rows = [
        f"* - **{record.name}** {{py:mod}}`source <{home(record)}>`\n"
        f"  - {answers(record)}\n"
        f"  - {drawn(record)}\n"
        f"  - [{numbers[record.lesson]}](/{record.lesson}.md)\n"
        f"  - {{cite:t}}`{record.paper}`\n"
        for record in records
    ]
    head = ":::{list-table}\n:header-rows: 1\n:class: models\n:widths: 27 33 14 8 18\n\n"
    names = "* - Model\n  - What it can be asked for\n  - One draw\n  - Lesson\n  - Paper\n"
    return f"{head}{names}{''.join(rows)}:::\n\n{COUNTED}\n"
