"""Which sentence of which passage supports each sentence of an answer. Computed, never asked of the model.

Words and values find the place by themselves; sentence embeddings, where they are given, also find it under other
words, and the question finds what a short answer ("Five phases.") leaves unsaid. Neither can tell a paraphrase from a
statement that only sounds alike, so values, names and denial must agree. A small model that says a thing in other words
mostly says another thing ("an invoice is paid by email" for "sent by email"): of such a one copies alone are cited, and
a copy must leave together what stands together in its source, or prices and what they are paid for could change places.
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
from ftrag.evaluation.refusals import declines
from ftrag.evaluation.values import Atom, atoms
from ftrag.text import sentences
from ftrag.types import Chunk

WINDOW = 3  # sentences of a passage that may support one sentence of an answer together
# Chosen on the "dev" halves of the labelled files of benchmarks/alignment.py; without embeddings in the first two.
SUPPORT = 0.5  # weighted share of a sentence's words and values that its source must say
LONGER = 0.12  # what each further sentence in a window must add to that share
MEANT, SAID = 0.5, 0.6  # with embeddings: the cosine, or the share, from which on a source says the same
WORDS = 0.5  # of the share, added to the cosine to find the place
ASKED = 0.5  # of the share of the question's words that a source says, added likewise
LONGER_MEANT = 0.04  # what each further sentence in a window must add to them
COPIED, COPY = 0.65, 0.85  # share, and cosine, of a copy
PAIRED = 0.9  # share of neighbouring words that a copy must leave together: 0.42 to 0.83 of wrong pairs seen
SAME_WORDS = 0.8  # from this share of common words on, a denial on one side alone is a contradiction
VALUE_WEIGHT = 2.0  # a value counts as much as two rare words
LEAD_IN = re.compile(r"^\s*(?:[\w'’-]+ ){0,2}[\w'’-]+:\s+(?=\S)")
# A hyphen also opens an item of a list: only a few words without a figure or an end are a name below a letter.
SIGN_OFF = re.compile(r"^\s*(?:[–—~]\s*\w|-\s*(?=\w)[^\s\d]+(?:\s+[^\s\d]+){0,4}(?<![.!?:;…])\s*$)")
EMPHASIS = re.compile(r"(?<!\w)(?:\*{1,3}|_{1,3}|`)(?=\S)|(?<=\S)(?:\*{1,3}|_{1,3}|`)(?!\w)")
LINK = re.compile(r"\[([^\[\]]+)\]\([^()\s]*\)")
ITEM = re.compile(r"^\s*(?:[-*+•>]|\d{1,2}[.)])\s+(?=\S)")
HEADING = re.compile(r"^\s*#{1,6}\s")  # a heading claims nothing, even one copied word for word
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


@dataclass(frozen=True)
class Read:
    """What was read before an answer: the sources, how much their words weigh, the question, and what it shares."""

    sources: Sequence[Source]
    weight: dict[str, float]
    question: str
    asked: Floats  # (sources,) share of the question's words that each says
    rewords: bool


def align(
    answer: str, passages: Sequence[Chunk], embed: Embed | None = None, rewords: bool = True, question: str = ""
) -> list[dict[str, Any]]:
    """One row per sentence of the answer, in order.

    {sentence: {start, end}, document, chunk, start, end, quote, score, supported}: sentence offsets point into the
    answer, start and end into the document, half-open. An unsupported sentence has its best source's score and no
    source (None, quote ""). Supported: the source says the sentence's words (SUPPORT) or, with `embed`, its meaning
    (MEANT) or most of its words (SAID), and all its values; its passage or the question knows all its names; neither
    denies alone what the other says; the sentence does not decline. rewords False: copies alone count, for a model
    that changes what it rewords: of 45 such claims of the built-in model one was right. question: what was asked.
    """
    spans = sentences(answer)
    sources = [source for chunk in passages for source in _sources(chunk)]
    weight = _weights(sources)
    asked = np.array(_shares(question, sources, weight) or [0.0] * len(sources))
    read = Read(sources, weight, question, asked, rewords)
    texts = [answer[start:end] for start, end in spans]
    bare = [_plain(text) for text in texts]
    meant = _cosines(bare, passages, sources, embed) if embed and sources else [None] * len(texts)
    return [_aligned(text, span, read, cosines) for text, span, cosines in zip(texts, spans, meant, strict=True)]


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


def _aligned(text: str, span: tuple[int, int], read: Read, cosines: Floats | None) -> dict[str, Any]:
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
    if SIGN_OFF.match(text) or HEADING.match(text):
        return row
    text = _plain(text)
    shares = _shares(_body(text), read.sources, read.weight)
    if not shares:
        return row
    place, score = _place(shares, cosines, read)
    best, row["score"] = read.sources[place], round(min(1.0, max(0.0, score)), 4)
    cosine = None if cosines is None else float(cosines[place])
    if not _says(text, best, shares[place], cosine, read.rewords) or not _agrees(text, best, shares[place], read):
        return row
    return row | {
        "document": best.chunk.document,
        "chunk": best.chunk.index,
        "start": best.start,
        "end": best.end,
        "quote": best.text,
        "supported": True,
    }


def _place(shares: Sequence[float], cosines: Floats | None, read: Read) -> tuple[int, float]:
    """The best source's place among the sources, and how near it is, in [0, 1] but for rounding."""
    further = np.array([source.length - 1 for source in read.sources])
    near = np.array(shares) if cosines is None else cosines + WORDS * np.array(shares)
    place = int(np.argmax(near + ASKED * read.asked - further * (LONGER if cosines is None else LONGER_MEANT)))
    return place, float(near[place])


def _says(text: str, source: Source, share: float, cosine: float | None, rewords: bool) -> bool:
    """Whether the source says what the sentence says, as far as words and meaning tell."""
    if not rewords:
        copied = share >= COPIED and (cosine is None or cosine >= COPY)
        return copied and claims.paired(_body(text), source.text) >= PAIRED
    return share >= SUPPORT if cosine is None else cosine >= MEANT or share >= SAID


def _agrees(text: str, source: Source, share: float, read: Read) -> bool:
    """No value, name or denial speaks against the source."""
    if declines(text) or claims.missing(text, source.text):
        return False
    known = [source.chunk.text, source.chunk.document, read.question]
    contradicts = share >= SAME_WORDS and claims.contradicts(text, source.text)
    return not contradicts and not claims.strange_names(text, known)


def _plain(text: str) -> str:
    """Without Markdown's signs of emphasis, links and the mark or number of an item: they are no words."""
    return EMPHASIS.sub("", LINK.sub(r"\1", ITEM.sub("", text)))


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


def _shares(text: str, sources: Sequence[Source], weight: dict[str, float]) -> list[float]:
    """Per source: the weighted share, [0, 1], of the text's words and values that it says; [] if it has none."""
    said = [atom for atom in atoms(text) if _carries(atom)]
    return [_share(said, source, weight) for source in sources] if said else []


def _share(said: Sequence[Atom], source: Source, weight: dict[str, float]) -> float:
    stems = {stem(atom.text) for atom in source.atoms if not atom.readings}
    total = found = 0.0
    for atom in said:
        worth = VALUE_WEIGHT if atom.readings else weight.get(stem(atom.text), 1.0)
        total += worth
        found += worth * (_has_value(atom, source) if atom.readings else stem(atom.text) in stems)
    return found / total


def _has_value(value: Atom, source: Source) -> bool:
    return any(value.found_in(other) for other in source.atoms)
