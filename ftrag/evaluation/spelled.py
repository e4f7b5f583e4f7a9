"""Text with its numbers as digits, so that what is said in words reads like what is written in figures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from ftrag.evaluation.units import MONTHS, ONES, ORDINALS, TENS
from ftrag.text import HIDDEN


def alternatives(names: Iterable[str]) -> str:
    """A pattern of any of the names, longer ones first."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


_FRACTIONS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8"}


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Case-folded text with plain quotes and dashes, number words as digits; the text that atoms point into."""
    for sign, plain in _FRACTIONS.items():
        text = re.sub(rf"(?<=\d)\s*{sign}", f" {plain}", text).replace(sign, plain)
    text = unicodedata.normalize("NFKC", HIDDEN.sub("", text)).casefold()
    text = re.sub(r"[\u2018\u2019\u02bc]", "'", text)
    text = re.sub(r"[\u2010-\u2015\u2212]", "-", text)
    return _number_words(re.sub(r"[ \t]+", " ", re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", text)))


_DIGIT = alternatives([name for name in ONES if 0 < ONES[name] < 10])
_SMALL = f"(?:(?:{alternatives(TENS)})(?:[ -](?:{_DIGIT}))?|{alternatives(ONES)})"
_HUNDREDS = f"{_SMALL}(?: hundred(?:(?: and)? {_SMALL})?)?"
_SPELLED = re.compile(rf"(?<!\w)(?<!\d )(?P<n>{_HUNDREDS}(?: thousand(?:(?: and)? {_HUNDREDS})?)?)(?!\w)")
_SPELLED_ORDINAL = re.compile(rf"\b({alternatives(TENS)})[ -]({alternatives(ORDINALS)})\b")
_PERIOD = r"(?P<unit>second|minute|hour|day|week|month|year)"
_BEFORE_ONE = (  # "a week" is a length after these; "twice a week" is not
    "for|in|within|after|takes?|lasts?|about|only|than|least|most|is|wait|gets?|have|has|needs?|of|under|over|almost|"
    "nearly|exactly|roughly"
)
_NO_LABEL = "".join(f"(?<!{label} )" for label in ("flat", "room", "unit", "gate", "seat", "row", "section", "class"))
_RATED = r"(?<=\d)|(?<=%)|\b(?:times?|euros?|dollars?|pounds?|cents?|mg|g|kg|hours?|minutes?|days?|nights?|people)"
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bhalf an hour\b"), "30 minutes"),
    (re.compile(r"\b3 quarters of an hour\b"), "45 minutes"),
    (re.compile(r"\bquarter of an hour\b"), "15 minutes"),
    (re.compile(r"\bhalf a dozen\b"), "6"),
    (re.compile(r"\b(?:a|one|1) dozen\b"), "12"),
    (re.compile(r"\b2 dozen\b"), "24"),
    (re.compile(rf"\b(?:a|an|one|1) {_PERIOD} and a half\b"), r"1.5 \g<unit>s"),
    (re.compile(rf"\b(\d+) {_PERIOD}s and a half\b"), r"\1.5 \g<unit>s"),
    (re.compile(r"\bone and a half\b"), "1.5"),
    (re.compile(r"\b(\d+) and a half\b"), r"\1.5"),
    (re.compile(r"\bhalf an? (?=[a-z])"), "0.5 "),
    (re.compile(r"\b(\d)[ -]thirds\b"), r"\1/3"),
    (re.compile(r"\b(\d)[ -]quarters\b"), r"\1/4"),
    (re.compile(rf"\b(?:once|one time) (?:an?|per|each|every) {_PERIOD}\b"), r"1 times per \g<unit>"),
    (re.compile(rf"\b(?:twice|2 times) (?:an?|per|each|every) {_PERIOD}\b"), r"2 times per \g<unit>"),
    (re.compile(rf"({_RATED}) (?:an?|each|every) {_PERIOD}\b"), r"\1 per \g<unit>"),
    (re.compile(rf"(?<=\w) ?/ ?(?:{_PERIOD}|(?P<one>person|head|night|user|seat|guest))\b"), r" per \g<unit>\g<one>"),
    (re.compile(r"(?<!\d )\b(?:a )?fortnight\b"), "2 weeks"),
    (re.compile(r"\bhalf past (\d{1,2})\b"), r"\1:30"),
    (re.compile(r"\bquarter past (\d{1,2})\b"), r"\1:15"),
    (re.compile(r"\b(\d{1,2}) o'clock\b"), r"\1:00"),
    (re.compile(r"\b(\d+) ?h(?:ours?|rs?)? ?(?:and )?(\d+) ?m\b"), r"\1 h \2 min"),
    (re.compile(r"(?<!\d )\bminus (?=[\d$€£])"), "-"),
    (re.compile(r"(?<![\w.,])\.(?=\d)"), "0."),
    (re.compile(rf"(?<![\w-]){_NO_LABEL}(-?\d+(?:\.\d+)?)([cf])\b(?![-/])"), r"\1 °\2"),
    (re.compile(rf"\ban? {_PERIOD}'s\b"), r"1 \g<unit>"),
    (re.compile(rf"^(\W*)an? {_PERIOD}(?=\W*$)"), r"\g<1>1 \g<unit>"),
    (re.compile(rf"\b(?P<before>{_BEFORE_ONE}) an? {_PERIOD}\b"), r"\g<before> 1 \g<unit>"),
)
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
    text = _OF_MONTH.sub(lambda match: f"{ORDINALS[match[1]]}th{match[2]}", text)
    text = _FEET.sub(lambda match: f"{12 * int(match[1]) + int(match[2])} inches", text)
    text = _QUARTER_TO.sub(lambda match: f"{(int(match[1]) - 2) % 12 + 1}:45", text)
    for pattern, plain in _PHRASES:
        text = pattern.sub(plain, text)
    return text


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
