"""Places against the truth that clips were drawn with; baselines against motions whose end is known."""

import pytest
import torch

from gmcourse.data import load
from gmcourse.data.motion import bouncing_path, clip_of, set_in_motion
from gmcourse.metrics.classifier import digit_class
from gmcourse.metrics.motion import (
    best_path_kept,
    correlation,
    crops,
    digits_seen,
    last_kept,
    last_step_kept,
    places,
    position_error,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def motion():
    images = load("digits").test[:60, 0]
    return images, *set_in_motion(images, rng=seeded(1))


def test_the_places_of_a_true_clip_are_found_exactly(motion):
    images, clips, corners = motion
    assert torch.equal(places(clips, images), corners)
    assert torch.equal(places(clips[:, 0], images), corners)
    assert not position_error(clips, images, corners).any()


def test_a_place_is_where_the_squared_error_is_least(motion):
    images, clips, corners = motion
    blurred = (clips + 0.4 * torch.randn(clips.shape, generator=seeded())).clamp(0, 1)
    found = places(blurred, images)
    candidates = torch.stack(torch.meshgrid(torch.arange(9), torch.arange(9), indexing="ij"), -1).view(1, 81, 2)
    drawn = clip_of(images, candidates.expand(60, -1, -1), 16)  # the digit at each place
    errors = (blurred.transpose(1, 2) - drawn).square().sum((3, 4))
    assert torch.equal(found.flatten(2), candidates[0][errors.argmin(2)])


def test_a_canvas_need_not_be_square_nor_an_image():
    image = torch.tensor([[[1.0, 2.0, 0.0], [0.0, 3.0, 1.0]]])
    frame = torch.zeros(1, 1, 1, 6, 9)
    frame[0, 0, 0, 3:5, 5:8] = image[0]
    assert correlation(frame, image).shape == (1, 1, 5, 7)
    assert places(frame, image).tolist() == [[[3, 5]]]
    assert position_error(frame, image, torch.tensor([[[0, 1]]])).tolist() == [[5.0]]


def test_a_crop_is_the_image_at_its_place(motion):
    images, clips, corners = motion
    assert torch.equal(crops(clips, corners, 8), images[:, None].expand(-1, 8, -1, -1))


def test_a_digit_is_read_where_it_is(motion):
    images, clips, corners = motion
    alone = digit_class(images[:, None])
    assert torch.equal(digits_seen(clips, corners), alone[:, None].expand(-1, 8))
    assert (digits_seen(clips.roll(4, -1), corners) != alone[:, None]).float().mean() > 0.3


def test_what_stands_still_is_copied():
    given = torch.tensor([[[0, 1], [2, 3]]])
    assert last_kept(given, 3).tolist() == [[[2, 3]] * 3]


def test_a_step_goes_on_and_comes_back():
    given = torch.tensor([[[0, 8], [2, 5]], [[5, 0], [7, 0]]])
    assert last_step_kept(given, 3, 8).tolist() == [[[4, 2], [6, 1], [8, 4]], [[7, 0], [5, 0], [3, 0]]]


@pytest.mark.parametrize("known", [3, 5])
def test_the_best_path_is_found_where_it_is_on_the_grid(known):
    start, velocity = torch.tensor([[0.5, 3.25], [7.75, 1.0]]), torch.tensor([[-1.35, 2.5], [0.05, -2.05]])
    path = bouncing_path(start, velocity, 9, 8)
    assert torch.allclose(best_path_kept(path[:, :known], 9 - known, 8), path[:, known:].double(), atol=1e-4)


def test_a_ruler_with_a_mirror_beats_a_ruler_and_that_a_copy(motion):
    _, _, corners = motion
    errors = [
        (guess - corners[:, 4:]).norm(dim=2).mean(0)
        for guess in (
            best_path_kept(corners[:, :4], 4, 8),
            last_step_kept(corners[:, :4], 4, 8),
            last_kept(corners[:, :4], 4).double(),
        )
    ]
    assert (errors[0] < errors[1]).all()
    assert (errors[1] < errors[2]).all()
    assert errors[0].max() < 1.5


def test_wrong_input_is_refused(motion):
    images, clips, corners = motion
    with pytest.raises(ValueError, match="clips, images: got shapes"):
        places(clips, images[:5])
    with pytest.raises(ValueError, match=r"truth: got shape \(60, 3, 2\), expected \(60, 8, 2\)"):
        position_error(clips, images, corners[:, :3])
    with pytest.raises(ValueError, match="given: got 1 places"):
        last_step_kept(corners[:, :1], 2, 8)
