"""The attention map: the translator in the page against torch's, what goes there, and what is refused."""

import base64

import pytest
import torch

from gmcourse import show
from gmcourse.autoregressive.translator import Translator, attention_map, beam
from gmcourse.data.number_words import ALPHABET, english, to_rows
from gmcourse.show.attention_map import exported

TRANSLATE = """
import { halves, spelled, translate, translator } from "./attention_map/translator.js";
const bytes = Buffer.from(given.weights, "base64");
const net = translator(given.shape, halves(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
console.log(JSON.stringify(given.numbers.map((number) => translate(net, spelled(number)))));
"""
SPELL = """
import { spelled } from "./attention_map/translator.js";
console.log(JSON.stringify(given.map(spelled)));
"""
HALVES = """
import { halves } from "./attention_map/translator.js";
console.log(JSON.stringify(Array.from(halves(new DataView(Uint8Array.from(given).buffer)), String)));
"""


def small(**changes):
    torch.manual_seed(0)
    sizes = {"levels": len(ALPHABET), "places": 8, "source_places": 6, "width": 12, "heads": 3, "layers": 2} | changes
    model = Translator(**sizes)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
        parameter.data = parameter.data.half().float()
    return model.eval()


def words(number):
    return [word for word, _ in english(number)]


@pytest.mark.parametrize("changes", [{}, {"positions": False, "layers": 1}, {"places": 9, "heads": 1}])
def test_the_page_writes_and_looks_as_torch_does(node, changes):
    model, numbers = small(**changes), [347, 1, 9999, 20, 4018, 700]
    shape, weights = exported(model)
    answers = node(TRANSLATE, {"shape": shape, "weights": base64.b64encode(weights).decode(), "numbers": numbers})
    for number, answer in zip(numbers, answers, strict=True):
        given = to_rows([words(number)], 6)
        with torch.no_grad():
            said, log_p = beam(model, given)
        looks = attention_map(model, said, given)[-1, 0].transpose(0, 1)
        count = len(answer["codes"])
        assert answer["codes"] == said[0, :count].tolist()
        assert not said[0, count:].any()
        assert answer["logp"] == pytest.approx(log_p.item(), abs=1e-4)
        found = torch.tensor(answer["looks"], dtype=torch.float32)
        torch.testing.assert_close(found, looks[:count, :, : len(words(number))], rtol=0, atol=1e-5)


def test_the_page_spells_as_the_course_does(node):
    every = range(1, 10_000)
    rows = to_rows([words(number) for number in every], 6).tolist()
    assert node(SPELL, list(every)) == [[code for code in row if code] for row in rows]


def test_halves_of_every_kind(node):
    numbers = torch.tensor([0.0, -1.5, 65504.0, 6e-8, -3e-5, float("inf"), 0.1]).half()
    answer = node(HALVES, list(numbers.numpy().astype("<f2").tobytes()))
    assert [float(value.replace("Infinity", "inf")) for value in answer] == numbers.tolist()


def test_traits_and_the_still_picture():
    explorer = show.AttentionMap(small(), number=21)
    count = sum(parameter.numel() for parameter in small().parameters())
    assert len(explorer.weights) == 2 * count
    assert explorer.shape == {"levels": 61, "places": 8, "sourcePlaces": 6, "width": 12, "heads": 3, "layers": 2}
    assert explorer.words[3] == "three"
    assert explorer.number == 21
    data, _ = explorer._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("model", "number", "error", "said"),
    [
        (torch.nn.Linear(2, 2), 347, TypeError, "model: got Linear, expected a Translator"),
        (small(levels=9), 347, ValueError, "model: got .*9.*expected the number words"),
        (small(places=6), 347, ValueError, "model: got .*6.*expected the number words"),
        (small(source_places=5), 347, ValueError, "model: got .*5.*expected the number words"),
        (small(), 10_000, ValueError, "number: got 10000, expected 1 to 9999"),
    ],
)
def test_what_does_not_fit_is_named(model, number, error, said):
    with pytest.raises(error, match=said):
        show.AttentionMap(model, number=number)
