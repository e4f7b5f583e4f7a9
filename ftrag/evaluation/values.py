"""Numbers, money, measures, durations, times and dates as values: "2 h" is "two hours", "$1,200.00" is "1200 USD".

Conversions are exact ones only (hours to minutes, kilometres to metres); 34 kg is not 75 lb.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from ftrag.evaluation.moments import dates, dotted_time, military, minutes
from ftrag.evaluation.spelled import alternatives, clean
from ftrag.evaluation.units import (
    BEFORE,
    MONEY,
    MONTHS,
    MULTIPLIERS,
    ORDINALS,
    SHORT_MULTIPLIERS,
    UNITS,
    Reading,
)


class Atom(NamedTuple):
    """A word, or a value with every way it can be read."""

    text: str  # as in the cleaned text
    start: int  # half-open character offsets into the cleaned text
    end: int
    readings: frozenset[Reading] = frozenset()  # empty for a word
    bare: float | None = None  # the number without its unit

    def found_in(self, other: Atom) -> bool:
        """Values by any shared reading, words by their singular.

        A day without a year is found in any year, a month or a year in any of its days.
        """
        if not self.readings and not other.readings:
            return self.text == other.text or singular(self.text) == singular(other.text)
        if not self.readings or not other.readings:
            return _is_free(self) and _is_free(other)
        if self.readings & other.readings or (_is_free(self) and _is_free(other)):
            return True
        whole = [str(day) for name, day in other.readings if name in {"date", "month of"}]
        return any(
            (name == "date" and amount in {day[-6:] for day in whole})
            or (name == "month of" and any(day.startswith(f"{amount}-") for day in whole))
            or (name == "number" and any(day.startswith(f"{amount:g}-") for day in whole))
            for name, amount in self.readings
        )


def _is_free(atom: Atom) -> bool:
    """ "free", or nothing in any currency."""
    if not atom.readings:
        return atom.text == "free"
    return any(name in MONEY and amount == 0 for name, amount in atom.readings)


@lru_cache(maxsize=65536)
def singular(word: str) -> str:
    """English plural s off, so that "boat" finds "boats"; crude, and the same on both sides."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


_NUMBER = (
    r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:'\d{3})+(?:\.\d+)?"
    r"|\d{1,3}(?: \d{3})+(?![\d.,]*\d)|\d+(?:[.,]\d+)?)"
)
_MONTH = f"(?:{alternatives(MONTHS)})"
_UNIT = f"(?:{alternatives(UNITS)})"
_TIMES = f"(?:{alternatives(MULTIPLIERS)})"
_CURRENCY = f"(?:{alternatives(BEFORE)})"
_SIGN = r"(?:(?<![\w)\]])-)?"
_TH = r"(?:st|nd|rd|th)"

# Tried in this order at every place; the first that fits takes the text.
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("iso", r"(?P<iy>\d{4})-(?P<im>\d{1,2})-(?P<id>\d{1,2})(?!\d)"),
    ("dmy", rf"(?P<dd>\d{{1,2}}){_TH}?(?: of)? (?P<dm>{_MONTH})\b\.?(?:,? (?P<dy>\d{{4}})\b)?"),
    ("mdy", rf"(?P<mm>{_MONTH})\b\.? (?:the )?(?P<md>\d{{1,2}}){_TH}?\b(?![:.]\d)(?:,? (?P<my>\d{{4}})\b)?"),
    ("month_year", rf"(?P<ym>{_MONTH})\b\.?,? (?P<yy>\d{{4}})\b"),
    ("numeric", r"(?P<n1>\d{1,2})(?P<ns>[./-])(?P<n2>\d{1,2})(?P=ns)(?P<ny>\d{4}|\d{2})(?![\d./-]*\d)"),
    ("clock", r"(?P<ch>\d{1,2})(?:[:.](?P<cm>\d{2}))?(?::\d{2})? ?(?P<half>[ap])\.?m\b\.?"),
    ("time", r"(?P<th>[01]?\d|2[0-4]):(?P<tm>[0-5]\d)(?::[0-5]\d)?(?!\d)"),
    ("noon", r"(?P<name>noon|midday|midnight)\b"),
    ("french", r"(?P<fh>\d{1,2})h(?P<fm>[0-5]\d)(?!\w)"),
    ("phone", r"(?:\+\d|0\d)\d*(?:[ ./()-]{1,2}\d{2,})+(?!\d)|0\d{6,}(?!\d)"),
    ("version", r"\d+(?:\.\d+){2,}(?![\d,])"),
    ("before", rf"{_SIGN}(?P<cur>{_CURRENCY}) ?(?P<bn>{_NUMBER})(?: ?(?P<bx>{_TIMES}|[kmb])\b)?"),
    ("code", r"[^\W\d_]+[-/]?\d[^\W_]*(?:[-/][^\W_]+)*|\d+[-/][^\W\d_]\w*\d\w*"),
    ("always", r"24/7(?![\d/])"),
    ("share", rf"(?P<sn>\d{{1,3}}(?= out)|1) (?:out of|in)(?: every)? (?P<sd>\d{{1,3}})(?![\d.:/-])(?! ?{_UNIT}\b)"),
    (
        "fraction",
        r"(?:(?P<fw>\d+) )?(?P<fn>\d{1,2})/(?P<fd>[2-9]|1[0-6])(?![\d/])(?:[ -]?(?P<fu>" + _UNIT + r")(?!\w))?",
    ),
    ("ordinal", rf"(?P<on>\d+){_TH}\b"),
    ("amount", rf"{_SIGN}(?P<an>{_NUMBER})(?: ?(?P<ax>{_TIMES}|k)\b)?(?:[ -]?(?P<au>{_UNIT})(?!\w))?(?!\w)"),
    ("word", r"\w+(?:'\w+)?|[^\s\w]"),
)
_SCAN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))


