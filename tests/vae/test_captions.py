"""A prior with captions by enumeration: its masses, its order, its draws, and what guidance makes of them."""

import copy
from itertools import product

import pytest
import torch

from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.vae.captions import CaptionPrior, caption_row, drop_captions, guided_logits, mixture_log_prob

WORDS, LEVELS, LENGTH = 3, 4, (2, 3)
CODES = torch.tensor(list(product(range(LEVELS), repeat=LENGTH[1])))
CAPTIONS = torch.tensor(list(product(range(WORDS), repeat=LENGTH[0])))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def prior():
    torch.manual_seed(0)
    rows = TransformerLanguageModel(WORDS + 1 + LEVELS, sum(LENGTH), width=8, heads=2, layers=1, dropout=0.2)
    for weight in rows.parameters():
        torch.nn.init.normal_(weight, 0.0, 0.7)
    return CaptionPrior(rows, WORDS, LEVELS, LENGTH, drop=0.25).eval()


def first_code(prior, given):
    """p(k_1|c), (V,), from the table of all rows of codes."""
    given = None if given is None else given.expand(len(CODES), -1)
    with torch.no_grad():
        return prior.log_prob(CODES, given).exp().view(LEVELS, -1).sum(1)


@torch.no_grad()
def test_probabilities_sum_to_one_with_each_caption_and_without(prior):
    for given in (*CAPTIONS, torch.full((2,), WORDS)):
        assert prior.log_prob(CODES, given.expand(len(CODES), -1)).exp().sum().item() == pytest.approx(1, abs=1e-5)
    assert prior.prefix_log_prob(CAPTIONS).exp().sum().item() == pytest.approx(1, abs=1e-5)
    without = torch.full((len(CODES), 2), prior.none)
    assert torch.equal(prior.log_prob(CODES), prior.log_prob(CODES, without))


@torch.no_grad()
def test_words_hang_on_no_code_and_codes_on_what_stands_before(prior):
    codes, given = CODES[7:8], CAPTIONS[5:6]
    words, symbols = prior.symbol_log_prob(codes, given)
    for place in range(LENGTH[1]):
        other = codes.clone()
        other[0, place] = (other[0, place] + 1) % LEVELS
        words_after, after = prior.symbol_log_prob(other, given)
        assert torch.equal(words_after, words)
        assert torch.equal(after[:, :place], symbols[:, :place])
        assert not torch.equal(after[:, place:], symbols[:, place:])
    for place in range(LENGTH[0]):
        other = given.clone()
        other[0, place] = (other[0, place] + 1) % WORDS
        assert (prior.symbol_log_prob(codes, other)[1] != symbols).any()


@torch.no_grad()
def test_a_caption_is_worth_at_most_what_it_costs(prior):
    log_caption = prior.prefix_log_prob(CAPTIONS)
    log_given = torch.stack([prior.log_prob(CODES, row.expand(len(CODES), -1)) for row in CAPTIONS])
    log_codes = mixture_log_prob(log_given, log_caption)
    assert log_codes.exp().sum().item() == pytest.approx(1, abs=1e-5)
    worth = log_given - log_codes
    assert (worth <= -log_caption[:, None] + 1e-5).all()
    joint = (log_given + log_caption[:, None]).exp()
    entropy = -(log_caption.exp() * log_caption).sum()
    assert 0 < (joint * worth).sum() < entropy


@pytest.mark.parametrize("strength", [0.0, 1.5, -1.0])
def test_draws_follow_the_guided_probabilities(prior, strength):
    n, given = 3_000, CAPTIONS[3]
    draws = prior.sample(n, given, strength=strength, rng=seeded())
    assert draws.shape == (n, 3)
    p, q = first_code(prior, given), first_code(prior, None)
    expected = p ** (1 + strength) / q**strength
    expected = expected / expected.sum()
    share = torch.bincount(draws[:, 0], minlength=LEVELS) / n
    assert torch.allclose(share, expected, atol=4 * 0.5 / n**0.5)
    assert torch.equal(prior.sample(n, given, strength=strength, rng=seeded()), draws)
    assert not torch.equal(prior.sample(n, given, strength=strength, rng=seeded(1)), draws)


