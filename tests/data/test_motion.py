"""Motion against hand-made reflections, and the data set that is one draw of it."""

import pytest
import torch

from gmcourse.data import load
from gmcourse.data.motion import bouncing_path, clip_of, draw_motion, folded, set_in_motion


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def walked(start, velocity, frames, room, parts=1000):
    """The same flight by small steps, turned round at each wall."""
    place, path = start, [start]
    for _ in range(frames - 1):
        for _ in range(parts):
            place += velocity / parts
            if place < 0 or place > room:
                place, velocity = (-place if place < 0 else 2 * room - place), -velocity
        path.append(place)
    return path


@pytest.mark.parametrize("room", [8.0, 3.5])
def test_a_path_is_the_walk_that_turns_round_at_the_walls(room):
    start, velocity = torch.tensor([[0.7, 3.2], [2.0, 0.0]]), torch.tensor([[-1.3, 2.4], [1.1, -2.0]])
    path = bouncing_path(start, velocity, 9, room)
    assert path.shape == (2, 9, 2)
    for row in range(2):
        for axis in range(2):
            expected = walked(start[row, axis].item(), velocity[row, axis].item(), 9, room)
            assert path[row, :, axis].tolist() == pytest.approx(expected, abs=1e-3)


def test_a_wall_is_a_mirror():
    position = torch.tensor([-3.0, -0.5, 0.0, 5.0, 8.0, 9.0, 16.0, 17.5, -16.0])
    assert folded(position, 8).tolist() == [3.0, 0.5, 0.0, 5.0, 8.0, 7.0, 0.0, 1.5, 0.0]


def test_a_clip_holds_the_image_at_its_corner_and_nothing_else():
    images = 1 + torch.arange(2 * 2 * 3).view(2, 2, 3).float()
    corners = torch.tensor([[[0, 0], [3, 2]], [[1, 2], [0, 1]]])
    clips = clip_of(images, corners, 5)
    assert clips.shape == (2, 1, 2, 5, 5)
    for n in range(2):
        for t in range(2):
            r, c = corners[n, t].tolist()
            assert torch.equal(clips[n, 0, t, r : r + 2, c : c + 3], images[n])
            assert clips[n, 0, t].sum() == images[n].sum()


def test_motion_is_fresh_for_another_draw_and_the_same_for_the_same():
    images = torch.rand(40, 8, 8, generator=seeded(3))
    first, again, other = (set_in_motion(images, rng=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(first.clips, again.clips)
    assert (first.corners != other.corners).flatten(1).any(1).all()
    assert first.corners.dtype == torch.int64
    assert first.clips.shape == (40, 1, 8, 16, 16)
    assert first.corners.min() == 0
    assert first.corners.max() == 8


def test_speeds_and_starts_are_as_told():
    start, velocity = draw_motion(4_000, 8, rng=seeded())
    speed = velocity.norm(dim=1)
    assert 1 <= speed.min() < 1.01
    assert 2.49 < speed.max() <= 2.5
    assert velocity.mean(0).abs().max() < 0.1
    assert start.mean(0).tolist() == pytest.approx([4, 4], abs=0.15)


def test_the_data_set_is_one_draw():
    data, still, rng = load("bouncing-digits"), load("digits"), seeded()
    for split in ("train", "valid", "test"):
        assert torch.equal(getattr(data, split), set_in_motion(getattr(still, split)[:, 0], rng=rng).clips)


def test_wrong_input_is_refused():
    images = torch.zeros(2, 8, 8)
    with pytest.raises(ValueError, match=r"images: got shape \(2, 1, 8, 8\)"):
        set_in_motion(images[:, None])
    with pytest.raises(ValueError, match="canvas at least 9 pixels, got 8 and 8"):
        set_in_motion(images, canvas=8)
    with pytest.raises(ValueError, match="room: got 0"):
        folded(torch.zeros(2), 0)
    with pytest.raises(ValueError, match=r"corners: got one that leaves the canvas, expected 0 to \[8, 8\]"):
        clip_of(images, torch.full((2, 3, 2), 9), 16)
    with pytest.raises(ValueError, match="images, corners: got"):
        clip_of(images, torch.zeros(2, 3, 2), 16)
