"""The one definition of a token, shared by BM25 and the metrics."""

from __future__ import annotations

import functools
import re
import unicodedata

WORD = re.compile(r"\w+(?:[.,:/]\d+)*")  # keeps 1,200.50 and 16:40 and 3/4 whole; enough for ASCII

# Zero-width and bidirectional controls: invisible to a reader, visible to a tokenizer.
HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\u034f\u115f\u1160\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)


def normalise(text: str) -> str:
    """NFKC, case-folded, without hidden characters."""
    return HIDDEN.sub("", unicodedata.normalize("NFKC", text)).casefold()


def words(text: str) -> list[str]:
    """Lower-case word tokens of any script, numbers kept whole: "Fee: €1,200.50" -> ["fee", "1,200.50"]."""
    said = normalise(text)
    return WORD.findall(said) if said.isascii() else _word().findall(said)


@functools.cache
def _word() -> re.Pattern[str]:
    """WORD with combining marks inside words: Hindi's vowel signs and Thai's tone marks are no \\w to Python."""
    marks = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code)).startswith("M"))
    return re.compile(rf"\w+(?:[{marks}]+\w*)*(?:[.,:/]\d+)*")


def inert(cell: str) -> str:
    """A text for a CSV: what a spreadsheet would run as a formula gets an apostrophe before it (OWASP)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open character spans of the sentences of a text; white space between them belongs to none.

    Splits after . ! ? or the full stops of other scripts when white space or the end follows, and at line breaks;
    not after a single letter, a number at the start of a line, a German ordinal ("am 3. Mai"), or common abbreviations.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in re.finditer(r"(?<=[.!?…])[\"'”’)\]]*(?=\s|$)|(?<=[。！？])|\n+", text):
        if match.group().startswith("\n") or not _ABBREVIATION.search(
            text[max(start, match.start() - 16) : match.start()]
        ):
            _add_span(text, start, match.end(), spans)
            start = match.end()
    _add_span(text, start, len(text), spans)
    return spans


_ABBREVIATION = re.compile(
    r"(?:(?:^|\s)(?:[A-Za-z]|e\.g|i\.e|etc|approx|no|nr|vs|mr|mrs|ms|dr|st)"
    r"|(?:(?:^|\n)\s*|\b(?:am|im|de[rmns]|die|das|vom|zu[mr]|ab|bis|seit) )\d{1,2})\.$",
    re.IGNORECASE,
)


def _add_span(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        left = start + len(piece) - len(piece.lstrip())
        spans.append((left, left + len(stripped)))
