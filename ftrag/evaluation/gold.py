"""Gold questions from JSONL, JSON or CSV: the rows that can be used, and the reason for each that cannot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftrag.errors import InputError
from ftrag.evaluation import checks
from ftrag.training.files import KINDS, Numbered, read_rows
from ftrag.types import Gold

KNOWN = ("id", "question", "answers", "evidence", "checks", "slice")
ALIASES = {"answer": "answers"}


class BadRow(ValueError):
    """Why one row is refused; the text goes to the user."""


def read_gold(path: Path) -> tuple[list[Gold], list[dict[str, Any]]]:
    """Gold rows of a file, and refused rows as {file, row, reason}; a file without any row is one refusal.

    Row numbers: the line of a JSONL file, the place in a JSON list, the row of a spreadsheet with the header as row 1.
    In CSV a cell of answers or evidence is one text, or a JSON list of texts; [] expects a refusal.
    """
    try:
        rows = _with_columns(read_rows(_checked(path)), path.name)
    except InputError as error:
        return [], [{"file": path.name, "reason": str(error)}]
    taken: list[Gold] = []
    refused: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for number, row in rows:
        try:
            gold = _gold(row)
            if (first := seen.setdefault(str(gold.id), number)) != number:
                raise BadRow(f"has the id {gold.id!r} of row {first}; ids must be unique")
            taken.append(gold)
        except BadRow as reason:
            refused.append({"file": path.name, "row": number, "reason": str(reason)})
    return taken, refused


def _checked(path: Path) -> Path:
    if path.suffix.lower() not in KINDS:
        raise InputError(f"{path.name} is not a gold file; give one of {', '.join(KINDS)}")
    return path


def _with_columns(rows: list[Numbered], name: str) -> list[Numbered]:
    """The rows; InputError where none of them has a column of ours, so that a wrong file is refused once as a whole."""
    seen = dict.fromkeys(column for _, row in rows if isinstance(row, dict) for column in row)
    if {"question", "answers", *ALIASES} & set(seen):
        return rows
    if seen:
        raise InputError(f"{name} has the columns {', '.join([*seen][:8])}; gold rows have id, question and answers")
    first = f" (row {rows[0][0]} {rows[0][1]})" if rows else ""
    raise InputError(f"{name} holds no row with named columns{first}; gold rows have id, question and answers")


def _gold(row: Mapping[str, Any] | str) -> Gold:
    if isinstance(row, str):
        raise BadRow(row)
    row = {ALIASES.get(key, key): value for key, value in row.items() if key not in ALIASES or "answers" not in row}
    if row.get("answers") is None:
        raise BadRow("has no answers; give a list of accepted answers, or [] where a refusal is expected")
    return Gold(
        id=_id(row.get("id")),
        question=_text(row.get("question"), "question"),
        answers=_texts(row["answers"], "answers"),
        evidence=_texts(row.get("evidence") or [], "evidence"),
        checks=_checks(row.get("checks") or []),
        slice=_optional(row.get("slice"), "slice"),
    )


def _id(value: Any) -> str | int:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise BadRow("has no id; give each row a text or a whole number of its own")
    return value.strip() if isinstance(value, str) else value


def _text(value: Any, column: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadRow(f"has no {column}; it must be a text that is not empty")
    return value.strip()


def _optional(value: Any, column: str) -> str:
    if value is not None and not isinstance(value, (str, int)):
        raise BadRow(f"has a {column} that is not a text")
    return "" if value is None else str(value).strip()


def _texts(value: Any, column: str) -> tuple[str, ...]:
    """One text or a list of texts; numbers are taken as they are written."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, (str, int, float)) and not isinstance(item, bool) for item in items):
        raise BadRow(f"has {column} that are not texts")
    if not all(math.isfinite(item) for item in items if isinstance(item, float)):
        raise BadRow(f"has {column} that are not numbers; write them as texts in quotes")
    texts = tuple(str(item).strip() for item in items)
    if not all(texts):
        raise BadRow(f"has an empty text among its {column}; remove it")
    return texts


def _checks(value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list):
        raise BadRow('has checks that are not a list of {"kind", "value"}')
    try:
        return checks.validated(value)
    except InputError as error:
        raise BadRow(str(error)) from error
