"""The Transformer language model: causal, normalised, and the same with a cache as without."""

import itertools

import pytest
import torch
from torch import nn

from gmcourse.autoregressive import TransformerLanguageModel
from gmcourse.autoregressive.discrete import choose, uniforms
from gmcourse.autoregressive.generation import generate


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def scattered(levels=5, window=6, spread=0.4, **options):
    """A small model in double precision, its weights far from where training begins."""
    torch.manual_seed(0)
    model = TransformerLanguageModel(levels, window, width=8, heads=2, **options).double().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0.0, spread)
    return model


def codes(n, length, levels=5, seed=0):
    return torch.randint(0, levels, (n, length), generator=seeded(seed))


def test_all_rows_together_have_probability_one():
    model = scattered(levels=3, window=4)
    rows = torch.tensor(list(itertools.product(range(3), repeat=4)))
    assert model.log_prob(rows).exp().sum().item() == pytest.approx(1.0, abs=1e-12)
    assert model.log_prob(rows).std() > 0.1


def test_a_symbol_is_seen_by_those_after_it_and_by_no_other():
    model, x = scattered(), codes(3, 6)
    before = model.logits(x)
    for place in range(6):
        changed = x.clone()
        changed[:, place] = (x[:, place] + 1) % 5
        moved = (model.logits(changed) - before).abs().amax((0, 1))
        assert (moved[: place + 1] == 0).all()
        assert (moved[place + 1 :] > 1e-6).all()


def test_a_shorter_row_has_the_logits_of_its_beginning():
    model, x = scattered(), codes(3, 6)
    torch.testing.assert_close(model.logits(x[:, :4]), model.logits(x)[:, :, :4])


def test_step_by_step_has_the_logits_of_one_pass():
    model, x = scattered(), codes(3, 6)
    whole, state = model.logits(x), model.begin(3)
    for t in range(6):
        logits, state = model.step(None if t == 0 else x[:, t - 1], state)
        torch.testing.assert_close(logits, whole[:, :, t])


def test_cached_samples_are_those_of_reading_anew():
    model = scattered()
    u, x = uniforms(7, 6, model.places, seeded()), torch.zeros(7, 6, dtype=torch.int64)
    for t in range(6):
        x[:, t] = choose(model.logits(x)[:, :, t], u[:, t])
    assert torch.equal(model.sample(7, rng=seeded()), x)


def test_past_its_window_it_goes_on_from_the_last_half():
    """Of 20 symbols through a window of 6: after 6 have been read the last 3 are read anew, and so on."""
    model, length = scattered(), 20
    u, x, first = uniforms(3, length, model.places, seeded()), torch.zeros(3, length, dtype=torch.int64), 0
    for t in range(length):
        if t - first + 1 > 6:
            first = t - 3
        x[:, t] = choose(model.logits(x[:, first : t + 1])[:, :, t - first], u[:, t])
    assert torch.equal(generate(model, 3, length, rng=seeded()), x)


def test_a_prompt_is_read_like_what_was_drawn():
    model, x = scattered(), codes(1, 4)[0]
    text = generate(model, 2, 5, prompt=x, rng=seeded())
    assert torch.equal(text[:, :4], x.expand(2, -1))
    assert text.shape == (2, 9)


def test_dropout_rests_in_samples_and_acts_in_training():
    model, x = scattered(dropout=0.5), codes(4, 6)
    assert torch.equal(model.log_prob(x), model.log_prob(x))
    sampled = model.sample(5, rng=seeded())
    model.train()
    assert not torch.equal(model.log_prob(x), model.log_prob(x))
    assert torch.equal(model.sample(5, rng=seeded()), sampled)


def test_bad_input_is_named():
    model = scattered()
    with pytest.raises(ValueError, match="x: got 7 symbols, expected at most 6"):
        model.logits(codes(1, 7))
    with pytest.raises(ValueError, match="x: got torch.int64 from 0 to 5"):
        model.loss(torch.tensor([[0, 5]]))