@lru_cache(maxsize=4096)
def atoms(text: str) -> tuple[Atom, ...]:
    """Words, punctuation and values of a text, in order; articles dropped, compound durations summed."""
    return tuple(_ranged(list(_summed(atom for atom in _scan(clean(text)) if atom.text not in {"a", "an", "the"}))))


def values(text: str) -> list[Atom]:
    """The values of a text, in order."""
    return [atom for atom in atoms(text) if atom.readings]


# What begins no value, read without trying all patterns: a run of letters that is no month, currency or name of a time
# and has no digit or joining sign behind it; and punctuation.
_PLAIN = re.compile(r"\s*(?:(?P<letters>[^\W\d_]+)(?![\w/$'-])|[.,!?;:()\"](?!\d))")
_NO_PLAIN = frozenset(MONTHS) | frozenset(BEFORE) | frozenset(ORDINALS) | {"noon", "midday", "midnight"}


def _scan(cleaned: str) -> Iterator[Atom]:
    at = 0
    while at < len(cleaned):
        plain = _PLAIN.match(cleaned, at)
        if plain and plain["letters"] not in _NO_PLAIN:
            text = plain["letters"] or plain.group()[-1]
            at = plain.end()
            yield Atom(text, at - len(text), at)
            continue
        match = _SCAN.search(cleaned, at)
        if not match:
            return
        found = _readings(match)
        if found is None:  # the shape of a value that is none, such as day 45: read it word by word
            match = re.compile(r"\w+|[^\s\w]").search(cleaned, match.start()) or match
            found = frozenset(), None
        yield Atom(match.group(), match.start(), match.end(), *found)
        at = max(match.end(), at + 1)


def _readings(match: re.Match[str]) -> tuple[frozenset[Reading], float | None] | None:
    kind = str(match.lastgroup)  # the group that closed last is the pattern as a whole
    if kind == "word":
        number = ORDINALS.get(match.group())
        return (frozenset({("ordinal", float(number))}) if number and number != 2 else frozenset()), None
    if kind in {"phone", "version", "code"}:
        return frozenset({("code", re.sub(r"[^\w.]" if kind == "version" else r"\W", "", match.group()))}), None
    if kind in {"iso", "dmy", "mdy", "month_year", "numeric"}:
        days = dates(match, kind)
        return (frozenset(days), None) if days else None
    if kind == "french":  # 16h30: a time in French, a duration in English
        spoken = int(match["fh"]) * 60.0 + int(match["fm"])
        return frozenset({("time", spoken), ("second", spoken * 60)}), None
    if kind in {"clock", "time", "noon"}:
        return frozenset({("time", float(minutes(match, kind)))}), None
    if kind == "always":
        return frozenset({("always", 1.0)}), None
    if kind == "share":
        return _share(int(match["sn"]), int(match["sd"]))
    if kind == "fraction" and int(match["fn"]) >= int(match["fd"]):
        return None  # 7/2
    return _amount(match, kind)


def _share(count: int, of: int) -> tuple[frozenset[Reading], float]:
    """ "3 out of 4" is that share, and 3 of something."""
    share = {("share", _round(count / of))} if 0 < count < of else set()
    return frozenset({("number", float(count)), *share}), float(count)