def test_draws_without_a_caption_and_draws_of_captions(prior):
    n = 3_000
    whole = prior.sample(n, rng=seeded())
    with torch.no_grad():
        table, spoken = prior.log_prob(CODES).exp(), prior.prefix_log_prob(CAPTIONS).exp()
    share = torch.bincount(whole @ torch.tensor([16, 4, 1]), minlength=64) / n
    assert torch.allclose(share, table, atol=4 * 0.5 / n**0.5)
    said = torch.bincount(prior.sample_prefix(n, rng=seeded()) @ torch.tensor([3, 1]), minlength=9) / n
    assert torch.allclose(said, spoken, atol=4 * 0.5 / n**0.5)
    assert torch.equal(prior.sample(5, rng=seeded()), prior.sample(5, strength=2.0, rng=seeded()))
    assert prior.sample(0, rng=seeded()).shape == (0, 3)


def test_the_loss_is_the_length_of_the_row(prior):
    codes, given = CODES[:9], CAPTIONS
    never = CaptionPrior(prior.rows, WORDS, LEVELS, LENGTH, drop=0.0, weight=0.5)
    never.eval()
    terms = never.loss(codes, given)
    assert terms["codes"].item() == pytest.approx(-prior.log_prob(codes, given).mean().item())
    assert terms["caption"].item() == pytest.approx(-0.5 * prior.prefix_log_prob(given).mean().item())
    torch.manual_seed(3)
    kept = torch.rand(9) >= 0.25
    assert 0 < kept.sum() < 9
    torch.manual_seed(3)
    dropped = prior.loss(codes, given)
    said = prior.prefix_log_prob(given)[kept].sum() / 9  # a caption that is dropped is not learned as "none"
    parts = torch.where(kept, prior.log_prob(codes, given), prior.log_prob(codes))
    assert dropped["caption"].item() == pytest.approx(-said.item())
    assert dropped["codes"].item() == pytest.approx(-parts.mean().item())


def test_pure_functions_by_hand():
    row = caption_row(torch.tensor([[2, 0]]), torch.tensor([[0, 3, 1]]), 4)
    assert row.tolist() == [[2, 0, 4, 7, 5]]
    kept = drop_captions(torch.tensor([[1, 2], [0, 1]]), torch.tensor([0.05, 0.1]), 0.1, 9)
    assert kept.tolist() == [[9, 9], [0, 1]]
    assert guided_logits(torch.tensor([2.0]), torch.tensor([1.0]), 3.0).item() == 5.0


def test_it_says_what_decides_it_and_can_be_copied(prior):
    assert "words=3, levels=4, length=(2, 3), drop=0.25, weight=1.0" in repr(prior)
    twin = copy.deepcopy(prior)
    assert torch.equal(twin.log_prob(CODES), prior.log_prob(CODES))


def test_bad_input_is_named(prior):
    with pytest.raises(ValueError, match=r"codes: got torch.int64 \(64, 2\), expected int64 \(batch, 3\)"):
        prior.log_prob(CODES[:, :2])
    with pytest.raises(ValueError, match="codes: got ids 0 to 4, expected 0 to 3"):
        prior.log_prob(torch.tensor([[0, 4, 0]]))
    with pytest.raises(ValueError, match="given: got ids 0 to 4, expected 0 to 3"):
        prior.log_prob(CODES[:1], torch.tensor([[0, 4]]))
    with pytest.raises(ValueError, match=r"given: got torch.int64 \(3,\), expected int64 \(2, 2\) or \(2,\)"):
        prior.sample(2, torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match="given: got ids 1 to 5, expected 0 to 3"):
        prior.sample(2, torch.tensor([[5, 1], [1, 2]]))  # 5 would be read as a code
    with pytest.raises(ValueError, match="words, levels, length: got 0"):
        CaptionPrior(prior.rows, 0, 4, LENGTH)
    with pytest.raises(ValueError, match="drop, weight: got 1"):
        CaptionPrior(prior.rows, 3, 4, LENGTH, drop=1)
    with pytest.raises(ValueError, match="caption, codes: got shapes"):
        caption_row(torch.zeros(2, 3), torch.zeros(3, 3), 4)
    with pytest.raises(ValueError, match=r"u: got shape \(2, 1\), expected \(2,\)"):
        drop_captions(torch.zeros(2, 3), torch.zeros(2, 1), 0.1, 4)
    with pytest.raises(ValueError, match="log_caption: got probabilities that sum to 2"):
        mixture_log_prob(torch.zeros(2, 3), torch.zeros(2))
    with pytest.raises(ValueError, match="log_given, log_caption: got shapes"):
        mixture_log_prob(torch.zeros(2, 3), torch.zeros(3))
