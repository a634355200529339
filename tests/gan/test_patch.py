"""The patch critic: the field that is computed is the one that gradients reach, and a moved picture moves its map."""

import pytest
import torch

from gmcourse.gan.patch import layers_of, patch_critic, receptive_field


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_a_logit_sees_its_field_and_no_more(halvings):
    torch.manual_seed(0)
    critic = patch_critic(2, 4, halvings)
    x = torch.rand(1, 2, 64, 64, requires_grad=True)
    side, step = receptive_field(layers_of(critic))
    logits = critic(x)
    assert logits.shape == (1, 1, 64 // 2**halvings, 64 // 2**halvings)
    middle = logits.shape[-1] // 2
    seen = torch.autograd.grad(logits[0, 0, middle, middle], x)[0].abs().sum((0, 1)).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [side, side]
    assert step == 2**halvings


def test_the_papers_critic_sees_seventy_pixels():
    assert receptive_field([(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]) == (70, 8)
    assert receptive_field([(4, 2), (4, 1), (4, 1)]) == (16, 2)
    assert receptive_field([]) == (1, 1)


def test_away_from_the_border_a_moved_picture_moves_the_map():
    torch.manual_seed(0)
    critic = patch_critic(1, 8, 2)
    x = torch.zeros(1, 1, 48, 48)
    x[..., 16:28, 16:28] = torch.rand(12, 12)
    logits, moved = critic(x), critic(x.roll((4, 8), (2, 3)))
    assert torch.allclose(moved[..., 4:10, 5:10], logits[..., 3:9, 3:8], atol=1e-6)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="halvings: got 0"):
        patch_critic(1, halvings=0)
