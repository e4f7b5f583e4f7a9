"""One cell of a training row -> text that can be trained on, or why it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrag.prompts import MARKERS
from ftrag.training.files import as_list, kind

MAX_CHARACTERS = 200_000  # of one field; a longer one is a file in the wrong column


class BadRow(ValueError):
    """Why one row is refused; the text goes to the user."""


def text(row: Mapping[str, Any], column: str) -> str:
    """A text that must be there and say something."""
    value = row[column]
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadRow(f"has an empty {column}")
    if not isinstance(value, str):
        raise BadRow(f"has {kind(value)} as {column}; write it as text in quotes")
    return clean(value, column)


def clean(text: str, column: str) -> str:
    """Stripped; BadRow where it is too long or damaged."""
    if len(text) > MAX_CHARACTERS:
        raise BadRow(f"has {len(text):,} characters in {column}; at most {MAX_CHARACTERS:,} are taken")
    if "\ufffd" in text:
        raise BadRow(f"has bytes in {column} that are not UTF-8; save the file as UTF-8")
    if "\x00" in text:
        raise BadRow(f"has a NUL character in {column}; the file is binary or damaged there")
    return text.strip()


def answer(row: Mapping[str, Any], column: str) -> str:
    """An answer is learned word for word, so it must not hold the markers that end a turn."""
    learned = text(row, column)
    if marker := MARKERS.search(learned):
        raise BadRow(f"has the chat marker {marker.group()} in {column}; remove it")
    return learned


def optional(row: Mapping[str, Any], column: str) -> str | None:
    """A text or whole number that may be missing."""
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadRow(f"has {kind(value)} as {column}; write it as text")
    return clean(str(value), column) or None


def texts(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """A list of texts, or one text; in CSV a cell with a JSON list."""
    value = as_list(row.get(column))
    items = [value] if isinstance(value, str) else value or []
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise BadRow(f"has something in {column} that is not a text or a list of texts")
    return tuple(clean(item, column) for item in items if item.strip())
