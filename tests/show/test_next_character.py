"""The next character: what goes into the page, the network and the choice there against torch's, what is refused."""

import base64

import pytest
import torch

from gmcourse import show
from gmcourse.autoregressive.choosing import entropy, nucleus, temperature, top_k
from gmcourse.autoregressive.discrete import choose
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.show.next_character import exported, rounded
from gmcourse.show.next_character.figure import next_figure

READ = """
import { languageModel, reader } from "./next_character/lstm.js";
const bytes = Buffer.from(given.weights, "base64");
const logits = reader(languageModel(given.sizes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
console.log(JSON.stringify(given.texts.map((codes) => Array.from(logits(codes)))));
"""
CHOOSE = """
import { chosen, compared, entropyOf, picked } from "./next_character/choosing.js";
import { softmax } from "./js/softmax.js";
console.log(JSON.stringify(given.rows.map((row) => {
  const [p, q] = [{ t: 1, k: null, mass: 1 }, given.choice].map((way) => softmax(chosen(row, way)));
  return { q, entropy: entropyOf(q), ...compared(q, p), drawn: given.u.map((u) => picked(q, u)) };
})));
"""
ALPHABET = " abc\n"


def small():
    torch.manual_seed(0)
    model = LSTMLanguageModel(5, 12, embedding=6, hidden=9).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.8)
    return model.eval()


@torch.no_grad()
def round_weights(model):
    """The weights that the page has, put into the model."""
    for weight in (model.embed.weight, model.lstm.weight_ih_l0, model.lstm.weight_hh_l0, model.head.weight):
        numbers, scale = rounded(weight)
        weight.copy_(numbers * scale[:, None].double())
    return model


def test_the_page_reads_what_torch_reads(node):
    """Texts in an order in which the page keeps a part of what it read, all of it, or nothing."""
    model = small()
    sizes, weights = exported(model)
    texts = [[], [1, 2, 3], [1, 2, 3, 4, 0, 1], [1, 2, 0], [1, 2, 0], [4]]
    read = node(READ, {"sizes": sizes, "weights": base64.b64encode(weights).decode(), "texts": texts})
    round_weights(model)
    for text, logits in zip(texts, read, strict=True):
        with torch.no_grad():
            expected = model.logits(torch.tensor([[*text, 0]]))[0, :, -1]
        assert logits == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    "choice",
    [
        {"t": 1, "k": None, "mass": 1},
        {"t": 0.3, "k": None, "mass": 1},
        {"t": 1, "k": 3, "mass": 1},
        {"t": 1, "k": None, "mass": 0.8},
        {"t": 1.7, "k": 7, "mass": 0.6},
        {"t": 1, "k": 1, "mass": 1},
    ],
)
def test_the_page_chooses_as_torch_does(node, choice):
    rows = 2 * torch.randn(20, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows[0, 3] = rows[0, 5] = rows[0].max()  # of equal ones the first
    u = torch.rand(6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    answers = node(CHOOSE, {"rows": rows.tolist(), "choice": choice, "u": u.tolist()})
    logits = temperature(rows, choice["t"])
    logits = logits if choice["k"] is None else top_k(logits, choice["k"])
    logits = logits if choice["mass"] == 1 else nucleus(logits, choice["mass"])
    q, log_p = logits.softmax(-1), rows.log_softmax(-1)
    for row, answer in enumerate(answers):
        kept = q[row] > 0
        assert answer["q"] == pytest.approx(q[row].tolist(), abs=1e-12)
        assert answer["entropy"] == pytest.approx(entropy(logits[row]).item(), abs=1e-12)
        assert answer["kept"] == kept.sum()
        assert answer["mass"] == pytest.approx(log_p[row, kept].exp().sum().item())
        divergence = (q[row, kept] * (q[row, kept].log() - log_p[row, kept])).sum()
        assert answer["divergence"] == pytest.approx(divergence.item(), abs=1e-12)
        assert answer["drawn"] == choose(logits[row].expand(6, -1), u).tolist()
        if choice["t"] == 1:
            assert answer["divergence"] == pytest.approx(-torch.tensor(answer["mass"]).log().item(), abs=1e-6)


def test_repetition_is_counted_in_overlapping_runs(node):
    script = """import { distinctRuns } from "./next_character/choosing.js";
    console.log(JSON.stringify(given.map((codes) => distinctRuns(codes, 4))));"""
    counted = node(script, [[1, 2, 1, 2, 1, 2], [1, 12, 1, 1, 11, 2], [1, 2, 3], []])
    assert [(each["distinct"], each["all"]) for each in counted] == [(2, 3), (3, 3), (0, 0), (0, 0)]


def test_rounding_moves_a_weight_by_half_a_step_at_most():
    matrix = torch.cat([torch.randn(4, 7), torch.zeros(1, 7)])
    numbers, scale = rounded(matrix)
    assert numbers.dtype == torch.int8
    assert numbers[:4].abs().amax(1).tolist() == [127] * 4
    assert ((numbers * scale[:, None] - matrix).abs() <= scale[:, None] * 0.501).all()


def test_traits():
    explorer = show.NextCharacter(small(), ALPHABET, context="a b")
    assert explorer.sizes == {"symbols": 5, "embedding": 6, "hidden": 9}
    assert len(explorer.weights) == 4 * (6 + 36 + 36 + 5 + 36 + 5) + 6 * 6 + 36 * 6 + 36 * 9 + 5 * 9
    assert (explorer.alphabet, explorer.context) == (ALPHABET, "a b")


def test_the_still_names_what_cannot_be_seen():
    axes = next_figure(small(), ALPHABET, "ab", 0.9).axes[0]
    assert {"space", "newline"} < {tick.get_text() for tick in axes.get_xticklabels()}
    p, q = (torch.tensor([bar.get_height() for bar in bars]) for bars in axes.containers)
    assert p.sum() == pytest.approx(1)
    assert q.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("model", "alphabet", "context", "error", "said"),
    [
        (torch.nn.Linear(2, 2), ALPHABET, "a", TypeError, "model: got Linear, expected an LSTMLanguageModel"),
        (LSTMLanguageModel(5, stop=0), ALPHABET, "a", ValueError, "model: got the stop symbol 0"),
        (small(), "abc", "a", ValueError, "alphabet: got 3 characters, expected 5"),
        (small(), "abcca", "a", ValueError, "alphabet: got 5 characters, expected 5, all different"),
        (small(), ALPHABET, "ax", ValueError, "context: got 'x', expected characters of the alphabet"),
    ],
)
def test_what_does_not_fit_is_named(model, alphabet, context, error, said):
    with pytest.raises(error, match=said):
        show.NextCharacter(model, alphabet, context=context)
