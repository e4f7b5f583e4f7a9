"""Days and times of day out of the groups of a match of `values`; a reading is (dimension, amount)."""

from __future__ import annotations

import re

from ftrag.evaluation.units import MONTHS, Reading

_AT = re.compile(r"\b(?:at|from|until|till|before|after|between) $")


def dates(match: re.Match[str], kind: str) -> list[Reading]:
    """A day with and without its year: a day without a year is the same day in any year it is compared with."""
    if kind == "month_year":
        return [("month of", f"{match['yy']}-{MONTHS[match['ym']]:02}")]
    if kind == "iso":
        options = [(match["iy"], int(match["im"]), int(match["id"]))]
    elif kind == "dmy":
        options = [(match["dy"], MONTHS[match["dm"]], int(match["dd"]))]
    elif kind == "mdy":
        options = [(match["my"], MONTHS[match["mm"]], int(match["md"]))]
    else:
        year = match["ny"] if len(match["ny"]) == 4 else f"20{match['ny']}"
        first, second = int(match["n1"]), int(match["n2"])
        options = [(year, second, first), (year, first, second)]
    return [("date", f"{year or ''}-{month:02}-{day:02}") for year, month, day in options if _is_day(month, day)]


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def minutes(match: re.Match[str], kind: str) -> int:
    """Minutes after midnight."""
    if kind == "noon":
        return 0 if match["name"] == "midnight" else 720
    if kind == "time":
        return int(match["th"]) * 60 + int(match["tm"])
    return (int(match["ch"]) % 12 + (12 if match["half"] == "p" else 0)) * 60 + int(match["cm"] or 0)


def dotted_time(match: re.Match[str]) -> set[tuple[str, float]]:
    """ "at 14.30", as much of Europe writes the time."""
    parts = re.fullmatch(r"([01]?\d|2[0-3])\.([0-5]\d)", match.group())
    timed = parts and _AT.search(match.string[: match.start()])
    return {("time", int(parts[1]) * 60.0 + int(parts[2]))} if parts and timed else set()


def military(match: re.Match[str]) -> set[tuple[str, float]]:
    """ "1400 hours": a time of day, or as long as that."""
    parts = re.fullmatch(r"([01]\d|2[0-4])([0-5]\d) ?(?:h|hrs|hours)", match.group())
    return {("time", int(parts[1]) * 60.0 + int(parts[2]))} if parts else set()
