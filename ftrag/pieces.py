"""The units that chunks are packed from: blocks, sentences, words, each as spans that tile a stretch of text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from ftrag import text as words_of
from ftrag.layout import FENCE

Span = tuple[int, int]  # half-open character offsets into the text


def blocks(text: str, start: int, end: int) -> Iterator[Span]:
    """Paragraphs with the blank lines after them; a fence or table is whole; a heading stays with what follows it."""
    begin, at, fence, blank, lead, first = start, start, "", False, False, True
    for line in _lines(text, start, end):
        mark = FENCE.match(line)
        empty = not line.strip()
        if blank and not empty and not fence and not lead and at > begin:
            yield begin, at
            begin, first = at, True
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        if not empty:
            lead, first = not fence and _is_heading(text, line, at, first), False
        blank = empty
        at += len(line)
    if at > begin:
        yield begin, at


def _lines(text: str, start: int, end: int) -> Iterator[str]:
    while start < end:
        stop = text.find("\n", start, end) + 1 or end
        yield text[start:stop]
        start = stop


def _is_heading(text: str, line: str, at: int, first: bool) -> bool:
    """A Markdown heading, or a short line by itself without a full stop, as html, pdf and docx leave a heading.

    first: no line of its block that says anything stands before it.
    """
    if line.startswith("#"):
        return True
    alone = first and text[at + len(line) : at + len(line) + 1] == "\n"
    return (
        alone
        and len(line) <= 80
        and line.rstrip()[-1:] not in ".!?:;,|)]}\"'`-"
        and not line.startswith(("|", "- ", "* "))
    )


def sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Sentences, or the lines of a table or code fence, each with the white space after it; a heading with the next."""
    piece = text[start:end]
    line_wise = "```" in piece or "~~~" in piece or piece.lstrip().startswith("|")
    cuts = [m.end() for m in re.finditer(r"\n+", piece)] if line_wise else [s for s, _ in words_of.sentences(piece)][1:]
    if cuts and _is_heading(text, piece[: cuts[0]].rstrip() + "\n", start, True):
        cuts = cuts[1:]
    edges = [start, *(start + cut for cut in cuts if 0 < cut < len(piece)), end]
    yield from pairwise(edges)


def words(text: str, start: int, end: int) -> Iterator[Span]:
    """Words with the white space after them."""
    edges = [start, *(m.end() for m in re.finditer(r"\s+", text[start:end]))]
    cuts = sorted({edges[0], *(start + cut for cut in edges[1:]), end})
    yield from pairwise(cuts)


UNITS: dict[str, Callable[[str, int, int], Iterator[Span]]] = {
    "block": blocks,
    "sentence": sentences,
    "word": words,
}
