"""Documents to chunks with half-open character offsets: chunks without their overlap join to exactly the text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from ftrag import text as words_of
from ftrag.counting import Count, Gauge, Starts, estimate_starts, estimate_tokens
from ftrag.errors import InputError
from ftrag.layout import solids
from ftrag.pieces import UNITS, Span, sentences, words
from ftrag.types import Chunk, Document

Strategy = Literal["recursive", "fixed", "heading", "semantic"]
STRATEGIES: tuple[Strategy, ...] = ("recursive", "fixed", "heading", "semantic")
SIZE_TOKENS = 384  # most help pages and encyclopedia paragraphs stay whole; three chunks stay under 1,200 tokens
MINIMUM_TOKENS = 16  # any single character fits into this many tokens
EVEN_CHUNKS = 100  # of more than that a share of the last one's room is nothing
Whole = tuple[int, int, bool]  # (start, end, whether it is a row) of a table, a code fence or a row of a table


def chunk(
    document: Document,
    *,
    strategy: Strategy = "recursive",
    size_tokens: int = SIZE_TOKENS,
    overlap_tokens: int = 0,
    count: Count | None = None,
    starts: Starts | None = None,
    embed: Callable[[list[str]], Any] | None = None,
) -> list[Chunk]:
    """Cut a document into chunks of at most `size_tokens` tokens as counted by `count`, overlap included.

    starts: where the tokens of a text begin; with it only what comes near a limit is counted, which is much faster.

    "recursive" packs paragraphs, then sentences, then words; "heading" also cuts at every heading and page; "fixed"
    packs words alone; "semantic" also cuts where `embed` (texts -> unit vectors) sees the subject change. All of them
    leave a table, a code fence or a row of a table in one chunk if it fits.
    """
    _check(strategy, size_tokens, overlap_tokens, embed)
    gauge = Gauge(document.text, count, starts) if count else Gauge(document.text, estimate_tokens, estimate_starts)
    rows = _fitting(document.text, _rows(document), gauge, size_tokens)
    blocks = _fitting(document.text, solids(document.text), gauge, size_tokens)
    whole = _apart([*((*span, False) for span in blocks), *((*span, True) for span in rows)])
    job = _Job(document.text, gauge, size_tokens, size_tokens - overlap_tokens, whole)
    cuts = [cut for cut in _forced_cuts(document, strategy, embed) if not _tears(whole, cut)]
    spans: list[Span] = []
    for start, end in pairwise(cuts):
        level = "part" if strategy == "fixed" else "block"
        spans += [(start, end)] if gauge.fits(start, end, size_tokens) else _tile(job, start, end, level)
    spans = list(_counted(job, spans))
    begins = _overlapped(job, spans, overlap_tokens, set(cuts), rows)
    ends = [end for _, end in spans]
    pairs = enumerate(zip(begins, ends, strict=True))
    return [Chunk(document.name, i, document.text[start:end], start, end) for i, (start, end) in pairs]


def join(chunks: Sequence[Chunk]) -> str:
    """The text that the chunks of one document were cut from: each chunk's overlap with the one before left out."""
    ends = [0, *(chunk.end for chunk in chunks)]
    return "".join(chunk.text[max(0, end - chunk.start) :] for end, chunk in zip(ends, chunks, strict=False))


@dataclass(frozen=True)
class _Job:
    text: str
    gauge: Gauge
    size: int  # the most tokens of a chunk
    room: int  # without its overlap
    whole: tuple[Whole, ...]  # what fits and must not be cut, in order


def _rows(document: Document) -> list[Span]:
    """The rows of tables, each a line, as its places name them, in order. A heading "row 3" may name many lines."""
    named = sorted((place.start, place.end) for place in document.locations if _ROW.search(place.label))
    return [(start, end) for start, end in named if start < end and "\n" not in document.text[start:end]]


def _fitting(text: str, spans: Iterable[tuple[Any, ...]], gauge: Gauge, size: int) -> list[Span]:
    """Those spans that fit, each with the blank lines after it if these fit too: white space never makes one too long.

    Else white space goes to what follows, down to the span's own last line end.
    """
    found: list[Span] = []
    for start, end, *_ in spans:
        rest = _BLANK.match(text, end)
        bare = start + len(text[start:end].rstrip())
        ends = (rest.end() if rest else end, end, bare)
        found += [(start, last) for last in ends if gauge.fits(start, last, size)][:1]
    return found


_BLANK = re.compile(r"\s*(?:\n|$)")


def _apart(spans: Iterable[Whole]) -> tuple[Whole, ...]:
    """In order, without those inside another: a row of a table that fits is whole with it."""
    found: list[Whole] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not found or found[-1][1] <= span[0]:
            found.append(span)
    return tuple(found)


def _tears(spans: Sequence[tuple[int, ...]], cut: int) -> bool:
    """Whether a cut goes through one of the spans, which lie in order and apart."""
    place = bisect_left(spans, (cut,)) - 1
    return place >= 0 and cut < spans[place][1]


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


