"""The family tree is a fact about the code: every answer is called on the model, every refusal is a missing method."""

import dataclasses
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gmcourse.catalogue import CATALOGUE, find
from gmcourse.family_tree import EVALUATES, QUESTIONS, family_tree, home, lesson_number, way
from gmcourse.family_tree.questions import WITHOUT_SLOPE
from gmcourse.lab.course import read_course
from gmcourse.laws.broken import LawBroken
from gmcourse.laws.mass import integrates_to_one, sums_to_one
from gmcourse.metrics.calls import cost, passes
from gmcourse.protocols import Bounded, Density, ImportanceWeighted, Sampler, Scored, Trainable, Unnormalised
from gmcourse.record import BRANCHES, ModelRecord, plane_points

ROOT = Path(__file__).parents[1]
CHAPTERS = ROOT / "chapters"
LESSONS = {lesson.file: lesson for chapter in read_course(ROOT) for lesson in chapter.lessons}
ASKED = {question.key: question for question in QUESTIONS}
SYLLABUS = {  # the models in bold of the syllabus that are not in the chapters on flows and on the game, by lesson
    "2.1": ["FVSBN", "NADE", "MADE"],
    "2.2": ["Row LSTM", "Diagonal BiLSTM"],
    "2.3": ["PixelCNN"],
    "2.4": ["Gated PixelCNN", "PixelCNN++"],
    "2.5": ["LSTM language model"],
    "2.6": ["Transformer language model", "Sequence-to-sequence translator"],
    "2.7": ["WaveNet"],
    "3.1": [
        *["Deep autoencoder", "Convolutional autoencoder"],
        *["L1-sparse autoencoder", "KL-sparse autoencoder", "k-sparse autoencoder"],
    ],
    "3.2": ["Denoising autoencoder", "Contractive autoencoder"],
    "3.3": ["Generative stochastic network"],
    "4.2": ["IWAE", "β-VAE"],
    "4.3": ["CVAE"],
    "4.4": ["VQ-VAE"],
    "4.5": ["VQ-VAE-2", "Jukebox", "Text-conditioned prior over codes"],
    "4.6": ["3-D VQ-VAE with a Transformer prior"],
    "4.7": ["Sentence VAE"],
    "5.6": ["CGAN", "ACGAN"],
    "5.7": ["pix2pix", "CycleGAN"],
    "5.8": ["StyleGAN"],
    "5.9": ["GAIN"],
    "7.1": ["Restricted Boltzmann machine"],
    "7.2": ["Sliced score matching", "Denoising score matching"],
    "7.3": ["NCSN"],
    "7.4": ["DDPM", "DDIM"],
    "7.5": ["Score SDE"],
    "7.6": ["Consistency model"],
}


def leaves(branches: list[dict]) -> list[dict]:
    """The branches that hold models."""
    return [leaf for branch in branches for leaf in (leaves(branch["branches"]) if "branches" in branch else [branch])]


@cache
def tree() -> dict:
    return family_tree()


@cache
def leaf_of(key: str) -> dict:
    """What the tree says of a model of the catalogue."""
    return next(model for leaf in leaves(tree()["branches"]) for model in leaf["models"] if model["key"] == key)


def answers_of(key: str) -> dict[str, dict]:
    return leaf_of(key)["answers"]


every_record = pytest.mark.parametrize("record", CATALOGUE, ids=lambda record: record.key)


# What the tree says of a model, held against the model


def amiss(record: ModelRecord, answers: dict[str, dict], model: nn.Module | None = None) -> list[str]:
    """What is wrong with the answers that the tree gives for a record, in words; `model` may stand in for its own."""
    if model is None:
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            model = record.build()
    wrong = []
    for question in QUESTIONS:
        if question.key in answers:
            said = answered(record, model.eval(), question, answers[question.key])
        else:
            said = refused(record, model, question)
        wrong += [f"{question.key}: {said}"] if said else []
    return wrong


