"""Which sentence of which passage supports each sentence of an answer. Computed, never asked of the model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Any

from ftrag.evaluation.metrics import STOP_WORDS, stem
from ftrag.evaluation.values import Atom, atoms, clean
from ftrag.text import sentences
from ftrag.types import Chunk

SUPPORT = 0.6  # weighted share of a sentence's words and values that its source must say
WINDOW = 3  # sentences of a passage that may support one sentence of an answer together
LONGER = 0.12  # what each further sentence in a window must add
VALUE_WEIGHT = 2.0  # a value counts as much as two rare words
LEAD_IN = re.compile(r"^\s*(?:[\w'’-]+ ){0,2}[\w'’-]+:\s+(?=\S)")
SIGN_OFF = re.compile(r"^\s*[-–—~]\s*\w")
_NEGATION = re.compile(
    r"\b(?:not|never|cannot|nobody|nothing|neither|nor|without|no)\b"
    r"(?! (?:more|less|later|longer|fewer|earlier|only)\b)|n't\b"
)


@dataclass(frozen=True)
class Source:
    """A run of sentences of one passage."""

    chunk: Chunk
    start: int  # half-open character offsets into the document
    end: int
    text: str
    atoms: tuple[Atom, ...]
    length: int  # sentences


def align(answer: str, passages: Sequence[Chunk]) -> list[dict[str, Any]]:
    """One row per sentence of the answer, in order.

    {sentence: {start, end}, document, chunk, start, end, quote, score, supported}: sentence offsets point into the
    answer, start and end into the document, half-open. An unsupported sentence has its best source's score and no
    source (None, quote ""). Supported: the source says SUPPORT of the sentence's words by weight, all its values and
    names, and denies what the sentence denies.
    """
    sources = [source for chunk in passages for source in _sources(chunk)]
    weight = _weights(sources)
    return [_aligned(answer, span, sources, weight) for span in sentences(answer)]


def _aligned(answer: str, span: tuple[int, int], sources: Sequence[Source], weight: dict[str, float]) -> dict[str, Any]:
    text = answer[span[0] : span[1]]
    row: dict[str, Any] = {
        "sentence": {"start": span[0], "end": span[1]},
        "document": None,
        "chunk": None,
        "start": None,
        "end": None,
        "quote": "",
        "score": 0.0,
        "supported": False,
    }
    said = [atom for atom in atoms(LEAD_IN.sub("", text)) if _carries(atom)]
    if not said or not sources or SIGN_OFF.match(text):
        return row
    scored = [
        (_score(said, source, weight) - LONGER * (source.length - 1), -place) for place, source in enumerate(sources)
    ]
    best = sources[-max(scored)[1]]
    score = round(_score(said, best, weight), 4)
    if score < SUPPORT or not _agrees(text, said, best):
        return row | {"score": score}
    return row | {
        "document": best.chunk.document,
        "chunk": best.chunk.index,
        "start": best.start,
        "end": best.end,
        "quote": best.text,
        "score": score,
        "supported": True,
    }


def _sources(chunk: Chunk) -> Iterator[Source]:
    spans = sentences(chunk.text)
    for length in range(1, WINDOW + 1):
        for first in range(len(spans) - length + 1):
            start, end = spans[first][0], spans[first + length - 1][1]
            text = chunk.text[start:end]
            yield Source(chunk, chunk.start + start, chunk.start + end, text, _known(text), length)


@lru_cache(maxsize=4096)
def _known(text: str) -> tuple[Atom, ...]:
    return tuple(atom for atom in atoms(text) if _carries(atom))


def _carries(atom: Atom) -> bool:
    return bool(atom.readings) or (
        atom.text not in STOP_WORDS and bool(re.match(r"\w", atom.text)) and len(atom.text) > 1
    )


def _weights(sources: Sequence[Source]) -> dict[str, float]:
    """Inverse document frequency over the single sentences of the passages, the subject of all weighs little."""
    single = [source for source in sources if source.length == 1]
    counts: dict[str, int] = {}
    for source in single:
        for word in {stem(atom.text) for atom in source.atoms if not atom.readings}:
            counts[word] = counts.get(word, 0) + 1
    return {word: 0.3 + log((1 + len(single)) / count) / log(2 + len(single)) for word, count in counts.items()}


def _score(said: Sequence[Atom], source: Source, weight: dict[str, float]) -> float:
    """Weighted share, [0, 1], of the sentence's words and values that the source says."""
    stems = {stem(atom.text) for atom in source.atoms if not atom.readings}
    total = found = 0.0
    for atom in said:
        worth = VALUE_WEIGHT if atom.readings else weight.get(stem(atom.text), 1.0)
        total += worth
        found += worth * (_has_value(atom, source) if atom.readings else stem(atom.text) in stems)
    return found / total


def _has_value(value: Atom, source: Source) -> bool:
    return any(value.found_in(other) for other in source.atoms)


def _agrees(text: str, said: Sequence[Atom], source: Source) -> bool:
    """All values and names of the sentence are in the source or its passage's title, and both deny or neither does."""
    if not all(_has_value(atom, source) for atom in said if atom.readings):
        return False
    known = {stem(word) for word in re.findall(r"\w+", clean(source.chunk.text))}
    if any(stem(clean(name)) not in known for name in _names(text)):
        return False
    return bool(_NEGATION.search(clean(text))) == bool(_NEGATION.search(clean(source.text)))


def _names(text: str) -> list[str]:
    """Words with a capital that do not begin the sentence."""
    body = LEAD_IN.sub("", text)
    return [
        match.group()
        for match in re.finditer(r"(?<=[\w,] )[A-Z][\w]+", body)
        if match.group() not in {"I", "We", "The"}
    ]
