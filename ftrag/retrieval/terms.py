"""Text to index terms: the tokens of `ftrag.text` without stop words, stemmed; bigrams for scripts without spaces."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from ftrag import text
from ftrag.errors import InputError

# Closed-class words: Lucene's ENGLISH_STOP_WORDS_SET, and what turns a statement into a question. Users ask questions
# and documents make statements, so these are rare there and would pass for telling ones. Not "may", a month, nor "us".
_ENGLISH = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with "
    "what which who whom whose when where why how do does did doing done has have had having am were been being "
    "can could would should might shall must i me my mine we our ours you your yours he him his she her hers its them "
    "theirs"
)
STOP_WORDS = {"english": frozenset(_ENGLISH.split())}
# Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar: written without spaces between words; Hangul, whose words carry
# their particles, as in Lucene's analyzer.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
    "\U00020000-\U0003134f]+"
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


def languages() -> list[str]:
    """Those with a stemmer."""
    import Stemmer

    return sorted(Stemmer.algorithms())


def is_near(left: str, right: str) -> bool:
    """Whether two terms can be the same word: one letter left out, put in or changed, two neighbours swapped, or an
    ending of at most three letters that the stemmer left on one of them ("septicemia", "septicem")."""
    short, long = sorted((left, right), key=len)
    at = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    if at == len(short):
        return len(long) - at <= 3
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped


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
