"""Class, then independent pixels: by enumeration, against scikit-learn, and by summing over what is missing."""

import itertools
import math

import numpy as np
import pytest
import torch

from gmcourse.data import load
from gmcourse.laws.mass import sums_to_one
from gmcourse.taxonomy import Categorical, NaiveBayes

LABELS = torch.tensor([0, 0, 0, 1, 1, 2])
ROWS = torch.tensor(
    [[0, 1, 1, 0], [0, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 1], [0, 0, 1, 1]], dtype=torch.float64
).view(6, 1, 2, 2)
ALL = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64).view(16, 1, 2, 2)
SEEN = torch.tensor([True, False, True, False]).view(1, 2, 2)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def counted(smoothing=0.5):
    return NaiveBayes((1, 2, 2), classes=3).double().count(ROWS, LABELS, smoothing)


def test_it_is_scikit_learn_s_naive_bayes():
    from sklearn.naive_bayes import BernoulliNB

    digits = load("binarized-digits")
    x, labels = digits.train, digits.labels["train"]
    model = NaiveBayes((1, 8, 8)).double().count(x, labels, smoothing=0.5)
    prior = (np.bincount(labels, minlength=10) + 0.5) / (len(labels) + 5)
    theirs = BernoulliNB(alpha=0.5, class_prior=prior).fit(x.flatten(1).numpy(), labels.numpy())
    ours = model.log_joint(digits.test)
    expected = theirs.predict_joint_log_proba(digits.test.flatten(1).numpy())
    torch.testing.assert_close(ours, torch.from_numpy(expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_its_mass_is_one(smoothing):
    model = counted(smoothing)
    torch.testing.assert_close(model.log_prob(ALL).exp().sum(), torch.tensor(1.0).double())
    if smoothing:
        sums_to_one(lambda x: model.log_prob(x.view(-1, 1, 2, 2).double()), dims=4)


def test_one_class_is_the_model_of_independent_pixels():
    model = NaiveBayes((1, 2, 2), classes=1).double().count(ROWS, smoothing=0.5)
    ink = (ROWS.sum(0) + 0.5) / 7
    expected = (ALL * ink.log() + (1 - ALL) * (1 - ink).log()).sum((1, 2, 3))
    torch.testing.assert_close(model.log_prob(ALL), expected)


def test_levels_that_are_codes():
    x = torch.tensor(list(itertools.product(range(3), repeat=3)))
    model = NaiveBayes((3,), classes=2, levels=3, codes=True)
    torch.testing.assert_close(model.log_prob(x).exp().sum(), torch.tensor(1.0))
    assert model.sample(5, rng=seeded()).dtype == torch.int64
    one = NaiveBayes((3,), classes=1, levels=3).count(x[:, [0, 0, 0]], smoothing=0.0)
    torch.testing.assert_close(one.log_prob(x), torch.full((27,), -3 * math.log(3)))


@pytest.mark.parametrize("labels", [None, LABELS])
def test_the_gradient_is_zero_at_the_counts(labels):
    model = NaiveBayes((1, 2, 2), classes=1 if labels is None else 3).double()
    model.loss(ROWS, labels).backward()
    assert all(p.grad.abs().max() > 1e-3 for p in model.parameters() if p.numel() > 1)
    model.count(ROWS, labels, smoothing=1e-12).zero_grad()
    model.loss(ROWS, labels).backward()
    for parameter in model.parameters():
        torch.testing.assert_close(parameter.grad, torch.zeros_like(parameter), atol=1e-10, rtol=0)


def test_what_is_not_seen_is_summed_over():
    model = counted()
    rest = [ALL[(ALL == row)[:, SEEN].all(1)] for row in ROWS]
    seen = torch.stack([model.log_prob(rows).logsumexp(0) for rows in rest])
    torch.testing.assert_close(model.log_joint(ROWS, SEEN).logsumexp(1), seen)
    torch.testing.assert_close(model.complete_log_prob(ROWS, SEEN), model.log_prob(ROWS) - seen)
    sums = torch.stack([model.complete_log_prob(rows, SEEN).exp().sum() for rows in rest])
    torch.testing.assert_close(sums, torch.ones(6).double())


def test_what_stands_at_an_unseen_pixel_has_no_effect():
    model, spoilt = counted(), torch.where(SEEN, ROWS, math.nan)
    torch.testing.assert_close(model.log_joint(spoilt, SEEN), model.log_joint(ROWS, SEEN))
    everything, nothing = torch.ones_like(SEEN), torch.zeros_like(SEEN)
    torch.testing.assert_close(model.complete_log_prob(ROWS, everything), torch.zeros(6).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(model.complete_log_prob(ROWS, nothing), model.log_prob(ROWS))


def test_samples_follow_its_probabilities_and_their_class():
    model, n = counted(), 40_000
    table = Categorical((1, 2, 2), levels=2)
    x = model.sample(n, rng=seeded())
    assert x.dtype == torch.float64
    shares = torch.bincount(table.states(x)[0], minlength=16) / n
    torch.testing.assert_close(shares.double(), model.log_prob(ALL).exp().detach(), atol=0.01, rtol=0)
    ink = model.draw(torch.ones(n, dtype=torch.long), rng=seeded()).mean(0)
    expected = model.logits[1].softmax(1)[:, 1].view(1, 2, 2).detach()
    torch.testing.assert_close(ink, expected, atol=0.01, rtol=0)


@pytest.mark.parametrize("value", [0.5, 2.0, -1.0, math.nan])
def test_what_is_no_level_has_probability_zero_and_no_loss(value):
    model, x = counted(), ROWS.clone()
    x[0, 0, 0, 0] = value
    assert model.log_prob(x)[0].item() == -math.inf
    assert model.log_prob(x)[1:].isfinite().all()
    for method in (lambda: model.loss(x), lambda: model.count(x, LABELS)):
        with pytest.raises(ValueError, match=r"x: got .* whole numbers 0\.\.1"):
            method()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: NaiveBayes((4,), classes=0), "classes, levels"),
        (lambda: NaiveBayes((4,), levels=1), "classes, levels"),
        (lambda: counted().log_prob(ROWS.flatten(1)), r"x: got shape \(6, 4\)"),
        (lambda: counted().log_joint(ROWS, SEEN[0]), "seen: got torch.bool of shape"),
        (lambda: counted().log_joint(ROWS, SEEN.float()), "seen: got torch.float32"),
        (lambda: counted().count(ROWS, LABELS + 1), "labels: got"),
        (lambda: counted().count(ROWS, LABELS[:3]), "labels: got"),
        (lambda: counted().count(ROWS, LABELS, smoothing=-0.1), "smoothing: got"),
        (lambda: counted().count(ROWS[:3], LABELS[:3], smoothing=0.0), "x: got no rows"),
    ],
)
def test_bad_input_is_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()
