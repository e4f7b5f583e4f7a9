"""Documents to chunks with half-open character offsets: chunks without their overlap join to exactly the text."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal

from ftrag import text as words_of
from ftrag.errors import InputError
from ftrag.layout import FENCE
from ftrag.types import Chunk, Document

Strategy = Literal["recursive", "fixed", "heading", "semantic"]
STRATEGIES: tuple[Strategy, ...] = ("recursive", "fixed", "heading", "semantic")
SIZE_TOKENS = 384  # most help pages and encyclopedia paragraphs stay whole; three chunks stay under 1,200 tokens
MINIMUM_TOKENS = 16  # any single character fits into this many tokens
Span = tuple[int, int]
Count = Callable[[str], int]
Tokens = Callable[[int, int], int]  # (start, end) -> tokens between them


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
    size_tokens: int = SIZE_TOKENS,
    overlap_tokens: int = 0,
    count: Count | None = None,
    embed: Callable[[list[str]], Any] | None = None,
) -> list[Chunk]:
    """Cut a document into chunks of at most `size_tokens` tokens as counted by `count`, overlap included.

    "recursive" packs paragraphs, then sentences, then words; "heading" also cuts at every heading and page; "fixed"
    packs words alone; "semantic" also cuts where `embed` (texts -> unit vectors) sees the subject change.
    """
    _check(strategy, size_tokens, overlap_tokens, embed)
    tokens = _counter(document.text, count or estimate_tokens)
    cuts = _forced_cuts(document, strategy, embed)
    level = "word" if strategy == "fixed" else "block"
    spans: list[Span] = []
    for start, end in pairwise(cuts):
        whole = tokens(start, end) <= size_tokens
        spans += (
            [(start, end)] if whole else _tile(document.text, start, end, level, size_tokens - overlap_tokens, tokens)
        )
    starts = _overlapped(document.text, spans, overlap_tokens, size_tokens, tokens, set(cuts))
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


def _counter(text: str, count: Count) -> Tokens:
    """Tokens of text[start:end], each span counted once."""

    @functools.cache
    def tokens(start: int, end: int) -> int:
        return count(text[start:end])

    return tokens


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


def _tile(text: str, start: int, end: int, level: str, room: int, tokens: Tokens) -> list[Span]:
    """Spans of at most `room` tokens that tile [start, end): as few as packing gives, and as even as that allows.

    Evenness keeps a short rest from becoming a chunk of its own, which would match everything and say little.
    """
    if start == end:
        return []
    pieces = list(_pieces(text, start, end, level, room, tokens))
    best = _packed(pieces, room, tokens)
    low, high = 0, room
    while high - low > max(1, room // 32):  # the least limit that needs no more chunks
        middle = (low + high) // 2
        tried = _packed(pieces, middle, tokens)
        if len(tried) == len(best):
            best, high = tried, middle
        else:
            low = middle
    return best


def _packed(pieces: Sequence[Span], limit: int, tokens: Tokens) -> list[Span]:
    """Neighbours joined as long as they stay within the limit."""
    packed: list[Span] = []
    for start, end in pieces:
        if packed and tokens(packed[-1][0], end) <= limit:
            packed[-1] = (packed[-1][0], end)
        else:
            packed.append((start, end))
    return packed


def _pieces(text: str, start: int, end: int, level: str, room: int, tokens: Tokens) -> Iterator[Span]:
    """The largest units that fit: blocks, of a larger block its sentences, of a larger sentence its words."""
    if level == "character":
        yield from _characters(start, end, room, tokens)
        return
    for piece in _UNITS[level](text, start, end):
        if tokens(*piece) <= room:
            yield piece
        else:
            yield from _pieces(text, *piece, _FINER[level], room, tokens)


def _characters(start: int, end: int, room: int, tokens: Tokens) -> Iterator[Span]:
    """The longest stretches that fit, found by bisection within a window, for a "word" may be megabytes long."""
    while start < end:
        low, high = start + 1, min(end, start + 8 * room)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if tokens(start, middle) <= room else (low, middle - 1)
        yield start, low
        start = low


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


_UNITS: dict[str, Callable[[str, int, int], Iterator[Span]]] = {
    "block": _blocks,
    "sentence": _sentences,
    "word": _words,
}


def _overlapped(text: str, spans: list[Span], overlap: int, size: int, tokens: Tokens, cuts: set[int]) -> list[int]:
    """Each chunk's start, moved back over at most `overlap` tokens to the start of a sentence, else of a word.

    Not over a forced cut: what heads a new section is not the tail of the one before.
    """
    starts = []
    for index, (start, end) in enumerate(spans):
        best = start
        if overlap and index and start not in cuts:
            for units in (_sentences, _words):
                options = [a for a, _ in units(text, spans[index - 1][0], start)][1:]
                fitting = (a for a in options if tokens(a, start) <= overlap and tokens(a, end) <= size)
                best = next(fitting, start)
                if best < start:
                    break
        starts.append(best)
    return starts
