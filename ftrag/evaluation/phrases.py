"""Ways of saying a value in words, rewritten as the value: rows of (pattern, plain), applied in order.

They read text whose number words are digits already: "half past 3", "1 in 5", "free of charge", "5 euros each".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ftrag.evaluation.units import PARTS

Plain = str | Callable[[re.Match[str]], str]

_PERIOD = r"(?P<unit>second|minute|hour|day|week|month|year)"
_BEFORE_ONE = (  # "a week" is a length after these; "twice a week" is not
    "for|in|within|after|takes?|lasts?|about|only|than|least|most|is|wait|gets?|have|has|needs?|of|under|over|almost|"
    "nearly|exactly|roughly"
)
_NO_LABEL = "".join(f"(?<!{label} )" for label in ("flat", "room", "unit", "gate", "seat", "row", "section", "class"))
_RATED = r"(?<=\d)|(?<=%)|\b(?:times?|euros?|dollars?|pounds?|cents?|mg|g|kg|hours?|minutes?|days?|nights?|people)"
_MONEY = r"(?:[€$£¥]\s?\d[\d.,]*|\b\d[\d.,]* ?(?:euros?|dollars?|pounds?|cents?|pence|eur|usd|gbp|chf|[€$£¥]))"
_DAYTIME = r"(?:in the (?P<part>morning|afternoon|evening)|at (?P<night>night))"
_PART = "|".join(sorted(PARTS, key=len, reverse=True))


def _with_half(match: re.Match[str]) -> str:
    """ "3:30 in the afternoon" -> "3:30 pm", "2 at night" -> "2 am"."""
    hour = int(match["hour"])
    late = match["part"] in {"afternoon", "evening"} or (match["night"] and 5 < hour < 12)
    return f"{hour}{match['minute'] or ''} {'pm' if late or (match['part'] and hour == 12) else 'am'}"


def _before(match: re.Match[str]) -> str:
    """ "10 minutes to 9" -> "8:50"."""
    return f"{(int(match['hour']) - 2) % 12 + 1}:{60 - int(match['minutes']):02}"


def _after(match: re.Match[str]) -> str:
    return f"{match['hour']}:{int(match['minutes']):02}"


def _fraction(match: re.Match[str]) -> str:
    return f"{match['count'] or 1}/{PARTS[match['part']]}"


LENGTHS: tuple[tuple[str, Plain], ...] = (
    (r"\bhalf an hour\b", "30 minutes"),
    (r"\b3 quarters of an hour\b", "45 minutes"),
    (r"\bquarter of an hour\b", "15 minutes"),
    (rf"\b(?:a|an|one|1) {_PERIOD} and a half\b", r"1.5 \g<unit>s"),
    (rf"\b(\d+) {_PERIOD}s and a half\b", r"\1.5 \g<unit>s"),
    (r"(?<!\d )\b(?:a )?fortnight\b", "2 weeks"),
    (r"\b(\d+) ?h(?:ours?|rs?)? ?(?:and )?(\d+) ?m\b", r"\1 h \2 min"),
)
NUMBERS: tuple[tuple[str, Plain], ...] = (
    (r"\bhalf a dozen\b", "6"),
    (r"\b(?:a|one|1) dozen\b", "12"),
    (r"\b2 dozen\b", "24"),
    (r"\bone and a half\b", "1.5"),
    (r"\b(\d+) and a half\b", r"\1.5"),
    (r"\bhalf an? (?=[a-z])", "0.5 "),
    (r"(?<!\d )\b(?:minus|negative) (?=[\d$€£])", "-"),
    (r"(?<![\w.,])\.(?=\d)", "0."),
    (rf"(?<![\w-]){_NO_LABEL}(-?\d+(?:\.\d+)?)([cf])\b(?![-/])", r"\1 °\2"),
)
SHARES: tuple[tuple[str, Plain], ...] = (
    (rf"\b(?P<count>\d{{1,2}})[ -](?P<part>{_PART})\b", _fraction),
    # "a quarter of them" and "a quarter"; "once a quarter" is three months
    (rf"(?<!once )(?<!twice )(?<!times )\ban? (?P<count>)(?P<part>{_PART})(?= of\b|\W*$)", _fraction),
    (r"\bhalf(?= of\b)|^half(?=\W*$)", "1/2"),
)
RATES: tuple[tuple[str, Plain], ...] = (
    (
        r"\b24 hours (?:a|per|each|every) day,? (?:and )?7 days (?:a|per|each|every) week\b"
        r"|\b(?:all )?(?:a?round[ -]the[ -]clock)\b|\ball day,? every day\b",
        "24/7",
    ),
    (rf"\b(?:once|one time) (?:an?|per|each|every) {_PERIOD}\b", r"1 times per \g<unit>"),
    (rf"\b(?:twice|2 times) (?:an?|per|each|every) {_PERIOD}\b", r"2 times per \g<unit>"),
    (rf"({_RATED}) (?:an?|each|every) {_PERIOD}\b", r"\1 per \g<unit>"),
    (rf"(?<=\w) ?/ ?(?:{_PERIOD}|(?P<one>person|head|night|user|seat|guest))\b", r" per \g<unit>\g<one>"),
    (rf"({_MONEY}) (?:each|apiece|(?:a|per) (?:head|person)|pp)(?!\w)", r"\1 per person"),
)
TIMES: tuple[tuple[str, Plain], ...] = (
    (r"\bhalf past (\d{1,2})\b", r"\1:30"),
    (r"\b(?:a )?quarter past (\d{1,2})\b", r"\1:15"),
    (r"\b(?P<minutes>[1-5]?\d)(?: minutes)? past (?P<hour>1[0-2]|[1-9])\b(?!:)", _after),
    (r"\b(?P<minutes>[1-5]?\d) minutes to (?P<hour>1[0-2]|[1-9])\b(?!:|[.,]\d| ?(?:minute|min|hour))", _before),
    (rf"(?:(?<=\bat )|(?<=\bby )|(?<=\bfrom )|(?<=\bto )|(?<=\btill )|(?<=\buntil )|(?<=\bbefore )|(?<=\bafter )|^)"
     rf"(?P<hour>1[0-2]|[1-9])(?P<minute>:[0-5]\d)?(?: o'clock)? {_DAYTIME}\b", _with_half),
    (rf"\b(?P<hour>1[0-2]|[1-9])(?P<minute>:[0-5]\d) {_DAYTIME}\b", _with_half),
    (r"\b(\d{1,2}) o'clock\b", r"\1:00"),
)  # fmt: skip
_CHARGE = r"(?:charge|cost|fee)s?"
PRICES: tuple[tuple[str, Plain], ...] = (
    (rf"\bfree of (?:any )?{_CHARGE}\b|\bfor free\b|\bgratis\b|\b(?:cost|pay|charge)s? nothing\b", "free"),
    (rf"\b(?:at |for )?no (?:extra |additional |further )?{_CHARGE}\b", "free"),
    (rf"\bwithout (?:any )?(?:extra )?{_CHARGE}\b", "free"),
)
SINGLE: tuple[tuple[str, Plain], ...] = (
    (rf"\ban? {_PERIOD}'s\b", r"1 \g<unit>"),
    (rf"^(\W*)an? {_PERIOD}(?=\W*$)", r"\g<1>1 \g<unit>"),
    (rf"\b(?P<before>{_BEFORE_ONE}) an? {_PERIOD}\b", r"\g<before> 1 \g<unit>"),
)
PHRASES = tuple(
    (re.compile(pattern), plain)
    for rows in (LENGTHS, NUMBERS, SHARES, RATES, TIMES, PRICES, SINGLE)
    for pattern, plain in rows
)


def rewritten(text: str) -> str:
    """The text with every phrase replaced by its value."""
    for pattern, plain in PHRASES:
        text = pattern.sub(plain, text)
    return text