def answered(record: ModelRecord, model: nn.Module, question, answer: dict) -> str:
    """Calls the method that is to answer: its result, its shape, and for an exact density its mass."""
    asked = next((each for each in question.ways if each.method == answer["by"]), None)
    if asked is None or not hasattr(model, asked.method):
        return f"no method {answer['by']}"
    x, *given = record.example(4)
    try:
        result = asked.ask(model, x, *given).detach()
    except Exception as error:  # whatever a model raises, it gave no answer
        return f"{asked.method} raised {type(error).__name__}"
    shape = {"sample": (1, *x.shape[1:]), "forward": (4, *result.shape[1:])}.get(asked.method, (4,))
    if question.key == "slope":
        shape = x.shape
    if result.shape != shape or not result.isfinite().all():
        return f"{asked.method} gave {tuple(result.shape)}, or numbers that are not finite"
    if question.in_one_pass and passes(record) > 1:
        return f"{passes(record)} passes"
    if question.key == "latent" and result[0].numel() != x[0].numel():
        return f"a latent of {result[0].numel()} numbers for {x[0].numel()}"
    return unnormalised(model, x) if question.key == "exact" and not given else ""


def unnormalised(model: nn.Module, x: Tensor) -> str:
    """Where the mass can be summed at little cost, the law that it is 1: points of the plane, and few binary values."""
    try:
        with torch.no_grad():
            if x.shape[1:] == (2,):
                box = {"low": (-8, -8), "high": (8, 8), "points": 100, "tolerance": 0.02}
                integrates_to_one(lambda x: model.log_prob(x.float()).clamp(min=-1e4), **box)  # −∞ off a table
            elif x.dim() == 2 and x.shape[1] <= 12 and bool(((x == 0) | (x == 1)).all()):
                sums_to_one(model.log_prob, dims=x.shape[1], tolerance=1e-4)
    except LawBroken as broken:
        return str(broken)
    return ""


def refused(record: ModelRecord, model: nn.Module, question) -> str:
    """A model that cannot answer lacks the method; or takes more than one pass; or its log p(x) has no slope."""
    if question.in_one_pass and isinstance(model, Sampler):
        return "" if passes(record) > 1 else "it does draw in one pass"
    if question.key == "slope" and record.branch[-1] in WITHOUT_SLOPE:
        return ""
    return ", ".join(f"it does have {each.method}" for each in question.ways if isinstance(model, each.claim))


@every_record
def test_every_answer_of_the_tree_is_that_of_the_model(record):
    assert amiss(record, answers_of(record.key)) == []


def test_the_answers_are_those_that_the_lessons_derive():
    said = {key: set(answers_of(key)) for key in ("gan", "gaussian-vae", "maf", "iaf", "flow-matching")}
    density = {"exact", "bound", "constant", "slope", "latent"}
    assert said == {
        "gan": {"sample", "one-pass"},
        "gaussian-vae": {"sample", "one-pass", "bound"},
        "maf": {"sample"} | density,
        "iaf": {"sample", "one-pass"} | density,
        "flow-matching": {"sample"} | density,
    }
    assert answers_of("maf")["sample"] == {"by": "sample", "cost": "D passes"}
    assert answers_of("iaf")["exact"] == {"by": "log_prob", "cost": "D passes"}
    assert answers_of("nice")["slope"] == {"by": "log_prob", "cost": "1 pass, then backward"}
    assert answers_of("gaussian-vae")["bound"]["by"] == "elbo"


@every_record
def test_the_density_of_a_record_is_what_its_model_answers(record):
    """exact: log_prob; bound: elbo and no log_prob; unnormalised: energy alone; else no value of log p(x) at all."""
    answers = {key: said["by"] for key, said in answers_of(record.key).items()}
    told = {
        "exact": ("log_prob", "log_prob", "log_prob"),
        "bound": (None, "elbo", None),
        "unnormalised": (None, None, "energy"),
    }
    assert tuple(map(answers.get, ("exact", "bound", "constant"))) == told.get(record.density, (None, None, None))
    assert ("sample" in answers) == (record.density != "none")


