"""The commands: what is heavy to import is imported by the command that needs it."""

import os
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

Model = Annotated[Positional[str], arg(metavar="MODEL")]
Data = Annotated[str, arg(metavar="DATA")]
Rest = Annotated[Positional[tuple[str, ...]], arg(metavar="OPTIONS")]
Run = Annotated[Positional[Path], arg(metavar="RUN")]


def models(
    key: Annotated[Positional[str | None], arg(metavar="MODEL")] = None,
    data: Annotated[str | None, arg(metavar="DATA")] = None,
) -> None:
    """List the models of the course and what data they suit; with a key, tell of that one at length.

    Args:
        key: a model
        data: list the models that suit this data set, or your file, alone
    """
    from gmcourse.catalogue import CATALOGUE, find
    from gmcourse.cli import listing

    if key is not None:
        listing.tell_model(find(key))
    else:
        listing.list_models(CATALOGUE if data is None else listing.models_for(data))


def data(
    key: Annotated[Positional[str | None], arg(metavar="DATA")] = None,
    model: Annotated[str | None, arg(metavar="MODEL")] = None,
) -> None:
    """List the data sets without loading any; with a key or a path, load that one and tell its shapes.

    Args:
        key: a data set, downloaded if it is of that kind and not here yet; or a file or folder of yours
        model: list the data sets that suit this model alone
    """
    from gmcourse import data as sets
    from gmcourse.catalogue import find
    from gmcourse.cli import listing

    if key is not None:
        loaded = sets.load(key)
        print(f"{loaded!r}\nsource: {loaded.source}")
        listing.tell_fitting(loaded)
    else:
        listing.list_data(map(sets.describe, sets.KEYS) if model is None else listing.data_for(find(model)))


