"""Text with its numbers as digits, so that what is said in words reads like what is written in figures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from ftrag.evaluation.phrases import DIGIT, rewritten
from ftrag.evaluation.units import MONTHS, ONES, ORDINALS, TENS
from ftrag.text import HIDDEN


def alternatives(names: Iterable[str]) -> str:
    """A pattern of any of the names, longer ones first."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


_FRACTIONS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8"}


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Case-folded text with plain quotes and dashes, number words as digits; the text that atoms point into."""
    text = text.casefold() if text.isascii() else _plain_signs(text)
    if _MARKUP.search(text):
        text = re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", text)
    return _number_words(re.sub(r"[ \t]+", " ", text) if "  " in text or "\t" in text else text)


_MARKUP = re.compile("[*_`]")


def _plain_signs(text: str) -> str:
    for sign, plain in _FRACTIONS.items():
        if sign in text:
            text = re.sub(rf"(?<=\d)\s*{sign}", f" {plain}", text).replace(sign, plain)
    text = unicodedata.normalize("NFKC", HIDDEN.sub("", text)).casefold()
    text = re.sub(r"[\u2018\u2019\u02bc]", "'", text)
    return re.sub(r"[\u2010-\u2015\u2212]", "-", text)


_DIGIT = alternatives([name for name in ONES if 0 < ONES[name] < 10])
_SMALL = f"(?:(?:{alternatives(TENS)})(?:[ -](?:{_DIGIT}))?|{alternatives(ONES)})"
_HUNDREDS = f"{_SMALL}(?: hundred(?:(?: and)? {_SMALL})?)?"
_SPELLED = re.compile(rf"(?<!\w)(?<!\d )(?P<n>{_HUNDREDS}(?: thousand(?:(?: and)? {_HUNDREDS})?)?)(?!\w)")
_SPELLED_ORDINAL = re.compile(rf"\b({alternatives(TENS)})[ -]({alternatives(ORDINALS)})\b")
_OF_MONTH = re.compile(rf"\b({alternatives(ORDINALS)})( of (?:{alternatives(MONTHS)})\b)")
_FEET = re.compile(r"\b(\d) ?(?:ft\.?|feet|foot|') ?(\d{1,2}) ?(?:in\b\.?|inch(?:es)?\b|\"|'')")
_QUARTER_TO = re.compile(r"\b(?:a )?quarter to (\d{1,2})\b")
# "the blue one", "one of them", "no one": a pronoun. A number stands before its noun or is the whole answer.
_COUNTS = re.compile(r"(?! (?:of|that|who|which|is|and|or|to|for|in|on|at|with|you|we|i)\b) [a-z]")
_ANSWERS = re.compile(r"(?:^|: |\b(?:is|are|only|just|exactly|quarter to|quarter past|half past) )$")
_PRONOUN = re.compile(r"\b(?:no|any|every|each|some|this|that|which|another) $")


def _is_one(text: str, start: int, end: int) -> bool:
    before = text[:start]
    return not _PRONOUN.search(before) and bool(_COUNTS.match(text, end) or _ANSWERS.search(before))


def _number_words(text: str) -> str:
    def digits(match: re.Match[str]) -> str:
        if match["n"] == "one" and not _is_one(text, match.start(), match.end()):
            return "one"
        return str(_spelled(match["n"]))

    def ordinal(match: re.Match[str]) -> str:
        return f"{TENS[match[1]] + ORDINALS[match[2]]}th"

    text = re.sub(r"\ban? (?=(?:hundred|thousand|million|billion)\b)", "one ", text)
    text = _SPELLED.sub(digits, _SPELLED_ORDINAL.sub(ordinal, text))
    if " of " in text:
        text = _OF_MONTH.sub(lambda match: f"{ORDINALS[match[1]]}th{match[2]}", text)
    if DIGIT.search(text):
        text = _FEET.sub(lambda match: f"{12 * int(match[1]) + int(match[2])} inches", text)
    if "quarter to" in text:
        text = _QUARTER_TO.sub(lambda match: f"{(int(match[1]) - 2) % 12 + 1}:45", text)
    return rewritten(text)


def _spelled(words: str) -> int:
    """ "one thousand one hundred and four" -> 1104."""
    thousands, total = 0, 0
    for word in re.split(r"[ -]", words):
        if word == "thousand":
            thousands, total = total * 1000, 0
        elif word == "hundred":
            total *= 100
        elif word != "and":
            total += ONES.get(word, 0) or TENS.get(word, 0)
    return thousands + total