@pytest.mark.parametrize("branch", BRANCHES, ids=lambda branch: branch[-1])
def test_records_of_one_branch_evaluate_the_same(branch):
    valued = {Density, Bounded, Unnormalised, Scored}
    known = {"implicit": "none"}  # whether it can draw is another matter than what it can evaluate
    records = [record for record in CATALOGUE if record.branch == branch]
    kinds = {(known.get(r.density, r.density), frozenset(valued & {*r.claims})) for r in records}
    assert len(kinds) <= 1


EXACT_SLOPES = [r for r in CATALOGUE if "slope" in answers_of(r.key) and Density in r.claims]  # a learned score is none


@pytest.mark.parametrize("record", EXACT_SLOPES, ids=lambda r: r.key)
def test_a_slope_is_that_of_log_p(record):
    model = record.build().double().eval()
    x = record.example(3)[0].double()
    step = 1e-5 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    asked = next(one for one in ASKED["slope"].ways if one.method == answers_of(record.key)["slope"]["by"])
    rise = (asked.ask(model, x) * step).flatten(1).sum(1)
    with torch.no_grad():
        expected = (model.log_prob(x + step) - model.log_prob(x - step)) / 2
    torch.testing.assert_close(rise, expected, rtol=1e-3, atol=1e-12)


# The check can fail


class OffByItsNormaliser(nn.Module):
    """N(0, I) in the plane without its constant, and what is drawn from it one coordinate after another."""

    def __init__(self, constant: float = 0.0):
        super().__init__()
        self.constant, self.network = constant, nn.Linear(2, 2)

    def log_prob(self, x: Tensor) -> Tensor:
        return -0.5 * x.square().sum(1) - self.constant

    def sample(self, n: int, *, rng: torch.Generator | None = None) -> Tensor:
        x = torch.randn(n, 2, generator=rng)
        for _ in range(2):
            x = x + 0 * self.network(x)
        return x


class Raises(OffByItsNormaliser):
    def log_prob(self, x: Tensor) -> Tensor:
        raise NotImplementedError


def record_of(kind, **fields) -> ModelRecord:
    return dataclasses.replace(
        find("realnvp"), claims=(Trainable, Sampler, Density), make=lambda data=None: kind(), **fields
    )


def said_of(record: ModelRecord, **changes) -> dict[str, dict]:
    """The answers as the tree finds them, some changed; None takes one out."""
    found = {
        key: {"by": one.method, "cost": cost(record, one.ask)}
        for key, question in ASKED.items()
        if (one := way(question, record, lambda each: cost(record, each.ask)))
    }
    return {key: said for key, said in (found | changes).items() if said is not None}


NORMALISED = 1.8378770664093453  # ln 2π


def test_a_right_record_passes():
    right = record_of(lambda: OffByItsNormaliser(NORMALISED))
    assert amiss(right, said_of(right)) == []
    assert "one-pass" not in said_of(right)


@pytest.mark.parametrize("constant", [0.0, NORMALISED / 2, NORMALISED + 0.05])
def test_a_density_off_by_its_normaliser_is_seen(constant):
    wrong = record_of(lambda: OffByItsNormaliser(constant))
    (said,) = amiss(wrong, said_of(wrong))
    assert said.startswith("exact: ∫ p(x) dx = 1")


def test_a_density_that_raises_is_seen():
    model, record = Raises(NORMALISED), record_of(lambda: OffByItsNormaliser(NORMALISED))
    assert "exact: log_prob raised NotImplementedError" in amiss(record, said_of(record), model)


def test_a_record_that_says_exact_where_the_class_has_a_bound_alone_is_seen():
    wrong = dataclasses.replace(find("gaussian-vae"), density="exact", claims=(Trainable, Sampler, Density))
    exact = {"by": "log_prob", "cost": "1 pass"}
    said = answers_of("gaussian-vae") | {"exact": exact, "bound": exact}
    assert amiss(wrong, said) == ["exact: no method log_prob", "bound: no method log_prob"]


