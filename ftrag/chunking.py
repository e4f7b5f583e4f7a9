"""Documents to chunks with half-open character offsets: chunks without their overlap join to exactly the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal

from ftrag import text as words_of
from ftrag.errors import InputError
from ftrag.parsers import FENCE
from ftrag.types import Chunk, Document

Strategy = Literal["recursive", "fixed", "heading", "semantic"]
STRATEGIES: tuple[Strategy, ...] = ("recursive", "fixed", "heading", "semantic")
MINIMUM_TOKENS = 16  # any single character fits into this many tokens
Span = tuple[int, int]
Count = Callable[[str], int]


def estimate_tokens(text: str) -> int:
    """A model-free guess at the number of tokens: up to five letters or digits, or one other sign, is a token.

    Errs on the high side for English, so that a chunk seldom has more of the model's own tokens.
    """
    return len(_TOKEN.findall(text))


_TOKEN = re.compile(r"[^\W_]{1,5}|[^\w\s]|_|\n")


def chunk(
    document: Document,
    *,
    strategy: Strategy = "recursive",
    size_tokens: int = 256,
    overlap_tokens: int = 0,
    count: Count | None = None,
    embed: Callable[[list[str]], Any] | None = None,
) -> list[Chunk]:
    """Cut a document into chunks of at most `size_tokens` tokens as counted by `count`, overlap included.

    "recursive" packs paragraphs, then sentences, then words; "heading" also cuts at every heading and page; "fixed"
    packs words alone; "semantic" also cuts where `embed` (texts -> unit vectors) sees the subject change.
    """
    _check(strategy, size_tokens, overlap_tokens, embed)
    fits = _fits(document.text, count or estimate_tokens)
    room = size_tokens - overlap_tokens
    cuts = _forced_cuts(document, strategy, embed)
    level = "word" if strategy == "fixed" else "block"
    spans = [
        span
        for start, end in pairwise(cuts)
        for span in _pack(document.text, start, end, level, lambda a, b: fits(a, b, room))
    ]
    starts = _overlapped(document.text, spans, overlap_tokens, size_tokens, fits, set(cuts))
    rows = zip(starts, [end for _, end in spans], strict=True)
    return [Chunk(document.name, i, document.text[start:end], start, end) for i, (start, end) in enumerate(rows)]


def join(chunks: Sequence[Chunk]) -> str:
    """The text that the chunks of one document were cut from: each chunk's overlap with the one before left out."""
    ends = [0, *(chunk.end for chunk in chunks)]
    return "".join(chunk.text[max(0, end - chunk.start) :] for end, chunk in zip(ends, chunks, strict=False))


def _check(strategy: str, size: int, overlap: int, embed: object) -> None:
    if strategy not in STRATEGIES:
        raise InputError(f"there is no chunk strategy {strategy!r}; choose {', '.join(STRATEGIES)}")
    if size < MINIMUM_TOKENS:
        raise InputError(f"chunk size {size} is too small; give at least {MINIMUM_TOKENS} tokens")
    if not 0 <= overlap <= size // 2:
        raise InputError(f"chunk overlap {overlap} must lie between 0 and half of the chunk size {size}")
    if strategy == "semantic" and embed is None:
        raise InputError(
            "semantic chunking needs sentence embeddings; install sentence-transformers or choose recursive"
        )


def _fits(text: str, count: Count) -> Callable[[int, int, int], bool]:
    """Whether text[start:end] has at most `size` tokens. No tokenizer makes a token of more than 64 bytes here."""

    def fits(start: int, end: int, size: int) -> bool:
        return end - start <= size * 64 and count(text[start:end]) <= size

    return fits


def _forced_cuts(document: Document, strategy: Strategy, embed: Callable[[list[str]], Any] | None) -> list[int]:
    """Offsets where a chunk must end, 0 and the length included, ascending."""
    cuts = {0, len(document.text)}
    if strategy == "heading":
        cuts |= {place.start for place in document.locations if not _ROW.search(place.label)}
    elif strategy == "semantic" and embed is not None:
        cuts |= _subject_changes(document.text, embed)
    return sorted(cuts)


_ROW = re.compile(r"(?:^|> )row \d+$")


def _subject_changes(text: str, embed: Callable[[list[str]], Any]) -> set[int]:
    """Starts of sentences whose neighbourhood is unlike the one before: below the mean similarity by one deviation."""
    import numpy as np

    spans = words_of.sentences(text)
    if len(spans) < 4:
        return set()
    vectors = np.asarray(embed([text[start:end] for start, end in spans]), dtype=np.float64)
    before = vectors[:-1] + np.vstack([vectors[:1] * 0, vectors[:-2]])  # two sentences each side smooth the curve
    after = vectors[1:] + np.vstack([vectors[2:], vectors[:1] * 0])
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    alike = (before * after).sum(axis=1) / np.maximum(norms, 1e-12)
    return {spans[i + 1][0] for i in np.flatnonzero(alike < alike.mean() - alike.std())}


