"""Which of a paragraph's sentences stand on a slide; the whole paragraph is the speaker's."""

from __future__ import annotations

import re

PREDICT = re.compile(r"\b(predict|before you (run|read|look|go on|drag|press|move))\b", re.I)
SHORT = 30  # words: a paragraph as short as this stands whole
SPAN = re.compile(r"\$[^$]+\$|`[^`]+`|\*\*.+?\*\*|\[[^\]]*\]\([^)]*\)|(?<![\w*])\*[^*]+\*(?!\w)", re.S)
ABBREVIATIONS = re.compile(r"(?:\bet al|\be\.g|\bi\.e|\bcf|\bvs|\b[A-Z])\.$")
HOLE, ENDED = "\0", "\1"  # where a span was, and that a sentence ends within it
END = re.compile(r"[.?!\1][\"')]*\s+(?=[\"'(]?[A-Z\d\0])")


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph of Markdown; none ends within bold or slanted words, a formula, code or a link."""
    spans = SPAN.findall(paragraph)
    text, found, start = SPAN.sub(_hole, paragraph), [], 0
    for end in END.finditer(text):
        if not ABBREVIATIONS.search(text[: end.start() + 1]):
            found.append(text[start : end.end()].strip())
            start = end.end()
    found.append(text[start:].strip())
    filled = iter(spans)
    return [re.sub(f"{HOLE}{ENDED}?", lambda _: next(filled), sentence) for sentence in found if sentence]


def _hole(span: re.Match) -> str:
    ended = span[0].startswith("*") and span[0].rstrip("*")[-1:] in (".", "?", "!")
    return HOLE + ENDED if ended else HOLE


def on_slide(paragraph: str, leads: bool, follows: bool, first: bool = False) -> str:
    """What a slide shows of a paragraph, "" if nothing: all of a short one, of a long one some of its sentences.

    They are its questions, those with bold words, the last where it `leads` to a formula or a figure, the first where
    it goes on from a formula that it `follows`, or where it is the `first` of a section with nothing else to be seen.
    """
    if len(paragraph.split()) <= SHORT:
        return paragraph
    found = sentences(paragraph)
    kept = [
        sentence
        for place, sentence in enumerate(found)
        if "**" in sentence
        or sentence.rstrip("*\"')").endswith("?")
        or (leads and place == len(found) - 1)
        or (place == 0 and (first or (follows and sentence[:1].islower())))
    ]
    return " ".join(kept)


def predicts(text: str) -> bool:
    """Whether a text asks for a prediction of what follows."""
    return bool(PREDICT.search(text)) and bool(re.search(r"[?:]", text))
