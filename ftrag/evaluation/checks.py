"""Behaviour: does an answer keep the form that was asked for? Checks are rows {"kind", "value"}; all must pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftrag.errors import InputError
from ftrag.evaluation import form
from ftrag.evaluation.style import Style
from ftrag.text import normalise, words
from ftrag.types import Score

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Reference:
    """What some checks compare an answer with."""

    style: Style | None = None  # of the training answers, for tone
    sources: tuple[str, ...] = ()  # names of the documents that were shown, for cites


NOTHING = Reference()


@dataclass(frozen=True)
class Kind:
    value: str  # what the row's value must be: "texts", "text", "count", "number", "share", "schema" or "source"
    run: Callable[[str, Any, Reference], tuple[float | None, str]]  # value in [0, 1] or None, and what was seen
    why: str


def validated(rows: Sequence[Any]) -> tuple[Row, ...]:
    """The rows, if every one can be run. InputError names the first that cannot and says why."""
    for row in rows:
        if not isinstance(row, Mapping) or not isinstance(row.get("kind"), str):
            raise InputError(f'a check must be {{"kind", "value"}}, not {json.dumps(row, default=str)[:80]}')
        if row["kind"] not in KINDS:
            raise InputError(f"there is no check {row['kind']!r}; choose one of {', '.join(KINDS)}")
        if reason := _problem(KINDS[row["kind"]].value, row.get("value")):
            raise InputError(f"the check {row['kind']!r} {reason}")
        if row["kind"] in {"regex", "not_regex"}:
            form.compiled(row["value"])
        if row["kind"] == "language" and row["value"] not in form.languages():
            raise InputError(f"the check 'language' knows {', '.join(form.languages())}, not {row['value']!r}")
    return tuple(dict(row) for row in rows)


def _problem(wanted: str, value: Any) -> str:
    """What is wrong with a row's value, "" if nothing is."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    items = value if isinstance(value, list) else [value]
    if wanted == "texts" and not (items and all(isinstance(item, str) and item.strip() for item in items)):
        return "needs a text, or a list of texts, as its value"
    if wanted == "text" and not (isinstance(value, str) and value.strip()):
        return "needs a text as its value"
    if wanted == "count" and not (isinstance(value, int) and number and value >= 0):
        return "needs a whole number of words as its value"
    if wanted == "number" and not (number and value > 0):
        return "needs a number above 0 as its value"
    if wanted == "share" and not (value is None or (number and 0 <= value <= 1)):
        return "needs a share from 0 to 1 as its value"
    if wanted == "schema":
        return form.schema_problem(value)
    named = bool(items) and all(isinstance(item, str) and item.strip() for item in items)
    if wanted == "source" and not (value is None or value is True or named):
        return "needs true, or the name of a document, as its value"
    return ""


def behaviour(answer: str, checks: Sequence[Row], reference: Reference = NOTHING) -> tuple[Score, bool | None]:
    """Share of the checks that pass, and whether all do; None where there are none, or where one could not be run."""
    if not checks:
        return Score(None, "no behaviour checks"), None
    results = [(row, *KINDS[row["kind"]].run(answer, row.get("value"), reference)) for row in checks]
    parts = {_label(row, place): value for place, (row, value, _) in enumerate(results) if value is not None}
    failed = [f"{row['kind']}: {seen}" for row, value, seen in results if value is not None and value < 1]
    unscored = [f"{row['kind']}: {seen}" for row, value, seen in results if value is None]
    if failed:
        return Score(1 - len(failed) / len(results), "; ".join(failed), parts), False
    if unscored:
        return Score(None, "; ".join(unscored), parts), None
    return Score(1.0, f"passes all {len(results)} checks", parts), True


def _label(row: Row, place: int) -> str:
    return f"{place + 1} {row['kind']}"