_FINER = {"block": "sentence", "sentence": "word", "word": "character"}


def _pack(text: str, start: int, end: int, level: str, fits: Callable[[int, int], bool]) -> list[Span]:
    """Spans that tile [start, end): neighbouring pieces of a level joined while they fit, too large ones cut finer."""
    if start == end:
        return []
    if level == "character":
        return _pack_characters(start, end, fits)
    packed: list[Span] = []
    for piece in _PIECES[level](text, start, end):
        if packed and fits(packed[-1][0], piece[1]):
            packed[-1] = (packed[-1][0], piece[1])
        elif fits(*piece):
            packed.append(piece)
        else:
            packed += _pack(text, *piece, _FINER[level], fits)
    return packed


def _pack_characters(start: int, end: int, fits: Callable[[int, int], bool]) -> list[Span]:
    spans = []
    while start < end:
        low, high = start + 1, end
        while low < high:  # the longest prefix that fits, by bisection
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(start, middle) else (low, middle - 1)
        spans.append((start, low))
        start = low
    return spans


def _blocks(text: str, start: int, end: int) -> Iterator[Span]:
    """Paragraphs with the blank lines after them; a fence or table is whole; a heading stays with what follows it."""
    begin, at, fence, blank, lead = start, start, "", False, False
    for line in _lines(text, start, end):
        mark = FENCE.match(line)
        empty = not line.strip()
        if blank and not empty and not fence and not lead and at > begin:
            yield begin, at
            begin = at
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        if not empty:
            lead = not fence and _is_heading(text, line, begin, at)
        blank = empty
        at += len(line)
    if at > begin:
        yield begin, at


def _lines(text: str, start: int, end: int) -> Iterator[str]:
    while start < end:
        stop = text.find("\n", start, end) + 1 or end
        yield text[start:stop]
        start = stop


def _is_heading(text: str, line: str, begin: int, at: int) -> bool:
    """A Markdown heading, or a short line by itself without a full stop, as html, pdf and docx leave a heading."""
    if line.startswith("#"):
        return True
    alone = not text[begin:at].strip() and text[at + len(line) : at + len(line) + 1] == "\n"
    return (
        alone
        and len(line) <= 80
        and line.rstrip()[-1:] not in ".!?:;,|)]}\"'`-"
        and not line.startswith(("|", "- ", "* "))
    )


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Sentences, or the lines of a table or code fence, each with the white space after it; a heading with the next."""
    piece = text[start:end]
    line_wise = "```" in piece or "~~~" in piece or piece.lstrip().startswith("|")
    cuts = [m.end() for m in re.finditer(r"\n+", piece)] if line_wise else [s for s, _ in words_of.sentences(piece)][1:]
    if cuts and _is_heading(text, piece[: cuts[0]].rstrip() + "\n", start, start):
        cuts = cuts[1:]
    edges = [start, *(start + cut for cut in cuts if 0 < cut < len(piece)), end]
    yield from pairwise(edges)


def _words(text: str, start: int, end: int) -> Iterator[Span]:
    """Words with the white space after them."""
    edges = [start, *(m.end() for m in re.finditer(r"\s+", text[start:end]))]
    cuts = sorted({edges[0], *(start + cut for cut in edges[1:]), end})
    yield from pairwise(cuts)


_PIECES: dict[str, Callable[[str, int, int], Iterator[Span]]] = {
    "block": _blocks,
    "sentence": _sentences,
    "word": _words,
}


def _overlapped(
    text: str, spans: list[Span], overlap: int, size: int, fits: Callable[[int, int, int], bool], cuts: set[int]
) -> list[int]:
    """Each chunk's start, moved back over at most `overlap` tokens to the start of a sentence, else of a word.

    Not over a forced cut: what heads a new section is not the tail of the one before.
    """
    starts = []
    for index, (start, end) in enumerate(spans):
        best = start
        if overlap and index and start not in cuts:
            previous = spans[index - 1][0]
            for pieces in (_sentences, _words):
                options = [a for a, _ in pieces(text, previous, start) if a > previous]
                best = next((a for a in options if fits(a, start, overlap) and fits(a, end, size)), start)
                if best < start:
                    break
        starts.append(best)
    return starts
