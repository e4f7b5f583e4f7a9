"""Ways of saying a value in words, rewritten as the value: rows of (signs, pattern, plain), applied in order.

They read text whose number words are digits already: "half past 3", "1 in 5", "free of charge", "5 euros each".
signs: the pattern needs one of them, so that a text with none is spared the search, most of what scoring costs;
"#" is any digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ftrag.evaluation.units import PARTS

Plain = str | Callable[[re.Match[str]], str]
Rows = tuple[tuple[str, str, Plain], ...]

_PERIODS = "second|minute|hour|day|week|month|year"
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
    at = f"{match['at']} " if match["at"] else ""
    return f"{at}{hour}{match['minute'] or ''} {'pm' if late or (match['part'] and hour == 12) else 'am'}"


def _before(match: re.Match[str]) -> str:
    """ "10 minutes to 9" -> "8:50"."""
    return f"{(int(match['hour']) - 2) % 12 + 1}:{60 - int(match['minutes']):02}"


def _after(match: re.Match[str]) -> str:
    return f"{match['hour']}:{int(match['minutes']):02}"


def _fraction(match: re.Match[str]) -> str:
    return f"{match['count'] or 1}/{PARTS[match['part']]}"


LENGTHS: Rows = (
    ("half", r"\bhalf an hour\b", "30 minutes"),
    ("quarters", r"\b3 quarters of an hour\b", "45 minutes"),
    ("quarter", r"\bquarter of an hour\b", "15 minutes"),
    ("half", rf"\b(?:a|an|one|1) {_PERIOD} and a half\b", r"1.5 \g<unit>s"),
    ("half", rf"\b(\d+) {_PERIOD}s and a half\b", r"\1.5 \g<unit>s"),
    ("fortnight", r"(?<!\d )\b(?:a )?fortnight\b", "2 weeks"),
    ("#", r"\b(\d+) ?h(?:ours?|rs?)? ?(?:and )?(\d+) ?m\b", r"\1 h \2 min"),
)
NUMBERS: Rows = (
    ("dozen", r"\bhalf a dozen\b", "6"),
    ("dozen", r"\b(?:a|one|1) dozen\b", "12"),
    ("dozen", r"\b2 dozen\b", "24"),
    ("half", r"\bone and a half\b", "1.5"),
    ("half", r"\b(\d+) and a half\b", r"\1.5"),
    ("half", r"\bhalf an? (?=[a-z])", "0.5 "),
    ("minus|negative", r"(?<!\d )\b(?:minus|negative) (?=[\d$€£])", "-"),
    ("#", r"(?<![\w.,])\.(?=\d)", "0."),
    ("#", rf"(?<![\w-]){_NO_LABEL}(-?\d+(?:\.\d+)?)([cf])\b(?![-/])", r"\1 °\2"),
)
SHARES: Rows = (
    (_PART, rf"\b(?P<count>\d{{1,2}})[ -](?P<part>{_PART})\b", _fraction),
    # "a quarter of them" and "a quarter"; "once a quarter" is three months
    (_PART, rf"(?<!once )(?<!twice )(?<!times )\ban? (?P<count>)(?P<part>{_PART})(?= of\b|\W*$)", _fraction),
    ("half", r"\bhalf(?= of\b)|^half(?=\W*$)", "1/2"),
)
RATES: Rows = (
    ("24 hours", r"\b24 hours (?:a|per|each|every) day,? (?:and )?7 days (?:a|per|each|every) week\b", "24/7"),
    ("clock", r"\b(?:all )?a?round[ -]the[ -]clock\b", "24/7"),
    ("all day", r"\ball day,? every day\b", "24/7"),
    ("once|one time", rf"\b(?:once|one time) (?:an?|per|each|every) {_PERIOD}\b", r"1 times per \g<unit>"),
    ("twice|2 times", rf"\b(?:twice|2 times) (?:an?|per|each|every) {_PERIOD}\b", r"2 times per \g<unit>"),
    (_PERIODS, rf"({_RATED}) (?:an?|each|every) {_PERIOD}\b", r"\1 per \g<unit>"),
    ("/", rf"(?<=\w) ?/ ?(?:{_PERIOD}|(?P<one>person|head|night|user|seat|guest))\b", r" per \g<unit>\g<one>"),
    ("each|apiece|head|person|pp", rf"({_MONEY}) (?:each|apiece|(?:a|per) (?:head|person)|pp)(?!\w)", r"\1 per person"),
)
_PARTS_OF_DAY = "morning|afternoon|evening|night"
TIMES: Rows = (
    ("half past", r"\bhalf past (\d{1,2})\b", r"\1:30"),
    ("quarter past", r"\b(?:a )?quarter past (\d{1,2})\b", r"\1:15"),
    (" past ", r"\b(?P<minutes>[1-5]?\d)(?: minutes)? past (?P<hour>1[0-2]|[1-9])\b(?!:)", _after),
    ("minutes to ", r"\b(?P<minutes>[1-5]?\d) minutes to (?P<hour>1[0-2]|[1-9])\b(?!:|[.,]\d| ?(?:min|hour))", _before),
    (_PARTS_OF_DAY, rf"(?:\b(?P<at>at|by|from|to|till|until|before|after) |^)(?P<hour>1[0-2]|[1-9])"
     rf"(?P<minute>:[0-5]\d)?(?: o'clock)? {_DAYTIME}\b", _with_half),
    (_PARTS_OF_DAY, rf"\b(?P<at>)(?P<hour>1[0-2]|[1-9])(?P<minute>:[0-5]\d) {_DAYTIME}\b", _with_half),
    ("o'clock", r"\b(\d{1,2}) o'clock\b", r"\1:00"),
)  # fmt: skip
_CHARGE = r"(?:charge|cost|fee)s?"
PRICES: Rows = (
    ("free of", rf"\bfree of (?:any )?{_CHARGE}\b", "free"),
    ("for free|gratis", r"\bfor free\b|\bgratis\b", "free"),
    ("nothing", r"\b(?:cost|pay|charge)s? nothing\b", "free"),
    ("no ", rf"\b(?:at |for )?no (?:extra |additional |further )?{_CHARGE}\b", "free"),
    ("without", rf"\bwithout (?:any )?(?:extra )?{_CHARGE}\b", "free"),
)
SINGLE: Rows = (
    ("'s", rf"\ban? {_PERIOD}'s\b", r"1 \g<unit>"),
    (_PERIODS, rf"^(\W*)an? {_PERIOD}(?=\W*$)", r"\g<1>1 \g<unit>"),
    (_PERIODS, rf"\b(?P<before>{_BEFORE_ONE}) an? {_PERIOD}\b", r"\g<before> 1 \g<unit>"),
)
PHRASES = tuple(
    (tuple(signs.split("|")), re.compile(pattern), plain)
    for rows in (LENGTHS, NUMBERS, SHARES, RATES, TIMES, PRICES, SINGLE)
    for signs, pattern, plain in rows
)
DIGIT = re.compile(r"\d")


def rewritten(text: str) -> str:
    """The text with every phrase replaced by its value."""
    for signs, pattern, plain in PHRASES:
        for sign in signs:
            if sign in text or (sign == "#" and DIGIT.search(text)):
                text = pattern.sub(plain, text)
                break
    return text
