from functools import partial
from itertools import product

import pytest
import torch
from torch import nn

from gmcourse.autoregressive.choosing import temperature
from gmcourse.autoregressive.discrete import choose, uniforms
from gmcourse.autoregressive.generation import generate
from gmcourse.autoregressive.mu_law import decode
from gmcourse.autoregressive.wavenet import WAVENET, Block, WaveNet, at_once, causal_conv, gate, receptive_field
from gmcourse.data import Dataset, load


def small(dilations=(1, 2, 4), kernel=2, classes=3, length=20, levels=8, seed=0):
    """In double precision, its conditioning away from the zeros that it starts from."""
    torch.manual_seed(seed)
    model = WaveNet(length, dilations, channels=4, skip=6, levels=levels, kernel=kernel, classes=classes).double()
    for block in model.blocks:
        if block.told is not None:
            nn.init.normal_(block.told.weight)
    return model.eval()


def rows(n, length, levels=8, seed=1):
    return torch.randint(0, levels, (n, length), generator=torch.Generator().manual_seed(seed))


def seen_by(model, place, length):
    """The samples on which the logits of `place` depend: the slope in the embedded codes, which is exact."""
    given = torch.zeros(1, dtype=torch.int64) if model.classes else None
    codes, kept = rows(1, length), []
    model.embed.register_forward_hook(lambda *parts: kept.append(parts[-1].requires_grad_()) or kept[-1])
    with torch.enable_grad():
        logits = model.logits(codes, given)
        (slope,) = torch.autograd.grad(logits[0, :, place].square().sum(), kept[-1])
    return slope[0].abs().sum(1).nonzero().flatten().tolist()


@pytest.mark.parametrize(
    ("kernel", "dilations", "reach"),
    [
        (2, (1, 2, 4, 8), 16),
        (2, (1, 2, 4, 8) * 2, 31),
        (3, (1, 3), 9),
        (2, [2**i for i in range(10)], 1024),
        (2, [2**i for i in range(10)] * 3, 3070),
        (2, [2**i for i in range(7)] * 2, 255),
        (2, [1] * 14, 15),
        (2, [1] * 10, 11),
    ],
)
def test_the_reach_is_one_and_the_sum_of_the_dilations(kernel, dilations, reach):
    assert receptive_field(kernel, dilations) == reach


@pytest.mark.parametrize(("kernel", "dilations"), [(2, (1, 2, 4)), (2, (1, 2, 1, 2)), (3, (1, 3)), (2, (1, 1, 1))])
def test_the_window_is_exactly_the_reach_and_ends_before_the_sample(kernel, dilations):
    model, reach = small(dilations, kernel), receptive_field(kernel, dilations)
    assert model.receptive_field == reach
    assert seen_by(model, 15, 20) == list(range(15 - reach, 15))
    assert seen_by(model, 2, 20) == [0, 1]
    assert seen_by(model, 0, 20) == []


def test_reach_is_a_span_and_no_promise():
    """Dilations 2, 4, 8, 16: of 31 samples back only every second one has a path."""
    model = small((2, 4, 8, 16), length=40)
    assert seen_by(model, 39, 40) == [39 - lag for lag in range(31, 0, -2)]


def test_the_convolution_is_the_sum_by_hand():
    x, weight = torch.randn(2, 3, 9), torch.randn(4, 3, 2)
    y = causal_conv(x, weight, 3)
    for t in range(9):
        by_hand = weight[:, :, 1] @ x[:, :, t, None] + (weight[:, :, 0] @ x[:, :, t - 3, None] if t >= 3 else 0)
        torch.testing.assert_close(y[:, :, t], by_hand[..., 0])


@pytest.mark.parametrize("classes", [None, 3])
def test_one_block_by_hand(classes):
    torch.manual_seed(0)
    block = Block(4, 2, 2, classes, last=False)
    h, given = torch.randn(2, 4, 7), None if classes is None else torch.tensor([2, 0])
    if classes:
        nn.init.normal_(block.told.weight)
    seen = nn.functional.conv1d(nn.functional.pad(h, (2, 0)), block.taps.weight, block.taps.bias, dilation=2)
    seen = seen if classes is None else seen + block.told.weight[given][:, :, None]
    z = torch.tanh(seen[:, :4]) * torch.sigmoid(seen[:, 4:])
    on, gated = block(h, given)
    torch.testing.assert_close(gated, z)
    torch.testing.assert_close(gate(seen), z)
    torch.testing.assert_close(on - h, block.residual(z))
    assert Block(4, 2, 2, classes, last=True)(h, given)[0] is h
    torch.testing.assert_close(at_once(block.residual, z[..., 3]), block.residual(z)[..., 3])


@pytest.mark.parametrize(("kernel", "dilations"), [(2, (1, 2, 4, 1, 2, 4)), (3, (1, 3)), (2, (1, 1))])
@pytest.mark.parametrize("classes", [None, 3])
def test_queues_give_what_a_pass_over_everything_gives(kernel, dilations, classes):
    model = small(dilations, kernel, classes)
    codes, given = rows(3, 20), None if classes is None else torch.tensor([0, 2, 1])
    with torch.no_grad():
        whole = model.logits(codes, given)
        logits, state = model.step(None, model.begin(3, *(() if given is None else (given,))))
        for t in range(20):
            torch.testing.assert_close(logits, whole[:, :, t], rtol=0, atol=1e-12)
            logits, state = model.step(codes[:, t], state)
    assert state.t == 21


