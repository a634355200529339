"""Copies are found, honest samples are not, and the mean of two halves is shown to hide what each says."""

import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from gmcourse.data import load
from gmcourse.metrics import nearest_share, one_nearest


def normal(n, d, seed, scale=1.0):
    return scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_the_nearest_share_is_scikit_learn_s():
    fake, train, held_out = normal(70, 3, 0, 0.9), normal(90, 3, 1), normal(90, 3, 2)
    near, far = (
        NearestNeighbors(n_neighbors=1).fit(rows.double().numpy()).kneighbors(fake.double().numpy())[0][:, 0]
        for rows in (train, held_out)
    )
    assert nearest_share(fake, train, held_out) == pytest.approx((near < far).mean())


def test_honest_samples_and_copies():
    train, held_out = normal(2_000, 2, 0), normal(2_000, 2, 1)
    assert nearest_share(normal(5_000, 2, 2), train, held_out) == pytest.approx(0.5, abs=4 * 0.5 / 5_000**0.5)
    assert nearest_share(train, train, held_out) == 1.0
    assert nearest_share(held_out, train, held_out) == 0.0
    tenth = torch.cat([train[:500], normal(4_500, 2, 3)])
    assert nearest_share(tenth, train, held_out) == pytest.approx(0.55, abs=0.03)


def test_equal_distances_count_half():
    train = torch.tensor([[0.0], [1.0]])
    assert nearest_share(torch.tensor([[0.0], [1.0], [0.5]]), train, train.flip(0)) == 0.5


def test_copies_that_moved_a_pixel_escape():
    digits = load("digits")
    train, held_out = digits.train[:360], digits.test[:360]
    moved = train.roll(1, -1)
    assert nearest_share(train, train, held_out) == 1.0
    assert nearest_share(moved, train, held_out) < 0.5


@pytest.mark.parametrize("n", [2, 60])
def test_one_nearest_is_leave_one_out_by_scikit_learn(n):
    real, fake = normal(n, 3, 0).double(), normal(n, 3, 1, 0.7).double()
    x, y = torch.cat([real, fake]).numpy(), [0] * n + [1] * n
    right = []
    for i in range(2 * n):
        kept = [k for k in range(2 * n) if k != i]
        model = KNeighborsClassifier(1).fit(x[kept], [y[k] for k in kept])
        right.append(float(model.predict(x[i : i + 1])[0] == y[i]))
    found = one_nearest(real, fake)
    assert found.data == pytest.approx(sum(right[:n]) / n)
    assert found.fakes == pytest.approx(sum(right[n:]) / n)


def test_the_mean_of_both_halves_hides_copies():
    real = normal(1_000, 64, 0)
    honest = one_nearest(real, normal(1_000, 64, 1))
    assert honest.fakes == pytest.approx(honest.data, abs=0.25)
    assert sum(honest) / 2 == pytest.approx(999 / 1_999, abs=0.03)
    copies = one_nearest(real, real + normal(1_000, 64, 2, 0.01))
    assert copies == (0.0, 0.0)


@pytest.mark.parametrize(
    ("sizes", "said"), [((3, 4, 5), "got 4 and 5 rows"), ((0, 4, 4), "0 fakes"), ((3, 0, 0), "got 0 and 0 rows")]
)
def test_sets_of_other_sizes_are_refused(sizes, said):
    with pytest.raises(ValueError, match=said):
        nearest_share(*(torch.zeros(n, 2) for n in sizes))
    with pytest.raises(ValueError, match="expected as many rows of both"):
        one_nearest(torch.zeros(3, 2), torch.zeros(4, 2))
    with pytest.raises(ValueError, match="got rows of 2, 3, 2"):
        nearest_share(torch.zeros(3, 2), torch.zeros(4, 3), torch.zeros(4, 2))
