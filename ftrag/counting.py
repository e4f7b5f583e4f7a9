"""How many tokens a text has, by a model's own tokenizer or by a guess, and quickly for many stretches of one text."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

Count = Callable[[str], int]
Starts = Callable[[str], Sequence[int]]  # the offset at which each token of a text begins, ascending
SLAB = 2_000  # characters that are tokenized at a time where only the starts are wanted: one "word" may be megabytes
EDGE = 4  # tokens by which a stretch may differ from its part of the whole, where it cuts a token or its white space


def estimate_tokens(text: str) -> int:
    """A model-free guess at the number of tokens: up to five letters or digits, or one other sign, is a token.

    Errs on the high side for English, so that a chunk seldom has more of the model's own tokens.
    """
    return len(_TOKEN.findall(text))


_TOKEN = re.compile(r"[^\W_]{1,5}|[^\w\s]|_|\n")


def estimate_starts(text: str) -> list[int]:
    return [match.start() for match in _TOKEN.finditer(text)]


@functools.cache
def counter(tokenizer_file: str) -> Count:
    """Tokens of a text without special ones; the estimate where there is no such file ("")."""
    tokenizer = _tokenizer(tokenizer_file)
    if tokenizer is None:
        return estimate_tokens
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


@functools.cache
def starter(tokenizer_file: str) -> Starts:
    """As `counter`, where the tokens begin; only near the ends of slabs not exactly as in the whole text."""
    tokenizer = _tokenizer(tokenizer_file)
    if tokenizer is None:
        return estimate_starts

    def starts(text: str) -> list[int]:
        slabs = ((at, text[at : at + SLAB]) for at in range(0, len(text), SLAB))
        return [
            at + start for at, slab in slabs for start, _ in tokenizer.encode(slab, add_special_tokens=False).offsets
        ]

    return starts


@functools.cache
def _tokenizer(file: str) -> Any:
    if not file:
        return None
    from tokenizers import Tokenizer

    return Tokenizer.from_file(file)


class Gauge:
    """Whether stretches of one text stay within limits; each is counted once, and only if it comes near its limit."""

    def __init__(self, text: str, count: Count, starts: Starts | None) -> None:
        self.tokens = functools.cache(lambda start, end: count(text[start:end]))
        self.starts = starts(text) if starts else None

    def exact(self) -> Gauge:
        """The same that counts every stretch."""
        gauge = copy(self)
        gauge.starts = None
        return gauge

    def fits(self, start: int, end: int, limit: int) -> bool:
        """Whether text[start:end] has at most `limit` tokens; may be wrong only where tokens depend on far text."""
        if self.starts is not None:
            guess = bisect_left(self.starts, end) - bisect_left(self.starts, start)
            if abs(guess - limit) > EDGE:
                return guess < limit
        return self.tokens(start, end) <= limit