_FINER = {"block": "section", "section": "sentence", "part": "word", "sentence": "word", "word": "character"}


def _counted(job: _Job, spans: Iterable[Span]) -> Iterator[Span]:
    """The spans; one that has more tokens than was guessed is cut again with every stretch of it counted."""
    for start, end in spans:
        if job.gauge.tokens(start, end) <= job.size:
            yield start, end
        else:
            yield from _tile(replace(job, gauge=job.gauge.exact()), start, end, "part")


def _tile(job: _Job, start: int, end: int, level: str) -> list[Span]:
    """Spans of at most `room` tokens that tile [start, end): as few as packing gives, and as even as that allows.

    Evenness keeps a short rest from becoming a chunk of its own, which would match everything and say little.
    """
    if start == end:
        return []
    pieces = list(_pieces(job, start, end, level))
    best = _packed(pieces, job.room, job.gauge)
    low, high = 0, job.room if len(best) <= EVEN_CHUNKS else 0
    while high - low > max(1, job.room // 32):  # the least limit that needs no more chunks
        middle = (low + high) // 2
        tried = _packed(pieces, middle, job.gauge)
        if len(tried) == len(best):
            best, high = tried, middle
        else:
            low = middle
    return best


def _packed(pieces: Sequence[Span], limit: int, gauge: Gauge) -> list[Span]:
    """Neighbours joined as long as they stay within the limit, which is found by doubling and bisection."""
    packed: list[Span] = []
    at = 0
    while at < len(pieces):
        start, step = pieces[at][0], 1
        while at + step < len(pieces) and gauge.fits(start, pieces[at + step][1], limit):
            step *= 2
        tried = range(at + step // 2 + 1, min(at + step, len(pieces)))
        over = bisect_left(tried, True, key=lambda i: not gauge.fits(start, pieces[i][1], limit))
        at = at + step // 2 + 1 + over
        packed.append((start, pieces[at - 1][1]))
    return packed


def _pieces(job: _Job, start: int, end: int, level: str) -> Iterator[Span]:
    """The largest units that fit: blocks, of a larger block its sentences, of a larger sentence its words."""
    if level == "character":
        yield from _characters(start, end, job.room, job.gauge)
    elif level in ("section", "part"):
        for piece, is_whole in _around(job, start, end, joined=level == "section"):
            if is_whole:
                yield piece
            else:
                yield from _pieces(job, *piece, _FINER[level])
    else:
        for piece in UNITS[level](job.text, start, end):
            if len(range(*piece)) * MINIMUM_TOKENS <= job.room or job.gauge.fits(*piece, job.room):
                yield piece
            else:
                yield from _pieces(job, *piece, _FINER[level])


def _around(job: _Job, start: int, end: int, joined: bool) -> Iterator[tuple[Span, bool]]:
    """What must be whole (True), and the rest (False); `joined`: a table or fence with what leads to it, if both fit.

    Not so a row: what stands before it is the table's head or another row, and these are packed like sentences.
    """
    at = start
    for place in range(bisect_left(job.whole, (start,)), len(job.whole)):
        first, last, is_row = job.whole[place]
        if last > end:
            break
        if joined and not is_row and first > at and job.gauge.fits(at, last, job.size):
            first = at
        if first > at:
            yield (at, first), False
        yield (first, last), True
        at = last
    if at < end:
        yield (at, end), False


def _characters(start: int, end: int, room: int, gauge: Gauge) -> Iterator[Span]:
    """The longest stretches that fit, found by bisection within a window, for a "word" may be megabytes long."""
    while start < end:
        low, high = start + 1, min(end, start + 8 * room)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if gauge.fits(start, middle, room) else (low, middle - 1)
        yield start, low
        start = low


def _overlapped(job: _Job, spans: list[Span], overlap: int, cuts: set[int], rows: list[Span]) -> list[int]:
    """Each chunk's start, moved back over at most `overlap` tokens to the start of a sentence, else of a word.

    Not over a forced cut: what heads a new section is not the tail of the one before. Not into a row that fits: the
    rest of a row no longer says what it is about.
    """
    starts = []
    for index, (start, end) in enumerate(spans):
        best = start
        if overlap and index and start not in cuts:
            for units in (sentences, words):
                options = [a for a, _ in units(job.text, spans[index - 1][0], start)][1:]
                options = [a for a in options if not _tears(rows, a)]
                best = _earliest(job, options, start, end, overlap)
                if best < start:
                    break
        starts.append(best)
    return starts


def _earliest(job: _Job, options: Sequence[int], start: int, end: int, overlap: int) -> int:
    """The first of the options from which the overlap and the chunk with it fit, else `start`."""

    def fits(at: int) -> bool:
        return job.gauge.fits(at, start, overlap) and job.gauge.fits(at, end, job.size)

    later = options[bisect_left(options, True, key=fits) :]
    counted = (at for at in later if job.gauge.tokens(at, start) <= overlap and job.gauge.tokens(at, end) <= job.size)
    return next(counted, start)
