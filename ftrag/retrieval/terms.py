"""Text to index terms: the tokens of `ftrag.text` without stop words, stemmed; bigrams for scripts without spaces."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from ftrag import text
from ftrag.errors import InputError

# Lucene's EnglishAnalyzer.ENGLISH_STOP_WORDS_SET; a longer list would eat words that questions turn on.
_ENGLISH = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with"
)
STOP_WORDS = {"english": frozenset(_ENGLISH.split())}
# Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar: written without spaces between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]+"
)
_LOCAL = threading.local()  # a stemmer keeps state: one per thread


def terms(content: str, *, language: str = "english", stem: bool = True, stop_words: bool = True) -> list[str]:
    """The index terms of a text, in order, repeats kept."""
    found = text.words(content)
    if _UNSPACED.search(content):
        found = [term for word in found for term in _bigrams(word)]
    if stop_words:
        drop = STOP_WORDS.get(language, frozenset())
        found = [word for word in found if word not in drop]
    return list(_stemmer(language).stemWords(found)) if stem else found


def check_language(language: str) -> None:
    """InputError unless a stemmer exists for the language."""
    _stemmer(language)


def _bigrams(word: str) -> Sequence[str]:
    """Lucene's CJKAnalyzer: overlapping pairs of unspaced letters; other letters of the token stay whole."""
    pieces: list[str] = []
    at = 0
    for run in _UNSPACED.finditer(word):
        pieces += [word[at : run.start()]] if run.start() > at else []
        letters = run.group()
        pieces += [letters[i : i + 2] for i in range(len(letters) - 1)] if len(letters) > 1 else [letters]
        at = run.end()
    return [*pieces, word[at:]] if at < len(word) else pieces


def _stemmer(language: str) -> Any:
    import Stemmer

    known: dict[str, Any] = _LOCAL.__dict__.setdefault("stemmers", {})
    if language not in known:
        if language not in Stemmer.algorithms():
            raise InputError(f"there is no stemmer for {language!r}; choose one of {', '.join(Stemmer.algorithms())}")
        known[language] = Stemmer.Stemmer(language)
    return known[language]