def test_samples_are_those_of_the_naive_sampler():
    model, given = small(), torch.tensor([0, 1, 2, 0])
    sounds = model.sample(4, given, rng=torch.Generator().manual_seed(5))
    codes = torch.zeros(4, 20, dtype=torch.int64)
    u = uniforms(4, 20, sounds, torch.Generator().manual_seed(5))
    with torch.no_grad():
        for t in range(20):
            codes[:, t] = choose(model.logits(codes, given)[:, :, t], u[:, t])
    assert torch.equal(sounds, decode(codes, 8, torch.float64)[:, None])


def test_a_sound_may_be_longer_than_those_it_was_built_for():
    model = small(classes=None)
    assert model.sample(2, length=33).shape == (2, 1, 33)
    assert model.log_prob(torch.rand(2, 1, 33)).shape == (2,)
    short = model.sample(2, length=7, rng=torch.Generator().manual_seed(0))
    assert short.shape == (2, 1, 7)


@pytest.mark.parametrize("given", [None, 1])
def test_the_mass_of_all_sounds_of_three_samples_is_one(given):
    model = small((1, 2), classes=None if given is None else 2, length=3, levels=4)
    codes = torch.tensor(list(product(range(4), repeat=3)))
    told = () if given is None else (torch.full((64,), given),)
    log_p = model.log_prob(decode(codes, 4, torch.float64)[:, None], *told)
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-12)
    own = generate(model, 4000, 3, given=tuple(t[:1].expand(4000) for t in told), rng=torch.Generator().manual_seed(0))
    drawn = torch.bincount((own * torch.tensor([16, 4, 1])).sum(1), minlength=64) / 4000
    assert (drawn - log_p.exp()).abs().max() < 0.02


def test_the_class_is_heard_in_every_block():
    model, codes = small(), rows(2, 20)
    first, other = (model.logits(codes, torch.tensor([c, c])) for c in (0, 1))
    assert not torch.allclose(first, other, atol=1e-2)
    for block in model.blocks:
        kept = block.told.weight.data.clone()
        block.told.weight.data[1] = kept[0]
        assert not torch.allclose(model.logits(codes, torch.tensor([1, 1])), other, atol=1e-3)
        block.told.weight.data = kept


def test_several_classes_at_once_add_up():
    model, codes = small(), rows(2, 20)
    both = model.logits(codes, torch.tensor([[0, 2], [1, 1]]))
    for block in model.blocks:
        summed = block.told.weight.data[[0, 1]] + block.told.weight.data[[2, 1]]
        block.told.weight.data = torch.cat([summed, summed[:1]])
    torch.testing.assert_close(model.logits(codes, torch.tensor([0, 1])), both)


def test_at_the_start_the_class_says_nothing_and_the_loss_is_of_the_codes():
    torch.manual_seed(0)
    model = WaveNet(20, (1, 2), channels=4, skip=6, levels=8, classes=3)
    x = torch.rand(5, 1, 20) - 0.5
    ours = [model.log_prob(x, torch.full((5,), c)) for c in (0, 2)]
    torch.testing.assert_close(*ours)
    torch.testing.assert_close(model.loss(x, torch.zeros(5, dtype=torch.int64)), -ours[0].mean())
    nudged = x + 1e-6 * torch.randn_like(x)
    torch.testing.assert_close(model.log_prob(nudged, torch.zeros(5, dtype=torch.int64)), ours[0])


def test_cold_sounds_are_likelier():
    model, given = small(levels=16, length=40), torch.zeros(64, dtype=torch.int64)
    with torch.no_grad():
        drawn = [
            model.log_prob(decode(codes, 16, torch.float64)[:, None], given).mean()
            for t in (1.0, 0.3)
            for codes in [generate(model, 64, 40, given=(given,), choose=partial(temperature, t=t))]
        ]
    assert drawn[1] > drawn[0]


def test_bad_input_is_named():
    model = small()
    given = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"x: got torch.float32 amplitudes up to 1.5, expected real ones in \[-1, 1\]"):
        model.loss(torch.full((2, 1, 20), 1.5), given)
    with pytest.raises(ValueError, match="x: got .* up to nan"):
        model.loss(torch.full((2, 1, 20), torch.nan), given)
    with pytest.raises(ValueError, match="given: got none, expected classes 0..2"):
        model.log_prob(torch.zeros(2, 1, 20))
    with pytest.raises(ValueError, match="given: got none"):
        model.sample(2)
    with pytest.raises(ValueError, match="given: got classes, expected none"):
        small(classes=None).log_prob(torch.zeros(2, 1, 20), given)
    for options in ({"kernel": 1}, {"dilations": ()}, {"dilations": (1, 0)}):
        with pytest.raises(ValueError, match="kernel: got"):
            WaveNet(8, **({"dilations": (1, 2)} | options))


def test_the_record_stands_on_sounds():
    assert WAVENET.build(load("tones")).receptive_field == 255
    x = torch.rand(20, 1, 6)
    assert WAVENET.build(Dataset.from_tensors(x)).receptive_field == 3
    assert WAVENET.build(Dataset.from_tensors(x[..., :1])).event_shape == (1, 1)
    with pytest.raises(ValueError, match="data: own holds amplitudes up to 2"):
        WAVENET.build(Dataset.from_tensors(2 * torch.ones(20, 1, 6)))
    assert not WAVENET.suits((2, 100), torch.float32)
    assert not WAVENET.suits((1, 100), torch.int64)