def _texts(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _quoted(texts: Sequence[str]) -> str:
    return " or ".join(f'"{text}"' for text in texts)


def _starts_with(answer: str, value: Any, reference: Reference) -> tuple[float, str]:
    passed = answer.strip().startswith(tuple(_texts(value)))
    return float(passed), f'begins with "{answer.strip()[:30]}", not {_quoted(_texts(value))}'


def _ends_with(answer: str, value: Any, reference: Reference) -> tuple[float, str]:
    passed = answer.strip().endswith(tuple(_texts(value)))
    return float(passed), f'ends with "{answer.strip()[-30:]}", not {_quoted(_texts(value))}'


def _contains(answer: str, value: Any, reference: Reference) -> tuple[float, str]:
    missing = [text for text in _texts(value) if normalise(text) not in normalise(answer)]
    return float(not missing), f"lacks {_quoted(missing)}"


def _not_contains(answer: str, value: Any, reference: Reference) -> tuple[float, str]:
    present = [text for text in _texts(value) if normalise(text) in normalise(answer)]
    return float(not present), f"has {_quoted(present)}"


def _min_words(answer: str, value: Any, reference: Reference) -> tuple[float, str]:
    count = len(words(answer))
    return float(count >= value), f"has {count} words, at least {value} are asked"


def _max_words(answer: str, value: Any, reference: Reference) -> tuple[float, str]:
    count = len(words(answer))
    return float(count <= value), f"has {count} words, at most {value} are asked"


def _regex(answer: str, value: Any, reference: Reference) -> tuple[float | None, str]:
    found = form.search(value, answer)
    return (None, "the pattern took too long") if found is None else (float(found), f"does not match {value}")


def _not_regex(answer: str, value: Any, reference: Reference) -> tuple[float | None, str]:
    found = form.search(value, answer)
    return (None, "the pattern took too long") if found is None else (float(not found), f"matches {value}")


def _json_schema(answer: str, value: Any, reference: Reference) -> tuple[float | None, str]:
    return form.fits_schema(answer, value)


def _language(answer: str, value: Any, reference: Reference) -> tuple[float | None, str]:
    told = form.is_in(answer, value)
    return (None, "too short to tell") if told is None else (float(told[0]), f"is in {told[1]}, not {value}")


def _reading_level(answer: str, value: Any, reference: Reference) -> tuple[float | None, str]:
    grade = form.reading_grade(answer)
    if grade is None:
        return None, "there are no words to measure"
    return float(grade <= value), f"reads at grade {grade:.1f}, at most {value} is asked"


def _tone(answer: str, value: Any, reference: Reference) -> tuple[float | None, str]:
    if reference.style is None:
        return None, "there are too few training answers to compare the tone with"
    if not words(answer):
        return 0.0, "the answer is empty"
    typical = reference.style.typicality(answer)
    least = form.TONE_SHARE if value is None else value
    return float(typical >= least), f"is closer to the house style than {typical:.0%} of the training answers"


def _cites(answer: str, value: Any, reference: Reference) -> tuple[float, str]:
    names = _texts(value) if isinstance(value, (str, list)) else list(reference.sources)
    named = [name for name in names if form.names_source(answer, name)]
    marked = not isinstance(value, (str, list)) and form.has_citation(answer)
    return float(bool(named) or marked), f"names no source{' of ' + _quoted(names) if names else ''}"


KINDS: dict[str, Kind] = {
    "starts_with": Kind("texts", _starts_with, "A greeting or marker that every answer opens with."),
    "ends_with": Kind("texts", _ends_with, "A sign-off that every answer closes with."),
    "contains": Kind("texts", _contains, "Every one of these texts, in any case."),
    "not_contains": Kind("texts", _not_contains, "None of these texts, in any case."),
    "regex": Kind("text", _regex, "A pattern found anywhere in the answer; anchor it with ^ and $ for the whole."),
    "not_regex": Kind("text", _not_regex, "A pattern that must not be found."),
    "min_words": Kind("count", _min_words, "At least this many words."),
    "max_words": Kind("count", _max_words, "At most this many words."),
    "json_schema": Kind("schema", _json_schema, "The whole answer is JSON that fits this schema."),
    "language": Kind("text", _language, "The language of the answer, as an ISO 639-1 code."),
    "reading_level": Kind("number", _reading_level, "At most this school grade by Flesch and Kincaid (English)."),
    "tone": Kind("share", _tone, "As close to the style of the training answers as all but this share of them."),
    "cites": Kind("source", _cites, "Names a source: a document that was shown, a link, or a mark such as [1]."),
}
