"""Jobs that had no comparison yet, on the 8 x 8 digits: equal CPU seconds a training, seven seeds each.

    OMP_NUM_THREADS=1 python -m benchmarks.comparison.jobs

Every network has five CPU seconds, in the job "anomalies" two for each of its ten trainings. In "completion",
"compression" and "denoising" it is trained at "rate" times the rate of its recipe, for five seeds each; the weights are
those that were best on the validation digits, whose loss is "valid", and the rate with the least counts: two more seeds
have it alone. The two other jobs have one rate, set before looking, the last weights, and seven seeds. All numbers are
of the test digits, in "anomalies" of the 540 that are held out. A row without a network has seed 0 alone.

completion: binarised digits, the upper half is known. "nats" of the lower half: exact, or "at most" for a bound;
  "right", the share of its pixels that the mean of 100 completions gets right.
anomalies: AUROC of ten trainings, each without one digit, whose pictures are the anomalies.
compression: bits a pixel at 17 levels. "coded" is the length of a file that the arithmetic coder wrote.
augmentation: test accuracy of logistic regression (and of a support vector machine, "kernel") that learns from 100 or
  400 labelled rows ("real"), from 100 samples of each class by a model trained on these rows ("drawn"), from "both".
denoising: Gaussian noise of 0.2 on the test digits, PSNR in dB of what a denoiser makes of them.

Claims made before any row was measured: the lower half costs PixelCNN fewer nats than the counted mixture; no network's
mean AUROC is above that of the distance to the nearest training digit; PixelCNN's file is shorter than the histogram's
and those of zlib and PNG; real and drawn rows together do not differ from real rows alone, for any model at any count.
They were made of one rate a model. The choice of rates came when a reader found that others turn two of the answers.
"""

from collections.abc import Iterator

import torch

from benchmarks import evidence
from benchmarks.comparison.measured.anomalies import anomalies
from benchmarks.comparison.measured.augmentation import augmentation
from benchmarks.comparison.measured.common import BRIEF, SECONDS
from benchmarks.comparison.measured.completion import complete
from benchmarks.comparison.measured.compression import compression
from benchmarks.comparison.measured.denoising import denoising
from gmcourse.comparison.entrants import RATES
from gmcourse.comparison.standings import SWEPT, at_chosen_rates

MORE = range(len(SWEPT), len(SWEPT) + 2)

JOBS = {
    "completion": (complete, ("mixture, counted", "nearest digit"), "mixture, learned/PixelCNN/MADE/CVAE/one answer"),
    "compression": (
        compression,
        ("histogram", "mixture, counted", "zlib", "lzma", "PNG"),
        "PixelCNN/mixture, learned/VAE/RealNVP/DDPM",
    ),
    "denoising": (denoising, ("nothing", "linear", "mean of training digits"), "denoising autoencoder/diffusion"),
    "anomalies": (anomalies, ("mixture, counted", "nearest digit"), "autoencoder/VAE/RealNVP/PixelCNN"),
}


def run(job: str, model: str, seed: int, **more) -> dict:
    torch.manual_seed(seed)
    if job == "augmentation":
        return augmentation(model, more["labels"], seed)
    return JOBS[job][0](model, seed, **({"rate": RATES[more["rate"]]} if "rate" in more else {}))


def plan(rows: list[dict]) -> Iterator[dict]:
    yield from first_seeds()
    found = {(row["job"], row["model"]): row["rate"] for row in at_chosen_rates(rows) if "rate" in row}
    for seed in MORE:
        yield from ({"job": job, "model": model, "rate": rate, "seed": seed} for (job, model), rate in found.items())
        yield from augmentations(seed)
        yield from ({"job": "anomalies", "model": model, "seed": seed} for model in JOBS["anomalies"][2].split("/"))


def first_seeds() -> Iterator[dict]:
    for job, (_, plain, learned) in JOBS.items():
        if job == "anomalies":  # the longest comes last
            for seed in SWEPT:
                yield from augmentations(seed)
        yield from ({"job": job, "model": model, "seed": 0} for model in plain)
        swept = [{}] if job == "anomalies" else [{"rate": rate} for rate in RATES]
        for seed in SWEPT:
            yield from ({"job": job, "model": m, **rate, "seed": seed} for m in learned.split("/") for rate in swept)


def augmentations(seed: int) -> Iterator[dict]:
    for labels in (100, 400):
        for model in ("PCA Gaussian", "CVAE", "CGAN", "diffusion"):
            yield {"job": "augmentation", "model": model, "labels": labels, "seed": seed}


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    about = {"cpu_seconds": SECONDS, "cpu_seconds_anomalies": BRIEF}
    evidence.rows("comparison/jobs", plan, run, options, packages=("torch", "scikit-learn"), **about)
