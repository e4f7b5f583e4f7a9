"""Which sentence of which passage supports each sentence of an answer. Computed, never asked of the model.

Words and values find the place by themselves; sentence embeddings, where they are given, also find it under other
words. Neither can tell a paraphrase from a statement that only sounds alike, so values, names and denial must agree,
and a sentence that has most of its source's words, yet not nearly all, is taken for one that changes it: that is how a
small model goes wrong ("an invoice is paid by email" for "sent by email"). A copy must also leave together what stands
together in its source, or prices and what they are paid for could change places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ftrag.evaluation import claims
from ftrag.evaluation.metrics import STOP_WORDS, stem
from ftrag.evaluation.spelled import clean
from ftrag.evaluation.values import Atom, atoms
from ftrag.text import sentences
from ftrag.types import Chunk

SUPPORT = 0.6  # weighted share of a sentence's words and values that its source must say
WINDOW = 3  # sentences of a passage that may support one sentence of an answer together
LONGER = 0.12  # what each further sentence in a window must add
# With embeddings a sentence copies its source (at least COPIED of its words and of the cosine), or says it in other
# words (fewer than REWORDED, a cosine of MEANT); between the two it changes something. Chosen on the "dev" halves of
# both labelled files of benchmarks/alignment.py.
COPIED = 0.8
REWORDED = 0.6
MEANT = 0.45
PAIRED = 0.9  # share of neighbouring words that a copy must leave together: 0.42 to 0.83 of wrong pairs seen
WORDS = 0.5  # of the share above, added to the cosine to find the place
LONGER_MEANT = 0.04  # what each further sentence in a window must add to it
SAME_WORDS = 0.6  # from this share of common words on, a denial on one side alone is a contradiction
VALUE_WEIGHT = 2.0  # a value counts as much as two rare words
LEAD_IN = re.compile(r"^\s*(?:[\w'’-]+ ){0,2}[\w'’-]+:\s+(?=\S)")
SIGN_OFF = re.compile(r"^\s*[-–—~]\s*\w")
HEADING = re.compile(r"^\s*#{1,6}\s")  # a heading claims nothing, even one copied word for word
_NEGATION = re.compile(
    r"\b(?:not|never|cannot|nobody|nothing|neither|nor|without|no)\b"
    r"(?! (?:more|less|later|longer|fewer|earlier|only)\b)|n't\b"
)


Embed = Callable[[list[str]], Any]  # texts -> unit vectors (n, dimensions)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """A run of sentences of one passage."""

    chunk: Chunk
    start: int  # half-open character offsets into the document
    end: int
    text: str
    atoms: tuple[Atom, ...]
    length: int  # sentences


def align(
    answer: str, passages: Sequence[Chunk], embed: Embed | None = None, rewords: bool = True
) -> list[dict[str, Any]]:
    """One row per sentence of the answer, in order.

    {sentence: {start, end}, document, chunk, start, end, quote, score, supported}: sentence offsets point into the
    answer, start and end into the document, half-open. An unsupported sentence has its best source's score and no
    source (None, quote ""). Supported: the source says SUPPORT of the sentence's words by weight, all its values and
    names, and denies what the sentence denies; with `embed`, it copies or rewords the source, which says all its
    values, and its passage knows all its names. rewords False: copies alone count, for a model that changes what it
    rewords: of 45 such claims of the built-in model one was right.
    """
    spans = sentences(answer)
    sources = [source for chunk in passages for source in _sources(chunk)]
    weight = _weights(sources)
    texts = [answer[start:end] for start, end in spans]
    meant = _cosines(texts, passages, sources, embed) if embed and sources else [None] * len(texts)
    return [
        _aligned(text, span, sources, weight, cosines, rewords)
        for text, span, cosines in zip(texts, spans, meant, strict=True)
    ]


def _cosines(texts: list[str], passages: Sequence[Chunk], sources: Sequence[Source], embed: Embed) -> list[Floats]:
    """Per sentence: its cosine with each source, whose vector is the mean of its sentences'."""
    places = [(chunk, start, end) for chunk in passages for start, end in sentences(chunk.text)]
    vectors = np.asarray(embed([*texts, *(chunk.text[start:end] for chunk, start, end in places)]), dtype=np.float64)
    single = vectors[len(texts) :]
    first = {(id(chunk), chunk.start + start): i for i, (chunk, start, _) in enumerate(places)}
    rows = [first[id(source.chunk), source.start] for source in sources]
    means = np.stack(
        [single[row : row + source.length].mean(axis=0) for row, source in zip(rows, sources, strict=True)]
    )
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return list(vectors[: len(texts)] @ means.T)


def _aligned(
    text: str,
    span: tuple[int, int],
    sources: Sequence[Source],
    weight: dict[str, float],
    cosines: Floats | None,
    rewords: bool,
) -> dict[str, Any]:
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
    said = [atom for atom in atoms(_body(text)) if _carries(atom)]
    if not said or not sources or SIGN_OFF.match(text) or HEADING.match(text):
        return row
    words = [_score(said, source, weight) for source in sources]
    best, score, supported = (
        _by_words(text, said, sources, words)
        if cosines is None
        else _by_meaning(text, sources, words, cosines, rewords)
    )
    if not supported:
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


def _by_words(
    text: str, said: Sequence[Atom], sources: Sequence[Source], words: Sequence[float]
) -> tuple[Source, float, bool]:
    """(best source, score, supported) by common words and values."""
    rated = [(share - LONGER * (one.length - 1), -i) for i, (share, one) in enumerate(zip(words, sources, strict=True))]
    place = -max(rated)[1]
    score = round(words[place], 4)
    return sources[place], score, score >= SUPPORT and _agrees(text, said, sources[place])


def _by_meaning(
    text: str, sources: Sequence[Source], words: Sequence[float], cosines: Floats, rewords: bool
) -> tuple[Source, float, bool]:
    """(best source, score, supported) by meaning, helped by common words."""
    lengths = np.array([source.length for source in sources])
    rated = cosines + WORDS * np.array(words)
    place = int(np.argmax(rated - LONGER_MEANT * (lengths - 1)))
    best, score = sources[place], round(min(1.0, max(0.0, float(rated[place]))), 4)
    contradicts = words[place] >= SAME_WORDS and claims.denies(text) != claims.denies(best.text)
    known = [best.chunk.text, best.chunk.document]
    agrees = not contradicts and not claims.missing(text, best.text) and not claims.strange_names(text, known)
    copied = words[place] >= COPIED and cosines[place] >= COPIED and claims.paired(_body(text), best.text) >= PAIRED
    reworded = rewords and words[place] < REWORDED and cosines[place] >= MEANT
    return best, score, agrees and bool(copied or reworded)


def _body(text: str) -> str:
    return LEAD_IN.sub("", text)


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
    body = _body(text)
    return [
        match.group()
        for match in re.finditer(r"(?<=[\w,] )[A-Z][\w]+", body)
        if match.group() not in {"I", "We", "The"}
    ]
