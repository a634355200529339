"""Attributes of pictures of strokes whose measures are known; directions; detectors; styles transferred."""

import pytest
import torch

from gmcourse.gan.detection import fit_detector, resampled, spectrum_features
from gmcourse.gan.editing import direction, direction_within, ink, shares, slant, thickness
from gmcourse.gan.style_transfer import (
    RENDERINGS,
    StyleAutoencoder,
    StyleTransfer,
    enlarged,
    gap,
    rendered,
    style_decoder,
)
from gmcourse.training import fit


def stroke(width, lean=0.0, side=64):
    """A stroke of this width, 40 rows long, that goes `lean` pixels to the right for each row upwards."""
    rows, columns = torch.arange(side)[:, None].float(), torch.arange(side).float()
    middle = side / 2 + lean * (side / 2 - rows)
    inside = ((columns - middle).abs() <= width / 2) & (rows >= 12) & (rows < 52)
    return inside.float()[None, None]


def test_attributes_of_strokes():
    assert ink(stroke(3)).item() == pytest.approx(40 * 3 / 64**2)
    assert slant(torch.cat([stroke(3), stroke(3, 0.3), stroke(5, -0.5)])).tolist() == pytest.approx(
        [0, 0.3, -0.5], abs=0.03
    )
    thin, thick = thickness(torch.cat([stroke(3), stroke(7)])).tolist()
    assert thin == pytest.approx(2 * 3 * 40 / (2 * 43), rel=0.05)
    assert thick == pytest.approx(2 * 7 * 40 / (2 * 47), rel=0.05)
    blank = torch.zeros(1, 1, 8, 8)
    assert [f(blank).item() for f in (ink, slant, thickness)] == [0, 0, 0]
    with pytest.raises(ValueError, match=r"images: got shape \(8, 8\)"):
        ink(blank[0, 0])


def test_shares_are_slopes():
    first, second = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    assert shares(0.7 * first + 0.2 * second + 3, first, second) == pytest.approx((0.7, 0.2), abs=1e-5)
    with pytest.raises(ValueError, match="mixed, first, second"):
        shares(first, first, second[:10])


def test_a_direction_inside_classes_does_not_move_between_them():
    rng = torch.Generator().manual_seed(0)
    classes = torch.arange(400) % 2
    w = torch.randn(400, 2, generator=rng)
    w[:, 0] += 10.0 * classes
    values = w[:, 1] + 5.0 * classes
    across, within = direction(w, values), direction_within(w, values, classes)
    assert across[0] > 5 * within[0].abs()
    assert within[1] > 1.5
    with pytest.raises(ValueError, match="values, share"):
        direction(w, values, 0.8)
    with pytest.raises(ValueError, match="classes: got none"):
        direction_within(w[:4], values[:4], classes[:4])


def test_a_detector_finds_a_checkerboard_and_a_copy_hides_it():
    rng = torch.Generator().manual_seed(0)
    smooth = resampled(torch.rand(300, 1, 8, 8, generator=rng), 4)
    signs = (1 - 2.0 * (torch.arange(8)[:, None] + torch.arange(8)).remainder(2)) * 0.05
    real, fake = smooth[:150], (smooth[150:] + signs).clamp(0, 1)
    detector = fit_detector(spectrum_features(real), spectrum_features(fake))
    scores = [detector(spectrum_features(x))[:, 0] for x in (real, fake)]
    assert scores[0].median() < 0 < scores[1].median()
    assert spectrum_features(real).shape == (150, 8 * 5)
    left = (resampled(fake, 5) - resampled(smooth[150:], 5)).abs().mean()
    assert left < 0.3 * signs.abs().mean()


def test_pictures_are_rendered_in_six_ways():
    x = enlarged(torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    drawn = rendered(x, torch.arange(6))
    assert drawn.shape == (6, 1, 16, 16)
    assert len(RENDERINGS) == 6
    assert torch.equal(drawn[0], x[0])
    assert (drawn[1] >= x[1]).all()
    torch.testing.assert_close(drawn[4], 1 - x[4])
    assert 0 <= drawn.min() <= drawn.max() <= 1


@pytest.mark.parametrize("told", [False, True])
def test_transfer_learns_to_match_statistics_and_leaves_the_encoder(told):
    torch.manual_seed(0)
    x = enlarged(torch.rand(24, 1, 8, 8))
    kinds, digits = torch.arange(24) % 6, torch.arange(24) % 10
    features = StyleAutoencoder(16, told=told)
    history = fit(features, (rendered(x, kinds), kinds, digits), steps=30, batch_size=12, lr=5e-3, progress=False)
    assert history["loss"][-1] < history["loss"][0]
    model = StyleTransfer(features.encoder, style_decoder(), 10.0)
    before = [p.clone() for p in model.encoder.parameters()]
    left = model.gap_left(x, rendered(x, kinds))
    losses = fit(model, (x, rendered(x, kinds)), steps=30, batch_size=12, lr=5e-3, progress=False)["loss"]
    assert losses[-1] < losses[0]
    assert model.gap_left(x, rendered(x, kinds)) < left
    assert all(torch.equal(a, b) for a, b in zip(before, model.encoder.parameters(), strict=True))
    maps = model.encoder(x)
    assert gap(maps, maps).abs().max() == 0
    torch.testing.assert_close(model.target(x, rendered(x, kinds), 0.0), maps[-1])