def train(
    key: Model,
    data: Data,
    run: Path | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    seed: int | None = None,
    device: str = "cpu",
    resume: bool = False,
) -> None:
    """Train a model on a data set, by its own recipe where no flag says otherwise; keep the weights best on valid.

    Args:
        key: a model; `gmcourse models` lists them
        data: a data set, `gmcourse data` lists them; or your own .csv, .npy, .npz, .txt or folder of images
        run: the folder to write; by default runs/<model>-<data>
        steps: optimiser steps; the recipe's learning-rate schedule is stretched over them
        batch_size: examples a step
        lr: a constant learning rate in place of the recipe's schedule
        seed: of the first weights, the order of the data and the noise; by default 0
        device: cpu, cuda, cuda:1 or mps
        resume: go on with an interrupted run, bit for bit, with the settings it was started with
    """
    from gmcourse import data as sets
    from gmcourse import runs
    from gmcourse.catalogue import find
    from gmcourse.cli import listing, report

    record, entry = find(key), sets.describe(data)
    folder = run or Path("runs") / f"{record.key}-{entry.name if entry.kind == 'own' else entry.key}"
    asked = {"model": record.key, "data": entry.key, "steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed}
    info = runs.resumed(folder, asked) if resume else runs.new(folder, asked)
    runs.require_device(device)
    if entry.event_shape is not None and entry.dtype is not None:
        listing.require_suited(record, entry.key, entry.event_shape, entry.dtype)
    loaded = sets.load(entry.key)
    listing.require_suited(record, data, loaded.event_shape, loaded.train.dtype)
    loaded = record.prepare(loaded)
    plan = runs.plan(record, loaded, info, device)
    size, planned = sum(p.numel() for p in plan.model.parameters()), plan.recipe["steps"]
    print(f"{record.name}, {size:,} parameters; {loaded.name}, {len(loaded.train):,} examples; {planned:,} steps")
    history = runs.train(folder, info, plan, loaded, device)
    if history is None:
        print(f"go on with: gmcourse train {record.key} --data {data} --run {folder} --resume")
        raise SystemExit(130)
    if best := runs.best_step(history):
        later = "" if 2 * best > planned else "; later ones overfit"
        print(f"kept: the weights of step {best:,} of {planned:,}, whose loss on valid was least{later}")
    if rows := report.measure(plan.model, loaded, record.batch(loaded, "valid")):
        print(f"valid, {len(loaded.valid):,} examples, beside as many of train:")
        report.show(rows, plan.model, loaded, "valid")
    print(f"{folder} is complete; next: gmcourse evaluate {folder}")


def sample(run: Run, n: int = 64, out: Path | None = None, seed: int = 0, mean: bool = False) -> None:
    """Draw samples from a trained model.

    Args:
        run: the folder of a finished run
        n: how many
        out: a .png (of images, or of points of the plane), a .txt (of texts) or an .npy (anything, (n, *event)); by
            default samples.png where they make a picture, samples.txt where they are text, else samples.npy
        seed: equal seeds give equal samples
        mean: the decoder's mean in place of a draw from it: smoother, and not a sample
    """
    import torch

    from gmcourse import runs
    from gmcourse.catalogue import find
    from gmcourse.cli import pictures

    if n < 1:
        raise ValueError(f"n: got {n}, expected at least one sample")
    if out is not None and out.suffix.lower() not in pictures.SUFFIXES:
        raise ValueError(f"out: got {out}, expected a name in {', '.join(pictures.SUFFIXES)}")
    runs.require_seed(seed)
    model, info, loaded = runs.load_run(run)
    if not hasattr(model, "sample"):
        raise ValueError(f"run: {run} holds {info['model']}, which draws no samples: it learned no law to draw from")
    out = pictures.chosen(out, loaded)
    method = "sample_mean" if mean else "sample"
    if not hasattr(model, method):
        raise ValueError(f"mean: {info['model']} has no decoder's mean: leave --mean out")
    record = find(info["model"])
    _, *labels = record.batch(loaded, "valid")
    given = [t[torch.arange(n) % len(t)] for t in labels]
    what = "what is given with" if record.pairs else "the labels of"
    told = f", for {what} the first rows of valid" if labels else ""
    samples = getattr(model, method)(n, *given, rng=torch.Generator().manual_seed(seed))
    pictures.write_samples(out, samples, loaded.alphabet)
    print(f"{n} samples of {info['model']} on {loaded.name}{told} written to {out}")
    if loaded.scale is not None:
        print("in units of its training: times `scale`, plus `shift` of the data set, gives those of the table")
    if (share := pictures.outside(samples)) and out.suffix.lower() == ".png":
        print(f"{share:.1%} of their values lie outside [0, 1], and are clamped in the picture")


def evaluate(
    run: Run,
    split: Literal["valid", "test"] = "valid",
    k: int = 500,
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> None:
    """Measure a trained model: its likelihood, or what it loses, with standard errors; its samples; run.json keeps it.

    Args:
        run: the folder of a finished run
        split: make every choice on valid; read test once
        k: draws an example of the importance-weighted estimate
        limit: a random selection of so many examples, for a quick look
        seed: of the draws and of the selection
        device: cpu, cuda, cuda:1 or mps
    """

    from gmcourse import runs
    from gmcourse.catalogue import find
    from gmcourse.cli import fidelity, report

    if k < 1 or (limit is not None and limit < 1):
        raise ValueError(f"k, limit: got {k} and {limit}, expected at least 1")
    runs.require_seed(seed)
    model, info, loaded = runs.load_run(run, device)
    whole = getattr(loaded, split)
    batch = tuple(report.selected(t, limit, seed) for t in find(info["model"]).batch(loaded, split))
    x = batch[0]
    print(f"{info['model']} on {loaded.name}, {split}, {len(x):,} of {len(whole):,} examples:")
    rows = report.measure(model, loaded, batch, k=k, seed=seed)
    report.show(rows, model, loaded, split)
    samples = fidelity.fidelity(model, loaded, batch, seed)
    fidelity.show(samples, loaded)
    runs.record(run, info, {"split": split, "examples": len(x), "seed": seed, "results": rows + samples})


def lab(
    options: Rest = (),
    work: Path | None = None,
    port: int | None = None,
    no_browser: bool = False,
    no_start: bool = False,
) -> None:
    """Open JupyterLab on your own copies of the lessons: today's, with all that you have written in them.

    Args:
        options: JupyterLab's own, --ip=0.0.0.0 for one: the first that is not below, and all that follow
        work: the folder of your copies; by default `work` in the course's folder
        port: where JupyterLab listens; by default the first free one from 8888 on
        no_browser: open no browser, print the address
        no_start: bring your copies up to date and stop there
    """
    from gmcourse.lab.files import find_course
    from gmcourse.lab.prepare import prepare, require_folder
    from gmcourse.lab.server import start

    root = find_course()
    folder = require_folder(root, work or root / "work")
    print(*prepare(root, folder), sep="\n", flush=True)
    if not no_start:
        asked = [*(["--no-browser"] if no_browser else []), *([] if port is None else [f"--ServerApp.port={port}"])]
        start(root, folder, [*asked, *options])


def compare(
    out: Path = Path("comparison.json"),
    seconds: float = 5.0,
    only: tuple[str, ...] = (),
    jobs: int | None = None,
    calibrate: bool = False,
    given_rates: bool = False,
    show: bool = False,
    again: int = 0,
    csv: Path | None = None,
) -> None:
    """Train every comparable model on the same digits for the same seconds, and measure what it became.

    Stopped, it goes on where it was. At its default size: 35 models, 15 trainings each over rates and seeds, two more
    at the chosen rate, ten on easier and harder pictures, under an hour on two idle cores.

    Args:
        out: the file to write, or to go on with
        seconds: of one core, for each training; for 5, the steps stand in the course's file, else they are measured
        only: these models
        jobs: trainings at a time; by default one for each core
        calibrate: measure the steps on this machine, whatever the course's file says
        given_rates: take the course's choice of rates, and train seven seeds on the ten digits alone
        show: train nothing; the table of `out` where it is there, else of the course's file
        again: train so many rows of the course's file again, and say how far they come out from what is stored
        csv: write the rows as a table, too
    """
    from gmcourse.comparison import results, running, telling

    stored = results.stored() if results.COURSE.is_file() else None
    if show or again:
        report = results.stored(out) if out.is_file() and not again else results.stored()
    else:
        steps_fit = stored is not None and stored["seconds"] == seconds and not calibrate
        like = stored if steps_fit or given_rates else None
        report = running.compare(out, seconds=seconds, only=only, jobs=jobs or running.cores(), like=like)
    if csv is not None:
        telling.write_csv(report, csv)
    if again:
        for line in telling.told_again(report, again):
            print(line, flush=True)
        return
    print(*telling.told(report), sep="\n")


def assignment(
    what: Annotated[Positional[tuple[str, ...]], arg(metavar="WHAT")],
    out: Path,
    name: str = "",
    no_questions: bool = False,
    replace: bool = False,
) -> None:
    """Write an assignment of the course's own exercises: a notebook to hand out, and notebooks for nbgrader.

    Args:
        what: families, lessons (5.7 or 05_gan/07_translation) and exercises (gan.share_at or 5.7.3), in any mixture
        out: the folder of your course; its key.txt is made once, is secret, and stays with you
        name: what the assignment is called, in letters from A to Z; by default its words
        no_questions: leave out the open questions of families and lessons, which a person marks
        replace: write over notebooks of this name that differ, and remove those that are not asked for now
    """
    from gmcourse.exercises.record import counted
    from gmcourse.grading.assignment import make
    from gmcourse.lab.files import find_course

    made = make(find_course(), what, out, name=name, questions=not no_questions, replace=replace)
    counts = {"exercise": made.exercises, "point": made.points, "open question": made.questions}
    print("{}, {}, and {}".format(*(counted(many, noun) for noun, many in counts.items())))
    if made.same_values:
        print(f"the same for everyone, values without numbers of one's own: {', '.join(made.same_values)}")
    if made.same_functions:
        print(f"the same for everyone, functions without hidden points: {', '.join(made.same_functions)}")
    if name not in ("", made.name):
        print(f"called {made.name}")
    print(f"hand out: {made.handout}")
    print(f"for nbgrader: {made.sources[0].parent}, then in {out}: nbgrader generate_assignment {made.name}")
    print(f"keep to yourself: {made.key}, which draws the hidden tests, and {made.sources[0].parent.parent}")


def grade(
    submissions: Annotated[Positional[Path], arg(metavar="SUBMISSIONS")],
    out: Path,
    of: tuple[str, ...] = (),
    key: Path | None = None,
    names: Path | None = None,
    jobs: int | None = None,
    seconds: float = 60.0,
    same_numbers: bool = False,
    trust_students: bool = False,
    fresh: bool = False,
) -> None:
    """Grade a folder of notebooks, STUDENT.ipynb or STUDENT/…, without trust: what students wrote runs in a sandbox.

    Args:
        submissions: the folder of what was handed in
        out: where grades.csv, gradebook.csv, grades.json, marks.csv, summary.html and feedback/ are written
        of: what to grade: the notebook that was handed out, families, lessons, ids; by default what most students hold
        key: the key.txt of your course, which draws the hidden tests
        names: a table with the columns file and student, where files are named by a platform and not by the student
        jobs: students at a time; by default one for each core
        seconds: for one exercise; an answer that takes longer is stopped
        same_numbers: the lessons' numbers for all, in place of each student's own
        trust_students: run their code without a sandbox, with your rights
        fresh: grade those again that are graded already
    """
    if os.name != "posix":
        raise ValueError("grade: got Windows, expected Linux or macOS: on Windows it runs in WSL")
    from gmcourse.exercises.record import counted
    from gmcourse.grading.grading import run

    told = run(
        submissions,
        out,
        of=of,
        key=key,
        names=names,
        trusted=trust_students,
        jobs=jobs,
        seconds=seconds,
        same=same_numbers,
        fresh=fresh,
    )
    for said in told["told"]:
        print(said)
    print(
        f"{counted(told['students'], 'student')}, {told['points']} of {told['of']} points; see {out / 'summary.html'}"
    )
    if (out / "marks.csv").exists():
        print(f"open questions: enter marks in {out / 'marks.csv'}, and run this again")
