"""A data set from your own tensors; splits by position; what does not agree is refused."""

import pytest
import torch

from gmcourse.data import Dataset
from gmcourse.data.dataset import SPLITS, split_text

X = torch.arange(200.0).view(100, 2)


def test_a_tensor_is_split_in_tenths_and_keeps_every_row():
    data = Dataset.from_tensors(X, torch.arange(100))
    assert [len(getattr(data, split)) for split in SPLITS] == [80, 10, 10]
    assert (data.key, data.event_shape, data.train.dtype) == ("own", (2,), torch.float32)
    for split in SPLITS:
        assert torch.equal(getattr(data, split), X[data.labels[split]])
    assert sorted(torch.cat([data.labels[split] for split in SPLITS]).tolist()) == list(range(100))


def test_the_order_is_a_function_of_the_seed():
    one, same, other = (Dataset.from_tensors(X, seed=seed).test for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_three_tensors_stay_as_they_were_split():
    data = Dataset.from_tensors((X[:50], X[50:60], X[60:]), (X[:50, 0], X[50:60, 0], X[60:, 0]), key="mine")
    assert torch.equal(data.valid, X[50:60])
    assert torch.equal(data.labels["test"], X[60:, 0])
    assert repr(data) == "Dataset('mine': train 50, valid 10, test 40; event (2,) float32; not stated)"


@pytest.mark.parametrize(
    "given, kept",
    [
        (torch.float64, torch.float32),
        (torch.float16, torch.float32),
        (torch.bool, torch.float32),
        (torch.uint8, torch.int64),
        (torch.int32, torch.int64),
        (torch.int64, torch.int64),
    ],
)
def test_every_type_becomes_one_of_two(given, kept):
    assert Dataset.from_tensors((X % 2).to(given)).train.dtype == kept


NAN = X.clone()
NAN[7, 1] = torch.nan


@pytest.mark.parametrize(
    "x, labels, message",
    [
        (X[:9], None, "x: got 9 rows, expected at least 10"),
        ((X[:90], X[90:, :1], X[90:]), None, r"valid: got shape \(10, 1\) and torch.float32, expected \(n, \*\(2,\)\)"),
        ((X[:90], X[90:].long(), X[90:]), None, "valid: got shape .* and torch.int64, expected .* and torch.float32"),
        ((X[:90], X[:0], X[90:]), None, r"valid: got shape \(0, 2\), expected at least one row"),
        (X, torch.arange(99), "labels: got 79 for train, expected 80"),
        ((NAN, X[:5], X[5:9]), None, "train: row 7 holds NaN"),
        (torch.full((20,), 1e300, dtype=torch.float64), None, "train: row 0 holds NaN or infinity .or is too large"),
        (X.to(torch.complex64), None, "train: got torch.complex64, expected real"),
    ],
)
def test_what_does_not_agree_is_a_value_error(x, labels, message):
    with pytest.raises(ValueError, match=message):
        Dataset.from_tensors(x, labels)


@pytest.mark.parametrize("x", [X.numpy(), [X, X, X], (X, X), torch.tensor(1.0)])
def test_what_is_no_tensor_is_a_type_error(x):
    with pytest.raises(TypeError, match="x: got .* expected a tensor"):
        Dataset.from_tensors(x)


def test_a_record_with_another_event_shape_is_refused():
    with pytest.raises(ValueError, match=r"train: got shape \(100, 2\) .* expected \(n, \*\(3,\)\)"):
        Dataset("k", "n", X, X, X, None, (3,), "", "")


@pytest.mark.parametrize("n, counts", [(20, (18, 1, 1)), (109, (98, 5, 6)), (1000, (900, 50, 50))])
def test_a_text_is_split_by_position(n, counts):
    parts = split_text(torch.arange(n))
    assert tuple(len(parts[split]) for split in SPLITS) == counts
    assert torch.equal(torch.cat([parts[split] for split in SPLITS]), torch.arange(n))


def stream(n=100, **more):
    return Dataset.from_tensors((torch.arange(n) % 7, torch.arange(20) % 7, torch.arange(25) % 7), **more)


def test_a_stream_is_cut_into_rows_in_order():
    rows = stream().windows(8)
    assert rows.event_shape == (8,)
    assert (len(rows.train), len(rows.valid), len(rows.test)) == (12, 2, 3)
    assert torch.equal(rows.train.flatten(), stream().train[:96])


@pytest.mark.parametrize("length", [0, 21])
def test_rows_that_no_stream_holds(length):
    with pytest.raises(ValueError, match=f"length: got {length} .* 1 to 20 of its symbols"):
        stream().windows(length)


def test_rows_are_cut_once():
    with pytest.raises(ValueError, match="length: got 4 .* expected a stream"):
        stream().windows(8).windows(4)


def test_a_batch_with_and_without_labels():
    x, labels = torch.rand(20, 3), torch.arange(20)
    data = Dataset.from_tensors(x, labels)
    assert [len(part) for part in data.batch("valid")] == [2]
    told = data.batch("valid", told=True)
    assert torch.equal(told[0], data.valid)
    assert torch.equal(x[told[1]], data.valid)
    with pytest.raises(ValueError, match="data: own has no labels"):
        Dataset.from_tensors(x).batch("train", told=True)