def test_a_sampler_in_d_passes_that_says_one_is_seen():
    record = record_of(lambda: OffByItsNormaliser(NORMALISED))
    claimed = said_of(record, **{"one-pass": {"by": "sample", "cost": "1 pass"}})
    assert amiss(record, claimed) == ["one-pass: 2 passes"]
    assert amiss(find("maf"), answers_of("maf") | {"one-pass": claimed["one-pass"]}) == ["one-pass: 2 passes"]


def test_an_answer_that_is_left_out_is_seen():
    answers = {key: said for key, said in answers_of("realnvp").items() if key not in ("exact", "one-pass")}
    assert amiss(find("realnvp"), answers) == ["one-pass: it does draw in one pass", "exact: it does have log_prob"]


def test_what_no_model_of_the_catalogue_claims_yet_is_asked_in_the_same_way():
    class Bowl(nn.Module):
        def energy(self, x):
            return 0.5 * x.square().sum(1) + 3.0

        def score(self, x, sigma):
            return -x / (1 + sigma**2)

    record = dataclasses.replace(find("realnvp"), claims=(Trainable, Unnormalised, Scored), make=lambda data: Bowl())
    ways = {key: one.method for key, each in ASKED.items() if (one := way(each, record, lambda _: "1 pass"))}
    assert ways == {"constant": "energy", "slope": "score"}
    assert amiss(record, {key: {"by": by} for key, by in ways.items()}) == []
    without = dataclasses.replace(record, claims=(Trainable, Unnormalised))
    found = way(ASKED["slope"], without, lambda _: "1 pass")
    (x,) = plane_points(4)
    torch.testing.assert_close(found.ask(Bowl(), x), -x)  # uphill in log p(x), downhill in energy


def test_probability_tables_have_no_slope():
    table = dataclasses.replace(find("realnvp"), branch=("explicit density", "tractable", "probability table"))
    assert way(ASKED["slope"], table, lambda _: "1 pass") is None
    assert way(ASKED["exact"], table, lambda _: "1 pass").method == "log_prob"


# The tree as data


def test_every_branch_and_what_leads_to_it_says_what_can_be_evaluated():
    above = {path[:depth] for path in BRANCHES for depth in range(1, len(path) + 1)}
    assert set(EVALUATES) == above
    assert all(10 < len(line) < 120 for line in EVALUATES.values())


def test_every_record_hangs_once_and_in_the_order_of_the_branches():
    hung = [model["key"] for leaf in leaves(tree()["branches"]) for model in leaf["models"]]
    assert sorted(hung) == sorted(record.key for record in CATALOGUE)
    drawn = [leaf["name"] for leaf in leaves(tree()["branches"])]
    held = {each.branch for each in CATALOGUE}
    assert drawn == [path[-1] for path in BRANCHES if path in held]


def test_branches_without_models_are_left_out():
    small = family_tree([find("gan")])
    assert [branch["name"] for branch in small["branches"]] == ["implicit density"]
    assert [leaf["name"] for leaf in leaves(small["branches"])] == ["adversarial"]


def test_the_importance_weights_of_a_bound_are_no_exact_density():
    for record in CATALOGUE:
        if ImportanceWeighted in record.claims:
            assert "exact" not in answers_of(record.key)


@every_record
def test_a_record_is_at_home_in_the_module_that_makes_it_and_its_page_documents_it(record):
    module = home(record)
    assert f'key="{record.key}"' in (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
    page = (CHAPTERS / f"{leaf_of(record.key)['page']}.md").read_text("utf-8")
    whole = f"<!-- api: {module.rpartition('.')[0]}.* -->"
    assert f"<!-- api: {module} -->" in page or whole in page


@every_record
def test_its_lesson_has_the_number_of_the_book(record):
    assert LESSONS[record.lesson].number == leaf_of(record.key)["number"] == lesson_number(record.lesson)


@pytest.mark.parametrize("lesson", SYLLABUS)
def test_every_model_of_the_syllabus_is_in_the_catalogue_and_in_its_lesson(lesson):
    assert {*SYLLABUS[lesson]} <= {each.name for each in CATALOGUE if lesson_number(each.lesson) == lesson}
