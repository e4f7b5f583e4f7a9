"""Reading answers: option names, amounts ("200 examples") and durations ("80ms"), and the flags of the command line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ftrag.decision.presets import BY_NAME
from ftrag.decision.questions import BY_KEY, QUESTIONS
from ftrag.decision.rows import Option, Question
from ftrag.errors import InputError

_YES_NO = {"yes": "true", "y": "true", "1": "true", "no": "false", "n": "false", "0": "false"}
_TIMES = {"": 1, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_NOT_A_COUNT = {"kb", "mb", "gb", "tb", "bytes", "percent", "tokens", "ms", "s", "seconds", "minutes", "days", "weeks"}
_LARGEST = 1e12  # counts above this are typing errors


@dataclass(frozen=True)
class Answer:
    question: Question
    option: Option
    text: str  # as given: "200 examples", "weekly"
    number: float | None = None  # amounts: the count; durations: seconds


def parse_answer(key: str, value: str) -> Answer:
    """Read one answer: an option's name, an amount ("200 examples") or a duration ("80ms", "2s").

    Raises InputError in one sentence for an unknown question, an unknown option, NaN, a negative or a wrong unit.
    """
    question = BY_KEY.get(key)
    if question is None:
        raise InputError(f"There is no question '{key}'; the questions are {', '.join(BY_KEY)}.")
    text = " ".join(str(value).split())
    if question.kind == "choice":
        return _choice(question, text)
    number = _seconds(question, text) if question.kind == "duration" else _amount(question, text)
    band = [option for option in question.options if number >= option.low][-1]
    return Answer(question, band, text, number)


def parse_answers(answers: Mapping[str, str]) -> dict[str, Answer]:
    """The answered questions in the questionnaire's order; an empty value is a skipped question."""
    filled = {key: value for key, value in answers.items() if value is not None and str(value).strip()}
    given = {key: parse_answer(key, value) for key, value in filled.items()}
    return {question.key: given[question.key] for question in QUESTIONS if question.key in given}


def add_decide_arguments(parser: argparse.ArgumentParser) -> None:
    """One optional flag for each question, and --preset for a known case whose answers the other flags replace."""
    parser.add_argument("--preset", metavar="NAME", help=f"Start from a known case: {', '.join(BY_NAME)}")
    for question in QUESTIONS:
        ids = "|".join(option.id for option in question.options)
        form = {"choice": ids, "amount": "NUMBER", "duration": "TIME"}[question.kind]
        parser.add_argument(f"--{question.key}", metavar=form, help=f"{question.text} {question.help}")


def answers_from(namespace: argparse.Namespace) -> dict[str, str]:
    """The flags that were given, as answers for `decide`."""
    named = {question.key: getattr(namespace, question.key.replace("-", "_"), None) for question in QUESTIONS}
    for key, value in named.items():
        if value is not None and not value.strip():
            raise InputError(f"--{key} is empty; give a value or leave the flag out.")
    return {**_preset(namespace.preset), **{key: value for key, value in named.items() if value is not None}}


def _preset(name: str | None) -> Mapping[str, str]:
    if name is None:
        return {}
    if name not in BY_NAME:
        raise InputError(f"There is no preset '{name}'; the presets are {', '.join(BY_NAME)}.")
    return BY_NAME[name].answers


def _choice(question: Question, text: str) -> Answer:
    ids = {option.id: option for option in question.options}
    wanted = text.lower()
    if "true" in ids:
        wanted = _YES_NO.get(wanted, wanted)
    if wanted not in ids:
        raise InputError(f"--{question.key} takes {', '.join(ids)}, not '{text[:60]}'.")
    return Answer(question, ids[wanted], wanted)


def _amount(question: Question, text: str) -> float:
    """A whole number of at least 0, optionally with thousand or million and a unit word."""
    match = re.fullmatch(r"(\d{1,3}(?:,\d{3})+|\d{1,15})\s?([a-z-]*)((?:\s[a-z-]+)*)", text.lower())
    if match is None or {match[2], *match[3].split()} & _NOT_A_COUNT:
        sample = question.options[-1].sample
        raise InputError(f"--{question.key} takes a whole number of at least 0, such as '{sample}', not '{text[:60]}'.")
    number = float(match[1].replace(",", "")) * _TIMES.get(match[2], 1)
    if number > _LARGEST:
        raise InputError(f"--{question.key} is above {_LARGEST:,.0f}; check the number '{text[:60]}'.")
    return number


def _seconds(question: Question, text: str) -> float:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s?(ms|s)", text.lower())
    number = float(match[1]) * (0.001 if match[2] == "ms" else 1.0) if match else 0.0
    if number <= 0:
        raise InputError(f"--{question.key} takes a time above 0 with its unit, such as 80ms or 2s, not '{text[:60]}'.")
    return number