def _amount(match: re.Match[str], kind: str) -> tuple[frozenset[Reading], float | None]:
    negative = -1.0 if match.group().startswith("-") else 1.0
    if kind == "fraction":
        numbers = [int(match["fw"] or 0) + int(match["fn"]) / int(match["fd"])]
        unit = match["fu"]
    elif kind == "ordinal":
        return frozenset({("ordinal", float(match["on"]))}), float(match["on"])
    elif kind == "before":
        scale = {**MULTIPLIERS, **SHORT_MULTIPLIERS}.get(match["bx"] or "", 1.0)
        numbers = [number * scale for number in _numbers(match["bn"], money=True)]
        return frozenset((BEFORE[match["cur"]], _round(negative * number)) for number in numbers), numbers[0]
    else:
        unit = match["au"]
        scale = {**MULTIPLIERS, **SHORT_MULTIPLIERS}.get(match["ax"] or "", 1.0)
        money = bool(unit) and UNITS[unit][0][0] in MONEY
        numbers = [number * scale for number in _numbers(match["an"], money)]
    readings = UNITS[unit] if unit else (("number", 1.0),)
    found = {(name, _round(negative * number * factor)) for number in numbers for name, factor in readings}
    if readings[0][0] == "percent" or (kind == "fraction" and not unit):
        found.add(("share", _round(numbers[0] / (100 if unit else 1))))
    return frozenset(found | dotted_time(match) | military(match)), negative * numbers[0]


def _round(number: float) -> float:
    return float(f"{number:.9g}")


def _numbers(written: str, money: bool) -> list[float]:
    """What a written number can mean: "10.000", and "1.200" in money, are in much of Europe 10000 and 1200."""
    plain = written.replace("'", "").replace(" ", "")
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d+", plain):
        return [float(plain.replace(".", "").replace(",", "."))]
    if re.fullmatch(r"\d+,\d+", plain) and not re.fullmatch(r"\d{1,3}(?:,\d{3})+", plain):
        return [float(plain.replace(",", "."))]
    numbers = [float(plain.replace(",", ""))]
    if re.fullmatch(r"\d{1,3}\.000", plain) or (money and re.fullmatch(r"\d{1,3}\.\d{3}", plain)):
        numbers.append(float(plain.replace(".", "")))
    return numbers


def _summed(found: Iterator[Atom]) -> Iterator[Atom]:
    """ "1 hour and 30 minutes" is one value of 90 minutes: durations in falling units, "and" or nothing between."""
    kept: list[Atom] = []
    for atom in found:
        if not atom.readings:
            kept.append(atom)
            continue
        before = kept[-1] if kept else None
        joined = len(kept) > 1 and kept[-1].text in {"and", ","} and _duration(kept[-2]) is not None
        left = kept[-2] if joined else before
        if left and _compound(left, atom):
            total = (_duration(left) or 0.0) + (_duration(atom) or 0.0)
            del kept[-2 if joined else -1 :]
            text = f"{left.text} {atom.text}"
            atom = Atom(text, left.start, atom.end, frozenset({("second", _round(total))}))
        kept.append(atom)
    yield from kept


def _ranged(found: list[Atom]) -> list[Atom]:
    """ "10-20 kg" and "$10-20": the end of a range that has no unit may be read in that of the other."""
    for place in range(len(found) - 2):
        low, between, high = found[place : place + 3]
        if between.text in {"-", "to"} or (between.text == "and" and place and found[place - 1].text == "between"):
            found[place] = _in_unit_of(high, low)
        if between.text == "-":
            found[place + 2] = _in_unit_of(low, high)
    return found


def _in_unit_of(other: Atom, atom: Atom) -> Atom:
    """The plain number also as so many of the other's units; anything else as it is."""
    if not other.bare or atom.bare is None or {name for name, _ in atom.readings} != {"number"}:
        return atom
    more = {
        (name, _round(atom.bare * amount / other.bare))
        for name, amount in other.readings
        if name not in {"number", "ordinal"} and isinstance(amount, float)
    }
    return atom._replace(readings=atom.readings | more)


def _duration(atom: Atom) -> float | None:
    """Seconds, if the value is a duration."""
    if not atom.readings:
        return None
    seconds = [amount for name, amount in atom.readings if name == "second" and isinstance(amount, float)]
    return seconds[0] if len(seconds) == 1 else None


def _compound(left: Atom, right: Atom) -> bool:
    longer, shorter = _duration(left), _duration(right)
    if longer is None or shorter is None or right.start - left.end > 6:
        return False
    sizes = [_unit_seconds(atom) for atom in (left, right)]
    return sizes[0] > sizes[1] > 0 and shorter < sizes[0]


def _unit_seconds(atom: Atom) -> float:
    """Seconds in the last unit of a duration as written."""
    match = re.search(r"([^\W\d]+)$", atom.text)
    return UNITS[match.group()][0][1] if match and match.group() in UNITS else 0.0
